"""Rows of approvals: what one person asked for and another agreed to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

ApprovalAct = Literal["release", "undelete", "exceed", "loosen", "clock", "promote"]

APPROVAL_ACTS: tuple[ApprovalAct, ...] = get_args(ApprovalAct)
"""What takes a second person.

`release` ends a hold, `undelete` brings back what somebody else deleted, `exceed` lets a sweep pass a guard,
`loosen` weakens a safeguard, `clock` says that a jump of the clock was right, `promote` lets a version of a detector
decide.
"""


@dataclass(frozen=True, slots=True)
class Approval:
    """One act on one target that takes two people: asked for, agreed to, carried out once.

    `target` is what the act is about: a hold, a conversation, the digest of a plan. It may be agreed to, and
    carried out, before `valid_until`.
    """

    id: str
    act: ApprovalAct
    target: str
    asked_by: str
    reason: str
    asked_at: datetime
    valid_until: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None
    used_at: datetime | None = None
