"""The contract of content: it lies in the vault, and no file of the database ever holds a word of it."""

import errno
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update
from tests.conformance.store.samples import ALL, T0, day, keys_of, part, sweep_all, talk
from tests.postgres_server import starting
from tests.vaults import vault_in

from assent.domain.contents import Sealed
from assent.domain.conversation import Conversation
from assent.domain.errors import NotFound
from assent.store.port import Store
from assent.store.postgres import PostgresStore
from assent.store.records import ConversationFilter, Page
from assent.store.schema import content, conversation, sealed
from assent.store.schema import part as parts
from assent.store.sql import adopting
from assent.store.sql.store import SqlStore
from assent.store.sqlite import SqliteStore

MARKERS = [f"MARK{number:04}END" for number in range(60)]


def take(store: Store, *items: Conversation) -> None:
    store.intake(items, plan="free", recorded_at=T0)


def rows(store: SqlStore) -> list[tuple[int, int, str]]:
    """Slot, part and segment of every sealed part, by slot."""
    with store._database.reading() as connection:
        query = select(sealed.c.slot, sealed.c.part, sealed.c.segment).order_by(sealed.c.slot)
        return [tuple(row) for row in connection.execute(query)]


def heading_slots(store: SqlStore) -> dict[str, int | None]:
    with store._database.reading() as connection:
        found = connection.execute(select(conversation.c.id, conversation.c.heading_slot))
        return {name: slot for name, slot in found}  # noqa: C416 - rows are not pairs


def read(store: Store, name: str) -> list[str]:
    """The texts of a conversation, in the order of the source."""
    found = store.content_of(list(keys_of(store, name).values()))
    return [found[key] for key in keys_of(store, name).values()]


def replaced(store: Store) -> list[list[int]]:
    """What stands in erasures that nobody has carried out: the slots of each."""
    return [store.slots_of(one.id) for one in store.open_erasures(0, 100)]


# -- no byte in the database ----------------------------------------------------------------


def talks_with_markers() -> list[Conversation]:
    """Short texts, and long ones that databases lay elsewhere; every marker stands in a text and in a title."""
    return [
        talk(f"m{number}", [part("a", f"{'so ' * (number * 200)}{marker}")], title=f"about {marker}")
        for number, marker in enumerate(MARKERS)
    ]


def fill(store: Store) -> None:
    """Take conversations in, look for them, rewrite texts and titles, and let some grow."""
    items = talks_with_markers()
    take(store, *items)
    assert store.conversations(ConversationFilter(title=MARKERS[7]), ALL).total == 1
    again = [replace(one, title=one.title + "!", parts=(part("a", MARKERS[0] + "?"), part("b"))) for one in items[:9]]
    take(store, *again)
    assert read(store, "test:m3") == [MARKERS[0] + "?", "marker of b"]


def found_in(folder: Path) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 1
    held = b"\n".join(path.read_bytes() for path in files)
    assert b"test:m3" in held, "this is not where the rows lie"
    return [marker for marker in MARKERS if marker.encode() in held]


def test_no_file_of_sqlite_holds_a_word_of_what_was_said(tmp_path: Path) -> None:
    folder = tmp_path / "database"
    folder.mkdir()
    with closing(SqliteStore.open(folder / "store.db", vault_in(tmp_path), create=True)) as store:
        fill(store)
        assert (folder / "store.db-wal").stat().st_size > 0
        assert found_in(folder) == []
        assert store.checkpoint()
        assert found_in(folder) == []


def test_no_file_of_postgresql_holds_a_word_of_what_was_said(tmp_path: Path) -> None:
    with starting() as server:
        address = server.address("assent")
        with closing(PostgresStore.open(address, vault_in(tmp_path), create=True)) as store:
            fill(store)
            server.run("CHECKPOINT")
            [(folder,)] = server.run("SHOW data_directory")
            assert found_in(Path(str(folder)).parent) == []


# -- slots ----------------------------------------------------------------------------------


def test_every_text_and_every_title_has_a_slot_of_its_own(store: SqlStore) -> None:
    take(store, talk("one"), talk("two", title=""), talk("three"))
    found = rows(store)
    slots = [slot for slot, _, _ in found]
    titled = heading_slots(store)
    assert titled.pop("test:two") is None
    assert len({*slots, *titled.values()}) == 8
    assert {key for _, key, _ in found} == set(keys_of(store, "test:one", "test:two", "test:three").values())


def test_a_slot_is_never_given_twice(store: SqlStore) -> None:
    take(store, talk("one"))
    given = {slot for slot, _, _ in rows(store)} | set(heading_slots(store).values())
    for title in ("another", "a third", "a fourth"):  # headings have no row in the table that the numbers come from
        take(store, talk("one", title=title))
        slot = heading_slots(store)["test:one"]
        assert slot > max(given)
        given.add(slot)
    sweep_all(store, day(100))
    assert rows(store) == []
    take(store, talk("next"))
    assert min([slot for slot, _, _ in rows(store)] + list(heading_slots(store).values())) > max(given)


