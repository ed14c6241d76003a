"""Detections of AIDetector and Sightengine, field by field, good and bad."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from runmask import Detection, Mask
from runmask.detection import Region
from runmask.errors import InputError, LimitError, ResponseFormatError


def aidetector(**answer: Any) -> Detection:
    return Detection.from_aidetector(json.dumps({"is_ai_generated": True} | answer))


REGION = {"x": 2, "y": 1, "width": 3, "height": 2, "type": "inpainting"}
SIZE = {"width": 8, "height": 6}


def test_regions_make_a_mask() -> None:
    other = {"x": 4, "y": 2, "width": 4, "height": 4}
    found = aidetector(manipulation_regions=[REGION, other], metadata=SIZE)
    assert found.regions == (Region(2, 1, 3, 2, "inpainting"), Region(4, 2, 4, 4, None))
    expected = Mask.from_bbox((2, 1, 5, 3), (6, 8)) | Mask.from_bbox((4, 2, 8, 6), (6, 8))
    assert found.mask == expected
    assert found.to_dict()["regions"][0]["kind"] == "inpainting"


def test_no_mask_where_the_regions_were_not_told() -> None:
    assert aidetector(manipulation_regions=[], metadata=SIZE).mask is None
    assert aidetector(manipulation_regions=[REGION]).mask is None
    assert aidetector(metadata=SIZE).mask is None
    human = aidetector(is_ai_generated=False, manipulation_regions=[], metadata=SIZE)
    assert human.mask == Mask.empty((6, 8))


@pytest.mark.parametrize(
    ("region", "path"),
    [
        ({"x": -1}, "manipulation_regions[1].x"),
        ({"y": 1.5}, "manipulation_regions[1].y"),
        ({"width": True}, "manipulation_regions[1].width"),
        ({"height": "2"}, "manipulation_regions[1].height"),
        ({"width": 7}, "manipulation_regions[1]"),
        ({"y": 5}, "manipulation_regions[1]"),
        ({"x": 2**70}, "manipulation_regions[1]"),
    ],
)
def test_bad_regions(region: dict[str, Any], path: str) -> None:
    found = aidetector(manipulation_regions=[REGION, REGION | region], metadata=SIZE)
    assert found.verdict == "ai"
    with pytest.raises(ResponseFormatError) as caught:
        _ = found.mask
    assert caught.value.path == path


def test_sizes_of_bombs() -> None:
    with pytest.raises(InputError):
        _ = aidetector(manipulation_regions=[REGION], metadata={"width": 1, "height": 10**9}).mask
    with pytest.raises(LimitError):
        _ = aidetector(manipulation_regions=[REGION] * 10_001, metadata=SIZE).mask


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ({"verdict": "ai_generated"}, "ai"),
        ({"verdict": "authentic"}, "human"),
        ({"verdict": "unsure"}, None),
        ({"verdict": "authentic", "is_ai_generated": True}, "ai"),
        ({"forensics": {}}, None),
    ],
)
def test_verdicts(answer: dict[str, Any], verdict: str | None) -> None:
    found = Detection.from_aidetector(json.dumps(answer))
    assert found.verdict == verdict
    unknown = answer.get("verdict") == "unsure"
    assert found.warnings == (("verdict 'unsure' is none that is known here",) if unknown else ())


@pytest.mark.parametrize(
    ("answer", "name", "path"),
    [
        ({"is_ai_generated": "yes"}, "verdict", "is_ai_generated"),
        ({"is_ai_generated": None, "verdict": 1}, "verdict", "verdict"),
        ({"confidence": 1.1}, "score", "confidence"),
        ({"confidence": True}, "score", "confidence"),
        ({"heatmap_url": 5}, "heatmap", "heatmap_url"),
        ({"model_attribution": []}, "attribution", "model_attribution"),
        ({"model_attribution": {"a": "b"}}, "attribution", "model_attribution.a"),
        (
            {"source_model": "a", "source_model_confidence": 2},
            "attribution",
            "source_model_confidence",
        ),
        ({"metadata": []}, "metadata", "metadata"),
        ({"manipulation_regions": {}}, "regions", "manipulation_regions"),
        ({"manipulation_regions": [1]}, "regions", "manipulation_regions[0]"),
    ],
)
def test_a_bad_field_costs_only_itself(answer: dict[str, Any], name: str, path: str) -> None:
    found = aidetector(**answer)
    with pytest.raises(ResponseFormatError) as caught:
        getattr(found, name)
    assert caught.value.path == path
    told = found.to_dict()
    assert told[name] is None
    assert name in told["errors"]


def test_the_one_source_of_the_other_dialect() -> None:
    found = aidetector(source_model="flux", source_model_confidence=0.5)
    assert found.attribution == {"flux": 0.5}


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "{}",
        '{"error":{"code":"x"}}',
        '{"confidence":1}',
        "",
        "<html>",
        '{"verdict":1,"verdict":1}',
    ],
)
def test_no_answers_of_aidetector(body: str) -> None:
    with pytest.raises(ResponseFormatError):
        Detection.from_aidetector(body)


@pytest.mark.parametrize(
    "body", ["[]", "{}", '{"status":"failure"}', '{"status":"success"}', '{"status":5,"type":{}}']
)
def test_no_answers_of_sightengine(body: str) -> None:
    with pytest.raises(ResponseFormatError):
        Detection.from_sightengine(body)


@pytest.mark.parametrize(
    ("folder", "service"),
    [("aidetector", "aidetector"), ("sightengine", "sightengine"), (".", "copyleaks")],
)
def test_services_are_told_apart_and_detections_pickled(
    golden: Path, folder: str, service: str
) -> None:
    answers = [path for path in (golden / folder).glob("*_200*.json") if "login" not in path.name]
    assert answers
    for path in answers:
        found = Detection.from_answer(path.read_bytes())
        assert found.service == service
        assert pickle.loads(pickle.dumps(found)) == found
        assert found.to_dict()["errors"] == {}


def test_sightengines_score_at_the_top() -> None:
    found = Detection.from_sightengine('{"ai_generated":0.5}')
    assert (found.score, found.verdict) == (0.5, "ai")


def test_a_detection_from_a_cache_says_so() -> None:
    found = aidetector()
    assert not found.cached
    assert found.marked_as_cached().cached
    assert found == aidetector()
