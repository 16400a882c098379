"""Say in which cuts a conversation or a person is, and prove it, or the opposite, one cut at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from assent.domain.errors import Invalid, NotFound
from assent.ledger.membership import CutName, MemberTree, names_of, person_key, prove_member
from assent.settings import MAX_PAGE_ROWS
from assent.store.port import Conversations, Cuts
from assent.store.records import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assent.ledger.membership import MemberProof
    from assent.store.records import Cut


class WhereStore(Cuts, Conversations, Protocol):
    """What looking for members asks of a store."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is looked for: a conversation, a person, or a conversation of a person who must be named."""

    conversation: str | None = None
    subject: str | None = None

    def __post_init__(self) -> None:
        """Refuse to look for nobody."""
        if self.conversation is None and self.subject is None:
            raise Invalid("nobody is named", "name a conversation, or a person with --subject")


def cuts_of(store: Cuts, asked: Asked) -> list[Cut]:
    """List the cuts that hold parts of whoever is asked for, oldest first; retired ones too."""
    if asked.conversation is not None:
        return store.cuts_with(asked.conversation)
    return store.cuts_with_person(asked.subject or "")


def every_cut(store: Cuts) -> Iterator[Cut]:
    """Read all cuts, newest first, page by page."""
    page: Page | None = Page(limit=MAX_PAGE_ROWS)
    while page is not None:
        listing = store.cuts(page)
        yield from listing.items
        page = Page(limit=MAX_PAGE_ROWS, after=listing.after) if listing.after else None


def members_of(store: Cuts, cut: Cut) -> Iterator[tuple[str, str | None]]:
    """Read who is in a cut, as (conversation, subject); a conversation with several parts comes several times."""
    return ((row.conversation, row.subject) for row in store.members(cut.name, cut.number))


def whose(store: WhereStore, asked: Asked) -> str:
    """Return the person that a proof is about; no letters for a conversation of nobody.

    A conversation that is no longer kept is looked up among the members of a cut that held it. Raises `NotFound` where
    none did: without a person no key is theirs.
    """
    if asked.subject is not None:
        return asked.subject
    conversation = asked.conversation or ""
    kept = store.conversation(conversation)
    if kept is not None:
        return kept.entry.subject or ""
    for cut in store.cuts_with(conversation)[:1]:
        for member, subject in members_of(store, cut):
            if member == conversation:
                return subject or ""
    raise NotFound("nobody knows whose conversation this is", "name the person with --subject")


def prove(store: Cuts, cut: Cut, cut_key: bytes, subject: str, conversation: str | None = None) -> MemberProof:
    """Prove that a person, or a conversation of theirs, is in a cut or is not; the proof holds no key but theirs."""
    tree = MemberTree(names_of(cut_key, members_of(store, cut)))
    return prove_member(tree, CutName(cut.name, cut.number, cut.manifest), person_key(cut_key, subject), conversation)