def test_what_is_kept_for_different_times_shares_no_segment(store: SqlStore) -> None:
    mixed = [part("a"), part("s", "0.9", data="score"), part("f", "good", data="feedback")]
    take(store, talk("one", mixed), talk("two", mode="private"), talk("three"))
    segment = {key: name for _, key, name in rows(store)}
    home = {name: {segment[key] for key in keys_of(store, f"test:{name}").values()} for name in ("one", "two", "three")}
    assert len(home["one"]) == 3
    assert home["three"] < home["one"]
    assert home["two"].isdisjoint(home["one"])
    assert {name.split("/")[:2][0] for name in segment.values()} == {T0.date().isoformat()}


def test_what_was_erased_in_the_vault_is_left_out(store: SqlStore) -> None:
    take(store, talk("one"), talk("two"))
    keys = list(keys_of(store, "test:one").values())
    slot = {key: slot for slot, key, _ in rows(store)}[keys[0]]
    store.contents.destroy([slot, heading_slots(store)["test:one"]])
    assert store.content_of(keys) == {keys[1]: "marker-one-b"}
    assert {entry.id: entry.title for entry in store.conversations(ConversationFilter(), ALL).items} == {
        "test:one": "",
        "test:two": "title of two",
    }
    assert store.conversations(ConversationFilter(title="title of one"), ALL).total == 0


# -- what comes again ------------------------------------------------------------------------


def test_a_rewritten_text_gets_a_new_slot_and_the_old_one_is_to_be_erased(store: SqlStore) -> None:
    item = talk("one")
    take(store, item)
    before = rows(store)
    take(store, replace(item, parts=(item.parts[0], replace(item.parts[1], text="better"))))
    after = rows(store)
    assert read(store, "test:one") == ["marker-one-a", "better"]
    assert (after[0], after[1][1]) == (before[0], before[1][1])
    assert after[1][0] > before[1][0]
    assert replaced(store) == [[before[1][0]]]


def test_a_new_title_gets_a_new_slot_and_the_old_one_is_to_be_erased(store: SqlStore) -> None:
    take(store, talk("one"), talk("bare", title=""))
    old = heading_slots(store)["test:one"]
    take(store, talk("one", title="new"), talk("bare", title="first"))
    assert replaced(store) == [[old]]
    assert {entry.title for entry in store.conversations(ConversationFilter(), ALL).items} == {"new", "first"}
    assert heading_slots(store)["test:one"] > old


def test_what_comes_again_unchanged_takes_no_slot(store: SqlStore) -> None:
    item = talk("one")
    take(store, item)
    before = rows(store)
    take(store, item)
    take(store, replace(item, parts=item.parts[:1]), replace(item, title=""), replace(item, last_turn_at=day(9)))
    assert rows(store) == before
    assert replaced(store) == []
    assert store.conversation("test:one").entry.title == "title of one"


# -- crashes and races -----------------------------------------------------------------------


