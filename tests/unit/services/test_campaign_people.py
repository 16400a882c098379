"""One person in a campaign: how far they are, whether they are asked, what they are shown, when they are reminded."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.services.campaign_world import (
    BLOCKING,
    DAY,
    DEADLINE,
    OFFICER,
    SIGN_UP,
    START,
    act,
    campaign,
    day,
    live,
    person,
    prompt,
    shelf,
)

from assent.domain.digests import digest_bytes
from assent.domain.errors import Invalid, NotFound, Refused
from assent.services.campaign import acts
from assent.services.campaign.funnel import question_of
from assent.services.campaign.machine import Course
from assent.services.campaign.offer import NotAsked, Offer, layout_for, offer, person_of, record_prompts
from assent.services.campaign.person import inside, person_state
from assent.services.campaign.remind import due_reminders, reminded
from assent.services.campaign.show import shown
from assent.store.records import Guardian
from assent.store.sqlite import SqliteStore


class World:
    """A live campaign and one person in it."""

    def __init__(self, store: SqliteStore, changes: dict[str, str] | None = None) -> None:
        self.store = store
        self.course: Course = live(store, changes)
        store.put_accounts([person()])

    def offered(self, at: datetime, *, chance: float = 0.9, subject: str = "s1") -> Offer | NotAsked:
        return offer(self.store, self.course, subject, now=at, chance=chance)

    def why(self, at: datetime, subject: str = "s1") -> str:
        answer = self.offered(at, subject=subject)
        assert isinstance(answer, NotAsked), answer
        return answer.words()

    def show(self, *at: datetime) -> None:
        record_prompts(self.store, self.course, [prompt("shown", one) for one in at])

    def choose(self, kind: str, at: datetime, **more: object) -> None:
        self.store.add_choice(act(kind, at, **more))

    def phase(self, at: datetime) -> str:
        return person_of(self.store, self.course, "s1", "training", now=at).phase

    def silence(self, at: datetime) -> str:
        return person_of(self.store, self.course, "s1", "training", now=at).silence


@pytest.fixture
def world() -> Iterator[World]:
    with shelf() as store:
        yield World(store)


@pytest.fixture
def blocking() -> Iterator[World]:
    with shelf("block") as store:
        yield World(store, BLOCKING)


def test_a_person_goes_from_unseen_to_changed(world: World) -> None:
    assert world.phase(day(1)) == "unseen"
    world.show(day(1))
    assert world.phase(day(1)) == "shown"
    world.choose("defer", day(2))
    assert world.phase(day(2)) == "deferred"
    world.choose("decline", day(9))
    assert world.phase(day(9)) == "declined"
    world.choose("allow", day(12))
    assert world.phase(day(12)) == "changed"
    assert world.phase(day(10)) == "declined", "what came later was not known then"


def test_words_say_that_silence_allows_nothing(world: World) -> None:
    def words(at: datetime) -> str:
        return person_of(world.store, world.course, "s1", "training", now=at).words()

    assert "has not been shown" in words(day(0))
    world.show(day(1))
    assert "nothing is allowed" in words(day(1))
    assert words(DEADLINE) == "did not answer by the deadline: is not asked again, and nothing is allowed"
    world.choose("allow", DEADLINE + DAY)
    assert words(DEADLINE + DAY) == "allowed it"
    world.choose("withdraw", DEADLINE + 2 * DAY)
    assert words(DEADLINE + 2 * DAY) == "changed the answer; it is not allowed now"


def test_an_offer_says_what_to_show(world: World) -> None:
    made = world.offered(day(1))
    assert isinstance(made, Offer)
    assert (made.campaign, made.purpose, made.notice) == ("spring", "training", world.course.notice)
    assert made.options == ("allow", "decline", "defer")
    assert (made.defers_left, made.deadline, made.blocked, made.escape) == (2, DEADLINE, False, ())


def test_the_order_of_answers_is_drawn_by_lot_or_declines_first(world: World) -> None:
    assert world.offered(day(1), chance=0.49).options[0] == "decline"
    assert world.offered(day(1), chance=0.5).options[0] == "allow"
    first = offer(world.store, world.course, "s1", now=day(1), chance=0.9, order="decline first")
    assert first.options == ("decline", "allow", "defer")


def test_nobody_is_asked_unless_the_campaign_is_live(world: World) -> None:
    assert world.why(DEADLINE) == "the campaign is not live"
    acts.close(world.store, "spring", "enough", by=OFFICER, now=day(5))
    world.course = acts.course_of(world.store, "spring")
    assert world.why(day(6)) == "the campaign is not live"


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"plan": "team"}, "not in the audience"),
        ({"plan": None}, "a fact that the audience asks for is unknown"),
        ({"age": None}, "a fact that the audience asks for is unknown"),
        ({"age": 17}, "not in the audience"),
        ({"age": None, "plan": "team"}, "not in the audience"),
        ({"closed_at": START}, "not in the audience"),
        ({"moved_to_business_at": START}, "not in the audience"),
    ],
)
def test_who_is_not_in_the_audience_is_not_asked(world: World, facts: dict[str, object], why: str) -> None:
    world.store.put_accounts([person("s2", **facts)])
    assert world.why(day(1), "s2") == why


def test_who_has_no_account_is_not_asked(world: World) -> None:
    assert world.why(day(1), "stranger") == "no account is known"
    with pytest.raises(NotFound, match="no account") as told:
        person_of(world.store, world.course, "stranger", "training", now=day(1))
    assert "stranger" not in str(told.value)


def test_a_minor_is_asked_only_with_a_verified_guardian() -> None:
    with shelf() as store:
        world = World(store, {"{ from = 18 }": "{ from = 13 }"})
        store.put_accounts([person("child", age=15)])
        assert world.why(day(1), "child") == "a guardian has to be there"
        store.add_guardian(Guardian("child", "parent", "signed form", "support", day(2)))
        assert world.why(day(1), "child") == "a guardian has to be there"
        assert isinstance(world.offered(day(2), subject="child"), Offer)
        store.end_guardian("child", "parent", day(3))
        assert world.why(day(3), "child") == "a guardian has to be there"


@pytest.mark.parametrize("kind", ["allow", "decline", "withdraw"])
def test_who_answered_is_not_asked_again(world: World, kind: str) -> None:
    world.choose(kind, day(1))
    assert world.why(day(20)) == "answered"


def test_an_answer_to_this_version_before_the_campaign_counts_and_one_to_another_does_not(world: World) -> None:
    world.choose("decline", START - 50 * DAY, campaign="", notice=digest_bytes(b"older words"))
    assert isinstance(world.offered(day(1)), Offer)
    drawn = shown(world.store, world.offered(day(1)), surface="html", locale="en", now=day(1))
    world.choose("decline", START - 40 * DAY, campaign="", notice=drawn.digest)
    assert world.why(day(1)) == "answered"


def test_an_answer_about_one_chat_or_another_purpose_is_no_answer(world: World) -> None:
    world.choose("decline", day(1), scope="conversation", target="c1")
    world.choose("decline", day(1), purpose="feedback")
    assert isinstance(world.offered(day(1)), Offer)


def test_who_was_asked_is_left_alone_and_then_asked_no_more_often_than_the_file_says(world: World) -> None:
    world.show(day(1))
    assert world.why(day(7.9)) == "left alone for a while, until 2026-03-09T09:00:00Z"
    second = world.offered(day(8))
    assert (second.defers_left, second.options[-1]) == (1, "defer")
    world.show(day(8))
    last = world.offered(day(15))
    assert (last.defers_left, last.options) == (0, ("allow", "decline"))
    world.show(day(15))
    assert world.why(day(22)) == "asked often enough"


def test_putting_it_off_counts_where_no_screen_was_logged(world: World) -> None:
    for n in (1, 9):
        world.choose("defer", day(n))
    assert world.why(day(15)) == "left alone for a while, until 2026-03-17T09:00:00Z"
    assert isinstance(world.offered(day(17)), Offer)
    world.choose("defer", day(17))
    assert world.why(day(28)) == "asked often enough"


def test_after_the_deadline_silence_is_not_asked_again_and_is_no_act(world: World) -> None:
    assert world.silence(DEADLINE - DAY) == ""
    assert world.silence(DEADLINE) == "not asked again"
    assert list(world.store.choices("s1")) == []


def test_block_asks_whoever_is_silent_after_the_deadline_until_it_is_closed(blocking: World) -> None:
    blocking.show(day(1), day(8), day(15))
    assert blocking.why(day(23)) == "asked often enough, until 2026-04-01T00:00:00Z"
    made = blocking.offered(DEADLINE)
    assert (made.blocked, made.escape) == (True, ("export", "read only"))
    assert sorted(made.options) == ["allow", "decline"], "both answers, and nothing else, are equal"
    assert blocking.silence(DEADLINE) == "blocked"
    blocking.show(DEADLINE)
    assert blocking.offered(DEADLINE).blocked, "it stands in the way each time"
    acts.close(blocking.store, "spring", "done", by=OFFICER, now=DEADLINE + DAY)
    blocking.course = acts.course_of(blocking.store, "spring")
    assert blocking.silence(DEADLINE + DAY) == "", "a closed campaign blocks nobody"


def test_block_lets_go_with_any_answer(blocking: World) -> None:
    blocking.choose("decline", DEADLINE + DAY)
    assert blocking.silence(DEADLINE + DAY) == ""
    assert blocking.why(DEADLINE + DAY) == "answered"


def test_who_signs_up_has_a_deadline_of_their_own() -> None:
    with shelf() as store:
        world = World(store, SIGN_UP)
        store.put_accounts([person("new", opened_at=DEADLINE - DAY), person("later", opened_at=DEADLINE + 5 * DAY)])
        assert world.offered(DEADLINE, subject="new").deadline == DEADLINE + 13 * DAY
        assert world.offered(DEADLINE + 6 * DAY, subject="later").deadline == DEADLINE + 19 * DAY
        assert world.why(DEADLINE + 13 * DAY, "new") == "did not answer by the deadline"
        assert world.why(DEADLINE) == "did not answer by the deadline"


def test_several_purposes_are_asked_one_by_one() -> None:
    with shelf() as store:
        world = World(store)
        both = replace(world.course.campaign, purposes=("training", "feedback"))
        world.course = replace(world.course, campaign=both)
        assert world.offered(day(1)).purpose == "training"
        world.show(day(1))
        assert world.offered(day(1)).purpose == "feedback", "training is left alone, feedback was not shown yet"
        world.choose("decline", day(2))
        world.choose("allow", day(2), purpose="feedback")
        assert world.why(day(9)) == "answered"


def test_an_offered_question_is_drawn_and_put_on_the_shelf_once(world: World) -> None:
    made = world.offered(day(1))
    drawn = shown(world.store, made, surface="html", locale="en", now=day(1))
    assert (drawn.notice, drawn.layout, drawn.options) == (made.notice, made.layout, made.options)
    assert drawn.digest == digest_bytes(drawn.body.encode())
    assert world.store.rendering(drawn.digest) == drawn
    assert shown(world.store, made, surface="html", locale="en", now=day(5)) == drawn
    with pytest.raises(Invalid):
        shown(world.store, made, surface="billboard", locale="en", now=day(1))


def test_the_log_takes_what_happened_and_refuses_what_cannot_have(world: World) -> None:
    made = [prompt("shown", day(1)), prompt("closed", day(1)), prompt("timed out", day(2))]
    assert record_prompts(world.store, world.course, made) == 3
    assert record_prompts(world.store, world.course, made) == 0
    for wrong, message in (
        (prompt("shown", day(1), purpose="dreams"), "does not ask for `dreams`"),
        (prompt("shown", day(3), layout="spiral"), "has no layout `spiral`"),
        (prompt("shown", START - DAY), "had not started then"),
        (prompt("shown", day(3), campaign="autumn"), "of another campaign"),
    ):
        with pytest.raises(Refused, match=message):
            record_prompts(world.store, world.course, [prompt("shown", day(4)), wrong])
    assert len(world.store.prompts_of("spring", "s1")) == 3


# -- layouts ----------------------------------------------------------------------------------------


def test_a_person_keeps_a_layout_and_layouts_come_up_by_their_weight() -> None:
    weighted = replace(campaign(), layouts=(("plain", 3), ("off", 0), ("stacked", 1)))
    drawn = [layout_for(weighted, f"person {n}", []) for n in range(4_000)]
    assert drawn == [layout_for(weighted, f"person {n}", []) for n in range(4_000)]
    # 4,000 draws at 3/4: the standard deviation is 27
    assert abs(drawn.count("plain") - 3_000) < 4 * 27
    assert "off" not in drawn


def test_what_was_once_shown_is_shown_again_unless_it_was_switched_off(world: World) -> None:
    other = {"stacked": "side-by-side", "side-by-side": "stacked"}[world.offered(day(1)).layout]
    record_prompts(world.store, world.course, [prompt("shown", day(1), layout=other)])
    assert world.offered(day(9)).layout == other
    off = tuple((name, int(name != other)) for name, _ in world.course.campaign.layouts)
    world.course = replace(world.course, campaign=replace(world.course.campaign, layouts=off))
    assert world.offered(day(9)).layout != other


# -- reminders --------------------------------------------------------------------------------------


def due(world: World, at: datetime) -> list[tuple[str, str]]:
    page = due_reminders(world.store, world.course, question_of(world.course, "training", at), now=at)
    return [(one.subject, str(one.offset)) for one in page.items]


def test_a_reminder_is_due_once_for_each_offset(world: World) -> None:
    assert due(world, DEADLINE - 11 * DAY) == []
    assert due(world, DEADLINE - 10 * DAY) == [("s1", "P10D")]
    [one] = due_reminders(
        world.store,
        world.course,
        question_of(world.course, "training", DEADLINE - 9 * DAY),
        now=DEADLINE - 9 * DAY,
    ).items
    record_prompts(world.store, world.course, [reminded(one, "spring", DEADLINE - 9 * DAY)])
    assert due(world, DEADLINE - 9 * DAY) == []
    assert due(world, DEADLINE - 2 * DAY) == [("s1", "P2D")]
    assert due(world, DEADLINE) == []


def test_a_missed_reminder_is_not_made_up_for(world: World) -> None:
    assert due(world, DEADLINE - DAY) == [("s1", "P2D")]


def test_who_answered_or_was_asked_lately_is_not_reminded(world: World) -> None:
    world.store.put_accounts([person(f"s{n}") for n in (2, 3, 4, 5)])
    world.choose("decline", day(1), subject="s2")
    world.choose("defer", DEADLINE - 12 * DAY, subject="s3")
    record_prompts(world.store, world.course, [prompt("shown", DEADLINE - 11 * DAY, "s4")])
    record_prompts(world.store, world.course, [prompt("shown", DEADLINE - 18 * DAY, "s5")])
    assert [subject for subject, _ in due(world, DEADLINE - 10 * DAY)] == ["s1", "s5"]


def test_reminders_come_page_by_page(world: World) -> None:
    world.store.put_accounts([person(f"s{n}") for n in range(7)])
    at = DEADLINE - DAY
    found, after = [], ""
    for _ in range(10):
        page = due_reminders(
            world.store, world.course, question_of(world.course, "training", at), now=at, after=after, limit=3
        )
        found += [one.subject for one in page.items]
        if page.after is None:
            break
        after = page.after
    assert found == [f"s{n}" for n in range(7)]


def test_new_people_are_reminded_before_their_own_deadline() -> None:
    with shelf() as store:
        world = World(store, SIGN_UP)
        store.put_accounts([person("new", opened_at=DEADLINE)])
        assert due(world, DEADLINE + 3 * DAY) == []
        assert due(world, DEADLINE + 4 * DAY) == [("new", "P10D")]


# -- laws -------------------------------------------------------------------------------------------

moments = st.integers(0, 40).map(day)
histories = st.lists(st.tuples(st.sampled_from(["allow", "decline", "defer", "withdraw"]), moments), max_size=6)


@given(histories, st.lists(moments, max_size=4), st.integers(0, 60).map(day))
def test_no_history_without_an_allow_ever_reads_as_one(
    history: list[tuple[str, datetime]], seen: list[datetime], now: datetime
) -> None:
    course = _course()
    made = sorted((act(kind, at) for kind, at in history), key=lambda c: (c.at, c.act in ("decline", "withdraw")))
    state = person_state(course, "training", [prompt("shown", at) for at in seen], made, opened_at=None, now=now)
    known = [one.act for one in made if one.at <= now and one.act != "defer"]
    assert state.allows is (None if not known else known[-1] == "allow")
    assert (state.phase == "allowed") <= ("allow" in known)
    assert not (state.silence and known)


def _course() -> Course:
    from assent.services.campaign.machine import Linted, Step, advance, drafted

    made = drafted(campaign(), "n", "p", START - DAY)
    linted = Linted("n", "p", "f", 0)
    for kind in ("linted", "scheduled", "started"):
        made = advance(made, Step(kind, START, OFFICER, linted=linted))
    return made


def test_an_audience_in_memory_is_the_audience_in_the_database() -> None:
    import random

    chance = random.Random(3)
    people = [
        person(
            f"s{n}",
            plan=chance.choice(["free", "pro", "team", None]),
            age=chance.choice([13, 18, 30, None]),
            region=chance.choice(["DE", "US", None]),
            signed_in=chance.choice([True, False, None]),
            opened_at=chance.choice([START - DAY, START, None]),
            closed_at=chance.choice([None, None, START]),
        )
        for n in range(400)
    ]
    audiences = [
        campaign(changes).audience
        for changes in (
            {},
            {"ages =": 'regions = ["EU"]\nages ='},
            {"ages =": 'regions = { not = ["US"] }\nages ='},
            {"[defers]": "signed_in = true\n[defers]"},
            {"[defers]": "created_before = 2026-03-01T09:00:00Z\n[defers]"},
            SIGN_UP | {"[defers]": "created_before = 2026-02-01T00:00:00Z\n[defers]"},
            {"{ from = 18 }": "{ from = 18, below = 30 }"},
        )
    ]
    with shelf() as store:
        store.put_accounts(people)
        for audience in audiences:
            counted = store.in_audience(audience)
            assert counted == sum(inside(audience, one) is True for one in people)
            assert 0 < counted < len(people)
