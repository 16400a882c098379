"""Holds of every scope: what they cover, one by one, in columns, and in the transaction that erases."""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select
from tests.conformance.store.samples import ALL, DAY, T0, day, everything, keys_of, plan_for, sweep_all, talk

from assent.domain.errors import Invalid, NotFound, Refused
from assent.domain.facts import HoldSpan
from assent.store.port import Store
from assent.store.records import Account, Coverage, Flag, Hold, HoldQuery, Page, hold_query
from assent.store.schema import hold as holds

PEOPLE = tuple(f"p{n}" for n in range(6))


def order(name: str, scope: str, target: str | None, start: datetime = T0, **more: object) -> Hold:
    return Hold(name, "m1", scope, target, start, "counsel", "dispute", start + 90 * DAY, **more)


def covered(store: Store) -> dict[str, list[HoldSpan]]:
    """What single decisions are told to be held, by conversation."""
    return {entry.id: sorted(store.facts_of(entry.id)[0].holds, key=repr) for entry in everything(store)}


def columns(store: Store) -> dict[str, list[HoldSpan]]:
    """What the set evaluator is told to be held, by conversation."""
    found: dict[str, list[HoldSpan]] = {entry.id: [] for entry in everything(store)}
    for row in store.hold_batches().read_all().to_pylist():
        ends = [row[name] and row[name].replace(tzinfo=UTC) for name in ("start", "released_at")]
        found[row["holder"]].append(HoldSpan(*ends))
    return {name: sorted(spans, key=repr) for name, spans in found.items()}


class Oracle:
    """What is covered, worked out from the words of each hold, conversation by conversation, in plain Python."""

    def __init__(self) -> None:
        self.people: dict[str, Account] = {}
        self.talks: dict[str, dict[str, object]] = {}
        self.holds: dict[str, Hold] = {}
        self.people_kept: set[tuple[str, str]] = set()
        self.talks_kept: set[tuple[str, str]] = set()

    def before_a_change(self) -> None:
        for name, hold in self.holds.items():
            if hold.released_at is not None:
                continue
            if hold.scope == "organisation":
                named = (one.subject for one in self.people.values() if one.organisation == hold.target)
                self.people_kept |= {(name, subject) for subject in named}
            if hold.scope == "query":
                self.talks_kept |= {(name, talk) for talk in self.talks if self.matches(hold, talk)}

    def matches(self, hold: Hold, name: str) -> bool:
        query, facts = hold_query(hold.target or ""), self.talks[name]
        person = self.people.get(str(facts["subject"]))
        for key in ("project", "source", "surface", "mode", "plan"):
            if getattr(query, key) and facts[key] not in getattr(query, key):
                return False
        if query.region and (person is None or person.region not in query.region):
            return False
        for clock in ("created", "last_turn"):
            at, first = facts[f"{clock}_at"], getattr(query, f"{clock}_from")
            behind = getattr(query, f"{clock}_to")
            if (first or behind) and at is None:
                return False
            if (first and at < first) or (behind and at >= behind):
                return False
        return bool(facts["flagged"]) or not query.flagged

    def covers(self, hold: Hold, name: str) -> bool:
        subject = self.talks[name]["subject"]
        if hold.scope == "everyone":
            return True
        if hold.scope == "conversation":
            return name == hold.target
        if hold.scope == "person":
            return subject is not None and subject == hold.target
        if hold.scope == "organisation":
            person = self.people.get(str(subject))
            now = person is not None and person.organisation == hold.target
            return now or (hold.id, subject) in self.people_kept
        return self.matches(hold, name) or (hold.id, name) in self.talks_kept

    def answer(self) -> dict[str, list[HoldSpan]]:
        return {
            name: sorted(
                (HoldSpan(one.start, one.released_at) for one in self.holds.values() if self.covers(one, name)),
                key=repr,
            )
            for name in self.talks
        }


