"""Where things are in an archive: `account/app/build/title`, readable by people, with `manifest.json` beside them.

Which app a folder belongs to is written in its `app.json`, so that two apps of one title never meet in one folder
and a name stays what it was.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Final

from tui.archive.store import OWN_FOLDER, ArchiveError, NotStored, Store
from tui.models import App, AppId, AppRef, Artifact, Build
from tui.safe_text import safe_filename

MANIFEST: Final = "manifest.json"
APP: Final = "app.json"


class Layout:
    """Names in one archive.

    Args:
        store: The archive; asked once for each app.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._apps: dict[AppRef, str] = {}
        self._known: dict[str, dict[object, str]] = {}
        """By the folder of an account: the folders of its apps, by id."""
        self._lock = threading.Lock()

    def find_app(self, ref: AppRef, title: str) -> str | None:
        """The folder of an app; None when nothing of it is archived."""
        with self._lock:
            if ref in self._apps:
                return self._apps[ref]
        for folder in _app_folders(ref, title):
            try:
                if json.loads(self._store.read(f"{folder}/{APP}")).get("id") == ref.app:
                    with self._lock:
                        self._apps[ref] = folder
                    return folder
            except NotStored:
                break
            except (ValueError, AttributeError):
                continue
        return self._find_renamed(ref)

    def _find_renamed(self, ref: AppRef) -> str | None:
        """By its id, among all apps that the account has here: they are read once, at the first that is not found."""
        account = _account_folder(ref)
        with self._lock:
            if account not in self._known:
                self._known[account] = {}
                for name in self._store.folders(account):
                    with suppress(NotStored, ValueError, AttributeError, TypeError):
                        held = json.loads(self._store.read(f"{account}/{name}/{APP}")).get("id")
                        self._known[account][held] = f"{account}/{name}"
            folder = self._known[account].get(ref.app)
            if folder is not None:
                self._apps[ref] = folder
        return folder

    def claim_app(self, app: App) -> str:
        """The folder of an app, taken for it if it is new."""
        with self._lock:
            if app.ref not in self._apps:
                self._apps[app.ref] = self._claim(app)
            return self._apps[app.ref]

    def _claim(self, app: App) -> str:
        described = json.dumps(
            {
                "version": 1,
                "kind": "app",
                "account": app.ref.account,
                "provider": app.provider,
                "id": app.ref.app,
                "title": app.title,
                "type": app.kind,
                "bundle_id": app.bundle_id,
            },
            indent=1,
        ).encode()
        for folder in _app_folders(app.ref, app.title):
            if self._store.create(f"{folder}/{APP}", described):
                return folder
            try:
                if json.loads(self._store.read(f"{folder}/{APP}")).get("id") == app.ref.app:
                    return folder
            except (ValueError, AttributeError):
                continue  # not ours, or torn: left as it is
        raise ArchiveError(f"{self._store.name} has no free folder for an app: several app.json there are damaged.")


def safe_part(text: str) -> str:
    """A number or an id as the name of a folder."""
    return safe_filename(text, unique=text)


def build_folder(app_folder: str, build: Build) -> str:
    """The folder of a build: its number, which is unique in an app; else its id."""
    return f"{app_folder}/{safe_part(str(build.number) if build.number is not None else str(build.ref.build))}"


def twin_folder(app_folder: str, build: Build) -> str:
    """The folder of a build of whose number the app has another one, against its vendor's word."""
    return f"{app_folder}/{safe_part(f'{build.number}~{build.ref.build}')}"


def readable_name(artifact: Artifact) -> str:
    """The name that an artifact has unless another one has it."""
    return safe_filename(artifact.title, unique=artifact.ref.artifact)


def file_names(artifact: Artifact, taken: Collection[str]) -> Iterator[str]:
    """Names for an artifact in its build's folder, the readable one first.

    Args:
        artifact: What is stored.
        taken: Names of the others there, case-folded.
    """
    title = readable_name(artifact)
    stem, dot, extension = title.rpartition(".")
    mark = safe_filename(artifact.ref.artifact, unique=artifact.ref.artifact, max_bytes=60)
    marked = f"{stem[:80]}~{mark}.{extension[:20]}" if dot and stem else f"{title[:80]}~{mark}"
    for name in (title, marked):
        if name.casefold() not in taken and name.casefold() != MANIFEST:
            yield name


def claim_key(folder: str) -> str:
    """What says that somebody is archiving a build."""
    return f"{OWN_FOLDER}/claims/{folder}.json"


def torn_key(folder: str, content: bytes) -> str:
    """Where a damaged manifest is kept, for people."""
    return f"{OWN_FOLDER}/torn/{folder}/{hashlib.sha256(content).hexdigest()[:12]}.json"


def _account_folder(ref: AppRef) -> str:
    account = safe_filename(ref.account, unique=ref.account)
    return f"{account}_" if account.casefold() == OWN_FOLDER else account


def _app_folders(ref: AppRef, title: str) -> Iterator[str]:
    account = _account_folder(ref)
    name = safe_filename(title, unique=ref.app)
    yield f"{account}/{name}"
    mark = safe_filename(ref.app, unique=AppId(ref.app), max_bytes=60)
    yield f"{account}/{name[:80]}~{mark}"
