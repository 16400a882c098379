"""Look for canaries in every file of a cut."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assent.domain.errors import Invalid
from assent.policy.versions import by_date, decide_versions, governing
from assent.services.canary.marks import PATTERN, found_in, kind_of, owners
from assent.services.canary.plant import canaries
from assent.services.cut_check.files import open_folder
from assent.store.port import Conversations, Erasures, Reconciling
from assent.store.records import Page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from assent.policy.model import Policy
    from assent.store.records import Tracer

EXCLUDED: Final = "excluded.parquet"
"""The one file that may name canaries: it lists what was left out."""

_LINES: Final = 5_000
_ROWS: Final = 5_000


class CheckStore(Conversations, Erasures, Reconciling, Protocol):
    """What looking for canaries asks of a store."""


class Leak(NamedTuple):
    """A canary that reached a file: by its `name` (an id in a column) or by its `text`."""

    canary: str
    file: str
    how: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked for, and found. `standing` counts by kind the canaries that could have got in, and must not.

    `void` canaries may be used under the policies of the cut's instant (their hold was released, a rule changed), and
    say nothing. `files` were read.
    """

    cut: str
    number: int
    standing: Counter[str]
    void: tuple[str, ...]
    files: int
    leaks: tuple[Leak, ...]

    @property
    def exit_code(self) -> int:
        """Return 2 for a leak, 4 if there was nothing to look for, else 0."""
        if self.leaks:
            return 2
        return 0 if self.standing else 4


def look_for_canaries(folder: Path, store: CheckStore, policies: Sequence[Policy]) -> Looked:
    """Look for every canary in the cut of `folder`. Raises `NotFound` where there is none."""
    cut = open_folder(folder)
    at, purpose = cut.at, cut.manifest["purpose"]
    standing, void, sought = Counter[str](), [], []
    for canary in canaries(store):
        if canary.planted_at > at or not _was_here(store, canary, at):
            sought.append(canary)  # it could not get in lawfully or not: to find it is worse
        elif _may_be_used(store, canary, policies, purpose, at):
            void.append(canary.conversation)
        else:
            sought.append(canary)
            standing[kind_of(canary)] += 1
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    known = owners(sought)
    leaks: set[Leak] = set()
    for path in files if known else ():
        name = str(path.relative_to(folder).as_posix())
        for canary_name, named in _found(path, known):
            if not (named and name == EXCLUDED):
                leaks.add(Leak(canary_name, name, "name" if named else "text"))
    said = cut.manifest
    return Looked(said["name"], said["number"], standing, tuple(void), len(files), tuple(sorted(leaks)))


def _was_here(store: CheckStore, canary: Tracer, at: datetime) -> bool:
    """Tell whether the conversation was there at an instant: it is now, or was erased later."""
    if store.conversation(canary.conversation) is not None:
        return True
    stones = store.tombstones(Page(limit=100), conversation=canary.conversation).items
    return any(stone.erased_at > at for stone in stones)


def _may_be_used(store: CheckStore, canary: Tracer, policies: Sequence[Policy], purpose: str, at: datetime) -> bool:
    ordered = by_date(policies)
    return any(
        purpose in decide_versions(facts, governing(ordered, facts, at), at).eligible
        for facts in store.facts_of(canary.conversation)
    )


def _found(path: Path, known: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    """Name what a file holds of canaries."""
    for texts in _parquet(path) if path.suffix == ".parquet" else _lines(path):
        hits = texts.filter(pc.match_substring_regex(texts, PATTERN, ignore_case=True))
        for text in hits.to_pylist():
            yield from found_in(text, known)


def _lines(path: Path) -> Iterator[pa.Array]:
    with path.open("rb") as file:
        while lines := list(islice(file, _LINES)):
            yield pa.array([line.decode(errors="replace") for line in lines], pa.large_string())


def _parquet(path: Path) -> Iterator[pa.Array]:
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS):
                for column in batch.columns:
                    yield from _texts(column)
    except pa.ArrowException:
        raise Invalid(f"`{path.name}` cannot be read", "check the cut first: assent cut verify") from None


def _texts(column: pa.Array) -> Iterator[pa.Array]:
    """Take the texts out of a column, whatever it is made of."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        yield from _texts(column.dictionary)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        yield column.drop_null()
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield from _texts(column.flatten())
    elif pa.types.is_struct(kind):
        for field in column.flatten():
            yield from _texts(field)
