"""Choices that were made after the backup are lost: what may rest on one ends, and nothing else does."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.acceptance.stories.restorable import Lived, comes_back, day, made, talk
from tests.unit.services.ledger_world import NOW, choice, ledger, log_of

from assent.domain.errors import Refused
from assent.policy.model import Policy
from assent.policy.parse import parse_policy
from assent.services.backup.doubt import Backed, doubt, unknown_leaves
from assent.services.choose.standing import source_of
from assent.services.ledger.append import append
from assent.services.ledger.seal import seal
from assent.store.port import Store
from assent.store.records import Account, Choice
from assent.wiring import Wiring

LOG = log_of()
BACKED = Backed("the-backup", NOW + timedelta(hours=1))
LATER = NOW + timedelta(days=1)


def policy(name: str) -> Policy:
    return parse_policy((Wiring.policy_library() / f"{name}.toml").read_text("utf-8"), name)


ASKING, BY_DEFAULT = policy("anthropic/2025-10-08"), policy("cohere/2025-12-05")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A ledger in which s0 allowed, s1 declined, s2 allowed and withdrew, and s3 has an account and said nothing."""
    with ledger(tmp_path, LOG) as store:
        store.put_accounts([Account(f"s{number}", plan="pro", age=30) for number in range(4)])
        again = Choice("again", "s2", "training", "withdraw", NOW + timedelta(minutes=1), "", "web", "web", NOW)
        append(store, LOG, [choice(0), choice(1, "decline"), choice(2), again], now=NOW)
        yield store


def last(store: Store, subject: str) -> Choice:
    return list(store.choices(subject))[-1]


def test_what_a_person_allowed_ends_as_of_the_backup_and_says_why(store: Store) -> None:
    assert doubt(store, LOG, [ASKING], BACKED, now=LATER) == 1
    act = last(store, "s0")
    assert (act.act, act.at, act.recorded_at) == ("withdraw", BACKED.taken_at, LATER)
    assert (source_of(act), act.prior) == ("restore", "allowed")
    assert [last(store, who).id for who in ("s1", "s2")] == ["c1", "again"]
    assert list(store.choices("s3")) == []  # asked for nothing, allowed nothing: nothing rests on an answer


def test_where_silence_is_used_the_silent_are_doubted_too(store: Store) -> None:
    purposes = {rule.purpose for grant in BY_DEFAULT.grants for rule in grant.choices if rule.by_default}
    doubt(store, LOG, [BY_DEFAULT], BACKED, now=LATER)
    assert {act.purpose for act in store.choices("s3") if act.act == "decline"} == purposes != set()


def test_doubting_again_changes_nothing_and_a_later_choice_ends_the_doubt(store: Store) -> None:
    doubt(store, LOG, [ASKING], BACKED, now=LATER)
    leaves = store.staged()
    assert doubt(store, LOG, [ASKING], BACKED, now=LATER + timedelta(days=1)) == 0
    assert store.staged() == leaves == seal(store, LOG, now=LATER).size  # under a checkpoint as any choice
    at = BACKED.taken_at + timedelta(minutes=5)
    append(store, LOG, [Choice("later", "s0", "training", "allow", at, "sha256:n", "web", "web", LATER)], now=LATER)
    assert last(store, "s0").act == "allow"


def test_a_choice_that_the_backup_has_though_it_is_younger_is_doubted_too(store: Store) -> None:
    late = Choice("late", "s1", "training", "allow", BACKED.taken_at + timedelta(seconds=5), "n", "web", "web", NOW)
    append(store, LOG, [late], now=NOW)
    doubt(store, LOG, [ASKING], BACKED, now=LATER)
    assert (last(store, "s1").act, last(store, "s1").at) == ("withdraw", late.at)


def test_without_the_keys_of_the_ledger_nothing_is_doubted_silently(store: Store) -> None:
    with pytest.raises(Refused, match="without the ledger's keys"):
        doubt(store, None, [ASKING], BACKED, now=LATER)


def test_only_bare_commitments_are_unknown(store: Store) -> None:
    known = store.staged()
    store.continue_ledger(known, [bytes([n]) * 32 for n in range(3)])
    assert unknown_leaves(store, 0) == {known, known + 1, known + 2}
    assert unknown_leaves(store, known + 2) == {known + 2}


# -- from the command line ----------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Lived:
    """A home in which ada allowed training, backed up on day 1, and whose ledger is published."""
    home = made(tmp_path, "assent.db")
    with home.store() as store:
        store.put_accounts([Account("ada", plan="pro", age=40, signed_in=True)])
        allow = Choice("yes", "ada", "training", "allow", day(-2), "sha256:n", "web", "web", day(-2))
        append(store, Wiring(home.folder, day(0)).log, [allow], now=day(0))
        store.intake([talk("kept"), talk("gone")], plan="pro", recorded_at=day(0))
    assert home("ledger", "publish", home.around / "published", at=day(0)).status == 0
    home.backs_up(day(1))
    return home


def trainable(home: Lived, at: float) -> bool:
    explained = home("explain", "story:kept", "--json", at=day(at))
    assert explained.status == 0, explained.err
    return "training" in explained.out.split('"eligible"', 1)[1].split("]", 1)[0]


def test_nobody_is_trained_on_who_may_have_withdrawn_until_they_allow_again(home: Lived) -> None:
    published = home.around / "published"
    assert home("choose", "ada", "withdraw", at=day(2)).status == 0
    assert home("ledger", "publish", published, at=day(2)).status == 0
    back, done = comes_back(home, day(3), database="assent.db", more=("--ledger", published))
    assert done.status == 0, done.err
    assert (done.json()["unknown"], done.json()["doubted"]) == (1, 1)
    assert not trainable(back, 3)
    with back.store(day(4)) as store:
        again = Choice("again", "ada", "training", "allow", day(4), "sha256:n", "web", "web", day(4))
        append(store, Wiring(back.folder, day(4)).log, [again], now=day(4))
    assert back("ledger", "publish", published, at=day(4)).status == 0
    assert back("ledger", "verify", "--log", published, at=day(4)).status == 0


def test_receipts_of_erasures_and_cuts_are_no_lost_choices(home: Lived) -> None:
    published = home.around / "published"
    home.deletes("gone", day(0))
    home.sweeps(day(14.5))
    assert home("ledger", "publish", published, at=day(14.5)).status == 0
    cut = ("cut", "create", "spring", "--purpose", "training", "--recipe", "none", "--out", home.around / "spring")
    assert home(*cut, at=day(14.5)).status == 0
    assert home("ledger", "publish", published, at=day(14.5)).status == 0
    back, done = comes_back(home, day(14.6), database="assent.db", more=("--ledger", published))
    assert done.status == 0, done.err
    assert done.json()["leaves"] == 3
    assert (done.json()["erasures"], done.json()["unknown"], done.json()["doubted"]) == (1, 0, 0)
    assert trainable(back, 14.6)
    shown = home("restore", home.copies, home.around / "other", "--keys", home.keys, "--journal",
                 home.folder / "journal", "--database", "other.db", "--ledger", "none", at=day(14.6))  # fmt: skip
    assert "no published ledger was looked at" in shown.out
