"""A reader with a fault at the end of four comparisons: a fuzzer that does not find it looks at nothing."""

from __future__ import annotations

from tests.fuzz.target import Target


def planted(data: bytes) -> None:
    if len(data) > 3 and data[0] == ord("a") and data[1] == ord("s") and data[2] == ord("k") and data[3] == ord("!"):
        raise KeyError("planted")


TARGETS = [Target("planted", planted, [b"a"])]
