"""The rules in config.toml: what is accepted, and what is refused with file, line and key."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tui.archive.selection import Choice, Selection
from tui.config import load_config
from tui.errors import ConfigError
from tui.models import AccountName, AppId, ArtifactKind, Build, BuildId, BuildRef, Status
from tui.models.rules import ArchiveRule

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

GOOD = """\
[[archive.rules]]
destination = "s3://bucket/team/ci"
account = "acme"
app = "acme-*"
workflow = "release"
branch = "release/*"
status = ["succeeded", "failed"]
types = ["apk", "ipa"]
newest = 5
min_age = "2h"

[[archive.rules]]
destination = "~/artifacts"
status = "any"

[[retention.rules]]
provider = "bitrise"
days = 400
types = "apk"
since = 2026-03-31
"""


def config(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return path


def test_all_keys_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/jane")
    read = load_config(config(tmp_path, GOOD))
    first, second = read.archive_rules
    assert first == ArchiveRule(
        "s3://bucket/team/ci",
        account="acme",
        app="acme-*",
        workflow="release",
        branch="release/*",
        statuses=frozenset({Status.SUCCEEDED, Status.FAILED}),
        kinds=frozenset({ArtifactKind.APK, ArtifactKind.IPA}),
        newest=5,
        min_age=timedelta(hours=2),
    )
    assert second == ArchiveRule("/home/jane/artifacts", statuses=frozenset())
    (rule,) = read.retention_rules
    assert (rule.provider, rule.days, rule.since, rule.until) == ("bitrise", 400, date(2026, 3, 31), None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[archive]\nplace = 1", "archive.place"),
        ("[[archive.rules]]\nbranch = 'x'", "destination"),
        ("[[archive.rules]]\ndestination = 'relative'", "absolute"),
        ("[[archive.rules]]\ndestination = 'ftp://x'", "s3://"),
        ("[[archive.rules]]\ndestination = 's3://key:secret@bucket'", "credentials"),
        ("[[archive.rules]]\ndestination = '/a'\nbranches = 'x'", "archive.rules.branches"),
        ("[[archive.rules]]\ndestination = '/a'\nstatus = 'running'", "over"),
        ("[[archive.rules]]\ndestination = '/a'\nnewest = 0", "newest"),
        ("[[archive.rules]]\ndestination = '/a'\nmin_age = 'soon'", "min_age"),
        ("[[retention.rules]]\nprovider = 'bitrise'", "days"),
        ("[[retention.rules]]\nprovider = 'bitrise'\ndays = 3\nsince = '2026-03-31'", "since"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_config(config(tmp_path, text))
    assert "config.toml" in raised.value.message
    assert said in raised.value.message
    assert "secret" not in raised.value.message.replace("secret@", "").replace("credentials", "")


def build(number: int, **changes: object) -> Build:
    values: dict[str, object] = {
        "status": Status.SUCCEEDED,
        "branch": "main",
        "workflow": "ci",
        "finished_at": NOW - timedelta(days=1),
        **changes,
    }
    ref = BuildRef(AccountName("acme"), AppId("a"), BuildId(str(number)))
    return Build(ref, number, status_raw="1", **values)  # type: ignore[arg-type]


def test_the_newest_builds_of_each_branch_and_those_that_are_over() -> None:
    selection = Selection(ArchiveRule("/a", newest=1, min_age=timedelta(hours=1)), NOW)
    offered = [
        build(9, status=Status.RUNNING),
        build(8, finished_at=NOW - timedelta(minutes=5)),
        build(7, status=Status.FAILED),
        build(6),
        build(5, branch="dev"),
        build(4),
    ]
    assert [selection.choose(each) for each in offered] == [
        Choice.LATER,
        Choice.LATER,
        Choice.NEVER,
        Choice.NOW,
        Choice.NOW,
        Choice.NEVER,
    ]
