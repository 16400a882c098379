"""What a choice covers: everything, one project, or one conversation, and what that comes to for a part.

The evaluators know one sequence of acts per part (spec/policy.md, standing). Acts with a
scope are brought into that form here, and nowhere else: `acts_on` picks, from all acts of
a person, those that count for one place. It only ever leaves acts out, so whoever asks
can still name the act that permitted (spec/choice.md, scopes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeVar

from assent.domain.digests import digest
from assent.domain.errors import Invalid
from assent.domain.facts import SCOPES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from assent.domain.facts import Act, Scope

REFUSALS: Final = frozenset({"decline", "withdraw"})

TITLED: Final = ("text", "voice", "image", "file")
"""Data classes that a title may repeat: with the last such part a conversation's title and project are erased."""

_WIDTH: Final = {scope: width for width, scope in enumerate(SCOPES)}


class ScopedAct(Protocol):
    """What an act must say to be weighed; `target` names the project (`project_target`) or the conversation."""

    @property
    def purpose(self) -> str: ...
    @property
    def act(self) -> Act: ...
    @property
    def at(self) -> datetime: ...
    @property
    def scope(self) -> Scope: ...
    @property
    def target(self) -> str | None: ...


A = TypeVar("A", bound=ScopedAct)


class Place(NamedTuple):
    """Where a part stands. `project` is a `project_target`, None for a conversation in no project.

    `project_lost`: the name of the project may have been erased with the last text, so which
    project it was is not known any more.
    """

    conversation: str | None = None
    project: str | None = None
    project_lost: bool = False


def project_target(name: str) -> str:
    """Name a project in acts by a digest: an act is kept for ever, what a person called a project is not."""
    return digest(["project", name])


def check_scope(scope: Scope, target: str | None) -> None:
    """Raise `Invalid` unless a scope that is narrower than everything, and only that, has a target."""
    if scope not in _WIDTH:
        raise Invalid(f"`{scope}` is not a scope", "use one of " + ", ".join(SCOPES))
    if (scope == "everything") != (target is None):
        fix = "name the project or conversation, and nothing for everything"
        raise Invalid(f"an act about `{scope}` {'has no' if target is not None else 'needs a'} target", fix)


def act_order(act: ScopedAct) -> tuple[datetime, bool, int]:
    """Sort acts by time; of several at one instant the refusing ones come last, and the narrower before the wider."""
    return act.at, act.act in REFUSALS, -_WIDTH[act.scope]


def covers(act: ScopedAct, place: Place) -> bool:
    """Tell whether an act is about a place. Where the project was lost, a refusal is, whichever project it named."""
    if act.scope == "conversation":
        return act.target == place.conversation
    if act.scope == "project":
        return act.act in REFUSALS if place.project_lost else act.target == place.project
    return True


def acts_on(acts: Iterable[A], place: Place) -> list[A]:
    """Pick the acts that count for one place, in order: read as plain acts they give the standing there.

    A wider `allow` does not count while the latest act at a narrower scope refuses: a lock
    holds until it is opened where it was set. Everything else counts, so a wider refusal ends
    a narrower permission, and a narrower `allow` after a wider refusal permits that place only.
    """
    found = []
    refused: dict[tuple[str, int], bool] = {}
    for act in sorted((one for one in acts if covers(one, place)), key=act_order):
        width = _WIDTH[act.scope]
        if act.act == "allow" and any(refused.get((act.purpose, n)) for n in range(width + 1, len(SCOPES))):
            continue
        if act.act != "defer":
            refused[act.purpose, width] = act.act in REFUSALS
        found.append(act)
    return found


def reachable(own: Iterable[A], account: Iterable[A]) -> list[A]:
    """Join the acts of a device with those of the account it was linked to that reach its conversations: refusals.

    What the account allows covers what its person saw, and that was not the device's; so a
    link never makes anything more permitted (spec/choice.md, devices).
    """
    return [*own, *(act for act in account if act.act in REFUSALS)]
