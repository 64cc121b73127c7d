"""As a release engineer: index, see what eats the space, archive, be killed, verify, prune, and find it again."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tui.demo.servers import DemoServers

Digsite = Callable[..., Any]
APP = "bitrise/acme-android"


@pytest.fixture
def demo() -> Iterator[DemoServers]:
    """Anew for each test: they delete."""
    with DemoServers() as servers:
        yield servers


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    folder = tmp_path / "home" / "config"
    folder.mkdir(parents=True)
    archive = tmp_path / "archive"
    (folder / "config.toml").write_text(
        f'[[archive.rules]]\ndestination = "{archive}"\naccount = "bitrise"\napp = "acme-android"\n'
        'branch = "release/*"\nnewest = 2\n'
        f'[accounts.kept]\nprovider = "archive"\ndestination = "{archive}"\n'
    )
    return archive


def test_index_then_what_eats_the_space(digsite: Digsite, tmp_path: Path) -> None:
    assert digsite("stats").code == 3
    plan = digsite("index", APP, "--since", "3d", "--dry-run", "--json")
    assert plan.json["kind"] == "index-plan"
    assert plan.json["builds_to_list"] == plan.json["calls"] > 3
    assert "call" in plan.err
    done = digsite("index", APP, "--since", "3d", "--json")
    assert done.code == 0
    assert done.json["builds_listed"] == plan.json["builds_to_list"]
    assert done.json["artifacts_listed"] > 10
    again = digsite("index", APP, "--since", "3d", "--json").json
    assert again["builds_listed"] <= 1  # one that ended meanwhile
    stats = digsite("stats", APP, "--json").json
    assert stats["count"] >= done.json["artifacts_listed"]
    for by, groups in stats["by"].items():
        assert sum(group["size_bytes"] for group in groups) == stats["size_bytes"], by
    assert stats["health"]
    largest = digsite("stats", APP, "--largest", "3", "--json").json["artifacts"]
    assert [a["size_bytes"] for a in largest] == sorted((a["size_bytes"] for a in largest), reverse=True)
    assert digsite("show", largest[0]["path"], "--json").json["artifact"]["id"] == largest[0]["id"]
    rows = list(csv.reader(io.StringIO(digsite("stats", "--by", "kind", "--csv").out)))
    assert rows[0] == ["kind", "count", "size_bytes"]
    assert digsite("stats", APP, "--html", "page.html").code == 0
    page = (tmp_path / "page.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "<script" not in page
    assert "<svg" in page
    expiring = digsite("expiring", APP, "--within", "200d", "--json").json
    days = [artifact["last_day"] for artifact in expiring["artifacts"]]
    assert expiring["count"] == len(days) == stats["count"]
    assert days == sorted(days)
    assert {artifact["days"] for artifact in expiring["artifacts"]} <= {7, 90, 150}
    text = digsite("stats").out
    assert "By branch" in text
    public = digsite("ls", "--public", "--json").json["artifacts"]
    assert all(digsite("show", p["path"], "--json").json["artifact"]["is_public"] for p in public[:1])


def test_an_index_by_cron_says_nothing_and_steps_back(env: dict[str, str], demo: DemoServers) -> None:
    """`os.nice` gives how far: a person's explorer on the same machine comes first."""
    code = "import os, sys; from tui.cli.main import run; code = run(); print(os.nice(0)); sys.exit(code)"
    done = subprocess.run(
        [sys.executable, "-c", code, "index", APP, "--since", "3d", "--quiet"],
        env={**env, **demo.environment()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) >= min(19, os.nice(0) + 10)


def test_what_is_deleted_is_not_counted_any_more(digsite: Digsite, configured: Path) -> None:
    digsite("index", APP, "--since", "3d")

    def there() -> dict[str, int]:
        listed = digsite("stats", APP, "--largest", "10000", "--json").json["artifacts"]
        return {artifact["path"]: artifact["size_bytes"] for artifact in listed}

    before = there()
    removed = next(iter(before))
    assert digsite("rm", removed, "--yes").code == 0
    assert there() == {path: size for path, size in before.items() if path != removed}

    digsite("archive", "run", "--quiet")
    prune = ["archive", "prune", APP, "--older-than", "1h", "--keep", "0"]
    wanted = [each["path"] for each in digsite(*prune, "--dry-run", "--json").json["artifacts"]]
    assert set(wanted) & set(before)
    assert digsite(*prune, "--yes", "--expect-count", str(len(wanted))).code == 0
    left = {path: size for path, size in before.items() if path not in {removed, *wanted}}
    assert there() == left
    stats = digsite("stats", APP, "--json").json
    assert (stats["count"], stats["size_bytes"]) == (len(left), sum(left.values()))


def test_what_is_switched_off_is_not_listed_as_public_any_more(digsite: Digsite) -> None:
    digsite("index", APP, "--since", "3d")

    def public() -> list[str]:
        return [artifact["path"] for artifact in digsite("ls", "--public", "--json").json["artifacts"]]

    before = public()
    assert digsite("share", before[0], "--off").code == 0
    assert public() == before[1:]
    assert digsite("share", before[0]).code == 0
    assert sorted(public()) == sorted(before)


def test_hostile_names_in_statistics(digsite: Digsite) -> None:
    assert digsite("index", "bitrise/Hostile names", "--json").code == 0
    for args in (["stats"], ["stats", "--largest", "50"], ["stats", "--largest", "50", "--csv"], ["expiring"]):
        text = digsite(*args).out
        assert all(char == "\n" or char.isprintable() for char in text)


def test_archive_prune_and_find_it_again(digsite: Digsite, configured: Path, demo: DemoServers) -> None:
    plan = digsite("archive", "run", "--dry-run", "--json").json
    assert plan["summary"]["wanted"] > 8
    assert not configured.exists()
    first = digsite("archive", "run", "--json")
    assert first.code == 0
    assert first.json["summary"]["copied"] == plan["summary"]["wanted"]
    demo.requests.clear()
    second = digsite("archive", "run", "--json")
    assert (second.code, second.json["summary"]["moved_bytes"], second.json["items"]) == (0, 0, [])
    assert not [request for request in demo.requests if request.server == "storage"]
    assert digsite("archive", "run", "--quiet").out == ""
    verified = digsite("archive", "verify", "--json")
    assert (verified.code, verified.json["findings"]) == (0, [])
    assert verified.json["artifacts"] == plan["summary"]["wanted"]
    (status,) = digsite("archive", "status", "--json").json["archives"]
    assert status["artifacts"] == plan["summary"]["wanted"]

    prune = ["archive", "prune", APP, "--older-than", "1d", "--keep", "1"]
    wanted = digsite(*prune, "--dry-run", "--json").json["artifacts"]
    assert wanted
    assert {"/".join(each["path"].split("/")[:3]) for each in wanted} <= {
        "/".join(item["path"].split("/")[:3]) for item in first.json["items"]
    }
    assert digsite("pin", wanted[0]["path"], "--json").json["pins"][0]["path"] == wanted[0]["path"]
    assert digsite(*prune).code == 2
    assert digsite(*prune, "--yes").code == 2
    assert digsite(*prune, "--yes", "--expect-count", str(len(wanted))).code == 2
    demo.requests.clear()
    done = digsite(*prune, "--yes", "--expect-count", str(len(wanted) - 1), "--json")
    assert done.code == 0
    assert set(done.json["deleted"]) == {each["path"] for each in wanted[1:]}
    assert sum(request.method == "DELETE" for request in demo.requests) == len(wanted) - 1
    assert digsite("show", wanted[0]["path"]).code == 0
    assert digsite("show", wanted[1]["path"]).code == 3

    gone = wanted[1]["path"]
    kept = gone.replace("bitrise/", "kept/", 1)
    assert digsite("show", kept, "--json").json["artifact"]["size_bytes"] == wanted[1]["size_bytes"]
    got = digsite("get", kept, "-o", "out", "--json").json["files"][0]
    assert Path(got["target"]).stat().st_size == wanted[1]["size_bytes"]
    restored = digsite("archive", "restore", gone, "-o", "back", "--json").json["files"][0]
    assert restored["sha256"] == got["sha256"]
    assert digsite("archive", "restore", gone, "-o", "back").code == 1  # nothing is overwritten
    assert digsite("rm", kept, "--yes").code == 4


def test_prune_keeps_what_is_not_proved(digsite: Digsite, configured: Path) -> None:
    digsite("archive", "run", "--quiet")
    prune = ["archive", "prune", APP, "--older-than", "1d", "--keep", "1"]
    wanted = digsite(*prune, "--dry-run", "--json").json["artifacts"]
    copy = configured / wanted[0]["path"]
    data = bytearray(copy.read_bytes())
    data[5] ^= 1
    copy.write_bytes(data)
    ran = digsite(*prune, "--yes", "--expect-count", str(len(wanted)), "--json")
    assert ran.code == 5
    assert wanted[0]["path"] not in ran.json["deleted"]
    assert "changed" in ran.err
    assert digsite("show", wanted[0]["path"]).code == 0
    assert digsite("archive", "verify").code == 6


def test_killed_in_the_middle_and_run_again(
    digsite: Digsite, configured: Path, demo: DemoServers, env: Mapping[str, str], tmp_path: Path
) -> None:
    demo.faults.bytes_per_second = 16_000_000
    with subprocess.Popen(
        [sys.executable, "-m", "tui", "archive", "run"],
        env={**env, **demo.environment()},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith("copied")
        refused = digsite("archive", "run")
        assert refused.code == 1
        assert "Another" in refused.err
        os.kill(running.pid, signal.SIGKILL)
    demo.faults.bytes_per_second = None
    titles = names(digsite)
    there = sum(p.stat().st_size for p in configured.rglob("*") if p.is_file() and p.name in titles)
    done = digsite("archive", "run", "--json")
    assert done.code == 0
    assert done.json["summary"]["busy"] == 0
    total = digsite("archive", "status", "--json").json["archives"][0]["size_bytes"]
    assert done.json["summary"]["moved_bytes"] <= total - there
    assert digsite("archive", "verify").code == 0
    assert not [path for path in (configured / ".digsite").rglob("*") if path.is_file()]


def names(digsite: Digsite) -> set[str]:
    """What the app's artifacts are called."""
    listed = digsite("ls", f"{APP}/latest-green@release%2F4.0", "--json").json["artifacts"]
    return {artifact["title"] for artifact in listed}


def test_a_signal_ends_a_run_in_order(
    configured: Path, demo: DemoServers, env: Mapping[str, str], tmp_path: Path
) -> None:
    demo.faults.bytes_per_second = 1_000_000
    with subprocess.Popen(
        [sys.executable, "-m", "tui", "archive", "run"],
        env={**env, **demo.environment()},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=30) == 143
    assert not [path for path in (configured / ".digsite").rglob("*") if path.is_file()]


def test_without_rules_and_without_a_place(digsite: Digsite, tmp_path: Path) -> None:
    ran = digsite("archive", "run")
    assert ran.code == 2
    assert "archive.rules" in ran.err
    assert digsite("archive", "verify").code == 2
    assert digsite("archive", "verify", "--from", "relative").code == 2
    assert digsite("archive", "restore", "bitrise/acme-android", "--from", str(tmp_path)).code == 2
    assert digsite("archive", "restore", f"{APP}/1", "--from", str(tmp_path / "none")).code == 3
    assert digsite("pin", "--off").code == 2
    assert json.loads(digsite("pin", "--json").out)["pins"] == []


def test_a_bucket_without_obstore_says_what_to_install(digsite: Digsite, tmp_path: Path) -> None:
    (tmp_path / "obstore.py").write_text("raise ImportError('not here')\n")
    ran = digsite("archive", "verify", "--from", "s3://bucket", extra={"PYTHONPATH": str(tmp_path)})
    assert ran.code == 2
    assert "digsite[archive]" in ran.err


def test_a_run_that_reaches_no_account_is_a_failure(configured: Path, digsite: Digsite) -> None:
    without = digsite("archive", "run", demo_env=False)
    assert without.code == 3
    assert "no account" in without.err
    wrong = digsite("archive", "run", demo_env=False, extra={"ASC_KEY_ID": "2X9R4HXF34"})
    assert wrong.code == 3
    assert "ASC_PRIVATE_KEY" in wrong.err
    assert not configured.exists()


def test_a_rule_of_no_account_and_a_wrong_account_are_failures_of_a_run(
    configured: Path, digsite: Digsite, demo: DemoServers, tmp_path: Path
) -> None:
    bitrise = {name: value for name, value in demo.environment().items() if "BITRISE" in name}
    partly = digsite("archive", "run", "--json", demo_env=False, extra={**bitrise, "ASC_KEY_ID": "2X9R4HXF34"})
    assert partly.code == 5
    (error,) = json.loads(partly.out)["errors"]
    assert error["path"] == "environment"
    assert "ASC_PRIVATE_KEY" in partly.err
    assert digsite("archive", "run", "--json").code == 0
    config = tmp_path / "home" / "config" / "config.toml"
    config.write_text(config.read_text().replace('account = "bitrise"', 'account = "of-last-year"'))
    none = digsite("archive", "run", "--json")
    assert none.code == 3
    assert "'of-last-year'" in none.err
    assert json.loads(none.out)["summary"]["errors"] == 1


def test_verify_finds_a_build_that_vanished_and_a_disk_that_is_not_mounted(digsite: Digsite, configured: Path) -> None:
    assert digsite("archive", "run", "--quiet").code == 0
    assert digsite("archive", "verify").code == 0
    folder = next(configured.rglob("manifest.json")).parent
    shutil.rmtree(folder)
    found = digsite("archive", "verify", "--json")
    assert found.code == 6
    key = f"{folder.relative_to(configured)}/manifest.json"
    assert {"destination": str(configured), "trouble": "missing", "key": key} in found.json["findings"]
    configured.rename(configured.with_name("elsewhere"))
    assert digsite("archive", "verify").code == 6
    gone = digsite("archive", "run")
    assert gone.code != 0
    assert "mounted" in gone.err
    assert not configured.exists() or list(configured.iterdir()) == []
