"""Builds of the demo from their start to their end, and what those that went red say of it."""

from __future__ import annotations

import io
import plistlib
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import httpx
import pytest

from tui.demo.archives import blocks
from tui.demo.bitrise_apps import APPS, AppSpec
from tui.demo.bitrise_builds import BitriseArtifact, BuildFilter, app_slug
from tui.demo.bitrise_logs import log_manifest
from tui.demo.contents import Kind
from tui.demo.data import DemoData
from tui.demo.log_failures import Failure, LogSubject
from tui.demo.logs import bitrise_log, xcodebuild_log
from tui.demo.xcode_cloud_data import XcodeCloudData
from tui.demo.xcode_cloud_products import PRODUCTS, Completion
from tui.demo.xcode_cloud_runs import Run

MORNING = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
Named = Callable[[str], AppSpec]


def subject(failure: Failure | None, *, android: bool = False, fastlane: bool = False, action: str = "") -> LogSubject:
    return LogSubject(
        "Acme", "Acme", android, 7, "primary", "main", "c0ffee", failure, action=action, uses_fastlane=fastlane
    )


@pytest.mark.parametrize(
    ("failure", "android", "fastlane", "words"),
    [
        (Failure.COMPILE, True, False, "LoginScreen.kt:84:21 Unresolved reference 'rememberSession'."),
        (Failure.COMPILE, False, False, "cannot find 'rememberSession' in scope"),
        (Failure.COMPILE, False, True, "LoginView.swift:84:21: cannot find 'rememberSession' in scope"),
        (Failure.TESTS, True, False, "318 tests completed, 1 failed, 4 skipped"),
        (Failure.TESTS, False, False, "** TEST FAILED **"),
        (Failure.TESTS, False, True, "[!] Tests have failed"),
        (Failure.SIGNING, True, False, "keystore password was incorrect"),
        (Failure.SIGNING, False, False, "doesn't include signing certificate"),
        (Failure.SIGNING, False, True, "No profiles for 'com.acme.acme' were found"),
        (Failure.TIMEOUT, True, False, "no output received for 1h30m0s"),
    ],
)
def test_a_red_log_names_its_cause(failure: Failure, android: bool, fastlane: bool, words: str) -> None:
    text = "\n".join(bitrise_log(subject(failure, android=android, fastlane=fastlane)))
    assert words in text
    assert "Bitrise build failed" in text
    assert words not in "\n".join(bitrise_log(subject(None, android=android, fastlane=fastlane)))


def test_an_html_file_is_kept_as_long_as_any_other() -> None:
    data = DemoData(MORNING)
    app = next(app for app in APPS if app.title == "acme-android")
    builds = data.bitrise.select(app, BuildFilter()).page(0, 50)
    artifacts = [artifact for build in builds for artifact in data.bitrise.artifacts(build)]
    html = next(artifact for artifact in artifacts if artifact.recipe.kind is Kind.HTML)
    assert html.build.finished_at is not None
    assert not html.is_expired(html.build.finished_at + timedelta(days=90))
    assert html.is_expired(html.build.finished_at + timedelta(days=90, seconds=1))


def test_a_lost_machine_leaves_a_log_without_an_end() -> None:
    text = "\n".join(bitrise_log(subject(Failure.LOST_RUNNER)))
    assert "error" not in text
    cut = LogSubject("A", "A", True, 7, "primary", "main", "c", None, abort_reason="Aborted by Grace")
    assert "Bitrise build" not in "\n".join(bitrise_log(cut))


def test_the_log_of_an_action_names_the_action() -> None:
    assert xcodebuild_log(subject(None, action="ANALYZE"))[-1] == "** ANALYZE SUCCEEDED **"
    failed = xcodebuild_log(subject(Failure.COMPILE, action="BUILD"))
    assert "** BUILD FAILED **" in failed
    assert any(line.startswith("/Volumes/workspace/repository/Acme/Login/LoginView.swift:84:21") for line in failed)


