"""The contract of sweeps: only what a plan showed and is still due goes, all or nothing, and it stays gone."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from tests.conformance.store.samples import (
    ALL,
    T0,
    by_sets,
    choice,
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

from assent.domain.digests import digest
from assent.domain.errors import NotFound, Refused
from assent.store.port import Store
from assent.store.records import Cut, CutRow, DueBatch, FactColumnsBatch, Flag, Intent, Page, Plan, PlanItem, PolicyText

NOW = day(60)
Due = tuple[Store, Plan, list[int]]


@pytest.fixture
def due(store: Store) -> Due:
    """Six parts in three conversations that are due at NOW, and a fourth conversation that is not."""
    items = [talk(f"old{n}") for n in range(3)]
    store.intake([*items, talk("new", at=day(50))], plan="free", recorded_at=T0)
    plan = plan_for(store, NOW)
    return store, plan, [item.part for item in store.plan_items(plan.digest, 0, 100)]


def parts_left(store: Store) -> int:
    return store.counts().parts


def test_a_plan_is_kept_with_its_items(due: Due) -> None:
    store, plan, keys = due
    assert store.plan(plan.digest) == plan
    assert len(keys) == 6
    assert keys == sorted(keys_of(store, "test:old0", "test:old1", "test:old2").values())
    assert [item.part for item in store.plan_items(plan.digest, keys[1], 3)] == keys[2:5]
    store.save_plan(replace(plan, at=NOW), [PlanItem(10**6, NOW, "other")])
    assert len(store.plan_items(plan.digest, 0, 100)) == 6
    later = plan_for(store, day(61))
    assert store.plans(Page(limit=1)).items == (later,)
    assert store.plans(ALL).total == 2
    assert store.plan("sha256:nothing") is None
    with pytest.raises(NotFound, match="policy `sha256:unknown`"):
        store.save_plan(replace(plan, digest="d", policies=(policy().digest, "sha256:unknown")), [])
    assert store.plan("d") is None


def test_a_plan_of_many_items_is_saved_as_a_whole(due: Due) -> None:
    store, plan, _ = due

    def broken() -> Iterator[PlanItem]:
        for number in range(12_000):
            yield PlanItem(number, NOW, "base")
        raise ZeroDivisionError

    made = replace(plan, digest="d")
    with pytest.raises(ZeroDivisionError):
        store.save_plan(made, broken())
    assert store.plan("d") is None
    store.save_plan(made, (PlanItem(number, NOW, "base") for number in range(12_000)))
    assert len(store.plan_items("d", 5_998, 12_000)) == 6_001


def test_policies_are_kept_by_their_digest(store: Store) -> None:
    first, second = PolicyText("d1", "p/1", "text", day(1)), PolicyText("d2", "p/2", "text", day(0))
    store.add_policy(first)
    store.add_policy(second)
    store.add_policy(replace(first, text="laid out otherwise", added_at=day(5)))
    assert list(store.policies()) == [second, first]
    assert store.policy("d1") == first
    assert store.policy("nothing") is None


def test_a_sweep_erases_what_is_due_and_leaves_tombstones(due: Due) -> None:
    store, plan, keys = due
    run = store.begin_sweep(plan.digest, NOW)
    assert erase(store, run.id, keys[:2], NOW) == Intent(1, erased=2)
    assert store.content_of(keys) == {key: store.content_of([key])[key] for key in keys[2:]}
    assert store.conversation("test:old0") is None
    stones = store.tombstones(ALL)
    assert stones.total == 2
    stone = stones.items[0]
    assert (stone.conversation, stone.part, stone.subject, stone.sweep) == ("test:old0", "a", "s1", run.id)
    assert (stone.erased_at, stone.erase_by, stone.rule, stone.policy) == (NOW, day(30), "base", policy().digest)
    assert erase(store, run.id, keys, NOW) == Intent(2, erased=4, gone=2)
    done = store.finish_sweep(run.id, NOW)
    assert (done.erased, done.kept, done.finished_at, done.after) == (6, 0, NOW, keys[-1])
    assert (store.counts().conversations, parts_left(store), store.counts().tombstones) == (1, 2, 6)
    assert store.tombstones(ALL, conversation="test:old1").total == 2
    assert store.tombstones(ALL, subject="s1", sweep=run.id).total == 6
    assert store.tombstones(ALL, subject="s2").total == 0
    first = store.tombstones(Page(limit=4))
    rest = store.tombstones(Page(limit=4, after=first.after))
    assert [*first.items, *rest.items] == list(store.tombstones(ALL).items)


def test_what_is_no_longer_due_is_kept(due: Due) -> None:
    store, plan, keys = due
    run = store.begin_sweep(plan.digest, NOW)
    store.place_hold(hold("h", "test:old0", day(59)))
    store.intake([talk("old1", at=day(58))], plan="free", recorded_at=day(58))
    assert erase(store, run.id, keys, NOW) == Intent(1, erased=2, kept=4)
    assert store.sweep(run.id).kept == 4
    assert len(store.conversation("test:old0").parts) == 2


def test_a_choice_made_after_the_plan_counts(store: Store) -> None:
    store.intake([talk("one")], plan="free", recorded_at=T0)
    plan = plan_for(store, NOW)
    run = store.begin_sweep(plan.digest, NOW)
    store.add_choice(choice("c", "allow", day(-1)))
    keys = list(keys_of(store, "test:one").values())
    assert erase(store, run.id, keys, NOW) == Intent(None, kept=2)


def test_after_release_what_was_held_goes(due: Due) -> None:
    store, plan, keys = due
    store.place_hold(hold("h", None, day(1)))
    run = store.begin_sweep(plan.digest, NOW)
    assert erase(store, run.id, keys, NOW) == Intent(None, kept=6)
    store.finish_sweep(run.id, NOW)
    store.release_hold("h", at=day(61), by="judge")
    sweep_all(store, day(62))
    assert parts_left(store) == 2
    assert {stone.erase_by for stone in store.tombstones(ALL).items} == {day(61)}


def test_only_what_the_plan_names_can_go(due: Due) -> None:
    store, plan, keys = due
    run = store.begin_sweep(plan.digest, NOW)
    others = list(keys_of(store, "test:new").values())
    with pytest.raises(Refused, match="does not name `2` of these parts"):
        erase(store, run.id, [*keys, *others], day(500))
    assert parts_left(store) == 8


def test_a_finished_or_unknown_sweep_erases_nothing(due: Due) -> None:
    store, plan, keys = due
    run = store.begin_sweep(plan.digest, NOW)
    finished = store.finish_sweep(run.id, NOW)
    assert store.finish_sweep(run.id, day(99)) == finished
    with pytest.raises(Refused, match="is finished"):
        erase(store, run.id, keys, NOW)
    for act in (
        lambda: erase(store, 99, keys, NOW),
        lambda: store.finish_sweep(99, NOW),
        lambda: store.begin_sweep("sha256:nothing", NOW),
    ):
        with pytest.raises(NotFound):
            act()
    assert store.sweep(99) is None
    assert parts_left(store) == 8


def test_an_unfinished_sweep_goes_on_and_a_finished_one_does_not(due: Due) -> None:
    store, plan, keys = due
    run = store.begin_sweep(plan.digest, NOW)
    erase(store, run.id, keys[:3], NOW)
    again = store.begin_sweep(plan.digest, day(61))
    assert (again.id, again.started_at, again.after, again.erased) == (run.id, NOW, keys[2], 3)
    store.finish_sweep(run.id, NOW)
    other = store.begin_sweep(plan.digest, day(61))
    assert (other.id > run.id, other.after) == (True, 0)
    assert [one.id for one in store.sweeps(ALL).items] == [other.id, run.id]
    assert store.counts().sweeps_unfinished == 1


def test_kept_parts_are_counted_once_however_often_the_sweep_is_interrupted(due: Due) -> None:
    store, plan, keys = due
    store.place_hold(hold("h", "test:old0", day(1)))
    run = store.begin_sweep(plan.digest, NOW)
    for _ in range(3):
        erase(store, run.id, keys[:4], NOW)
    assert (store.sweep(run.id).erased, store.sweep(run.id).kept) == (2, 2)


def test_a_hold_that_arrives_during_an_erasure_waits_and_finds_the_truth(
    due: Due, open_store: Callable[[], Store]
) -> None:
    store, plan, keys = due
    run = store.begin_sweep(plan.digest, NOW)
    other = open_store()
    acknowledged: list[int] = []

    def place() -> None:
        other.place_hold(hold("h", "s1", day(1)))
        acknowledged.append(parts_left(other))

    placing = threading.Thread(target=place)

    def redecide(batch: FactColumnsBatch) -> DueBatch:
        placing.start()
        placing.join(0.3)
        assert not acknowledged
        return by_sets(NOW)(batch)

    assert erase(store, run.id, keys[:3], NOW, decide=redecide).erased == 3
    placing.join()
    assert acknowledged == [5]
    assert erase(store, run.id, keys, NOW) == Intent(None, kept=3, gone=3)
    assert parts_left(store) == 5


def test_a_conversation_goes_with_its_last_part_and_takes_flags_along(store: Store) -> None:
    store.intake([talk("one", [part("a"), part("b")], project="p")], plan="free", recorded_at=T0)
    store.add_flag(Flag("f", "test:one", day(-800), "abuse", "d", "r"))
    keys = keys_of(store, "test:one")
    plan = plan_for(store, NOW)
    run = store.begin_sweep(plan.digest, NOW)
    erase(store, run.id, [keys["test:one#a"]], NOW)
    assert store.conversation("test:one").entry.title == "title of one"
    erase(store, run.id, [keys["test:one#b"]], NOW)
    assert store.conversation("test:one") is None
    assert (store.counts().conversations, store.counts().flags) == (0, 0)


def test_a_score_alone_keeps_no_title_alive(store: Store) -> None:
    parts = [part("a"), part("s", data="score", origin="model"), part("f", data="feedback")]
    store.intake([talk("one", parts, project="p")], plan="free", recorded_at=T0)
    keys = keys_of(store, "test:one")
    plan = plan_for(store, NOW, [keys["test:one#a"]])
    run = store.begin_sweep(plan.digest, NOW)
    erase(store, run.id, [keys["test:one#a"]], NOW)
    entry = store.conversation("test:one").entry
    assert (entry.title, entry.project, entry.parts) == ("", "", 2)


def test_the_rule_on_a_tombstone_follows_the_decision(store: Store) -> None:
    store.intake([talk("one", last_turn_at=day(20))], plan="free", recorded_at=T0)
    plan = plan_for(store, NOW)
    run = store.begin_sweep(plan.digest, NOW)
    store.request_deletion("test:one", day(1))
    erase(store, run.id, list(keys_of(store, "test:one").values()), NOW)
    assert {(stone.rule, stone.erase_by) for stone in store.tombstones(ALL).items} == {("deleted", day(31))}


def test_keys_are_never_given_twice(due: Due) -> None:
    store, _, keys = due
    highest = max(keys_of(store, "test:new").values())
    sweep_all(store, day(100))
    assert parts_left(store) == 0
    store.intake([talk("next")], plan="free", recorded_at=day(101))
    assert min(keys_of(store, "test:next").values()) > highest > max(keys)


def test_cuts_remember_who_was_in_them(due: Due) -> None:
    store, _, _ = due
    first = Cut("chat", 1, digest("m1"), day(5), "cuts/chat-1")
    second = Cut("chat", 2, digest("m2"), day(6), "cuts/chat-2")
    store.record_cut(first, [CutRow("test:old0", "a", "s1"), CutRow("test:new", "a", "s1"), CutRow("x", "a")])
    store.record_cut(first, [CutRow("test:old1", "a", "s1")])
    many = [CutRow("test:old0", str(n), "s1") for n in range(6_000)]
    store.record_cut(second, iter(many), iter([CutRow("test:new", "a", "s1"), CutRow("x", "a")]))
    for wrong in (replace(first, manifest="other"), replace(first, number=4)):
        with pytest.raises(Refused, match=f"cannot have the number `{wrong.number}`"):
            store.record_cut(wrong, [])
    assert [row.conversation for row in store.members("chat", 1)] == ["test:new", "test:old0", "x"]
    assert store.count_members("chat", 2) == 6_001
    assert set(store.members("chat", 2)) == {*many, CutRow("test:old0", "a", "s1")}
    sweep_all(store, NOW)
    assert store.cuts_with("test:old0") == store.cuts_with_person("s1") == [first, second]
    assert store.cuts_with("test:new") == [first]
    assert store.cuts_with("test:old1") == store.cuts_with_person("nobody") == []
    assert store.cuts(ALL).items == (second, first)
    assert store.counts().cuts == 2


def test_counts_say_how_much_there_is(due: Due) -> None:
    store, _, _ = due
    store.intake([talk("x", source="other")], plan="free", recorded_at=T0)
    counts = store.counts()
    assert (counts.conversations, counts.parts, counts.policies) == (5, 10, 1)
    assert counts.by_source == {"test": 4, "other": 1}
    assert (counts.accounts, counts.choices, counts.flags, counts.holds_standing, counts.tombstones) == (0,) * 5


def test_what_was_acknowledged_is_there_for_the_next_process(due: Due, open_store: Callable[[], Store]) -> None:
    store, plan, _ = due
    sweep_all(store, NOW)
    other = open_store()
    assert other.counts() == store.counts()
    assert other.plan(plan.digest) == plan
