"""The storage host keeps S3's rules on presigned URLs and ranges, and its bodies are what was listed."""

from __future__ import annotations

import hashlib
import io
import plistlib
import tracemalloc
import zipfile
from collections.abc import Callable

import httpx
import pytest

from tui.demo import DemoServers

Path = Callable[..., str]


@pytest.fixture
def link(bitrise: httpx.Client, build_path: Path) -> Callable[[str], tuple[str, str]]:
    """The slug and a fresh URL of an artifact of build #2341 by its title."""

    def find(title: str) -> tuple[str, str]:
        path = f"{build_path('acme-android')}/artifacts"
        slug = next(each["slug"] for each in bitrise.get(path).json()["data"] if each["title"] == title)
        return slug, bitrise.get(f"{path}/{slug}").json()["data"]["expiring_download_url"]

    return find


Link = Callable[[str], tuple[str, str]]


def test_a_body_is_what_was_promised(demo: DemoServers, bare: httpx.Client, link: Link) -> None:
    slug, url = link("test-results.zip")
    response = bare.get(url)
    assert response.status_code == 200
    assert hashlib.sha256(response.content).hexdigest() == demo.data.sha256(slug)
    assert response.headers["etag"] == f'"{hashlib.md5(response.content).hexdigest()}"'  # noqa: S324
    assert response.headers["accept-ranges"] == "bytes"


def test_every_listed_size_is_the_served_size(bare: httpx.Client, bitrise: httpx.Client) -> None:
    for app in bitrise.get("/apps").json()["data"]:
        for build in bitrise.get(f"/apps/{app['slug']}/builds?limit=4&status=1").json()["data"]:
            path = f"/apps/{app['slug']}/builds/{build['slug']}/artifacts"
            for artifact in bitrise.get(path).json()["data"]:
                url = bitrise.get(f"{path}/{artifact['slug']}").json()["data"]["expiring_download_url"]
                if url is None:
                    assert app["title"] == "Acme Classic" or artifact["title"].endswith(".html")
                    continue
                with bare.stream("GET", url) as response:
                    assert response.status_code == 200, artifact["title"]
                    assert int(response.headers["content-length"]) == artifact["file_size_bytes"]


def test_an_authorization_header_is_refused(bare: httpx.Client, link: Link) -> None:
    _, url = link("mapping.txt")
    for value in ("token x", "Bearer x", ""):
        response = bare.get(url, headers={"Authorization": value})
        assert response.status_code == 400
        assert "<Code>InvalidArgument</Code>" in response.text


def test_a_signature_binds_method_path_and_life(bare: httpx.Client, link: Link) -> None:
    _, url = link("mapping.txt")
    _, other = link("app-release.apk")
    assert bare.head(url).status_code == 403
    for changed in (
        url.replace("X-Amz-Expires=600", "X-Amz-Expires=6000"),
        url[:-1] + ("0" if url[-1] != "0" else "1"),
        other.partition("?")[0] + "?" + url.partition("?")[2],
    ):
        response = bare.get(changed)
        assert response.status_code == 403
        assert "<Code>SignatureDoesNotMatch</Code>" in response.text
    assert "<Code>AccessDenied</Code>" in bare.get(url.partition("?")[0]).text


def test_a_url_expires_after_its_life(demo: DemoServers, bare: httpx.Client, link: Link) -> None:
    _, url = link("mapping.txt")
    assert "X-Amz-Expires=600" in url
    demo.faults.clock_offset_s = 590
    assert bare.get(url, headers={"Range": "bytes=0-0"}).status_code == 206
    demo.faults.clock_offset_s = 601
    response = bare.get(url)
    assert response.status_code == 403
    assert "<Message>Request has expired</Message>" in response.text
    demo.faults.clock_offset_s = 0
    demo.faults.url_life_s = 0
    assert "Request has expired" in bare.get(url).text


def test_ranges(bare: httpx.Client, link: Link) -> None:
    _, url = link("mapping.txt")
    whole = bare.get(url).content
    size = len(whole)
    cases = {
        "bytes=0-0": (0, 1),
        "bytes=100-199": (100, 200),
        f"bytes={size - 5}-": (size - 5, size),
        "bytes=-7": (size - 7, size),
        f"bytes=10-{size * 2}": (10, size),
        f"bytes=-{size * 2}": (0, size),
    }
    for header, (start, end) in cases.items():
        response = bare.get(url, headers={"Range": header})
        assert response.status_code == 206, header
        assert response.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
        assert response.content == whole[start:end]
    for ignored in ("bytes=0-1,5-6", "items=0-1", "bytes=5-1", "bytes=-", "bytes"):
        response = bare.get(url, headers={"Range": ignored})
        assert (response.status_code, len(response.content)) == (200, size), ignored
    response = bare.get(url, headers={"Range": f"bytes={size}-"})
    assert response.status_code == 416
    assert f"<ActualObjectSize>{size}</ActualObjectSize>" in response.text
    assert response.headers["content-range"] == f"bytes */{size}"


def test_if_range_takes_the_strong_etag_or_the_exact_date(bare: httpx.Client, link: Link) -> None:
    _, url = link("mapping.txt")
    first = bare.get(url)
    for validator, status in (
        (first.headers["etag"], 206),
        (first.headers["last-modified"], 206),
        ('"another"', 200),
        (f"W/{first.headers['etag']}", 200),
        ("Mon, 01 Jan 2024 00:00:00 GMT", 200),
    ):
        response = bare.get(url, headers={"Range": "bytes=5-9", "If-Range": validator})
        assert response.status_code == status, validator


