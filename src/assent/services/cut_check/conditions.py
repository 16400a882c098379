"""Whether a condition of a rule holds for facts: yes, no, or not known (spec/policy.md, sections 3, 10 and 13)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from assent.policy.document import NoneOf
from assent.services.cut_check.standing import part_clock

if TYPE_CHECKING:
    from assent.domain.facts import Facts
    from assent.policy.document import Document, When

EVENTS: Final = {
    "deletion request": "deleted_at",
    "account end": "account_closed_at",
    "move to a business plan": "moved_to_business_at",
    "flagged": "flagged_at",
    "reviewed": "reviewed_at",
    "feedback": "feedback_at",
}
CLOCKS: Final = {"created": "created_at", "last turn": "last_turn_at", "recorded": "recorded_at"}
_CODES: Final = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
_UNION: Final = frozenset(_CODES.split())
_KNOWN_REGIONS: Final = {"EU": _UNION, "EEA": _UNION | {"IS", "LI", "NO"}}


class Held(NamedTuple):
    """Whether a condition holds; `unknown` names the facts that would tell if it is None."""

    holds: bool | None
    unknown: frozenset[str] = frozenset()


def happened(document: Document, facts: Facts, event: str, at: datetime) -> datetime | None:
    """Return when an event happened, None if it did not until `at`. A reversed flag may count as none."""
    instant: datetime | None = getattr(facts, EVENTS[event])
    if instant is None or instant > at:
        return None
    reversed_at = facts.flag_reversed_at
    if event == "flagged" and document.parameters.flag_reversed == "base clock" and reversed_at and reversed_at <= at:
        return None
    return instant


def binds_from(document: Document, facts: Facts, at: datetime) -> datetime:
    """Return since when a version binds this person: its date, or their earlier acknowledgement."""
    head, seen = document.policy, facts.acknowledged_at
    counts = head.acknowledgement_counts and seen is not None and seen <= at
    if not counts or seen is None or (head.announced is not None and seen < head.announced):
        return head.effective
    return min(head.effective, seen)


def condition(document: Document, when: When, facts: Facts, at: datetime) -> Held:
    """Test all that a condition asks: one no is no, else one unknown is unknown."""
    found: list[Held] = []
    for key in ("plan", "region", "role", "surface", "data", "origin", "mode", "signed_in"):
        asked = getattr(when, key)
        if asked is not None:
            found.append(_among(document, key, asked, getattr(facts, key)))
    if when.age is not None:
        below, least = when.age.below, when.age.from_
        if facts.age is None:
            found.append(Held(None, frozenset({"age"})))
        else:
            found.append(Held((below is None or facts.age < below) and (least is None or facts.age >= least)))
    found += [Held(happened(document, facts, event, at) is not None) for event in when.happened]
    found += [Held(happened(document, facts, event, at) is None) for event in when.absent]
    if when.part is not None:
        clock = part_clock(document)
        made: datetime | None = getattr(facts, clock)
        since = None if made is None else made >= binds_from(document, facts, at)
        found.append(
            Held(None, frozenset({clock})) if since is None else Held(since is (when.part == "since effective"))
        )
    if any(one.holds is False for one in found):
        return Held(holds=False)
    unknown = frozenset(name for one in found for name in one.unknown)
    return Held(None, unknown) if unknown else Held(holds=True)


def _among(document: Document, key: str, asked: Any, value: Any) -> Held:
    """Test one fact against a value, a list, or a list of what it must not be."""
    plans = {plan for group in document.plans.values() for plan in group}
    if value is None or (key == "plan" and value not in plans):
        return Held(None, frozenset({key}))
    if key in ("mode", "signed_in"):
        return Held(value == asked)
    listed = set(asked.not_ if isinstance(asked, NoneOf) else asked)
    if key == "plan":
        listed |= {plan for group in listed for plan in document.plans.get(group, ())}
    if key == "region":
        groups = _KNOWN_REGIONS | {name.upper(): frozenset(codes) for name, codes in document.regions.items()}
        listed = {name.upper() for name in listed}
        listed |= {code.upper() for name in listed for code in groups.get(name, ())}
        value = value.upper()
    return Held((value in listed) is not isinstance(asked, NoneOf))
