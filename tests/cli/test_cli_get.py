"""`digsite get` with all its options, killed and run again, and ended by signals."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from tests.cli.conftest import Digsite
from tui.demo.servers import DemoServers
from tui.transfers.claim import claimed_bytes

GREEN = "bitrise/acme-android/latest-green@main"
MB = 1 << 20


@pytest.fixture
def healthy(demo: DemoServers) -> Iterator[DemoServers]:
    """The demo's servers, without the faults of an earlier test."""
    demo.requests.clear()
    yield demo
    demo.faults.bytes_per_second, demo.faults.url_life_s, demo.faults.cut_body_after = None, 600, None
    demo.faults.etag_salt = ""


def start(env: dict[str, str], demo: DemoServers, folder: Path, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tui", "get", *args],
        env={**env, **demo.environment()},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_bytes(child: subprocess.Popen[str], target: Path, count: int) -> None:
    while claimed_bytes(target) < count:
        assert child.poll() is None, child.communicate()


def storage_requests(demo: DemoServers) -> int:
    return sum(request.server == "storage" for request in demo.requests)


def test_a_template_names_the_files_below_the_folder(digsite: Digsite, tmp_path: Path) -> None:
    ran = digsite("get", f"{GREEN}/*.log", "-o", "out", "--template", "{app}/{branch}-{title}", "--json")
    assert ran.code == 0
    (file,) = ran.json["files"]
    target = Path(file["target"])
    assert target.parent == tmp_path / "out" / "acme-android"
    assert target.name.startswith("main-")
    assert target.is_file()


def test_a_wrong_template_and_a_wrong_rate_are_usage_errors(digsite: Digsite, healthy: DemoServers) -> None:
    ran = digsite("get", GREEN, "--template", "{nothing}/{title}")
    assert ran.code == 2
    assert "no field {nothing}" in ran.err
    assert digsite("get", GREEN, "--limit-rate", "fast").code == 2
    assert digsite("get", GREEN, "--jobs", "0").code == 2
    assert storage_requests(healthy) == 0


@pytest.mark.parametrize(("rule", "mine", "files"), [("skip", True, 1), ("overwrite", False, 1), ("rename", True, 2)])
def test_what_is_done_where_a_name_is_taken(
    digsite: Digsite, tmp_path: Path, rule: str, mine: bool, files: int
) -> None:
    (artifact,) = digsite("ls", f"{GREEN}/*.log", "--json").json["artifacts"]
    out = tmp_path / "out"
    out.mkdir()
    taken = out / artifact["title"]
    taken.write_text("mine")
    ran = digsite("get", artifact["path"], "-o", "out", "--on-conflict", rule, "--json")
    assert ran.code == 0
    assert (taken.read_text() == "mine") is mine
    assert len(list(out.iterdir())) == files
    (result,) = ran.json["files"]
    assert result["state"] == ("skipped" if rule == "skip" else "done")


def test_without_a_terminal_a_taken_name_is_kept_and_the_file_renamed(digsite: Digsite, tmp_path: Path) -> None:
    (artifact,) = digsite("ls", f"{GREEN}/*.log", "--json").json["artifacts"]
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / artifact["title"]).write_text("mine")
    ran = digsite("get", artifact["path"], "-o", "out")
    assert ran.code == 0
    assert (tmp_path / "out" / artifact["title"]).read_text() == "mine"
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_the_same_file_again_moves_nothing_and_asks_nothing(
    digsite: Digsite, healthy: DemoServers, tmp_path: Path
) -> None:
    args = ("get", f"{GREEN}/*.log", "-o", "out", "--resume", "--json")
    first = digsite(*args).json["files"]
    moved = storage_requests(healthy)
    again = digsite(*args, "--on-conflict", "skip").json["files"]
    assert storage_requests(healthy) == moved
    assert [file["note"] for file in again] == ["already there"]
    assert [file["sha256"] for file in again] == [file["sha256"] for file in first]
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_sums_are_checked_before_a_file_gets_its_name(digsite: Digsite, healthy: DemoServers, tmp_path: Path) -> None:
    artifacts = digsite("ls", f"{GREEN}/*.log", "--json").json["artifacts"]
    sums = {a["title"]: healthy.data.sha256(a["id"]) for a in artifacts}
    listing = tmp_path / "SHA256SUMS"
    listing.write_text("".join(f"{digest} *build/{name}\n" for name, digest in sums.items()))
    ran = digsite("get", f"{GREEN}/*.log", "-o", "good", "--checksum", "SHA256SUMS")
    assert ran.code == 0
    assert {path.name for path in (tmp_path / "good").iterdir()} == set(sums)

    listing.write_text("".join(f"{'0' * 64}  {name}\n" for name in sums))
    ran = digsite("get", f"{GREEN}/*.log", "-o", "bad", "--checksum", "SHA256SUMS")
    assert ran.code == 6
    assert "was expected" in ran.err
    assert not list((tmp_path / "bad").iterdir())
    assert digsite("get", f"{GREEN}/*.log", "-o", "good", "--checksum", "SHA256SUMS").code == 6


