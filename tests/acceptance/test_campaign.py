"""A campaign over its whole life, and its books: everybody in one state, nobody asked too often.

People visit on days of their own, put it off, close the page, change their minds, sign up
late, leave, or never say a word. The deadline is moved once. Six hundred people in every run, 2,000 in the deep one.
"""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from tests.stores import new_store
from tests.unit.services.campaign_world import (
    DAY,
    DEADLINE,
    OFFICER,
    SIGN_UP,
    SIGNER,
    START,
    day,
    notice,
    policies,
    text,
)

from assent.domain.durations import add
from assent.domain.facts import ChoiceAct, Facts
from assent.policy.decide import decide
from assent.services.campaign import acts
from assent.services.campaign.acts import Written
from assent.services.campaign.amend import check_signature
from assent.services.campaign.funnel import funnel, question_of
from assent.services.campaign.machine import Course
from assent.services.campaign.offer import NotAsked, Offer, offer, person_of, record_prompts
from assent.services.campaign.remind import due_reminders, reminded
from assent.services.campaign.show import lint_of, order_of, shown
from assent.services.ledger.append import append
from assent.services.ledger.log import Log
from assent.services.ledger.prove import prove
from assent.services.ledger.rotate import found
from assent.services.receipts.record import Identity
from assent.store.records import Account, Choice, Prompt
from assent.store.sqlite import SqliteStore

SIGN_UPS = 0.1
"""The share of people who sign up while the campaign runs."""
MOVED = DEADLINE + 10 * DAY
END = MOVED + 25 * DAY
SAYS_NOTHING = 0.25


class Person:
    """What somebody does when the question is on their screen."""

    def __init__(self, number: int, chance: random.Random, *, later: bool) -> None:
        self.id = f"p{number:04}"
        self.silent = chance.random() < SAYS_NOTHING
        self.opened = START + chance.random() * 38 * DAY if later else START - chance.random() * 900 * DAY
        first = max(START, self.opened)
        self.visits = sorted(first + chance.random() * (END - first) for _ in range(chance.randrange(1, 7)))
        self.locale = chance.choice(["en", "de"])
        self.client = chance.choice(["phone", "desk"])
        self.account = Account(
            self.id,
            plan=chance.choices(["free", "pro", "team", None], [60, 30, 6, 4])[0],
            age=chance.choices([16, 25, 60, None], [3, 50, 43, 4])[0],
            region=chance.choice(["DE", "FR", "US"]),
            opened_at=self.opened,
        )

    def reacts(self, options: tuple[str, ...], chance: random.Random) -> str:
        """An act, or what the screen does without one."""
        if self.silent:
            return chance.choice(["closed", "timed out", "closed", *(["defer"] if "defer" in options else [])])
        acts_left = [one for one in ("allow", "decline", "decline", "defer") if one in options]
        return chance.choice([*acts_left, "closed"])


