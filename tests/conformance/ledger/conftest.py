"""The stock Go code, built once a test session, and one large log for it to judge."""

from __future__ import annotations

import fcntl
import os
import random

import pytest
from tests.conformance.ledger.stock_go import StockGo, build
from tests.conformance.ledger.write_log import Log, write_log

from assent.ledger.note import new_signer


@pytest.fixture(scope="session")
def go(tmp_path_factory: pytest.TempPathFactory) -> StockGo:
    """Our small program around golang.org/x/mod/sumdb; workers of one session share one build."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    program = shared / "ledgercheck"
    with (shared / "ledgercheck.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            build(shared / "ledgercheck-build", program)
    return StockGo(program)


@pytest.fixture(scope="session")
def big_log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    """A log of 70,000 entries as static files: the size of the worked example in C2SP tlog-tiles."""
    chance = random.Random(70_000)
    entries = [chance.randbytes(32) for _ in range(70_000)]
    signer = new_signer("log.example/choices", chance.randbytes(32))
    folder = tmp_path_factory.mktemp("log")
    write_log(folder, entries, signer)
    return Log(folder, entries, signer)
