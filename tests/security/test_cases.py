"""The table of cases names tests that exist, and every case that has been promised."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PROMISED = {*range(1, 27), 39, *range(56, 63), *range(65, 104)}


def rows() -> dict[int, str]:
    text = (TESTS / "cases.md").read_text(encoding="utf-8")
    return {
        int(found[1]): found[2].strip() for found in re.finditer(r"^\| (\d+) \|[^|]+\|([^|]+)\|$", text, re.MULTILINE)
    }


def test_every_promised_case_has_a_line() -> None:
    assert set(rows()) == PROMISED


def test_every_named_test_exists() -> None:
    missing = []
    for number, cell in rows().items():
        assert cell, number
        if cell.startswith("- "):
            continue
        for named in cell.split():
            file, _, test = named.partition("::")
            path = TESTS / file
            tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([], [])
            names = {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
            if test not in names:
                missing.append((number, named))
    assert missing == []
