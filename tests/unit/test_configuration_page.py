"""The page on config.toml: what it shows as examples is accepted, and no key that is accepted is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tui import config, habits, rules
from tui.config import load_config

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


@pytest.fixture
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_its_examples_are_accepted_together(page: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("\n".join(re.findall(r"```toml\n(.*?)```", page, re.DOTALL)), encoding="utf-8")
    read = load_config(file)
    assert read.jobs == 2
    assert read.accounts[0].read_only
    assert read.habits.commands[0].on == "artifact"
    assert read.archive_rules[0].branch == "release/*"
    assert read.retention_rules[0].days == 60


def test_every_key_is_there(page: str) -> None:
    known = config.KEYS | config.ACCOUNT_KEYS | habits.COMMAND_KEYS | rules.ARCHIVE_KEYS | rules.RETENTION_KEYS
    assert [key for key in sorted(known) if f"`{key}`" not in page and f"[{key}" not in page] == []
