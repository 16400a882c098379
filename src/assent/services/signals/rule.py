"""What a privacy signal does: it is recorded once, may refuse by the operator's rule, and yields to a later grant.

A signal is a state of a browser, not an act: what counts is when it first appeared or went
away. Where the operator's rule is `decline`, its appearance refuses for a person who has no
answer yet, and also for one whose grant is older than the signal, because the protective
reading wins a conflict; a grant that the person makes after the signal was seen stands
(docs/adr/0014-signals.md). A signal that goes away grants nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assent.store.records import Choice, Signal

PRESENT: Final = "1"
"""The value of a signal that stands; any other value says that it went away."""


class Sighting(NamedTuple):
    """That a request of a person carried the signal, or did not."""

    present: bool


SignalRule = Literal["record", "decline"]

Outcome = Literal["recorded", "declined", "already refused", "grant stands", "grant overruled", "ended"]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a sighting comes to: what to call it, whether it is new and so is kept, whether a refusal is appended."""

    outcome: Outcome
    new: bool
    refuses: bool = False


def effect_of(sighting: Sighting, *, rule: SignalRule, before: Sequence[Signal], acts: Sequence[Choice]) -> Effect:
    """Weigh a sighting against the person's earlier ones of its kind and the acts for one purpose, both by time."""
    answers = [act for act in acts if act.act != "defer" and act.scope == "everything"]
    answer = answers[-1].act if answers else None
    known = bool(before) and before[-1].value == PRESENT
    if not sighting.present:
        return Effect("ended", new=known)
    if answer is not None and answer != "allow":
        return Effect("already refused", new=not known)
    if answer is None:
        refuses = rule == "decline" and not known
        return Effect("declined" if refuses else "recorded", new=not known, refuses=refuses)
    if rule == "decline" and not known:
        return Effect("grant overruled", new=True, refuses=True)
    return Effect("grant stands", new=not known)
