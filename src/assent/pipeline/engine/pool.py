"""The work in a pool of processes on this machine."""

from __future__ import annotations

from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from assent.domain.errors import AssentError
from assent.pipeline.engine import in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from assent.pipeline.work import Work, Worked

_work: Work | None = None


def _begin(work: Work) -> None:
    global _work  # noqa: PLW0603 - one worker, one work
    _work = work


def _do(rows: pa.RecordBatch) -> Worked:
    if _work is None:
        raise RuntimeError("a worker was given nothing to work by")
    return _work(rows)


class Pool:
    """Processes that wait for batches."""

    def __init__(self, executor: ProcessPoolExecutor, workers: int) -> None:
        """Use an executor whose processes know their work."""
        self._executor = executor
        self._ahead = 2 * workers

    def map(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Worked]:
        """Work on batches. Raises `AssentError` if a worker is killed: what was finished before stays finished."""
        return in_order(batches, lambda rows: self._executor.submit(_do, rows), _result, self._ahead)


def _result(found: Any) -> Worked:
    future: Future[Worked] = found
    try:
        return future.result()
    except BrokenProcessPool:
        fix = "run the same command again, it goes on where it was; fewer workers need less memory"
        raise AssentError("a worker of the cut was killed", fix) from None


@contextmanager
def pool(work: Work, workers: int) -> Iterator[Pool]:
    """Open a pool of `workers` processes. They are started afresh: a fork would inherit locks and connections."""
    with ProcessPoolExecutor(workers, get_context("spawn"), _begin, (work,)) as executor:
        try:
            yield Pool(executor, workers)
        except BaseException:
            executor.shutdown(wait=True, cancel_futures=True)
            raise
