"""The contract of asking: a shelf that keeps every text, numbered steps, prompts in bulk, and people counted once."""

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import median

import pytest
from tests.conformance.store.samples import ALL, T0, choice, day

from assent.domain.digests import digest
from assent.domain.errors import NotFound, Refused
from assent.store.port import Store
from assent.store.records import (
    Account,
    Audience,
    CampaignEvent,
    CampaignText,
    Choice,
    NoticeText,
    Page,
    PolicyText,
    Prompt,
    Question,
    Rendering,
)

NOTICE = NoticeText(digest("notice"), "acme-training", "1", "acme/2", "text of the manifest", T0)
POLICY = PolicyText(digest("policy"), "acme/2", "text of the policy", T0)
TEXT = Rendering(
    digest("text"), NOTICE.digest, "web", "en", "plain", ("decline", "allow", "defer"), "May we train?", T0
)
CAMPAIGN = CampaignText(
    "spring", NOTICE.digest, POLICY.digest, "text of the campaign", digest("campaign"), "officer", T0
)
STEP = CampaignEvent("spring", 1, T0, "linted", "officer", '{"errors":0}')
ADULTS = Audience(plans=("free", "pro"), age_from=18)


@pytest.fixture
def shelf(store: Store) -> Store:
    store.add_notice(NOTICE)
    store.add_policy(POLICY)
    store.add_campaign(CAMPAIGN)
    return store


def prompt(kind: str = "shown", at: datetime = T0, subject: str = "s1", **more: object) -> Prompt:
    return Prompt("spring", subject, "training", at, kind, **more)


def question(until: datetime, audience: Audience = ADULTS, since: datetime = T0) -> Question:
    return Question("spring", "training", (NOTICE.digest,), audience, since, until)


def test_a_notice_keeps_its_first_text_and_comes_back_in_the_order_of_arrival(store: Store) -> None:
    later = replace(NOTICE, digest=digest("2"), version="2", added_at=day(1))
    store.add_notice(later)
    store.add_notice(NOTICE)
    store.add_notice(replace(NOTICE, document="another", added_at=day(5)))
    assert store.notice(NOTICE.digest) == NOTICE
    assert store.notice("sha256:none") is None
    assert store.notices() == [NOTICE, later]


def test_a_text_is_kept_as_shown_and_never_changes(shelf: Store) -> None:
    shelf.add_rendering(TEXT)
    shelf.add_rendering(replace(TEXT, added_at=day(9)))
    assert shelf.rendering(TEXT.digest) == TEXT
    assert shelf.rendering("sha256:none") is None
    with pytest.raises(Refused, match="is there with another meaning"):
        shelf.add_rendering(replace(TEXT, body="May we?"))
    with pytest.raises(NotFound, match="no notice `sha256:none` on the shelf"):
        shelf.add_rendering(replace(TEXT, notice="sha256:none"))


def test_texts_of_a_notice_are_listed_newest_first_page_by_page(shelf: Store) -> None:
    made = [replace(TEXT, digest=digest(n), added_at=day(n)) for n in range(5)]
    for one in made:
        shelf.add_rendering(one)
    first = shelf.renderings(NOTICE.digest, Page(limit=3))
    rest = shelf.renderings(NOTICE.digest, Page(limit=3, after=first.after))
    assert [*first.items, *rest.items] == made[::-1]
    assert (first.total, rest.after) == (5, None)
    assert shelf.renderings("sha256:none", ALL).items == ()


def test_a_campaign_is_drafted_once(shelf: Store) -> None:
    shelf.add_campaign(replace(CAMPAIGN, by="somebody else", created_at=day(1)))
    assert shelf.campaign("spring") == CAMPAIGN
    assert shelf.campaign("autumn") is None
    with pytest.raises(Refused, match="campaign `spring` is there with another meaning"):
        shelf.add_campaign(replace(CAMPAIGN, digest=digest("other")))
    with pytest.raises(NotFound, match="no notice `sha256:none` on the shelf"):
        shelf.add_campaign(replace(CAMPAIGN, id="autumn", notice="sha256:none"))
    with pytest.raises(NotFound, match="policy `sha256:none` is not in the store"):
        shelf.add_campaign(replace(CAMPAIGN, id="autumn", policy="sha256:none"))
    shelf.add_campaign(replace(CAMPAIGN, id="autumn", created_at=day(2)))
    assert [one.id for one in shelf.campaigns(ALL).items] == ["autumn", "spring"]


def test_steps_follow_each_other_and_the_slower_of_two_writers_is_told(shelf: Store) -> None:
    shelf.add_campaign_event(STEP)
    shelf.add_campaign_event(STEP)
    with pytest.raises(Refused, match="step `1` of campaign `spring` is not the next one"):
        shelf.add_campaign_event(replace(STEP, by="another officer"))
    with pytest.raises(Refused, match="step `3`"):
        shelf.add_campaign_event(replace(STEP, number=3))
    second = replace(STEP, number=2, kind="scheduled", at=day(1), signature="signed")
    shelf.add_campaign_event(second)
    assert shelf.campaign_events("spring") == [STEP, second]
    assert shelf.campaign_events("autumn") == []
    with pytest.raises(NotFound, match="no campaign `autumn`"):
        shelf.add_campaign_event(replace(STEP, campaign="autumn"))


