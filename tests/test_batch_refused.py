"""Jobs that cannot begin leave nothing behind, and nothing is left out without a word."""

from __future__ import annotations

import pytest
from batch_job import GOOD, job, photos, quick  # noqa: F401
from command_line import run
from faults.server import faulty

from runmask.errors import InputError

pytestmark = pytest.mark.usefixtures("quick")
NOWHERE = "http://127.0.0.1:1"


def test_a_refused_run_leaves_nothing_behind(tmp_path):
    photos(tmp_path / "in", 1)
    (tmp_path / "there").mkdir()
    for output in ("new", "there"):
        with pytest.raises(InputError, match="no such file"):
            job([tmp_path / "in", tmp_path / "nothing"], tmp_path / output, NOWHERE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "there"]
    assert list((tmp_path / "there").iterdir()) == []


def test_input_and_output_are_not_the_same_folder(tmp_path):
    [photo] = photos(tmp_path / "in", 1)
    (tmp_path / "link").symlink_to("in")
    for output in ("in", "link"):
        with pytest.raises(InputError, match="input and output are the same folder"):
            job(tmp_path / "in", tmp_path / output, NOWHERE)
    assert list((tmp_path / "in").iterdir()) == [photo]


def test_a_folder_that_is_left_out_is_told_of_and_the_jobs_own_is_not(tmp_path):
    photos(tmp_path / "in", 1)
    photos(tmp_path / "in" / "old", 1, first=7)
    (tmp_path / "in" / "old" / "journal.sqlite").touch()
    arguments = ("--service", "copyleaks", "--threads", "1", "--no-thumbnails")
    with faulty(GOOD) as server:
        for _ in range(2):
            told = run(
                *("batch", tmp_path / "in", "-o", tmp_path / "in" / "out"),
                *("--base-url", server.origin, *arguments),
            )
            assert told.exit_code == 0, told.output
            assert told.stderr.count("is left out") == 1
            assert f"{str(tmp_path / 'in' / 'old')!r} is left out" in told.stderr


@pytest.mark.parametrize("beside", [True, False])
def test_a_pattern_that_matches_nothing_is_refused(tmp_path, beside):
    [photo] = photos(tmp_path / "in", 1)
    inputs = [*([photo] if beside else []), tmp_path / "in" / "*.jpg"]
    with pytest.raises(InputError, match=r"\*\.jpg.*no file matches this pattern"):
        job(inputs, tmp_path / "out", NOWHERE)
    assert not (tmp_path / "out").exists()
