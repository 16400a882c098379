"""What takes two people: one asks, another approves, and then it may be done once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.domain.errors import Invalid, Refused
from assent.store.records import Approval

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from assent.store.port import Approvals
    from assent.store.records import ApprovalAct


def ask(
    store: Approvals,
    *,
    id: str,  # noqa: A002 - the word of the record
    act: ApprovalAct,
    target: str,
    by: str,
    reason: str,
    now: datetime,
    valid: timedelta,
) -> Approval:
    """Ask for an act on a target. It can be approved, and then done, until `now + valid`.

    Raises `Invalid` without a reason: whoever approves must be able to judge.
    """
    if not reason.strip():
        raise Invalid(f"a request to {act} needs a reason", "say why, without quoting content")
    request = Approval(id, act, target, by, reason, now, now + valid)
    store.ask_approval(request)
    return request


def approve(store: Approvals, id: str, *, by: str, now: datetime) -> Approval:  # noqa: A002
    """Agree to a request, as somebody else than asked for it. Raises `NotFound`, or `Refused` with the reason."""
    return store.approve(id, by=by, at=now)


def require(store: Approvals, *, act: ApprovalAct, target: str, now: datetime) -> Approval:
    """Take the approval for an act, which is used up by it. Raises `Refused` saying how to get one."""
    found = store.use_approval(act, target, at=now)
    if found is None:
        raise Refused(
            f"to {_said(act)} takes a second person",
            f'run `assent approve ask {act} {target} --by YOU --reason "…"`, and let somebody else `assent approve` it',
        )
    return found


def _said(act: ApprovalAct) -> str:
    return {
        "release": "release a hold",
        "undelete": "bring back what somebody else deleted",
        "exceed": "go beyond a guard",
        "loosen": "loosen a safeguard",
        "clock": "go on after a jump of the clock",
        "promote": "let a version of a detector decide",
    }[act]
