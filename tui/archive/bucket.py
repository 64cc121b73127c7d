"""An archive in a bucket: S3 and what speaks it, Google Cloud Storage, Azure.

Credentials come from where the clouds' own tools find them: `AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`,
`GOOGLE_APPLICATION_CREDENTIALS`, `AZURE_STORAGE_ACCOUNT_NAME`, the machine's role.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from tui.archive.store import OWN_FOLDER, PART_BYTES, ArchiveError, NotStored, Piece, Store, Stored, StoreDown, nobody
from tui.errors import ConfigError, Mismatch
from tui.hosts import is_loopback
from tui.secret import Secret

if TYPE_CHECKING:
    from obstore.store import AzureStore, GCSStore, S3Store

_LINK_LIFE: Final = timedelta(minutes=10)
_RETRIES: Final = 3
_RETRY_TIME: Final = timedelta(seconds=30)
"""After that a run stops, and the next one goes on."""
_PARTS_AT_ONCE: Final = 1
"""Of one upload, while the next part is read; several uploads run at once, and each holds what it sends in memory."""
_ENDPOINTS: Final = {
    "s3": ("AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "gs": ("GOOGLE_BASE_URL",),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}
"""What names another server than the cloud's own, by scheme (obstore docs, store configuration)."""
_PIECE_BYTES: Final = 1 << 20
_HINT: Final = "Check the credentials in the environment, and that the bucket is there."


