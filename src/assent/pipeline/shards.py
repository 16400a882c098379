"""Shards: the files of one bucket of a cut, in each split and form, and what they come to."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from assent.domain.instants import format_instant
from assent.pipeline.messages import MessageCounts, lines
from assent.pipeline.outputs.formats import preferences, ratings, sharegpt
from assent.pipeline.outputs.layout import PARTS, shard_name
from assent.pipeline.write import LinesFile, file_record, rows_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SPLITS: Final = ("train", "validation", "test")
"""Splits in the order in which a cut lists them; a cut that is not split is all for training."""

_FORMS: Final = {"sharegpt": sharegpt, "preferences": preferences, "ratings": ratings}


def write_shards(
    folder: Path, number: int, rows: pa.Table, split: pa.Array, formats: Sequence[str]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Write the rows of one bucket, `split` naming the split of each; return the records of the files and counts."""
    files: list[dict[str, Any]] = []
    counts: dict[str, Any] = {"by_split": {}, "messages": 0, "left_out": {}, "silent": {}}
    messages = MessageCounts()
    for name in SPLITS:
        some = rows.filter(pc.equal(split, name))
        if some.num_rows:
            files += _write(folder, name, number, some.combine_chunks(), formats, messages)
            counts["by_split"][name] = _sums(some)
    counts |= {
        "messages": messages.written,
        "left_out": dict(messages.left_out),
        "silent": dict(messages.silent),
        **_account(rows),
    }
    return files, counts


def link_or_write(source: Path, target: Path) -> bool:
    """Give a finished shard another name, without copying where the disk can; False if it is not there."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        return False
    except OSError:
        content = source.read_bytes()
        with target.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    return True


def _write(
    folder: Path, split: str, number: int, rows: pa.Table, formats: Sequence[str], messages: MessageCounts
) -> Iterator[dict[str, Any]]:
    for form in (PARTS, *formats):
        name = shard_name(form, split, number)
        record = write_form(form, rows, folder / name, messages)
        if record["rows"]:
            yield record | {"name": name}
        else:
            (folder / name).unlink()


def write_form(form: str, rows: pa.Table, path: Path, messages: MessageCounts | None = None) -> dict[str, Any]:
    """Write rows in one form; return the record of the file."""
    if form == PARTS:
        with rows_file(path, rows.schema) as file:
            file.write(rows)
        return file_record(path, rows.num_rows).to_record()
    made = LinesFile(path)
    for batch in rows.combine_chunks().to_batches():
        made.add(lines(batch, messages or MessageCounts()) if form == "messages" else _FORMS[form](batch))
    made.close()
    return file_record(path, made.rows).to_record()


def _sums(rows: pa.Table) -> dict[str, int]:
    return {
        "rows": rows.num_rows,
        "conversations": pc.count_distinct(rows["conversation"]).as_py(),
        # people never share a bucket with themselves elsewhere, so these can be added up
        "people": pc.count_distinct(rows["person"], mode="only_valid").as_py(),
        "bytes": pc.sum(pc.binary_length(rows["text"].cast(pa.large_binary()))).as_py() or 0,
    }


def _account(rows: pa.Table) -> dict[str, Any]:
    """Count rows by what the manifest names."""
    said = rows["created_at"].drop_null()
    firsts = rows.group_by("conversation", use_threads=False).aggregate(
        [(name, "first") for name in ("language", "skill") if name in rows.schema.names]
    )
    account: dict[str, Any] = {
        "under": _tally(rows["policy"]),
        "proofs": _tally(rows["proof"]),
        "surfaces": sorted(filter(None, pc.unique(rows["surface"]).to_pylist())),
        "modalities": sorted(pc.unique(rows["data"]).to_pylist()),
        "first": format_instant(pc.min(said).as_py()) if len(said) else None,
        "last": format_instant(pc.max(said).as_py()) if len(said) else None,
        "found": {},
        "tokens": pc.sum(rows["tokens"]).as_py() or 0 if "tokens" in rows.schema.names else 0,
    }
    for name in ("language", "skill"):
        account[f"by_{name}"] = _tally(firsts[f"{name}_first"]) if f"{name}_first" in firsts.schema.names else {}
    if "findings" in rows.schema.names:
        flat = pc.list_flatten(rows["findings"])
        account["found"] = _tally(pc.struct_field(flat, "type"))
    return account


def _tally(values: pa.ChunkedArray) -> dict[str, int]:
    return {str(one["values"] or ""): one["counts"] for one in pc.value_counts(values).to_pylist()}


def added(counts: Sequence[Mapping[str, Any]], name: str) -> dict[str, int]:
    """Add up one tally of many buckets, the largest first."""
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one[name])
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))
