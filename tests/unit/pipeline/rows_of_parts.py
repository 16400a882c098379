"""Rows of parts, short to write."""

from itertools import count

import pyarrow as pa

from assent.pipeline.write import PARTS


def row(text: str, *, by: str = "user", conversation: str = "c", **more: object) -> dict:
    number = next(_NUMBERS)
    return {
        "part": f"{conversation}#{number}",
        "conversation": conversation,
        "person": "p",
        "turn": f"t{number}",
        "ordinal": number,
        "speaker": by,
        "origin": "person",
        "data": "text",
        "surface": "chat",
        "marks": [],
        "tool": None,
        "created_at": None,
        "text": text,
        "decision": f"decision of {text}",
        "proof": "choice",
        "receipt": "r",
        "policy": "sha256:p",
        **more,
    }


def batch(*rows: dict) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(list(rows), schema=PARTS)


_NUMBERS = count()
