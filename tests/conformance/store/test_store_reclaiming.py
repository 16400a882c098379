"""What clearing the vault asks of a store: what is referred to, what moved, what the log still holds."""

from itertools import pairwise

from tests.conformance.store.samples import DAY, T0, day, erase, keys_of, plan_for, talk

from assent.domain.contents import Piece
from assent.store.port import Store
from assent.store.records import Cut, CutRow

NOW = day(60)


def test_live_bytes_are_those_of_rows(store: Store) -> None:
    store.intake([talk("a"), talk("b", at=day(50))], plan="free", recorded_at=T0)
    (segment, size), *_ = store.contents.segments()
    assert store.live_bytes([segment, "other"]) == {segment: size}
    plan = plan_for(store, NOW)
    run = store.begin_sweep(plan.digest, NOW)
    gone = [item.part for item in store.plan_items(plan.digest, 0, 10)]
    places = {place.slot: place.length for place in store.places_in(segment)}
    erase(store, run.id, gone, NOW)
    left = store.places_in(segment)
    assert [place.slot for place in left] == sorted(places)[2:]
    assert store.live_bytes([segment]) == {segment: sum(place.length for place in left)}


def test_places_of_a_segment_are_in_the_order_of_slots(store: Store) -> None:
    store.intake([talk(f"c{n}") for n in range(5)], plan="free", recorded_at=T0)
    (segment, _), *_ = store.contents.segments()
    slots = [place.slot for place in store.places_in(segment)]
    assert len(slots) == 10
    assert all(one < other for one, other in pairwise(slots))


def test_a_record_moves_once_and_only_from_where_it_was(store: Store) -> None:
    store.intake([talk("a")], plan="free", recorded_at=T0)
    (segment, _), *_ = store.contents.segments()
    old = store.places_in(segment)
    new = store.contents.copy(old, day=T0.date(), lane="normal-text")
    assert new[0].segment != segment
    assert store.moved(zip(old, new, strict=True)) == 2
    assert store.moved(zip(old, new, strict=True)) == 0
    assert (store.places_in(segment), store.places_in(new[0].segment)) == ([], new)
    assert store.unreferenced([segment, new[0].segment]) == [segment]
    store.contents.remove_segment(segment)
    keys = list(keys_of(store, "test:a").values())
    assert set(store.content_of(keys).values()) == {"marker-a-a", "marker-a-b"}


def test_what_no_row_names_is_nobodys(store: Store) -> None:
    (orphan,) = store.contents.keep([Piece(900, "normal-text", "never committed")], day=T0.date())
    store.intake([talk("a")], plan="free", recorded_at=T0)
    names = [name for name, _ in store.contents.segments()]
    assert store.unreferenced(names) == [orphan.segment]
    assert store.unreferenced([]) == []


def test_cuts_with_erased_parts_are_named_with_how_many(store: Store) -> None:
    store.intake([talk("a"), talk("b")], plan="free", recorded_at=T0)
    rows = {part: CutRow("test:a", part, "s1") for part in ("a", "b")}
    for number, joined, left in ((1, [rows["a"], rows["b"]], []), (2, [], [rows["b"]]), (3, [], [rows["a"]])):
        cut = Cut("spring", number, f"sha256:{number}", T0 + number * DAY, f"/cuts/{number}")
        store.record_cut(cut, joined, left)
    plan = plan_for(store, NOW)
    run = store.begin_sweep(plan.digest, NOW)
    keys = keys_of(store, "test:a")
    intent = erase(store, run.id, sorted(keys.values()), NOW)
    assert store.cuts_with_erased(intent.id) == [("spring", 1, "/cuts/1", 2), ("spring", 2, "/cuts/2", 1)]
    other = erase(store, run.id, sorted(keys_of(store, "test:b").values()), NOW)
    assert store.cuts_with_erased(other.id) == []


def test_a_mark_in_the_log_is_passed_when_its_files_were_written_over(store: Store) -> None:
    store.intake([talk("a")], plan="free", recorded_at=T0)
    assert store.checkpoint()
    mark = store.log_mark()
    if not mark:  # SQLite: the log was cut to nothing
        assert store.log_passed(mark)
        return
    assert not store.log_passed(mark)
    for turn in range(200):
        with store._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            store.intake([talk(f"t{turn}")], plan="free", recorded_at=T0)
            connection.exec_driver_sql("SELECT pg_switch_wal()")
            connection.exec_driver_sql("CHECKPOINT")
        if store.log_passed(mark):
            break
    assert store.log_passed(mark)
    assert turn, "one file more is not enough"


def test_a_deletion_is_withdrawn_by_its_instant(store: Store) -> None:
    store.intake([talk("a")], plan="free", recorded_at=T0)
    assert not store.withdraw_deletion("test:a", NOW)
    store.request_deletion("test:a", NOW)
    assert not store.withdraw_deletion("test:a", NOW + DAY)
    assert store.withdraw_deletion("test:a", NOW)
    assert {facts.deleted_at for facts in store.facts_of("test:a")} == {None}
    assert store.conversation("test:a").entry.deleted_at is None
    assert not store.withdraw_deletion("test:nothing", NOW)
