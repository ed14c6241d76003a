"""One shape for every answer; what is wrong in it is raised on access and costs nothing else."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from runmask import Detection, Mask
from runmask.detection import Summary
from runmask.errors import LimitError, MaskError, ResponseFormatError

ANSWER: dict[str, Any] = {
    "model": "ai-image-1-ultra",
    "isAiDetected": True,
    "result": {"starts": [3], "lengths": [2]},
    "summary": {"human": 0.9, "ai": 0.1},
    "imageInfo": {"shape": {"height": 4, "width": 5}, "metadata": {"issuedBy": "X"}},
    "scannedDocument": {"scanId": "abc", "actualCredits": 1, "creationTime": "9999-12-31T0"},
}


def detection(**changes: Any) -> Detection:
    answer = {k: v for k, v in (ANSWER | changes).items() if v is not KeyError}
    return Detection.from_copyleaks(json.dumps(answer))


def test_partial(golden: Path) -> None:
    raw = (golden / "03_copyleaks_check_200_partial_ai.json").read_bytes()
    found = Detection.from_copyleaks(raw)
    assert found.service == "copyleaks"
    assert found.raw == raw
    assert (found.verdict, found.score) == ("ai", 0.000244140625)
    assert found.summary == Summary(ai=0.000244140625, human=0.999755859375)
    assert found.mask == Mask([51400, 51912, 52424, 52936], [16] * 4, (512, 512))
    assert found.mask is found.mask
    assert (found.scan_id, found.credits) == ("claims-7f3a-front", 1)
    assert found.ids == {"scan_id": "claims-7f3a-front"}
    assert found.model == "ai-image-1-ultra"
    assert found.created == "2026-11-20T08:16:41.55021Z"
    assert (found.heatmap, found.attribution) == (None, None)
    assert (found.metadata, found.extra, found.warnings) == ({}, {}, ())


def test_human(golden: Path) -> None:
    raw = (golden / "04_copyleaks_check_200_human.json").read_bytes()
    found = Detection.from_copyleaks(raw)
    assert (found.verdict, found.score) == ("human", 0.0)
    assert found.mask == Mask.empty((768, 1024))


def test_shape_of_2025(golden: Path) -> None:
    raw = (golden / "05_copyleaks_check_200_2025_full_ai.json").read_bytes()
    found = Detection.from_copyleaks(raw)
    assert "isAiDetected" not in found.answer
    assert (found.verdict, found.score) == ("ai", 1.0)
    assert found.metadata["issuedBy"] == "ExampleGen"


def test_webhook_and_unknown_keys(golden: Path) -> None:
    raw = (golden / "copyleaks" / "10_copyleaks_webhook_success.json").read_bytes()
    found = Detection.from_copyleaks(raw)
    assert found.extra == {"developerPayload": "order:4411;nonce:9c1e"}
    assert found.mask == Mask([0], [1024], (512, 512))


def test_a_tiny_share_is_a_finding(golden: Path) -> None:
    raw = (golden / "copyleaks_check_edited_1800x1350.json").read_bytes()
    found = Detection.from_copyleaks(raw)
    assert (found.verdict, found.score) == ("ai", 0.0011510288)
    assert found.warnings == ()


@pytest.mark.parametrize(
    "name",
    [
        "01_copyleaks_login_200",
        "02_copyleaks_login_401_bad_key",
        "06_copyleaks_check_400_too_small",
        "07_copyleaks_401_expired_token_problem_json",
        "08_copyleaks_402_no_credits",
        "11_copyleaks_webhook_error",
    ],
)
def test_other_bodies_are_no_detections(golden: Path, name: str) -> None:
    with pytest.raises(ResponseFormatError, match="no detection"):
        Detection.from_copyleaks((golden / "copyleaks" / f"{name}.json").read_bytes())


@pytest.mark.parametrize(
    ("flag", "starts", "verdict"),
    [(True, [], "ai"), (False, [1], "human"), (None, [], "human"), (None, [1], "ai")],
)
@pytest.mark.parametrize("null", [False, True])
def test_verdict(flag: bool | None, starts: list[int], verdict: str, null: bool) -> None:
    said = KeyError if flag is None and not null else flag
    result = {"starts": starts, "lengths": starts}
    assert detection(isAiDetected=said, result=result).verdict == verdict


def test_runs_of_length_zero_are_no_finding() -> None:
    result = {"starts": [1], "lengths": [0]}
    assert detection(isAiDetected=KeyError, result=result).verdict == "human"


def test_a_bad_mask_costs_only_the_mask() -> None:
    found = detection(result={"starts": [3, 19], "lengths": [2, 5]})
    assert (found.verdict, found.score, found.credits) == ("ai", 0.1, 1)
    for _ in range(2):
        with pytest.raises(MaskError, match="run 1"):
            _ = found.mask
    told = found.to_dict()
    assert told["mask"] is None
    assert "run 1" in told["errors"]["mask"]
    assert told["score"] == 0.1
    assert "verdict='ai'" in repr(found)


@pytest.mark.parametrize("wrong", [1.7, -0.1, "0.7", None, True, [], KeyError])
@pytest.mark.parametrize("name", ["ai", "human"])
def test_summary_values_are_judged_on_access(name: str, wrong: object) -> None:
    summary = {k: v for k, v in {"ai": 0.5, "human": 0.5, name: wrong}.items() if v is not KeyError}
    found = detection(summary=summary)
    with pytest.raises(ResponseFormatError, match=rf"summary\.{name}") as caught:
        _ = found.summary
    assert caught.value.path == f"summary.{name}"
    assert found.verdict == "ai"
    assert found.mask is not None
    assert found.warnings == ()
    assert found.to_dict()["summary"] is None
    assert "wrong_type" in repr(found)


def test_the_sum_may_be_off() -> None:
    exact = detection(summary={"ai": 0.1000000288, "human": 0.9})
    assert exact.warnings == ()
    assert "0.7" in detection(summary={"ai": 0.5, "human": 0.2}).warnings[0]


def test_the_mask_may_be_of_another_share(golden: Path) -> None:
    """As in the service's own sample, whose runs are 0.3 % of what its summary says is 70 %."""
    sample = {
        "result": {"starts": [0], "lengths": [2560]},
        "imageInfo": {"shape": {"height": 768, "width": 1024}, "metadata": {}},
        "summary": {"ai": 0.7, "human": 0.3},
    }
    [warning] = detection(**sample).warnings
    assert warning == "summary.ai = 0.7, and the mask marks 0.00325521"
    assert detection(result={"starts": [3], "lengths": [10**6]}).warnings == ()  # no mask at all
    recorded = (golden / "copyleaks_check_edited_1800x1350.json").read_bytes()
    assert Detection.from_copyleaks(recorded).warnings == ()


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"summary": KeyError}, "score"),
        ({"isAiDetected": "yes"}, "verdict"),
        ({"scannedDocument": []}, "scan_id"),
        ({"scannedDocument": {"actualCredits": "1"}}, "credits"),
        ({"imageInfo": {"metadata": 3}}, "metadata"),
        ({"result": KeyError}, "mask"),
    ],
)
def test_what_is_missing_or_odd_raises_on_access(changes: dict[str, Any], name: str) -> None:
    found = detection(**changes)
    with pytest.raises(ResponseFormatError):
        getattr(found, name)
    json.dumps(found.to_dict())


