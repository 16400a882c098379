"""A bucket of an object store that speaks S3, with every version that it keeps.

A file is replaced by an upload on the condition that its ETag is still the one that was read (`If-Match`), so what
somebody else wrote meanwhile is read again and never lost. The version that was replaced is removed by its id. Object
Lock and legal holds are never bypassed.
"""

from __future__ import annotations

import errno
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Final, cast
from urllib.parse import urlencode

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from assent.connectors.files.storage import UPLOAD, Entry, Rewrite, UnchangeableError, kind_of, matcher
from assent.connectors.port import Copy
from assent.connectors.replacing import BusyError
from assent.domain.errors import AssentError
from assent.domain.instants import format_instant

PAGE: Final = 1_000
"""Versions, or uploads, that are listed at once (S3's limit)."""
READ_BYTES: Final = 8 << 20
"""How much of an object one request fetches."""
MAX_OBJECT_BYTES: Final = 5 << 30
"""The largest object that one conditional upload may replace (S3's limit of a PUT)."""
_TRIES: Final = 5
_ARCHIVED: Final = frozenset(("GLACIER", "DEEP_ARCHIVE"))
_CHANGED: Final = frozenset(("PreconditionFailed", "412", "ConditionalRequestConflict", "409"))
_ABSENT: Final = frozenset(("NoSuchKey", "NoSuchVersion", "404"))
_KEPT: Final = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Metadata",
    "ObjectLockLegalHoldStatus",
    "ObjectLockMode",
    "ObjectLockRetainUntilDate",
    "SSEKMSKeyId",
    "ServerSideEncryption",
    "StorageClass",
    "WebsiteRedirectLocation",
)
"""What a rewritten object keeps of the one that it replaces, its protection included."""
_UNKNOWN: Final = "the key may not ask whether there are any: permit s3:GetReplicationConfiguration, or say `replicas`"
_REPLICA: Final = "what is deleted for good is not replicated: connect the bucket of replicas too, and say `replicas`"


def client(endpoint: str, region: str, keys: Sequence[str]) -> Any:
    """Make a client; without keys boto3 looks for its own."""
    key, secret = keys or (None, None)
    return boto3.client(
        "s3",
        endpoint_url=endpoint or None,
        region_name=region or None,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(
            retries={"max_attempts": 5, "mode": "standard"}, s3={"addressing_style": "path" if endpoint else "auto"}
        ),
    )


