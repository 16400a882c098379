"""A signal is kept once, refuses where the rule says so, and its refusal is a choice like any other: with a leaf."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.unit.services.ledger_world import ledger, log_of

from assent.services.ledger.append import append
from assent.services.ledger.prove import prove
from assent.services.signals.record import record_sighting
from assent.services.signals.rule import Sighting
from assent.store.port import Store
from assent.store.records import Choice, Page

DAY = timedelta(days=1)
LOG = log_of()
START = datetime(2026, 1, 1, tzinfo=UTC)
SEEN, GONE = Sighting(present=True), Sighting(present=False)

See = Callable[..., dict[str, str]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with ledger(tmp_path, LOG) as store:
        yield store


@pytest.fixture
def see(store: Store) -> See:
    def see(sighting: Sighting, day: int, rule: str = "decline") -> dict[str, str]:
        effects = record_sighting(
            store, LOG, sighting, subject="s", surface="web", purposes=["training"], rule=rule, now=START + day * DAY
        )
        return {purpose: effect.outcome for purpose, effect in effects.items()}

    return see


def allow(store: Store, day: int) -> None:
    at = START + day * DAY
    append(store, LOG, [Choice(f"a{day}", "s", "training", "allow", at, "n", "web", "web", at)], now=at)


def acts(store: Store) -> list[str]:
    return [choice.act for choice in store.choices("s")]


def test_without_an_answer_the_signal_declines_once_and_with_a_proof(store: Store, see: See) -> None:
    assert see(SEEN, 0) == {"training": "declined"}
    assert see(SEEN, 1) == {"training": "already refused"}
    [choice] = store.choices("s")
    assert (choice.act, choice.recorded_by) == ("decline", "signal gpc")
    assert prove(store, LOG, choice.id).number == 0
    assert store.signals("s", Page(10)).total == 1


def test_by_the_rule_record_it_is_kept_and_does_nothing(store: Store, see: See) -> None:
    assert see(SEEN, 0, rule="record") == {"training": "recorded"}
    assert acts(store) == []
    assert store.signals("s", Page(10)).items[0].outcome == "training: recorded"


def test_a_grant_from_before_the_signal_is_overruled_and_one_after_it_stands(store: Store, see: See) -> None:
    allow(store, 0)
    assert see(SEEN, 1) == {"training": "grant overruled"}
    allow(store, 2)
    assert see(SEEN, 3) == {"training": "grant stands"}
    assert acts(store) == ["allow", "decline", "allow"]


def test_a_signal_that_went_away_grants_nothing_and_refuses_again_when_it_is_back(store: Store, see: See) -> None:
    see(SEEN, 0)
    assert see(GONE, 1) == {"training": "ended"}
    assert acts(store) == ["decline"]
    allow(store, 2)
    assert see(SEEN, 3) == {"training": "grant overruled"}
    assert acts(store) == ["decline", "allow", "decline"]


def test_a_refusal_that_was_stored_before_the_process_died_is_not_appended_twice(
    store: Store, see: See, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(_signal: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(store, "add_signal", dies)
        with pytest.raises(KeyboardInterrupt):
            see(SEEN, 0)
    see(SEEN, 1)
    assert acts(store) == ["decline"]
    assert store.signals("s", Page(10)).total == 1
