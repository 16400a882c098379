"""Keeping a lease while one works under it, and being alone where the database knows no other machine."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from assent.domain.errors import AssentError, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from assent.store.port import Leases
    from assent.store.records import Lease

SWEEPING: Final = "sweep"
"""The lease of the one that sweeps."""

VALID: Final = timedelta(minutes=2)
"""How long after its last sign of life somebody else may go on in its place."""

_RENEW_S: Final = VALID.total_seconds() / 4


@contextmanager
def held_lease(store: Leases, holder: str, now: Callable[[], datetime]) -> Iterator[Lease | None]:
    """Take the lease of sweeping and keep it for a while; yields None if somebody else has it.

    It is renewed beside the work. Whoever was paused for longer than it lasts may find it lost: then
    the store refuses the next erasure, whatever this process believes.
    """
    lease = store.take_lease(SWEEPING, holder, now(), now() + VALID)
    if lease is None:
        yield None
        return
    over = Event()

    def renew() -> None:
        while not over.wait(_RENEW_S):
            # lost or out of reach: the next erasure meets the fence, or the same trouble
            with suppress(AssentError):
                store.renew_lease(lease, now() + VALID)

    beside = Thread(target=renew, name="lease", daemon=True)
    beside.start()
    try:
        yield lease
    finally:
        over.set()
        beside.join()
        with suppress(AssentError):
            store.give_lease_back(lease)


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Be the only process that holds this file, until the end of the block or of the process. Raises `Refused`."""
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fix = "stop the other one, or keep the store in PostgreSQL, which any number may sweep"
            raise Refused("another daemon sweeps this store already", fix) from None
        yield
