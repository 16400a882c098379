"""Cut: write what is eligible for a purpose into a folder, worked on, chosen and proved (spec/manifest.md).

1. The set evaluator says what is eligible, for everything that is kept.
2. What is new or changed since the last number is read, decided again by the reference, proved, and worked on.
3. Among what the work has left, copies, balance and splits are decided, without any text.
4. Shards are written, or taken over where nothing changed; manifest and record come last.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from assent.domain.errors import Refused
from assent.pipeline.folder import unfinished
from assent.pipeline.write import EXCLUDED, EXCLUDED_FILE, PARTS, rows_file
from assent.services.cut.electing import elect
from assent.services.cut.record import Considered, Made, finish, newest_erasure
from assent.services.cut.rows import ENDED_SINCE, Reader
from assent.services.cut.series import open_series
from assent.services.cut.twins import declined_sketches
from assent.services.cut.updating import Updating
from assent.services.cut.writing import left_out, write
from assent.store.answers import answers
from assent.store.records import part_name
from assent.store.selection import (
    Spread,
    choose,
    count_chosen,
    count_eligible,
    ended_since,
    not_eligible,
    remember_eligible,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    import pyarrow as pa

    from assent.pipeline.dedup.sketch import Sketches
    from assent.pipeline.write import RowsFile
    from assent.policy.model import Policy
    from assent.services.cut.order import CutOrder, CutStore
    from assent.services.cut.series import Series
    from assent.store.answers import Answers
    from assent.store.columns import Columns

    Progress = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]


@dataclass(frozen=True, slots=True)
class Taken:
    """A cut that was written: its manifest, and the digest of the manifest's bytes."""

    manifest: dict[str, Any]
    digest: str


class NothingEligible(Refused):
    """Not one part may be written. `excluded` counts all that were considered, by reason."""

    def __init__(self, purpose: str, excluded: Counter[str]) -> None:
        """Keep the counts: they are the explanation."""
        fix = "see the counts by reason, and `assent explain` of a conversation you expected"
        super().__init__(f"no part may be used for `{purpose}`, so nothing was written", fix)
        self.excluded = excluded


def take(order: CutOrder, store: CutStore, columns: Columns, policies: Sequence[Policy], progress: Progress) -> Taken:
    """Write a cut into a folder of its own and record it. `policies` are ordered by date, oldest first.

    `progress` shows how far it is: it takes what is done and how much of it there is, and
    gives the function to call with each further amount. Raises `NothingEligible` if there is
    nothing to write, `Invalid` for an order that cannot be carried out, and `AssentError` if
    the two evaluators disagree on a part; then no folder is left and nothing is recorded.
    """
    order.look_over(policies)
    with ExitStack() as open_things:
        folder = open_things.enter_context(unfinished(order.directory.absolute()))
        before = newest_erasure(store)
        remembered = order.now > order.at
        if remembered:
            with answers(store, columns, policies, order.now):
                remember_eligible(columns, order.purpose)
        found = open_things.enter_context(answers(store, columns, policies, order.at))
        eligible = count_eligible(columns, order.purpose)
        series = open_things.enter_context(open_series(order, eligible))
        spread = Spread(series.bucket_key(), series.buckets, _stamp(order, policies))
        choose(columns, order.purpose, spread, store.content_digests(), remembered=remembered)
        cutting = _Cutting(order, store, policies, series, progress)
        made = cutting.run(folder.path, columns, found, eligible, before)
        manifest, digest = finish(order, store, policies, made, folder)
    return Taken(manifest, digest)


def _stamp(order: CutOrder, policies: Sequence[Policy]) -> str:
    """Name what decides, besides facts: when another version comes into force, everything is decided anew."""
    in_force = (policy.digest for policy in policies if policy.effective <= order.at)
    return " ".join([*in_force, "of", *(policy.digest for policy in policies)])


class _Cutting:
    """One cut while it is being made."""

    def __init__(
        self, order: CutOrder, store: CutStore, policies: Sequence[Policy], series: Series, progress: Progress
    ) -> None:
        self._order = order
        self._store = store
        self._series = series
        self._progress = progress
        self._reader = Reader(order, store, policies, series.key)
        self._reader.governed |= series.governed

    def run(self, folder: Path, columns: Columns, found: Answers, eligible: int, erased_before: int) -> Made:
        """Do everything but the end."""
        order, series = self._order, self._series
        considered = self._considered(columns, found, eligible)
        with self._progress(f"cutting for {order.purpose}", count_chosen(columns)[0]) as advance:
            Updating(series, order, columns, self._reader, advance).run()
        with self._progress("comparing", series.buckets) as advance:
            elected = elect(series, advance, self._declined(columns))
        state = series.state
        previous = self._previous(state.number, state.manifest)
        with self._progress("writing", series.buckets) as advance:
            written = write(series, elected, folder, state, previous, advance)
        if not any(bucket["files"] for bucket in written.buckets.values()):
            raise NothingEligible(order.purpose, sum(written.dropped.values(), considered.excluded))
        listed = None
        if order.keep_excluded:
            with rows_file(folder / EXCLUDED_FILE, EXCLUDED) as excluded:
                self._list(columns, excluded)
                excluded.add({"part": part, "reason": reason} for part, reason in left_out(series, elected))
            listed = excluded.rows
        schema = _schema(folder)
        return Made(series, elected, written, considered, self._reader.governed, listed, erased_before, schema)

    def _declined(self, columns: Columns) -> Callable[[Path], Sketches] | None:
        """Return what sketches the texts of people who declined, if the recipe asks for it."""
        dedup = self._series.recipe.dedup
        if dedup is None or not dedup.strict_twin:
            return None
        return partial(declined_sketches, self._order, self._store, columns, self._series)

    def _considered(self, columns: Columns, found: Answers, eligible: int) -> Considered:
        excluded = Counter({tally.label: tally.parts for tally in found.why_not(self._order.purpose)})
        parts = eligible + excluded.total()
        if ended := count_chosen(columns)[1]:
            excluded[ENDED_SINCE] += ended
        return Considered(parts, eligible, excluded)

    def _previous(self, number: int, manifest: str) -> Path | None:
        """Find the folder of the number before, if the series knows what it consists of."""
        known = self._store.cuts_named(self._order.name)
        if not known or (known[-1].number, known[-1].manifest) != (number, manifest):
            return None
        return None if known[-1].retired_at is not None else Path(known[-1].directory)

    def _list(self, columns: Columns, excluded: RowsFile) -> None:
        """List what the policy left out."""
        size = self._order.batch_rows
        with closing(not_eligible(columns, self._order.purpose, size)) as batches:
            for batch in batches:
                self._add(excluded, batch["part"].to_pylist(), batch["reason"].to_pylist())
        with closing(ended_since(columns, size)) as batches:
            for batch in batches:
                self._add(excluded, batch["part"].to_pylist(), [ENDED_SINCE] * batch.num_rows)

    def _add(self, excluded: RowsFile, keys: Sequence[int], reasons: Sequence[str]) -> None:
        names = self._store.names_of(keys)
        excluded.add(_listed(names.get(key), reason) for key, reason in zip(keys, reasons, strict=True))


def _listed(name: tuple[str, str] | None, reason: str) -> dict[str, str | None]:
    return {"part": part_name(*name) if name else None, "reason": reason}


def _schema(folder: Path) -> pa.Schema:
    """Read the columns back from a shard: all have the same."""
    shards: Iterator[Path] = folder.glob("data/parts-*.parquet")
    return next((pq.read_schema(path) for path in sorted(shards)), PARTS)
