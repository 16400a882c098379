"""Rows of holds and flags: orders not to erase, findings, and who read what for which purpose."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, Literal, get_args

from assent.domain.conversation import Mode, Surface
from assent.domain.digests import canonical
from assent.domain.errors import Invalid
from assent.domain.instants import format_instant, parse_instant

HoldScope = Literal["person", "conversation", "query", "organisation", "everyone"]

HOLD_SCOPES: Final[tuple[HoldScope, ...]] = get_args(HoldScope)


@dataclass(frozen=True, slots=True)
class Matter:
    """The case or order that holds serve. It can be closed when none of them stands."""

    id: str
    opened_by: str
    opened_at: datetime
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HoldQuery:
    """Conditions over stored facts; a conversation matches if every one of them is true of it.

    A list that is empty asks nothing. `plan` is the plan of the conversation, `region` the person's.
    `created_from` and `last_turn_from` are the first instants asked for, `created_to` and `last_turn_to` the first
    behind. `flagged` asks for a flag, reversed or not. A fact that is not known matches nothing.
    """

    project: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    surface: tuple[str, ...] = ()
    mode: tuple[str, ...] = ()
    plan: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    created_from: datetime | None = None
    created_to: datetime | None = None
    last_turn_from: datetime | None = None
    last_turn_to: datetime | None = None
    flagged: bool = False

    def __post_init__(self) -> None:
        """Refuse words that no conversation can match, and a query that asks nothing."""
        for name, allowed in (("surface", get_args(Surface)), ("mode", get_args(Mode))):
            for value in getattr(self, name):
                if value not in allowed:
                    raise Invalid(f"`{name}` of a hold is none of {', '.join(allowed)}", "correct it")
        if not self.asked():
            raise Invalid("a query without conditions covers everyone", "name a condition, or hold everyone")

    def asked(self) -> dict[str, Any]:
        """Return the conditions that ask something."""
        return {one.name: value for one in fields(self) if (value := getattr(self, one.name))}

    def text(self) -> str:
        """Write the query as a hold's target: canonical JSON, equal for equal queries."""
        said: dict[str, object] = {}
        for name, value in self.asked().items():
            said[name] = sorted(set(value)) if isinstance(value, tuple) else value
            if isinstance(value, datetime):
                said[name] = format_instant(value)
        return canonical(said).decode()


_LISTS: Final = frozenset(("project", "source", "surface", "mode", "plan", "region"))
_QUERY_KEYS: Final = tuple(one.name for one in fields(HoldQuery))


def hold_query(text: str) -> HoldQuery:
    """Read the target of a hold of scope `query`. Raises `Invalid` naming the condition and what is allowed."""
    try:
        said = json.loads(text)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise Invalid("the query of a hold is not a JSON object", 'write conditions, as {"project": ["lighthouse"]}')
    values: dict[str, Any] = {}
    for name, value in said.items():
        if name not in _QUERY_KEYS:
            raise Invalid("a hold's query has a condition that is not known", f"use {', '.join(_QUERY_KEYS)}")
        if name in _LISTS:
            several = [value] if isinstance(value, str) else value
            if not isinstance(several, list) or not several or not all(isinstance(v, str) and v for v in several):
                raise Invalid(f"`{name}` of a hold's query is no list of texts", 'write it as ["…", "…"]')
            values[name] = tuple(sorted(set(several)))
        elif name == "flagged":
            if value is not True:
                raise Invalid("`flagged` of a hold's query is not true", "write true, or leave it out")
            values[name] = True
        else:
            if not isinstance(value, str):
                raise Invalid(f"`{name}` of a hold's query is no instant", "write it as `2026-01-31T00:00:00Z`")
            values[name] = parse_instant(value)
    return HoldQuery(**values)


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal order not to erase, and not to use either.

    `target` is a subject, a conversation id, an organisation, or a `HoldQuery` as text; None for everyone.
    `gag` forbids telling the people whom it covers that there is one.
    """

    id: str
    matter: str
    scope: HoldScope
    target: str | None
    start: datetime
    author: str
    reason: str
    review_at: datetime
    released_at: datetime | None = None
    released_by: str | None = None
    gag: bool = False

    def __post_init__(self) -> None:
        """Refuse a hold that covers nobody or more than its scope says."""
        if self.scope not in HOLD_SCOPES:
            raise Invalid("there is no such scope of a hold", f"use one of {', '.join(HOLD_SCOPES)}")
        if (self.scope == "everyone") is not (self.target is None):
            fix = "name the person, conversation, organisation or query, or leave the target out for everyone"
            raise Invalid(f"a hold of scope `{self.scope}` does not fit its target", fix)
        if self.scope == "query" and self.target != (plain := hold_query(self.target or "").text()):
            object.__setattr__(self, "target", plain)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a hold covers now. `undecidable` counts conversations that would match if facts were known that are not."""

    conversations: int
    people: int
    undecidable: int = 0


@dataclass(frozen=True, slots=True)
class HoldOn:
    """A hold that a person may know of, and how many of their conversations it covers now."""

    hold: Hold
    conversations: int


@dataclass(frozen=True, slots=True)
class Flag:
    """A safety finding on a conversation. `by` says who or what raised it and `reason` why, without quoting content.

    `score` is how sure the detector was, from 0 to 1; None if it did not say.
    """

    id: str
    conversation: str
    at: datetime
    category: str
    by: str
    reason: str
    reversed_at: datetime | None = None
    reviewed_at: datetime | None = None
    score: float | None = None

    def __post_init__(self) -> None:
        """Refuse a score that is no share."""
        if self.score is not None and not (math.isfinite(self.score) and 0 <= self.score <= 1):
            raise Invalid("the score of a flag is not from 0 to 1", "give a share, or leave it out")


@dataclass(frozen=True, slots=True)
class Access:
    """That somebody read content: of which conversation, how many parts, for which purpose, and why."""

    conversation: str
    purpose: str
    reader: str
    reason: str
    parts: int
    at: datetime
