"""Rows of what others ask and are told: rights requests, directory entries, events and their deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

RightsStatus = Literal["open", "in_progress", "fulfilled", "revoked", "denied", "expired"]


@dataclass(frozen=True, slots=True)
class RightsAgent:
    """Who may ask for somebody else under the Data Rights Protocol.

    `verifier` is the agent's Ed25519 public key in base64. `token` is the digest of the bearer token it was given
    last, and `asked_at` the `issued-at` of the message that it was given for: an older message is a replay.
    """

    id: str
    name: str
    verifier: str
    added_at: datetime
    token: str | None = None
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RightsRequest:
    """What an agent asks for a person. `claims` is JSON that says who the person is; empty once the request ended.

    `exercise`, `regime`, `status` and `reason` are words of the protocol (version 1.0, sections 3.01 and 3.02).
    `details` is a sentence for the person, `callback` where the agent wants to be told of changes: next at `call_at`
    (None: there is nothing to tell), after `calls` attempts that failed.
    """

    id: str
    agent: str
    agent_request: str | None
    exercise: str
    regime: str | None
    subject: str | None
    claims: str
    status: RightsStatus
    reason: str | None
    details: str | None
    callback: str | None
    received_at: datetime
    expected_by: datetime
    changed_at: datetime
    call_at: datetime | None = None
    calls: int = 0


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """One person as the provider's directory describes them. `name` is unique in any capitals; `document` is JSON.

    `handles` are what else the directory knows the person by: addresses and numbers, in small letters.
    """

    id: str
    name: str
    subject: str
    document: str
    created_at: datetime
    changed_at: datetime
    handles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened and that others may want to know. `data` is JSON, `about` names what it is about."""

    id: str
    type: str
    about: str
    data: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where events go. `types` are those it wants (none: all), `secret` names the file that holds its key."""

    id: str
    url: str
    types: tuple[str, ...]
    secret: str
    added_at: datetime
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """How far one event is with one endpoint: `next_at` is when to try again, None when it is over."""

    endpoint: Endpoint
    event: Event
    attempts: int
    next_at: datetime | None
    delivered_at: datetime | None = None
    problem: str = ""
