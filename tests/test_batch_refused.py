"""Jobs that cannot begin leave nothing behind, and say what is wrong."""

from __future__ import annotations

import pytest
from batch_job import job, photos, quick  # noqa: F401

from runmask import batch
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


def test_answers_and_output_are_not_the_same_folder(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(InputError, match="answers and output are the same folder"):
        batch.render(tmp_path, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("beside", [True, False])
def test_a_pattern_that_matches_nothing_is_refused(tmp_path, beside):
    [photo] = photos(tmp_path / "in", 1)
    inputs = [*([photo] if beside else []), tmp_path / "in" / "*.jpg"]
    with pytest.raises(InputError, match=r"\*\.jpg.*no file matches this pattern"):
        job(inputs, tmp_path / "out", NOWHERE)
    assert not (tmp_path / "out").exists()
