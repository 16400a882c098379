"""An election that is kept: who comes and who leaves costs the components they touch, not the corpus.

The state is the sketches of all texts in the order of their ids, and the component of each. A
text that leaves dissolves its component, which is elected anew among those that stay; one that
comes is compared with those that share a band and merges their components. Either way the
state equals an election from scratch among the same texts, to the last bit
(tests/laws/test_dedup_components.py).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from assent.domain.digests import canonical
from assent.domain.errors import Invalid, NotFound
from assent.pipeline.dedup.elect import Election, check_order, components, elect
from assent.pipeline.dedup.joins import join, roots_of, share_key
from assent.pipeline.dedup.sketch import SKETCH, Sketches
from assent.pipeline.dedup.terms import DedupTerms

if TYPE_CHECKING:
    from pathlib import Path

FILE: Final = "components.arrow"
_TERMS: Final = b"assent.dedup"

Id = int | str
Rows = npt.NDArray[np.int64]


class Components:
    """The components of a set of texts. Rows are places in the sorted ids; one that left keeps its row until `save`."""

    def __init__(self, ids: Sequence[Id] | pa.Array, sketches: Sketches, terms: DedupTerms) -> None:
        """Elect from scratch; the ids come sorted, all numbers or all text."""
        listed = ids if isinstance(ids, pa.Array) else _ids(ids)
        self._set(listed, sketches, terms, elect(listed.to_pylist(), sketches, terms).cluster)

    def _set(self, ids: pa.Array, sketches: Sketches, terms: DedupTerms, cluster: Rows) -> None:
        self._ids = ids
        self._sketches = sketches
        self.terms = terms
        self._cluster = cluster
        # the members of a component lie side by side in `_order`, from `_start` of its smallest row on
        self._order = np.argsort(cluster, kind="stable")
        self._size = np.bincount(cluster[cluster >= 0], minlength=len(cluster))
        self._start = np.cumsum(self._size) - self._size + (cluster < 0).sum()

    def __len__(self) -> int:
        """Count the texts that are there."""
        return int((self._cluster >= 0).sum())

    def __contains__(self, one: Id) -> bool:
        """Tell whether a text is there."""
        row = self._find(one)
        return row is not None and bool(self._cluster[row] >= 0)

    def kept_for(self, one: Id) -> Id:
        """Return the id of the text that is kept for this one: itself, or a smaller one. Raises `NotFound`."""
        return self._id(int(self._cluster[self._row(one)]))

    def members(self, one: Id) -> list[Id]:
        """Return the ids of the component of a text, smallest first. Raises `NotFound`."""
        return [self._id(int(row)) for row in np.sort(self._members(int(self._cluster[self._row(one)])))]

    def election(self) -> tuple[pa.Array, Election]:
        """Return the ids of the texts that are there, and what `elect` gives for them."""
        rows = np.flatnonzero(self._cluster >= 0)
        cluster = np.searchsorted(rows, self._cluster[rows])
        return self._ids.take(pa.array(rows)), Election(cluster == np.arange(len(rows)), cluster)

    def remove(self, ids: Iterable[Id]) -> list[Id]:
        """Let texts leave; return the ids that are kept from now on and were not before, smallest first.

        Costs the components that they were in. Raises `NotFound` for a text that is not there,
        before anything changed.
        """
        leaving = np.array(sorted({self._row(one) for one in ids}), np.int64)
        touched = np.unique(self._cluster[leaving])
        self._cluster[leaving] = -1
        risen: list[int] = []
        for component in touched.tolist():
            risen += self._dissolve(component)
        return [self._id(row) for row in sorted(risen)]

    def add(self, ids: Sequence[Id], sketches: Sketches) -> None:
        """Let texts come, also ones that left before; their ids come sorted.

        Costs a look at the band keys of all, and an election among those that share one with who comes. Raises
        `Invalid` for a text that is there already, before anything changed.
        """
        if not len(ids):
            return
        if any(one in self for one in ids):
            raise Invalid("a text that is to come is there already", "leave it out, or remove it first")
        coming = _ids(ids)
        check_order(ids, len(sketches))
        alive = self._cluster >= 0
        there = np.flatnonzero(alive)
        listed = pa.concat_arrays([self._ids.take(pa.array(there)), coming.cast(self._ids.type)])
        order = pc.sort_indices(listed).to_numpy().astype(np.int64)
        place = np.argsort(order)
        parents = place.copy()
        parents[place[: len(there)]] = place[np.searchsorted(there, self._cluster[there])]
        parents[place[len(there) :]] = place[len(there) :]
        touched = np.flatnonzero(share_key(self._sketches.bands, alive, sketches.bands))
        both = np.concatenate([np.searchsorted(there, touched), np.arange(len(there), len(place))])
        _, first, inverse = np.unique(parents[place[both]], return_index=True, return_inverse=True)
        found = components(
            Sketches.joined(self._sketches.take(touched), sketches), self.terms, joined=first[inverse].astype(np.int64)
        )
        for one, kept in zip(place[both].tolist(), place[both[found]].tolist(), strict=True):
            join(parents, one, kept)
        rows = np.concatenate([there, np.arange(len(sketches)) + len(self._sketches)])
        everything = Sketches.joined(self._sketches, sketches).take(rows[order])
        self._set(listed.take(pa.array(order)), everything, self.terms, roots_of(parents))

    def save(self, folder: Path) -> None:
        """Write everything to one file of a folder, without the texts that left."""
        rows = np.flatnonzero(self._cluster >= 0)
        sketches = self._sketches if len(rows) == len(self._cluster) else self._sketches.take(rows)
        ids = self._ids.take(pa.array(rows))
        cluster = pa.array(np.searchsorted(rows, self._cluster[rows]))
        schema = pa.schema([pa.field("id", ids.type), pa.field("cluster", pa.int64()), *SKETCH])
        marked = schema.with_metadata({_TERMS: canonical(self.terms.describe())})
        batch = pa.RecordBatch.from_arrays([ids, cluster, *sketches.to_batch().columns], schema=marked)
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / f"{FILE}.new"
        with pa.OSFile(str(fresh), "wb") as file, pa.ipc.new_file(file, marked) as writer:
            writer.write_batch(batch)
        fresh.replace(folder / FILE)

    @classmethod
    def load(cls, folder: Path, terms: DedupTerms) -> Components:
        """Map what was saved. Raises `NotFound` where nothing was, `Invalid` if it was made with other terms."""
        path = folder / FILE
        if not path.is_file():
            raise NotFound(f"there is no `{FILE}` in the folder", "make one from the texts")
        with pa.memory_map(str(path)) as file:
            batch = pa.ipc.open_file(file).read_all().combine_chunks().to_batches()
        one = batch[0] if batch else pa.RecordBatch.from_pylist([], schema=pa.ipc.open_file(str(path)).schema)
        if (one.schema.metadata or {}).get(_TERMS) != canonical(terms.describe()):
            raise Invalid(f"`{FILE}` was made with other terms of deduplication", "make it again from the texts")
        found = cls.__new__(cls)
        cluster = one.column("cluster").to_numpy().copy()
        found._set(  # noqa: SLF001 - its own
            one.column("id"), Sketches.of([one.select(SKETCH.names)]), terms, cluster
        )
        return found

    def _dissolve(self, component: int) -> list[int]:
        """Elect anew among the members that stay; return the rows that rose to be kept."""
        members = np.sort(self._members(component))
        start, size = int(self._start[component]), int(self._size[component])
        staying = members[self._cluster[members] >= 0]
        labels = staying[components(self._sketches.take(staying), self.terms)] if len(staying) > 1 else staying
        order = np.argsort(labels, kind="stable")
        self._cluster[staying] = labels
        self._size[component] = 0
        gone = members[self._cluster[members] < 0]
        self._order[start : start + size] = np.concatenate([staying[order], gone])
        kept, first, sizes = np.unique(labels[order], return_index=True, return_counts=True)
        self._start[kept] = start + first
        self._size[kept] = sizes
        return [row for row in kept.tolist() if row != component]

    def _members(self, component: int) -> Rows:
        start = self._start[component]
        return self._order[start : start + self._size[component]]

    def _row(self, one: Id) -> int:
        row = self._find(one)
        if row is None or self._cluster[row] < 0:
            raise NotFound("a text that is asked for is not among the components", "check that it is in the cut")
        return row

    def _find(self, one: Id) -> int | None:
        row = bisect_left(range(len(self._ids)), one, key=self._id)
        return row if row < len(self._ids) and self._id(row) == one else None

    def _id(self, row: int) -> Id:
        found: Id = self._ids[row].as_py()
        return found


def _ids(ids: Sequence[Id]) -> pa.Array:
    kind = pa.int64() if all(isinstance(one, int) for one in ids) else pa.large_string()
    try:
        return pa.array(ids, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        raise Invalid("ids are all numbers or all text", "write every id as text") from None
