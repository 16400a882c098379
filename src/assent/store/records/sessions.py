"""Rows of the pages: who is signed in, which one-time tokens are spent, who works here, who looked at what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

StaffRole = Literal["officer", "engineer", "safety", "auditor"]

STAFF_ROLES: tuple[StaffRole, ...] = get_args(StaffRole)
"""Who works for the controller: the roles of tokens that people, not programs, can have."""

SessionKind = Literal["person", "element", "staff", "invitation", "signing in"]


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in, or about to be. `digest` is the SHA-256 of the token, which is kept nowhere.

    `who` is a subject (`person`, `element`) or the name of a member of staff; `role` is the staff's, `guardian` who
    acts in a child's place. An `invitation` is a one-time way in for `who`; of a sign-in under way, `note` says what
    its answer must match. It is over at `ends_at`.
    """

    digest: str
    kind: SessionKind
    who: str
    role: str
    guardian: str
    note: str
    began_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class StaffMember:
    """Somebody who may sign in to the console, by the name that their identity provider gives."""

    name: str
    role: StaffRole
    added_at: datetime
    added_by: str


@dataclass(frozen=True, slots=True)
class Look:
    """One sensitive view: who looked, at which page, about whom or what, and why."""

    at: datetime
    by: str
    role: str
    page: str
    about: str
    reason: str


@dataclass(frozen=True, slots=True)
class Figure:
    """Something that takes long to work out, kept with the instant it was true. `document` is JSON."""

    name: str
    at: datetime
    document: str
