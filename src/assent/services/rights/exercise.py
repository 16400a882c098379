"""A request from its arrival to its end: asked, matched, carried out, fulfilled, denied, taken back, or expired.

An agent can have something deleted, read or refused for a person; nothing that it sends ever makes a grant.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from assent.domain.errors import AssentError, Invalid, NotFound, Refused
from assent.domain.instants import format_instant
from assent.services.ledger.append import append
from assent.services.rights.matching import claims_of, match, written
from assent.services.rights.message import VERSION, Expected, open_message, open_revocation
from assent.store.records import Choice, ConversationFilter, Event, Page, RightsRequest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from assent.services.ledger.log import Log
    from assent.store.port import Store
    from assent.store.records import RightsAgent, RightsStatus

OPT_OUT: Final = "training:opt-out"
"""Not an action of the protocol: it knows none for training. Taken as a voluntary one where the settings say so."""

ACCESS: Final = ("access", "access:categories", "access:specific")
# sections 2.01 and 3.01 of the protocol spell the same two actions differently
SALE: Final = ("sale:opt-out", "sale:opt-in", "sale:opt_out", "sale:opt_in")
FINAL: Final = ("fulfilled", "revoked", "denied", "expired")
REASONS: Final = (
    "suspected_fraud",
    "insuf_verification",
    "no_match",
    "claim_not_covered",
    "outside_jurisdiction",
    "too_many_requests",
    "other",
)
"""Why a request may be denied (section 3.02)."""

KEPT: Final = timedelta(days=60)
"""How long an ended request, and what it brought, can be read (section 3.02: 60 days)."""

EVENT: Final = "org.assent.rights-request.changed"

_MICROSECOND: Final = timedelta(microseconds=1)
_CALLBACK: Final = re.compile(r"https://[^\s/?#@]+(?:[/?#][^\s]*)?")
_MAX_TEXT: Final = 2_000


@dataclass(frozen=True, slots=True)
class Desk:
    """Where rights requests are dealt with.

    `business` is the name under which agents know the controller, `days` the time to answer, `opt_out` whether
    `training:opt-out` is taken, `verify_at` the address of a page on which people prove who they are ("" if none).
    """

    store: Store
    log: Log
    business: str
    days: int
    opt_out: bool
    verify_at: str
    now: datetime

    def exercise(self, agent: RightsAgent, body: bytes) -> RightsRequest:
        """Take a request and do at once what can be done at once.

        The same message again finds the request it made the first time. Raises `Untrusted` for a
        message that is not believed, `Invalid` for one that asks what is not done here.
        """
        message = open_message(body, Expected(agent, self.business, self.now))
        # one message, one request: whoever sends it twice asks once
        name = str(UUID(bytes=sha256(b"assent/rights/v1\n" + body.strip()).digest()[:16], version=4))
        known = self.store.request(name)
        if known is not None:
            return self.read(agent, name)
        request = self._read(name, agent, message)
        if not self.store.add_request(request):
            return self.read(agent, name)
        self._tell(request)
        return self.settle(request)

    def read(self, agent: RightsAgent, name: str) -> RightsRequest:
        """Return a request of this agent as it stands. Raises `Refused` (403) for another's, known or not."""
        request = self.store.request(name)
        if request is None or request.agent != agent.id:
            raise _not_yours()
        return self.settle(request)

    def revoke(self, agent: RightsAgent, name: str, body: bytes) -> RightsRequest:
        """Take a request back for the person. Raises `Refused` if it has ended, or was carried out already."""
        open_revocation(body, agent)
        request = self.read(agent, name)
        if request.status == "revoked":
            return request
        if request.status in FINAL:
            raise Refused(f"the request is `{request.status}` already", "make a new one")
        if request.subject is not None and request.exercise == "deletion":
            raise Refused("the deletion is recorded and cannot be taken back", "nothing more will be done to it")
        return self.end(request, "revoked")

    def fulfil(self, name: str, *, subject: str | None = None, details: str | None = None) -> RightsRequest:
        """Carry a request out for the subject that a person found, or close one that was dealt with elsewhere."""
        request = self._open(name)
        if subject is not None:
            if request.subject not in (None, subject):
                raise Refused("the request was matched with somebody else", "deny it if the match is wrong")
            request = self._carry_out(replace(request, subject=subject, reason=None), subject)
        # a deletion that is recorded ends when everything is erased, unless somebody says that it is done
        if request.status in FINAL or (subject is not None and request.exercise == "deletion"):
            return request
        return self.end(replace(request, reason=None), "fulfilled", details=details)

    def deny(self, name: str, reason: str, *, details: str | None = None) -> RightsRequest:
        """Close a request without doing what it asks, for a `reason` that the protocol knows."""
        if reason not in REASONS:
            raise Invalid(f"`{reason}` is no reason of the protocol", f"use one of {', '.join(REASONS)}")
        return self.end(self._open(name), "denied", reason=reason, details=details)

    def settle(self, request: RightsRequest) -> RightsRequest:
        """Do what is still to do: carry out what was matched, close a deletion of which nothing is left.

        A request is kept before it is carried out; if the machine stops in between, this goes on when it is next read.
        """
        if request.status != "in_progress":
            return request
        if request.subject is not None and request.details is None and request.exercise not in SALE:
            return self._carry_out(request, request.subject)
        if request.reason == "need_user_verification" and request.expected_by <= self.now:
            return self.end(request, "denied", reason="insuf_verification", details="nobody proved who is asking")
        if request.exercise == "deletion" and request.subject is not None:
            left = self.store.conversations(ConversationFilter(subject=request.subject), Page(limit=1)).total
            if not left:
                return self.end(request, "fulfilled", details="everything is erased")
        return request

    def end(
        self, request: RightsRequest, status: RightsStatus, *, reason: str | None = None, details: str | None = None
    ) -> RightsRequest:
        """Close a request; what was said about the person is erased with it."""
        ended = replace(
            request,
            status=status,
            reason=reason,
            details=details or request.details,
            claims="",
        )
        return self._change(ended)

    def status_of(self, request: RightsRequest, base: str) -> dict[str, Any]:
        """Return what an agent is told (section 3.03); `base` is the address of this server, "" where unknown."""
        told: dict[str, Any] = {
            "request_id": request.id,
            "agent_request_id": request.agent_request,
            "received_at": format_instant(request.received_at),
            "expected_by": format_instant(request.expected_by),
            "processing_details": request.details,
            "status": request.status,
            "reason": request.reason,
        }
        if request.reason == "need_user_verification":
            told["user_verification_url"] = self.verify_at
            told["expires_at"] = told["expected_by"]
        if request.status in FINAL:
            told["expires_at"] = format_instant(request.changed_at + KEPT)
        if base and has_results(request, self.now):
            told["results_url"] = f"{base}/v1/data-rights-request/{request.id}/results"
        return {name: value for name, value in told.items() if value is not None}

    def _open(self, name: str) -> RightsRequest:
        request = self.store.request(name)
        if request is None:
            raise NotFound(f"there is no rights request `{name}`", "list them with `assent rights list`")
        if request.status in FINAL:
            raise Refused(f"the request is `{request.status}` already", "an ended request stays as it is")
        return request

    def _read(self, name: str, agent: RightsAgent, message: Mapping[str, Any]) -> RightsRequest:
        exercise = message.get("exercise")
        known = ("deletion", *ACCESS, *SALE, *((OPT_OUT,) if self.opt_out else ()))
        if message.get("drp.version") != VERSION:
            raise Unsupported(f"this server speaks version {VERSION} of the protocol", "send `drp.version` so")
        if not isinstance(exercise, str) or exercise not in known:
            raise Unsupported("this rights action is not supported", f"use one of {', '.join(known)}")
        if message.get("regime") not in (None, "ccpa"):
            raise Unsupported("this regime is not supported", "use `ccpa`, or none for a voluntary request")
        related = message.get("relationships", [])
        if not isinstance(related, list) or not all(isinstance(item, str) for item in related):
            raise Unsupported("`relationships` is no list of texts", "leave it out, or send texts")
        callback = _text(message, "status_callback")
        if callback is not None and not _CALLBACK.fullmatch(callback):
            raise Unsupported("`status_callback` is no https address", "leave it out, or send one")
        claims = claims_of(message)
        found = match(self.store, claims)
        status: RightsStatus = "in_progress"
        reason = None
        if found.subject is None:
            status, reason = ("in_progress", "need_user_verification") if self.verify_at else ("denied", found.reason)
        return RightsRequest(
            id=name,
            agent=agent.id,
            agent_request=_text(message, "agent-request-id"),
            exercise=exercise,
            regime=message.get("regime"),
            subject=found.subject,
            claims="" if status == "denied" else written(claims),
            status=status,
            reason=reason,
            details=_DETAILS.get(reason or ""),
            callback=callback,
            received_at=self.now,
            expected_by=self.now + timedelta(days=self.days),
            changed_at=self.now,
            call_at=self.now if callback else None,
        )

    def _carry_out(self, request: RightsRequest, subject: str) -> RightsRequest:
        if request.exercise == "deletion":
            count = self.store.request_deletion_of_all(subject, self.now)
            details = f"the deletion of {count} conversations is recorded; a sweep erases them within the promised time"
            return self.settle(self._change(replace(request, details=details)))
        if request.exercise in ACCESS:
            return self.end(request, "fulfilled", details="a summary of what is kept is at `results_url`")
        if request.exercise == OPT_OUT:
            append(self.store, self.log, [_refusal(request, subject, self.now)], now=self.now)
            return self.end(request, "fulfilled", details="training is declined from now on")
        return self._change(request)

    def _change(self, request: RightsRequest) -> RightsRequest:
        before = self.store.request(request.id)
        was = before.status if before else "in_progress"
        if before == request:
            return request
        # every change has a time of its own, by which callbacks and events tell it from the one before
        at = self.now if before is None else max(self.now, before.changed_at + _MICROSECOND)
        changed = replace(request, changed_at=at, call_at=at if request.callback else None, calls=0)
        if was in FINAL or not self.store.change_request(changed, was=was):
            raise Refused("the request was changed meanwhile", "read it again")
        self._tell(changed)
        return changed

    def _tell(self, request: RightsRequest) -> None:
        said = {"request_id": request.id, "status": request.status, "reason": request.reason}
        name = sha256(f"{EVENT}\n{request.id}\n{request.changed_at.isoformat()}".encode()).hexdigest()
        self.store.add_event(Event(name[:32], EVENT, request.id, json.dumps(said), self.now))


