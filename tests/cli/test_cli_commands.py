"""Every verb as a script uses it: paths in, documents and exit codes out."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tui.demo.servers import DemoServers

Digsite = Callable[..., Any]
GREEN = "bitrise/acme-android/latest-green"


def test_version_and_help(digsite: Digsite) -> None:
    assert digsite("--version").out.startswith("digsite, version ")
    text = digsite("--help").out
    assert all(verb in text for verb in ("accounts", "demo", "get", "ls", "rm", "share", "show", "token"))
    assert "Exit codes" in text


@pytest.mark.parametrize("verb", ["accounts", "demo", "get", "ls", "rm", "share", "show", "token"])
def test_each_verb_has_help(digsite: Digsite, verb: str) -> None:
    assert digsite(verb, "--help").code == 0


def test_ls_lists_the_apps_of_all_accounts(digsite: Digsite) -> None:
    listed = digsite("ls", "--json").json
    assert listed["version"] == 1
    assert {app["account"] for app in listed["apps"]} == {"bitrise", "xcode-cloud"}
    bundle_ids = [app["bundle_id"] for app in listed["apps"] if app["account"] == "xcode-cloud"]
    assert any(bundle_ids)
    text = digsite("ls").out
    assert "bitrise/acme-android" in text


def test_ls_goes_down_and_each_printed_path_can_be_given_back(digsite: Digsite) -> None:
    builds = digsite("ls", "bitrise/acme-android", "--json").json
    assert len(builds["builds"]) == 50
    assert builds["more"] is True
    for build in builds["builds"][:1] + [b for b in builds["builds"] if b["status"] == "succeeded"][:1]:
        assert digsite("show", build["path"], "--json").json["build"]["id"] == build["id"]
    artifacts = digsite("ls", GREEN, "--json").json["artifacts"]
    assert artifacts
    for artifact in artifacts[:2]:
        assert digsite("show", artifact["path"], "--json").json["artifact"]["id"] == artifact["id"]


def test_ls_filters_on_both_providers(digsite: Digsite) -> None:
    for app in ("bitrise/acme-android", "xcode-cloud/Acme"):
        builds = digsite("ls", app, "--status", "failed", "--limit", "3", "--json").json["builds"]
        assert builds
        assert {build["status"] for build in builds} == {"failed"}
        branch = builds[0]["branch"]
        same = digsite("ls", app, "--branch", branch, "--limit", "3", "--json").json["builds"]
        assert {build["branch"] for build in same} == {branch}


def test_latest_green_of_a_branch(digsite: Digsite) -> None:
    for app in ("bitrise/acme-android", "xcode-cloud/Acme"):
        found = digsite("show", f"{app}/latest-green@main", "--json").json["build"]
        assert (found["status"], found["branch"]) == ("succeeded", "main")


@pytest.mark.parametrize("account", ["bitrise/acme-android", "xcode-cloud/Acme"])
def test_get_downloads_what_the_server_holds(digsite: Digsite, demo: DemoServers, tmp_path: Path, account: str) -> None:
    artifacts = digsite("ls", f"{account}/latest-green", "--json").json["artifacts"]
    smallest = sorted(artifacts, key=lambda artifact: artifact["size_bytes"])[:2]
    ran = digsite("get", *(a["path"] for a in smallest), "-o", "out", "--json")
    assert ran.code == 0
    assert ran.err == ""
    for artifact, result in zip(smallest, ran.json["files"], strict=True):
        content = Path(result["target"]).read_bytes()
        assert Path(result["target"]).parent == tmp_path / "out"
        assert hashlib.sha256(content).hexdigest() == result["sha256"] == demo.data.sha256(artifact["id"])
    storage = [request for request in demo.requests if request.server == "storage"]
    assert storage
    assert all("authorization" not in request.headers for request in storage)


def test_get_a_glob_into_the_download_folder(digsite: Digsite, tmp_path: Path) -> None:
    ran = digsite("get", f"{GREEN}/*.log", extra={"DIGSITE_DOWNLOADS": str(tmp_path / "dl")})
    assert ran.code == 0
    (found,) = (tmp_path / "dl").rglob("*.log")
    assert found.relative_to(tmp_path / "dl").parts[:2] == ("bitrise", "acme-android")


def test_get_dry_run_downloads_nothing(digsite: Digsite, demo: DemoServers, tmp_path: Path) -> None:
    demo.requests.clear()
    plan = digsite("get", GREEN, "-o", "out", "--dry-run", "--json").json
    assert plan["kind"] == "get-plan"
    assert plan["files"]
    assert not (tmp_path / "out").exists()
    assert not [request for request in demo.requests if request.server == "storage"]


def test_hostile_titles_stay_in_the_folder(digsite: Digsite, tmp_path: Path) -> None:
    before = set(tmp_path.iterdir())
    ran = digsite("get", "bitrise/Hostile names/latest", "-o", "out", "--json")
    assert ran.code == 0
    targets = [Path(file["target"]) for file in ran.json["files"]]
    assert len(set(targets)) == len(targets) > 10
    assert all(target.parent == tmp_path / "out" and target.is_file() for target in targets)
    assert set(tmp_path.iterdir()) - before <= {tmp_path / "out", tmp_path / "home"}
    assert len(list((tmp_path / "out").iterdir())) == len(targets)


def test_plain_output_cannot_drive_a_terminal(digsite: Digsite) -> None:
    for args in (("ls", "bitrise/Hostile names"), ("ls", "bitrise/Hostile names/latest")):
        for text in (digsite(*args).out, digsite(*args, "--json").out):
            bad = {c for c in text if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
            assert not bad


def test_share_on_prints_the_url_and_off_takes_it_back(digsite: Digsite, demo: DemoServers) -> None:
    path = f"{GREEN}/*.apk"
    first = digsite("share", path, "--off", "--json")
    assert first.code == 0
    assert first.json["artifacts"][0]["is_public"] is False
    ran = digsite("share", path)
    assert ran.code == 0
    assert ran.out.strip().startswith(demo.storage_url)
    assert digsite("show", path, "--json").json["artifact"]["install_url"] == ran.out.strip()


def test_share_says_why_not(digsite: Digsite) -> None:
    ran = digsite("share", f"{GREEN}/*.log")
    assert ran.code == 4
    assert "IPA and APK" in ran.err
    artifact = digsite("ls", "xcode-cloud/Acme/latest-green", "--json").json["artifacts"][0]
    ran = digsite("share", artifact["path"])
    assert ran.code == 4
    assert "Xcode Cloud" in ran.err


def test_share_stops_where_the_next_would_fail_alike(digsite: Digsite, demo: DemoServers) -> None:
    builds = digsite("ls", "bitrise/acme-android", "--status", "succeeded", "--json").json["builds"]
    paths = [
        artifact["path"]
        for build in builds[:3]
        for artifact in digsite("ls", build["path"], "--json").json["artifacts"]
        if artifact["path"].endswith(".apk")
    ]
    assert len(paths) > 1
    demo.requests.clear()
    demo.faults.fail("bitrise", "PATCH", "artifacts", 403, times=1)
    ran = digsite("share", *paths, "--off", "--json")
    assert ran.code == 4
    assert [ran.json[key] for key in ("artifacts", "not_tried")] == [[], paths[1:]]
    assert len(ran.json["failed"]) == 1
    assert [request.method for request in demo.requests].count("PATCH") == 1


def test_share_tells_what_the_server_left_as_it_was(digsite: Digsite, demo: DemoServers) -> None:
    (artifact,) = digsite("ls", f"{GREEN}/*.apk", "--json").json["artifacts"]
    assert digsite("share", artifact["path"]).code == 0
    still = json.dumps({"data": {"slug": artifact["id"], "title": "app.apk", "is_public_page_enabled": True}})
    demo.faults.fail("bitrise", "PATCH", "artifacts", 200, times=1, body=still.encode())
    ran = digsite("share", artifact["path"], "--off")
    assert (ran.code, ran.out) == (1, "")
    assert "left the public page of" in ran.err


def test_rm_that_is_refused_at_the_first_has_done_nothing(digsite: Digsite, demo: DemoServers) -> None:
    paths = [artifact["path"] for artifact in digsite("ls", GREEN, "--json").json["artifacts"]]
    assert len(paths) > 1
    demo.faults.fail("bitrise", "DELETE", "artifacts", 403, times=1)
    ran = digsite("rm", *paths, "--yes", "--json")
    assert ran.code == 4
    assert [ran.json[key] for key in ("deleted", "not_tried")] == [[], paths[1:]]
    assert len(ran.json["failed"]) == 1
    assert f"{len(paths) - 1} artifact" in ran.err


@pytest.fixture
def a_log(digsite: Digsite) -> tuple[str, dict[str, Any], bytes]:
    """The path of a build, a log in it, and a list of its artifacts in which another one cannot be read."""
    path = digsite("show", GREEN, "--json").json["build"]["path"]
    (log,) = digsite("ls", f"{path}/*.log", "--json").json["artifacts"]
    listed = {"slug": log["id"], "title": log["title"], "file_size_bytes": log["size_bytes"]}
    return path, log, json.dumps({"data": [listed, {"title": "of no slug"}], "paging": {}}).encode()


@pytest.mark.parametrize("verb", [("rm", "--yes"), ("share", "--off")])
def test_nothing_is_changed_that_a_list_with_gaps_names(
    digsite: Digsite, demo: DemoServers, a_log: tuple[str, dict[str, Any], bytes], verb: tuple[str, str]
) -> None:
    path, log, gapped = a_log
    demo.requests.clear()
    for wanted in ("*.log", log["title"]):
        demo.faults.fail("bitrise", "GET", "/artifacts$", 200, body=gapped)
        ran = digsite(*verb, f"{path}/{wanted}")
        assert (ran.code, ran.out) == (1, "")
        assert "may be incomplete" in ran.err
    assert {request.method for request in demo.requests} == {"GET"}
    demo.faults.fail("bitrise", "GET", "/artifacts$", 200, body=gapped)
    assert digsite(verb[0], f"{path}/{log['id']}", "--dry-run").code == 0


@pytest.mark.parametrize(
    ("verb", "part", "lists"),
    [("ls", "", 1), ("ls", "/*.log", 2), ("show", "/*.log", 1), ("get", "", 1), ("get", "/*.log", 1)],
)
def test_a_list_with_gaps_is_read_with_a_warning(
    digsite: Digsite, demo: DemoServers, a_log: tuple[str, dict[str, Any], bytes], verb: str, part: str, lists: int
) -> None:
    path, log, gapped = a_log
    demo.faults.fail("bitrise", "GET", "/artifacts$", 200, times=lists, body=gapped)
    ran = digsite(verb, f"{path}{part}", *(["--dry-run"] if verb == "get" else []))
    assert ran.code == 0
    assert log["title"] in ran.out
    assert ran.err.count("may be incomplete") == 1


def test_a_list_of_apps_with_gaps_is_read_with_a_warning(digsite: Digsite, demo: DemoServers) -> None:
    body = json.dumps({"data": [{"slug": "one", "title": "One"}, {}], "paging": {"next": 7}}).encode()
    demo.faults.fail("bitrise", "GET", "/apps$", 200, body=body)
    ran = digsite("ls", "bitrise")
    assert (ran.code, ran.out.split()) == (0, ["bitrise/One", "One"])
    assert "bitrise: The list may be incomplete" in ran.err


def test_rm_wants_yes_without_a_terminal_and_prints_a_plan(digsite: Digsite, demo: DemoServers) -> None:
    path = f"{GREEN}/test-results.zip"
    demo.requests.clear()
    assert digsite("rm", path).code == 2
    plan = digsite("rm", path, "--dry-run", "--json")
    assert plan.code == 0
    assert len(plan.json["artifacts"]) == 1
    assert digsite("rm", path, "--yes", "--expect-count", "2").code == 2
    assert not [request for request in demo.requests if request.method == "DELETE"]
    ran = digsite("rm", path, "--yes", "--expect-count", "1", "--json")
    assert ran.code == 0
    assert len(ran.json["deleted"]) == 1
    assert digsite("rm", path, "--yes").code == 3
    assert len([request for request in demo.requests if request.method == "DELETE"]) == 1


def test_rm_on_xcode_cloud_is_not_possible(digsite: Digsite) -> None:
    artifact = digsite("ls", "xcode-cloud/Acme/latest-green", "--json").json["artifacts"][0]
    ran = digsite("rm", artifact["path"], "--yes")
    assert ran.code == 4
    assert "cannot delete" in ran.err


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("ls", "nobody"), 3, "no account"),
        (("ls", "bitrise/none"), 3, "no app"),
        (("ls", "bitrise/acme-android/99999999"), 3, "no build"),
        (("show", "bitrise/acme-android/latest/none.apk"), 3, "No artifact"),
        (("ls", "a/b/c/d/e"), 2, "at most four"),
        (("ls", "bitrise//x"), 2, "member of no artifact"),
        (("get", "bitrise/acme-android"), 2, "names no artifact"),
        (("rm", "bitrise/acme-android/latest"), 2, "names no artifact"),
        (("get",), 2, "PATHS"),
        (("ls", "--nonsense"), 2, "nonsense"),
    ],
)
def test_wrong_paths_get_a_clear_error(digsite: Digsite, args: tuple[str, ...], code: int, says: str) -> None:
    ran = digsite(*args)
    assert ran.code == code
    assert says in ran.err
    assert ran.out == ""


def test_wrong_token(digsite: Digsite) -> None:
    ran = digsite("ls", "bitrise", extra={"BITRISE_TOKEN": "bitpat_wrong"})
    assert ran.code == 4
    assert "bitrise" in ran.err
    assert "bitpat_wrong" not in ran.err
    ran = digsite("ls", "--json", extra={"BITRISE_TOKEN": "bitpat_wrong"})
    assert ran.code == 5, "the other account is still listed"
    assert {app["account"] for app in ran.json["apps"]} == {"xcode-cloud"}


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("-----BEGIN PRIVATE KEY-----\nc2VjcmV0 c2VjcmV0\n-----END PRIVATE KEY-----", "key"),
        ("hello", "key"),
        ("<html>Sign in</html>", "key"),
    ],
)
def test_malformed_key(digsite: Digsite, key: str, says: str) -> None:
    ran = digsite("ls", "xcode-cloud", extra={"ASC_PRIVATE_KEY": key})
    assert ran.code == 4
    assert says in ran.err
    assert "c2VjcmV0" not in ran.err


def test_unreachable_host(digsite: Digsite) -> None:
    ran = digsite("ls", "bitrise", extra={"DIGSITE_BITRISE_URL": "http://127.0.0.1:9/v0.1"})
    assert ran.code == 1
    assert "127.0.0.1" in ran.err


def test_http_address_of_another_host_is_refused(digsite: Digsite) -> None:
    ran = digsite("ls", "bitrise", extra={"DIGSITE_BITRISE_URL": "http://api.example.com/v0.1"})
    assert ran.code == 2
    assert "https" in ran.err


def test_malformed_config_names_file_line_and_key(digsite: Digsite, tmp_path: Path) -> None:
    config = tmp_path / "home" / "config" / "config.toml"
    config.parent.mkdir(parents=True)
    for text, line, key in (
        ("[accounts.acme]\nprovider = 3\n", 2, "accounts.acme.provider"),
        ('[accounts.acme]\nprovider = "bitrise"\nurl = "ftp://x"\n', 3, "accounts.acme.url"),
        ('[accounts.acme]\nprovider = "bitrise\n', 2, "provider"),
        ('[accounts.acme]\nprovider = "bitrise"\ntoken = "bitpat_x"\n', 3, "accounts.acme.token"),
    ):
        config.write_text(text)
        ran = digsite("ls", demo_env=False)
        assert ran.code == 2
        assert str(config) in ran.err
        assert f"line {line}" in ran.err
        assert key in ran.err
        assert config.read_text() == text


def test_no_account_at_all(digsite: Digsite) -> None:
    ran = digsite("ls", demo_env=False)
    assert ran.code == 3
    assert "digsite accounts add" in ran.err


def test_the_explorer_refuses_to_run_without_a_terminal(digsite: Digsite) -> None:
    for args in ((), ("bitrise/acme-android",)):
        ran = digsite(*args)
        assert ran.code == 2
        assert "needs a terminal" in ran.err
        assert "\x1b" not in ran.out + ran.err


def test_accounts_add_without_a_keyring_says_what_else_there_is(digsite: Digsite, demo: DemoServers) -> None:
    token = demo.environment()["BITRISE_TOKEN"]
    args = ("accounts", "add", "work", "--provider", "bitrise", "--with-token", "--url", demo.bitrise_url)
    ran = digsite(*args, stdin=token + "\n", demo_env=False)
    assert ran.code == 4
    assert "DIGSITE_SECRET_WORK" in ran.err
    assert "--store vault" in ran.err
    ran = digsite(*args, "--store", "plain-file", stdin="bitpat_wrong\n", demo_env=False)
    assert ran.code == 4
    assert "does not accept" in ran.err


def test_a_configured_account_with_its_secret_in_the_environment(
    digsite: Digsite, demo: DemoServers, tmp_path: Path
) -> None:
    config = tmp_path / "home" / "config" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'[accounts.acme]\nprovider = "bitrise"\nurl = "{demo.bitrise_url}"\nread_only = true\n')
    extra = {"DIGSITE_SECRET_ACME": demo.environment()["BITRISE_TOKEN"]}
    assert digsite("ls", "acme", demo_env=False, extra=extra).code == 0
    checked = digsite("accounts", "check", "--json", demo_env=False, extra=extra).json["accounts"]
    assert checked[0]["ok"] is True
    assert checked[0]["secret_from"] == "DIGSITE_SECRET_ACME"
    ran = digsite("rm", "acme/acme-android/latest-green/*.apk", "--yes", demo_env=False, extra=extra)
    assert ran.code == 4
    assert "read-only" in ran.err
    assert digsite("accounts", demo_env=False).out.startswith("acme")
    assert digsite("accounts", "list", demo_env=False).out == digsite("accounts", demo_env=False).out
    assert digsite("accounts", "remove", "acme", demo_env=False).code == 0
    assert "acme" not in config.read_text()


def test_serve_prints_one_export_line_for_each_variable(env: dict[str, str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tui", "demo", "--serve"], env=env, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("# storage"):
                break
        process.terminate()
        assert process.wait() == 143
    exports = [line for line in lines if line.startswith("export ")]
    assert all(re.fullmatch(r"export [A-Z_]+='?.*'?", line) for line in exports)
    assert {line.split("=")[0].split()[1] for line in exports} == {
        "BITRISE_TOKEN", "DIGSITE_BITRISE_URL", "ASC_KEY_ID", "ASC_ISSUER_ID", "ASC_PRIVATE_KEY",
        "DIGSITE_XCODE_CLOUD_URL",
    }  # fmt: skip
    assert len(exports) + 3 == len(lines)


def test_a_taken_port_is_named(digsite: Digsite, demo: DemoServers) -> None:
    port = demo.bitrise_url.split(":")[2].split("/")[0]
    ran = digsite("demo", "--serve", "--port", port)
    assert ran.code == 2
    assert port in ran.err


HEAVY = ("textual", "keyring", "jwt", "starlette", "uvicorn", "cryptography", "tomlkit")


@pytest.mark.parametrize(
    ("args", "allowed"),
    [
        (["--help"], set()),
        (["--version"], set()),
        (["ls", "bitrise/acme-android"], set()),
        (["ls", "xcode-cloud"], {"jwt", "cryptography"}),
    ],
)
def test_a_command_imports_only_what_it_needs(
    env: dict[str, str], demo: DemoServers, args: list[str], allowed: set[str]
) -> None:
    program = (
        "import json, sys\n"
        f"sys.argv = ['digsite', *{args!r}]\n"
        "from tui.cli.main import run\n"
        "code = run()\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "print(json.dumps([code, sorted(names)]), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**env, **demo.environment()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    code, names = json.loads(done.stderr.splitlines()[-1])
    assert code == 0
    assert not (set(HEAVY) - allowed) & set(names)
