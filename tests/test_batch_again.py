"""Other files of answers that are there: nothing that was made is lost, whatever is gone since."""

from __future__ import annotations

import shutil

import pyarrow.parquet as parquet
import pytest
from batch_job import GOOD, job, outcomes, photos, quick  # noqa: F401
from batch_work import body_of, mask_of, photo
from faults.server import faulty
from http_files import serving

from runmask import batch

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def stored(tmp_path):
    """Three answers and their photos, rendered with overlays."""
    (tmp_path / "in").mkdir()
    for number in range(3):
        photo(tmp_path / "in" / f"p{number}.jpg", number)
        (tmp_path / "in" / f"p{number}.response.json").write_bytes(body_of(mask_of(number)))
    made = rendered(tmp_path, tmp_path / "in", outputs=["overlay"])
    assert made.states == {"done": 3}
    return tmp_path


def rendered(folder, answers, **options):
    return batch.render(answers, folder / "out", executor=batch.threads(1), **options)


def test_kinds_accumulate(stored):
    rendered(stored, stored / "out", outputs=["geojson"])
    for row in parquet.read_table(stored / "out" / "results.parquet").to_pylist():
        files = {kind: path for kind, path in row["files"].items() if path}
        assert files.keys() >= {"overlay", "geojson", "thumbnail"}
        assert all((stored / "out" / path).is_file() for path in files.values())


def test_what_is_done_stays_done_when_the_photo_is_gone(stored):
    (stored / "in" / "p0.jpg").unlink()
    photo(stored / "in" / "p1.jpg", 77)
    summary = rendered(stored, stored / "out", outputs=["mask", "svg", "coco", "geojson"])
    assert summary.states == {"done": 3}
    for outcome in outcomes(stored / "out"):
        assert outcome.error is None
        assert outcome.files.keys() >= {"overlay", "mask", "svg", "coco", "geojson"}


def test_a_file_that_needs_the_photo_is_told_of_and_the_old_one_stays(stored):
    (stored / "in" / "p0.jpg").unlink()
    before = (stored / "out" / "overlays" / "p0.jpg").read_bytes()
    summary = rendered(stored, stored / "out", outputs=["overlay", "svg"], colormap="viridis")
    assert summary.states == {"done": 3}
    assert summary.incomplete == 1
    gone, *rest = outcomes(stored / "out")
    assert gone.error is not None
    assert gone.error[0] == "unreadable"
    assert gone.files.keys() >= {"overlay", "svg"}
    assert (stored / "out" / "overlays" / "p0.jpg").read_bytes() == before
    assert all(outcome.error is None for outcome in rest)
    photo(stored / "in" / "p0.jpg", 0)
    back = rendered(stored, stored / "out", outputs=["overlay", "svg"], colormap="viridis")
    assert back.incomplete == 1
    back = rendered(
        stored, stored / "out", outputs=["overlay", "svg"], colormap="viridis", retry_failed=True
    )
    assert back.incomplete == 0


def test_photos_that_have_moved(stored):
    shutil.move(stored / "in", stored / "moved")
    summary = rendered(stored, stored / "out", photos=stored / "moved", outputs=["overlay", "mask"])
    assert summary.states == {"done": 3}
    assert all(outcome.error is None for outcome in outcomes(stored / "out"))
    other = batch.render(
        *(stored / "out", stored / "other"), photos=stored / "moved", executor=batch.threads(1)
    )
    assert other.states == {"done": 3}
    sources = [outcome.source for outcome in outcomes(stored / "other")]
    assert sources == [str(stored / "moved" / f"p{number}.jpg") for number in range(3)]


def test_a_failed_photo_that_is_given_another_place(stored):
    shutil.copytree(stored / "in", stored / "moved")
    (stored / "in" / "p0.jpg").unlink()
    failed = batch.render(stored / "out", stored / "new", executor=batch.threads(1))
    assert failed.states == {"done": 2, "failed": 1}
    found = batch.render(
        *(stored / "new", stored / "new"), photos=stored / "moved", executor=batch.threads(1)
    )
    assert found.states == {"done": 3}


def test_lost_files_are_made_again(stored):
    shutil.rmtree(stored / "out" / "overlays")
    rendered(stored, stored / "out", outputs=["overlay"])
    assert not (stored / "out" / "overlays").exists()
    assert rendered(stored, stored / "out", outputs=["overlay"], again=True).states == {"done": 3}
    assert len(list((stored / "out" / "overlays").iterdir())) == 3


def test_kinds_that_no_answer_has_are_named(stored):
    summary = rendered(stored, stored / "out", outputs=["overlay", "heatmap"])
    assert summary.lacking == ("heatmap",)
    assert not (stored / "out" / "heatmaps").exists()


def test_copies_are_charged_once(tmp_path):
    [first] = photos(tmp_path / "in", 1)
    for name in ("q.png", "r.png"):
        shutil.copy(first, tmp_path / "in" / name)
    with faulty(GOOD) as server:
        summary = job(tmp_path / "in", tmp_path / "out", server.origin)
    rows = parquet.read_table(tmp_path / "out" / "results.parquet").to_pylist()
    assert [row["credits"] for row in rows] == [1, None, None]
    assert [row["copy_of"] for row in rows] == [None, rows[0]["item"], rows[0]["item"]]
    assert len({row["digest"] for row in rows}) == 1
    assert rows[0]["digest"]
    assert summary.spent_in_all == 1
    assert "1 credits" in (tmp_path / "out" / "report.html").read_text()


def test_images_on_this_machine_are_rendered_where_they_may_be_asked_about(tmp_path):
    photos(tmp_path / "in", 1)
    with serving(tmp_path / "in") as origin, faulty(GOOD) as server:
        summary = job(f"{origin}/p000.png", tmp_path / "out", server.origin, outputs=("overlay",))
        assert summary.states == {"done": 1}
        anew = batch.render(
            *(tmp_path / "out", tmp_path / "out"),
            outputs=["overlay", "mask"],
            executor=batch.threads(1),
        )
        [outcome] = outcomes(tmp_path / "out")
    assert anew.states == {"done": 1}
    assert outcome.error is None
    assert outcome.files.keys() >= {"overlay", "mask"}
