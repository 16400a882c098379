"""The contract of columns: the same facts as one by one, streamed, and nominated no later than they are due."""

import random
from datetime import timedelta

import pyarrow as pa
import pytest
from tests.conformance.store.samples import (
    T0,
    choice,
    day,
    everything,
    hold,
    keys_of,
    part,
    plan_for,
    policy,
    redecide_at,
    talk,
)

from assent.policy.nominate import Bound, nominate
from assent.store.columns import ACTS, FACTS, HOLDS, Columns, tables
from assent.store.port import Store
from assent.store.records import Account, Flag

NOW = day(100)


def fill(store: Store, seed: int = 11, count: int = 50) -> None:
    """People, conversations and events of every kind, drawn so that some of them are due at NOW."""
    draw = random.Random(seed)

    def some(share: float) -> object:
        return day(draw.uniform(0, 110)) if draw.random() < share else None

    store.put_accounts(
        Account(
            f"p{n}",
            plan=draw.choice((None, "free", "pro", "team")),
            region=draw.choice((None, "DE", "US")),
            age=draw.choice((None, 16, 30)),
            signed_in=draw.choice((None, True, False)),
            closed_at=some(0.2),
            moved_to_business_at=some(0.2),
            acknowledged_at=some(0.5),
        )
        for n in range(12)
    )
    for n in range(count):
        parts = [
            part(
                str(number),
                created or None,
                data=draw.choice(("text", "text", "score", "image")),
                origin=draw.choice(("person", "model", "connector")),
            )
            for number, created in enumerate([""] * draw.choice((1, 2, 4)))
        ]
        item = talk(
            f"c{n}",
            parts,
            subject=draw.choice((None, *(f"p{k}" for k in range(14)))),
            mode=draw.choice(("normal", "normal", "private")),
            surface=draw.choice(("chat", "coding")),
            last_turn_at=some(0.9),
            deleted_at=some(0.2),
            feedback_at=some(0.1),
        )
        store.intake([item], plan=draw.choice((None, "free", "max", "team")), recorded_at=day(draw.uniform(0, 100)))
        if draw.random() < 0.2:
            store.add_flag(Flag(f"f{n}", item.id, day(draw.uniform(0, 99)), "abuse", "d", "r", some(0.4), some(0.3)))
        if draw.random() < 0.1:
            store.place_hold(hold(f"h{n}", item.id, day(draw.uniform(0, 99)), released_at=some(0.5)))
    store.put_accounts(
        Account(f"p{n}", draw.choice(("free", "team")), "AT", closed_at=some(0.3)) for n in (1, 4, 12, 13)
    )
    store.close_account("p5", day(20))
    store.request_deletion_of_all("p6", day(30))
    for n in range(20):
        store.add_choice(
            choice(f"c{n}", draw.choice(("allow", "decline", "defer")), some(1), subject=f"p{draw.randrange(14)}")
        )
    store.place_hold(hold("h-person", "p3", day(10)))
    store.place_hold(hold("h-all", None, day(1), released_at=day(2)))


def rows(reader: pa.RecordBatchReader) -> list[dict[str, object]]:
    return reader.read_all().to_pylist()


def test_columns_hold_the_same_facts_as_one_by_one(store: Store) -> None:
    fill(store)
    found = {row["part"]: row for row in rows(store.fact_batches(at=NOW, batch_rows=7))}
    facts, names = [], {}
    for entry in everything(store):
        names |= keys_of(store, entry.id)
        facts += store.facts_of(entry.id)
    expected = tables(facts)[0].to_pylist()
    assert len(found) == len(expected) > 100
    for fact, row in zip(facts, expected, strict=True):
        mine = found[str(names[fact.part])]
        assert {**row, "part": "", "chooser": "", "holder": ""} == {**mine, "part": "", "chooser": "", "holder": ""}
        assert (mine["chooser"], mine["holder"]) == (fact.subject, fact.conversation)


def test_the_set_evaluator_decides_columns_as_the_reference_decides_facts(store: Store) -> None:
    fill(store)
    from assent.policy.compile import compile_policy

    columns = Columns()
    query = compile_policy(policy(), NOW)
    with columns.loaded(store.fact_batches(at=NOW), store.act_batches(), store.hold_batches(), NOW):
        answers = {
            row["part"]: row for row in columns.table(f"SELECT part, erase_by, held FROM ({query.sql})").to_pylist()
        }
    decide, held = redecide_at(NOW), 0
    for entry in everything(store):
        keys = keys_of(store, entry.id)
        for facts in store.facts_of(entry.id):
            decision, row = decide(facts), answers[str(keys[facts.part])]
            erase_by = decision.erase_by and decision.erase_by.replace(tzinfo=None)
            assert (row["erase_by"], row["held"]) == (erase_by, decision.held), facts
            held += decision.held
    assert held


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_everything_that_is_due_is_nominated(store: Store, seed: int) -> None:
    fill(store, seed)
    plan = plan_for(store, NOW)
    due = {str(item.part) for item in store.plan_items(plan.digest, 0, 10_000)}
    nominated = {one.id: nominate(policy(), one.state) for one in store.retention_classes()}
    candidates = [row["part"] for row in rows(store.fact_batches(nominated, at=NOW))]
    assert due
    assert due <= set(candidates)
    assert len(candidates) == len(set(candidates)) < store.counts().parts
    assert candidates == sorted(candidates, key=int)


