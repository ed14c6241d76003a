"""Interleaving: all competitors of a job and mask take turns, in a new random order each round."""

from __future__ import annotations

import random

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--jobs", default="", help="names with commas; default: all")
    parser.addoption("--rounds", type=int, default=9, help="turns of each competitor")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = random.Random(5)

    def turn(item: pytest.Item) -> tuple:
        given = item.callspec.params  # type: ignore[attr-defined]
        return item.path.name, given["job"], given["mask"], given["turn"], order.random()

    items.sort(key=turn)
