"""Release a hold: one person asks, another approves, and what it kept is due at the next sweep that guards allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from assent.domain.errors import NotFound, Refused
from assent.services.approve import approve, ask
from assent.services.erase.journal import hold_entry
from assent.store.port import Approvals, Holds

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from assent.services.hold.place import Writes
    from assent.store.records import Approval, Hold


class ReleaseStore(Holds, Approvals, Protocol):
    """What releasing asks of a store."""


def ask_release(
    store: ReleaseStore, *, request: str, hold: str, by: str, reason: str, now: datetime, valid: timedelta
) -> Approval:
    """Ask for the release of a hold. Raises `NotFound`, and `Refused` if it is released already."""
    found = standing(store, hold)
    return ask(store, id=request, act="release", target=found.id, by=by, reason=reason, now=now, valid=valid)


def approve_release(store: ReleaseStore, journal: Writes, approval: str, *, by: str, now: datetime) -> Hold:
    """Agree to the release of a hold, and release it. Raises as `approve` does.

    Safe to repeat by the same person if it was interrupted: the approval counts as used only when the hold is
    released and the journal says so.
    """
    given = approve(store, approval, by=by, now=now)
    if given.act != "release":
        raise Refused(f"request `{approval}` is about something else than a hold", "look at `assent approve list`")
    if given.used_at is not None:
        raise Refused(f"request `{approval}` was carried out already", "nothing is left to do here")
    store.release_hold(given.target, at=now, by=f"{given.asked_by}, {given.approved_by}")
    released = _known(store, given.target)
    journal.append([hold_entry(released, at=now)])
    store.use_approval("release", given.target, at=now)
    return released


def standing(store: Holds, hold: str) -> Hold:
    """Find a hold that stands. Raises `NotFound`, and `Refused` if it is released."""
    found = _known(store, hold)
    if found.released_at is not None:
        raise Refused(f"hold `{hold}` is released already", "look at `assent hold list`")
    return found


def _known(store: Holds, hold: str) -> Hold:
    found = store.hold(hold)
    if found is None:
        raise NotFound(f"there is no hold `{hold}`", "look at `assent hold list` for the ids")
    return found
