"""The contract of intake: each conversation once, clocks forward only, nothing erased comes back."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.conformance.store.samples import ALL, T0, day, erase, hold, keys_of, part, plan_for, sweep_all, talk

from assent.domain.conversation import Conversation
from assent.domain.errors import Invalid, NotFound
from assent.store.port import Store
from assent.store.records import Account, ConversationFilter, HoldQuery, ImportNote, ImportRun, IntakeOutcome


def take(store: Store, *items: Conversation, plan: str | None = "free", at: datetime = T0) -> list[IntakeOutcome]:
    return store.intake(items, plan=plan, recorded_at=at)


def test_what_comes_in_can_be_read(store: Store) -> None:
    item = talk(
        "one",
        [
            part("a", "words", marks=frozenset({"abandoned", "hidden"}), name="notes.txt", data="file", origin="file"),
            part("b", "", day(1), speaker="tool", origin="connector"),
        ],
        surface="coding",
        mode="private",
        project="shed",
        feedback_at=day(1),
        last_turn_at=day(1),
    )
    assert take(store, item, at=day(2)) == [IntakeOutcome("test:one", "new", 2)]
    stored = store.conversation("test:one")
    assert stored is not None
    entry = stored.entry
    assert (entry.subject, entry.source, entry.title, entry.project) == ("s1", "test", "title of one", "shed")
    assert (entry.surface, entry.mode, entry.plan, entry.parts) == ("coding", "private", "free", 2)
    assert (entry.created_at, entry.last_turn_at, entry.feedback_at) == (T0, day(1), day(1))
    assert (entry.recorded_at, entry.imported_at, entry.deleted_at) == (day(2), day(2), None)
    first, second = stored.parts
    assert (first.id, first.turn, first.ordinal, first.speaker) == ("a", "a", 0, "user")
    assert (first.origin, first.data, first.name, first.plan) == ("file", "file", "notes.txt", "free")
    assert first.marks == {"abandoned", "hidden"}
    assert (second.origin, second.created_at, second.recorded_at, second.ordinal) == ("connector", day(1), day(2), 1)
    assert store.content_of([first.key, second.key, 10**9]) == {first.key: "words", second.key: "marker of b"}


def test_facts_come_from_everything_that_is_known(store: Store) -> None:
    store.put_accounts(
        [
            Account(
                "s1",
                plan="pro",
                region="DE",
                age=40,
                signed_in=True,
                role="member",
                acknowledged_at=day(-3),
                closed_at=day(9),
                moved_to_business_at=day(8),
                user_duration="P3M",
            )
        ]
    )
    take(store, talk("one", deleted_at=day(5), feedback_at=day(4)), plan=None, at=day(2))
    facts = store.facts_of("test:one")
    assert [one.part for one in facts] == ["test:one#a", "test:one#b"]
    one = facts[0]
    assert (one.subject, one.conversation, one.plan, one.region, one.age) == ("s1", "test:one", "pro", "DE", 40)
    assert (one.signed_in, one.role, one.surface, one.mode) == (True, "member", "chat", "normal")
    assert (one.data, one.origin, one.user_duration) == ("text", "person", "P3M")
    assert (one.created_at, one.last_turn_at, one.recorded_at) == (T0, T0, day(2))
    assert (one.deleted_at, one.account_closed_at, one.moved_to_business_at) == (day(5), day(9), day(8))
    assert (one.acknowledged_at, one.feedback_at) == (day(-3), day(4))
    assert (one.flagged_at, one.flag_reversed_at, one.reviewed_at) == (None, None, None)
    assert (one.choices, one.holds) == ((), ())
    assert store.facts_of("test:nothing") == []


def test_coming_twice_changes_nothing(store: Store) -> None:
    take(store, talk("one"))
    before = store.conversation("test:one")
    assert take(store, talk("one"), at=day(1)) == [IntakeOutcome("test:one", "unchanged")]
    assert store.conversation("test:one") == before


def test_a_conversation_grows(store: Store) -> None:
    item = talk("one")
    take(store, item)
    grown = replace(item, parts=(*item.parts, part("c", "more", day(3))), last_turn_at=day(3))
    assert take(store, grown, at=day(4)) == [IntakeOutcome("test:one", "grown", 1)]
    stored = store.conversation("test:one")
    assert stored is not None
    assert [one.id for one in stored.parts] == ["a", "b", "c"]
    assert [one.recorded_at for one in stored.parts] == [T0, T0, day(4)]
    assert (stored.entry.last_turn_at, stored.entry.recorded_at, stored.entry.imported_at) == (day(3), T0, day(4))
    assert {facts.last_turn_at for facts in store.facts_of("test:one")} == {day(3)}


KNOWN = ("free", "pro", "team")


def test_a_plan_that_nobody_knows_takes_another_and_a_known_one_stays(store: Store) -> None:
    first = talk("one")
    take(store, first, plan="prp")
    take(store, replace(first, parts=(*first.parts, part("c"))), plan="team")
    take(store, talk("two"), plan="team")
    take(store, talk("three", subject="s2"), plan=None)
    take(store, talk("not asked"), plan="prp")
    named = ["test:one", "test:two", "test:three", "test:nothing"]
    assert store.correct_plan(named, "pro", known=KNOWN) == 2
    plans = {
        name: [one.plan for one in store.facts_of(f"test:{name}")] for name in ("one", "two", "three", "not asked")
    }
    assert plans == {
        "one": ["pro", "pro", "team"], "two": ["team", "team"], "three": ["pro", "pro"], "not asked": ["prp", "prp"],
    }  # fmt: skip
    entries = {name: store.conversation(f"test:{name}").entry.plan for name in plans}
    assert entries == {"one": "pro", "two": "team", "three": "pro", "not asked": "prp"}
    assert store.correct_plan(named, "free", known=KNOWN) == 0
    with pytest.raises(Invalid, match="by one that is known"):
        store.correct_plan(named, "prp", known=KNOWN)


def test_what_is_held_by_a_plan_stays_held_when_it_is_put_right(store: Store) -> None:
    take(store, talk("one"), plan="prp")
    store.place_hold(replace(hold("h"), scope="query", target=HoldQuery(plan=("prp",)).text()))
    store.correct_plan(["test:one"], "pro", known=KNOWN)
    assert {len(one.holds) for one in store.facts_of("test:one")} == {1}


def test_clocks_move_forward_only(store: Store) -> None:
    item = talk("one", last_turn_at=day(5), feedback_at=day(5), deleted_at=day(5))
    take(store, item)
    older = replace(
        item, title="new title", last_turn_at=day(1), feedback_at=None, deleted_at=day(7), created_at=day(1)
    )
    assert take(store, older)[0].status == "grown"
    entry = store.conversation("test:one").entry
    assert (entry.title, entry.created_at) == ("new title", T0)
    assert (entry.last_turn_at, entry.feedback_at, entry.deleted_at) == (day(5), day(5), day(5))


def test_a_part_that_changed_is_replaced_in_place(store: Store) -> None:
    item = talk("one", [part("a", "draft", None), part("b", "stays")])
    take(store, item)
    keys = keys_of(store, "test:one")
    changed = part("a", "final", day(1), marks=frozenset({"abandoned"}), origin="connector", data="file", name="x")
    assert take(store, replace(item, parts=(item.parts[1], changed)), at=day(2)) == [
        IntakeOutcome("test:one", "grown", 0)
    ]
    assert keys_of(store, "test:one") == keys
    one = store.conversation("test:one").parts[1]
    assert (one.id, one.origin, one.data, one.name, one.created_at) == ("a", "connector", "file", "x", day(1))
    assert (one.marks, one.recorded_at) == ({"abandoned"}, T0)
    assert sorted(store.content_of(list(keys.values())).values()) == ["final", "stays"]


def test_parts_that_the_source_no_longer_shows_stay(store: Store) -> None:
    item = talk("one")
    take(store, item)
    assert take(store, replace(item, parts=item.parts[:1]))[0].status == "unchanged"
    assert len(store.conversation("test:one").parts) == 2


def test_an_id_that_comes_twice_in_one_batch_counts_one_after_the_other(store: Store) -> None:
    item = talk("one")
    more = replace(item, parts=(part("z"),))
    outcomes = take(store, item, talk("two"), more, item)
    assert [outcome.status for outcome in outcomes] == ["new", "new", "grown", "unchanged"]
    assert {one.id for one in store.conversation("test:one").parts} == {"a", "b", "z"}
    assert take(store, item)[0].status == "unchanged"


def test_a_bad_conversation_leaves_nothing_of_its_batch(store: Store) -> None:
    with pytest.raises(Invalid, match="`test:bad` names one part twice"):
        take(store, talk("good"), talk("bad", [part("a"), part("a", "other")]))
    assert store.counts().conversations == 0


def test_nothing_is_kept_of_a_conversation_without_parts(store: Store) -> None:
    empty = replace(talk("one"), parts=())
    assert take(store, empty) == [IntakeOutcome("test:one", "unchanged")]
    assert store.conversation("test:one") is None


def test_an_empty_batch_is_fine(store: Store) -> None:
    assert take(store) == []


def test_halves_of_split_characters_do_not_stop_a_batch(store: Store) -> None:
    item = talk("one", [part("a", "cut \ud83d here"), part("b", "joined \ud83d\ude00")], title="\udc00")
    assert take(store, item, talk("two"))[0].status == "new"
    assert sorted(store.content_of(list(keys_of(store, "test:one").values())).values()) == [
        "cut \ufffd here",
        "joined \U0001f600",
    ]
    assert take(store, item)[0].status == "unchanged"


def test_a_null_character_is_replaced_because_not_every_database_can_keep_it(store: Store) -> None:
    item = talk("one", [part("a", "cut\0here", name="a\0.txt")], title="\0")
    assert take(store, item)[0].status == "new"
    assert list(store.content_of(list(keys_of(store, "test:one").values())).values()) == ["cut\ufffdhere"]
    assert store.conversation("test:one").entry.title == "\ufffd"
    assert take(store, item)[0].status == "unchanged"


def test_a_part_keeps_the_plan_that_it_was_recorded_under(store: Store) -> None:
    item = talk("one")
    store.put_accounts([Account("s1", plan="team")])
    take(store, item, plan=None)
    store.put_accounts([Account("s1", plan="pro")])
    take(store, replace(item, parts=(*item.parts, part("c"))), plan=None)
    take(store, replace(item, parts=(*item.parts, part("d"))), plan="max")
    assert {facts.part[-1]: facts.plan for facts in store.facts_of("test:one")} == {
        "a": "team",
        "b": "team",
        "c": "pro",
        "d": "max",
    }


def test_a_plan_that_was_unknown_is_the_first_that_becomes_known(store: Store) -> None:
    take(store, talk("one"), plan=None)
    assert {facts.plan for facts in store.facts_of("test:one")} == {None}
    store.put_accounts([Account("s1", plan="free", region="DE", age=20)])
    assert {(f.plan, f.region, f.age) for f in store.facts_of("test:one")} == {("free", "DE", 20)}
    assert store.conversation("test:one").entry.plan == "free"
    store.put_accounts([Account("s1", plan="team", region="AT", age=21)])
    assert {(f.plan, f.region, f.age) for f in store.facts_of("test:one")} == {("free", "AT", 21)}


def test_private_stays_private_and_a_subject_stays(store: Store) -> None:
    store.put_accounts([Account("s2", region="FR", closed_at=day(3))])
    take(store, talk("one", mode="private", subject=None))
    take(store, talk("one", mode="normal", subject="s2"))
    assert {(f.mode, f.subject, f.region) for f in store.facts_of("test:one")} == {("private", "s2", "FR")}
    assert {f.account_closed_at for f in store.facts_of("test:one")} == {day(3)}
    take(store, talk("one", subject="s3"))
    assert store.conversation("test:one").entry.subject == "s2"


def test_an_erased_conversation_is_never_resurrected(store: Store) -> None:
    item = talk("one")
    take(store, item, talk("other", at=day(100)))
    sweep_all(store, day(60))
    assert store.conversation("test:one") is None
    assert take(store, item) == [IntakeOutcome("test:one", "erased before", 0, 2)]
    more = replace(item, parts=(*item.parts, part("c")), last_turn_at=day(59))
    assert take(store, more) == [IntakeOutcome("test:one", "erased before", 0, 3)]
    assert store.conversation("test:one") is None


def test_an_erased_part_is_not_added_again(store: Store) -> None:
    item = talk("one", [part("a"), part("b"), part("s", data="score")], deleted_at=day(1))
    take(store, item)
    keys = keys_of(store, "test:one")
    plan = plan_for(store, day(60), [keys["test:one#a"]])
    run = store.begin_sweep(plan.digest, day(60))
    erase(store, run.id, [keys["test:one#a"]], day(60))
    assert take(store, item, at=day(61)) == [IntakeOutcome("test:one", "unchanged", 0, 1)]
    grown = replace(item, parts=(*item.parts, part("n")))
    assert take(store, grown, at=day(61)) == [IntakeOutcome("test:one", "grown", 1, 1)]
    assert {one.id for one in store.conversation("test:one").parts} == {"b", "s", "n"}


def test_a_title_that_went_with_its_content_does_not_come_back(store: Store) -> None:
    item = talk("one", [part("a"), part("s", data="score")], project="secret project")
    take(store, item)
    keys = keys_of(store, "test:one")
    plan = plan_for(store, day(60), [keys["test:one#a"]])
    run = store.begin_sweep(plan.digest, day(60))
    assert erase(store, run.id, [keys["test:one#a"]], day(60)).erased == 1
    take(store, replace(item, last_turn_at=day(61)))
    entry = store.conversation("test:one").entry
    assert (entry.title, entry.project, entry.last_turn_at) == ("", "", day(61))


def test_accounts_are_replaced_but_events_stay(store: Store) -> None:
    store.put_accounts([Account("s2"), Account("s1", plan="free", closed_at=day(1), acknowledged_at=day(0))])
    store.put_accounts([Account("s1", region="DE", moved_to_business_at=day(2))])
    assert store.account("s1") == Account(
        "s1", region="DE", closed_at=day(1), acknowledged_at=day(0), moved_to_business_at=day(2)
    )
    assert [one.subject for one in store.accounts()] == ["s1", "s2"]
    assert store.account("nobody") is None


def test_many_accounts_are_read_in_pieces(store: Store) -> None:
    store.put_accounts(Account(f"{number:06}") for number in range(12_001))
    assert [one.subject for one in store.accounts()] == [f"{number:06}" for number in range(12_001)]


def test_closing_an_account_reaches_what_is_stored_and_what_comes_later(store: Store) -> None:
    store.put_accounts([Account("s1", plan="free")])
    take(store, talk("one"))
    store.close_account("s1", day(3))
    store.close_account("s1", day(9))
    take(store, talk("two"))
    closed = {f.account_closed_at for name in ("one", "two") for f in store.facts_of(f"test:{name}")}
    assert closed == {day(3)}
    with pytest.raises(NotFound) as caught:
        store.close_account("raw-subject", day(3))
    assert "raw-subject" not in str(caught.value)


def test_an_import_is_accounted_for(store: Store) -> None:
    first = store.begin_import("chatgpt", "export.zip", T0)
    second = store.begin_import("codex", "sessions", day(1))
    notes = [ImportNote(f"line {n}", "skipped", "progress event", 2) for n in range(5)]
    done = ImportRun(second, "codex", "sessions", day(1), day(2), 7, 10, 1)
    store.finish_import(done, notes)
    store.finish_import(done, notes)
    runs = store.imports(ALL)
    assert (runs.total, runs.items[0], runs.items[1].id) == (2, done, first)
    assert runs.items[1].finished_at is None
    kept = store.import_notes(second, replace(ALL, limit=3))
    assert (kept.total, kept.items) == (5, tuple(notes[:3]))
    assert store.import_notes(second, replace(ALL, limit=3, after=kept.after)).items == tuple(notes[3:])
    with pytest.raises(NotFound):
        store.finish_import(replace(done, id=99), [])


def test_listing_is_paged_newest_first_and_filtered(store: Store) -> None:
    times = [day(n % 4) for n in range(7)]
    items = [talk(f"t{n}", at=at, subject="s1" if n % 2 else "s2") for n, at in enumerate(times)]
    untimed = [replace(talk(f"u{n}"), last_turn_at=None, title="100% \\ odd_title") for n in range(3)]
    take(store, *items, *untimed)
    seen: list[str] = []
    page = replace(ALL, limit=2)
    while True:
        listing = store.conversations(ConversationFilter(), page)
        assert listing.total == 10
        assert 1 <= len(listing.items) <= 2
        seen += [entry.id for entry in listing.items]
        if listing.after is None:
            break
        page = replace(page, after=listing.after)
    newest = sorted(range(7), key=lambda n: (times[n], n), reverse=True)
    assert seen == [f"test:t{n}" for n in newest] + ["test:u2", "test:u1", "test:u0"]

    def found(**asked: object) -> set[str]:
        listing = store.conversations(ConversationFilter(**asked), ALL)
        assert listing.total == len(listing.items)
        return {entry.id.removeprefix("test:") for entry in listing.items}

    assert found(subject="s2") == {"t0", "t2", "t4", "t6"}
    assert found(title="% \\ ODD_T") == {"u0", "u1", "u2"}
    assert found(title="100_") == set()
    store.request_deletion("test:t1", day(5))
    assert found(deleted=True) == {"t1"}
    assert found(deleted=False, subject="s1") == {"t3", "t5", "u0", "u1", "u2"}
    assert found(source="other") == found(mode="private") == found(flagged=True) == set()
    assert len(found(surface="chat", project="")) == 10


def test_a_place_that_no_page_gave_is_refused(store: Store) -> None:
    for after in ("nonsense", "[1, 2, 3]", "{}", '[[1], "x"]'):
        with pytest.raises(Invalid, match="no place in this list"):
            store.conversations(ConversationFilter(), replace(ALL, after=after))
    with pytest.raises(Invalid, match="page of `0` rows"):
        replace(ALL, limit=0)


def test_a_deletion_request_counts_once_and_reaches_every_part(store: Store) -> None:
    take(store, talk("one"), talk("two"), talk("three", subject="s2"))
    store.request_deletion("test:one", day(1))
    store.request_deletion("test:one", day(2))
    assert store.request_deletion_of_all("s1", day(3)) == 1
    assert store.request_deletion_of_all("s1", day(4)) == 0
    asked = {name: {f.deleted_at for f in store.facts_of(f"test:{name}")} for name in ("one", "two", "three")}
    assert asked == {"one": {day(1)}, "two": {day(3)}, "three": {None}}
    with pytest.raises(NotFound, match="`test:nothing`"):
        store.request_deletion("test:nothing", day(1))


def test_microseconds_and_old_times_survive(store: Store) -> None:
    odd = T0.replace(year=1969) + timedelta(microseconds=123457)
    take(store, talk("one", [part("a", at=odd)], created_at=odd, last_turn_at=odd))
    assert store.facts_of("test:one")[0].created_at == odd
