"""What people ask for themselves, with a clock: their data, the end of it, another look at a flag."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Literal, Protocol

from assent.domain.errors import Invalid, NotFound, Refused
from assent.services.rights.exercise import EVENT, FINAL
from assent.store.port import Conversations, Flags, Outgoing, Rights
from assent.store.records import ConversationFilter, Event, Page, RightsAgent, RightsRequest

if TYPE_CHECKING:
    from assent.store.records import Flag, Listing, RightsStatus

APPEAL: Final = "appeal"
"""What a person asks for who does not agree with a flag; it is decided with the flag, and by nobody else."""

Wish = Literal["access", "deletion", "correction", "objection", "appeal"]
"""What a person can ask for. `appeal` is another look at a flag."""

WISHES: Final[tuple[Wish, ...]] = ("access", "correction", "objection", "deletion")
"""What can be asked for on its own; an appeal is made at its flag."""

PERSON: Final = "person"
"""The agent under which requests stand that people made for themselves."""

MAX_TEXT: Final = 2_000
"""The longest explanation, in characters."""


class WishStore(Rights, Outgoing, Conversations, Flags, Protocol):
    """What asking asks of a store."""


@dataclass(frozen=True, slots=True)
class Clock:
    """When it is, and how many `days` there are to answer."""

    now: datetime
    days: int


def ask_for(
    store: WishStore, subject: str, wish: Wish, clock: Clock, *, text: str = "", about: str = "", key: bytes = b""
) -> RightsRequest:
    """Take a request of a person, and carry it out at once where nobody has to look at it: a deletion.

    The same request that is still open is not opened twice. `about` names what an appeal is about; `key` are 32
    fresh random bytes, needed for the first request of all. Raises `Invalid` for a text that is too long.
    """
    if len(text) > MAX_TEXT:
        raise Invalid(f"the text is longer than {MAX_TEXT:,} characters", "say it in fewer words")
    known = next((one for one in _own(store, subject) if _same(one, wish, about)), None)
    if known is not None:
        return known
    if store.agent(PERSON) is None:
        # no private key belongs to these bytes, so no message of an agent of this name is ever believed
        store.put_agent(RightsAgent(PERSON, "people, for themselves", b64encode(key).decode(), clock.now))
    name = sha256(f"assent/own-request/v1\n{subject}\n{wish}\n{about}\n{clock.now.isoformat()}".encode()).hexdigest()[
        :32
    ]
    made = RightsRequest(
        id=name,
        agent=PERSON,
        agent_request=about or None,
        exercise=wish,
        regime=None,
        subject=subject,
        claims=json.dumps({"text": text}, ensure_ascii=False) if text else "",
        status="open",
        reason=None,
        details=None,
        callback=None,
        received_at=clock.now,
        expected_by=clock.now + timedelta(days=clock.days),
        changed_at=clock.now,
    )
    if wish == "deletion":
        count = store.request_deletion_of_all(subject, clock.now)
        details = f"the deletion of {count:,} conversations is recorded; a sweep erases them within the promised time"
        made = replace(made, status="in_progress", details=details)
    store.add_request(made)
    _tell(store, made)
    return made


def take_back(store: WishStore, subject: str, name: str, clock: Clock, *, window: timedelta) -> RightsRequest:
    """Take a request back. A deletion of everything brings back what is still here, as long as its window is open.

    Raises `NotFound` for a request of somebody else, `Refused` if it has ended or the window is over.
    """
    request = own_request(store, subject, name)
    if request.status in FINAL:
        raise Refused("this request has ended", "make a new one")
    if request.exercise == "deletion":
        if clock.now >= request.received_at + window:
            raise Refused(
                "the time to bring everything back is over", "what is still here is on the list of deleted ones"
            )
        store.withdraw_deletion_of_all(subject, request.received_at)
    return _ended(store, request, "revoked", clock.now)


def standing_deletion(store: Rights, subject: str) -> RightsRequest | None:
    """Return the deletion of everything that a person asked for and that is not done, or None."""
    return next((one for one in _own(store, subject) if _same(one, "deletion", "") and one.agent == PERSON), None)


def own_request(store: WishStore, subject: str, name: str) -> RightsRequest:
    """Return a request of this person. Raises `NotFound` for any other, known or not."""
    request = store.request(name)
    if request is None or request.subject != subject:
        raise NotFound("there is no such request of yours", "look at the list of your requests")
    return request


def own_requests(store: WishStore, subject: str, page: Page, now: datetime) -> Listing[RightsRequest]:
    """List what a person asked for, or an agent for them, the newest first; a deletion that is done is closed."""
    for request in _own(store, subject):
        if request.exercise == "deletion" and request.agent == PERSON and request.status == "in_progress":
            deleted = ConversationFilter(subject=subject, deleted_since=request.received_at)
            if not store.find_conversations(deleted, Page(1), look_at=1).items:
                _ended(store, request, "fulfilled", now)
    return store.requests(page, subject=subject)


def appeal(store: WishStore, subject: str, flag: str, text: str, clock: Clock, *, key: bytes) -> RightsRequest:
    """Ask for another look at a flag. Raises `NotFound` for one that is not theirs, `Refused` if it was overturned."""
    found = next((one for one in flags_of(store, subject) if one.id == flag), None)
    if found is None:
        raise NotFound("there is no such flag on a conversation of yours", "look at the list of flags")
    if found.reversed_at is not None:
        raise Refused("this flag was overturned already", "there is nothing left to appeal against")
    return ask_for(store, subject, "appeal", clock, text=text, about=flag, key=key)


def flags_of(store: Flags, subject: str) -> list[Flag]:
    """Read every flag on conversations of a person, the newest first."""
    found: list[Flag] = []
    page: Page | None = Page(200)
    while page is not None:
        listing = store.flags(page, subject=subject)
        found += listing.items
        page = Page(200, listing.after) if listing.after else None
    return found


def appeals_of(store: WishStore, subject: str) -> dict[str, RightsRequest]:
    """Read the appeals of a person by the flag that each is about; of several the newest."""
    found: dict[str, RightsRequest] = {}
    for request in _own(store, subject):
        if request.exercise == APPEAL and request.agent_request:
            found.setdefault(request.agent_request, request)
    return found


def _own(store: Rights, subject: str) -> list[RightsRequest]:
    return list(store.requests(Page(1_000), subject=subject).items)


def _same(request: RightsRequest, wish: Wish, about: str) -> bool:
    ended = request.status in FINAL
    return not ended and (request.exercise, request.agent_request or "") == (wish, about)


def _ended(store: WishStore, request: RightsRequest, status: RightsStatus, now: datetime) -> RightsRequest:
    ended = replace(request, status=status, claims="", changed_at=max(now, request.changed_at))
    if not store.change_request(ended, was=request.status):
        raise Refused("the request was changed meanwhile", "look at it again")
    _tell(store, ended)
    return ended


def _tell(store: Outgoing, request: RightsRequest) -> None:
    store.add_event(changed(request))


def changed(request: RightsRequest) -> Event:
    """Make the event that says how a request stands; the same standing is the same event."""
    said = {"request_id": request.id, "status": request.status, "reason": request.reason}
    name = sha256(f"{EVENT}\n{request.id}\n{request.status}".encode()).hexdigest()
    return Event(name[:32], EVENT, request.id, json.dumps(said), request.changed_at)
