"""Facts: every input of one decision, read at one instant.

State and clocks that are missing are *unknown*, and an unknown that could change the
answer is a gap. Events that are missing (no `deleted_at`) did not happen. The key names
are the published interface of `assent decide` (spec/policy.md, facts).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, get_args

from assent.domain.conversation import DataClass, Mode, Origin, Surface
from assent.domain.durations import parse_duration
from assent.domain.errors import Invalid
from assent.domain.instants import format_instant, parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Act = Literal["allow", "decline", "defer", "withdraw"]
ACTS: Final[tuple[Act, ...]] = get_args(Act)

Scope = Literal["everything", "project", "conversation"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
"""What an act can be about, from wide to narrow. A coding session is a conversation."""

AGE_WORDS: Final = {"child": 12, "teen": 17, "minor": 17, "adult": 18}
"""Age bands for products that know no number: each word stands for an age inside its band."""


@dataclass(frozen=True, slots=True)
class ChoiceAct:
    """One act of a subject for one purpose. `defer` decides nothing; `decline` and `withdraw` both refuse."""

    purpose: str
    act: Act
    at: datetime


@dataclass(frozen=True, slots=True)
class HoldSpan:
    """One hold that covers the part: from when, and when it was released (None while it stands)."""

    start: datetime
    released_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about one part.

    State (`plan` ... `origin`) and clocks (`created_at`, `last_turn_at`, `recorded_at`) are
    None when unknown. Events (`deleted_at` ... `moved_to_business_at`) are None when they did not
    happen. `choices` is sorted by time, at equal times the protective act last, so that it wins.
    `age` is in full years; `region` an ISO 3166-1 code or a group such as `EEA`;
    `user_duration` a duration the person picked, ISO 8601 or `indefinite`.
    """

    part: str
    subject: str | None = None
    conversation: str | None = None
    plan: str | None = None
    region: str | None = None
    age: int | None = None
    signed_in: bool | None = None
    role: str | None = None
    surface: Surface | None = None
    mode: Mode | None = None
    data: DataClass | None = None
    origin: Origin | None = None
    created_at: datetime | None = None
    last_turn_at: datetime | None = None
    recorded_at: datetime | None = None
    deleted_at: datetime | None = None
    account_closed_at: datetime | None = None
    moved_to_business_at: datetime | None = None
    flagged_at: datetime | None = None
    flag_reversed_at: datetime | None = None
    reviewed_at: datetime | None = None
    feedback_at: datetime | None = None
    acknowledged_at: datetime | None = None
    user_duration: str | None = None
    choices: tuple[ChoiceAct, ...] = ()
    holds: tuple[HoldSpan, ...] = ()


def choice_order(act: ChoiceAct) -> tuple[datetime, bool]:
    """Sort acts by time; of two at one instant the refusing one comes last and so wins."""
    return act.at, act.act in ("decline", "withdraw")


class FactsProblem(Invalid):
    """A fact is not what it may be; `key` names it."""

    def __init__(self, key: str, message: str, fix: str) -> None:
        """Name the key apart from the sentence so that a program can act on it.

        A key that is not a plain word is not repeated: it may be content.
        """
        self.key = key if _LIKE_A_KEY.fullmatch(key) else "?"
        super().__init__(f"key `{self.key}`: {message}", fix)


def facts_from_record(record: Mapping[str, object]) -> Facts:
    """Read facts from one JSON object. Raises `FactsProblem` naming the key and what is allowed."""
    values: dict[str, object] = {}
    for key, value in record.items():
        reader = _READERS.get(key)
        if reader is None:
            raise FactsProblem(key, "is not a fact", "use one of " + ", ".join(_READERS))
        if value is not None:
            values[key] = reader(key, value)
    if not values.get("part"):
        raise FactsProblem("part", "is missing", "give each part an id, so that its decision can be found again")
    return Facts(**values)  # type: ignore[arg-type]  # every reader returns its field's type


def facts_to_record(facts: Facts) -> dict[str, object]:
    """Write facts as the JSON object that `facts_from_record` reads; unknown keys are left out."""
    record: dict[str, object] = {}
    for name in _FIELD_NAMES:
        value = getattr(facts, name)
        if value is None or value == ():
            continue
        if isinstance(value, datetime):
            value = format_instant(value)
        elif name == "choices":
            value = [{"purpose": c.purpose, "act": c.act, "at": format_instant(c.at)} for c in facts.choices]
        elif name == "holds":
            value = [
                {"from": format_instant(h.start), "released_at": h.released_at and format_instant(h.released_at)}
                for h in facts.holds
            ]
        record[name] = value
    return record


