"""Whom a page is for. Every address names its audience; the choke point in `pages.py` asks nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assent.store.records import STAFF_ROLES

if TYPE_CHECKING:
    from assent.store.records import Session, SessionKind


@dataclass(frozen=True, slots=True)
class Audience:
    """Who may open a page: the kind of session that it takes (None: none), or another one, and of staff the roles."""

    kind: SessionKind | None
    roles: frozenset[str] = frozenset()
    other: SessionKind | None = None

    def admits(self, session: Session | None) -> bool:
        """Tell whether somebody with this session may open the page."""
        if self.kind is None:
            return True
        if session is None or session.kind not in (self.kind, self.other):
            return False
        return not self.roles or session.role in self.roles


ANYBODY: Final = Audience(None)
PERSON: Final = Audience("person")
"""A person in the privacy centre, who sees what is theirs and nothing else."""

SIGNED_IN: Final = Audience("person", other="staff")
"""Whoever is signed in with a cookie: both see their own sessions, and end them."""

ELEMENT: Final = Audience("element")
"""The notice element in a page of the product, which speaks for one person."""


def staff(*roles: str) -> Audience:
    """Admit members of staff in these roles; without any, all of them."""
    unknown = set(roles) - set(STAFF_ROLES)
    if unknown:
        raise ValueError(unknown)
    return Audience("staff", frozenset(roles or STAFF_ROLES))
