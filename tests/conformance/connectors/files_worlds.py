"""Folders and buckets of rows, filled as exports and pipelines fill them, for the tests."""

from __future__ import annotations

import gzip
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import zstandard
from botocore.awsrequest import AWSResponse
from moto import mock_aws
from pyarrow import parquet
from tests.conformance.connectors.kit import ODD_IDS, Seeded

from assent.connectors.files.product import Files, Settings, connect

BEGIN = datetime(2026, 1, 5, 10, tzinfo=UTC)
Row = dict[str, Any]


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def json_lines(rows: Iterable[Row]) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def turn(name: str, owner: str, role: str, text: str, at: datetime) -> Row:
    return {"conversation_id": name, "owner": owner, "role": role, "content": text, "created_at": iso(at)}


def secret(path: Path) -> str:
    return path.read_text("utf-8")


class FilesWorld:
    """What all have in common: who says what when, and names that are nobody's beginning."""

    odd_ids = ODD_IDS
    rows = "turn"

    def __init__(self, tmp: Path, **keys: Any) -> None:
        self.tmp = tmp
        self.keys = keys
        self.seeded = 0
        self.files = 0

    def settings(self) -> Settings:
        raise NotImplementedError

    def write(self, path: str, content: bytes) -> None:
        raise NotImplementedError

    def contents(self) -> Iterator[tuple[str, bytes]]:
        """Give what lies there, every version of it, each with the path that it has or had."""
        raise NotImplementedError

    def change(self, path: str, content: bytes) -> None:
        self.write(path, content)

    def product(self) -> Files:
        return connect(self.settings(), secret)

    def seed(self, count: int, ids: Sequence[str] | None = None) -> Sequence[Seeded]:
        found, asked, answered = [], [], []
        for number in range(self.seeded, self.seeded + count):
            name = ids[number - self.seeded] if ids else f"c-{number:06d}-{number % 7}"
            marker, at, owner = f"quagga{number:06d}zephyr", BEGIN + timedelta(minutes=number), f"person-{number % 3}"
            asked.append(turn(name, owner, "user", f"please look at {marker}", at))
            answered.append(turn(name, owner, "assistant", f"{marker}? \u2028 gladly", at + timedelta(minutes=5)))
            found.append(Seeded(name, marker, at, owner))
        self.seeded += count
        self.files += 1
        self.put(self.files, asked, answered)
        return found

    def put(self, number: int, asked: list[Row], answered: list[Row]) -> None:
        self.write(f"day-{number}/asked.jsonl", json_lines(asked))
        self.write(f"day-{number}/answered.jsonl.gz", gzip.compress(json_lines(answered)))
        self.write(f"day-{number}/again.ndjson.zst", zstandard.compress(json_lines(asked[:1])))
        self.write(f"day-{number}/.asked.jsonl.swp", json_lines(asked))
        self.write(f"day-{number}/asked.jsonl.tmp", json_lines(asked[::2]))

    def take_turn(self, name: str, at: datetime) -> None:
        self.files += 1
        self.write(f"later-{self.files}.jsonl", json_lines([turn(name, "person-0", "user", "one more thing", at)]))

    def delete(self, name: str) -> None:
        for path, content in list(self.current()):
            said = [
                line
                for line in unpacked(content).splitlines(keepends=True)
                if json.loads(line)["conversation_id"] != name
            ]
            if len(said) < len(unpacked(content).splitlines()):
                self.change(path, packed(b"".join(said), path))

    def current(self) -> Iterator[tuple[str, bytes]]:
        return self.contents()

    def bytes_left(self, markers: Iterable[str]) -> Mapping[str, int]:
        wanted = [marker.encode() for marker in markers]
        found: dict[str, int] = {}
        for path, content in self.contents():
            text = unpacked(content)
            found[path] = found.get(path, 0) + sum(text.count(one) for one in wanted if b"quagga" in text)
        return found

    def maintenance(self) -> AbstractContextManager[None]:
        return nullcontext()


def unpacked(content: bytes) -> bytes:
    """Give what a file says, and its bytes as they are where they say it differently."""
    if content.startswith(b"\x1f\x8b"):
        return gzip.decompress(content)
    if content.startswith(b"\x28\xb5\x2f\xfd"):
        return zstandard.ZstdDecompressor().decompressobj().decompress(content)
    if content.startswith(b"PAR1"):
        return content + str(parquet.read_table(io.BytesIO(content)).to_pylist()).encode()
    return content


def packed(text: bytes, path: str) -> bytes:
    if path.endswith(".gz"):
        return gzip.compress(text)
    return zstandard.compress(text) if path.endswith(".zst") else text


class FolderWorld(FilesWorld):
    """A folder of JSON lines."""

    def __init__(self, tmp: Path, **keys: Any) -> None:
        super().__init__(tmp, **keys)
        self.root = tmp / "data"
        self.root.mkdir()

    def settings(self) -> Settings:
        return Settings(name="rows", folder=self.tmp / "state", path=self.root, rows=self.rows, **self.keys)

    def write(self, path: str, content: bytes) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def contents(self) -> Iterator[tuple[str, bytes]]:
        for file in sorted(self.root.rglob("*")):
            if file.is_file() and not file.is_symlink():
                yield str(file.relative_to(self.root)), file.read_bytes()

    def touch(self, name: str) -> None:
        for file in self.root.rglob("*"):
            os.utime(file)

    def break_down(self) -> None:
        self.root.rename(self.tmp / "away")

    def mend(self) -> None:
        (self.tmp / "away").rename(self.root)


