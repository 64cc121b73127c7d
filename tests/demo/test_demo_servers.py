"""The servers start, stop, take ports and misbehave as told."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime

import httpx
import pytest

from tui.demo import DemoServers
from tui.errors import ConfigError


def test_entering_and_leaving_leaves_nothing_behind() -> None:
    before = set(threading.enumerate())
    with DemoServers() as demo, httpx.Client() as client:
        url = demo.bitrise_url
        assert client.get(url + "/me").status_code == 401
    assert set(threading.enumerate()) == before
    with httpx.Client() as client, pytest.raises(httpx.ConnectError):
        client.get(url)


def test_leaving_does_not_wait_for_a_transfer() -> None:
    with httpx.Client() as client:
        with DemoServers() as demo:
            with httpx.Client(headers={"Authorization": demo.environment()["BITRISE_TOKEN"]}) as bitrise:
                url = _log_url(bitrise, demo)
            demo.faults.bytes_per_second = 1
            response = client.send(client.build_request("GET", url), stream=True)
            assert response.status_code == 200
        with pytest.raises(httpx.TransportError):
            response.read()
        response.close()


def _log_url(client: httpx.Client, demo: DemoServers) -> str:
    """The signed URL of a small artifact of build #2341."""
    app = client.get(f"{demo.bitrise_url}/apps").json()["data"][0]["slug"]
    builds = f"{demo.bitrise_url}/apps/{app}/builds"
    build = client.get(f"{builds}?build_number=2341").json()["data"][0]["slug"]
    slug = client.get(f"{builds}/{build}/artifacts").json()["data"][-1]["slug"]
    return str(client.get(f"{builds}/{build}/artifacts/{slug}").json()["data"]["expiring_download_url"])


def test_only_loopback_is_served(demo: DemoServers) -> None:
    for url in (demo.bitrise_url, demo.xcode_cloud_url, demo.storage_url):
        assert url.startswith("http://127.0.0.1:")


def test_three_ports_in_a_row_can_be_chosen_and_a_taken_one_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1] - 1
        with pytest.raises(ConfigError, match=f"ports {port} to {port + 2}") as caught:
            DemoServers(port=port).__enter__()
        assert caught.value.hint is not None
        assert "--port" in caught.value.hint
    with pytest.raises(ConfigError):
        DemoServers(port=65_535).__enter__()


def test_a_chosen_port_is_used() -> None:
    for port in range(42_100, 42_900, 10):
        try:
            with DemoServers(port=port) as demo:
                urls = (demo.bitrise_url, demo.xcode_cloud_url, demo.storage_url)
                assert urls == tuple(f"http://127.0.0.1:{port + each}{'' if each else '/v0.1'}" for each in range(3))
                break
        except ConfigError:
            continue
    else:
        pytest.fail("no free ports")


def test_the_environment_points_a_client_at_the_demo(demo: DemoServers) -> None:
    environment = demo.environment()
    assert environment["DIGSITE_BITRISE_URL"] == demo.bitrise_url
    assert environment["DIGSITE_XCODE_CLOUD_URL"] == demo.xcode_cloud_url
    assert environment["ASC_PRIVATE_KEY"].startswith("-----BEGIN PRIVATE KEY-----\n")
    assert set(environment) >= {"BITRISE_TOKEN", "ASC_KEY_ID", "ASC_ISSUER_ID"}
    with DemoServers() as other:
        assert other.environment()["BITRISE_TOKEN"] != environment["BITRISE_TOKEN"]


def test_requests_are_noted(demo: DemoServers, bitrise: httpx.Client) -> None:
    bitrise.patch("/apps/x/builds/y/artifacts/z?q=1", json={"is_public_page_enabled": True})
    (seen,) = demo.requests
    assert (seen.server, seen.method, seen.query) == ("bitrise", "PATCH", "q=1")
    assert seen.path == "/v0.1/apps/x/builds/y/artifacts/z"
    assert seen.headers["authorization"] == demo.environment()["BITRISE_TOKEN"]
    assert demo.environment()["BITRISE_TOKEN"] not in repr(seen)


