"""Twins: texts of people who declined, as far as an election must know them to leave their near copies out.

Somebody else's copy of a text whose author said no is that text all the same. Where a recipe asks for it
(`dedup.strict_twin`), the conversations of people who declined or withdrew are read, redacted and sketched for
this one comparison; the sketches lie in a scratch folder and end with it.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from assent.pipeline.recipe import Recipe
from assent.pipeline.work import Work
from assent.pipeline.write import PARTS
from assent.store.selection import refused_by_conversation

if TYPE_CHECKING:
    from pathlib import Path

    from assent.pipeline.dedup.sketch import Sketches
    from assent.services.cut.order import CutOrder, CutStore
    from assent.services.cut.series import Series
    from assent.store.columns import Columns

DECLINED: Final = ("not allowed", "withdrawn")
"""What the set evaluator says of parts whose person said no."""

_TOUCHES_TEXT: Final = ("normalise", "redact")
_SKETCH: Final = ("digest", "bands", "shingles")
_TOGETHER: Final = 200


def declined_sketches(order: CutOrder, store: CutStore, columns: Columns, series: Series, scratch: Path) -> Sketches:
    """Sketch every conversation of which a part was refused, into files of `scratch`. The answers must be open."""
    from assent.pipeline.dedup.sketch import SketchFiles  # noqa: PLC0415 - an extra

    blocks = {name: terms for name, terms in series.recipe.blocks.items() if name in _TOUCHES_TEXT}
    work = Work(Recipe(blocks=blocks, dedup=series.recipe.dedup), series.key)
    files = SketchFiles(scratch)
    with closing(refused_by_conversation(columns, order.purpose, DECLINED, _TOGETHER)) as batches:
        for batch in batches:
            worked = work(_rows(store, batch))
            talks = worked.talks.filter(pc.greater(worked.talks["parts"], 0)).select(list(_SKETCH))
            for sketches in talks.combine_chunks().to_batches():
                files.add(sketches)
    return files.read()


def _rows(store: CutStore, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Read the texts of some conversations as rows of which only they matter."""
    talks = batch.to_pylist()
    texts = store.content_of([key for talk in talks for key in talk["parts"]])
    rows = [
        {"conversation": talk["conversation"], "part": f"{talk['conversation']}#{key}", "text": texts[key], "marks": []}
        for talk in talks
        for key in talk["parts"]
        if key in texts
    ]
    return pa.RecordBatch.from_pylist(rows, schema=pa.schema([pa.field(field.name, field.type) for field in PARTS]))