class ParquetWorld(FolderWorld):
    """A folder of Parquet files with a conversation in each row."""

    rows = "conversation"

    def put(self, number: int, asked: list[Row], answered: list[Row]) -> None:
        rows = [_whole(*pair) for pair in zip(asked, answered, strict=True)]
        self.write(f"part-{number}.parquet", table_file(rows))
        self.write(f"part-{number}.parquet.tmp", table_file(rows))

    def take_turn(self, name: str, at: datetime) -> None:
        self.files += 1
        said = turn(name, "person-0", "user", "one more thing", at)
        self.write(f"later-{self.files}.parquet", table_file([_whole(said, said)]))

    def delete(self, name: str) -> None:
        for path, content in list(self.contents()):
            rows = parquet.read_table(io.BytesIO(content)).to_pylist()
            kept = [row for row in rows if row["conversation_id"] != name]
            if len(kept) < len(rows):
                self.write(path, table_file(kept))


def _whole(asked: Row, answered: Row) -> Row:
    messages = [{key: one[key] for key in ("role", "content", "created_at")} for one in (asked, answered)]
    about = {"conversation_id": asked["conversation_id"], "owner": asked["owner"], "title": asked["content"]}
    return {**about, "created_at": datetime.fromisoformat(asked["created_at"]), "messages": messages}


MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string()), ("created_at", pa.string())])
SCHEMA = pa.schema(
    [
        ("conversation_id", pa.string()),
        ("owner", pa.dictionary(pa.int32(), pa.string())),
        ("title", pa.string()),
        ("created_at", pa.timestamp("us", "UTC")),
        ("messages", pa.list_(MESSAGE)),
    ],
    metadata={"made by": "a pipeline"},
)


def table_file(rows: list[Row], group_rows: int = 7) -> bytes:
    made = io.BytesIO()
    table = pa.Table.from_pylist(rows, SCHEMA)
    parquet.write_table(table, made, row_group_size=group_rows, compression="zstd", write_page_index=True)
    return made.getvalue()


class BucketWorld(FilesWorld):
    """A bucket that keeps versions. What was there twice and what was deleted lies under what is there now."""

    odd_ids = ("a/b", "%", "🦊", "a\nb")

    def __init__(self, tmp: Path, *, lock: bool = False, **keys: Any) -> None:
        super().__init__(tmp, **keys)
        self.key_file = tmp / "key"
        self.key_file.write_text("AKIDEXAMPLE\nsecret\n")
        self.mood = ""
        self.client = boto3.client("s3", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        self.client.create_bucket(Bucket="rows", ObjectLockEnabledForBucket=lock)
        self.versions("Enabled")
        boto3.DEFAULT_SESSION._session.get_component("event_emitter").register_first("before-send.s3", self._answer)

    def close(self) -> None:
        boto3.DEFAULT_SESSION._session.get_component("event_emitter").unregister("before-send.s3", self._answer)

    def versions(self, status: str) -> None:
        self.client.put_bucket_versioning(Bucket="rows", VersioningConfiguration={"Status": status})

    def settings(self) -> Settings:
        return Settings(
            name="rows",
            folder=self.tmp / "state",
            bucket="s3://rows/some/where",
            region="us-east-1",
            key_file=self.key_file,
            rows=self.rows,
            **self.keys,
        )

    def write(self, path: str, content: bytes) -> None:
        self.client.put_object(Bucket="rows", Key=f"some/where/{path}", Body=content, Metadata={"made-by": "us"})

    def put(self, number: int, asked: list[Row], answered: list[Row]) -> None:
        self.write(f"day-{number}.jsonl", json_lines(asked))
        self.write(f"day-{number}.jsonl", json_lines([*answered, *asked]))
        self.write(f"day-{number}.jsonl.tmp", gzip.compress(json_lines(asked)))
        self.write(f"old-{number}.jsonl", json_lines(asked))
        self.client.delete_object(Bucket="rows", Key=f"some/where/old-{number}.jsonl")

    def contents(self) -> Iterator[tuple[str, bytes]]:
        for page in self.client.get_paginator("list_object_versions").paginate(Bucket="rows"):
            for one in page.get("Versions", ()):
                about = self.client.get_object(Bucket="rows", Key=one["Key"], VersionId=one["VersionId"])
                yield one["Key"], about["Body"].read()

    def current(self) -> Iterator[tuple[str, bytes]]:
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket="rows"):
            for one in page.get("Contents", ()):
                content = self.client.get_object(Bucket="rows", Key=one["Key"])["Body"].read()
                yield one["Key"].removeprefix("some/where/"), content

    def touch(self, name: str) -> None:
        for path, content in list(self.current()):
            self.write(path, content)

    def break_down(self) -> None:
        self.mood = "away"

    def mend(self) -> None:
        self.mood = ""

    @contextmanager
    def lie(self) -> Iterator[None]:
        self.mood = "lies"
        yield
        self.mood = ""

    def _answer(self, request: Any, **_rest: Any) -> AWSResponse | None:
        """Answer in the place of the store: that there is no bucket, or "done" to what would change something."""
        if self.mood == "away":
            body = io.BytesIO(b"<Error><Code>NoSuchBucket</Code><Message>no</Message></Error>")
            body.stream = lambda *_args, **_keys: iter([body.read()])  # type: ignore[attr-defined]
            return AWSResponse(request.url, 404, {}, body)
        lies = self.mood == "lies" and request.method in ("PUT", "DELETE")
        return AWSResponse(request.url, 200, {"ETag": '"0"'}, io.BytesIO()) if lies else None


@contextmanager
def bucket_world(tmp: Path, **keys: Any) -> Iterator[BucketWorld]:
    """Give a bucket in a store that lives as long as this is entered; botocore reads its models once for all."""
    with mock_aws(config={"core": {"reset_boto3_session": False}}):
        world = BucketWorld(tmp, **keys)
        try:
            yield world
        finally:
            world.close()