def test_an_intake_that_breaks_after_sealing_leaves_no_row_and_goes_well_the_next_time(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(store, talk("before"))

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(store._database, "insert_rows", fail)
    with pytest.raises(ZeroDivisionError):
        take(store, talk("one"), talk("two"))
    monkeypatch.undo()
    assert store.counts().conversations == 1
    assert len(rows(store)) == 2
    take(store, talk("two", [part("x", "another text")]))
    assert read(store, "test:two") == ["another text"]
    assert read(store, "test:before") == ["marker-before-a", "marker-before-b"]
    assert store.conversation("test:two").entry.title == "title of two"


def test_an_intake_that_cannot_seal_leaves_nothing(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for name in ("put", "write"):  # the segment, and the keys
        owner = store.contents._segments if name == "put" else store.contents.slots
        monkeypatch.setattr(owner, name, full)
        with pytest.raises(OSError, match="No space"):
            take(store, talk("one"))
        monkeypatch.undo()
        assert store.counts().conversations == 0
    take(store, talk("one"))
    assert read(store, "test:one") == ["marker-one-a", "marker-one-b"]


def test_content_that_is_moved_while_it_is_read_is_found_where_it_went(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(store, talk("one"), talk("two"))
    keys = list(keys_of(store, "test:one", "test:two").values())
    vault, read_once = store.contents, store.contents.read

    def move() -> None:
        with store._database.writing() as connection:
            found = [Sealed(*row) for row in connection.execute(select(*(sealed.c[n] for n in Sealed._fields)))]
            for place in vault.copy(found, day=day(3).date(), lane="moved"):
                values = {"segment": place.segment, "position": place.position}
                connection.execute(update(sealed).where(sealed.c.slot == place.slot).values(values))
        for name in {place.segment for place in found}:
            vault.remove_segment(name)

    def read_late(places: list[Sealed]) -> dict[int, str]:
        monkeypatch.setattr(vault, "read", read_once)
        move()
        return read_once(places)

    monkeypatch.setattr(vault, "read", read_late)
    assert sorted(store.content_of(keys).values()) == ["marker-one-a", "marker-one-b", "marker-two-a", "marker-two-b"]


def test_content_whose_segment_is_lost_is_not_passed_over(store: SqlStore) -> None:
    take(store, talk("one"))
    store.contents.remove_segment(rows(store)[0][2])
    with pytest.raises(NotFound, match="is gone"):
        store.content_of(list(keys_of(store, "test:one").values()))


def test_several_stores_seal_at_once_and_lose_nothing(open_store: Callable[[], SqlStore]) -> None:
    stores = [open_store() for _ in range(3)]

    def work(number: int) -> None:
        for step in range(4):
            take(stores[number], talk(f"{number}-{step}"))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows(stores[0])) == 24
    names = [f"{number}-{step}" for number in range(3) for step in range(4)]
    assert all(read(stores[0], f"test:{name}") == [f"marker-{name}-a", f"marker-{name}-b"] for name in names)


# -- titles ----------------------------------------------------------------------------------


def test_a_piece_of_a_title_is_looked_for_in_every_script_and_page_by_page(store: Store) -> None:
    items = [talk(f"t{n}", at=day(n % 4), title=f"Straße {n} ÜBER alles" if n % 2 else f"other {n}") for n in range(14)]
    take(store, *items, *(replace(talk(f"u{n}"), last_turn_at=None, title="STRASSE über") for n in range(3)))
    wanted = ConversationFilter(title="straße")
    everything = store.conversations(wanted, ALL)
    newest = sorted(range(1, 14, 2), key=lambda n: (n % 4, n), reverse=True)
    assert [entry.id for entry in everything.items] == [f"test:t{n}" for n in newest] + [
        "test:u2",
        "test:u1",
        "test:u0",
    ]
    seen, page = [], Page(limit=3)
    while True:
        listing = store.conversations(wanted, page)
        assert listing.total == 10
        seen += listing.items
        if listing.after is None:
            break
        page = Page(limit=3, after=listing.after)
    assert tuple(seen) == everything.items
    assert store.conversations(replace(wanted, source="elsewhere"), ALL).items == ()
    assert store.conversations(ConversationFilter(title=""), ALL).total == 17


# -- a database from before the vault ----------------------------------------------------------


def as_before_the_vault(store: SqlStore, *items: Conversation) -> None:
    """Lay content and titles where an assent without a vault kept them."""
    take(store, *items)
    texts = store.content_of(list(keys_of(store, *(item.id for item in items)).values()))
    with store._database.writing() as connection:
        connection.execute(delete(sealed))
        connection.execute(insert(content), [{"part": key, "body": body} for key, body in texts.items()])
        for item in items:
            values = {"title": item.title, "heading": None, "heading_slot": None}
            connection.execute(update(conversation).where(conversation.c.id == item.id).values(values))


@pytest.fixture
def older(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> SqlStore:
    as_before_the_vault(store, *(talk(f"m{n}", [part("a", f"{n} {MARKERS[n]}"), part("b")]) for n in range(7)))
    monkeypatch.setattr(adopting, "AT_ONCE", 4)
    return store


def lies_in_the_vault(store: SqlStore) -> None:
    assert store.unadopted() == 0
    assert [read(store, f"test:m{n}") for n in range(7)] == [[f"{n} {MARKERS[n]}", "marker of b"] for n in range(7)]
    titles = {entry.id: entry.title for entry in store.conversations(ConversationFilter(), ALL).items}
    assert titles == {f"test:m{n}": f"title of m{n}" for n in range(7)}
    with store._database.reading() as connection:
        assert connection.execute(select(content)).all() == []
        assert set(connection.scalars(select(conversation.c.title))) == {""}
        assert connection.scalar(select(parts.c.key).outerjoin(sealed).where(sealed.c.slot.is_(None))) is None


def test_what_an_older_assent_kept_in_the_database_moves_into_the_vault(older: SqlStore) -> None:
    assert older.unadopted() == 14
    told: list[int] = []
    assert older.adopt(day=T0.date(), on_parts=told.append) == 14
    assert told == [4, 4, 4, 2]
    lies_in_the_vault(older)
    take(older, *(talk(f"m{n}", [part("a", f"{n} {MARKERS[n]}"), part("b")]) for n in range(7)))
    assert replaced(older) == []


@pytest.mark.parametrize("batches", [1, 3])
def test_a_move_that_was_stopped_goes_on(older: SqlStore, batches: int) -> None:
    told: list[int] = []

    def stop(count: int) -> None:
        told.append(count)
        if len(told) == batches:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        older.adopt(day=T0.date(), on_parts=stop)
    assert older.unadopted() == 14
    assert older.adopt(day=T0.date(), on_parts=told.append) == 14 - 4 * batches
    lies_in_the_vault(older)


def test_nothing_of_what_was_moved_is_left_in_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "database"
    folder.mkdir()
    with closing(SqliteStore.open(folder / "store.db", vault_in(tmp_path), create=True)) as store:
        as_before_the_vault(store, *talks_with_markers())
        assert found_in(folder) == MARKERS
        store.adopt(day=T0.date(), on_parts=lambda _moved: None)
        assert found_in(folder) == []
        assert read(store, "test:m1")[0].endswith(MARKERS[1])
