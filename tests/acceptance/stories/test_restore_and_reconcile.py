"""Failure stories of restores and of bytes that nobody looked for, each as a test.

Every one happened somewhere. Each runs on SQLite and on PostgreSQL: some of them on both in every run, all of them
in the deep one.
"""

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.acceptance.stories.restorable import START, Lived, comes_back, copied, day, made, said_in, talk
from tests.postgres_server import Server

from assent.domain.errors import Refused
from assent.services.reconcile.tracers import markers_of
from assent.store.records import ConversationFilter, Hold, Page
from assent.store.schema import sealed

ERASED_ON = 14.5
"""Days after a deletion when a sweep erases: quarantine is over, and 16 days of lead are left to the promise of 30."""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.deep)])
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of database; tests marked `both` meet PostgreSQL in every run, the others in the deep one."""
    return request.param


both = pytest.mark.parametrize("kind", ["sqlite", "postgres"])


@pytest.fixture
def databases(request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """Give a fresh database of a kind, or the copy of one."""
    given: list[str] = []

    def give(kind: str, of: str = "") -> str:
        if kind == "sqlite":
            return "assent.db"
        server: Server = request.getfixturevalue("postgres")
        given.append(server.copy(of) if of else server.blank())
        return server.address(given[-1])

    yield give
    for name in given:
        request.getfixturevalue("postgres").drop(name)


@pytest.fixture(scope="session")
def patterns(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Lived, str]]:
    """Homes by kind of database, each made when first asked for, and the names of their databases."""
    return {}


@pytest.fixture
def home(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    databases: Callable[..., str],
    patterns: dict[str, tuple[Lived, str]],
) -> Lived:
    if kind not in patterns:
        name = request.getfixturevalue("postgres").blank() if kind == "postgres" else ""
        address = request.getfixturevalue("postgres").address(name) if name else "assent.db"
        patterns[kind] = (made(tmp_path_factory.mktemp(kind), address), name)
    pattern, name = patterns[kind]
    return copied(pattern, tmp_path, databases(kind, name))


def erased(home: Lived, *names: str) -> None:
    """Have people delete these conversations, and a sweep erase them when their quarantine is over."""
    for name in names:
        home.deletes(name)
    done = home.sweeps(day(ERASED_ON))
    assert done.json()["erased"] == 2 * len(names)


def test_f07_a_segment_is_not_dropped_while_one_record_in_it_is_not_due(home: Lived) -> None:
    """F7: a partition was dropped by its bounds though rows inside were not due yet."""
    home.takes("due", "not-due")
    with home.store() as store:
        assert len(store.live_segments()) == 1
    erased(home, "due")
    home("vault", "compact", at=day(15))
    assert home.texts("due", day(15)) == []
    assert sorted(home.texts("not-due", day(15))) == [said_in("not-due"), f"answer to {said_in('not-due')}"]
    assert home.reconciles(day(15)) == {}


def test_f22_what_no_row_names_any_more_is_found_and_goes(home: Lived) -> None:
    """F22: partitions that were detached stayed on the disk for ever, because nothing looked for them."""
    home.takes("kept")
    segments = home.folder / "vault" / "segments"
    (one,) = [path for path in segments.rglob("*") if path.is_file()]
    shutil.copyfile(one, one.with_name("900001-900002"))
    with home.store() as store:
        store.contents.slots.write({1_000: bytes(32)})
    assert home.reconciles(day(1)) == {"bytes without rows": 1}
    with home.store() as store, store._database.writing() as connection:
        store._database.give_keys(connection, sealed, 1_000)  # a number that was given, whose row never came
    assert home.reconciles(day(1)) == {"bytes without rows": 1, "keys without rows": 1}
    home("reconcile", "--mend", at=day(1))
    home("vault", "compact", at=day(1))
    assert home.reconciles(day(2)) == {}
    assert home.texts("kept", day(2))


def test_f08_what_was_erased_is_in_no_export_and_no_search(home: Lived) -> None:
    """F8: photos and messages that people had deleted more than a year before came back in their download."""
    home.takes("old", "kept")
    erased(home, "old")
    with home.store(day(400)) as store:
        listed = store.conversations(ConversationFilter(subject="ada"), Page(10)).items
        assert [entry.id for entry in listed] == ["story:kept"]
        assert store.conversations(ConversationFilter(title="MARKER-old"), Page(10)).total == 0
        assert store.facts_of("story:old") == []
    assert home("explain", "story:old", at=day(400)).status == 3


def test_f09_what_a_closed_account_said_is_in_no_archive(home: Lived) -> None:
    """F9: messages years old were in the archives of accounts that had been deleted."""
    home.takes("theirs", subject="gone")
    with home.store() as store:
        store.close_account("gone", START)
    assert home.sweeps(day(31)).json()["erased"] == 2
    with home.store(day(400)) as store:
        assert store.conversations(ConversationFilter(subject="gone"), Page(10)).total == 0
    assert found_in(home.around, said_in("theirs")) == []


def test_f11_bytes_that_come_back_open_for_nobody_and_are_found(home: Lived) -> None:
    """F11: photos deleted years before reappeared: their bytes were there, and an index was rebuilt from bytes."""
    home.takes("deleted", "kept")
    segments, aside = home.folder / "vault" / "segments", home.around / "aside"
    shutil.copytree(segments, aside)
    with home.store() as store:
        places = {place.slot: place for place in store.places(0, 10)}
    erased(home, "deleted")
    home("vault", "compact", at=day(15))
    shutil.copytree(aside, segments, dirs_exist_ok=True)
    assert home.reconciles(day(16)) == {"bytes without rows": 1}
    with home.store(day(16)) as store:
        left = {place.slot for place in store.places(0, 10)}
        gone = [place for slot, place in places.items() if slot not in left]
        assert len(gone) == 2
        assert store.contents.read(gone) == {}


@pytest.mark.fault("restored backup")
def test_f25_a_copy_that_comes_late_does_not_come_to_life(home: Lived, kind: str, databases: Callable) -> None:
    """F25: deleted rows came back from a replica whose repair took longer than their tombstones were kept."""
    home.takes("zombie", "kept")
    home.backs_up(day(14))
    erased(home, "zombie")
    back, done = comes_back(home, day(15), database=databases(kind))
    assert done.status == 0, done.err
    with back.store(day(16)) as store:
        assert [one.status for one in store.intake([talk("zombie")], plan="pro", recorded_at=day(16))] == [
            "erased before"
        ]
    assert back.texts("zombie", day(16)) == []


@pytest.mark.fault("restored backup")
@pytest.mark.parametrize(
    ("kind", "into"),
    [
        ("sqlite", "postgres"),
        ("postgres", "sqlite"),
        pytest.param("sqlite", "sqlite", marks=pytest.mark.deep),
        pytest.param("postgres", "postgres", marks=pytest.mark.deep),
    ],
)
def test_f31_a_backup_from_before_an_erasure_does_not_bring_content_back(
    home: Lived, databases: Callable, into: str
) -> None:
    """F31: a restore brought back bodies that had been erased, and their keys were in the backup too.

    This is the drill: of either database into either database.
    """
    home.takes("erased", "kept")
    home.backs_up(day(14))
    erased(home, "erased")
    back, done = comes_back(home, day(15), database=databases(into))
    assert done.status == 0, done.err
    assert (done.json()["erasures"], done.json()["parts"], done.json()["left"]) == (1, 2, 3)
    assert back.texts("erased", day(15)) == []
    assert len(back.texts("kept", day(15))) == 2
    with back.store(day(15)) as store:
        stones = store.tombstones(Page(10), conversation="story:erased").items
        assert {stone.part for stone in stones} == {"1", "2"}
    assert back("sweep", "--redo", at=day(15)).status == 0
    assert back.reconciles(day(15)) == {}
    # 4: PostgreSQL writes over its log in its own time, and the proof says so
    assert back("prove", "1", at=day(15)).status == (4 if into == "postgres" else 0)


@pytest.mark.fault("restored backup")
@both
def test_f31_until_the_journal_is_replayed_nothing_opens_and_nobody_writes(
    home: Lived, kind: str, databases: Callable
) -> None:
    """F31: whoever opened the restored copy first worked on a state that never was."""
    home.takes("erased", "kept")
    home.backs_up(day(14))
    erased(home, "erased")
    where = databases(kind)
    back, done = comes_back(home, day(15), database=where, journal=False)
    assert done.status == 4
    assert "--journal" in done.err
    assert back.texts("erased", day(15)) == back.texts("kept", day(15)) == []  # the keys come last
    hold = back("hold", "everyone", "--matter", "m", "--author", "a", "--reason", "r", at=day(15))
    assert hold.status == 2
    assert "came back from the backup" in hold.err
    with back.store(day(15)) as store, pytest.raises(Refused, match="came back from the backup"):
        store.intake([talk("new")], plan="pro", recorded_at=day(15))
    with back.store(day(15)) as store, pytest.raises(Refused, match="came back from the backup"):
        store.begin_sweep("any", day(15))
    assert back("plan", at=day(15)).status == 2
    # the same command with the journal goes on where it stopped
    assert comes_back(home, day(15), database=where)[1].status == 0
    assert back.texts("erased", day(15)) == []
    assert len(back.texts("kept", day(15))) == 2
    assert back("hold", "everyone", "--matter", "m", "--author", "a", "--reason", "r", at=day(15)).status == 0


@pytest.mark.fault("restored backup")
def test_f31_a_lost_journal_needs_somebody_who_answers_for_it(home: Lived, kind: str, databases: Callable) -> None:
    """F31: a restore without the record of erasures must be nobody's silent default."""
    home.takes("kept")
    home.backs_up(day(1))
    where = databases(kind)
    words = ("--journal-lost", "--by", "head of operations", "--reason", "the disk burned")
    back, done = comes_back(home, day(2), database=where, journal=False, more=words)
    assert done.status == 0, done.err
    assert len(back.texts("kept", day(2))) == 2


