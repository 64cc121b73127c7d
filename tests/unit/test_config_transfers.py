"""The keys of config.toml that concern downloads."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.config import load_config, parse_rate
from tui.errors import ConfigError


def written(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


def test_limits_and_template_are_read(tmp_path: Path) -> None:
    text = 'jobs = 2\nconnections = 1\nlimit_rate = "2M"\nstall_timeout = 10\ntemplate = "{app}/{title}"\n'
    config = load_config(written(tmp_path, text))
    assert (config.jobs, config.connections, config.limit_rate) == (2, 1, 2 << 20)
    assert (config.stall_timeout_s, config.template) == (10, "{app}/{title}")


def test_what_the_command_line_gives_wins(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, "jobs = 2\nlimit_rate = 1000\n")).with_limits(connections=3)
    assert (config.jobs, config.connections, config.limit_rate) == (2, 3, 1000)


@pytest.mark.parametrize(
    "line", ["connections = 0", "connections = 99", "stall_timeout = 0", 'limit_rate = "fast"', "template = 5"]
)
def test_a_wrong_value_names_line_and_key(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigError, match=rf"line 2, key '{line.split()[0]}'"):
        load_config(written(tmp_path, f"# mine\n{line}\n"))


@pytest.mark.parametrize(
    ("text", "rate"), [("", None), ("0", None), ("500", 500), ("500K", 512_000), ("1.5m", 3 << 19), ("1G", 1 << 30)]
)
def test_rates(text: str, rate: int | None) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["fast", "-1", "2T", "1e6", "2M/s"])
def test_no_rates(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        parse_rate(text)
