"""The steps of a campaign with a store: read what led here, take the next step, write it down."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from assent.domain.digests import canonical, digest
from assent.domain.errors import Invalid, NotFound
from assent.domain.instants import format_instant
from assent.policy.parse import parse_document
from assent.services.campaign.amend import changes_of, sign
from assent.services.campaign.definition import campaign_of, policy_named
from assent.services.campaign.machine import Linted, Step, advance, drafted
from assent.store.port import Campaigns, Notices, Outgoing, Policies
from assent.store.records import CampaignEvent, CampaignText, Event, PolicyText

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assent.ledger.note import Signer
    from assent.policy.model import Policy
    from assent.services.campaign.definition import Campaign
    from assent.services.campaign.machine import Course
    from assent.store.records import CampaignEventKind, NoticeText


class Keeping(Campaigns, Notices, Policies, Outgoing, Protocol):
    """Where campaigns, notices and policies are kept, and where others hear of a step."""


@dataclass(frozen=True, slots=True)
class Written:
    """A campaign file: its text, and the name under which problems point at it."""

    text: str
    file: str


def draft(
    store: Keeping, written: Written, policies: Sequence[tuple[Policy, str]], *, by: str, now: datetime
) -> Course:
    """Keep a new campaign as a draft. Raises `CampaignProblems`, `NotFound` for its notice or policy, `Refused`."""
    campaign, notice, policy = _read(store, written, policies, now)
    row = CampaignText(campaign.id, notice.digest, policy, written.text, campaign.digest, _name(by), now)
    store.add_campaign(row)
    return course_of(store, campaign.id)


def course_of(store: Keeping, name: str) -> Course:
    """Read where a campaign stands. Raises `NotFound`."""
    kept = store.campaign(name)
    if kept is None:
        raise NotFound(f"there is no campaign `{name}`", "list them: `assent campaign list`")
    return course_from(store, kept)


def course_from(store: Keeping, kept: CampaignText) -> Course:
    """Derive where a campaign stands from its draft and every step since."""
    campaign = _defined(store, kept.document, kept.policy)
    course = drafted(campaign, kept.notice, kept.policy, kept.created_at)
    for event in store.campaign_events(kept.id):
        course = advance(course, _step_of(store, event))
    return course


def revise(
    store: Keeping, name: str, written: Written, policies: Sequence[tuple[Policy, str]], *, by: str, now: datetime
) -> Course:
    """Replace a campaign that has not started by what the file says now; it is a draft again."""
    campaign, notice, policy = _read(store, written, policies, now)
    step = Step("revised", now, _name(by), campaign, notice.digest, policy)
    return _take(store, name, step, {"document": written.text, "notice": notice.digest, "policy": policy})


def lint(store: Keeping, name: str, linted: Linted, *, by: str, now: datetime) -> Course:
    """Write down that the notice was linted. Raises `Refused` if the lint found errors, or read something else."""
    return _take(store, name, Step("linted", now, _name(by), linted=linted), {"linted": asdict(linted)})


def schedule(store: Keeping, name: str, *, by: str, now: datetime) -> Course:
    """Let a linted campaign wait for its start."""
    return _take(store, name, Step("scheduled", now, _name(by)), {})


def unschedule(store: Keeping, name: str, *, by: str, now: datetime) -> Course:
    """Undo `schedule`."""
    return _take(store, name, Step("unscheduled", now, _name(by)), {})


def start(store: Keeping, name: str, linted: Linted, *, by: str, now: datetime) -> Course:
    """Begin to ask people. The notice is linted once more: what goes live is what was linted."""
    return _take(store, name, Step("started", now, _name(by), linted=linted), {"linted": asdict(linted)})


def close(store: Keeping, name: str, reason: str, *, by: str, now: datetime) -> Course:
    """Stop asking, for good. What people answered stays."""
    return _take(store, name, Step("closed", now, _name(by), reason=reason), {"reason": reason})


def amended_notice(store: Keeping, course: Course, written: Written) -> NoticeText:
    """Find the notice that an amended file names, so that it can be linted before `amend`."""
    return _notice(store, _amended(store, course, written).notice)


def amend(
    store: Keeping,
    name: str,
    written: Written,
    signer: Signer,
    *,
    linted: Linted | None,
    reason: str,
    by: str,
    now: datetime,
) -> Course:
    """Change a live campaign as the file says, and sign the change with the key of the ledger.

    `linted` is what the lint says of the notice, needed if it is another one. Raises `Refused` for a change that
    would alter what a receipt means.
    """
    course = course_of(store, name)
    campaign = _amended(store, course, written)
    notice = _notice(store, campaign.notice).digest
    step = Step("amended", now, _name(by), campaign, notice, course.policy, linted, reason)
    advance(course, step)
    change = {
        "document": written.text,
        "notice": notice,
        "policy": course.policy,
        "linted": asdict(linted) if linted else None,
        "reason": reason,
        "changes": [asdict(change) for change in changes_of(course.campaign, campaign, now)],
    }
    return _take(store, name, step, change, signer)


def _amended(store: Keeping, course: Course, written: Written) -> Campaign:
    kept = store.policy(course.policy)
    if kept is None:
        raise NotFound(f"policy `{course.policy}` is not in the store", "add the policy first")
    return campaign_of(written.text, written.file, parse_document(kept.text, kept.name))


def _take(store: Keeping, name: str, step: Step, change: dict[str, Any], signer: Signer | None = None) -> Course:
    course = course_of(store, name)
    taken = advance(course, step)
    event = CampaignEvent(name, taken.steps, step.at, step.kind, step.by, canonical(change).decode())
    if signer is not None:
        event = CampaignEvent(**asdict(event) | {"signature": sign(event, signer)})
    store.add_campaign_event(event)
    store.add_event(_told(event, taken))
    return taken


def _told(event: CampaignEvent, taken: Course) -> Event:
    """Say to other systems that a campaign took a step: which, and where it stands now, not who took it."""
    data = {"campaign": event.campaign, "step": event.number, "state": taken.state, "notice": taken.notice}
    name = digest(["campaign step", event.campaign, event.number])
    return Event(name, f"assent.campaign.{event.kind}", event.campaign, canonical(data).decode(), event.at)


def _step_of(store: Keeping, event: CampaignEvent) -> Step:
    change = json.loads(event.change)
    kind: CampaignEventKind = event.kind
    linted = Linted(**change["linted"]) if change.get("linted") else None
    policy, notice = change.get("policy", ""), change.get("notice", "")
    campaign = _defined(store, change["document"], policy) if "document" in change else None
    return Step(kind, event.at, event.by, campaign, notice, policy, linted, change.get("reason", ""))


def _read(
    store: Keeping, written: Written, policies: Sequence[tuple[Policy, str]], now: datetime
) -> tuple[Campaign, NoticeText, str]:
    named = policy_named(written.text, written.file)
    found = next(((policy, source) for policy, source in policies if policy.name == named), None)
    if found is None:
        known = ", ".join(policy.name for policy, _ in policies)
        raise NotFound(f"there is no policy `{named}` here", f"name one of {known}")
    policy, source = found
    campaign = campaign_of(written.text, written.file, parse_document(source, named))
    notice = _notice(store, campaign.notice)
    store.add_policy(PolicyText(policy.digest, policy.name, source, now))
    return campaign, notice, policy.digest


def _notice(store: Notices, named: str) -> NoticeText:
    """Find a notice by digest, or the newest of a name and version."""
    known = store.notices()
    found = [one for one in known if named in (one.digest, f"{one.name}/{one.version}")]
    if not found:
        names = ", ".join(dict.fromkeys(f"{one.name}/{one.version}" for one in known))
        fix = f"name one of {names}" if names else "add it first: `assent notice add FILE`"
        raise NotFound(f"there is no notice `{named}` on the shelf", fix)
    return found[-1]


def _defined(store: Policies, text: str, policy: str) -> Campaign:
    kept = store.policy(policy)
    if kept is None:
        raise NotFound(f"policy `{policy}` is not in the store", "add the policy first")
    return _parsed(text, kept.text)


@lru_cache(maxsize=256)
def _parsed(text: str, policy: str) -> Campaign:
    # what was read once is read again for every offer
    return campaign_of(text, "campaign", parse_document(policy, "policy"))


def _name(by: str) -> str:
    if not by.strip() or any(not letter.isprintable() for letter in by):
        raise Invalid("who takes the step is not named in one line", "say who you are")
    return by


def history(store: Keeping, name: str) -> list[tuple[str, str, str]]:
    """Return every step as (instant, what, by whom), the draft first."""
    kept = store.campaign(name)
    if kept is None:
        raise NotFound(f"there is no campaign `{name}`", "list them: `assent campaign list`")
    drafted_at = (format_instant(kept.created_at), "drafted", kept.by)
    return [drafted_at, *((format_instant(e.at), e.kind, e.by) for e in store.campaign_events(name))]