def test_an_empty_artifact_has_no_range(bare: httpx.Client, bitrise: httpx.Client, build_path: Path) -> None:
    path = f"{build_path('旅行ガイド · دليل السفر · 🧭')}/artifacts"
    artifacts = bitrise.get(path).json()["data"]
    empty = next(each for each in artifacts if each["title"] == "empty.txt")
    url = bitrise.get(f"{path}/{empty['slug']}").json()["data"]["expiring_download_url"]
    assert (empty["file_size_bytes"], bare.get(url).content) == (0, b"")
    assert bare.get(url, headers={"Range": "bytes=0-"}).status_code == 416


def test_a_deleted_artifact_is_gone_from_storage_too(
    bare: httpx.Client, bitrise: httpx.Client, build_path: Path, link: Link
) -> None:
    slug, url = link("mapping.txt")
    assert bitrise.delete(f"{build_path('acme-android')}/artifacts/{slug}").status_code == 200
    assert bare.get(url).status_code == 404


def test_a_huge_artifact_is_a_real_zip_in_constant_memory(
    bare: httpx.Client, bitrise: httpx.Client, build_path: Path
) -> None:
    path = f"{build_path('Acme for iOS')}/artifacts"
    huge = max(bitrise.get(path).json()["data"], key=lambda each: int(each["file_size_bytes"]))
    assert huge["file_size_bytes"] > 300 << 20
    url = bitrise.get(f"{path}/{huge['slug']}").json()["data"]["expiring_download_url"]
    tail = bare.get(url, headers={"Range": "bytes=-4096"})
    assert tail.status_code == 206
    assert tail.content[-22:-18] == b"PK\x05\x06"
    tracemalloc.start()
    received = 0
    try:
        with bare.stream("GET", url) as response:
            for chunk in response.iter_raw(1 << 20):
                received += len(chunk)
                if received > 64 << 20:
                    break
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 24 << 20


def test_what_is_inside_is_worth_a_look(bare: httpx.Client, link: Link) -> None:
    _, url = link("app-release.apk")
    with zipfile.ZipFile(io.BytesIO(bare.get(url).content)) as apk:
        assert apk.testzip() is None
        assert {"AndroidManifest.xml", "classes.dex", "resources.arsc"} <= set(apk.namelist())
        assert "com.acme.android".encode("utf-16-le") in apk.read("AndroidManifest.xml")


def test_an_ipa_has_its_property_lists(demo: DemoServers, bare: httpx.Client, xcode_cloud: httpx.Client) -> None:
    product = xcode_cloud.get("/v1/ciProducts").json()["data"][0]["id"]
    runs = xcode_cloud.get(f"/v1/ciProducts/{product}/buildRuns?sort=-number").json()["data"]
    run = next(run["id"] for run in runs if run["attributes"]["number"] == 611)
    action = xcode_cloud.get(f"/v1/ciBuildRuns/{run}/actions").json()["data"][-1]["id"]
    artifacts = xcode_cloud.get(f"/v1/ciBuildActions/{action}/artifacts").json()["data"]
    archive = next(each for each in artifacts if each["attributes"]["fileType"] == "ARCHIVE")
    body = bare.get(archive["attributes"]["downloadUrl"]).content
    assert hashlib.sha256(body).hexdigest() == demo.data.sha256(archive["id"])
    with zipfile.ZipFile(io.BytesIO(body)) as opened:
        assert opened.testzip() is None
        app = "Acme.xcarchive/Products/Applications/Acme.app/"
        info = plistlib.loads(opened.read(f"{app}Info.plist"))
        assert (info["CFBundleIdentifier"], info["CFBundleVersion"]) == ("com.acme.ios", "611")
        assert opened.read(f"{app}Acme")[:4] == b"\xcf\xfa\xed\xfe"
        assert b"<key>TeamName</key>" in opened.read(f"{app}embedded.mobileprovision")


def test_a_failed_run_says_why_in_its_logs(bare: httpx.Client, xcode_cloud: httpx.Client) -> None:
    product = xcode_cloud.get("/v1/ciProducts").json()["data"][0]["id"]
    runs = xcode_cloud.get(f"/v1/ciProducts/{product}/buildRuns?sort=-number").json()["data"]
    run = next(run["id"] for run in runs if run["attributes"]["number"] == 610)
    action = xcode_cloud.get(f"/v1/ciBuildRuns/{run}/actions").json()["data"][-1]["id"]
    logs = xcode_cloud.get(f"/v1/ciBuildActions/{action}/artifacts").json()["data"][0]["attributes"]
    with zipfile.ZipFile(io.BytesIO(bare.get(logs["downloadUrl"]).content)) as opened:
        assert b"XCTAssertEqual failed" in opened.read("Logs/xcodebuild-test.log")


def test_install_pages_follow_the_switch(
    bare: httpx.Client, bitrise: httpx.Client, build_path: Path, link: Link
) -> None:
    slug, _ = link("app-release.apk")
    path = f"{build_path('acme-android')}/artifacts/{slug}"
    url = bitrise.get(path).json()["data"]["public_install_page_url"]
    page = bare.get(url)
    assert (page.status_code, "app-release.apk" in page.text) == (200, True)
    assert bitrise.patch(path, json={"is_public_page_enabled": False}).json()["data"]["public_install_page_url"] == ""
    assert bare.get(url).status_code == 404
    assert bitrise.patch(path, json={"is_public_page_enabled": True}).json()["data"]["public_install_page_url"] == url
    assert bare.get(url).status_code == 200
    assert bare.get(url[:-1] + "z").status_code == 403
