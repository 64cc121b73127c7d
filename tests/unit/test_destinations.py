"""Where downloads go: templates are checked, and nothing in a name leads out of the folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.models import (
    AccountName,
    App,
    AppId,
    AppRef,
    Artifact,
    ArtifactId,
    ArtifactKind,
    ArtifactRef,
    Build,
    BuildId,
    BuildRef,
    Status,
)
from tui.services.destinations import DEFAULT_TEMPLATE, Origin, Template, TemplateError

ROOT = Path("/downloads")


def origin(
    title: str = "app.apk",
    *,
    app: str = "Acme",
    branch: str | None = "main",
    tag: str | None = None,
    number: int | None = 7,
    artifact_id: str = "A1",
    build_id: str = "b1",
) -> Origin:
    account, app_id = AccountName("acme"), AppId("app")
    build_ref = BuildRef(account, app_id, BuildId(build_id))
    ref = ArtifactRef(account, app_id, BuildId(build_id), ArtifactId(artifact_id))
    return Origin(
        App(ref=AppRef(account, app_id), provider="bitrise", title=app),
        Build(ref=build_ref, number=number, status=Status.SUCCEEDED, status_raw="1", branch=branch, tag=tag),
        Artifact(ref=ref, title=title, kind=ArtifactKind.APK, kind_raw="x", size_bytes=1),
    )


def only(template: str, one: Origin) -> Path:
    (path,) = Template(template).targets(ROOT, [one]).values()
    return path


def test_the_fields_stand_for_what_they_say() -> None:
    assert only(DEFAULT_TEMPLATE, origin()) == ROOT / "acme/Acme/main/7/app.apk"
    assert only("{app}-{build}-{title}", origin()) == ROOT / "Acme-7-app.apk"
    assert only("fixed/{branch}", origin(branch=None, tag="v1.2")) == ROOT / "fixed/v1.2"
    assert only("{branch}/{build}", origin(branch=None, number=None)) == ROOT / "no-branch/b1"


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("", "is empty"),
        ("{account}/{nme}", "no field {nme}"),
        ("{title", "brace"),
        ("title}", "brace"),
        ("{{title}}", "brace"),
        ("/etc/{title}", "no root"),
        ("~/{title}", "no root"),
        ("C:/{title}", "no root"),
        ("a\\{title}", "no root"),
        ("../{title}", "leaves its folder"),
        ("{app}/../{title}", "leaves its folder"),
        ("{app}//{title}", "empty part"),
        ("{app}/", "empty part"),
        ("{title!r}", "no field"),
        ("{title.__class__}", "no field"),
        ("/".join("a" * 30), "more than"),
    ],
)
def test_a_bad_template_is_refused_with_the_reason(template: str, words: str) -> None:
    with pytest.raises(TemplateError, match=re.escape(words)):
        Template(template)


@given(
    title=st.text(),
    app=st.text(min_size=1),
    branch=st.text(min_size=1),
    template=st.sampled_from([DEFAULT_TEMPLATE, "{title}", "{branch}/{app}{title}", "{app}/{branch}"]),
)
def test_every_part_is_one_safe_name(title: str, app: str, branch: str, template: str) -> None:
    path = only(template, origin(title, app=app, branch=branch))
    parts = path.relative_to(ROOT).parts
    assert len(parts) == len(template.split("/"))
    assert not {"", ".", ".."} & set(parts)
    assert not any(char in part for part in parts for char in "/\\\0")


def test_files_of_one_name_are_told_apart_whatever_the_template_drops() -> None:
    several = [
        origin(artifact_id="1", build_id="b1", number=1),
        origin(artifact_id="2", build_id="b2", number=2),
        origin("APP.apk", artifact_id="3", build_id="b3", number=3),
        origin(artifact_id="1", build_id="b4", number=4),
    ]
    paths = list(Template("{app}/{title}").targets(ROOT, several).values())
    assert len({str(path).casefold() for path in paths}) == 4
    assert {path.parent for path in paths} == {ROOT / "Acme"}
    assert all(path.suffix.lower() == ".apk" for path in paths)