class History:
    """One random event after the other, told to a store and to the oracle alike."""

    def __init__(self, store: Store, seed: int) -> None:
        self.store, self.draw, self.oracle = store, random.Random(seed), Oracle()
        self.number = 0

    def step(self) -> None:
        self.oracle.before_a_change()
        self.number += 1
        acts = (self.talk, self.talk, self.person, self.person, self.hold, self.hold, self.release, self.flag)
        self.draw.choice(acts)()

    def talk(self) -> None:
        draw, known = self.draw, self.oracle.talks
        name = f"c{draw.randrange(14)}"
        before = known.get(f"test:{name}")
        subject = before["subject"] if before else draw.choice((None, *PEOPLE))
        at = day(draw.randrange(60))
        created = before["created_at"] if before else at
        said = {
            "project": draw.choice(("", "lighthouse", "harbour")),
            "source": before["source"] if before else draw.choice(("one", "two")),
            "surface": draw.choice(("chat", "coding")),
            "mode": draw.choice(("normal", "normal", "private")),
        }
        made = talk(name, subject=subject, at=created, last_turn_at=at, **said)
        plan = draw.choice((None, "free", "pro"))
        self.store.intake([made], plan=plan, recorded_at=day(60))
        entry = self.store.conversation(made.id)
        assert entry is not None
        # what intake makes of a conversation that grows is its own contract; here it is what holds ask for
        kept = ("subject", "project", "source", "surface", "mode", "plan", "created_at", "last_turn_at")
        known[made.id] = {key: getattr(entry.entry, key) for key in kept}
        known[made.id]["flagged"] = before["flagged"] if before else False

    def person(self) -> None:
        draw = self.draw
        one = Account(
            draw.choice(PEOPLE), region=draw.choice((None, "DE", "US")), organisation=draw.choice((None, "a", "b"))
        )
        self.store.put_accounts([one])
        self.oracle.people[one.subject] = one

    def hold(self) -> None:
        draw, scope = (
            self.draw,
            self.draw.choice(("person", "conversation", "query", "query", "organisation", "everyone")),
        )
        target = {
            "person": draw.choice(PEOPLE),
            "conversation": f"test:c{draw.randrange(14)}",
            "organisation": draw.choice("ab"),
            "everyone": None,
            "query": self.query().text(),
        }[scope]
        made = order(f"h{self.number}", scope, target, day(self.number), gag=draw.random() < 0.3)
        self.store.place_hold(made)
        self.oracle.holds[made.id] = made

    def query(self) -> HoldQuery:
        draw = self.draw
        choices: dict[str, object] = {
            "project": ("lighthouse",),
            "source": ("one",),
            "surface": ("coding",),
            "mode": ("normal",),
            "plan": ("free", "pro"),
            "region": ("DE",),
            "created_from": day(20),
            "created_to": day(40),
            "last_turn_from": day(30),
            "last_turn_to": day(45),
            "flagged": True,
        }
        return HoldQuery(**{name: choices[name] for name in draw.sample(sorted(choices), draw.choice((1, 1, 2)))})

    def release(self) -> None:
        standing = [one for one in self.oracle.holds.values() if one.released_at is None]
        if standing and self.draw.random() < 0.5:
            one = self.draw.choice(standing)
            self.store.release_hold(one.id, at=day(self.number), by="judge")
            self.oracle.holds[one.id] = replace(one, released_at=day(self.number), released_by="judge")

    def flag(self) -> None:
        if self.oracle.talks:
            name = self.draw.choice(sorted(self.oracle.talks))
            self.store.add_flag(Flag(f"f{self.number}", name, day(60), "fraud", "detector", "r"))
            self.oracle.talks[name]["flagged"] = True


@pytest.mark.parametrize("seed", range(4))
def test_columns_and_single_facts_are_held_alike_and_as_the_words_say(store: Store, seed: int) -> None:
    history = History(store, seed)
    seen: Counter[str] = Counter()
    for number in range(70):
        history.step()
        if number % 10 == 9:
            single, wanted = covered(store), history.oracle.answer()
            assert columns(store) == single, f"after step {number} of seed {seed}"
            assert standing(single) == standing(wanted), f"after step {number} of seed {seed}"
            # of a released hold it only matters since when data is due; facts that changed since need not show it
            assert all(set(single[name]) <= set(wanted[name]) for name in wanted)
    for hold in history.oracle.holds.values():
        if hold.released_at is not None:
            continue
        talks = [name for name in history.oracle.talks if history.oracle.covers(hold, name)]
        people = {history.oracle.talks[name]["subject"] for name in talks} - {None}
        found = store.coverage(hold.id)
        assert (found.conversations, found.people) == (len(talks), len(people))
        seen[hold.scope] += len(talks)
    for subject in PEOPLE:
        assert told(store, subject) == shown(history.oracle, subject)
    assert all(seen.values()), seen