def test_a_running_log_grows_in_pieces_that_are_late_and_unordered() -> None:
    now = MORNING
    data = DemoData(MORNING, clock=lambda: now)
    live = APPS[0]
    number = 2343
    build = next(build for build in data.bitrise.select(live, BuildFilter()).page(0, 3) if build.number == number)
    assert log_manifest(build, now, "", None) is None
    texts: dict[int, str] = {}
    cursor, had_gap, was_unordered = "", False, False
    while build.finished_at is None:
        now += timedelta(seconds=11)
        found = data.bitrise.any_build(build.slug)
        assert found is not None
        build = found
        manifest = log_manifest(build, now, cursor, None if build.finished_at is None else "url")
        if manifest is None:
            continue
        chunks = manifest["log_chunks"]
        assert isinstance(chunks, list)
        positions = [chunk["position"] for chunk in chunks]
        texts |= {chunk["position"]: chunk["chunk"] for chunk in chunks}
        was_unordered |= positions != sorted(positions)
        had_gap |= sorted(texts) != list(range(1, len(texts) + 1))
        cursor = str(manifest["next_after_timestamp"])
    assert had_gap
    assert was_unordered
    last = log_manifest(build, now, "", "url")
    assert last is not None
    whole = "".join(texts[position] for position in sorted(texts))
    assert whole == "\n".join(bitrise_log(build.subject)) + "\n"


def test_builds_of_all_apps_come_newest_first(bitrise: httpx.Client) -> None:
    seen: list[str] = []
    query: dict[str, str] = {"limit": "30", "status": "2"}
    times: list[str] = []
    for _ in range(3):
        answer = bitrise.get("/builds", params=query).json()
        seen += [build["slug"] for build in answer["data"]]
        times += [build["triggered_at"] for build in answer["data"]]
        assert {build["status"] for build in answer["data"]} == {2}
        query["next"] = answer["paging"]["next"]
    assert len(set(seen)) == 90
    assert times == sorted(times, reverse=True)
    on_hold = bitrise.get("/builds", params={"is_on_hold": "true"}).json()
    assert [build["is_on_hold"] for build in on_hold["data"]] == [True]
    assert on_hold["paging"]["total_item_count"] == 1
    assert bitrise.get("/builds", params={"owner_slug": "other"}).json()["data"] == []
    assert bitrise.get("/builds", params={"next": "none"}).status_code == 400


def test_a_download_can_be_a_redirect_without_the_token(
    bitrise: httpx.Client, bare: httpx.Client, build_path: Callable[..., str]
) -> None:
    path = f"{build_path('acme-android')}/artifacts"
    mapping = next(each for each in bitrise.get(path).json()["data"] if each["title"] == "mapping.txt")
    answer = bitrise.get(f"{path}/{mapping['slug']}", params={"download": 1})
    assert answer.status_code == 302
    assert len(bare.get(answer.headers["location"]).content) == mapping["file_size_bytes"]


def test_the_configuration_is_plain_text(bitrise: httpx.Client, build_path: Callable[..., str]) -> None:
    answer = bitrise.get(f"{build_path('Acme for iOS')}/bitrise.yml")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "  release:\n    steps:\n    - activate-ssh-key: {}\n" in answer.text


def test_a_started_build_runs_and_ends_and_keeps_its_commit(bitrise: httpx.Client, app_named: Named) -> None:
    now = MORNING
    data = DemoData(MORNING, clock=lambda: now).bitrise
    app = app_named("acme-android")
    build = data.start(app, app.shapes[0], None, "c0ffee")
    states = []
    for _ in range(3):
        found = data.any_build(build.slug)
        assert found is not None
        states.append((found.started_at is not None, found.finished_at is not None, found.commit))
        now += timedelta(seconds=60)
    assert states == [(False, False, "c0ffee"), (True, False, "c0ffee"), (True, True, "c0ffee")]
    body = {"build_params": {"branch": "main", "commit_hash": "beef"}}
    slug = bitrise.post(f"/apps/{app_slug(app)}/builds", json=body).json()["results"][0]["build_slug"]
    assert bitrise.get(f"/apps/{app_slug(app)}/builds/{slug}").json()["data"]["commit_hash"] == "beef"


