"""What a live campaign may change: only what leaves every receipt its meaning; all else is a new campaign."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from assent.domain.durations import Duration, add
from assent.domain.errors import Invalid, Refused
from assent.domain.instants import format_instant
from assent.ledger.note import open_note

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from assent.ledger.note import Signer, Verifier
    from assent.services.campaign.definition import Campaign
    from assent.store.records import Audience, CampaignEvent

SHORTEST_NOTICE: Final = timedelta(days=7)
"""How long before an earlier deadline it must be said (docs/adr/0016-campaigns.md)."""


@dataclass(frozen=True, slots=True)
class Change:
    """One value that an amendment changes, in the words of the file."""

    key: str
    before: str
    after: str


def changes_of(old: Campaign, new: Campaign, at: datetime) -> list[Change]:
    """List what differs. Raises `Refused` at the first change that would alter what somebody agreed to, or was told."""
    changes = []
    for field in fields(old):
        key, before, after = field.name, getattr(old, field.name), getattr(new, field.name)
        if before == after or key == "digest":
            continue
        allowed = _MAY.get(key)
        if allowed is None:
            raise Refused(f"`{key}` cannot be amended: receipts would change their meaning", "start a new campaign")
        if why := allowed(old, new, at):
            raise Refused(f"`{key}` cannot be amended so: {why}", "keep it, or start a new campaign")
        changes.append(Change(key, _said(before), _said(after)))
    return changes


def _deadline(old: Campaign, new: Campaign, at: datetime) -> str:
    if old.deadline <= at:
        return "it has passed, and who stayed silent is not asked again"
    if new.deadline <= at:
        return "the new deadline has passed already"
    if new.deadline < old.deadline and new.deadline - at < SHORTEST_NOTICE:
        return f"an earlier deadline leaves people at least {SHORTEST_NOTICE.days} days"
    return ""


def _audience(old: Campaign, new: Campaign, _at: datetime) -> str:
    return "" if _narrower(old.audience, new.audience) else "it may only take in fewer people"


def _narrower(old: Audience, new: Audience) -> bool:
    return (
        set(new.plans) <= set(old.plans)
        and new.age_from >= old.age_from
        and (old.age_below is None or (new.age_below is not None and new.age_below <= old.age_below))
        and (not old.regions or (bool(new.regions) and set(new.regions) <= set(old.regions)))
        and set(new.outside) >= set(old.outside)
        and old.signed_in in (None, new.signed_in)
        and (old.opened_before is None or (new.opened_before is not None and new.opened_before <= old.opened_before))
        and new.sign_ups_from == old.sign_ups_from
    )


def _sign_up(old: Campaign, new: Campaign, at: datetime) -> str:
    both = isinstance(old.sign_up, Duration) and isinstance(new.sign_up, Duration)
    return "" if both and _longer(old.sign_up, new.sign_up, at) else "new people may only get more time"


def _longer(old: object, new: object, at: datetime) -> bool:
    return isinstance(new, Duration) and (not isinstance(old, Duration) or add(at, new) >= add(at, old))


def _layouts(old: Campaign, new: Campaign, _at: datetime) -> str:
    same = {name for name, _ in old.layouts} == {name for name, _ in new.layouts}
    return "" if same else "only weights may change, not which layouts there are"


def _anything(_old: Campaign, _new: Campaign, _at: datetime) -> str:
    return ""


_MAY: Final[dict[str, Callable[[Campaign, Campaign, datetime], str]]] = {
    "title": _anything,
    "notice": _anything,  # the machine compares the facts of both
    "audience": _audience,
    "deadline": _deadline,
    "escape": lambda old, new, _: "" if set(new.escape) >= set(old.escape) else "no way out may be taken away",
    "grace": lambda old, new, at: "" if _longer(old.grace, new.grace, at) else "it may only be longer",
    "reminders": _anything,
    "max_defers": lambda old, new, _: "" if new.max_defers > old.max_defers else "people were promised more of them",
    "cool_down": lambda old, new, at: "" if _longer(old.cool_down, new.cool_down, at) else "it may only be longer",
    "layouts": _layouts,
    "sign_up": _sign_up,
    "alarm_threshold": _anything,
    "alarm_answers": _anything,
}
"""What may change, and what is wrong with a change (empty: nothing)."""


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(" ".join(map(str, item)) if isinstance(item, tuple) else str(item) for item in value)
    return format_instant(value) if hasattr(value, "isoformat") else str(value)  # type: ignore[arg-type]


# -- signatures -------------------------------------------------------------------------------


def text_to_sign(event: CampaignEvent) -> str:
    """Return the lines of an amendment that its signature stands for (spec/campaign.md, section 4)."""
    at = format_instant(event.at)
    return f"assent/amendment/v1\n{event.campaign}\n{event.number}\n{at}\n{event.by}\n{event.change}\n"


def sign(event: CampaignEvent, signer: Signer) -> str:
    """Return the signature line of an amendment."""
    return signer.sign(text_to_sign(event))


def check_signature(event: CampaignEvent, verifiers: Sequence[Verifier]) -> tuple[str, ...]:
    """Return the names whose signature of an amendment holds. Raises `Invalid` if none does."""
    signature = event.signature if event.signature.endswith("\n") else event.signature + "\n"
    try:
        return tuple(open_note(f"{text_to_sign(event)}\n{signature}", list(verifiers)).verified)
    except Invalid as problem:
        message = f"amendment `{event.number}` of campaign `{event.campaign}` is not signed by a known key"
        raise Invalid(f"{message}: {problem.message}", "do not rely on it") from None