class BucketStore(Store):
    """Implements `Store` with obstore.

    The store proves what it took by an ETag that is the MD5 of what was sent; where it gives another kind of ETag,
    and for the first upload in any case, the object is read back and compared.

    Args:
        url: `s3://bucket/prefix`, `gs://...` or `az://...`.

    Raises:
        ConfigError: obstore is not installed, or the environment does not fit.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._bucket = _open(url)
        self._proving = threading.Lock()
        """Several uploads are the first; those that end during the proof wait for it."""
        self._is_proved = False
        self._is_conditional: bool | None = None
        """Whether the store honours a conditional write; not known before the first."""

    @property
    def name(self) -> str:
        """The URL, which holds no credential."""
        return self._url

    def read(self, key: str) -> bytes:
        """A small object."""
        import obstore

        with self._errors(key):
            return bytes(obstore.get(self._bucket, key).bytes())

    def stream(self, key: str) -> Iterator[bytes]:
        """An object in pieces."""
        import obstore

        with self._errors(key):
            yield from map(bytes, obstore.get(self._bucket, key).stream(min_chunk_size=1 << 20))

    def size(self, key: str) -> int | None:
        """Bytes of an object; None when there is none."""
        import obstore

        try:
            with self._errors(key):
                return obstore.head(self._bucket, key)["size"]
        except NotStored:
            return None

    def create(self, key: str, data: bytes, *, durable: bool = True) -> bool:
        """Writes a small object unless there is one; a store not known for conditional writes is asked first."""
        import obstore
        from obstore.exceptions import AlreadyExistsError, NotSupportedError

        if not self._is_conditional and self.size(key) is not None:
            return False
        with self._errors(key, writes=True):
            try:
                obstore.put(self._bucket, key, data, mode="create")
            except AlreadyExistsError:
                self._is_conditional = True
                return False
            except (NotSupportedError, NotImplementedError):
                obstore.put(self._bucket, key, data)
                self._is_conditional = False
            if self._is_conditional is None:
                self._is_conditional = self._refuses(key, data)
        return True

    def _refuses(self, key: str, data: bytes) -> bool:
        """Whether the store honours the condition: the same again is to be refused."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        try:
            obstore.put(self._bucket, key, data, mode="create")
        except AlreadyExistsError:
            return True
        return False

    def write(self, key: str, data: bytes) -> None:
        """Writes a small object over what is there."""
        import obstore

        with self._errors(key, writes=True):
            obstore.put(self._bucket, key, data)

    def upload(self, key: str, pieces: Iterator[Piece], announce: Callable[[Stored], None] = nobody) -> Stored:
        """Sends it in parts, of which few are in memory at a time; then has the store prove it."""
        import obstore

        sent = _Sent(pieces)
        with self._errors(key, writes=True):
            views = sent.announced(announce)
            first = bytearray()
            while len(first) <= PART_BYTES and (view := next(views, None)) is not None:
                first += view
            if len(first) <= PART_BYTES:
                result = obstore.put(self._bucket, key, first, use_multipart=False)
            else:
                result = obstore.put(
                    self._bucket,
                    key,
                    _drained(first, views),
                    use_multipart=True,
                    chunk_size=PART_BYTES,
                    max_concurrency=_PARTS_AT_ONCE,
                )
        is_sure = (result["e_tag"] or "").strip('"') == sent.etag()
        with self._proving:
            if not self._is_proved:
                self._compare(key, sent)
                self._is_proved = is_sure = True
        if not is_sure:
            self._compare(key, sent)
        return sent.stored()

    def folders(self, key: str) -> list[str]:
        """Names of the folders directly in a folder."""
        import obstore

        with self._errors(key):
            found = obstore.list_with_delimiter(self._bucket, key or None)["common_prefixes"]
        names = (prefix.rstrip("/").rpartition("/")[2] for prefix in found)
        return [name for name in names if name != OWN_FOLDER]

    def objects(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Key and size of every object in a folder and below."""
        import obstore

        with self._errors(prefix):
            for page in obstore.list(self._bucket, prefix or None):
                for each in page:
                    if not each["path"].startswith(f"{OWN_FOLDER}/"):
                        yield each["path"], each["size"]

    def delete(self, key: str) -> None:
        """Removes an object, if it is there."""
        import obstore

        try:
            with self._errors(key):
                obstore.delete(self._bucket, key)
        except NotStored:
            return

    def source(self, key: str) -> Secret:
        """A signed URL."""
        import obstore

        with self._errors(key):
            return Secret(obstore.sign(self._bucket, "GET", key, _LINK_LIFE))

    def _compare(self, key: str, sent: _Sent) -> None:
        digest = hashlib.sha256()
        for piece in self.stream(key):
            digest.update(piece)
        if digest.hexdigest() != sent.stored().sha256:
            self._refuse(key)

    def _refuse(self, key: str) -> None:
        with suppress(StoreDown):
            self.delete(key)
        raise Mismatch(f"{self.name} does not hold what was sent to it.", hint="Nothing was recorded. Check the store.")

    @contextmanager
    def _errors(self, key: str, *, writes: bool = False) -> Iterator[None]:
        from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

        try:
            yield
        except FileNotFoundError as error:
            if writes:
                raise StoreDown(f"{self.name} is not there.", hint=_HINT) from error
            raise NotStored(f"{self.name} has no {key}.") from error
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise StoreDown(f"{self.name} refuses the credentials.", hint=_HINT) from error
        except (BaseError, OSError, ValueError) as error:
            raise StoreDown(f"{self.name} cannot be used now ({type(error).__name__}).", hint=_HINT) from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # of obstore's core; no Exception, so a thread would die of it
                raise
            raise StoreDown(f"{self.name} cannot be used: obstore failed.", hint=_HINT) from error


def _drained(first: bytearray, views: Iterator[Piece]) -> Iterator[bytes]:
    """What was held back and what follows; what is held is given up first, for every upload at once has as much."""
    held = bytes(first)
    first.clear()
    for start in range(0, len(held), _PIECE_BYTES):
        yield held[start : start + _PIECE_BYTES]
    del held
    yield from map(bytes, views)


class _Sent:
    """The content, hashed as it goes by, with an MD5 for each part of `PART_BYTES`."""

    def __init__(self, pieces: Iterator[Piece]) -> None:
        self._pieces = pieces
        self._sha256 = hashlib.sha256()
        self._md5s = [hashlib.md5(usedforsecurity=False)]
        self.size_bytes = 0

    def announced(self, announce: Callable[[Stored], None]) -> Iterator[Piece]:
        """The content once; what it was is announced before the end of it is told, and so before the object is made."""
        for piece in self._pieces:
            self._sha256.update(piece)
            taken = 0
            while taken < len(piece):
                room = len(self._md5s) * PART_BYTES - self.size_bytes
                if not room:
                    self._md5s.append(hashlib.md5(usedforsecurity=False))
                    continue
                part = piece[taken : taken + room]
                self._md5s[-1].update(part)
                self.size_bytes += len(part)
                taken += len(part)
            yield piece
        announce(self.stored())

    def stored(self) -> Stored:
        return Stored(self.size_bytes, self._sha256.hexdigest())

    def etag(self) -> str:
        """What S3 makes of it (Amazon S3 docs, checking object integrity): the MD5, or that of the parts' MD5s."""
        if len(self._md5s) == 1:
            return self._md5s[0].hexdigest()
        parts = hashlib.md5(b"".join(each.digest() for each in self._md5s), usedforsecurity=False).hexdigest()
        return f"{parts}-{len(self._md5s)}"


def _open(url: str) -> S3Store | GCSStore | AzureStore:
    try:
        from obstore.exceptions import BaseError
        from obstore.store import from_url
    except ImportError as error:
        raise ConfigError(
            f"For an archive in {url}, digsite needs obstore.",
            hint="Run: pip install 'digsite[archive]', or archive to a folder.",
        ) from error
    options: dict[str, Any] = {"retry_config": {"max_retries": _RETRIES, "retry_timeout": _RETRY_TIME}}
    if urlsplit(url).scheme == "s3":
        options["unsigned_payload"] = True  # else it is hashed once more; what arrived is proved by its ETag
    for name in _ENDPOINTS[urlsplit(url).scheme]:
        value = os.environ.get(name)
        if value is None:
            continue
        endpoint = urlsplit(value)
        is_local = endpoint.scheme == "http" and is_loopback(endpoint.hostname or "")
        if not endpoint.hostname or not (endpoint.scheme == "https" or is_local):
            raise ConfigError(f"{name} must start with https://.", hint="http:// is for loopback hosts only.")
        if is_local:
            options["client_options"] = {"allow_http": True}
    try:
        return from_url(url, **options)  # type: ignore[return-value]  # the schemes are checked where they are read
    except (BaseError, ValueError) as error:
        raise ArchiveError(f"{url} cannot be opened ({type(error).__name__}).", hint=_HINT) from error