def runs(data: XcodeCloudData) -> list[Run]:
    return data.runs(PRODUCTS[0])[:-15:-1]


def test_red_runs_of_every_cause_are_near_the_top() -> None:
    data = DemoData(MORNING).xcode_cloud
    assert {run.failure for run in runs(data) if run.failure} == set(Failure)
    lost = next(run for run in runs(data) if run.failure is Failure.LOST_RUNNER)
    failing = next(action for action in lost.actions(MORNING) if action.completion is Completion.ERRORED)
    assert failing.artifacts() == []


def body(artifact: BitriseArtifact) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(blocks(artifact.content.body()))))


def release(title: str, distance: int = 0) -> dict[Kind, BitriseArtifact]:
    data = DemoData(MORNING)
    app = next(app for app in APPS if app.title == title)
    build = data.bitrise.histories[app.index].build(app.newest - distance)
    assert build is not None
    return {each.recipe.kind: each for each in reversed(data.bitrise.artifacts(build))}


def uuid_of(binary: bytes) -> bytes:
    """By the load commands of a Mach-O file."""
    count, at = int.from_bytes(binary[16:20], "little"), 32
    for _ in range(count):
        command, size = (int.from_bytes(binary[start : start + 4], "little") for start in (at, at + 4))
        if command == 0x1B:
            return binary[at + 8 : at + 24]
        at += size
    pytest.fail("no LC_UUID")


def test_an_app_and_its_symbols_have_one_uuid() -> None:
    made = release("Acme for iOS")
    with body(made[Kind.IPA]) as ipa, body(made[Kind.DSYM]) as dsym, body(made[Kind.XCARCHIVE]) as archive:
        uuids = {
            uuid_of(ipa.read("Payload/Acme.app/Acme")),
            uuid_of(dsym.read("Acme.app.dSYM/Contents/Resources/DWARF/Acme")),
            uuid_of(archive.read("Acme.xcarchive/dSYMs/Acme.app.dSYM/Contents/Resources/DWARF/Acme")),
            uuid_of(archive.read("Acme.xcarchive/Products/Applications/Acme.app/Acme")),
        }
    assert len(uuids) == 1
    with body(release("Acme for iOS", 7)[Kind.IPA]) as older:
        assert uuid_of(older.read("Payload/Acme.app/Acme")) not in uuids


def test_a_profile_outlives_its_build() -> None:
    with body(release("Acme for iOS")[Kind.IPA]) as ipa:
        profile = ipa.read("Payload/Acme.app/embedded.mobileprovision")
    assert profile[:2] == b"\x30\x82"
    assert int.from_bytes(profile[2:4], "big") == len(profile) - 4
    plist = plistlib.loads(profile[profile.index(b"<?xml") : profile.index(b"</plist>") + 8])
    assert plist["ExpirationDate"] > MORNING.replace(tzinfo=None)


@pytest.mark.parametrize(("title", "kind", "distance"), [("Acme for iOS", Kind.IPA, 7), ("acme-android", Kind.APK, 15)])
def test_a_release_grew_since_the_one_before(title: str, kind: Kind, distance: int) -> None:
    newer, older = release(title)[kind], release(title, distance)[kind]
    assert newer.size > older.size
    with body(newer) as new, body(older) as old:
        added, removed = set(new.namelist()) - set(old.namelist()), set(old.namelist()) - set(new.namelist())
    assert (len(added), len(removed)) == (1, 1)


def test_results_tell_of_the_failed_test() -> None:
    failed = release("acme-android", 1)[Kind.RESULTS]
    with body(failed) as archive:
        suites = [ET.fromstring(archive.read(name)) for name in archive.namelist() if name.endswith(".xml")]  # noqa: S314
    assert sum(int(suite.get("failures", "")) for suite in suites) == 1
    assert sum(len(suite.findall("testcase")) for suite in suites) == 318
    failure = next(found for suite in suites for found in suite.iter("failure"))
    assert "expected:<24.90> but was:<19.90>" in (failure.get("message") or "")