class Bucket:
    """What lies under a prefix of a bucket. `replicas`: those of the bucket are looked after elsewhere."""

    def __init__(self, client: Any, where: str, pattern: str, scratch: Path, *, replicas: bool = False) -> None:
        """Read `where` as `s3://bucket/prefix`; files being rewritten are kept without a name in `scratch`."""
        self._client = client
        self._bucket, _, prefix = where.removeprefix("s3://").partition("/")
        self._prefix = f"{prefix.rstrip('/')}/" if prefix.strip("/") else ""
        self._pattern = matcher(pattern)
        self._scratch = scratch
        self._replicas = replicas

    def entries(self) -> Iterator[Entry]:
        for page in self._pages("list_object_versions"):
            for one in page.get("Versions", ()):
                path = one["Key"].removeprefix(self._prefix)
                kind = kind_of(path, self._pattern)
                if kind is None or path.endswith("/"):
                    continue
                latest = bool(one["IsLatest"])
                archived = one.get("StorageClass") in _ARCHIVED
                yield Entry(
                    path,
                    kind if latest else "older version",
                    one["Size"],
                    _ns(one["LastModified"]),
                    one["ETag"],
                    one["VersionId"],
                    latest,
                    f"is archived ({one['StorageClass']}): restore it first" if archived else "",
                )
        for page in self._pages("list_multipart_uploads"):
            for one in page.get("Uploads", ()):
                path = one["Key"].removeprefix(self._prefix)
                if kind_of(path, self._pattern):
                    yield Entry(path, UPLOAD, 0, _ns(one["Initiated"]), "", one["UploadId"])

    @contextmanager
    def opened(self, entry: Entry) -> Iterator[IO[bytes]]:
        which = {"IfMatch": entry.tag} if entry.readers_see else {"VersionId": entry.version}
        yield cast("IO[bytes]", io.BufferedReader(_Ranges(self, entry, which), READ_BYTES))

    def rewrite(self, entry: Entry, copy: Rewrite, *, grows: bool) -> int:  # noqa: ARG002 - an object never grows
        for _ in range(_TRIES):
            try:
                head = self.ask("head_object", Key=self._prefix + entry.path)
            except FileNotFoundError:
                return 0
            if head["ContentLength"] > MAX_OBJECT_BYTES:
                raise UnchangeableError("is larger than 5 GiB, which one conditional upload cannot replace: split it")
            now = Entry(entry.path, entry.kind, head["ContentLength"], 0, head["ETag"])
            self._scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                with self.opened(now) as source, TemporaryFile(dir=self._scratch) as target:
                    left_out = copy(source, target)
                    if left_out:
                        target.seek(0)
                        self._replace(entry.path, head, target)
            except BusyError:
                continue
            return left_out
        raise BusyError("the object changes while it is read")

    def remove(self, entry: Entry) -> None:
        key = self._prefix + entry.path
        if entry.kind == UPLOAD:
            self.ask("abort_multipart_upload", Key=key, UploadId=entry.version)
            return
        self.ask("delete_object", Key=key, VersionId=entry.version)
        versions, markers = [], []
        for page in self._pages("list_object_versions", key):
            versions += [one for one in page.get("Versions", ()) if one["Key"] == key]
            markers += [one for one in page.get("DeleteMarkers", ()) if one["Key"] == key]
        if not versions:  # with a version left, a marker that goes would bring it back
            for one in markers:
                self.ask("delete_object", Key=key, VersionId=one["VersionId"])

    def locked(self, entry: Entry) -> str:
        if entry.readers_see:
            return ""
        try:
            head = self.ask("head_object", Key=self._prefix + entry.path, VersionId=entry.version)
        except FileNotFoundError:
            return ""
        reasons = []
        if "ObjectLockRetainUntilDate" in head:
            until = format_instant(head["ObjectLockRetainUntilDate"])
            reasons.append(f"under Object Lock ({head.get('ObjectLockMode', 'mode unknown')}) until {until}")
        if head.get("ObjectLockLegalHoldStatus") == "ON":
            reasons.append("under a legal hold of the bucket, which somebody has to end")
        return "; ".join(reasons)

    def in_use(self, entries: Sequence[Entry]) -> set[str]:  # noqa: ARG002 - objects are replaced as a whole
        return set()

    def clear(self) -> None:
        """Nothing is left half-written: an upload that did not end is no object."""

    def elsewhere(self) -> Sequence[Copy]:
        if self._replicas:
            return ()
        place = f"the bucket that {self._bucket} is replicated to"
        try:
            said = self.ask("get_bucket_replication")["ReplicationConfiguration"]
        except PermissionError:
            return (Copy("replicas", place, "not reachable", _UNKNOWN),)
        except AssentError:  # there is none, or the store knows of none
            return ()
        replicated = any(rule.get("Status") == "Enabled" for rule in said["Rules"])
        return (Copy("replicas", place, "not reachable", _REPLICA),) if replicated else ()

    def ask(self, order: str, **keys: Any) -> Mapping[str, Any]:
        """Ask the store one thing.

        Raises `BusyError` for a condition that was not met, `FileNotFoundError`, `PermissionError`, or `AssentError`
        naming what it answered.
        """
        try:
            answer: Mapping[str, Any] = getattr(self._client, order)(Bucket=self._bucket, **keys)
        except ClientError as problem:
            raise _problem(order, problem.response.get("Error", {}).get("Code", "nothing")) from None
        except BotoCoreError as problem:
            raise AssentError(f"the bucket cannot be reached ({type(problem).__name__})", "check its address") from None
        return answer

    def read(self, path: str, start: int, size: int, which: Mapping[str, str]) -> bytes:
        """Read a range of one object or of one of its versions. Raises as `ask` does."""
        span = f"bytes={start}-{start + size - 1}"
        answer = self.ask("get_object", Key=self._prefix + path, Range=span, **which)
        try:
            content: bytes = answer["Body"].read()
        except BotoCoreError as problem:
            raise AssentError(f"the bucket cannot be read ({type(problem).__name__})", "try again") from None
        return content

    def _pages(self, order: str, prefix: str | None = None) -> Iterator[Mapping[str, Any]]:
        keys: dict[str, Any] = {"Prefix": self._prefix if prefix is None else prefix}
        keys["MaxKeys" if order == "list_object_versions" else "MaxUploads"] = PAGE
        marks = ("KeyMarker", "VersionIdMarker" if order == "list_object_versions" else "UploadIdMarker")
        while True:
            page = self.ask(order, **keys)
            yield page
            if not page.get("IsTruncated"):
                return
            keys |= {mark: page[f"Next{mark}"] for mark in marks if page.get(f"Next{mark}")}

    def _replace(self, path: str, head: Mapping[str, Any], content: IO[bytes]) -> None:
        key = self._prefix + path
        kept = {name: head[name] for name in _KEPT if head.get(name)}
        tags = self.ask("get_object_tagging", Key=key)["TagSet"] if head.get("TagCount") else []
        if tags:
            kept["Tagging"] = urlencode({one["Key"]: one["Value"] for one in tags})
        answer = self.ask("put_object", Key=key, Body=content, IfMatch=head["ETag"], **kept)
        before, after = head.get("VersionId", "null"), answer.get("VersionId", "null")
        if before != after:
            with suppress(PermissionError):  # locked: the next look says so
                self.ask("delete_object", Key=key, VersionId=before)


class _Ranges(io.RawIOBase):
    """An object read by ranges, at any position, in memory one range at a time."""

    def __init__(self, bucket: Bucket, entry: Entry, which: Mapping[str, str]) -> None:
        self._bucket, self._entry, self._which = bucket, entry, which
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._entry.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        size = min(len(buffer), self._entry.size - self._at)
        if size <= 0:
            return 0
        content = self._bucket.read(self._entry.path, self._at, size, self._which)
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)


def _ns(at: datetime) -> int:
    return int(at.timestamp() * 1e6) * 1000


def _problem(order: str, code: str) -> AssentError | OSError:
    if code in _CHANGED:
        return BusyError("the object changed meanwhile")
    if code in _ABSENT:
        return FileNotFoundError("the object is gone")
    if code == "AccessDenied":
        return PermissionError(errno.EACCES, f"the bucket does not permit `{order}`")
    return AssentError(f"the bucket answered `{code}`", "check its name, its key, and what the key may do")
