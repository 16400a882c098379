"""A choice is recorded with the notice that was shown, once, and is never changed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from provider import T0, Provider, day, provider, talk

from assent.services.choose import record_choice
from assent.services.notice import Notice, notice_of
from assent.store.records import Choice


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Provider]:
    with provider(tmp_path / "home") as made:
        made.person()
        yield made


def test_an_act_is_kept_with_the_digest_of_what_was_shown(acme: Provider) -> None:
    notice = notice_of(acme.versions[0], "training")
    made = record_choice(acme.store, "s1", "allow", notice, surface="terminal", now=T0)
    assert made == Choice(made.id, "s1", "training", "allow", T0, notice.digest, "terminal", "terminal", T0)
    assert list(acme.store.choices("s1")) == [made]


def test_each_act_has_its_own_id(acme: Provider) -> None:
    notice, other = Notice("training", "a"), Notice("training", "b")
    acts = [
        record_choice(acme.store, subject, act, shown, surface="terminal", now=at)
        for subject in ("s1", "s2")
        for act in ("allow", "decline", "defer", "withdraw")
        for shown in (notice, other, Notice("feedback", "a"))
        for at in (T0, day(1))
    ]
    assert len({choice.id for choice in acts}) == len(acts) == acme.store.counts().choices


def test_the_same_act_at_the_same_instant_is_one_act(acme: Provider) -> None:
    for _ in range(2):
        record_choice(acme.store, "s1", "allow", Notice("training", "a"), surface="terminal", now=T0)
    assert acme.store.counts().choices == 1


def test_only_an_allow_makes_anything_eligible_and_the_last_word_counts(acme: Provider) -> None:
    notice = notice_of(acme.versions[0], "training")
    acme.keep(talk("a", "s1", day(5)))
    eligible = []
    for number, act in enumerate(("defer", "decline", "allow", "defer", "withdraw", "defer", "decline")):
        record_choice(acme.store, "s1", act, notice, surface="terminal", now=day(number))
        (answer,) = {decision.eligible for decision in acme.decided(day(6)).values()}
        eligible.append(answer)
    assert eligible == [(), (), ("training",), ("training",), (), (), ()]
