"""What a person deleted comes back within its window: by the owner alone, or by two others together."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from provider import DAY, MICROSECOND, Provider, day, provider, talk

from assent.domain.errors import NotFound, Refused
from assent.services.approve import approve, ask
from assent.services.erase.quarantine import hide, undelete

WINDOW = timedelta(days=14)
DELETED = day(2)


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Provider]:
    """A conversation of s1 whose use would run for years, deleted on day 2; lead as in an ordinary home."""
    with provider(tmp_path / "home") as made:
        made.lead = timedelta(days=16)
        made.person()
        made.choose("allow", day(-1))
        made.keep(talk("a"), talk("b"))
        assert hide(made.store, "test:a", now=DELETED) == DELETED
        yield made


def facts(made: Provider) -> set[object]:
    return {fact.deleted_at for fact in made.store.facts_of("test:a")}


def test_the_owner_brings_it_back_and_everything_is_as_before(acme: Provider) -> None:
    before = acme.decided(day(3))["test:b#q"]
    assert "training" not in acme.decided(day(3))["test:a#q"].eligible
    entry = undelete(acme.store, "test:a", by="s1", now=DELETED + WINDOW - MICROSECOND, window=WINDOW)
    assert (entry.deleted_at, facts(acme)) == (None, {None})
    after = acme.decided(day(3))["test:a#q"]
    assert (after.eligible, after.erase_by) == (before.eligible, before.erase_by)
    assert acme.plan(day(400)).due == 0


def test_nothing_is_swept_before_the_window_ends_and_everything_right_after(acme: Provider) -> None:
    assert acme.plan(DELETED + WINDOW - MICROSECOND).due == 0
    assert acme.plan(DELETED + WINDOW).due == 2


def test_nobody_brings_it_back_when_the_window_is_over(acme: Provider) -> None:
    with pytest.raises(Refused) as refused:
        undelete(acme.store, "test:a", by="s1", now=DELETED + WINDOW, window=WINDOW)
    assert refused.value.message == "conversation `test:a` could be brought back until 2026-01-17T12:00:00Z"
    assert refused.value.fix == "it may be here still, but a sweep is free to take it; what is to stay needs a hold"
    assert facts(acme) == {DELETED}


def test_what_was_erased_comes_back_by_nothing(acme: Provider) -> None:
    now = DELETED + WINDOW
    acme.sweep(acme.plan(now).digest, now)
    with pytest.raises(NotFound):
        undelete(acme.store, "test:a", by="s1", now=now, window=10 * WINDOW)


def test_somebody_else_needs_two_people(acme: Provider) -> None:
    with pytest.raises(Refused, match="takes a second person"):
        undelete(acme.store, "test:a", by="ann", now=day(3), window=WINDOW)
    ask(acme.store, id="1", act="undelete", target="test:a", by="ann", reason="wrong account", now=day(3), valid=DAY)
    with pytest.raises(Refused):
        undelete(acme.store, "test:a", by="ann", now=day(3), window=WINDOW)
    with pytest.raises(Refused):
        approve(acme.store, "1", by="ann", now=day(3))
    approve(acme.store, "1", by="ben", now=day(3))
    with pytest.raises(Refused):  # an approval of another conversation
        undelete(acme.store, "test:b", by="ann", now=day(3), window=WINDOW)
    assert undelete(acme.store, "test:a", by="ann", now=day(3), window=WINDOW).deleted_at is None
    hide(acme.store, "test:a", now=day(3))
    with pytest.raises(Refused):  # it was good once
        undelete(acme.store, "test:a", by="ann", now=day(3), window=WINDOW)


def test_what_is_not_deleted_cannot_be_brought_back(acme: Provider) -> None:
    with pytest.raises(Refused, match="conversation `test:b` is not deleted") as refused:
        undelete(acme.store, "test:b", by="s1", now=day(3), window=WINDOW)
    assert refused.value.fix == "there is nothing to bring back"
    with pytest.raises(NotFound, match="there is no conversation `test:nothing`") as missing:
        undelete(acme.store, "test:nothing", by="s1", now=day(3), window=WINDOW)
    assert missing.value.fix == "it may have been erased, which nothing undoes"


def test_deleting_again_does_not_move_the_window(acme: Provider) -> None:
    assert hide(acme.store, "test:a", now=day(9)) == DELETED


def test_what_changes_while_it_is_brought_back_is_left_alone(acme: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(acme.store, "withdraw_deletion", lambda *said: asked.append(said))
    with pytest.raises(Refused, match="conversation `test:a` changed meanwhile") as refused:
        undelete(acme.store, "test:a", by="s1", now=day(3), window=WINDOW)
    assert refused.value.fix == "look at it, and ask again"
    assert asked == [("test:a", DELETED)]


def test_a_request_that_changed_meanwhile_is_left_alone(acme: Provider) -> None:
    assert not acme.store.withdraw_deletion("test:a", day(1))
    assert facts(acme) == {DELETED}
