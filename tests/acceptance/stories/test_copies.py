"""Failures of other systems that left a copy behind, or took one too many, each told in one line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import zstandard
from obstore.store import MemoryStore
from sqlalchemy import delete, func, insert, select, update
from tests.acceptance.stories.swept import Swept, both
from tests.conformance.store.samples import DAY, T0, day, hold, keys_of, part, policy, talk
from tests.cut_files import rows_of
from tests.simulation.byte_audit import count
from tests.unit.services.cut_world import chat, said, world
from tests.unit.services.ledger_world import log_of
from tests.vaults import SEALING, vault_in

from assent.domain.errors import Incomplete, NotFound, Refused
from assent.pipeline.erased import erase_rows
from assent.services.access import read_for
from assent.services.erase.derived.connector import acknowledge
from assent.services.erase.prove import erasures_of, prove
from assent.services.erase.quarantine import hide, undelete
from assent.services.erase.registry import add, retire
from assent.services.hold.place import place
from assent.store.records import Account, ConversationFilter, Page
from assent.store.schema import content, conversation, sealed
from assent.store.sql.store import SqlStore
from assent.vault.segments import FolderSegments, ObjectSegments
from assent.vault.vault import Vault

NEVER = day(40 * 365)
TOOL_CALL = said(2, "MARKER-TWO", by="tool", name="MARKER-TOOL", marks=frozenset({"tool-payload"}))
SIZE = 60_000
"""Characters of a text that is far larger than the ones beside it."""


def test_f06_what_is_not_due_is_not_dropped_with_what_lies_beside_it(swept: Swept) -> None:
    """Postal: retention by size dropped whole tables of a day, and mail with them that had not been sent."""
    large = talk("large", [part("a", "x" * SIZE, day(20)), part("b", "y" * SIZE, day(20))], at=day(20))
    swept.takes(talk("due"), talk("held"), talk("later", at=day(20)), large)
    place(swept.store, swept.journal, hold("h", "test:held", day(1)))
    assert len(swept.segments()) == 1
    assert swept.sweep(day(31)).erased == 2
    swept.yard.reclaim(today=day(31).date(), everything=True)
    assert (swept.kept("due", "held"), swept.kept("later")) == (["held"], ["later"])
    assert [len(text) for text in swept.texts("large")] == [SIZE, SIZE]  # size is no reason
    swept.store.release_hold("h", at=day(49), by="counsel")
    assert swept.sweep(day(51)).erased == 6
    assert swept.segments() == []  # with the last of them the whole goes


def test_f10_an_erasure_is_not_done_while_one_copy_has_not_answered(swept: Swept) -> None:
    """Amazon Alexa: recordings were deleted in some databases, and their transcripts were kept in others."""
    add(swept.store, "transcripts", now=T0)
    swept.takes("old")
    report = swept.sweep(day(31))
    assert (report.erased, report.carried.waiting) == (2, {"transcripts": 1})
    (erasure,) = erasures_of(swept.store, "test:old")
    assert (erasure.finished_at, erasure.receipt) == (None, None)
    with pytest.raises(Incomplete, match="no receipt yet"):
        prove(swept.store, swept.world, log_of(), erasure)
    retire(swept.store, "transcripts", now=day(32))  # whom nobody asks any more still owes what it was asked for
    assert swept.redo(day(33)).waiting == {"transcripts": 1}
    assert swept.reconcile(day(33)) == {"unfinished erasures": 1, "acknowledgements": 1}
    acknowledge(swept.store, 1, "transcripts", "removed", note="run 7", now=day(33))
    assert swept.redo(day(33)).finished == 1
    receipt = swept.store.erasure(1).receipt
    assert all(f'"store":"{name}"' in receipt for name in ("cuts", "database", "segments", "transcripts"))


def test_f14_bytes_stay_while_live_or_quarantined_rows_need_them(swept: Swept) -> None:
    """Zulip: a clean-up of files that nobody claimed did not ask the archive, which still referred to them."""
    swept.takes(talk("gone"), talk("quarantined", at=day(25)), talk("live", at=day(25)))
    hide(swept.store, "test:quarantined", now=day(30))
    assert swept.sweep(day(31)).erased == 2
    for _ in range(2):
        swept.yard.reclaim(today=day(31).date(), everything=True)
    for segment in swept.segments():
        assert swept.store.unreferenced([segment]) == []
    entry = undelete(swept.store, "test:quarantined", by="s1", now=day(32), window=14 * DAY)
    assert entry.deleted_at is None
    assert swept.kept("gone", "quarantined", "live") == ["quarantined", "live"]
    assert swept.reconcile(day(32)) == {}


def test_f15_files_go_with_the_rows_that_named_them(swept: Swept) -> None:
    """Zulip: retention removed the rows of messages and left the files that people had uploaded."""
    upload = [part("a", "see the file"), part("f", "the uploaded words " * 50, data="file", origin="file")]
    swept.takes(talk("uploads", upload), talk("young", upload, at=day(25)))
    before = swept.records()
    assert set(count([swept.folder], list(before.values()))) == set(before.values())
    assert swept.sweep(day(31)).erased == 2
    left = set(swept.records().values())
    assert set(count([swept.folder], list(before.values()))) == left
    assert len(left) == 2
    assert not swept.vault.opens([slot for slot, record in before.items() if record not in left])


@both
def test_f16_what_an_older_version_kept_elsewhere_is_erased_too(swept: Swept, request: pytest.FixtureRequest) -> None:
    """Mattermost: files from before a certain version had to be removed by hand."""
    swept.takes(talk("old"), talk("young", at=day(25)))
    _as_before_the_vault(swept.store, "old", "young")
    assert swept.sweep(day(31)).erased == 2  # also if nobody ever moved it into the vault
    with swept.store._database.reading() as connection:
        assert set(connection.scalars(select(content.c.body))) == {"marker-young-a", "marker-young-b"}
        assert connection.scalar(select(func.count()).select_from(conversation)) == 1
    if "sqlite" in request.node.name:
        found = [b"marker-old-a", b"title of old", b"marker-young-a"]
        assert set(count([swept.folder], found)) == {b"marker-young-a"}
    else:  # the server's log is written over in its own time, and nobody says that it was
        assert swept.states()["database"] == "pending maintenance"
    assert swept.store.adopt(day=T0.date(), on_parts=lambda _parts: None) == 2
    assert swept.kept("old", "young") == ["young"]
    assert swept.sweep(day(56)).erased == 2
    assert (swept.segments(), swept.store.counts().parts) == ([], 0)


def _as_before_the_vault(store: SqlStore, *names: str) -> None:
    """Lay contents and titles where assent 0.3 kept them."""
    texts = store.content_of(list(keys_of(store, *(f"test:{name}" for name in names)).values()))
    with store._database.writing() as connection:
        connection.execute(delete(sealed))
        connection.execute(insert(content), [{"part": key, "body": body} for key, body in texts.items()])
        for name in names:
            values = {"title": f"title of {name}", "heading": None, "heading_slot": None}
            connection.execute(update(conversation).where(conversation.c.id == f"test:{name}").values(values))


def test_f19_erased_means_one_thing_however_it_is_asked_for(swept: Swept) -> None:
    """Synapse: a purge hid events from people and kept their content, and that was called no bug."""
    swept.takes("one")
    places = swept.store.places(0, 10)
    titles = ConversationFilter(title="title of one")

    def ways_in() -> dict[str, bool]:
        """Try every way to what was said, by the database and around it."""
        return {
            "listed": swept.store.conversations(ConversationFilter(subject="s1"), Page(10)).total > 0,
            "found by its title": swept.store.conversations(titles, Page(10)).total > 0,
            "decided": bool(swept.store.facts_of("test:one")),
            "text": bool(swept.texts("one")),
            "sealed text": bool(swept.reads(places)),
            "key": bool(swept.vault.opens([one.slot for one in places])),
            "bytes": bool(swept.segments()),
        }

    def said_erased() -> bool:
        try:
            return bool(erasures_of(swept.store, "test:one"))
        except NotFound:
            return False

    who = {"by": "desk", "reason": "a complaint", "now": day(2)}
    assert len(read_for(swept.store, [policy()], "test:one", purpose="service", **who).parts) == 2
    hide(swept.store, "test:one", now=day(1))
    for purpose in ("service", "training", "safety", "feedback", "legal"):
        with pytest.raises(Refused, match="may be read"):
            read_for(swept.store, [policy()], "test:one", purpose=purpose, **who)
    assert (set(ways_in().values()), said_erased()) == ({True}, False)  # hidden is not erased, and not called so
    assert swept.sweep(day(15)).erased == 2
    assert (set(ways_in().values()), said_erased()) == ({False}, True)
    with pytest.raises(NotFound):
        read_for(swept.store, [policy()], "test:one", purpose="legal", **who)


class Stubborn(FolderSegments):
    """Files that are said to be removed and are not, until the fault is mended."""

    mended = False

    def remove(self, name: str) -> None:
        if self.mended:
            super().remove(name)


class Deaf(Vault):
    """A vault that says it destroyed keys and did not, until the fault is mended."""

    mended = False

    def destroy(self, slots: Sequence[int]) -> None:
        if self.mended:
            super().destroy(slots)


def test_f20_bytes_count_as_removed_when_they_are_not_there(
    tmp_path: Path, database: Callable[[Vault], SqlStore]
) -> None:
    """pg_partman: maintenance ended well every night, and dropped nothing."""
    segments = Stubborn(tmp_path / "vault" / "segments")
    swept = Swept(tmp_path, Vault(vault_in(tmp_path).slots, segments, SEALING, os.urandom), database)
    swept.takes("old")
    report = swept.sweep(day(31))
    assert (report.erased, report.carried.copies["segments"]) == (2, {"pending maintenance": 1})
    assert swept.reconcile(day(31)) == {"bytes without rows": 1}
    segments.mended = True
    for at, state in ((day(37), "pending maintenance"), (day(38), "removed")):  # within a week, as the note says
        swept.redo(at)
        assert swept.states()["segments"] == state
    assert swept.segments() == []


def test_f20_keys_count_as_destroyed_when_they_are_not_there(
    tmp_path: Path, database: Callable[[Vault], SqlStore]
) -> None:
    """pg_partman: maintenance ended well every night, and dropped nothing."""
    vault = Deaf(vault_in(tmp_path).slots, FolderSegments(tmp_path / "vault" / "segments"), SEALING, os.urandom)
    swept = Swept(tmp_path, vault, database)
    swept.takes("old")
    slots = [one.slot for one in swept.store.places(0, 10)]
    carried = swept.sweep(day(31)).carried
    assert (carried.finished, swept.store.erasure(1).keys_destroyed_at) == (0, None)
    assert carried.problems == ["erasure 1 still has its keys: 3 keys are there after they were destroyed"]
    vault.mended = True
    assert swept.redo(day(32)).finished == 1
    assert vault.opens(slots) == set()


def test_f26_time_alone_makes_nobody_say_that_a_copy_is_gone(swept: Swept) -> None:
    """Redis: two minutes after keys had expired most of them were still stored, also in a log written anew."""
    add(swept.store, "cache", now=T0)
    swept.takes("old")
    swept.sweep(day(31))
    for at in (day(33), day(100), NEVER):
        assert swept.redo(at).waiting == {"cache": 1}
        assert swept.states()["cache"] == "present"
        owed = swept.store.overdue_obligations(at - DAY)
        assert [one.store for one in owed if one.state == "present"] == ["cache"]
    (event,) = swept.store.events(Page(10), type="assent.erasure.intended").items
    assert '"test:old"' in event.data  # it was told what to look for, and is asked whether it is gone
    acknowledge(swept.store, 1, "cache", "not reachable", note="no answer", now=NEVER)
    assert swept.redo(NEVER).finished == 1
    assert swept.states()["cache"] == "not reachable"
    assert "acknowledgements" in swept.reconcile(NEVER + 2 * DAY)


class Watched(ObjectSegments):
    """An object store that knows what every path of assent had it remove."""

    def __init__(self) -> None:
        super().__init__(MemoryStore())
        self.removed: list[str] = []

    def remove(self, name: str) -> None:
        self.removed.append(name)
        super().remove(name)


def test_f27_no_path_that_deletes_takes_what_is_held(tmp_path: Path, database: Callable[[Vault], SqlStore]) -> None:
    """S3 look-alikes: a hold stopped one way to delete an object, and another way went past it.

    assent asks no object store for holds: they are read where it is decided what goes. So every
    way is tried here with something that is held, on a store that would let it go at once.
    """
    segments = Watched()
    swept = Swept(tmp_path, Vault(vault_in(tmp_path).slots, segments, SEALING, os.urandom), database)
    swept.store.put_accounts([Account("s1", plan="free", age=30)])
    swept.takes("held", "due1", "due2", "due3")
    place(swept.store, swept.journal, hold("h", "test:held", day(1)))

    def due_goes(name: str, at: object) -> None:
        hide(swept.store, f"test:{name}", now=day(1))
        assert swept.sweep(at).erased == 2

    def said_again() -> None:
        swept.takes(talk("held", [part("a", "marker-held-a"), part("b", "marker-held-b", speaker="assistant")]))

    paths: dict[str, Callable[[], object]] = {
        "its own deletion": lambda: hide(swept.store, "test:held", now=day(1)),
        "erasing its neighbour": lambda: due_goes("due1", day(16)),
        "closing the account": lambda: swept.store.close_account("s1", day(2)),
        "a sweep of all that is due": lambda: swept.sweep(day(80)),
        "compaction": lambda: swept.yard.reclaim(today=day(80).date(), everything=True),
        "carrying out again": lambda: swept.redo(day(90)),
        "rotation": swept.vault.rotate,
        "coming again": said_again,
        "the end of time": lambda: swept.sweep(NEVER),
    }
    for name, path in paths.items():
        path()
        assert swept.kept("held") == ["held"], name
    assert len(segments.removed) >= 2  # things were removed, from under what is held too
    swept.store.release_hold("h", at=NEVER, by="counsel")
    assert swept.sweep(NEVER).erased == 2
    assert list(segments.names()) == []


def test_f30_an_erased_row_is_in_no_page_dictionary_or_statistic_of_a_cut(tmp_path: Path) -> None:
    """Delta Lake: a deleted row could be read by going back in time, until somebody ran VACUUM."""
    with world(tmp_path / "home") as home:
        for subject in ("ann", "zoe"):
            home.person(subject, allows=True)
        home.keep(
            *(chat(f"c{n}", "ann", said(1, f"words of c{n}"), said(2, "shared", by="assistant")) for n in range(3)),
            chat("zz-erased", "zoe", said(1, "MARKER-ONE"), TOOL_CALL),
        )
        home.cut("cut")
        names = [b"MARKER-ONE", b"MARKER-TWO", b"MARKER-TOOL", b"zz-erased"]
        folder = home.folder / "cut"
        people = _people(folder)
        assert set(_inside(folder, names)) == set(names)
        assert any(b"zz-erased" in value for value in _statistics(folder))
        erase_rows(folder, {"test:zz-erased#m1", "test:zz-erased#m2"}, {1: 2})
        assert _inside(folder, names) == []
        assert not any(b"zz-erased" in value for value in _statistics(folder))
        (gone,) = people - _people(folder)
        assert _inside(folder, [gone.encode()]) == []
        assert sorted(path.name for path in folder.iterdir() if path.name.startswith(".")) == []
        assert sum(pq.read_table(path).num_rows for path in folder.glob("data/*.parquet")) == 6


def _people(folder: Path) -> set[str]:
    return {row["person"] for row in rows_of(folder)}


def _statistics(folder: Path) -> Iterator[bytes]:
    """Yield the smallest and the largest value of every column of every row group, where there are any."""
    found = pq.ParquetFile(next(folder.glob("data/*.parquet"))).metadata
    for group in range(found.num_row_groups):
        for column in range(found.num_columns):
            values = found.row_group(group).column(column).statistics
            if values is not None and values.has_min_max:
                yield from (str(values.min).encode(), str(values.max).encode())


def _inside(folder: Path, names: list[bytes]) -> list[bytes]:
    """Find names in the files of a cut, byte by byte, also in pages and dictionaries that are compressed."""
    data = b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
    pages, at = [], data.find(zstandard.FRAME_HEADER)
    while at >= 0:
        pages.append(zstandard.ZstdDecompressor().decompressobj().decompress(data[at:]))
        at = data.find(zstandard.FRAME_HEADER, at + 1)
    assert pages
    everything = b"\n".join([data, *pages])
    return [name for name in names if name in everything]
