"""Who may allow for whom: people of age for themselves, a verified guardian for a child, and nobody else.

Refusing needs no gate: a child always declines and withdraws for itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from assent.domain.errors import Invalid, NotFound
from assent.services.choose.desk import Rejected
from assent.store.port import Accounts, Acting
from assent.store.records import Guardian

if TYPE_CHECKING:
    from datetime import datetime

_METHOD_WORDS = "say how it was verified, as `signed form` or `card check`"


class GateStore(Accounts, Acting, Protocol):
    """What the gate asks of a store."""


def check_may_allow(store: GateStore, subject: str, guardian: str, *, adult_age: int, now: datetime) -> None:
    """Raise `Rejected` unless this person, or their guardian (empty: nobody), may allow something for them now."""
    account = store.account(subject)
    age = None if account is None else account.age
    if guardian:
        check_guardian(store, subject, guardian, adult_age=adult_age, now=now)
    elif age is None:
        fix = "record the age by `assent import accounts`, or a verified guardian who can allow it"
        raise Rejected("age", "the age is not known, so nothing can be allowed", fix)
    elif age < adult_age:
        fix = "record a verified guardian; the guardian is then asked"
        raise Rejected("age", f"somebody under {adult_age} cannot allow this alone", fix)


def check_guardian(store: GateStore, subject: str, guardian: str, *, adult_age: int, now: datetime) -> None:
    """Raise `Rejected` unless `guardian` may act for this person at `now`."""
    account = store.account(subject)
    if account is not None and account.age is not None and account.age >= adult_age:
        raise Rejected("guardian", "the person is of age", "let the person choose: a guardian's word ended")
    for known in store.guardians_of(subject):
        standing = known.ended_at is None or known.ended_at > now
        if known.guardian == guardian and known.verified_at <= now and standing:
            return
    raise Rejected("guardian", "nobody verified this guardian for this person", "record who verified it, how and when")


def record_guardian(store: Acting, guardian: Guardian, *, now: datetime) -> None:
    """Record that somebody was verified as guardian of a child. Raises `Invalid` for what cannot be."""
    if guardian.subject == guardian.guardian:
        raise Invalid("nobody is their own guardian", "name the guardian's own account")
    for text, fix in ((guardian.method, _METHOD_WORDS), (guardian.recorded_by, "say who verified it")):
        if not text.strip():
            raise Invalid("a guardian was recorded without saying how or by whom", fix)
    if guardian.verified_at > now:
        raise Invalid("the guardian was verified in the future", "give the instant of the check, in UTC")
    if guardian.ended_at is not None:
        raise Invalid("a guardian is recorded as ended already", "record it first, then end it")
    store.add_guardian(guardian)


def end_guardian(store: Acting, subject: str, guardian: str, *, now: datetime) -> None:
    """Record that a guardian may no longer act; what was allowed stays until somebody withdraws it.

    Raises `NotFound` if nobody is recorded under this name.
    """
    if all(known.guardian != guardian for known in store.guardians_of(subject)):
        raise NotFound("nobody is recorded as guardian here under this name", "list who is, and since when")
    store.end_guardian(subject, guardian, now)
