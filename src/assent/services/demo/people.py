"""The people of Lantern: who they are, what they pay for, how they will answer.

Nobody here has a name. Ids are slugs (`p-0042`), drawn so that neighbours have nothing in common.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from assent.domain.errors import Invalid
from assent.services.demo.chance import Chance, shares, shuffled, weighted

Plan = Literal["free", "pro", "max", "team", "enterprise", "edu"]
PLANS: Final[tuple[Plan, ...]] = get_args(Plan)
CONSUMER: Final[frozenset[Plan]] = frozenset({"free", "pro", "max"})

App = Literal["chatgpt", "claude-ai", "open-webui", "claude-code"]
APPS: Final[tuple[App, ...]] = get_args(App)

Language = Literal["en", "de", "fr", "es", "ja", "ar"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)

Answer = Literal[
    "allow early",
    "allow late",
    "decline",
    "defer then allow",
    "defer and never answer",
    "never answer",
    "allow then withdraw",
    "allow, withdraw, allow again",
    "not asked",
]
ANSWERS: Final[tuple[Answer, ...]] = get_args(Answer)

FEWEST_PEOPLE: Final = 60
"""With fewer people some plan, answer or format would be missing."""

_PLAN_SHARES: Final[dict[Plan, int]] = {"free": 44, "pro": 25, "max": 9, "team": 8, "enterprise": 6, "edu": 8}
_ANSWER_SHARES: Final[dict[Answer, int]] = {
    "allow early": 27,
    "allow late": 14,
    "decline": 19,
    "defer then allow": 8,
    "defer and never answer": 8,
    "never answer": 12,
    "allow then withdraw": 8,
    "allow, withdraw, allow again": 4,
}
_REGION_SHARES: Final = {
    "US": 24, "GB": 9, "CA": 6, "IN": 7, "DE": 16, "CH": 3, "FR": 11, "ES": 7, "MX": 4, "JP": 8, "EG": 3, "AE": 2,
}  # fmt: skip
_SPOKEN: Final[dict[str, Language]] = {
    "DE": "de", "CH": "de", "FR": "fr", "ES": "es", "MX": "es", "JP": "ja", "EG": "ar", "AE": "ar",
}  # fmt: skip
_CHAT_SHARES: Final[dict[App, int]] = {"chatgpt": 34, "claude-ai": 40, "open-webui": 26}
ADULT: Final = 18
_MINORS: Final = 4
_AGE_UNKNOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Person:
    """One subject. `age` is in full years, None when Lantern does not know it; `talks` is how many to write."""

    id: str
    plan: Plan
    region: str
    age: int | None
    language: Language
    answer: Answer
    apps: tuple[App, ...]
    talks: int

    @property
    def asked(self) -> bool:
        """Tell whether the campaign reaches this person: consumer plans, and people known to be of age."""
        return self.plan in CONSUMER and self.age is not None and self.age >= ADULT


def draw_people(chance: Chance, count: int) -> tuple[Person, ...]:
    """Draw the people of Lantern: every plan, region and answer at least once. Raises `Invalid` below 60 people."""
    if count < FEWEST_PEOPLE:
        raise Invalid(f"`{count}` people are too few to show every answer", f"ask for {FEWEST_PEOPLE} or more")
    plans = shares(_PLAN_SHARES, count)
    consumers = sum(plan in CONSUMER for plan in plans)
    answers = iter(shuffled(chance, shares(_ANSWER_SHARES, consumers)))
    numbers = iter(sorted(chance.sample(range(1, 10 * count), count)))
    regions = iter(shuffled(chance, shares(_REGION_SHARES, count)))
    people = [
        _person(
            chance, f"p-{next(numbers):04d}", plan, next(regions), next(answers) if plan in CONSUMER else "not asked"
        )
        for plan in shuffled(chance, plans)
    ]
    return tuple(_odd_ages(chance, people))


def _person(chance: Chance, slug: str, plan: Plan, region: str, answer: Answer) -> Person:
    chat: App = "open-webui" if plan == "edu" else weighted(chance, _CHAT_SHARES)
    codes = chance.random() < (0.55 if plan in ("max", "team", "enterprise") else 0.25)
    busy = {"free": 7, "pro": 11, "max": 15, "team": 11, "enterprise": 11, "edu": 9}[plan]
    return Person(
        id=slug,
        plan=plan,
        region=region,
        age=ADULT + min(chance.randrange(0, 55), chance.randrange(0, 60)),
        language=_SPOKEN.get(region, "en"),
        answer=answer,
        apps=(chat, "claude-code") if codes else (chat,),
        talks=max(3, busy + chance.randrange(-5, 7)),
    )


def _odd_ages(chance: Chance, people: list[Person]) -> list[Person]:
    """Make a few people of the free plan minors, and forget a few ages; nobody asks them."""
    # taken from those who answer as many others do, so that no way of answering is lost
    common: tuple[Answer, ...] = ("allow early", "allow late", "decline")
    places = [at for at, person in enumerate(people) if person.plan == "free" and person.answer in common]
    odd = shuffled(chance, places)[: _MINORS + _AGE_UNKNOWN]
    for at in odd[:_MINORS]:
        people[at] = replace(people[at], age=chance.randrange(13, ADULT), answer="not asked")
    for at in odd[_MINORS:]:
        people[at] = replace(people[at], age=None, answer="not asked")
    return people
