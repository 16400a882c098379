"""Rows of the API: who may call it, and which answers it has given already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

Role = Literal["product", "officer", "engineer", "safety", "auditor", "directory"]

ROLES: tuple[Role, ...] = get_args(Role)
"""What a token may be for.

A `product` speaks for the subject that each request names, an `officer` runs campaigns, holds and requests, an
`engineer` sweeps and cuts, `safety` reviews flags, an `auditor` reads, a `directory` keeps plans in step.
"""


@dataclass(frozen=True, slots=True)
class Token:
    """Who may call in which role. `digest` is the SHA-256 of the token in hex; the token itself is kept nowhere."""

    digest: str
    name: str
    role: Role
    added_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to a request that named a key: given again when the same caller sends the same request again.

    `caller` is the name of a token, `request` a digest of method, address and body.
    """

    caller: str
    key: str
    request: str
    status: int
    body: str
    at: datetime
