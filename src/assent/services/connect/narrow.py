"""What a project wants less of becomes acts of the person whose sessions it holds: refusals and deletions, no grant."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from assent.connectors.port import Narrowing, Unlisted
from assent.domain.choices import REFUSALS, project_target
from assent.domain.instants import format_instant
from assent.services.intake import ChoiceStore, import_choices
from assent.store.port import Conversations
from assent.store.records import ConversationFilter, Page

if TYPE_CHECKING:
    from datetime import datetime

    from assent.connectors.port import Product, ProjectScope
    from assent.services.ledger.log import Log

PURPOSE: Final = "training"
SURFACE: Final = "project file"

_AT_ONCE: Final = 500


class NarrowingStore(ChoiceStore, Conversations, Protocol):
    """What narrowing asks of a store."""


@dataclass(slots=True)
class Narrowed:
    """What projects had changed: `declined` counts projects, `deleted` conversations; `problems` are for people."""

    declined: int = 0
    deleted: int = 0
    problems: list[str] = field(default_factory=list)


def narrow(product: Product, owner: str | None, store: NarrowingStore, log: Log, *, now: datetime) -> Narrowed:
    """Do what the files of a system's projects ask for, as far as it is not done yet.

    A project that denies training is refused for the owner. Where it keeps sessions for some days only, what the home
    keeps of it and whose last turn is older counts as deleted from `now` on, so it is in a plan before it goes. A
    project that says nothing, or says it no longer, changes nothing: only the person can permit again.
    """
    found = Narrowed()
    if not isinstance(product, Narrowing):
        return found
    acts = () if owner is None else store.choices(owner)
    newest = {choice.target: choice.act for choice in acts if choice.purpose == PURPOSE}
    lines = []
    for scope in product.scopes():
        if isinstance(scope, Unlisted):
            found.problems.append(f"{scope.place}: {scope.problem}")
            continue
        denied = owner is not None and scope.training == "deny"
        if denied and newest.get(project_target(scope.project)) not in REFUSALS:
            said = {"subject": owner, "purpose": PURPOSE, "act": "decline", "at": format_instant(now)}
            lines.append(json.dumps({**said, "surface": SURFACE, "project": scope.project}).encode())
        found.deleted += _delete_old(product.format, scope, owner, store, now)
    found.declined = import_choices(lines, store, log, now=now).taken
    return found


def _delete_old(source: str, scope: ProjectScope, owner: str | None, store: Conversations, now: datetime) -> int:
    """Have the owner's conversations of a project deleted that are older than it says; returns how many."""
    if scope.retention_days is None:
        return 0
    since = now - timedelta(days=scope.retention_days)
    which = ConversationFilter(subject=owner, source=source, project=scope.project, deleted=False)
    page: Page | None = Page(_AT_ONCE)
    old: list[str] = []
    while page is not None:
        some = store.conversations(which, page)
        for one in some.items:
            turn = one.last_turn_at or one.created_at
            # without an owner only what nobody owns: the same folder may be another person's elsewhere
            if one.subject == owner and turn is not None and turn <= since:
                old.append(one.id)
        page = None if some.after is None else Page(_AT_ONCE, some.after)
    for name in old:
        store.request_deletion(name, now)
    return len(old)
