"""Rows of choices: the acts of people, who may act for whom, and what was said by signal or by contract."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from assent.domain.choices import check_scope
from assent.domain.facts import Act, Scope
from assent.store.records.kept import Account


@dataclass(frozen=True, slots=True)
class Choice:
    """One act of a subject, as recorded. `notice` is the digest of the exact text shown, `surface` where it was shown.

    `recorded_by` says how the act came here (`web`, `api`, `import`, a connector's name); it
    is never a reason to read silence as an act. `target` names the project or conversation
    that the act is about, None for everything. `options` are the acts that were offered, in
    the order shown; `layout` is the layout variant and `client` the kind of device. `prior` is
    the standing before the act, `snapshot` the digest of the signed snapshot that the client
    was served, `terms` the digest of what was asked for (ledger/terms.py). `guardian` is who
    acted in the subject's place. What is empty was not recorded.
    """

    id: str
    subject: str
    purpose: str
    act: Act
    at: datetime
    notice: str
    surface: str
    recorded_by: str
    recorded_at: datetime
    scope: Scope = "everything"
    target: str | None = None
    locale: str = ""
    layout: str = ""
    options: tuple[str, ...] = ()
    policy: str = ""
    client: str = ""
    prior: str = ""
    snapshot: str = ""
    campaign: str = ""
    guardian: str = ""
    terms: str = ""

    def __post_init__(self) -> None:
        """Refuse a scope without its target, and a target without a scope."""
        check_scope(self.scope, self.target)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one person, read at one instant.

    `acts` are their own, by time; `link` says whose device they are, and `of_account` are the acts of that account.
    """

    subject: str
    account: Account | None
    link: DeviceLink | None
    acts: tuple[Choice, ...]
    of_account: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class DeviceLink:
    """An anonymous device that turned out to be a subject's: refusals of the subject reach its conversations."""

    device: str
    subject: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Guardian:
    """Who may allow and withdraw for a child. `method` is how that was verified, and when; `ended_at` when it ended."""

    subject: str
    guardian: str
    method: str
    recorded_by: str
    verified_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Contract:
    """What an organisation granted for its own data, by contract. No decision about a person reads it.

    `terms` is the digest of the signed text, `signed_by` who signed for the organisation.
    """

    id: str
    organisation: str
    purposes: tuple[str, ...]
    terms: str
    signed_by: str
    starts_at: datetime
    recorded_at: datetime
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """What a person's software said of itself: `kind` (as `gpc`), its `value`, and what came of it (`outcome`)."""

    subject: str
    kind: str
    value: str
    outcome: str
    surface: str
    at: datetime