class Unsupported(Invalid):
    """A request that is believed and asks what is not done here (400)."""

    status = 400


class NotYours(AssentError):  # noqa: N818 - the name is the answer
    """A request of another agent, or of nobody: the answer does not tell which (403)."""

    status = 403


def has_results(request: RightsRequest, now: datetime) -> bool:
    """Tell whether an access request has brought something that can still be read."""
    ended = request.status == "fulfilled" and request.exercise in ACCESS and request.subject is not None
    return ended and now < request.changed_at + KEPT


def _not_yours() -> NotYours:
    return NotYours("there is no such request of this agent", "use the `request_id` that this agent was given")


def _text(message: Mapping[str, Any], name: str) -> str | None:
    value = message.get(name)
    if value is not None and (not isinstance(value, str) or len(value) > _MAX_TEXT):
        raise Unsupported(f"`{name}` is no text of up to {_MAX_TEXT} characters", "leave it out, or send one")
    return value


def _refusal(request: RightsRequest, subject: str, now: datetime) -> Choice:
    return Choice(
        id=sha256(f"assent/rights/choice/v1\n{request.id}".encode()).hexdigest()[:32],
        subject=subject,
        purpose="training",
        act="decline",
        at=now,
        notice="",
        surface="rights agent",
        recorded_by="rights agent",
        recorded_at=now,
    )


_DETAILS: Final = {
    "need_user_verification": "the person must prove who they are at `user_verification_url`",
    "no_match": "no account is known under these claims",
    "insuf_verification": "the claims that would find an account are not verified, or find more than one",
}
