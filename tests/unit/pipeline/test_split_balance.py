"""Splits and limits: nobody in two splits, nobody more than allowed, and no news about one person through another."""

from collections import Counter
from random import Random

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.domain.errors import Invalid
from assent.pipeline.balance import OF_A_PERSON, OF_A_SKILL, BalanceTerms, balance
from assent.pipeline.split import SplitTerms, keyed_place, split

KEY = b"a key of a cut"
people = st.one_of(st.none(), st.sampled_from("abcdefgh"))
entries = st.lists(
    st.tuples(people, st.sampled_from(["coding", "analysis", "other"]), st.integers(1, 9), st.integers(1, 5000)),
    max_size=40,
)


def table(rows: list[tuple], names: list[str] | None = None) -> pa.Table:
    names = names or [f"c{number}" for number in range(len(rows))]
    records = [
        {"conversation": name, "person": who, "skill": skill, "rows": rows, "bytes": size}
        for name, (who, skill, rows, size) in zip(names, rows, strict=True)
    ]
    kinds = (pa.string(), pa.string(), pa.string(), pa.int64(), pa.int64())
    columns = ("conversation", "person", "skill", "rows", "bytes")
    return pa.Table.from_pylist(records, schema=pa.schema(list(zip(columns, kinds, strict=True))))


@given(st.lists(people, max_size=60), st.binary(min_size=1))
def test_nobody_is_in_two_splits(who: list[str | None], key: bytes) -> None:
    found = split(who, [f"c{n}" for n in range(len(who))], SplitTerms(3000, 3000), key)
    places = {(person, name) for person, name in zip(who, found, strict=True) if person is not None}
    assert len(places) == len({person for person, _ in places})


@given(st.lists(people, min_size=1, max_size=60))
def test_the_split_of_a_person_does_not_depend_on_anybody_else(who: list[str | None]) -> None:
    names = [f"c{n}" for n in range(len(who))]
    together = split(who, names, SplitTerms(3000, 3000), KEY)
    assert together == [split([w], [n], SplitTerms(3000, 3000), KEY)[0] for w, n in zip(who, names, strict=True)]


def test_shares_are_what_was_asked_for_and_the_key_decides_who() -> None:
    who = [f"p{number}" for number in range(20_000)]
    found = Counter(split(who, who, SplitTerms(), KEY))
    assert abs(found["validation"] - 1000) < 150
    assert abs(found["test"] - 1000) < 150
    assert split(who, who, SplitTerms(), KEY) != split(who, who, SplitTerms(), b"another")
    assert set(split(who, who, SplitTerms(0, 0), KEY)) == {"train"}


def test_a_person_and_a_conversation_of_the_same_name_are_told_apart() -> None:
    assert keyed_place(KEY, "split", "person", "x") != keyed_place(KEY, "split", "conversation", "x")
    assert keyed_place(KEY, "ab", "c") != keyed_place(KEY, "a", "bc")


@pytest.mark.parametrize("shares", [(-1, 0), (5000, 5000)])
def test_shares_that_leave_nothing_to_train_on_are_refused(shares: tuple[int, int]) -> None:
    with pytest.raises(Invalid):
        SplitTerms(*shares)


@given(entries, st.integers(1, 4), st.integers(1, 20))
def test_nobody_gives_more_than_the_limits(rows: list[tuple], conversations: int, length: int) -> None:
    reasons = balance(table(rows), BalanceTerms(conversations=conversations, rows=length), KEY)
    for person in {who for who, *_ in rows if who is not None}:
        taken = [row for row, reason in zip(rows, reasons, strict=True) if reason is None and row[0] == person]
        assert len(taken) <= conversations
        assert sum(row[2] for row in taken) <= length


@given(entries, st.randoms(use_true_random=False))
def test_order_of_arrival_changes_nothing(rows: list[tuple], chance: Random) -> None:
    names = [f"c{number}" for number in range(len(rows))]
    terms = BalanceTerms(conversations=2, rows=12, mix={"coding": 2, "other": 1})
    before = dict(zip(names, balance(table(rows, names), terms, KEY), strict=True))
    order = list(range(len(rows)))
    chance.shuffle(order)
    shuffled = balance(table([rows[at] for at in order], [names[at] for at in order]), terms, KEY)
    assert before == dict(zip([names[at] for at in order], shuffled, strict=True))


@given(entries)
def test_who_leaves_changes_nothing_of_what_others_are_limited_to(rows: list[tuple]) -> None:
    names = [f"c{number}" for number in range(len(rows))]
    terms = BalanceTerms(conversations=2, rows=12)
    before = dict(zip(names, balance(table(rows, names), terms, KEY), strict=True))
    stay = [at for at, row in enumerate(rows) if row[0] != "a"]
    after = balance(table([rows[at] for at in stay], [names[at] for at in stay]), terms, KEY)
    assert after == [before[names[at]] for at in stay]


@given(entries)
def test_no_skill_takes_more_than_its_share_of_what_the_scarcest_allows(rows: list[tuple]) -> None:
    mix = {"coding": 3, "analysis": 1}
    reasons = balance(table(rows), BalanceTerms(mix=mix), KEY)
    there, taken = Counter(), Counter()
    for (_, skill, _, size), reason in zip(rows, reasons, strict=True):
        there[skill] += size
        taken[skill] += size if reason is None else 0
    whole = min((there[skill] / share for skill, share in mix.items() if there[skill]), default=0)
    assert taken["other"] == 0
    assert all(taken[skill] <= whole * share + 1e-9 for skill, share in mix.items())


def test_the_scarcest_skill_is_taken_whole_and_the_reasons_are_named() -> None:
    rows = [(None, "coding", 1, 100)] * 50 + [(None, "other", 1, 100)] * 10 + [("a", "other", 30, 100)]
    reasons = balance(table(rows), BalanceTerms(rows=20, mix={"coding": 2, "other": 1}), KEY)
    assert Counter(reasons) == {None: 30, OF_A_SKILL: 30, OF_A_PERSON: 1}


@pytest.mark.parametrize("terms", [{"rows": 0}, {"conversations": -1}, {"mix": {"coding": 0}}, {"mix": {"other": -1}}])
def test_limits_that_take_nothing_are_refused(terms: dict) -> None:
    with pytest.raises(Invalid):
        BalanceTerms(**terms)
