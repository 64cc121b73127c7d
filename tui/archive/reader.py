"""Reads an archive: its apps, its builds, and whether what the manifests say is there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tui.archive.copying import sha256_of
from tui.archive.layout import APP, MANIFEST
from tui.archive.manifest import Entry, Manifest, TornManifest
from tui.archive.store import NotStored, Store
from tui.models import AccountName, App, AppId, AppRef


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
        """The app of a folder; None when it is no app's."""
        try:
            content = json.loads(self.store.read(f"{folder}/{APP}"))
            ref = AppRef(AccountName(content["account"]), AppId(content["id"]))
            app = App(ref, content["title"], content["provider"], content["type"], content["bundle_id"])
        except (NotStored, ValueError, KeyError, TypeError):
            return None
        return ArchivedApp(app, folder)

    def builds(self, app_folder: str) -> list[str]:
        """Folders of an app's builds, the highest number first."""

        def rank(name: str) -> tuple[int, str]:
            return (int(name) if name.isdecimal() and len(name) < 19 else -1, name)

        return [f"{app_folder}/{name}" for name in sorted(self.store.folders(app_folder), key=rank, reverse=True)]

    def manifest(self, build_folder: str) -> Manifest | None:
        """What is known of a build; None when it has no manifest.

        Raises:
            TornManifest: It is damaged.
        """
        try:
            return Manifest.from_json(self.store.read(f"{build_folder}/{MANIFEST}"))
        except NotStored:
            return None

    def write_manifest(self, build_folder: str, manifest: Manifest) -> None:
        """Writes what is known of a build, together with what another archiver wrote meanwhile."""
        key = f"{build_folder}/{MANIFEST}"
        if self.store.create(key, manifest.to_json()):
            return
        try:
            theirs = self.manifest(build_folder)
        except TornManifest:
            theirs = None
        self.store.write(key, (manifest.merged(theirs) if theirs else manifest).to_json())

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

    def check_entry(self, folder: str, entry: Entry) -> Trouble | None:
        """Reads one artifact back; None when it is what was archived."""
        key = f"{folder}/{entry.file}"
        try:
            if self.store.size(key) != entry.size_bytes:
                return Trouble.CHANGED if self.store.size(key) is not None else Trouble.MISSING
            return None if sha256_of(self.store, key) == entry.sha256 else Trouble.CHANGED
        except NotStored:
            return Trouble.MISSING
