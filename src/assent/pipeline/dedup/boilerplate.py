"""Turns that many people got or sent word for word: greetings, refusals, pasted instructions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from assent.pipeline.block import Dropped, Outcome
from assent.pipeline.dedup.sketch import text_digests

REASON: Final = "boilerplate turn"

TURNS: Final = pa.schema(
    [
        pa.field("conversation", pa.string(), nullable=False),
        pa.field("person", pa.string()),
        pa.field("digest", pa.binary(32), nullable=False),
    ]
)
"""One row for each part: whose it is, and the digest of its text in normal form C."""


@dataclass(frozen=True, slots=True)
class BoilerplateTerms:
    """A part is boilerplate if its text is in so many conversations of so many people.

    Both, so that what one person repeats in a thousand conversations is not taken for a form
    letter. A conversation without a person counts as one of its own.
    """

    conversations: int = 50
    people: int = 25

    def describe(self) -> dict[str, Any]:
        """Return what the answer depends on besides the texts."""
        return {"version": 1, "conversations": self.conversations, "people": self.people}


def turn_digests(rows: pa.RecordBatch, texts: pa.Array | None = None) -> pa.RecordBatch:
    """Digest the text of each row of a cut; the columns are `TURNS`. `texts` takes the place of the column `text`."""
    digests = text_digests(rows.column("text") if texts is None else texts)
    columns = [rows.column("conversation"), rows.column("person"), digests]
    return pa.RecordBatch.from_arrays(columns, schema=TURNS)


def boilerplate(turns: Iterable[pa.RecordBatch], terms: BoilerplateTerms) -> pa.Array:
    """Return the digests of boilerplate among batches of `TURNS`, sorted."""
    table = pa.Table.from_batches(turns, TURNS)
    someone = pc.coalesce(pc.binary_join_element_wise("p", table["person"], ":"), table["conversation"])
    counts = (
        table.append_column("someone", someone)
        .group_by("digest")
        .aggregate([("conversation", "count_distinct"), ("someone", "count_distinct")])
    )
    often = pc.greater_equal(counts["conversation_count_distinct"], terms.conversations)
    widely = pc.greater_equal(counts["someone_count_distinct"], terms.people)
    found = counts.filter(pc.and_(often, widely))["digest"].cast(pa.binary())
    return found.combine_chunks().sort().cast(pa.binary(32))


def without_boilerplate(rows: pa.RecordBatch, found: pa.Array, texts: pa.Array | None = None) -> Outcome:
    """Leave out the parts whose text is boilerplate; a conversation that has nothing else goes altogether."""
    digests = turn_digests(rows, texts).column("digest")
    gone = pc.is_in(digests, value_set=found)
    names = rows.column("part").filter(gone).to_pylist()
    return Outcome(
        rows.filter(pc.invert(gone)), tuple(Dropped(name, REASON) for name in names), {"boilerplate": len(names)}
    )
