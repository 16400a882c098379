"""A refusal that a person asked for in writing, entered by somebody else. There is no such way to allow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from assent.domain.choices import REFUSALS
from assent.domain.digests import digest
from assent.domain.errors import Invalid
from assent.services.choose.desk import Rejected
from assent.services.choose.snapshot import SnapshotStore, check_target
from assent.services.choose.standing import REQUEST, acts_at, acts_of, standing_before
from assent.services.ledger.append import append
from assent.store.port import Ledger
from assent.store.records import Choice

if TYPE_CHECKING:
    from datetime import datetime

    from assent.domain.facts import Act, Scope
    from assent.services.ledger.append import Appended
    from assent.services.ledger.log import Log

_REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}")


class RequestStore(SnapshotStore, Ledger, Protocol):
    """What recording a written request asks of a store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenRequest:
    """What a person asked for in writing. `role` is who enters it, `reference` names the letter or ticket."""

    subject: str
    purpose: str
    act: Act
    role: str
    reference: str
    scope: Scope = "everything"
    target: str | None = None


def choose_on_request(store: RequestStore, log: Log, request: WrittenRequest, *, now: datetime) -> Appended:
    """Append a `decline` or `withdraw` on a person's written request; the same request again changes nothing.

    Raises `Rejected` for any other act, whoever asks; `Invalid` without a reference.
    """
    if request.act not in REFUSALS:
        fix = "only the person allows, in their own session"
        raise Rejected("role", f"`{request.act}` cannot be entered for somebody else", fix)
    for word in (request.role, request.reference):
        if _REFERENCE.fullmatch(word) is None:
            fix = "use up to 100 letters, digits and `. _ : / -`, and no name of a person"
            raise Invalid("a written request needs a role and a reference that name it", fix)
    check_target(store, request.subject, request.scope, request.target)
    name = digest(
        ["request", request.subject, request.purpose, request.act, request.scope, request.target, request.reference]
    )
    known = store.choice(name)
    acts = acts_at(store, acts_of(store, request.subject), request.scope, request.target)
    choice = known or Choice(
        id=name,
        subject=request.subject,
        purpose=request.purpose,
        act=request.act,
        at=now,
        notice="",
        surface="written request",
        recorded_by=f"{request.role}{REQUEST}{request.reference}",
        recorded_at=now,
        scope=request.scope,
        target=request.target,
        prior=standing_before(acts, request.purpose),
    )
    (appended,) = append(store, log, [choice], now=now)
    return appended
