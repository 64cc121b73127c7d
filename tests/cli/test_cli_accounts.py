"""Accounts on a machine without a keyring: stores by name, the doctor, tokens, read-only runs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tui.demo.servers import DemoServers

Digsite = Callable[..., Any]
APK = "acme-android/latest-green/*.apk"


@pytest.fixture
def add(digsite: Digsite, demo: DemoServers) -> Callable[..., Any]:
    """Runs `accounts add NAME` for the demo's Bitrise with its token on stdin."""

    def run(name: str, *args: str, stdin: str | None = None, extra: dict[str, str] | None = None) -> Any:
        token = demo.environment()["BITRISE_TOKEN"] if stdin is None else stdin
        fixed = ("accounts", "add", name, "--provider", "bitrise", "--url", demo.bitrise_url)
        source = () if "--token-command" in args else ("--with-token",)
        return digsite(*fixed, *source, *args, stdin=token, demo_env=False, extra=extra)

    return run


def config_of(tmp_path: Path) -> str:
    return (tmp_path / "home" / "config" / "config.toml").read_text()


def test_a_box_without_a_keyring_works_with_a_plain_file(add: Any, digsite: Digsite, tmp_path: Path) -> None:
    refused = add("box")
    assert refused.code == 4
    assert all(
        way in refused.err for way in ("--store vault", "--store plain-file", "token_command", "DIGSITE_SECRET_BOX")
    )
    assert not (tmp_path / "home" / "config").exists()
    ran = add("box", "--store", "plain-file")
    assert ran.code == 0
    assert "plain file" in ran.out
    assert 'store = "plain-file"' in config_of(tmp_path)
    assert digsite("ls", "box", demo_env=False).code == 0
    assert digsite("accounts", "remove", "box", demo_env=False).out == "Removed box and its secret.\n"
    assert list((tmp_path / "home" / "config" / "secrets").iterdir()) == []


def test_a_vault_wants_its_passphrase(add: Any, digsite: Digsite, tmp_path: Path) -> None:
    assert "passphrase" in add("box", "--store", "vault").err
    key = {"DIGSITE_VAULT_PASSPHRASE": "correct horse"}
    assert add("box", "--store", "vault", extra=key).code == 0
    assert digsite("ls", "box", demo_env=False, extra=key).code == 0
    ran = digsite("ls", "box", demo_env=False)
    assert ran.code == 4
    assert "DIGSITE_VAULT_PASSPHRASE" in ran.err
    assert 'store = "vault"' in config_of(tmp_path)


def test_a_token_command_keeps_nothing_here(add: Any, digsite: Digsite, demo: DemoServers, tmp_path: Path) -> None:
    program = tmp_path / "secret.py"
    program.write_text(f"print({demo.environment()['BITRISE_TOKEN']!r})")
    assert add("box", "--token-command", f"{sys.executable} {program}").code == 0
    assert json.dumps([sys.executable, str(program)]) in config_of(tmp_path)
    assert digsite("ls", "box", demo_env=False).code == 0
    assert not (tmp_path / "home" / "config" / "secrets").exists()
    ran = add("two", "--token-command", f"echo {demo.environment()['BITRISE_TOKEN']}")
    assert ran.code == 2
    assert "holds the secret itself" in ran.err


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        ('store = "plaintext"', "store"),
        ("store = 3", "store"),
        ('token_command = "op read x"', "token_command"),
        ("token_command = []", "token_command"),
        ('token_command = ["op", 3]', "token_command"),
        ('store = "vault"\ntoken_command = ["op"]', "store"),
    ],
)
def test_a_wrong_store_is_refused_with_its_line(digsite: Digsite, tmp_path: Path, lines: str, key: str) -> None:
    path = tmp_path / "home" / "config" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(f'[accounts.a]\nprovider = "bitrise"\n{lines}\n')
    ran = digsite("ls", demo_env=False)
    assert ran.code == 2
    assert f"line 3, key 'accounts.a.{key}'" in ran.err


def findings(ran: Any, account: int | None = None) -> dict[str, tuple[str, str]]:
    found = ran.json["machine"] if account is None else ran.json["accounts"][account]["findings"]
    return {each["topic"]: (each["level"], each["text"]) for each in found}


def test_the_doctor_in_good_health(digsite: Digsite) -> None:
    ran = digsite("accounts", "check", "--json", extra={"SSL_CERT_FILE": "", "SSL_CERT_DIR": ""})
    assert ran.code == 0
    assert {topic: level for topic, (level, _) in findings(ran).items()} == {
        "config": "info", "keyring": "info", "proxy": "ok", "certificates": "ok",
    }  # fmt: skip
    assert {topic: level for topic, (level, _) in findings(ran, 1).items()} == {
        "secret": "ok", "clock": "ok", "budget": "ok", "access": "ok",
    }  # fmt: skip
    text = digsite("accounts", "check").out
    assert "  ok    secret: from environment." in text


