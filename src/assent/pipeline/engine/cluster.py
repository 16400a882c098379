"""The work on a Ray cluster: one that is there already, or one of its own on this machine.

Tasks, not data sets, of Ray: a batch is a task, which Ray starts again on another node when its node dies. The rows go
through Ray's object store, so a cluster sees what it works on: it has to be one that may.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from assent.pipeline.engine import in_order
from assent.pipeline.extra import needing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from assent.pipeline.work import Work, Worked

QUIET: Final = 40
"""The level of Python's `logging` from which Ray says something: errors."""

RETRIES: Final = 5
"""How often a batch is begun again after a node was lost."""


class Cluster:
    """Tasks on a cluster that is connected."""

    def __init__(self, ray: Any, work: Work) -> None:
        """Send the work to the cluster, once."""
        self._ray = ray
        self._work = ray.put(work)
        # retries after the loss of a node, not after an error of a block
        self._do = ray.remote(_do).options(max_retries=RETRIES, num_cpus=1)
        self._ahead = 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))

    def map(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Worked]:
        """Work on batches."""
        return in_order(batches, lambda rows: self._do.remote(self._work, rows), self._ray.get, self._ahead)


def _do(work: Work, rows: pa.RecordBatch) -> Worked:
    return work(rows)


@contextmanager
def cluster(work: Work, workers: int, address: str) -> Iterator[Cluster]:
    """Connect to the cluster at `address`, or start one with `workers` on this machine. Ray reports to nobody."""
    with needing("the engine `ray`", "cluster"):
        import ray  # noqa: PLC0415 - an extra

    own = not ray.is_initialized()
    if own:
        where = {"address": address} if address else {"num_cpus": workers, "include_dashboard": False}
        ray.init(**where, log_to_driver=False, logging_level=QUIET)
    try:
        yield Cluster(ray, work)
    finally:
        if own:
            ray.shutdown()
