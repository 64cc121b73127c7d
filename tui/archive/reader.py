"""Reads an archive: its apps, its builds, and whether what the manifests say is there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tui.archive.copying import sha256_of
from tui.archive.layout import APP, MANIFEST, torn_key
from tui.archive.manifest import Entry, LaterManifest, Manifest, TornManifest
from tui.archive.store import NotStored, Store
from tui.models import AccountName, App, AppId, AppRef, Build

_TRIES: Final = 3
"""At a manifest that another archiver writes at the same moment."""


class Trouble(StrEnum):
    """What is wrong with an object."""

    MISSING = "missing"
    CHANGED = "changed"
    TORN = "torn manifest"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True)
class Finding:
    """One object that is not as the manifest says."""

    key: str
    trouble: Trouble


@dataclass(frozen=True, slots=True)
class ArchivedApp:
    """One app of an archive."""

    app: App
    """With the account it was archived from."""
    folder: str


class Reader:
    """Reads one archive. Blocking, for threads."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def apps(self) -> list[ArchivedApp]:
        """All apps, by folder."""
        found = []
        for account in sorted(self.store.folders("")):
            for name in sorted(self.store.folders(account)):
                app = self.app(f"{account}/{name}")
                if app is not None:
                    found.append(app)
        return found

    def app(self, folder: str) -> ArchivedApp | None:
        """The app of a folder, as one of its builds tells it where its own document is damaged; None if it is none."""
        app = self._described(folder)
        if app is None:
            for build in self.builds(folder):
                with suppress(TornManifest):
                    if (manifest := self.manifest(build)) is not None:
                        app = App(manifest.build.ref.app_ref, manifest.app_title, manifest.provider)
                        break
        return ArchivedApp(app, folder) if app is not None else None

    def _described(self, folder: str) -> App | None:
        try:
            content = json.loads(self.store.read(f"{folder}/{APP}"))
            ref = AppRef(AccountName(content["account"]), AppId(content["id"]))
            return App(ref, content["title"], content["provider"], content["type"], content["bundle_id"])
        except (NotStored, ValueError, KeyError, TypeError):
            return None

    def builds(self, app_folder: str) -> list[str]:
        """Folders of an app's builds, the highest number first."""

        def rank(name: str) -> tuple[int, str]:
            return (int(name) if name.isdecimal() and len(name) < 19 else -1, name)

        return [f"{app_folder}/{name}" for name in sorted(self.store.folders(app_folder), key=rank, reverse=True)]

    def manifest(self, build_folder: str) -> Manifest | None:
        """What is known of a build; None when it has no manifest.

        Raises:
            TornManifest: It is damaged.
            LaterManifest: It is of a later digsite.
        """
        try:
            return Manifest.from_json(self.store.read(f"{build_folder}/{MANIFEST}"))
        except NotStored:
            return None

    def whole_manifest(self, build_folder: str, build: Build, provider: str, app_title: str) -> Manifest | None:
        """What is known of a build; of a damaged manifest what is whole in it. None when it has no manifest.

        Raises:
            LaterManifest: It is of a later digsite.
        """
        try:
            return self.manifest(build_folder)
        except LaterManifest:
            raise
        except TornManifest:
            torn = self.store.read(f"{build_folder}/{MANIFEST}")
            return Manifest(build, provider, app_title).salvaged(torn)

    def write_manifest(self, build_folder: str, manifest: Manifest) -> None:
        """Writes what is known of a build, together with what another archiver wrote meanwhile.

        A damaged manifest is kept in digsite's own folder before it is written over.

        Raises:
            LaterManifest: A later digsite has written there.
        """
        key = f"{build_folder}/{MANIFEST}"
        if self.store.create(key, manifest.to_json()):
            return
        for _ in range(_TRIES):
            try:
                theirs = self.manifest(build_folder)
            except LaterManifest:
                raise
            except TornManifest:
                torn = self.store.read(key)
                self.store.write(torn_key(build_folder, torn), torn)
                merged, is_written = manifest.salvaged(torn).to_json(), False
            else:
                merged = (manifest.merged(theirs) if theirs else manifest).to_json()
                is_written = theirs is not None and theirs.to_json() == merged
            if is_written:
                return
            self.store.write(key, merged)

    def manifests(self, prefix: str) -> Iterator[tuple[str, Manifest | None, dict[str, int]]]:
        """Every build's folder below a prefix, its manifest (None when torn or missing), its objects and their sizes.

        The manifest itself is not among the objects.
        """
        folders: dict[str, dict[str, int]] = {}
        for key, size in self.store.objects(prefix):
            folder, _, name = key.rpartition("/")
            if name != APP or folder.count("/") != 1:
                folders.setdefault(folder, {})[name] = size
        for folder, names in sorted(folders.items()):
            try:
                manifest = self.manifest(folder) if MANIFEST in names else None
            except TornManifest:
                manifest = None
            yield folder, manifest, names

    def check(self, folder: str, manifest: Manifest | None, names: dict[str, int]) -> Iterator[Finding]:
        """Reads every object of a build back and compares it with the manifest."""
        if manifest is None:
            if MANIFEST in names:
                yield Finding(f"{folder}/{MANIFEST}", Trouble.TORN)
            else:
                yield from (Finding(f"{folder}/{name}", Trouble.EXTRA) for name in names)
            return
        for entry in manifest.entries:
            if trouble := self.check_entry(folder, entry):
                yield Finding(f"{folder}/{entry.file}", trouble)
        known = {MANIFEST, *(entry.file for entry in manifest.entries)}
        yield from (Finding(f"{folder}/{name}", Trouble.EXTRA) for name in names if name not in known)

    def check_whole(self, written: Iterable[str]) -> Iterator[Finding]:
        """Whether apps are described, and builds that were written have a manifest.

        Args:
            written: Their folders.
        """
        known = set()
        for account in sorted(self.store.folders("")):
            for name in sorted(self.store.folders(account)):
                folder = f"{account}/{name}"
                builds = self.builds(folder)
                known.update(builds)
                if builds and self._described(folder) is None:
                    is_there = self.store.size(f"{folder}/{APP}") is not None
                    yield Finding(f"{folder}/{APP}", Trouble.CHANGED if is_there else Trouble.MISSING)
        for folder in sorted(written):
            if folder not in known:
                yield Finding(f"{folder}/{MANIFEST}", Trouble.MISSING)

    def check_entry(self, folder: str, entry: Entry) -> Trouble | None:
        """Reads one artifact back; None when it is what was archived."""
        key = f"{folder}/{entry.file}"
        try:
            if self.store.size(key) != entry.size_bytes:
                return Trouble.CHANGED if self.store.size(key) is not None else Trouble.MISSING
            return None if sha256_of(self.store, key) == entry.sha256 else Trouble.CHANGED
        except NotStored:
            return Trouble.MISSING
