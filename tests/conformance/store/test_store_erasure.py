"""The contract of erasure: an intent happens whole or not at all, and what follows it ends in a receipt."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DatabaseError
from tests.conformance.store.samples import (
    ALL,
    SALT,
    T0,
    by_sets,
    day,
    erase,
    hold,
    keys_of,
    part,
    plan_for,
    policy,
    sweep_all,
    talk,
)

from assent.domain.errors import AssentError, Invalid, NotFound, Refused
from assent.domain.instants import to_micros
from assent.ledger.erasure import (
    FIRST,
    Copy,
    ErasureRecord,
    Link,
    Tree,
    chain_of,
    first_broken,
    ground_of,
    leaf_entry,
    leaf_record,
    leaf_salt,
)
from assent.ledger.leaf import commitment
from assent.ledger.merkle import EMPTY_ROOT, leaf_hash, verify_inclusion
from assent.store.migrate import migrate
from assent.store.port import Store
from assent.store.records import (
    Choice,
    DerivedStore,
    DueBatch,
    Erasure,
    FactColumnsBatch,
    Flag,
    Intent,
    Lease,
    Obligation,
    Page,
    StagedReceipt,
    StoreState,
    Tombstone,
)
from assent.store.sql.erasure import intend_replaced
from assent.store.sql.store import SqlStore

NOW = day(60)
LATER = day(61)
Due = tuple[Store, int, list[int]]


@pytest.fixture
def due(store: Store) -> Due:
    """A begun sweep of six parts in three conversations that are due at NOW, and a conversation that is not."""
    items = [talk(f"old{n}") for n in range(3)]
    store.intake([*items, talk("new", at=day(50))], plan="free", recorded_at=T0)
    plan = plan_for(store, NOW)
    run = store.begin_sweep(plan.digest, NOW)
    return store, run.id, store.plan_keys(plan.digest, 0, 100)


def state(store: Store) -> object:
    """Everything that an intent may change, as far as readers see it."""
    return (
        store.counts(),
        [store.conversation(f"test:{name}") for name in ("old0", "old1", "old2", "new")],
        [store.sweep(n) for n in range(4)],
        store.chained(0, 100),
        store.tombstones(ALL).items,
        [store.obligations(n) for n in range(5)],
    )


def link_of(erasure: Erasure) -> Link:
    return Link(
        erasure.id,
        erasure.kind,
        erasure.at,
        erasure.parts,
        erasure.root,
        erasure.slots_digest,
        erasure.previous,
    )


def links(store: Store) -> list[tuple[Link, bytes]]:
    return [(link_of(one), one.chain) for one in store.chained(0, 100)]


def receipt(name: str = "r", salt: bytes = SALT) -> StagedReceipt:
    record = f'{{"receipt":"{name}"}}'
    return StagedReceipt(record, salt, commitment(salt, record.encode()))


def record_of(stone: Tombstone) -> bytes:
    ground = ground_of(stone.rule, stone.policy)
    return leaf_record(stone.conversation, stone.part, to_micros(stone.erase_by), ground)


def run_sql(store: Store, statement: str, **values: object) -> None:
    """Do what no method of a store does."""
    assert isinstance(store, SqlStore)
    with store._database.writing() as connection:
        connection.execute(text(statement), values)


# -- what an intent writes ---------------------------------------------------------------


def test_an_intent_names_what_goes_and_the_keys_to_destroy(due: Due) -> None:
    store, sweep, keys = due
    assert erase(store, sweep, keys[:2], NOW) == Intent(1, erased=2)
    erasure = store.erasure(1)
    assert (erasure.id, erasure.kind, erasure.sweep, erasure.at, erasure.parts) == (1, "swept", sweep, NOW, 2)
    assert (erasure.salt, erasure.keys_destroyed_at, erasure.finished_at, erasure.receipt) == (SALT, None, None, None)
    slots = store.slots_of(1)
    assert len(slots) == 3, "two texts and the title above them"
    assert slots == sorted(slots)
    assert store.contents.opens(slots) == set(slots), "keys go after the intent, not with it"
    assert store.open_erasures(0, 10) == [erasure]
    assert store.content_of(keys[:2]) == {}
    assert store.erasure(2) is None
    assert store.slots_of(2) == []


def test_the_root_is_that_of_the_tombstones_and_each_of_them_can_be_proven(due: Due) -> None:
    store, sweep, keys = due
    erase(store, sweep, keys, NOW)
    erasure, stones = store.erasure(1), list(store.tombstones_of(1))
    assert [stone.number for stone in stones] == list(range(6))
    assert [stone.conversation for stone in stones] == [f"test:old{n}" for n in (0, 0, 1, 1, 2, 2)]
    assert {(s.erased_at, s.erase_by, s.rule, s.policy, s.sweep, s.subject) for s in stones} == {
        (NOW, day(30), "base", policy().digest, sweep, "s1")
    }
    tree = Tree(SALT, [record_of(stone) for stone in stones])
    assert (tree.root, tree.size) == (erasure.root, erasure.parts)
    for stone in stones:
        entry = leaf_entry(leaf_salt(SALT, stone.number), record_of(stone))
        assert verify_inclusion(stone.number, 6, leaf_hash(entry), tree.proof(stone.number), erasure.root)


def test_erasures_are_chained_and_every_change_of_one_is_found(due: Due) -> None:
    store, sweep, keys = due
    for n in range(3):
        erase(store, sweep, keys[2 * n : 2 * n + 2], day(60 + n))
    chain = links(store)
    assert [link.previous for link, _ in chain] == [FIRST, chain[0][1], chain[1][1]]
    assert first_broken(chain) is None
    for change in (
        {"at": day(1)},
        {"parts": 9},
        {"root": FIRST},
        {"slots": FIRST},
        {"kind": "replaced"},
        {"id": 7},
    ):
        changed = replace(chain[1][0], **change)
        assert first_broken([chain[0], (changed, chain[1][1]), chain[2]]) == changed.id
        # whoever writes the chain on from the change gives himself away at the next one
        assert first_broken([chain[0], (changed, chain_of(changed)), chain[2]]) == 3
    assert first_broken([chain[0], chain[2]]) == 3, "one was taken out"


FIXED = [
    ("erasure", "parts = 1"),
    ("erasure", "root = salt"),
    ("erasure", "slots = salt"),
    ("erasure", "salt = root"),
    ("tombstone", "number = 9"),
    ("tombstone", "conversation = 'other'"),
    ("tombstone", "erase_by = 0"),
    ("ground", "rule = 'other'"),
]


def test_the_database_itself_refuses_to_change_or_lose_one(due: Due) -> None:
    store, sweep, keys = due
    erase(store, sweep, keys, NOW)
    before = state(store)
    for table, change in FIXED:
        for statement in (f"UPDATE {table} SET {change}", f"DELETE FROM {table}"):
            with pytest.raises(
                DatabaseError, match=r"chained|can only go|nothing else|stays erased|tombstones name it"
            ):
                run_sql(store, statement)
    assert state(store) == before


def test_a_tombstone_can_lose_its_subject_and_still_be_proven(due: Due) -> None:
    store, sweep, keys = due
    erase(store, sweep, keys, NOW)
    run_sql(store, "UPDATE tombstone SET subject = NULL WHERE subject = :s", s="s1")
    assert store.tombstones(ALL, subject="s1").total == 0
    stones = list(store.tombstones_of(1))
    assert {stone.subject for stone in stones} == {None}
    assert Tree(SALT, [record_of(stone) for stone in stones]).root == store.erasure(1).root


def test_erasures_are_found_by_conversation(due: Due) -> None:
    store, sweep, keys = due
    erase(store, sweep, keys[:1], NOW)
    erase(store, sweep, keys[1:], LATER)
    assert [one.id for one in store.erasures(ALL).items] == [2, 1]
    assert [one.id for one in store.erasures(ALL, "test:old0").items] == [2, 1]
    assert [one.id for one in store.erasures(ALL, "test:old2").items] == [2]
    assert store.erasures(ALL, "test:new").total == 0
    assert store.erasures(Page(limit=1)).after is not None


def test_a_title_goes_with_the_last_words_below_it(store: Store) -> None:
    parts = [part("a"), part("s", data="score", origin="model"), part("b", at=day(50))]
    store.intake([talk("one", parts)], plan="free", recorded_at=T0)
    keys = keys_of(store, "test:one")
    plan = plan_for(store, NOW, list(keys.values()))
    run = store.begin_sweep(plan.digest, NOW)

    far = by_sets(day(500))
    assert erase(store, run.id, [keys["test:one#a"]], NOW, decide=far).erased == 1
    assert len(store.slots_of(1)) == 1
    assert store.conversation("test:one").entry.title == "title of one"
    assert erase(store, run.id, [keys["test:one#b"]], NOW, decide=far).erased == 1
    assert len(store.slots_of(2)) == 2, "the text and the title"
    assert store.conversation("test:one").entry.title == ""
    assert erase(store, run.id, [keys["test:one#s"]], NOW, decide=far).erased == 1
    assert len(store.slots_of(3)) == 1
    assert store.conversation("test:one") is None


# -- all or nothing ----------------------------------------------------------------------


def test_nothing_happens_when_more_is_due_than_the_budget(due: Due) -> None:
    store, sweep, keys = due
    before = state(store)
    with pytest.raises(Refused, match="`6` of these parts are due and `5` may go"):
        store.intend(sweep, by_sets(NOW), keys, at=NOW, salt=SALT, budget=5)
    assert state(store) == before
    store.place_hold(hold("h", "test:old1", day(1)))
    assert store.intend(sweep, by_sets(NOW), keys, at=NOW, salt=SALT, budget=4).erased == 4, "held parts cost nothing"


def test_nothing_happens_when_the_lease_is_lost(due: Due) -> None:
    store, sweep, keys = due
    mine = store.take_lease("sweep", "one", NOW, day(60.1))
    assert isinstance(mine, Lease)
    assert store.intend(sweep, by_sets(NOW), keys[:2], at=NOW, salt=SALT, lease=mine).erased == 2
    store.take_lease("sweep", "two", day(60.2), day(60.3))
    before = state(store)
    with pytest.raises(Refused, match="lease"):
        store.intend(sweep, by_sets(NOW), keys, at=NOW, salt=SALT, lease=mine)
    assert state(store) == before


def test_nothing_happens_when_the_evaluators_disagree(due: Due) -> None:
    store, sweep, keys = due
    before = state(store)

    def one_sees_a_year_ahead(batch: FactColumnsBatch) -> DueBatch:
        sets, reference = by_sets(NOW), batch.sample
        moved = {key: replace(facts, last_turn_at=NOW) for key, facts in reference.items()}
        return sets(batch._replace(sample=moved))

    with pytest.raises(AssentError, match="evaluators"):
        erase(store, sweep, keys, NOW, decide=one_sees_a_year_ahead)
    assert state(store) == before


def test_every_part_of_a_small_batch_is_decided_by_both_evaluators(due: Due) -> None:
    store, sweep, keys = due
    asked: list[FactColumnsBatch] = []

    def listening(batch: FactColumnsBatch) -> DueBatch:
        asked.append(batch)
        return by_sets(NOW)(batch)

    erase(store, sweep, keys, NOW, decide=listening)
    assert [sorted(batch.sample) for batch in asked] == [keys]
    assert asked[0].facts["part"].to_pylist() == [str(key) for key in keys]


@pytest.mark.parametrize("answer", ["another part", "twice", "no end"])
def test_nothing_happens_on_an_answer_to_another_question(due: Due, answer: str) -> None:
    store, sweep, keys = due
    before = state(store)

    def wrong(batch: FactColumnsBatch) -> DueBatch:
        due = by_sets(NOW)(batch)
        if answer == "twice":
            return due.take([0, 1, 1])
        name, value = ("part", 10**6) if answer == "another part" else ("erase_by", None)
        rows = due.to_pylist()
        rows[1][name] = value
        return due.from_pylist(rows, schema=due.schema)

    with pytest.raises(AssentError, match="nobody asked for"):
        erase(store, sweep, keys[:3], NOW, decide=wrong)
    assert state(store) == before


@contextmanager
def failing(engine: Engine, at: int) -> Iterator[list[str]]:
    """Fail at one of the statements that writers run, counted from 0; says which statements ran."""
    ran: list[str] = []

    def before(_c: Connection, _cursor: object, statement: str, *_: object) -> None:
        ran.append(statement)
        if len(ran) == at + 1:
            raise OSError("no space left on device")

    event.listen(engine, "before_cursor_execute", before)
    try:
        yield ran
    finally:
        event.remove(engine, "before_cursor_execute", before)


def test_an_intent_that_fails_at_any_statement_leaves_nothing(due: Due) -> None:
    store, sweep, keys = due
    store.register(DerivedStore("index", "connector", NOW))
    store.add_flag(Flag("f", "test:old0", day(-800), "abuse", "d", "r"))
    assert isinstance(store, SqlStore)
    engine, at = store._database.engine, 0
    before = state(store)
    answers: list[DueBatch] = []

    def decide(batch: FactColumnsBatch) -> DueBatch:
        answers[:] = answers or [by_sets(NOW)(batch)]
        return answers[0]

    while True:
        with failing(engine, at) as ran:
            try:
                done = erase(store, sweep, keys[:3], NOW, decide=decide)
            except OSError:
                at += 1
            else:
                break
        assert state(store) == before, ran[-1]
    assert at > 15
    assert done == Intent(1, erased=3)
    assert len(store.obligations(1)) == 1
    assert store.counts().parts == 5


def test_an_intent_that_finds_nothing_due_leaves_no_erasure(due: Due) -> None:
    store, sweep, keys = due
    store.place_hold(hold("h", None, day(1)))
    assert erase(store, sweep, keys, NOW) == Intent(None, kept=6)
    assert store.sweep(sweep).kept == 6
    assert store.chained(0, 10) == []
    assert erase(store, sweep, [], NOW) == Intent(None)


def test_a_salt_that_is_too_short_hides_nothing(due: Due) -> None:
    store, sweep, keys = due
    before = state(store)
    with pytest.raises(Invalid, match="hides nothing"):
        store.intend(sweep, by_sets(NOW), keys, at=NOW, salt=b"short")
    assert state(store) == before


def test_an_erasure_leaves_no_row_without_its_parent(store: Store) -> None:
    store.intake([talk("one"), talk("two")], plan="free", recorded_at=T0)
    store.add_flag(Flag("f", "test:one", day(-800), "abuse", "d", "r"))
    sweep_all(store, NOW)
    assert store.counts().parts == 0
    assert store.parentless() == {}


def test_rows_without_their_parent_are_counted(postgres_store: Callable[[], Store]) -> None:
    store = postgres_store()
    store.intake([talk("one"), talk("two")], plan="free", recorded_at=T0)
    run_sql(store, "DELETE FROM part WHERE id = 'a'")
    assert store.parentless() == {"sealed": 2}
    run_sql(store, "DELETE FROM conversation WHERE id = 'test:one'")
    assert store.parentless() == {"part": 1, "sealed": 2}
    store.close()


# -- texts that others took the place of --------------------------------------------------


def test_a_rewritten_text_leaves_an_erasure_of_its_key(store: Store) -> None:
    store.intake([talk("one", [part("a", "first")])], plan="free", recorded_at=T0)
    old = next(iter(keys_of(store, "test:one").values()))
    store.register(DerivedStore("cuts", "cuts", T0))
    store.intake([talk("one", [part("a", "second")])], plan="free", recorded_at=day(1))
    assert list(store.content_of([old]).values()) == ["second"]
    (erasure,) = store.open_erasures(0, 10)
    assert (erasure.kind, erasure.sweep, erasure.parts, erasure.root) == ("replaced", None, 0, EMPTY_ROOT)
    assert len(store.slots_of(erasure.id)) == 1
    assert store.obligations(erasure.id) == [Obligation(erasure.id, "cuts", "present")]
    store.contents.destroy(store.slots_of(erasure.id))
    assert list(store.content_of([old]).values()) == ["second"], "the new text has a key of its own"
    assert first_broken(links(store)) is None


def test_replaced_slots_are_recorded_with_the_transaction_that_replaces_them(store: Store) -> None:
    assert isinstance(store, SqlStore)

    def replace_and_fail() -> None:
        with store._database.writing() as connection:
            intend_replaced(connection, [3, 4], at=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        replace_and_fail()
    assert store.chained(0, 10) == []
    with store._database.writing() as connection:
        assert intend_replaced(connection, [], at=NOW) is None
        assert intend_replaced(connection, [9, 3, 4, 4], at=NOW) == 1
    assert store.slots_of(1) == [3, 4, 9]


# -- until the receipt -------------------------------------------------------------------


def test_every_registered_store_owes_an_answer(due: Due) -> None:
    store, sweep, keys = due
    index, cuts = DerivedStore("index", "connector", day(1), '{"url":"u"}'), DerivedStore("cuts", "cuts", day(2))
    for one in (index, cuts, index):
        store.register(one)
    assert store.derived_stores() == [cuts, index]
    with pytest.raises(Refused, match="is of kind `connector`"):
        store.register(replace(index, kind="cuts"))
    erase(store, sweep, keys[:2], NOW)
    assert store.obligations(1) == [Obligation(1, "cuts", "present"), Obligation(1, "index", "present")]
    store.retire("index", NOW)
    store.retire("index", day(99))
    assert store.derived_stores()[1].retired_at == NOW
    erase(store, sweep, keys[2:4], NOW)
    assert [owed.store for owed in store.obligations(2)] == ["cuts"]
    assert store.open_obligations() == {"cuts": 2, "index": 1}
    assert store.store_states() == [StoreState("cuts", "present", 2, None), StoreState("index", "present", 1, None)]
    assert [(one.erasure, one.store) for one in store.overdue_obligations(day(99), store="index")] == [(1, "index")]
    store.register(replace(index, settings="{}"))
    assert store.derived_stores()[1] == replace(index, settings="{}")
    with pytest.raises(NotFound):
        store.retire("nothing", NOW)


def test_an_answer_can_improve_and_removed_is_final(due: Due) -> None:
    store, sweep, keys = due
    store.register(DerivedStore("index", "connector", day(1)))
    erase(store, sweep, keys[:2], NOW)
    erase(store, sweep, keys[2:], day(62))
    store.settle(1, "index", "not reachable", NOW, "no route")
    assert store.obligations(1) == [Obligation(1, "index", "not reachable", NOW, "no route")]
    assert [one.erasure for one in store.overdue_obligations(day(61))] == [1]
    assert [one.erasure for one in store.overdue_obligations(day(63))] == [1, 2]
    assert len(store.overdue_obligations(day(63), 1)) == 1
    store.settle(1, "index", "removed", LATER)
    store.settle(1, "index", "present", day(99), "is back")
    assert store.obligations(1) == [Obligation(1, "index", "removed", LATER)]
    assert [one.erasure for one in store.overdue_obligations(day(63))] == [2]
    store.settle(2, "index", "pending maintenance", day(63), "free pages")
    assert store.store_states() == [
        StoreState("index", "pending maintenance", 1, day(63)),
        StoreState("index", "removed", 1, LATER),
    ]
    for erasure, name in ((1, "other"), (9, "index")):
        with pytest.raises(NotFound, match="owes nothing"):
            store.settle(erasure, name, "removed", NOW)


def test_a_receipt_comes_last(due: Due) -> None:
    store, sweep, keys = due
    store.register(DerivedStore("index", "connector", day(1)))
    erase(store, sweep, keys, NOW)
    with pytest.raises(Refused, match="keys of erasure `1`"):
        store.finish(1, receipt(), NOW)
    store.keys_destroyed(1, NOW)
    store.keys_destroyed(1, LATER)
    assert store.erasure(1).keys_destroyed_at == NOW
    with pytest.raises(Refused, match="`index` has not answered"):
        store.finish(1, receipt(), NOW)
    assert store.receipt_leaf(1) is None
    assert store.staged() == 0
    store.settle(1, "index", "pending maintenance", NOW)
    store.finish(1, receipt(), LATER)
    erasure, leaf = store.erasure(1), store.receipt_leaf(1)
    assert (erasure.finished_at, erasure.receipt, store.slots_of(1)) == (LATER, receipt().record, [])
    assert (leaf.number, leaf.choice, leaf.salt, leaf.erasure) == (0, None, SALT, 1)
    assert commitment(leaf.salt, erasure.receipt.encode()) == leaf.commitment
    assert store.open_erasures(0, 10) == []
    store.finish(1, receipt("another"), day(99))
    assert (store.erasure(1), store.receipt_leaf(1), store.staged()) == (erasure, leaf, 1)
    store.settle(1, "index", "removed", day(70))
    assert store.obligations(1)[0].state == "removed", "maintenance may still come after the receipt"
    for act in (
        lambda: store.finish(9, receipt(), NOW),
        lambda: store.keys_destroyed(9, NOW),
    ):
        with pytest.raises(NotFound):
            act()


def test_the_chain_can_be_checked_after_the_slots_were_dropped(due: Due) -> None:
    store, sweep, keys = due
    erase(store, sweep, keys[:2], NOW)
    erase(store, sweep, keys[2:], NOW)
    store.keys_destroyed(1, NOW)
    store.finish(1, receipt(), NOW)
    assert first_broken(links(store)) is None
    assert [one.id for one in store.open_erasures(0, 10)] == [2]
    assert store.open_erasures(2, 10) == []


def test_receipts_and_choices_share_the_log(due: Due) -> None:
    store, sweep, keys = due
    erase(store, sweep, keys, NOW)
    store.keys_destroyed(1, NOW)
    store.add_choice(Choice("c1", "s1", "training", "allow", NOW, "sha256:n", "web", "web", NOW))
    store.finish(1, receipt(), NOW)
    assert [(choice, leaf.erasure) for choice, leaf in store.leaves(0, 10)] == [(None, 1)]
    assert [choice.id for choice in store.unlogged(10)] == ["c1"], "a receipt takes nobody's place"
    with pytest.raises(DatabaseError, match="loses its salt only"):
        run_sql(store, "UPDATE leaf SET erasure = 2")
    other = StagedReceipt("x", SALT, hashlib.sha256(b"x").digest())
    with pytest.raises(NotFound):
        store.finish(2, other, NOW)
    assert store.staged() == 1


def test_a_record_says_what_the_store_holds(due: Due) -> None:
    store, sweep, keys = due
    erase(store, sweep, keys, NOW)
    erasure = store.erasure(1)
    said = ErasureRecord(link_of(erasure), erasure.chain, (policy().digest,), NOW, (Copy("cuts", "removed", NOW),))
    assert said.holds()
    assert b"test:old" not in said.encode()
    assert b"s1" not in said.encode()


def test_a_store_from_before_keeps_its_tombstones(due: Due, open_store: Callable[[], Store]) -> None:
    store, _, _ = due
    sweep_all(store, NOW)
    stones = store.tombstones(ALL).items
    assert isinstance(store, SqlStore)
    with store._database.writing() as connection:
        for step in ("0007", "head"):
            migrate(connection, step)
    again = open_store()
    told = [(one.conversation, one.part, one.subject, one.erase_by, one.rule, one.sweep) for one in stones]
    found = again.tombstones(ALL).items
    assert [(one.conversation, one.part, one.subject, one.erase_by, one.rule, one.sweep) for one in found] == told
    assert {one.erased_at for one in found} == {NOW}
    assert {(one.kind, one.root, one.finished_at) for one in again.erasures(ALL).items} == {("before", b"", NOW)}
    assert again.open_erasures(0, 10) == []
    assert again.chained(0, 10) == []
    assert again.intake([talk("old0")], plan="free", recorded_at=LATER)[0].status == "erased before"
