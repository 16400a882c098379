"""Who works here: names and roles, one-time ways in, and an end at once.

There is no password, and no first one that everybody knows: whoever holds the machine makes a
link, and a link is good once and for minutes.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from assent.domain.errors import Invalid, NotFound
from assent.services.session.sessions import begin
from assent.store.port import Looks, Sessions, Staff
from assent.store.records import Look, StaffMember

if TYPE_CHECKING:
    from datetime import datetime

    from assent.store.records import StaffRole

LINK_LASTS: Final = timedelta(minutes=15)
"""How long a one-time link is good: for somebody who sits there and waits for it."""

_NAME: Final = re.compile(r"[!-~]{1,200}")
_SHORTEST_REASON: Final = 3


class StaffStore(Sessions, Staff, Protocol):
    """What looking after the staff asks of a store."""


class LinkStore(Sessions, Looks, Protocol):
    """What a link for a person asks of a store."""


def checked_name(name: str) -> str:
    """Return a name as it is kept: what the identity provider calls somebody, an e-mail address in small letters."""
    if not _NAME.fullmatch(name):
        raise Invalid("this is no name for a member of staff", "give an e-mail address, or the id of your provider")
    return name.lower() if "@" in name else name


def add_member(store: StaffStore, name: str, role: StaffRole, *, by: str, now: datetime) -> StaffMember:
    """Let somebody sign in, in one role; somebody whose role changes signs in again."""
    member = StaffMember(checked_name(name), role, now, by)
    store.put_staff(member)
    store.end_sessions_of(member.name, ("staff", "invitation"))
    return member


def staff_link(store: StaffStore, name: str, *, key: bytes, now: datetime, lasts: timedelta = LINK_LASTS) -> str:
    """Return the token of a one-time way in for a member of staff. Raises `NotFound` for somebody unknown."""
    member = store.staff_member(checked_name(name))
    if member is None:
        raise NotFound(f"`{name}` is no member of staff", "add them first: `assent staff add`")
    note = json.dumps({"as": "staff"})
    who, role = member.name, member.role
    return begin(store, kind="invitation", who=who, role=role, key=key, now=now, lasts=lasts, note=note)[0]


def person_link(
    store: LinkStore,
    subject: str,
    *,
    by: str,
    reason: str,
    key: bytes,
    now: datetime,
    lasts: timedelta = LINK_LASTS,
) -> str:
    """Return the token of a one-time way in for a person; who made it and why is written down first."""
    if not by.strip() or len(reason.strip()) < _SHORTEST_REASON:
        raise Invalid("a link for a person needs an officer and a reason", "say who and why, without quoting content")
    store.log_look(Look(now, by.strip(), "officer", "person-link", subject, reason.strip()))
    note = json.dumps({"as": "person"})
    return begin(store, kind="invitation", who=subject, key=key, now=now, lasts=lasts, note=note)[0]
