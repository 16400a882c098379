"""Contracts of approvals."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from assent.store.records import Approval, ApprovalAct, Listing, Page


class Approvals(Protocol):
    """What takes two people. Who they are is compared as they write it, but for case and spaces."""

    def ask_approval(self, approval: Approval) -> None:
        """Keep a request that nobody has agreed to yet.

        The same request again does nothing; another one under its id raises `Refused`.
        """
        ...

    def approve(self, approval: str, *, by: str, at: datetime) -> Approval:
        """Record that a second person agrees; the first one who does counts, and may say so again.

        Raises `NotFound`, and `Refused` for whoever asked, after `valid_until`, and where somebody else agreed.
        """
        ...

    def use_approval(self, act: ApprovalAct, target: str, *, at: datetime) -> Approval | None:
        """Take the oldest approval of this act on this target that is agreed to, valid at `at` and not used yet.

        It is used from then on: of two callers one gets it. None if there is none.
        """
        ...

    def approval(self, approval: str) -> Approval | None: ...

    def approvals(self, page: Page, *, act: ApprovalAct | None = None, target: str | None = None) -> Listing[Approval]:
        """List approvals, the newest request first, of all acts and targets or of those named."""
        ...