class Play:
    """The provider's product, day by day."""

    def __init__(self, store: SqliteStore, seed: int, people: int) -> None:
        self.store, self.chance = store, random.Random(seed)
        first = people * (1 - SIGN_UPS)
        self.people = [Person(number, self.chance, later=number >= first) for number in range(people)]
        draw = random.Random(seed + 1)
        self.log = Log(SIGNER.name, (SIGNER,), Identity("Acme", bytes(32)), lambda n: draw.randbytes(32 * n))
        found(store, self.log, now=START - 5 * DAY)
        self.refusals: Counter[str] = Counter()

    def launch(self) -> None:
        self.store.put_accounts(person.account for person in self.people if person.opened <= START)
        written = Written(text(SIGN_UP), "spring.toml")
        course = acts.draft(self.store, written, policies(), by=OFFICER, now=START - 4 * DAY)
        linted, _ = lint_of(self.store, course)
        acts.lint(self.store, "spring", linted, by=OFFICER, now=START - 3 * DAY)
        acts.schedule(self.store, "spring", by=OFFICER, now=START - 2 * DAY)
        acts.start(self.store, "spring", linted, by=OFFICER, now=START)

    def day(self, number: int) -> None:
        """Play one day: people sign up, visit, react; in the evening reminders go out and the ledger takes the acts."""
        begins, ends = day(number), day(number + 1)
        self.store.put_accounts(p.account for p in self.people if max(begins, START) < p.opened <= ends)
        leaving = self.chance.sample(self.people, 2)
        for person in leaving:
            if person.opened < begins:
                self.store.close_account(person.id, begins)
        course = acts.course_of(self.store, "spring")
        order = order_of(self.store, course)
        prompts: list[Prompt] = []
        made: list[Choice] = []
        visits = sorted((at, p.id, p) for p in self.people for at in p.visits if begins <= at < ends)
        for at, _, person in visits:
            answer = offer(self.store, course, person.id, now=at, chance=self.chance.random(), order=order)
            if isinstance(answer, NotAsked):
                self.refusals[answer.why] += 1
                self.changes_mind(person, at, made)
                continue
            # one visit a day at most counts: what the first one led to is stored in the evening
            if any(one.subject == person.id for one in prompts):
                continue
            self.meets(person, answer, at, prompts, made)
        record_prompts(self.store, course, prompts)
        append(self.store, self.log, made, now=ends)
        self.remind(course, ends)

    def meets(self, person: Person, made: Offer, at: datetime, prompts: list[Prompt], acts_made: list[Choice]) -> None:
        drawn = shown(self.store, made, surface="html", locale=person.locale, now=at)
        place = {"layout": made.layout, "client": person.client, "surface": "html", "locale": person.locale}
        prompts.append(Prompt("spring", person.id, "training", at, "shown", rendering=drawn.digest, **place))
        kind, then = person.reacts(made.options, self.chance), at + timedelta(seconds=self.chance.randrange(5, 90))
        if kind in ("closed", "timed out"):
            prompts.append(Prompt("spring", person.id, "training", then, kind, **place))
        else:
            acts_made.append(self.choice(person, kind, then, drawn.digest, drawn.options, "spring", made.layout))

    def changes_mind(self, person: Person, at: datetime, made: list[Choice]) -> None:
        """Somebody who has answered takes it back, in the settings and not in the campaign."""
        before = [one for one in self.store.choices(person.id) if one.act != "defer"]
        if before and self.chance.random() < 0.2 and not any(one.subject == person.id for one in made):
            other = "withdraw" if before[-1].act == "allow" else "allow"
            made.append(self.choice(person, other, at, before[-1].notice, (), "", ""))

    def choice(
        self, person: Person, kind: str, at: datetime, notice: str, options: tuple[str, ...], campaign: str, layout: str
    ) -> Choice:
        return Choice(
            id=f"{person.id}-{at.isoformat()}",
            subject=person.id,
            purpose="training",
            act=kind,
            at=at,
            notice=notice,
            surface="html",
            recorded_by="web",
            recorded_at=at,
            locale=person.locale,
            layout=layout,
            options=options,
            client=person.client,
            campaign=campaign,
        )

    def remind(self, course: Course, now: datetime) -> None:
        after: str | None = ""
        while after is not None:
            question = question_of(course, "training", now)
            page = due_reminders(self.store, course, question, now=now, after=after, limit=500)
            record_prompts(self.store, course, [reminded(one, "spring", now) for one in page.items])
            after = page.after


@pytest.fixture(scope="module", params=[600, pytest.param(2_000, marks=pytest.mark.deep)])
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """The whole campaign, once for all the questions below."""
    folder = tmp_path_factory.mktemp("campaign")
    store = new_store(folder / "store.db")
    store.add_notice(notice())
    play = Play(store, seed=2026, people=request.param)
    play.launch()
    for number in range((END - START).days):
        if number == 12:
            moved = Written(text(SIGN_UP | {"2026-04-01T00:00:00Z": "2026-04-11T00:00:00Z"}), "spring.toml")
            acts.amend(store, "spring", moved, SIGNER, linted=None, reason="holidays", by=OFFICER, now=day(number))
        play.day(number)
    acts.close(store, "spring", "everybody was asked", by=OFFICER, now=END)
    yield play
    store.close()


def test_it_went_through_its_states_and_the_moved_deadline_is_signed(played: Play) -> None:
    told = [what for _, what, _ in acts.history(played.store, "spring")]
    assert told == ["drafted", "linted", "scheduled", "started", "amended", "closed"]
    course = acts.course_of(played.store, "spring")
    assert (course.campaign.deadline, course.closed_at) == (MOVED, END)
    [amended] = [event for event in played.store.campaign_events("spring") if event.kind == "amended"]
    assert check_signature(amended, [SIGNER.verifier]) == (SIGNER.name,)


def test_everybody_is_in_exactly_one_state_and_the_counts_add_up(played: Play) -> None:
    store, course = played.store, acts.course_of(played.store, "spring")
    for now in (day(20), END):
        made = funnel(store, course, "training", now)
        one_by_one: Counter[str] = Counter()
        left: Counter[str] = Counter()
        audience = course.campaign.audience
        for person in played.people:
            account = store.account(person.id)
            phase = person_of(store, course, person.id, "training", now=now).phase
            within = account.plan in audience.plans and (account.age or 0) >= 18 and account.closed_at is None
            (one_by_one if within else left)[phase] += 1
        assert made.states == {**dict.fromkeys(made.states, 0), **one_by_one}
        assert sum(made.states.values()) == made.in_audience
        assert {k: n for k, n in made.left.items() if n} == {k: n for k, n in left.items() if k != "unseen"}
        assert made.total.answers == sum(
            made.states[phase] + made.left[phase] for phase in ("allowed", "declined", "changed")
        )
    assert min(made.states[phase] for phase in ("unseen", "shown", "deferred", "allowed", "declined", "changed")) > 0


