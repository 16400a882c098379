"""Holds at the moment of erasing in another system: what a court ordered to keep is kept there too."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from assent.store.port import Accounts, Conversations, Erasures, Holds
from assent.store.records import Page

if TYPE_CHECKING:
    from datetime import datetime

    from assent.services.connect.erase import Held
    from assent.store.records import Hold


class HoldStore(Holds, Conversations, Accounts, Erasures, Protocol):
    """What looking for holds asks of a store."""


def held_by_own_ids(store: HoldStore, formats: Collection[str], clock: Callable[[], datetime]) -> Held:
    """Return what looks holds up at that moment by a system's own ids; `formats` are those of its conversations."""

    def now(ids: Sequence[str]) -> Mapping[str, str]:
        named = {f"{one}:{own}": own for own in ids for one in formats}
        if len(formats) > 1:  # one that the home knows under any of its names is known
            known = store.facts_of_several(list(named))
            found = {named[name] for name in known}
            named = {name: own for name, own in named.items() if name in known or own not in found}
        refused = held(store, dict.fromkeys(named), now=clock())
        return {named[name]: why for name, why in refused.items()}

    return now


def held(store: HoldStore, conversations: Mapping[str, str | None], *, now: datetime) -> dict[str, str]:
    """Return which of these conversations must not be erased now, each with the reason.

    The values are the persons, as far as the caller knows them. Of a conversation that the home keeps, its facts say
    it. Of one that it erased before, names say it: a query matches nothing, because its facts are gone. Of one that
    it never knew, nobody can say whether a hold by person, organisation or query covers it, so any that stands does.
    """
    standing = [hold for hold in store.holds() if hold.start <= now and not _over(hold, now)]
    if not standing:
        return {}
    facts = store.facts_of_several(list(conversations))
    refused = {
        name: "a hold covers it"
        for name, parts in facts.items()
        if any(
            span.start <= now and (span.released_at is None or now < span.released_at)
            for one in parts
            for span in one.holds
        )
    }
    for name in conversations.keys() - facts.keys():
        if why := _by_name(store, standing, name, conversations[name]):
            refused[name] = why
    return refused


def _over(hold: Hold, now: datetime) -> bool:
    return hold.released_at is not None and hold.released_at <= now


def _by_name(store: HoldStore, standing: Collection[Hold], name: str, subject: str | None) -> str:
    """Say why a conversation that the home does not keep must stay; empty if nothing says so."""
    stones = store.tombstones(Page(1), conversation=name).items
    person = subject or (stones[0].subject if stones else None)
    account = store.account(person) if person is not None else None
    names = {("everyone", None), ("conversation", name)}
    if person is not None:
        names.add(("person", person))
    if account is not None and account.organisation is not None:
        names.add(("organisation", account.organisation))
    if any((hold.scope, hold.target) in names for hold in standing):
        return "a hold covers it"
    if not stones and any(hold.scope not in ("conversation", "everyone") for hold in standing):
        return "this home does not know it, and a hold may cover it: bring it in first (`assent connector import`)"
    return ""
