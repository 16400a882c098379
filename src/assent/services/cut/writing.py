"""Write the shards of a cut: bucket by bucket, and only those that are not as the number before left them."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from assent.pipeline.shards import link_or_write, write_shards
from assent.pipeline.write import DATA
from assent.services.cut.electing import BOILERPLATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from assent.pipeline.workings import Bucket
    from assent.services.cut.electing import Elected
    from assent.services.cut.series import Series, State


@dataclass(slots=True)
class Written:
    """What lies in the folder: inputs, files and counts by bucket, and what was left out, by block and reason.

    `new` are the buckets that are not as they were in the number before.
    """

    buckets: dict[str, dict[str, Any]] = field(default_factory=dict)
    dropped: dict[str, Counter[str]] = field(default_factory=dict)
    new: list[int] = field(default_factory=list)

    def drop(self, block: str, reason: str, parts: int) -> None:
        """Count parts that are not written."""
        self.dropped.setdefault(block, Counter())[reason] += parts


def write(
    series: Series, elected: Elected, folder: Path, before: State, previous: Path | None, advance: Callable[[int], None]
) -> Written:
    """Write every bucket; `before` and the folder `previous` are the number before this one, as far as it is known."""
    (folder / DATA).mkdir(mode=0o700)
    written = Written()
    for number in range(series.buckets):
        bucket = series.workings.bucket(number)
        known = before.buckets.get(str(number))
        if bucket is not None and bucket.talks.num_rows:
            reasons, splits = elected.of(number)
            rows, common = elected.rows(number, bucket.talks)
            _count_out(bucket.talks, reasons, written)
            if pc.any(common).as_py():
                written.drop("elect", BOILERPLATE, pc.sum(common).as_py())
            kept = pc.is_null(reasons)
            inputs = _inputs(series, bucket.talks.filter(kept), splits.filter(kept), common)
            if known is None or known["inputs"] != inputs or previous is None or not _linked(known, previous, folder):
                known = _written(series, number, bucket, rows, splits, folder) | {"inputs": inputs}
                written.new.append(number)
            written.buckets[str(number)] = known
        elif known is not None:
            written.new.append(number)
        advance(1)
    return written


def left_out(series: Series, elected: Elected) -> Iterator[tuple[str | None, str]]:
    """List what the work and the election left out, by part and reason."""
    for number in range(series.buckets):
        bucket = series.workings.bucket(number)
        if bucket is None:
            continue
        for said in bucket.talks["excluded"].to_pylist():
            yield from ((one["part"], one["reason"]) for one in said)
        reasons = dict(zip(bucket.talks["conversation"].to_pylist(), elected.of(number)[0].to_pylist(), strict=True))
        kept = elected.rows(number, bucket.talks)[0]
        if not pc.all(kept).as_py():
            gone = bucket.rows().filter(pc.invert(kept))
            for part, conversation in zip(gone["part"].to_pylist(), gone["conversation"].to_pylist(), strict=True):
                yield part, reasons[conversation] or BOILERPLATE


def members(series: Series, elected: Elected, number: int) -> pa.Table:
    """Read who is in a bucket of the cut: `conversation`, `part` (with its conversation) and `subject`."""
    bucket = series.workings.bucket(number)
    if bucket is None:
        return _MEMBERS.empty_table()
    rows = bucket.rows().select(["conversation", "part"]).filter(elected.rows(number, bucket.talks)[0])
    places = pc.index_in(rows["conversation"], value_set=bucket.talks["conversation"].combine_chunks())
    return rows.append_column("subject", bucket.talks["subject"].take(places)).cast(_MEMBERS)


_MEMBERS: Final = pa.schema([("conversation", pa.string()), ("part", pa.string()), ("subject", pa.string())])


def _written(
    series: Series, number: int, bucket: Bucket, kept: pa.Array, splits: pa.Array, folder: Path
) -> dict[str, Any]:
    if not pc.any(kept).as_py():
        return {"files": [], "counts": {}}
    rows = bucket.rows().filter(kept)
    places = pc.index_in(rows["conversation"], value_set=bucket.talks["conversation"].combine_chunks())
    files, counts = write_shards(folder, number, rows, splits.take(places), series.recipe.formats)
    return {"files": files, "counts": counts}


def _linked(known: dict[str, Any], previous: Path, folder: Path) -> bool:
    """Take over the files of the number before, if all of them are still there and none was written anew since."""
    made: list[Path] = []
    for file in known["files"]:
        source, target = previous / file["name"], folder / file["name"]
        there = source.is_file() and source.stat().st_size == file["bytes"]
        if not there or not link_or_write(source, target):
            for path in made:
                path.unlink()
            return False
        made.append(target)
    return True


def _inputs(series: Series, talks: pa.Table, splits: pa.Array, common: pa.Array) -> str:
    """Name everything that the files of a bucket are made of."""
    state = hashlib.sha256(series.written_digest.encode())
    state.update(str(pc.indices_nonzero(common).to_pylist()).encode())
    columns = (talks["conversation"], talks["fingerprint"], splits)
    for row in zip(*(column.to_pylist() for column in columns), strict=True):
        state.update("\x1f".join(row).encode() + b"\n")
    return state.hexdigest()


def _count_out(talks: pa.Table, reasons: pa.Array, written: Written) -> None:
    for one in pc.list_flatten(talks["excluded"]).to_pylist():
        written.drop(one["block"], one["reason"], 1)
    parts = talks["parts"].to_pylist()
    for reason, count in zip(reasons.to_pylist(), parts, strict=True):
        if reason and count:
            written.drop("elect", reason, count)