def test_what_may_be_missing() -> None:
    found = detection(model=KeyError, scannedDocument=KeyError, imageInfo=KeyError)
    assert (found.model, found.scan_id, found.credits, found.created) == (None,) * 4
    assert found.metadata == {}
    assert detection(imageInfo={"metadata": None}).metadata == {}


@pytest.mark.parametrize("created", ["2026-11-20T08:16:41.5502107", "9999-99-99", "", 5])
def test_times_are_kept_as_text(created: object) -> None:
    assert detection(scannedDocument={"creationTime": created}).created == str(created)


@pytest.mark.parametrize("name", ["heatmap", "heatmapUrl", "overlay"])
def test_heatmaps_come_as_they_are(name: str) -> None:
    assert detection(**{name: {"x": 1}}).heatmap == {"x": 1}
    assert detection(result={"starts": [], "lengths": [], name: "http://x"}).heatmap == "http://x"


def test_repr_is_short_and_escaped() -> None:
    shown = repr(detection(scannedDocument={"scanId": "\x1b[31m" + "x" * 500}))
    assert shown.isprintable()
    assert len(shown) < 200
    assert "\\x1b" in shown


def test_frozen_and_a_value() -> None:
    found, same, other = detection(), detection(), detection(model="b")
    assert found == same
    assert hash(found) == hash(same)
    assert found != other
    assert found != "x"
    with pytest.raises(AttributeError, match="frozen"):
        found.raw = b""  # type: ignore[misc]
    with pytest.raises(AttributeError, match="frozen"):
        del found.raw
    for again in (pickle.loads(pickle.dumps(found)), copy.copy(found), copy.deepcopy(found)):
        assert again == found
        assert again.mask == found.mask


def test_to_dict_is_json() -> None:
    told = json.loads(json.dumps(detection(extra="\ud800", n=10**4000).to_dict()))
    assert told["mask"] == {
        "height": 4,
        "width": 5,
        "runs": 1,
        "area": 2,
        "fraction": 0.1,
        "bbox": [3, 0, 5, 1],
    }
    assert told["summary"] == {"ai": 0.1, "human": 0.9}
    assert told["extra"] == {"extra": "\ud800", "n": 10**4000}
    assert told["errors"] == {}


def test_limit() -> None:
    with pytest.raises(LimitError):
        Detection.from_copyleaks(json.dumps(ANSWER), max_bytes=50)


@pytest.mark.parametrize(
    ("stand_in", "notice"),
    [
        ({"notice": "no detector", "version": "1"}, "no detector"),
        (None, None),
        (True, None),
        ({}, None),
        ({"notice": 5}, None),
    ],
)
def test_a_stand_in_says_that_it_is_one(stand_in: object, notice: str | None) -> None:
    found = detection(sandbox=stand_in)
    assert found.notice == found.to_dict()["notice"] == notice
    assert ("sandbox" in found.extra) == (notice is None)
    assert detection().notice is None
