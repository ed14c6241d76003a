"""docs/reliability.md: every row is there, and every test that it names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "reliability.md"
ROWS = {"H": 15, "K": 5, "W": 12, "U": 6}


def rows() -> dict[str, list[str]]:
    """The tests that each row names."""
    found = {}
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.fullmatch(r"[A-Z]\d+", cells[0]):
            assert len(cells) == 4, line
            assert cells[0] not in found
            found[cells[0]] = re.findall(r"`(test_\w+::test_\w+)`", cells[3])
    return found


def test_no_row_is_missing_and_each_has_a_test() -> None:
    assert list(rows()) == [
        f"{letter}{n}" for letter, most in ROWS.items() for n in range(1, most + 1)
    ]
    assert all(rows().values())


def test_the_tests_are_there() -> None:
    written = {
        f"{path.stem}::{node.name}"
        for path in TESTS.glob("test_*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    named = {name for names in rows().values() for name in names}
    assert named <= written, named - written