@pytest.mark.parametrize(
    ("extra", "topic", "level", "says"),
    [
        ({"HTTPS_PROXY": "http://user:s3cr3t@proxy.example:3128"}, "proxy", "info", "proxy.example:3128"),
        ({"HTTPS_PROXY": "socks5://proxy.example"}, "proxy", "fail", "not supported"),
        ({"HTTPS_PROXY": "http://[oops"}, "proxy", "fail", "cannot be read"),
        ({"SSL_CERT_FILE": "/no/such/file"}, "certificates", "fail", "cannot be read"),
        ({"DIGSITE_READ_ONLY": "1"}, "read-only", "info", "refused"),
    ],
)
def test_the_doctor_finds(digsite: Digsite, extra: dict[str, str], topic: str, level: str, says: str) -> None:
    ran = digsite("accounts", "check", "--json", extra=extra)
    assert findings(ran)[topic][0] == level
    assert says in findings(ran)[topic][1]
    assert "s3cr3t" not in ran.out
    assert (ran.code != 0) is (level == "fail")


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_the_doctor_sees_who_may_read_the_key(digsite: Digsite, demo: DemoServers, tmp_path: Path) -> None:
    key = tmp_path / "AuthKey_X.p8"
    key.write_text(demo.environment()["ASC_PRIVATE_KEY"])
    extra = {"ASC_PRIVATE_KEY": "", "ASC_PRIVATE_KEY_PATH": str(key)}
    key.chmod(0o644)
    assert findings(digsite("accounts", "check", "--json", extra=extra))["key file"][0] == "warn"
    assert f"chmod 600 {key}" in digsite("accounts", "check", extra=extra).out
    key.chmod(0o600)
    assert findings(digsite("accounts", "check", "--json", extra=extra))["key file"][0] == "ok"


def test_the_doctor_compares_the_clocks(digsite: Digsite, demo: DemoServers) -> None:
    try:
        demo.faults.clock_offset_s = -95
        level, text = findings(digsite("accounts", "check", "xcode-cloud", "--json"), 0)["clock"]
    finally:
        demo.faults.clock_offset_s = 0
    assert level == "warn"
    assert "95 s ahead" in text or "94 s ahead" in text or "96 s ahead" in text


def test_the_doctor_says_what_fails_and_what_to_do(digsite: Digsite) -> None:
    ran = digsite("accounts", "check", "bitrise", extra={"BITRISE_TOKEN": "bitpat_wrong"})
    assert ran.code == 4
    assert "fail  access:" in ran.out
    assert "does not accept" in ran.out


@pytest.mark.parametrize("how", ["flag", "variable"])
def test_a_read_only_run_changes_nothing(digsite: Digsite, demo: DemoServers, how: str) -> None:
    before = len(demo.requests)
    flag, extra = (("--read-only",), {}) if how == "flag" else ((), {"DIGSITE_READ_ONLY": "1"})
    for verb in (("rm", f"bitrise/{APK}", "--yes"), ("share", f"bitrise/{APK}", "--off")):
        ran = digsite(*flag, *verb, extra=extra)
        assert ran.code == 4
        assert "read-only" in ran.err
    assert {request.method for request in demo.requests[before:]} == {"GET"}
    assert digsite("ls", "bitrise", extra={"DIGSITE_READ_ONLY": "0"}).code == 0


def test_a_minted_token_opens_what_it_says(digsite: Digsite, demo: DemoServers, tmp_path: Path) -> None:
    build = digsite("show", "xcode-cloud/Acme/latest-green", "--json").json["build"]["path"]
    args = ("token", build, "--save-as", "box", "--store", "plain-file", "--days", "13")
    minted = digsite(*args)
    assert minted.code == 0
    assert minted.out == ""
    assert "builds of Acme" in minted.err
    assert f"artifacts of build {build.rpartition('/')[2]}" in minted.err
    assert "read_only = true" in config_of(tmp_path)
    path = build.replace("xcode-cloud/", "box/")
    assert digsite("ls", "box", demo_env=False).code == 0
    assert digsite("ls", "box/Acme", demo_env=False).code == 0
    artifacts = digsite("ls", path, "--json", demo_env=False).json["artifacts"]
    smallest = min(artifacts, key=lambda each: each["size_bytes"])
    assert digsite("get", smallest["path"], "-o", "out", demo_env=False).code == 0
    assert digsite("ls", "box/Weather", demo_env=False).code == 4
    checked = digsite("accounts", "check", "box", "--json", demo_env=False)
    assert findings(checked, 0)["expiry"][0] == "warn"
    assert "kinds of request" in findings(checked, 0)["scope"][1]
    again = digsite("token", "box/Acme", demo_env=False)
    assert again.code == 4
    assert "itself a token" in again.err


def test_a_token_is_printed_once_and_alone(digsite: Digsite, demo: DemoServers) -> None:
    ran = digsite("token", "xcode-cloud/Acme", "--json")
    assert ran.json["scope"] == sorted(set(ran.json["scope"]), key=ran.json["scope"].index)
    assert all(entry.startswith("GET /v1/") for entry in ran.json["scope"])
    plain = digsite("token", "xcode-cloud/Acme")
    assert len(plain.out.splitlines()) == 1
    used = digsite(
        "accounts", "add", "box", "--provider", "xcode-cloud", "--with-token", "--store", "environment",
        "--url", demo.xcode_cloud_url, stdin=plain.out, demo_env=False,
    )  # fmt: skip
    assert used.code == 0
    assert "set DIGSITE_SECRET_BOX" in used.out
    assert digsite("ls", "box", demo_env=False, extra={"DIGSITE_SECRET_BOX": plain.out}).code == 0


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("bitrise",), 4, "not an account of Xcode Cloud"),
        (("xcode-cloud/Acme", "--days", "181"), 2, "--days"),
        (("xcode-cloud/Acme/latest/x.ipa",), 2, "Leave the artifact out"),
        (("xcode-cloud/none",), 3, "no app"),
        ((), 2, "PATH"),
    ],
)
def test_what_cannot_be_minted(digsite: Digsite, args: tuple[str, ...], code: int, says: str) -> None:
    ran = digsite("token", *args)
    assert ran.code == code
    assert says in ran.err
    assert ran.out == ""