def _text(key: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise FactsProblem(key, "is not text", "give a string that is not blank, or leave the key out")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise FactsProblem(key, "holds half a character", "write whole characters: surrogates come in pairs")
    return value


def _one_of(*allowed: str) -> Callable[[str, object], str]:
    def read(key: str, value: object) -> str:
        if value not in allowed:
            raise FactsProblem(key, f"`{_shown(value)}` is not allowed", "use one of " + ", ".join(allowed))
        return str(value)

    return read


# Only what looks like what was asked for is repeated: a value under the wrong key may be content.
_LIKE_AN_INSTANT: Final = re.compile(r"[0-9TZ:.+ -]{1,40}")
_LIKE_A_KEY: Final = re.compile(r"[A-Za-z_.]{1,40}")
_LIKE_A_DURATION: Final = re.compile(r"[-+]?P[0-9YMWDTHS.,]{0,20}")


def _shown(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= 20 and value.isidentifier() else type(value).__name__


def _age(key: str, value: object) -> int:
    if isinstance(value, str) and value in AGE_WORDS:
        return AGE_WORDS[value]
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 150:
        raise FactsProblem(key, "is not an age", "give full years from 0 to 150, or one of " + ", ".join(AGE_WORDS))
    return value


def _flag(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise FactsProblem(key, "is not true or false", "write true or false without quotes")
    return value


def _instant(key: str, value: object) -> datetime:
    if not isinstance(value, str):
        raise FactsProblem(key, "is not an instant", "write ISO 8601 with a zone, as `2025-10-08T00:00:00Z`")
    try:
        return parse_instant(value)
    except Invalid as problem:
        if _LIKE_AN_INSTANT.fullmatch(value):
            raise FactsProblem(key, problem.message, problem.fix) from None
        raise FactsProblem(key, "is not an instant", "write ISO 8601 with a zone, as `2025-10-08T00:00:00Z`") from None


def _duration(key: str, value: object) -> str:
    if value == "indefinite":
        return "indefinite"
    try:
        return str(parse_duration(value))  # type: ignore[arg-type]  # refuses what is not text
    except Invalid as problem:
        message = problem.message if isinstance(value, str) and _LIKE_A_DURATION.fullmatch(value) else "is no duration"
        raise FactsProblem(key, message, problem.fix + ', or `"indefinite"`') from None


def _items(key: str, value: object, allowed: frozenset[str], required: str) -> list[dict[str, object]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise FactsProblem(
            key, "is not a list of objects", f"write a list of objects with {', '.join(sorted(allowed))}"
        )
    for item in value:
        if extra := set(item) - allowed:
            raise FactsProblem(f"{key}.{min(extra)}", "is not known here", "use " + ", ".join(sorted(allowed)))
        if item.get(required) is None:
            raise FactsProblem(f"{key}.{required}", "is missing", "give the instant, ISO 8601 with a zone")
    return value


def _choices(key: str, value: object) -> tuple[ChoiceAct, ...]:
    acts = []
    for item in _items(key, value, frozenset({"purpose", "act", "at"}), "at"):
        act: Act = _one_of(*ACTS)(f"{key}.act", item.get("act"))  # type: ignore[assignment]
        acts.append(ChoiceAct(_text(f"{key}.purpose", item.get("purpose")), act, _instant(f"{key}.at", item["at"])))
    return tuple(sorted(acts, key=choice_order))


def _holds(key: str, value: object) -> tuple[HoldSpan, ...]:
    spans = []
    for item in _items(key, value, frozenset({"from", "released_at"}), "from"):
        start, released = _instant(f"{key}.from", item["from"]), item.get("released_at")
        end = None if released is None else _instant(f"{key}.released_at", released)
        if end is not None and end < start:
            raise FactsProblem(f"{key}.released_at", "lies before `from`", "a hold is released after it was placed")
        spans.append(HoldSpan(start, end))
    return tuple(sorted(spans, key=lambda span: span.start))


_FIELD_NAMES: Final = tuple(field.name for field in fields(Facts))
_READERS: Final[dict[str, Callable[[str, object], object]]] = {
    "part": _text,
    "subject": _text,
    "conversation": _text,
    "plan": _text,
    "region": lambda key, value: _text(key, value).upper(),
    "age": _age,
    "signed_in": _flag,
    "role": _text,
    "surface": _one_of(*get_args(Surface)),
    "mode": _one_of(*get_args(Mode)),
    "data": _one_of(*get_args(DataClass)),
    "origin": _one_of(*get_args(Origin)),
    **{name: _instant for name in _FIELD_NAMES if name.endswith("_at")},
    "user_duration": _duration,
    "choices": _choices,
    "holds": _holds,
}
