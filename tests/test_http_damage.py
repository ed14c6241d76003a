"""Answers in which something is not what it should be: they cost nothing but an error of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from billed_calls import CALLS, client_of
from faults.server import Answer, faulty
from hypothesis import given, settings
from hypothesis import strategies as st

from runmask.errors import APIError, NotFoundError, RunmaskError
from runmask.http import Job

ODD = (
    *(None, True, 0, -1, 0.5, 1e300, 10**400, "", "x", "\ud800", "a" * 10_000, "\n\x1b[31m"),
    *([], {}, [[]], [1], {"a": 1}, [None], [{}]),
)
SHOWN = (
    *("verdict", "score", "mask", "heatmap", "attribution", "regions", "ids", "credits", "model"),
    *("created", "metadata", "extra", "warnings", "notice", "done", "failed", "total", "items"),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Of all that is in a JSON text, outermost first."""
    inner = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value) if isinstance(value, list) else inner
    return [path, *(place for name, each in inner for place in places(each, (*path, name)))]


def changed(value: Any, place: tuple[Any, ...], odd: Any) -> Any:
    if not place:
        return odd
    copy = value.copy()
    copy[place[0]] = changed(value[place[0]], place[1:], odd)
    return copy


def attempted(call: Callable[[], Any]) -> Any:
    """What it returns, or the error of ours that it raises; no other is caught."""
    try:
        return call()
    except RunmaskError as error:
        return error


def look_at(found: Any) -> None:
    """At all that it shows; each may be an error of ours."""
    for name in SHOWN:
        shown = attempted(lambda name=name: getattr(found, name, None))
        if isinstance(shown, tuple):
            for each in shown:
                look_at(each)
    assert repr(found).isprintable()


@settings(max_examples=300)
@given(st.data())
def test_any_place_may_hold_anything(data: st.DataObject) -> None:
    call = CALLS[data.draw(st.sampled_from(sorted(CALLS)))]
    place = data.draw(st.sampled_from(places(json.loads(call.body))))
    odd = data.draw(st.sampled_from(ODD))
    body = json.dumps(changed(json.loads(call.body), place, odd)).encode()
    with (
        faulty(Answer(status=call.status, body=body, charge=True), Answer(status=404)) as server,
        client_of(call.service, "threads", server.origin, **dict(call.options)) as client,
    ):
        found = attempted(lambda: call.ask(client))
        if isinstance(found, APIError):
            assert (found.billed, found.body) == ("unknown", body)
        elif isinstance(found, Job):
            assert isinstance(attempted(lambda: client.job(found.id)), NotFoundError)
        look_at(found)
        assert str(found).isprintable()
    assert server.charges.total() == 1


def test_figures_beyond_all_measure_cost_no_batch() -> None:
    call = CALLS["sightengine-check_many"]
    body = call.body.replace(b'"operations": 5', b'"operations": 1' + b"0" * 400)
    assert body != call.body
    with (
        faulty(Answer(body=body)) as server,
        client_of(call.service, "threads", server.origin) as client,
    ):
        assert call.ask(client)[0].score == 0.01