@pytest.mark.fault("restored backup")
def test_f31_the_ledger_goes_on_where_it_was_published(home: Lived, kind: str, databases: Callable) -> None:
    """F31: a restored log that signs other leaves under numbers it gave before would have two faces."""
    published = home.around / "published"

    def chooses(who: str, at: datetime, there: Lived = home) -> None:
        assert there("choose", who, "decline", at=at).status == 0
        assert there("ledger", "publish", published, at=at).status == 0

    for number in range(3):
        chooses(f"person-{number}", day(number))
    home.backs_up(day(4))
    for number in range(3, 5):
        chooses(f"person-{number}", day(number + 1))
    back, done = comes_back(home, day(7), database=databases(kind), more=("--ledger", published))
    assert done.status == 0, done.err
    assert (done.json()["leaves"], done.json()["unknown"]) == (5, 2)
    chooses("person-5", day(8), back)
    verified = back("ledger", "verify", "--log", published, at=day(9))
    assert verified.status == 0, verified.err
    # a home that did not continue it is told so before it shows another face
    shutil.rmtree(back.folder)
    back, done = comes_back(home, day(7), database=databases(kind), more=("--ledger", "none"))
    assert done.json()["leaves"] == 3
    assert back("choose", "person-6", "decline", at=day(8)).status == 0
    assert back("ledger", "publish", published, at=day(8)).status == 2


