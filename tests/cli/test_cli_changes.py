"""`digsite diff` and `digsite identify`, from a script."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Digsite = Callable[..., Any]
BUILD = "bitrise/Acme for iOS/latest-green"


def test_what_changed_since_the_green_build_before(digsite: Digsite) -> None:
    found = digsite("diff", BUILD, "--json").json
    assert found["kind"] == "build-diff"
    assert found["before"]["number"] < found["after"]["number"]
    ipa = next(one for one in found["artifacts"] if one["name"] == "Acme.ipa")
    assert ipa["change"] == "grew"
    assert ipa["delta_bytes"] == ipa["after_bytes"] - ipa["before_bytes"]
    assert found["totals"]["counts"]["grew"] >= 1
    files = digsite("diff", ipa["before"], ipa["after"], "--json").json
    assert files["kind"] == "artifact-diff"
    assert files["files"][0]["name"].startswith("Payload/")
    assert files["moved_bytes"] < 500_000
    same = digsite("diff", ipa["after"], "--json").json
    assert same["files"] == files["files"]
    ran = digsite("diff", BUILD)
    assert ran.code == 0
    assert "grew" in ran.out


def test_wrong_pairs_are_refused(digsite: Digsite) -> None:
    assert digsite("diff", "bitrise/Acme for iOS").code == 2
    assert digsite("diff", BUILD, f"{BUILD}/Acme.ipa").code == 2
    assert digsite("diff", f"{BUILD}/*.ipa").code == 2
    assert digsite("diff", f"{BUILD}/xcodebuild.log").code == 1


def test_a_file_and_a_uuid_are_identified(digsite: Digsite, tmp_path: Path) -> None:
    path = f"{BUILD}/xcodebuild.log"
    assert digsite("get", path, "-o", str(tmp_path)).code == 0
    ran = digsite("identify", str(tmp_path / "xcodebuild.log"), "--json")
    assert ran.json["is_proved"] is True
    assert ran.json["path"].startswith("bitrise/Acme for iOS/")
    assert ran.json["spent"]["builds"] == 0
    assert "Looked at 0 builds" in ran.err
    unknown = digsite("identify", "00000000-0000-0000-0000-000000000001", "bitrise/Acme for iOS", "--limit", "2")
    assert unknown.code == 3
    assert "Looked at 2 builds with" in unknown.err
    assert digsite("identify", "no-such-file").code == 3