def test_a_prompt_is_logged_once_and_says_one_thing(shelf: Store) -> None:
    shown = prompt(layout="plain", client="phone", surface="web", locale="en", rendering=TEXT.digest, snapshot="s")
    closed = prompt("closed", day(1))
    assert shelf.add_prompts([shown, shown, closed]) == 2
    assert shelf.add_prompts([closed, prompt("shown", day(2))]) == 1
    assert shelf.prompts_of("spring", "s1") == [shown, closed, prompt("shown", day(2))]
    assert shelf.prompts_of("spring", "s2") == []
    with pytest.raises(Refused, match="says something else already") as told:
        shelf.add_prompts([prompt(subject="s9"), replace(shown, layout="fancy")])
    assert "s1" not in str(told.value)
    assert shelf.prompts("spring", ALL).total == 3, "nothing of a refused batch is kept"
    with pytest.raises(NotFound, match="no campaign `autumn`"):
        shelf.add_prompts([replace(shown, campaign="autumn")])


def test_prompts_are_listed_newest_first(shelf: Store) -> None:
    made = [prompt(at=day(n), subject=f"s{n}") for n in range(4)]
    shelf.add_prompts(made)
    page = shelf.prompts("spring", Page(limit=3))
    assert [*page.items, *shelf.prompts("spring", Page(limit=3, after=page.after)).items] == made[::-1]


FACTS = {"plan": "free", "age": 30, "region": "DE", "signed_in": True, "opened_at": day(-100)}


@pytest.mark.parametrize(
    ("audience", "facts", "inside"),
    [
        (ADULTS, {}, 1),
        (ADULTS, {"plan": None}, 0),
        (ADULTS, {"plan": "team"}, 0),
        (ADULTS, {"age": None}, 0),
        (ADULTS, {"age": 17}, 0),
        (ADULTS, {"age": 18}, 1),
        (replace(ADULTS, age_below=30), {}, 0),
        (replace(ADULTS, age_below=31), {}, 1),
        (ADULTS, {"closed_at": T0}, 0),
        (ADULTS, {"moved_to_business_at": T0}, 0),
        (replace(ADULTS, regions=("FR",)), {}, 0),
        (replace(ADULTS, regions=("FR", "DE")), {}, 1),
        (replace(ADULTS, regions=("FR",)), {"region": None}, 0),
        (replace(ADULTS, outside=("FR",)), {}, 1),
        (replace(ADULTS, outside=("DE",)), {}, 0),
        (replace(ADULTS, outside=("FR",)), {"region": None}, 0),
        (replace(ADULTS, signed_in=True), {}, 1),
        (replace(ADULTS, signed_in=False), {}, 0),
        (replace(ADULTS, signed_in=True), {"signed_in": None}, 0),
        (replace(ADULTS, opened_before=day(-100)), {}, 0),
        (replace(ADULTS, opened_before=day(-99)), {}, 1),
        (replace(ADULTS, opened_before=day(-99)), {"opened_at": None}, 0),
        (replace(ADULTS, opened_before=day(-200), sign_ups_from=day(-100)), {}, 1),
        (replace(ADULTS, opened_before=day(-200), sign_ups_from=day(-99)), {}, 0),
    ],
)
def test_an_audience_takes_in_whom_its_facts_name(
    store: Store, audience: Audience, facts: dict[str, object], inside: int
) -> None:
    store.put_accounts([Account("s1", **{**FACTS, **facts})])
    assert store.in_audience(audience) == inside


def test_the_opening_of_an_account_is_not_forgotten(store: Store) -> None:
    store.put_accounts([Account("s1", **FACTS)])
    store.put_accounts([Account("s1", plan="pro")])
    assert store.account("s1").opened_at == day(-100)


def test_an_answer_elsewhere_counts_from_the_start_and_an_earlier_one_only_to_this_notice(shelf: Store) -> None:
    shelf.put_accounts([Account(f"s{n}", **FACTS) for n in range(7)])
    shelf.add_rendering(TEXT)
    before = {"at": day(-5), "notice": digest("an older notice")}
    for one in (
        choice("c0", subject="s0", **before),
        choice("c1", subject="s1", **before | {"campaign": "spring"}),
        choice("c2", subject="s2", **before | {"notice": TEXT.digest}),
        choice("c3", subject="s3", **before | {"notice": NOTICE.digest}),
        choice("c4", subject="s4", at=T0, notice=before["notice"]),
        choice("c5", subject="s5", at=T0, scope="conversation", target="x"),
        choice("c6", subject="s6", at=T0, purpose="feedback"),
    ):
        shelf.add_choice(one)
    assert [one.subject for one in shelf.waiting(question(day(1)), "", 10)] == ["s0", "s5", "s6"]
    assert sum(cell.people for cell in shelf.funnel(question(day(1)))) == 4
    assert sum(cell.people for cell in shelf.funnel(question(day(-1)))) == 3, "what comes later is not known yet"