def test_nobody_was_asked_more_often_or_sooner_than_the_file_says(played: Play) -> None:
    campaign = acts.course_of(played.store, "spring").campaign
    most = 0
    for person in played.people:
        prompts = played.store.prompts_of("spring", person.id)
        showings = [prompt.at for prompt in prompts if prompt.kind == "shown"]
        made = [one for one in played.store.choices(person.id) if one.campaign == "spring"]
        most = max(most, len(showings))
        assert len(showings) <= campaign.max_defers + 1
        assert sum(one.act == "defer" for one in made) <= campaign.max_defers
        for earlier, later in pairwise(showings):
            assert add(earlier, campaign.cool_down) <= later
        answers = [one.at for one in played.store.choices(person.id) if one.act != "defer"]
        assert not [at for at in showings if answers and at > answers[0]], "asked again after an answer"
        assert sum(prompt.kind == "reminded" for prompt in prompts) <= len(campaign.reminders)
        assert not [at for at in showings if at >= campaign.deadline_of(person.opened)]
    assert most == campaign.max_defers + 1, "nobody came near the limit, so this shows nothing"


def test_layouts_and_orders_were_drawn_and_each_person_kept_a_layout(played: Play) -> None:
    layouts: Counter[str] = Counter()
    firsts: Counter[str] = Counter()
    for person in played.people:
        seen = [prompt for prompt in played.store.prompts_of("spring", person.id) if prompt.kind == "shown"]
        assert len({prompt.layout for prompt in seen}) <= 1
        layouts.update({prompt.layout for prompt in seen})
        firsts.update(played.store.rendering(prompt.rendering).options[0] for prompt in seen)
    # two even lots: far less than five standard deviations from the middle
    assert set(layouts) == {"stacked", "side-by-side"}
    assert set(firsts) == {"allow", "decline"}
    for lots in (layouts, firsts):
        assert abs(lots.most_common()[0][1] / lots.total() - 0.5) < 5 * 0.5 / lots.total() ** 0.5


def test_silence_never_made_anything_eligible(played: Play) -> None:
    policy = policies()[0][0]
    silent = allowed = 0
    for person in played.people:
        made = list(played.store.choices(person.id))
        decided = [one.act for one in made if one.act != "defer"]
        told = tuple(ChoiceAct(one.purpose, one.act, one.at) for one in made)
        account = played.store.account(person.id)
        facts = Facts(
            part="x", plan=account.plan, age=account.age, region=account.region, data="text", mode="normal",
            created_at=END, last_turn_at=END, recorded_at=END, choices=told,
        )  # fmt: skip
        for now in (END, END + 400 * DAY):
            eligible = "training" in decide(facts, policy, now).eligible
            if not decided:
                silent += 1
                assert not eligible
            assert eligible <= bool(decided and decided[-1] == "allow")
            allowed += eligible
    assert min(silent, allowed) > len(played.people) / 4


def test_who_stayed_silent_is_told_so_in_words_and_not_asked_again(played: Play) -> None:
    course = acts.course_of(played.store, "spring")
    words = Counter(
        person_of(played.store, course, person.id, "training", now=END).words()
        for person in played.people
        if not any(one.act != "defer" for one in played.store.choices(person.id))
    )
    assert list(words) == ["did not answer by the deadline: is not asked again, and nothing is allowed"]
    assert played.refusals["did not answer by the deadline"] > 0
    assert played.refusals["left alone for a while"] > 0
    assert played.refusals["asked often enough"] > 0


def test_an_answer_given_before_the_deadline_moved_still_proves_itself(played: Play) -> None:
    early = next(
        one
        for person in played.people
        for one in played.store.choices(person.id)
        if one.at < day(12) and one.act == "allow"
    )
    proven = prove(played.store, played.log, early.id)
    assert proven.choice == early
    assert played.store.rendering(early.notice).notice in acts.course_of(played.store, "spring").notices


def test_new_people_had_their_own_deadline(played: Play) -> None:
    course = acts.course_of(played.store, "spring")
    new = [person for person in played.people if person.opened > START]
    late = [
        prompt.at
        for person in new
        for prompt in played.store.prompts_of("spring", person.id)
        if prompt.kind == "shown" and prompt.at > MOVED
    ]
    assert len(new) == SIGN_UPS * len(played.people)
    assert late, "nobody was asked after the deadline of the others"
    assert {course.campaign.deadline_of(person.opened) - person.opened for person in new} == {14 * DAY}
