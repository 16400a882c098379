"""Every choice in the ledger becomes one event, wherever the walk was cut off, and no event names anybody."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.services.ledger_world import NOW, choices, ledger, log_of

from assent.services.events.tell import RECORDED, tell_choices
from assent.services.ledger.append import append
from assent.store.port import Store
from assent.store.records import Endpoint, Page, Staged

LOG = log_of()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with ledger(tmp_path, LOG) as store:
        store.put_endpoint(Endpoint("one", "https://events.example", (RECORDED,), "one.secret", NOW))
        store.put_endpoint(Endpoint("two", "https://events.example", ("assent.other.thing",), "two.secret", NOW))
        append(store, LOG, choices(0, 25), now=NOW)
        yield store


def told(store: Store) -> list[str]:
    return sorted(one.id for one in store.events(Page(1_000)).items)


def walk(store: Store) -> int:
    read = 0
    while step := tell_choices(store, LOG.identity, at_once=10):
        read += step
    return read


def test_each_choice_is_one_event_owed_to_those_who_want_it(store: Store) -> None:
    assert (walk(store), walk(store)) == (25, 0)
    assert told(store) == sorted(f"c{number}" for number in range(25))
    owed = store.due_deliveries(choices(99, 1)[0].at, 100)
    assert {one.endpoint.id for one in owed} == {"one"}
    assert len(owed) == 25


def test_an_event_says_what_was_chosen_and_not_by_whom(store: Store) -> None:
    walk(store)
    event = next(one for one in store.events(Page(100)).items if one.id == "c7")
    data = json.loads(event.data)
    assert (event.about, event.type, data["leaf"], data["act"]) == (LOG.identity.pseudonym("s7"), RECORDED, 7, "allow")
    assert "s7" not in event.data + event.about


def test_a_walk_that_dies_anywhere_is_finished_by_the_next(store: Store) -> None:
    class Dying:
        """Loses power when events are to be written: before, or just after they were."""

        def __init__(self, *, after: bool) -> None:
            self.after = after

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def tell(self, events: object, upto: int) -> None:
            if self.after:
                store.tell(events, upto)
            raise OSError("no power")

    for after in (False, True, False, True):
        with pytest.raises(OSError, match="no power"):
            tell_choices(Dying(after=after), LOG.identity, at_once=10)
    assert store.told() == 20
    walk(store)
    assert len(told(store)) == 25


def test_events_that_were_kept_while_the_count_was_lost_are_not_told_twice(store: Store) -> None:
    tell_choices(store, LOG.identity, at_once=10)
    with store._database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM telling")
    assert walk(store) == 25
    assert len(told(store)) == 25
    assert len(store.due_deliveries(choices(99, 1)[0].at, 100)) == 25


def test_the_count_never_goes_back(store: Store) -> None:
    store.tell([], 25)
    store.tell([], 10)
    assert store.told() == 25


def test_leaves_without_a_checkpoint_wait(store: Store) -> None:
    walk(store)
    (late,) = choices(25, 1)
    store.stage([Staged(late, b"s" * 32, b"c" * 32)])
    assert walk(store) == 0
    append(store, LOG, choices(26, 1), now=NOW)
    assert walk(store) == 2