def test_who_waits_comes_page_by_page_with_the_newest_reminder(shelf: Store) -> None:
    shelf.put_accounts([Account(f"s{n}", **FACTS) for n in range(5)])
    shelf.add_prompts([prompt("reminded", day(n), "s3") for n in (1, 2)])
    shelf.add_prompts([prompt("shown", day(n / 4), "s3") for n in range(3)])
    shelf.add_choice(choice("c1", "defer", day(1), subject="s1"))
    shelf.add_choice(choice("c2", "decline", day(1), subject="s2"))
    first = shelf.waiting(question(day(1)), "", 2)
    assert [(one.subject, one.reminded_at) for one in first] == [("s0", None), ("s1", None)]
    rest = shelf.waiting(question(day(1)), "s1", 9)
    assert [(one.subject, one.reminded_at) for one in rest] == [("s3", day(1)), ("s4", None)]
    assert rest[0].opened_at == FACTS["opened_at"]
    assert [(one.shown_at, one.deferred_at) for one in (first[1], rest[0])] == [(None, day(1)), (day(0.5), None)]


# -- the funnel against people counted one by one -------------------------------------------------

PLACES = ("layout", "client", "surface", "locale")


def crowd(chance: random.Random, size: int) -> tuple[list[Account], list[Prompt], list[Choice]]:
    accounts, prompts, choices = [], [], []
    for n in range(size):
        subject = f"s{n:04}"
        accounts.append(Account(subject, **FACTS | {"age": chance.choice([15, 20, 40, None])}))
        places = [
            dict(zip(PLACES, (chance.choice("ab"), chance.choice("pq"), "web", "en"), strict=True)) for _ in range(3)
        ]
        for _ in range(chance.randrange(4)):
            at = T0 + timedelta(seconds=chance.randrange(40))
            kind = chance.choice(["shown", "shown", "closed", "timed out", "reminded"])
            prompts.append(prompt(kind, at, subject, **chance.choice(places)))
        for m in range(chance.randrange(4)):
            at = T0 + timedelta(seconds=chance.randrange(50))
            act = chance.choice(["allow", "decline", "defer", "defer", "withdraw"])
            choices.append(choice(f"{n}-{m}", act, at, subject=subject, campaign="spring", **chance.choice(places)))
    unique = {(one.subject, one.kind, one.at): one for one in prompts}
    return accounts, list(unique.values()), choices


def order(one: Choice) -> tuple[datetime, bool, str]:
    return one.at, one.act in ("decline", "withdraw"), one.id


def test_everybody_is_counted_once_and_as_one_would_by_hand(shelf: Store) -> None:
    accounts, prompts, choices = crowd(random.Random(5), 300)
    until = T0 + timedelta(seconds=45)
    shelf.put_accounts(accounts)
    shelf.add_prompts(prompts)
    for one in choices:
        shelf.add_choice(one)
    expected: Counter[tuple[object, ...]] = Counter()
    sums: Counter[str] = Counter()
    took: dict[tuple[str, bool], list[float]] = {}
    for person in accounts:
        seen = [p for p in prompts if p.subject == person.subject and p.kind == "shown" and p.at <= until]
        acts = sorted((c for c in choices if c.subject == person.subject and c.at <= until), key=order)
        if not seen and not acts:
            continue
        first = min(seen, key=lambda p: (p.at, prompts.index(p))) if seen else acts[0]
        decided = [c for c in acts if c.act != "defer"]
        answers = {c.act == "allow" for c in decided}
        phase = "changed" if len(answers) == 2 else "allowed" if answers == {True} else "declined" if answers else None
        phase = phase or ("deferred" if acts else "shown")
        standing = decided[-1].act == "allow" if decided else None
        began = decided[0].act == "allow" if decided else None
        inside = person.age is not None and person.age >= 18
        expected[(*(getattr(first, place) for place in PLACES), phase, standing, began, inside)] += 1
        sums["shown"] += bool(seen)
        sums["left_open"] += bool(seen) and not acts
        sums["deferred"] += any(c.act == "defer" for c in acts)
        sums["showings"] += len(seen)
        shows = [p.at for p in seen if decided and p.at <= decided[0].at]
        if shows:
            took.setdefault((first.layout, began), []).append((decided[0].at - max(shows)).total_seconds())
    found = shelf.funnel(question(until))
    keys = (*PLACES, "phase", "standing_allows", "first_allows", "inside")
    assert Counter({tuple(getattr(c, k) for k in keys): c.people for c in found}) == expected
    assert {name: sum(getattr(c, name) for c in found) for name in sums} == sums
    times = shelf.answer_times(question(until))
    by_layout = {(t.value, t.allows): (t.people, t.median_s) for t in times if t.kind == "layout"}
    assert by_layout == {key: (len(values), median(values)) for key, values in took.items()}
    for kind in ("", "client", "surface", "locale"):
        for allows in (True, False):
            whole = [value for (_, allowed), values in took.items() if allowed is allows for value in values]
            found_times = [t for t in times if (t.kind, t.allows) == (kind, allows)]
            assert sum(t.people for t in found_times) == len(whole)
            assert kind == "client" or [t.median_s for t in found_times] == [median(whole)]
