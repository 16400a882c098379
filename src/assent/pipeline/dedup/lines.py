"""Deduplicate texts that arrive as lines of JSON, with memory for one batch of texts and the ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from assent.domain.errors import Invalid
from assent.pipeline.dedup.elect import Election, elect
from assent.pipeline.dedup.sketch import Sketches, sketch, spool
from assent.pipeline.dedup.terms import DedupTerms
from assent.pipeline.texts import Id, rows, text_of

if TYPE_CHECKING:
    from pathlib import Path

BATCH_CHARACTERS: Final = 16 * 1024 * 1024
"""Texts are sketched when so many characters are read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one text: `cluster` is the id of the one that is kept for it."""

    id: Id
    keep: bool
    cluster: Id


def dedup_lines(
    lines: Iterable[bytes],
    terms: DedupTerms,
    folder: Path,
    *,
    bad: Callable[[Invalid], None],
    told: Callable[[int], None] | None = None,
) -> Iterator[Answer]:
    """Elect among the texts of `{"id": ..., "text": ...}` lines; answers come in the order of the lines.

    Of texts that say the same the smallest id is kept: numbers come before text, text is
    compared by code points. Sketches are spooled to `folder`, an empty one. A bad line is told
    to `bad`, and the rest goes on. `told` is called as `elect` does.
    """
    ids, sketches = _read(lines, terms, folder, bad)
    order = np.array(sorted(range(len(ids)), key=lambda row: (isinstance(ids[row], str), ids[row])), np.int64)
    ordered = sketches if (order == np.arange(len(order))).all() else sketches.take(order)
    found: Election = elect(range(len(order)), ordered, terms, told=told)
    cluster = np.empty(len(order), np.int64)
    cluster[order] = order[found.cluster]
    for row, (one, kept) in enumerate(zip(ids, cluster.tolist(), strict=True)):
        yield Answer(one, keep=row == kept, cluster=ids[kept])


def _read(
    lines: Iterable[bytes], terms: DedupTerms, folder: Path, bad: Callable[[Invalid], None]
) -> tuple[list[Id], Sketches]:
    ids: list[Id] = []
    seen: set[Id] = set()
    texts: list[str] = []
    waiting = 0
    with spool(folder) as files:
        for number, one, text in rows(lines, text_of, bad):
            if one in seen:
                bad(Invalid(f"line {number}: the id came before", "give each text an id of its own"))
                continue
            seen.add(one)
            ids.append(one)
            texts.append(text)
            waiting += len(text)
            if waiting >= BATCH_CHARACTERS:
                files.add(sketch(texts, terms))
                texts, waiting = [], 0
        if texts:
            files.add(sketch(texts, terms))
        return ids, files.read()
