"""Bytes that nobody refers to leave the vault, and everything that somebody refers to stays readable."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from provider import DAY, T0, Provider, day, part, provider, talk

from assent.domain.contents import Piece
from assent.services.erase import reclaim as reclaiming
from assent.services.erase.carry_out import carry_out
from assent.services.erase.reclaim import Span, Yard

NOW = day(50)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Provider]:
    with provider(tmp_path / "home") as made:
        made.lead = timedelta(days=16)
        made.person()
        yield made


def yard(made: Provider) -> Yard:
    return Yard(made.store, made.store.contents, made.folder / "vault" / "clearing")


def dead(made: Provider) -> int:
    """How many bytes of all segments no row refers to."""
    sizes = dict(made.store.contents.segments())
    return sum(sizes.values()) - sum(made.store.live_bytes(list(sizes)).values())


def texts(made: Provider) -> set[str]:
    keys = [p.key for entry in made.entries() for p in made.store.conversation(entry.id).parts]
    return set(made.store.content_of(keys).values())


def test_a_segment_without_a_live_record_goes_whole(made: Provider) -> None:
    made.keep(talk("old"))
    made.keep(talk("young", "s1", day(45)), at=day(45))
    before = {name for name, _ in made.store.contents.segments()}
    made.sweep(made.plan(NOW).digest, NOW)
    after = {name for name, _ in made.store.contents.segments()}
    assert (len(before), len(after), after < before) == (2, 1, True)


def test_the_live_records_of_a_mixed_segment_are_copied_as_they_are(made: Provider) -> None:
    made.keep(talk("old"), talk("young", "s1", day(45)))
    made.sweep(made.plan(NOW).digest, NOW)
    assert (dead(made), texts(made)) == (0, {"marker-young-q", "marker-young-a"})
    name, _ = next(iter(made.store.contents.segments()))
    assert name.startswith("2026-01-01/normal-text/"), "the day and the lane stay, so that it dies in time"


def test_few_dead_bytes_of_a_large_segment_wait_and_no_longer_than_they_may(
    made: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reclaiming, "AT_ONCE_BYTES", 0)
    made.keep(talk("old"), *(talk(f"y{n}", "s1", day(45)) for n in range(20)))
    report = made.sweep(made.plan(NOW).digest, NOW)
    assert report.carried.copies["segments"] == {"pending maintenance": 1}
    assert report.carried.finished == 1, "its keys are gone, and the receipt says what lingers"
    (owed,) = [one for one in made.store.obligations(1) if one.store == "segments"]
    assert owed.note == "sealed bytes whose keys are gone lie in a segment until 2026-02-27"
    for passed, state in ((timedelta(days=6), "pending maintenance"), (timedelta(days=7), "removed")):
        done = carry_out(made.store, made.world, now=NOW + passed)
        assert done.copies["segments"] == {state: 1}
    assert (dead(made), len(texts(made))) == (0, 40)


def test_more_dead_bytes_than_live_ones_do_not_wait(made: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reclaiming, "AT_ONCE_BYTES", 0)
    made.keep(talk("old1"), talk("old2"), talk("young", "s1", day(45)))
    assert made.sweep(made.plan(NOW).digest, NOW).carried.copies["segments"] == {"removed": 1}
    assert dead(made) == 0


def test_what_a_crash_left_without_a_row_is_removed_and_what_has_rows_is_not(made: Provider) -> None:
    made.keep(talk("young", "s1", day(45)))
    vault = made.store.contents
    vault.keep([Piece(1_000, "normal-text", "never committed")], day=T0.date())
    (made.folder / "vault" / "segments" / "2026-01-01" / "normal-text" / "7-9.part").write_bytes(b"half")
    found = yard(made).reclaim(today=NOW.date())
    assert (found.removed, found.rewritten, found.left) == (2, 0, ())
    assert texts(made) == {"marker-young-q", "marker-young-a"}


def test_a_record_that_goes_while_it_is_copied_is_not_brought_back(
    made: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.keep(talk("old"), talk("young", "s1", day(45)))
    copy, answers = made.store.contents.copy, []
    digest = made.plan(day(80)).digest

    def meanwhile(*arguments: object, **named: object) -> object:
        copies = copy(*arguments, **named)
        if not answers:
            monkeypatch.setattr(made.store.contents, "copy", copy)
            run = made.store.begin_sweep(digest, day(80))
            keys = [item.part for item in made.store.plan_items(digest, 0, 100)]
            from assent.services.erase.redecide import redecide
            from assent.store.columns import Columns

            decide = redecide(Columns(threads=1), made.versions, day(80), made.lead)
            answers.append(made.store.intend(run.id, decide, keys, at=day(80), salt=bytes(32)).erased)
        return copies

    monkeypatch.setattr(made.store.contents, "copy", meanwhile)
    made.sweep(made.plan(NOW).digest, NOW)
    assert answers == [2]
    carry_out(made.store, made.world, now=day(80))
    assert (dead(made), list(made.store.contents.segments()), texts(made)) == (0, [], set())


def test_a_row_that_moved_meanwhile_keeps_its_newer_place(made: Provider) -> None:
    made.keep(talk("young", "s1", day(45), part("q", at=day(45))))
    (place,) = made.store.places(0, 10)
    newer = place._replace(segment="elsewhere")
    assert made.store.moved([(place, newer)]) == 1
    assert made.store.moved([(place, place._replace(segment="late"))]) == 0
    assert made.store.places(0, 10) == [newer]


def test_a_span_knows_which_slots_it_may_hold() -> None:
    span = Span("name", 10, 20)
    assert [span.holds(slots) for slots in ([], [9], [10], [1, 20, 99], [21], [9, 21])] == [
        False, False, True, True, False, False,
    ]  # fmt: skip


def test_erasing_a_few_of_many_segments_looks_at_those_few(made: Provider) -> None:
    for n in range(5):
        made.keep(talk(f"c{n}", "s1", day(45)), at=day(45) + n * DAY)
    made.keep(talk("old"), at=day(46))
    looked: list[int] = []
    live_bytes = made.store.live_bytes
    made.store.live_bytes = lambda segments: looked.append(len(segments)) or live_bytes(segments)  # type: ignore[method-assign]
    made.sweep(made.plan(NOW).digest, NOW)
    assert max(looked) == 1
