"""A small cut in a folder, written by its form (spec/manifest.md) from the rows a test gives. No store, no blocks."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from itertools import count, groupby
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from assent.domain.digests import canonical
from assent.domain.instants import format_instant
from assent.pipeline.messages import MessageCounts, lines
from assent.pipeline.outputs.card import card
from assent.pipeline.outputs.croissant import croissant
from assent.pipeline.outputs.formats import preferences, ratings, sharegpt
from assent.pipeline.outputs.layout import CARD, CROISSANT, LINEAGE, shard_name
from assent.pipeline.outputs.lineage import lineage, run_id
from assent.pipeline.write import PARTS

FINDINGS = pa.list_(pa.struct([("type", pa.string()), ("start", pa.int32()), ("end", pa.int32())]))
COLUMNS = pa.schema(
    [
        *PARTS,
        pa.field("language", pa.string()),
        pa.field("language_p", pa.float32()),
        pa.field("quality", pa.float32()),
        pa.field("skill", pa.string()),
        pa.field("subskill", pa.string()),
        pa.field("skill_p", pa.float32()),
        pa.field("findings", FINDINGS),
    ]
)
RECIPE = [
    {"block": "normalise", "digest": "sha256:" + "1" * 64, "version": 1},
    {"block": "redact", "digest": "sha256:" + "2" * 64, "version": 1},
    {"block": "language", "digest": "sha256:" + "3" * 64, "version": 1},
]
_FORMS = {"sharegpt": sharegpt, "preferences": preferences, "ratings": ratings}
_numbers = count()


def said(text: str, *, by: str = "user", conversation: str = "test:1", **more: Any) -> dict[str, Any]:
    number = next(_numbers)
    return {
        "part": f"{conversation}#{number}",
        "conversation": conversation,
        "person": hashlib.sha256(conversation.encode()).hexdigest()[:32],
        "turn": f"t{number}",
        "ordinal": number,
        "speaker": by,
        "origin": {"user": "person", "assistant": "model"}.get(by, "tool"),
        "data": "text",
        "marks": [],
        "tool": None,
        "created_at": None,
        "text": text,
        "decision": f"sha256:{number:064x}",
        "proof": "choice",
        "receipt": f"receipt-{conversation}",
        "policy": "sha256:" + "a" * 64,
        "language": "en",
        "language_p": 0.5,
        "quality": 1.0,
        "skill": "other",
        "subskill": "talk",
        "skill_p": 0.5,
        "findings": [],
        **more,
    }


def rated(turn: str, word: str, **more: Any) -> dict[str, Any]:
    return said(f'{{"rating":"{word}"}}', data="feedback", turn=turn, **more)


def batch(rows: Iterable[dict[str, Any]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(list(rows), schema=COLUMNS)


def chats(conversations: int, *, name: str = "chat") -> list[dict[str, Any]]:
    """Plain conversations of two messages, each of a person of its own."""
    return [
        row
        for number in range(conversations)
        for row in (
            said(f"question {number}", conversation=f"test:{name}-{number:03}"),
            said(f"answer {number}", by="assistant", conversation=f"test:{name}-{number:03}"),
        )
    ]


def manifest_of(splits: dict[str, list[dict[str, Any]]], files: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    rows = [row for part in splits.values() for row in part]
    times = sorted(format_instant(row["created_at"]) for row in rows if row["created_at"] is not None)
    return {
        "assent_cut": 2,
        "assent": "0.0.0",
        "name": "spring",
        "number": 3,
        "purpose": "training",
        "at": "2026-05-01T00:00:00Z",
        "policies": [{"name": "example", "digest": "sha256:" + "b" * 64, "effective": "2025-01-01T00:00:00Z"}],
        "decided_under": [],
        "recipe": RECIPE,
        "choice": {"formats": ["messages"], "dedup": {"threshold": 80}, "balance": None, "split": None},
        "splits": list(splits),
        "timeframe": {"first": times[0] if times else None, "last": times[-1] if times else None},
        "surfaces": ["chat"],
        "modalities": ["text"],
        "merkle_root": "c" * 64,
        "membership": {"root": "sha256:" + "d" * 64, "size": 4},
        "counts": {
            "considered": len(rows) + 5,
            "eligible": len(rows),
            "written": len(rows),
            "excluded": {"unanswered": 4, "hold": 1},
            "by_block": {
                "redact": {"dropped": {"redaction: uncertain": 2}, "counts": {"email": 7}},
                "normalise": {"dropped": {}, "counts": {}},
            },
            "by_skill": dict(Counter({row["conversation"]: row["skill"] for row in rows}.values())),
            "by_language": dict(Counter({row["conversation"]: row["language"] for row in rows}.values())),
            "by_split": {split: _sums(part) for split, part in splits.items()},
            "proofs": {"choice": len(rows)},
            **_sums(rows),
        },
        "messages": {"conversations": 0, "left_out": {}, "silent_parts": {}},
        "files": files,
        **more,
    }


def write_cut(
    folder: Path, splits: dict[str, list[dict[str, Any]]], *, per_shard: int = 1_000, plain: bool = False
) -> dict[str, Any]:
    """Write the folder of a cut with `per_shard` conversations to a shard, and return its manifest.

    A `plain` cut has no blocks, so no columns of theirs and no counts.
    """
    schema = PARTS if plain else COLUMNS
    (folder / "data").mkdir(parents=True)
    files: list[dict[str, Any]] = []
    for split, rows in splits.items():
        whole = [list(parts) for _, parts in groupby(rows, key=lambda row: row["conversation"])]
        for number, start in enumerate(range(0, len(whole), per_shard)):
            piece = batch(row for parts in whole[start : start + per_shard] for row in parts).select(schema.names)
            name = shard_name("parts", split, number)
            pq.write_table(pa.Table.from_batches([piece]), folder / name)
            files.append(_file(folder, name, piece.num_rows))
            said_in = {"messages": list(lines(piece, MessageCounts()))}
            said_in |= {form: list(write(piece)) for form, write in _FORMS.items()}
            for form, found in said_in.items():
                if found:
                    name = shard_name(form, split, number)
                    (folder / name).write_bytes(b"".join(line + b"\n" for line in found))
                    files.append(_file(folder, name, len(found)))
    manifest = manifest_of(splits, files)
    if plain:
        manifest |= {"recipe": [], "choice": {"formats": ["messages"]}}
        manifest["counts"] |= {"by_block": {}, "by_skill": {}, "by_language": {}}
    (folder / CARD).write_text(card(manifest))
    (folder / CROISSANT).write_bytes(orjson.dumps(croissant(manifest, schema)))
    events = lineage(manifest, run_id(manifest))
    (folder / LINEAGE).write_bytes(b"".join(orjson.dumps(event) + b"\n" for event in events))
    (folder / "manifest.json").write_bytes(canonical(manifest))
    return manifest


def _sums(rows: list[dict[str, Any]]) -> dict[str, int]:
    return {
        "rows": len(rows),
        "conversations": len({row["conversation"] for row in rows}),
        "people": len({row["person"] for row in rows}),
        "bytes": sum(len(row["text"].encode()) for row in rows),
    }


def _file(folder: Path, name: str, rows: int) -> dict[str, Any]:
    content = (folder / name).read_bytes()
    return {"name": name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "rows": rows}
