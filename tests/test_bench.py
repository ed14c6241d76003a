"""The command bench: every job is timed and right, and a wrong one is told."""

import json

import numpy as np
import pytest
from command_line import run

from runmask import bench
from runmask.errors import InputError


def test_every_job_is_right():
    figures = bench.measure(size=256, rounds=1, threads=2)
    assert len(figures) == 7
    for figure in figures:
        assert figure.right, figure.job
        assert figure.ms > 0
        assert figure.limit_ms > 0


def test_a_wrong_answer_is_told(monkeypatch):
    monkeypatch.setattr(bench, "overlay", lambda image, mask, **_: np.zeros_like(image))
    wrong = [figure.job for figure in bench.measure(size=64, rounds=1) if not figure.right]
    assert wrong == ["overlay in place"]
    assert run("bench", "--size", 64, "--rounds", 1).exit_code == 1


def test_command():
    done = run("bench", "--size", 64, "--rounds", 1)
    assert done.exit_code == 0, done.stderr
    assert "overlay in place" in done.stdout
    assert f"kernels {bench.kernels()}" in done.stdout


@pytest.mark.parametrize("size", [64, 100])
def test_json(size):
    done = run("bench", "--size", size, "--rounds", 1, "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["size"] for line in lines] == [size] * 7
    assert all(line["right"] for line in lines)


@pytest.mark.parametrize("bad", [0, -1, 1.5, True, None, 2**30])
@pytest.mark.parametrize("name", ["size", "rounds", "threads"])
def test_what_cannot_be_measured(name, bad):
    if name == "threads" and bad == 2**30:
        return
    with pytest.raises(InputError, match=name):
        bench.measure(**({"size": 64, "rounds": 1} | {name: bad}))
