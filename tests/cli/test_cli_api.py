"""`digsite api`: any call, with the same guards as every other."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Digsite, Ran
from tui.demo.servers import DemoServers


def answer(ran: Ran) -> object:
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_get_prints_what_the_api_answers(digsite: Digsite, demo: DemoServers) -> None:
    listed = answer(digsite("api", "GET", "/apps?limit=1", "--account", "bitrise"))
    assert isinstance(listed, dict)
    assert len(listed["data"]) == 1
    assert demo.requests[-1].query == "limit=1"
    products = answer(digsite("api", "get", "v1/ciProducts", "--account", "xcode-cloud"))
    assert isinstance(products, dict)
    assert products["data"]


def test_an_address_that_the_api_gave_is_followed_and_no_other(digsite: Digsite, demo: DemoServers) -> None:
    first = answer(digsite("api", "GET", "/v1/ciProducts?limit=1", "--account", "xcode-cloud"))
    assert isinstance(first, dict)
    answer(digsite("api", "GET", first["links"]["next"], "--account", "xcode-cloud"))
    seen = len(demo.requests)
    ran = digsite("api", "GET", demo.storage_url + "/v1/ciProducts", "--account", "xcode-cloud")
    assert ran.code != 0
    assert len(demo.requests) == seen


def test_a_read_only_run_sends_no_change(digsite: Digsite, demo: DemoServers) -> None:
    seen = len(demo.requests)
    ran = digsite("--read-only", "api", "DELETE", "/apps/x/builds/y/artifacts/z", "--account", "bitrise")
    assert ran.code == 4
    assert "read-only" in ran.err
    assert len(demo.requests) == seen


@pytest.mark.parametrize("body", ["{", "[]", "3"])
def test_a_body_that_is_no_object_is_refused(digsite: Digsite, body: str) -> None:
    ran = digsite("api", "POST", "/apps/x/builds", "--account", "bitrise", "--body", body)
    assert ran.code == 2
    assert "--body" in ran.err


def test_which_account_must_be_said(digsite: Digsite) -> None:
    ran = digsite("api", "GET", "/apps")
    assert ran.code == 2
    assert "--account" in ran.err