def test_nothing_is_logged(demo: DemoServers, bitrise: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bitrise.get("/apps")
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []


def test_data_can_stand_still_while_urls_follow_the_clock(bare: httpx.Client) -> None:
    with DemoServers(now=datetime(2024, 2, 29, 12, tzinfo=UTC)) as demo:
        headers = {"Authorization": demo.environment()["BITRISE_TOKEN"]}
        with httpx.Client(base_url=demo.bitrise_url, headers=headers) as client:
            app = client.get("/apps").json()["data"][0]["slug"]
            builds = client.get(f"/apps/{app}/builds?limit=3").json()["data"]
            assert builds[1]["triggered_at"] == "2024-02-29T11:55:55Z"
            path = f"/apps/{app}/builds/{builds[2]['slug']}/artifacts"
            slug = client.get(path).json()["data"][-1]["slug"]
            url = client.get(f"{path}/{slug}").json()["data"]["expiring_download_url"]
        assert bare.get(url).status_code == 200


def test_a_route_fails_as_often_as_told(demo: DemoServers, bitrise: httpx.Client) -> None:
    demo.faults.fail("bitrise", "GET", "/apps$", 429, times=2, headers={"Retry-After": "3"}, body=b'{"message":"slow"}')
    statuses = [bitrise.get("/apps").status_code for _ in range(3)]
    assert statuses == [429, 429, 200]
    demo.faults.fail("bitrise", "GET", "/apps$", 503, headers={"Retry-After": "3"})
    assert bitrise.get("/me").status_code == 200
    response = bitrise.get("/apps")
    assert (response.status_code, response.headers["retry-after"]) == (503, "3")


def test_a_lost_answer_was_carried_out(demo: DemoServers, bitrise: httpx.Client) -> None:
    app = bitrise.get("/apps").json()["data"][1]["slug"]
    demo.faults.fail("bitrise", "POST", "/builds$", 0)
    with pytest.raises(httpx.RemoteProtocolError):
        bitrise.post(f"/apps/{app}/builds", json={"build_params": {"branch": "main"}})
    assert bitrise.get(f"/apps/{app}/builds").json()["data"][0]["build_number"] == 1205


def test_answers_can_be_cut_or_replaced(demo: DemoServers, bitrise: httpx.Client) -> None:
    demo.faults.cut_json_at = 20
    response = bitrise.get("/apps")
    assert len(response.content) == 20
    with pytest.raises(json.JSONDecodeError):
        response.json()
    demo.faults.cut_json_at = None
    demo.faults.html = True
    assert bitrise.get("/apps").headers["content-type"] == "text/html"
    demo.faults.html = False
    assert bitrise.get("/apps").json()["data"]


def test_storage_misbehaves_as_told(demo: DemoServers, bitrise: httpx.Client, bare: httpx.Client) -> None:
    url = _log_url(bitrise, demo)
    whole = bare.get(url)
    demo.faults.etag_salt = "x"
    assert bare.get(url).headers["etag"] != whole.headers["etag"]
    demo.faults.ignore_range = True
    assert bare.get(url, headers={"Range": "bytes=0-0"}).status_code == 200
    demo.faults.cut_body_after = 1000
    received: list[bytes] = []
    with bare.stream("GET", url) as response, pytest.raises(httpx.RemoteProtocolError):
        received.extend(response.iter_raw())
    assert b"".join(received) == whole.content[:1000]
    demo.faults.cut_body_after = None
    demo.faults.bytes_per_second = 100 << 20
    assert bare.get(url).content == whole.content


def test_the_date_header_follows_the_servers_clock(demo: DemoServers, bare: httpx.Client) -> None:
    demo.faults.clock_offset_s = -3600 * 24 * 365 * 30
    assert bare.get(demo.storage_url).headers["date"].split()[3] < "2000"


def test_importing_the_package_is_cheap() -> None:
    code = (
        "import sys, tui.demo\n"
        "print(sorted({'starlette', 'uvicorn', 'cryptography', 'httpx', 'jwt', 'textual'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.strip() == "[]"