def test_a_list_without_the_file_or_that_is_none_downloads_nothing(
    digsite: Digsite, healthy: DemoServers, tmp_path: Path
) -> None:
    listing = tmp_path / "SHA256SUMS"
    listing.write_text(f"{'0' * 64}  something-else\n")
    ran = digsite("get", f"{GREEN}/*.log", "-o", "out", "--checksum", "SHA256SUMS")
    assert ran.code == 6
    assert "no sum for" in ran.err
    listing.write_text("hello\n")
    ran = digsite("get", f"{GREEN}/*.log", "-o", "out", "--checksum", "SHA256SUMS")
    assert ran.code == 2
    assert "line 1" in ran.err
    assert digsite("get", f"{GREEN}/*.log", "--checksum", "missing").code == 2
    assert storage_requests(healthy) == 0


def test_unpack_makes_a_folder_once(digsite: Digsite, tmp_path: Path) -> None:
    args = ("get", f"{GREEN}/*.apk", "-o", "out", "--unpack", "--json")
    ran = digsite(*args)
    assert ran.code == 0
    (file,) = ran.json["files"]
    assert (Path(file["unpacked"]) / "AndroidManifest.xml").is_file()
    (again,) = digsite(*args).json["files"]
    assert again["unpacked"] == file["unpacked"]
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_some_failed_is_exit_code_5_and_each_file_says_how_it_ended(digsite: Digsite, healthy: DemoServers) -> None:
    artifacts = digsite("ls", GREEN, "--json").json["artifacts"]
    assert len(artifacts) > 1
    healthy.faults.fail("storage", "GET", ".", 404)
    ran = digsite("get", GREEN, "-o", "out", "--jobs", "1", "--json")
    assert ran.code == 5
    states = [file["state"] for file in ran.json["files"]]
    assert sorted(set(states)) == ["done", "failed"]
    assert states.count("failed") == 1
    assert all((file["error"] is None) == (file["state"] == "done") for file in ran.json["files"])


def test_a_limit_on_the_rate_holds_for_all_together(digsite: Digsite, healthy: DemoServers) -> None:
    artifacts = digsite("ls", f"{GREEN}/*.log", "--json").json["artifacts"]
    total = sum(artifact["size_bytes"] for artifact in artifacts)
    began = monotonic()
    ran = digsite("get", f"{GREEN}/*.log", "-o", "out", "--limit-rate", str(total // 2))
    assert ran.code == 0
    assert monotonic() - began > 1.0  # two seconds' worth, less the first block


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_order_and_the_next_run_goes_on(
    env: dict[str, str], healthy: DemoServers, digsite: Digsite, tmp_path: Path, number: signal.Signals
) -> None:
    (artifact,) = digsite("ls", f"{GREEN}/*.apk", "--json").json["artifacts"]
    target = tmp_path / "out" / artifact["title"]
    healthy.faults.bytes_per_second = 4 * MB
    with start(env, healthy, tmp_path, artifact["path"], "-o", "out") as child:
        wait_for_bytes(child, target, 2 * MB)
        child.send_signal(number)
        out, err = child.communicate(timeout=10)
    assert child.returncode == 128 + number
    assert "Traceback" not in out + err
    assert not target.exists()
    kept = claimed_bytes(target)
    assert kept >= 2 * MB
    healthy.faults.bytes_per_second = None
    healthy.requests.clear()
    assert digsite("get", artifact["path"], "-o", "out").code == 0
    ranges = [r.headers["range"] for r in healthy.requests if r.server == "storage"]
    assert ranges == [f"bytes={kept}-"]
    assert hashlib.sha256(target.read_bytes()).hexdigest() == healthy.data.sha256(artifact["id"])


@pytest.mark.skipif(not hasattr(signal, "SIGTSTP"), reason="Windows has no SIGTSTP")
def test_stopped_and_continued_it_ends_as_if_nothing_had_been(
    env: dict[str, str], healthy: DemoServers, digsite: Digsite, tmp_path: Path
) -> None:
    (artifact,) = digsite("ls", f"{GREEN}/*.apk", "--json").json["artifacts"]
    target = tmp_path / "out" / artifact["title"]
    healthy.faults.bytes_per_second = 8 * MB
    with start(env, healthy, tmp_path, artifact["path"], "-o", "out") as child:
        wait_for_bytes(child, target, MB)
        child.send_signal(signal.SIGTSTP)
        os.waitpid(child.pid, os.WUNTRACED)
        child.send_signal(signal.SIGCONT)
        out, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    assert healthy.data.sha256(artifact["id"]) in out
    assert hashlib.sha256(target.read_bytes()).hexdigest() == healthy.data.sha256(artifact["id"])


def test_killed_five_times_with_links_of_two_seconds_it_ends_byte_identical(
    env: dict[str, str], healthy: DemoServers, digsite: Digsite, tmp_path: Path
) -> None:
    (artifact,) = digsite("ls", f"{GREEN}/*.apk", "--json").json["artifacts"]
    target, size = tmp_path / "out" / artifact["title"], artifact["size_bytes"]
    healthy.faults.url_life_s, healthy.faults.bytes_per_second = 2, 8 * MB
    for kill in range(1, 6):
        with start(env, healthy, tmp_path, artifact["path"], "-o", "out") as child:
            try:
                wait_for_bytes(child, target, size * kill // 7)
            finally:
                child.kill()
        assert not target.exists()
    kept = claimed_bytes(target)
    assert kept >= size * 5 // 7
    healthy.faults.bytes_per_second = None
    healthy.requests.clear()
    assert digsite("get", artifact["path"], "-o", "out").code == 0
    assert hashlib.sha256(target.read_bytes()).hexdigest() == healthy.data.sha256(artifact["id"])
    ranges = [r.headers["range"] for r in healthy.requests if r.server == "storage"]
    assert ranges == [f"bytes={kept}-"]
