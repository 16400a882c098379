"""Exports and logs of chat products, in every format, plain and packed."""

from __future__ import annotations

import gzip
import io
import json
import sys
import zipfile
from collections.abc import Callable
from functools import cache

import pyarrow as pa
from pyarrow import parquet

from assent.connectors.formats.port import Malformed, Skipped, Source
from assent.connectors.formats.registry import get
from assent.domain.conversation import Conversation
from tests.fuzz.target import REPOSITORY, Target, at

sys.path.insert(0, str(REPOSITORY / "tests" / "unit" / "connectors" / "formats"))

from source_samples import SAMPLES, lmsys, named_messages

PAGE = (
    b"<!DOCTYPE html><html><head><title>My Activity History</title></head><body><div class='mdl-grid'>"
    b"<div class='outer-cell'><div class='mdl-grid'><div class='header-cell'><p>Gemini Apps<br></p></div>"
    b"<div class='content-cell mdl-typography--body-1'>Prompted how long<br>"
    b"Apr 12, 2026, 12:00:00\xe2\x80\xafPM UTC<br>"
    b"<p>an <b>answer</b></p></div></div></div></div></body></html>"
)


def imported(name: str, file: str) -> Callable[[bytes], object]:
    """Read a source to its end, and hold what comes to the port's promise."""

    def read(data: bytes) -> None:
        source = Source(at(f"{name}/{file}", data))
        importer = get(name)
        importer.sniff(source.path)
        for record in importer.read(source):
            assert isinstance(record, Conversation | Skipped | Malformed)
            assert isinstance(record, Conversation) or record.records >= 0

    return read


def packed(name: str, files: dict[str, bytes]) -> bytes:
    """Put an export into a ZIP."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, content in files.items():
            archive.writestr(f"{name}{file}", content)
    return whole.getvalue()


@cache
def bomb() -> bytes:
    """Pack a file that unpacks to a thousand times its size, and one that lies about its own."""
    whole = packed("", {"conversations.json": b"[" + b" " * (33 << 20) + b"]"})
    return whole.replace((33 << 20).to_bytes(4, "little"), b"\x10\0\0\0")


@cache
def zips() -> list[bytes]:
    made = [one.packed(one.units())[0] for one in SAMPLES[:5]]
    named = [packed("", {one.file: content}) for one, content in zip(SAMPLES, made, strict=False)]
    return [
        *named, bomb(), packed("../", {"conversations.json": b"[]"}), packed("/", {"a.json": b"[]"}),
        packed("Takeout/My Activity/Gemini Apps/", {"MyActivity.html": PAGE}), packed("", {}),
    ]  # fmt: skip


def rows(make: Callable[[int], object]) -> list[bytes]:
    whole = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist([make(number) for number in range(3)]), whole)
    return [whole.getvalue()]


def one_session() -> list[bytes]:
    said = {"id": "u1", "type": "user", "timestamp": "2026-01-02T03:00:00Z", "content": "how long"}
    return [json.dumps({"sessionId": "s", "projectHash": "a", "messages": [said]}).encode()]


TARGETS = [
    *(
        Target(f"{one.format}.{one.file}", imported(one.format, one.file), lambda one=one: [one.packed(one.units())[0]])
        for one in SAMPLES
    ),
    Target("gemini-takeout.html", imported("gemini-takeout", "MyActivity.html"), [PAGE]),
    Target("gemini-cli.json", imported("gemini-cli", "session-x.json"), one_session),
    Target("sharegpt.gz", imported("sharegpt", "set.json.gz"), [gzip.compress(b'[{"conversations":[]}]')]),
    Target("hf-messages.parquet", imported("hf-messages", "set.parquet"), lambda: rows(named_messages)),
    Target("lmsys-wildchat.parquet", imported("lmsys-wildchat", "set.parquet"), lambda: rows(lmsys)),
    *(Target(f"{name}.zip", imported(name, "export.zip"), zips) for name in ("claude-ai", "chatgpt", "gemini-takeout")),
]
