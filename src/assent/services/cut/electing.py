"""Elect among the conversations that the work has left: copies, balance, splits. No text is looked at any more."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assent.pipeline.dedup.sketch import Sketches
    from assent.pipeline.recipe import Recipe
    from assent.services.cut.series import Series

REPEATS: Final = "repeats another"
TWIN: Final = "twin of a declined text"
BOILERPLATE: Final = "boilerplate turn"
_NO_TURNS: Final = pa.array([], pa.binary(32))
TRAIN: Final = "train"

_ASKED: Final = ("conversation", "person", "parts", "bytes", "skill")
_SKETCH: Final = ("digest", "bands", "shingles")


@dataclass(frozen=True, slots=True)
class Elected:
    """What became of each conversation of the workings, bucket after bucket, in their order.

    `starts` says where each bucket begins (and, last, how many there are), `reason` why a
    conversation is left out (null if it is not), `split` where it goes. `boilerplate` are digests of
    turns that go wherever they stand.
    """

    starts: list[int]
    reason: pa.Array
    split: pa.Array
    boilerplate: pa.Array

    def of(self, bucket: int) -> tuple[pa.Array, pa.Array]:
        """Return reasons and splits of one bucket."""
        start, stop = self.starts[bucket], self.starts[bucket + 1]
        return self.reason.slice(start, stop - start), self.split.slice(start, stop - start)

    def rows(self, bucket: int, talks: pa.Table) -> tuple[pa.Array, pa.Array]:
        """Tell of each row of a bucket whether it is written, and whether it is boilerplate of one that is."""
        kept = pc.is_null(self.of(bucket)[0])
        row_kept = kept.take(pa.array(_owners(talks), pa.int64()))
        if not len(self.boilerplate):
            return row_kept, pa.array([False] * len(row_kept), pa.bool_())
        turns = pc.list_flatten(talks["turns"]).combine_chunks()
        common = pc.is_in(turns, value_set=self.boilerplate)
        return pc.and_not(row_kept, common), pc.and_(row_kept, common)


def elect(
    series: Series, advance: Callable[[int], None], declined: Callable[[Path], Sketches] | None = None
) -> Elected:
    """Elect among everything in the workings of a series; `advance` is told of each further bucket.

    `declined` sketches what people who declined have written, into an empty folder; None where nobody asks for it.
    """
    recipe = series.recipe
    starts, tables = [0], []
    with tempfile.TemporaryDirectory(dir=series.folder) as scratch:
        sketches = _Sketching(Path(scratch)) if recipe.dedup is not None else None
        for number in range(series.buckets):
            bucket = series.workings.bucket(number)
            talks = bucket.talks if bucket is not None else None
            if talks is not None and talks.num_rows:
                tables.append(talks.select(_ASKED).replace_schema_metadata(None))
                if sketches is not None:
                    sketches.add(talks.filter(pc.greater(talks["parts"], 0)).select(_SKETCH))
            starts.append(starts[-1] + (talks.num_rows if talks is not None else 0))
            advance(1)
        if not tables:
            return Elected(starts, pa.array([], pa.string()), pa.array([], pa.string()), _NO_TURNS)
        talks = pa.concat_tables(tables).combine_chunks()
        there = pc.greater(talks["parts"], 0).combine_chunks()
        reason = pc.if_else(there, pa.scalar(None, pa.string()), "")
        if sketches is not None:
            repeats, twins = sketches.repeats(recipe, declined)
            reason = _left_out(reason, there, repeats, REPEATS)
            reason = _left_out(reason, there, twins, TWIN)
    common = _boilerplate(series)
    if len(common):
        reason = _left_out(reason, there, _all_common(series, common), BOILERPLATE)
    reason = _balanced(talks, reason, recipe, series.key)
    return Elected(starts, reason, _split(talks, recipe, series.key), common)


class _Sketching:
    """The sketches of all conversations, on the disk until the election is over."""

    def __init__(self, folder: Path) -> None:
        from assent.pipeline.dedup.sketch import SketchFiles  # noqa: PLC0415 - an extra

        self._folder = folder
        (folder / "own").mkdir()
        self._files = SketchFiles(folder / "own")

    def add(self, sketches: pa.Table) -> None:
        for batch in sketches.combine_chunks().to_batches():
            self._files.add(batch)

    def repeats(self, recipe: Recipe, declined: Callable[[Path], Sketches] | None) -> tuple[pa.Array, pa.Array]:
        """Tell which conversations say what an earlier one says, and which what somebody said who declined."""
        from assent.pipeline.dedup.elect import elect as among  # noqa: PLC0415 - an extra
        from assent.pipeline.dedup.terms import DedupTerms  # noqa: PLC0415 - as above

        found = self._files.read()
        terms = DedupTerms((recipe.dedup.threshold if recipe.dedup else 100) / 100)
        others = None
        if declined is not None:
            (self._folder / "declined").mkdir()
            others = declined(self._folder / "declined")
        elected = among(range(len(found)), found, terms, denied=others)
        return pa.array(~elected.keep & (elected.cluster >= 0)), pa.array(elected.cluster < 0)


def _owners(talks: pa.Table) -> list[int]:
    """Name the conversation of each row, by its place."""
    return [place for place, parts in enumerate(talks["parts"].to_pylist()) for _ in range(parts)]


def _boilerplate(series: Series) -> pa.Array:
    """Find the turns that many people have in common."""
    if series.recipe.dedup is None or not series.recipe.dedup.boilerplate:
        return _NO_TURNS
    from assent.pipeline.dedup.boilerplate import TURNS, BoilerplateTerms, boilerplate  # noqa: PLC0415 - an extra

    def turns() -> Iterator[pa.RecordBatch]:
        for talks in _talks(series):
            owners = pa.array(_owners(talks), pa.int64())
            columns = [
                talks["conversation"].take(owners),
                talks["person"].take(owners),
                pc.list_flatten(talks["turns"]),
            ]
            yield from pa.table(columns, schema=TURNS).to_batches()

    return boilerplate(turns(), BoilerplateTerms())


def _all_common(series: Series, common: pa.Array) -> pa.Array:
    """Tell of each conversation with rows whether all its turns are boilerplate."""
    found: list[bool] = []
    for talks in _talks(series):
        asked = pc.is_in(pc.list_flatten(talks["turns"]).combine_chunks(), value_set=common).to_pylist()
        at = 0
        for parts in filter(None, talks["parts"].to_pylist()):
            found.append(all(asked[at : at + parts]))
            at += parts
    return pa.array(found, pa.bool_())


def _talks(series: Series) -> Iterator[pa.Table]:
    for number in range(series.buckets):
        bucket = series.workings.bucket(number)
        if bucket is not None and bucket.talks.num_rows:
            yield bucket.talks


def _left_out(reason: pa.Array, among: pa.Array, out: pa.Array, why: str) -> pa.Array:
    """Give a reason to those that are `out`, a mask over the rows of the mask `among`."""
    over_all = pc.replace_with_mask(pa.array([False] * len(reason)), among, out)
    return pc.if_else(over_all, why, reason)


def _balanced(talks: pa.Table, reason: pa.Array, recipe: Recipe, key: bytes) -> pa.Array:
    """Leave out what is too much of one person or one skill, of what is left."""
    if recipe.balance is None:
        return reason
    from assent.pipeline.balance import BalanceTerms, balance  # noqa: PLC0415 - only who asks for it pays for it

    left = pc.is_null(reason)
    among = talks.filter(left).rename_columns({"parts": "rows"})
    terms = BalanceTerms(recipe.balance.conversations, recipe.balance.rows, recipe.balance.mix)
    return pc.replace_with_mask(reason, left, pa.array(balance(among, terms, key), pa.string()))


def _split(talks: pa.Table, recipe: Recipe, key: bytes) -> pa.Array:
    if recipe.split is None:
        return pa.array([TRAIN] * talks.num_rows, pa.string())
    from assent.pipeline.split import SplitTerms, split  # noqa: PLC0415 - as above

    people, names = talks["person"].to_pylist(), talks["conversation"].to_pylist()
    return pa.array(split(people, names, SplitTerms(recipe.split.validation, recipe.split.test), key), pa.string())