@pytest.mark.fault("restored backup")
@both
def test_f35_a_hold_that_was_placed_after_the_backup_stands_after_the_restore(
    home: Lived, kind: str, databases: Callable
) -> None:
    """F35: holds were not carried by copies and restores, so the next sweep erased what was held."""
    home.takes("held", "kept")
    home.deletes("held")
    placed = home("hold", "person", "ada", "--matter", "m-0", "--author", "a", "--reason", "r", at=day(0))
    assert placed.status == 0, placed.err
    home.backs_up(day(1))
    later = home("hold", "conversation", "story:held", "--matter", "m-1", "--author", "a", "--reason", "r", at=day(2))
    assert later.status == 0, later.err
    back, done = comes_back(home, day(3), database=databases(kind))
    assert done.json()["holds"] == 1
    with back.store(day(3)) as store:
        holds: list[Hold] = list(store.holds())
        assert [(hold.scope, hold.matter, hold.released_at) for hold in holds] == [
            ("person", "m-0", None),
            ("conversation", "m-1", None),
        ]
    assert back.sweeps(day(40)).json()["erased"] == 0
    assert len(back.texts("held", day(40))) == 2


def test_f37_what_names_held_bytes_stays_with_them(home: Lived) -> None:
    """F37: a narrow hold kept the data and let the sweep delete the index that named it."""
    home.takes("held", "due", "kept")
    home.deletes("held")
    words = ("--matter", "m", "--author", "a", "--reason", "r")
    assert home("hold", "conversation", "story:held", *words, at=day(1)).status == 0
    erased(home, "due")
    home("vault", "compact", at=day(15))
    assert len(home.texts("held", day(40))) == 2
    assert home.reconciles(day(16)) == {}


