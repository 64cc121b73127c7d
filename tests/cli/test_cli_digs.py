"""Saved digs: `@NAME` stands for a path wherever one is taken, and for a filter where builds are listed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Digsite = Callable[..., Any]

DIGS = """
[digs]
android = "bitrise/acme-android"
red = "bitrise/acme-android?branch:main status:failed"
odd = 'bitrise/acme-android?branch:~mn re:^#\\d+'
wrong = "bitrise/acme-android?colour:red"
builds = "bitrise?acme"
newest = "bitrise/acme-android/latest-green"
"""


@pytest.fixture(autouse=True)
def digs(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "config"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(DIGS, encoding="utf-8")


def test_a_dig_is_its_path(digsite: Digsite) -> None:
    assert digsite("ls", "@newest", "--json").json == digsite("ls", "bitrise/acme-android/latest-green", "--json").json
    assert digsite("show", "@android/latest-green", "--json").json == digsite("show", "@newest", "--json").json
    plan = digsite("get", "@newest/*.apk", "--dry-run", "--json")
    assert plan.code == 0
    assert ".apk" in plan.out


def test_ls_takes_the_filter_too(digsite: Digsite) -> None:
    builds = digsite("ls", "@red", "--limit", "5", "--json").json["builds"]
    assert builds
    assert {(build["branch"], build["status"]) for build in builds} == {("main", "failed")}
    same = digsite("ls", "bitrise/acme-android", "--branch", "main", "--status", "failed", "--limit", "5", "--json")
    assert builds == same.json["builds"]
    green = digsite("ls", "@odd", "--status", "succeeded", "--limit", "5", "--json").json["builds"]
    assert {build["status"] for build in green} == {"succeeded"}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("ls", "@nothing"), "@android"),
        (("ls", "@wrong"), "no field colour:"),
        (("ls", "@builds"), "builds of an app"),
        (("ls", "@red/88"), "filtered list"),
        (("rm", "@red"), "has a filter"),
        (("show", "@red"), "has a filter"),
    ],
)
def test_what_cannot_be_meant_is_refused(digsite: Digsite, args: tuple[str, ...], said: str) -> None:
    ran = digsite(*args)
    assert ran.code != 0
    assert said in ran.err
    assert ran.out == ""
