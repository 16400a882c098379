"""Where the work on conversations runs: in this process, in a pool of processes, or on a Ray cluster.

Every engine gives the same answers in the same order: blocks are pure, and a batch is work of its own.
"""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeVar, get_args

from assent.domain.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    import pyarrow as pa

    from assent.pipeline.work import Work, Worked

    Workers = Callable[[Work], AbstractContextManager["Engine"]]

EngineName = Literal["local", "pool", "ray"]
ENGINES: Final[tuple[EngineName, ...]] = get_args(EngineName)
"""Names of engines, the simplest first."""

P = TypeVar("P")


class Engine(Protocol):
    """Workers that are ready."""

    def map(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Worked]:
        """Work on batches; the answers come in their order. Only a few batches are held at once."""


class Local:
    """The work in this process, one batch after the other."""

    def __init__(self, work: Work) -> None:
        """Do this work."""
        self._work = work

    def map(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Worked]:
        """Work on batches in order."""
        for batch in batches:  # `map` would take a `StopIteration` of the work for the end of the batches
            yield self._work(batch)


@contextmanager
def engine(name: str, work: Work, workers: int, address: str = "") -> Iterator[Engine]:
    """Open an engine by name: `workers` bounds processes, `address` names a Ray cluster (empty: one of its own)."""
    if name == "local":
        yield Local(work)
    elif name == "pool":
        from assent.pipeline.engine.pool import pool  # noqa: PLC0415 - only who asks for it pays for it

        with pool(work, workers) as opened:
            yield opened
    elif name == "ray":
        from assent.pipeline.engine.cluster import cluster  # noqa: PLC0415 - as above, and it is an extra

        with cluster(work, workers, address) as opened:
            yield opened
    else:
        raise Invalid(f"there is no engine `{name}`", f"use one of {', '.join(ENGINES)}")


def in_order(
    items: Iterable[P], begin: Callable[[P], object], ended: Callable[[object], Worked], ahead: int
) -> Iterator[Worked]:
    """Begin work on items, at most `ahead` of them before the first answer is taken, and give answers in order."""
    waiting: deque[object] = deque()
    for item in items:
        waiting.append(begin(item))
        if len(waiting) >= ahead:
            yield ended(waiting.popleft())
    while waiting:
        yield ended(waiting.popleft())
