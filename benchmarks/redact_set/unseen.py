"""Labelled texts that were written apart, without a look at the rules or the other halves: `unseen()`.

Each file of `unseen/` holds documents between lines of `=====`; a span is written ⟦type|value⟧ where it stands. Every
second document of a file, `looked_at`, may be read to mend rules; the others only ever say how good they are.
"""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.redact_set.make import Document

FOLDER = Path(__file__).parent / "unseen"
# no file here names a machine or holds an address with a password: their strokes are written as signs of mathematics
_STROKES = str.maketrans({"\N{DIVISION SLASH}": "/", "\N{SET MINUS}": "\\"})
_SPAN = re.compile(r"⟦(\w+)\|([^⟧]*)⟧")


def unseen(*, looked_at: bool = False) -> list[Document]:
    """Read every second document of every file, in order."""
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        documents = path.read_text("utf-8").translate(_STROKES).split("\n=====\n")
        found += [read(one, path.stem) for one in documents[0 if looked_at else 1 :: 2]]
    return found


def read(marked: str, name: str) -> Document:
    """Read one document; the name of its file says what it is, before it the language of what people say."""
    pieces, spans, at, length = [], [], 0, 0
    for match in _SPAN.finditer(marked):
        kind, value = match.groups()
        length += match.start() - at
        pieces += (marked[at : match.start()], value)
        spans.append((kind, length, length + len(value)))
        length += len(value)
        at = match.end()
    language, _, sort = name.rpartition("-")
    return Document("".join([*pieces, marked[at:]]), language or "any", sort, spans)
