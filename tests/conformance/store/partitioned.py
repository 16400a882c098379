"""Partitions the tombstones of each PostgreSQL store: `python -m pytest -p tests.conformance.store.partitioned`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import psycopg
from tests.postgres_server import Server

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "scale-postgresql.md"


def partition(address: str) -> None:
    """Do to a database what the guide says."""
    statements = re.findall(r"^```sql\n(BEGIN;.*?)^```$", GUIDE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    [statement] = statements
    with psycopg.connect(address, autocommit=True) as owner:
        owner.execute(statement.encode())


_fresh = Server.fresh


def _partitioned(server: Server, prepare: Callable[[str], None]) -> str:
    def prepare_and_partition(address: str) -> None:
        prepare(address)
        partition(address)

    return _fresh(server, prepare_and_partition)


def pytest_configure() -> None:
    Server.fresh = _partitioned
