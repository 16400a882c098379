"""A restored ledger goes on where it was published, or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.unit.services.ledger_world import NOW, ORIGIN, choice, log_of
from tests.vaults import vault_in

from assent.domain.errors import Refused
from assent.services.backup.ledger import continue_ledger
from assent.services.ledger.append import append
from assent.services.ledger.publish import publish
from assent.services.ledger.rotate import found
from assent.services.ledger.seal import seal
from assent.store.objects import open_objects
from assent.store.port import Store, TileStore
from assent.store.sqlite import SqliteStore

LOG = log_of()
BEFORE, AFTER = 300, 60
"""Leaves before the backup and after it: more than one bundle, and an end inside one."""


@pytest.fixture
def target(tmp_path: Path) -> TileStore:
    return open_objects(str(tmp_path / "published"))


@pytest.fixture
def two(tmp_path: Path, target: TileStore, empty: Path) -> Iterator[tuple[Store, Store]]:
    """A ledger that was published to its end, and a copy of it from before."""
    for name in ("a.db", "b.db"):
        shutil.copy(empty, tmp_path / name)
    with (
        closing(SqliteStore.open(tmp_path / "a.db", vault_in(tmp_path / "a"))) as store,
        closing(SqliteStore.open(tmp_path / "b.db", vault_in(tmp_path / "b"))) as copy,
    ):
        found(store, LOG, now=NOW)
        append(store, LOG, [choice(number) for number in range(BEFORE)], now=NOW)
        with store.snapshot() as snapshot:
            tables = {name: list(snapshot.rows(name)) for name in snapshot.tables}
            copy.load(tables, snapshot.numbers())
        append(store, LOG, [choice(number) for number in range(BEFORE, BEFORE + AFTER)], now=NOW)
        publish(store, LOG, target)
        yield store, copy


def test_the_copy_takes_over_what_was_published_and_goes_on(two: tuple[Store, Store], target: TileStore) -> None:
    store, copy = two
    assert continue_ledger(copy, target, ORIGIN) == AFTER
    assert continue_ledger(copy, target, ORIGIN) == 0
    assert seal(copy, LOG, now=NOW).root == seal(store, LOG, now=NOW).root
    append(copy, LOG, [choice(1_000)], now=NOW)
    published = publish(copy, LOG, target)
    assert (published.old_size, published.size) == (BEFORE + AFTER, BEFORE + AFTER + 1)
    assert copy.staged() == BEFORE + AFTER + 1


def test_leaves_that_were_staged_and_not_signed_are_not_taken_over_twice(
    two: tuple[Store, Store], target: TileStore
) -> None:
    store, copy = two
    copy.continue_ledger(BEFORE, store.commitments(BEFORE, 7))
    assert continue_ledger(copy, target, ORIGIN) == AFTER - 7
    assert seal(copy, LOG, now=NOW).root == seal(store, LOG, now=NOW).root


def test_a_copy_that_went_another_way_is_refused(two: tuple[Store, Store], target: TileStore) -> None:
    _, copy = two
    append(copy, LOG, [choice(5_000)], now=NOW)
    before = copy.staged()
    with pytest.raises(Refused, match="not what its checkpoint says"):
        continue_ledger(copy, target, ORIGIN)
    copy.continue_ledger(before, [os.urandom(32)])
    with pytest.raises(Refused, match="other leaves"):
        continue_ledger(copy, target, ORIGIN)
    assert copy.staged() == before + 1


def test_a_published_log_that_was_changed_is_refused(
    two: tuple[Store, Store], target: TileStore, tmp_path: Path
) -> None:
    _, copy = two
    (last,) = [path for path in (tmp_path / "published").rglob(str(BEFORE + AFTER - 256)) if "entries" in path.parts]
    data = bytearray(last.read_bytes())
    data[-1] ^= 1
    last.write_bytes(data)
    with pytest.raises(Refused, match="not what its checkpoint says"):
        continue_ledger(copy, target, ORIGIN)
    last.unlink()
    with pytest.raises(Refused, match="lacks entries"):
        continue_ledger(copy, target, ORIGIN)
    assert copy.staged() == BEFORE


def test_the_log_of_somebody_else_is_refused(two: tuple[Store, Store], target: TileStore) -> None:
    with pytest.raises(Refused, match="not the log of this home"):
        continue_ledger(two[1], target, "log.example/other")


def test_where_nothing_is_published_nothing_is_taken_over(two: tuple[Store, Store], tmp_path: Path) -> None:
    assert continue_ledger(two[1], open_objects(str(tmp_path / "empty")), ORIGIN) == 0