def test_f39_how_far_backups_reach_is_computed_from_what_is_there(home: Lived, monkeypatch: pytest.MonkeyPatch) -> None:
    """F39: a backup retention was published wrong, twice: it was read off a comment."""
    home.takes("kept")
    first = home.backs_up(day(0))
    second = home.backs_up(day(5))
    listed = home("backup", "list", "--json", at=day(6)).json()
    assert [one["state"] for one in listed["backups"]] == ["there", "there"]
    assert listed["oldest"] == first["backup"]
    assert listed["gone_from_backups"] == second["keys_end"] == written(day(19))
    # past its end and still there: said so, by the list and by a reconciliation
    late = home("backup", "list", at=day(14.5))
    assert late.status == 4
    assert "past their end" in late.err
    assert home.reconciles(day(14.5)) == {"backups": 1}
    pruned = home("backup", "prune", "--json", at=day(14.5)).json()
    assert pruned["destroyed"] == [first["backup"]]
    assert not (home.keys / first["backup"]).exists()
    listed = home("backup", "list", "--json", at=day(14.5)).json()
    assert [one["state"] for one in listed["backups"]] == ["gone", "there"]
    # keys on a disk that is not there: nobody says that they are gone
    home.keys.rename(home.around / "unplugged")
    listed = home("backup", "list", at=day(30))
    assert listed.status == 4
    assert "not reachable" in listed.err
    assert home.reconciles(day(16)) == {"backups": 1}


def written(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def found_in(folder: Path, marker: str) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and marker.encode() in path.read_bytes()]


def test_tracers_are_read_while_here_and_found_nowhere_after(home: Lived) -> None:
    """F8, F9, F17: only what is looked for in the files themselves is known to be gone."""
    home.takes("kept")
    (tracer,) = home("tracer", "plant", "--plan", "pro", "--json", at=day(0)).lines()
    home.backs_up(day(1))
    assert home.reconciles(day(1)) == {}
    assert home("tracer", "list", "--json", at=day(1)).lines()[0]["state"] == "here"
    home.sweeps(day(30))
    (state,) = home("tracer", "list", "--json", at=day(30)).lines()
    assert (state["tracer"], state["state"]) == (tracer["tracer"], "erased")
    assert home("backup", "prune", at=day(30)).status == 0
    assert home.reconciles(day(30)) == {}
    # somebody kept a copy in the clear
    with home.store() as store:
        marker, _ = markers_of(store.tracers()[0])
    (home.folder / "vault" / "segments" / "debug.txt").write_bytes(b"..." + marker + b"...")
    found = home.reconciles(day(30))
    assert found.pop("markers") == 1
    assert found == {"bytes without rows": 1}


def test_a_deletion_that_is_overdue_is_found_by_looking_at_facts_alone(home: Lived) -> None:
    """F17, F18, F21, F28: jobs that never ran said nothing; nobody asked what was still there."""
    home.takes("late")
    home.deletes("late")
    assert home.reconciles(day(29)) == {}
    assert home.reconciles(day(30) + timedelta(seconds=1)) == {"overdue": 2}
