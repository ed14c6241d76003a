"""What the page on jobs says of commands and functions is so."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from command_line import run

pytest.importorskip("pyarrow")

from runmask import batch, exits

PAGE = (Path(__file__).parent.parent / "docs" / "batches.md").read_text()


def test_options_exist() -> None:
    known = run("batch", "--help").output + run("render", "--help").output
    for option in set(re.findall(r"(?<![\w-])--[a-z-]+[a-z]", PAGE)):
        assert option in known, option


def test_exit_codes() -> None:
    told = re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE)
    assert told == ["0", "1", "2", "3", "4", "5"]
    assert (exits.SOME_FAILED, exits.BAD_INPUT, exits.REFUSED) == (1, 2, 3)
    assert (exits.HELD, exits.NOT_WRITTEN) == (4, 5)


def test_the_code_is_python_and_names_what_there_is() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 5
    for block in blocks:
        ast.parse(block)
    for name in set(re.findall(r"batch\.(\w+)\(", PAGE)):
        assert callable(getattr(batch, name)), name