def standing(spans: dict[str, list[HoldSpan]]) -> dict[str, list[HoldSpan]]:
    return {name: [span for span in found if span.released_at is None] for name, found in spans.items()}


def told(store: Store, subject: str) -> dict[str, int]:
    return {one.hold.id: one.conversations for one in store.holds_on(subject) if one.hold.released_at is None}


def shown(oracle: Oracle, subject: str) -> dict[str, int]:
    """Every hold without a gag that names the person or covers something of theirs, and how much."""
    found = {}
    person = oracle.people.get(subject)
    for name, hold in oracle.holds.items():
        mine = [talk for talk, facts in oracle.talks.items() if facts["subject"] == subject]
        count = sum(oracle.covers(hold, talk) for talk in mine)
        named = (hold.scope, hold.target) in (("everyone", None), ("person", subject)) or (name, subject) in (
            oracle.people_kept
        )
        named |= hold.scope == "organisation" and person is not None and person.organisation == hold.target
        if not hold.gag and hold.released_at is None and (named or count):
            found[name] = count
    return found


SCOPES = {
    "person": "s1",
    "conversation": "test:old",
    "organisation": "clinic",
    "query": '{"project":["lighthouse"],"region":["DE"]}',
    "everyone": None,
}


@pytest.fixture
def due(store: Store) -> Store:
    store.put_accounts([Account("s1", "free", "DE", organisation="clinic")])
    store.intake([talk("old", project="lighthouse")], plan="free", recorded_at=T0)
    return store


@pytest.mark.parametrize("scope", SCOPES)
def test_a_hold_of_any_scope_stops_a_plan_that_was_made_before_it(due: Store, scope: str) -> None:
    plan = plan_for(due, day(60))
    due.place_hold(order("h", scope, SCOPES[scope], day(59)))
    run = sweep_all(due, day(60))
    assert plan.digest
    assert due.sweep(run).erased == 0
    due.release_hold("h", at=day(61), by="judge")
    assert due.sweep(sweep_all(due, day(62))).erased == 2


@pytest.mark.parametrize("scope", ["organisation", "query"])
def test_who_leaves_and_what_changes_stays_held_until_the_release(due: Store, scope: str) -> None:
    due.place_hold(order("h", scope, SCOPES[scope], day(1)))
    due.put_accounts([Account("s1", "free", "US")])
    due.intake([talk("old", project="harbour")], plan=None, recorded_at=day(2))
    assert due.facts_of("test:old")[0].holds == (HoldSpan(day(1)),)
    assert due.sweep(sweep_all(due, day(60))).erased == 0
    due.release_hold("h", at=day(61), by="judge")
    assert due.sweep(sweep_all(due, day(62))).erased == 2


def test_what_comes_in_while_a_hold_stands_is_held(due: Store) -> None:
    for name, (scope, target) in enumerate(SCOPES.items()):
        due.place_hold(order(f"h{name}", scope, target, day(name)))
    due.intake([talk("later", project="lighthouse")], plan="free", recorded_at=day(9))
    assert len(due.facts_of("test:later")[0].holds) == len(SCOPES) - 1  # all but the one on another conversation


def test_a_fact_that_is_not_known_matches_nothing_and_is_counted(due: Store) -> None:
    due.intake([talk("whose", subject=None, project="lighthouse")], plan="free", recorded_at=T0)
    due.place_hold(order("h", "query", '{"region":["DE"]}', day(1)))
    assert due.coverage("h") == Coverage(1, 1, 1)
    assert due.facts_of("test:whose")[0].holds == ()
    with pytest.raises(NotFound, match="hold `h9`"):
        due.coverage("h9")


def test_a_hold_under_a_gag_is_not_told_and_holds_all_the_same(due: Store) -> None:
    due.place_hold(order("secret", "person", "s1", day(1), gag=True))
    due.place_hold(order("open", "conversation", "test:old", day(2)))
    assert [(one.hold.id, one.conversations) for one in due.holds_on("s1")] == [("open", 1)]
    assert due.shown_facts_of(["test:old"])["test:old"][0].holds == (HoldSpan(day(2)),)
    assert due.facts_of("test:old")[0].holds == (HoldSpan(day(1)), HoldSpan(day(2)))
    due.release_hold("open", at=day(3), by="judge")
    assert due.sweep(sweep_all(due, day(60))).erased == 0


