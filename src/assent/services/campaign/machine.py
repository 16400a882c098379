"""The states of a campaign: draft, linted, scheduled, live, amended, closed. Pure: steps in, the course out.

The state is never stored. It follows from the steps, and what a step may not do is refused
here whether the step is new or read back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from assent.domain.errors import Refused
from assent.domain.instants import format_instant
from assent.services.campaign.amend import changes_of

if TYPE_CHECKING:
    from datetime import datetime

    from assent.services.campaign.definition import Campaign
    from assent.store.records import CampaignEventKind

T = TypeVar("T")

State = Literal["draft", "linted", "scheduled", "live", "amended", "closed"]

TABLE: Final[dict[CampaignEventKind, dict[State, State]]] = {
    "revised": {"draft": "draft", "linted": "draft", "scheduled": "draft"},
    "linted": {"draft": "linted", "linted": "linted"},
    "scheduled": {"linted": "scheduled"},
    "unscheduled": {"scheduled": "linted"},
    "started": {"scheduled": "live"},
    "amended": {"live": "amended", "amended": "amended"},
    "closed": {"draft": "closed", "linted": "closed", "scheduled": "closed", "live": "closed", "amended": "closed"},
}
"""Which step leads from which state to which; what is not here is refused (spec/campaign.md, section 3)."""

_NEXT: Final[dict[State, str]] = {
    "draft": "lint it first",
    "linted": "schedule it first",
    "scheduled": "start it, or unschedule it",
    "live": "amend or close it",
    "amended": "amend or close it",
    "closed": "start a new campaign",
}


@dataclass(frozen=True, slots=True)
class Linted:
    """What the lint of a notice said: which manifest and policy it read (digests), its facts, and how much it found.

    `facts` names what the notice says, apart from how it says it: equal for a corrected spelling.
    """

    notice: str
    policy: str
    facts: str
    errors: int
    warnings: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what, when, by whom, and what comes with it.

    `campaign` and `notice` (a digest) come with `revised` and `amended`, `linted` with `linted`
    and `started`, and with `amended` if the notice is another one.
    """

    kind: CampaignEventKind
    at: datetime
    by: str
    campaign: Campaign | None = None
    notice: str = ""
    policy: str = ""
    linted: Linted | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Course:
    """Where a campaign stands: its newest definition, and what led here.

    `notice` and `policy` are the digests in force; `notices` are all digests that were in force
    since the start, the same notice with other words for the same facts. `steps` were taken, the last one at `at`.
    """

    state: State
    campaign: Campaign
    notice: str
    policy: str
    at: datetime
    notices: tuple[str, ...] = ()
    linted: Linted | None = None
    started_at: datetime | None = None
    closed_at: datetime | None = None
    steps: int = 0

    def state_at(self, now: datetime) -> State:
        """Return the state at an instant not before the last step: a live campaign may have closed by itself."""
        return "closed" if self.closing_at(now) is not None else self.state

    def closing_at(self, now: datetime) -> datetime | None:
        """Return when it closed, by a person or by itself; None if it is not closed at `now`."""
        if self.closed_at is not None:
            return self.closed_at
        ends = self.campaign.closes_at
        return ends if self.started_at is not None and ends is not None and ends <= now else None

    def live_at(self, now: datetime) -> bool:
        """Tell whether people may be asked."""
        return self.state_at(now) in ("live", "amended")


def drafted(campaign: Campaign, notice: str, policy: str, at: datetime) -> Course:
    """Begin with a draft."""
    return Course("draft", campaign, notice, policy, at, (notice,))


def advance(course: Course, step: Step) -> Course:
    """Take a step. Raises `Refused` with the reason if it may not be taken from here."""
    state = course.state_at(step.at)
    to = TABLE[step.kind].get(state)
    if to is None:
        name = course.campaign.id
        raise Refused(f"campaign `{name}` is {state} and cannot be {step.kind}", _NEXT[state])
    if step.at < course.at:
        raise Refused(f"the step before was at {format_instant(course.at)}, after this one", "check the clock")
    moved = replace(course, state=to, at=step.at, steps=course.steps + 1)
    if step.kind == "revised":
        return _revised(moved, step)
    if step.kind == "linted":
        return replace(moved, linted=_clean(course, step))
    if step.kind == "scheduled":
        _in_time(course, step)
    if step.kind == "started":
        return _started(course, moved, step)
    if step.kind == "amended":
        return _amended(course, moved, step)
    return replace(moved, closed_at=step.at) if step.kind == "closed" else moved


def _revised(moved: Course, step: Step) -> Course:
    revised = _given(step.campaign)
    if revised.id != moved.campaign.id:
        raise Refused(f"a revision cannot rename `{moved.campaign.id}`", "draft a campaign under the new id")
    return replace(moved, campaign=revised, notice=step.notice, policy=step.policy, notices=(step.notice,), linted=None)


def _started(course: Course, moved: Course, step: Step) -> Course:
    campaign = course.campaign
    if step.at < campaign.start:
        raise Refused(f"`{campaign.id}` starts at {format_instant(campaign.start)}", "wait until then, or revise it")
    _in_time(course, step)
    now, then = _clean(course, step), _given(course.linted)
    if (now.notice, now.policy) != (then.notice, then.policy):
        raise Refused("the notice or its policy is not the one that was linted", "unschedule it and lint it again")
    return replace(moved, started_at=step.at)


def _amended(course: Course, moved: Course, step: Step) -> Course:
    campaign = _given(step.campaign)
    if step.policy != course.policy:
        raise Refused("an amendment cannot change the policy", "start a new campaign")
    changed = changes_of(course.campaign, campaign, step.at)
    linted = course.linted
    if step.notice != course.notice:
        linted = _clean(replace(course, notice=step.notice), step)
        if linted.facts != _given(course.linted).facts:
            raise Refused("the amended notice says something else", "start a new campaign with it")
    elif not changed:
        raise Refused("the amendment changes nothing", "change what is to be amended in the file")
    notices = tuple(dict.fromkeys((*course.notices, step.notice)))
    return replace(moved, campaign=campaign, notice=step.notice, notices=notices, linted=linted)


def _clean(course: Course, step: Step) -> Linted:
    """Return what the lint said of the notice in force, if it may be shown to people."""
    linted = _given(step.linted)
    if linted.notice != course.notice or linted.policy != course.policy:
        raise Refused("another notice or policy was linted than the campaign names", "lint the campaign's own")
    if linted.errors:
        found = f"{linted.errors} error{'' if linted.errors == 1 else 's'}"
        raise Refused(f"the lint of the notice found {found}", "correct the notice: `assent notice lint` says how")
    return linted


def _in_time(course: Course, step: Step) -> None:
    if step.at >= course.campaign.deadline:
        raise Refused("the deadline has passed already", "revise the campaign")


def _given(value: T | None) -> T:
    if value is None:
        raise Refused("the step lacks what it must bring", "it was not written by this program")
    return value