def test_each_clock_can_nominate(store: Store) -> None:
    store.put_accounts([Account("a", closed_at=day(40)), Account("m", moved_to_business_at=day(40))])
    untimed = {"created_at": None, "last_turn_at": None}
    items = {
        "created_at": talk("created", [part("x", at=day(40))], subject=None, last_turn_at=None),
        "last_turn_at": talk("turn", [part("x", at=None)], subject=None, **{**untimed, "last_turn_at": day(40)}),
        "deleted_at": talk("deleted", [part("x", at=None)], subject=None, deleted_at=day(40), **untimed),
        "account_closed_at": talk("closed", [part("x", at=None)], subject="a", **untimed),
        "moved_to_business_at": talk("moved", [part("x", at=None)], subject="m", **untimed),
    }
    store.intake(list(items.values()), plan="free", recorded_at=day(90))
    store.intake([talk("recorded", [part("x", at=None)], **untimed)], plan="free", recorded_at=day(40))
    items["recorded_at"] = talk("recorded")
    classes = [one.id for one in store.retention_classes()]
    for clock, item in items.items():
        for days, expected in ((20, {item.id}), (60, {item.id}), (61, set())):
            bounds = dict.fromkeys(classes, (Bound(clock, timedelta(days=days)),))
            found = {row["holder"] for row in rows(store.fact_batches(bounds, at=NOW))}
            assert expected == found, (clock, days)


def test_a_class_is_read_whole_not_at_all_or_whole_if_it_is_new(store: Store) -> None:
    store.intake([talk("one"), talk("two", surface="coding")], plan="free", recorded_at=T0)
    classes = {one.state.surface: one.id for one in store.retention_classes()}

    def found(nominated: dict[int, object] | None) -> set[str]:
        return {row["holder"] for row in rows(store.fact_batches(nominated, at=NOW))}

    assert found({classes["chat"]: (), classes["coding"]: None}) == {"test:two"}
    assert found({classes["chat"]: ()}) == {"test:two"}
    assert found(dict.fromkeys(classes.values(), ())) == set()
    assert found({}) == found(None) == {"test:one", "test:two"}


def test_two_bounds_on_one_clock_take_what_either_takes(store: Store) -> None:
    store.intake([talk("old", at=day(1)), talk("new", at=day(50))], plan="free", recorded_at=T0)
    for order in (1, -1):
        bounds = (Bound("last_turn_at", timedelta(days=80)), Bound("last_turn_at", timedelta(days=30)))[::order]
        nominated = dict.fromkeys([one.id for one in store.retention_classes()], bounds)
        found = {row["holder"] for row in rows(store.fact_batches(nominated, at=NOW))}
        assert found == {"test:old", "test:new"}


def test_clocks_that_move_take_their_nominations_along(store: Store) -> None:
    store.intake([talk("one")], plan="free", recorded_at=T0)
    nominated = {one.id: nominate(policy(), one.state) for one in store.retention_classes()}
    assert len(rows(store.fact_batches(nominated, at=NOW))) == 2
    store.intake([talk("one", last_turn_at=day(90))], plan="free", recorded_at=day(90))
    assert rows(store.fact_batches(nominated, at=NOW)) == []
    store.request_deletion("test:one", day(70))
    assert len(rows(store.fact_batches(nominated, at=NOW))) == 2


def test_schemas_are_those_of_the_set_evaluator_even_for_nothing(store: Store) -> None:
    for reader, schema in (
        (store.fact_batches(at=NOW), FACTS),
        (store.act_batches(), ACTS),
        (store.hold_batches(), HOLDS),
    ):
        assert reader.schema == schema
        assert reader.read_all().num_rows == 0


def test_acts_and_holds_are_laid_out(store: Store) -> None:
    fill(store)
    acts = rows(store.act_batches())
    mine = [(c.subject, c.purpose, c.act, c.at.replace(tzinfo=None)) for n in range(14) for c in store.choices(f"p{n}")]
    assert sorted(tuple(row.values()) for row in acts) == sorted(mine)
    holds = rows(store.hold_batches())
    expected = [
        (entry.id, span.start.replace(tzinfo=None), span.released_at and span.released_at.replace(tzinfo=None))
        for entry in everything(store)
        for span in store.facts_of(entry.id)[0].holds
    ]
    assert sorted((tuple(row.values()) for row in holds), key=str) == sorted(expected, key=str)
    assert len(expected) > 50


def test_a_stream_sees_one_instant_and_may_be_left(store: Store) -> None:
    store.intake([talk(f"c{n}") for n in range(6)], plan="free", recorded_at=T0)
    left = store.fact_batches({}, at=NOW, batch_rows=5)
    seen = left.read_next_batch().num_rows
    store.intake([talk("late")], plan="free", recorded_at=T0)
    assert seen + left.read_all().num_rows == 12
    again = store.fact_batches({}, at=NOW, batch_rows=5)
    again.read_next_batch()
    again.close()
    del again
    assert store.fact_batches({}, at=NOW).read_all().num_rows == 14


def test_names_lead_from_keys_to_conversations(store: Store) -> None:
    store.intake([talk("one")], plan="free", recorded_at=T0)
    keys = keys_of(store, "test:one")
    assert store.names_of([*keys.values(), 10**9]) == {
        keys["test:one#a"]: ("test:one", "a"),
        keys["test:one#b"]: ("test:one", "b"),
    }
