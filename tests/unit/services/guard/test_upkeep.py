"""Upkeep: a new epoch begins when the old one has lasted, and what lives stays readable."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.vaults import vault_in

from assent.services.erase.journal import Journal
from assent.services.guard.upkeep import upkeep
from assent.settings import Settings
from assent.store.sqlite import SqliteStore

WEEK = timedelta(days=7)


def test_the_keys_rotate_when_their_epoch_has_lasted_and_not_before(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    store = SqliteStore.open(tmp_path / "assent.db", vault, create=True)
    (record,) = vault.seal_inline([(1, "a title")])
    settings = Settings(home=tmp_path, database=tmp_path / "assent.db")
    before, now = vault.slots.epoch, datetime.now(UTC)

    def rotated(now: datetime) -> bool:
        journal = Journal(tmp_path / "journal")
        return upkeep(store, journal, vault, settings, now=now).rotated

    assert not rotated(now)
    assert vault.slots.epoch == before
    assert rotated(now + WEEK + timedelta(minutes=1))
    assert vault.slots.epoch > before
    assert vault.open_inline([(1, record)]) == {1: "a title"}
    store.close()