def test_several_holds_are_a_set_and_only_the_last_release_frees(due: Store) -> None:
    for name, (scope, target) in enumerate(SCOPES.items()):
        due.place_hold(order(f"h{name}", scope, target, day(name)))
    for name in range(len(SCOPES)):
        assert due.sweep(sweep_all(due, day(60 + name))).erased == 0
        due.release_hold(f"h{name}", at=day(60 + name), by="judge")
    assert due.sweep(sweep_all(due, day(70))).erased == 2


def test_a_matter_opens_with_its_first_hold_and_closes_after_its_last(due: Store) -> None:
    due.place_hold(order("h1", "everyone", None, day(1)))
    due.place_hold(order("h2", "person", "s1", day(2)))
    assert [(one.id, one.opened_at, one.closed_at) for one in due.matters()] == [("m1", day(1), None)]
    due.release_hold("h1", at=day(3), by="judge")
    with pytest.raises(Refused, match="stands"):
        due.close_matter("m1", day(4))
    due.release_hold("h2", at=day(4), by="judge")
    due.close_matter("m1", day(5))
    due.close_matter("m1", day(6))
    assert [one.closed_at for one in due.matters()] == [day(5)]
    with pytest.raises(Refused, match="is closed"):
        due.place_hold(order("h3", "everyone", None, day(7)))
    with pytest.raises(NotFound, match="matter `m9`"):
        due.close_matter("m9", day(7))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lighthouse", "not a JSON object"),
        ("{}", "without conditions"),
        ('{"colour": ["red"]}', "not known"),
        ('{"project": []}', "`project`"),
        ('{"project": [1]}', "`project`"),
        ('{"surface": ["paper"]}', "`surface`"),
        ('{"mode": ["loud"]}', "`mode`"),
        ('{"flagged": false}', "`flagged`"),
        ('{"created_from": 5}', "`created_from`"),
        ('{"created_from": "soon"}', "is not"),
    ],
)
def test_a_query_that_says_nothing_clear_is_refused(text: str, says: str) -> None:
    with pytest.raises(Invalid, match=says) as problem:
        order("h", "query", text)
    assert "red" not in problem.value.message


def test_a_query_is_written_in_one_form(store: Store) -> None:
    loose = '{"region": "DE", "project": ["b", "a", "b"], "created_to": "2026-01-02T01:00:00+01:00"}'
    made = order("h", "query", loose)
    assert made.target == '{"created_to":"2026-01-02T00:00:00Z","project":["a","b"],"region":["DE"]}'
    store.place_hold(made)
    store.place_hold(order("h", "query", made.target))
    assert store.hold("h") == made


STATEMENTS = (
    "DELETE FROM hold",
    "UPDATE hold SET target = 'p9'",
    "UPDATE hold SET start = 0",
    "DELETE FROM hold_reach",
)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_database_itself_keeps_holds(due: Store, statement: str) -> None:
    due.place_hold(order("h", "organisation", "clinic", day(1)))
    due.put_accounts([Account("s1", "free")])
    with pytest.raises(Exception, match="a hold"), due._database.writing() as connection:
        connection.exec_driver_sql(statement)
    assert due.facts_of("test:old")[0].holds == (HoldSpan(day(1)),)


def test_keys_of_what_is_held_stay_readable(due: Store) -> None:
    due.place_hold(order("h", "everyone", None, day(1)))
    sweep_all(due, day(60))
    keys = list(keys_of(due, "test:old").values())
    assert len(due.content_of(keys)) == 2
    assert due.tombstones(ALL).total == 0
    assert due.accesses(Page()).total == 0


def test_there_may_be_many_holds_by_query(due: Store) -> None:
    due.place_hold(order("h0", "query", '{"project":["p0"]}', day(1)))
    with due._database.writing() as connection:
        first = connection.execute(select(holds)).mappings().one()
        many = [{**first, "id": f"h{n}", "target": f'{{"project":["p{n}"]}}'} for n in range(1, 520)]
        connection.execute(insert(holds), many)
    due.place_hold(order("h", "query", SCOPES["query"], day(2)))
    assert due.facts_of("test:old")[0].holds == (HoldSpan(day(2)),)
    assert columns(due) == covered(due)
    assert due.sweep(sweep_all(due, day(60))).erased == 0
