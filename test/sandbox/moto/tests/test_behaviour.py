"""BEHAVIOUR.md and the tests name the same things."""

from __future__ import annotations

import ast
import pathlib
import re

HERE = pathlib.Path(__file__).parent


def test_every_rule_has_its_test_and_every_test_its_rule():
    text = (HERE.parent.parent / "BEHAVIOUR.md").read_text(encoding="utf-8")
    section = text.split("## moto repairs")[1].split("\n## ")[0]
    rows = re.findall(r"\| (test_\w+::test_\w+) \|$", section, re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert set(rows) == {
        f"{file.stem}::{node.name}"
        for file in HERE.glob("test_*.py")
        if file.name != pathlib.Path(__file__).name
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
