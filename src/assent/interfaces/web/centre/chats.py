"""Conversations: the list, one of them, projects, and how they are deleted and brought back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast, get_args

from markupsafe import Markup

from assent.domain.choices import REFUSALS, Place, acts_on, project_target
from assent.domain.conversation import Surface
from assent.domain.errors import NotFound
from assent.interfaces.web.audience import PERSON
from assent.interfaces.web.centre.frame import policies_of, purpose_name, show, window_of
from assent.interfaces.web.pages import Pages
from assent.services.centre.chats import list_chats, list_kept_out, own, place_of, weigher
from assent.services.centre.deleting import bring_back, chosen, hide_chosen
from assent.services.centre.erased import erased_conversation
from assent.services.connect.standing import may_hold
from assent.services.explain import explain_conversation
from assent.store.records import ConversationFilter, Listing

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.responses import Response

    from assent.domain.decision import Decision
    from assent.interfaces.web.visit import Visit
    from assent.services.centre.rows import Weigher
    from assent.services.explain import Group
    from assent.store.records import ConversationEntry

pages = Pages()

ON_A_PAGE: Final = 20
"""Conversations on a page: some 20 kB and 80 decisions."""

MOST_PROJECTS: Final = 200

_FILTERS: Final = ("q", "only", "surface", "project")


@pages.get("/me/chats", PERSON)
def chats(visit: Visit) -> Response:
    """Show the conversations of the person, a page at a time."""
    store, asked = visit.world.store, {name: visit.query.get(name, "")[:200] for name in _FILTERS}
    weighing = weigher(store, policies_of(visit), visit.subject, visit.now)
    page = visit.paging(ON_A_PAGE)
    if asked["only"] == "kept_out":
        listing = list_kept_out(store, weighing, visit.subject, page)
    else:
        listing = list_chats(store, weighing, _filter(visit.subject, asked), page)
    return show(visit, "chats", "chats", listing=listing, asked=asked, surfaces=get_args(Surface))


@pages.get("/me/chat", PERSON)
def chat(visit: Visit) -> Response:
    """Show one conversation: what happens to each part of it, in words, and what can be done; or that it is erased."""
    store, name = visit.world.store, visit.query.get("id", "")
    weighing = weigher(store, policies_of(visit), visit.subject, visit.now)
    try:
        stored = own(store, visit.subject, name)
    except NotFound:
        return _gone(visit, name)
    explained = explain_conversation(store, weighing.policies, name, visit.now, shown=True)
    facts = store.shown_facts_of([name]).get(name, [])
    place = place_of(stored.entry, facts)
    row = weighing.row(stored.entry, facts, place)
    entry = stored.entry
    over = None if entry.deleted_at is None else entry.deleted_at + window_of(visit)
    return show(
        visit,
        "chat",
        "chats",
        entry=entry,
        row=row,
        groups=[_group(visit, weighing, group) for group in explained.groups],
        dates=_dates(entry),
        locks=[_Lock(purpose, _locked(weighing, entry, purpose)) for purpose in weighing.asked],
        sets=store.cuts_with(name),
        systems=may_hold(visit.world.connectors, name, visit.subject),
        until=over if over is not None and visit.now < over else None,
    )


@pages.get("/me/projects", PERSON)
def projects(visit: Visit) -> Response:
    """Show the projects of the person, and which of them are kept out."""
    store = visit.world.store
    weighing = weigher(store, policies_of(visit), visit.subject, visit.now)
    found = store.projects_of(visit.subject, MOST_PROJECTS + 1)
    rows = [
        {
            "name": one.name,
            "conversations": one.conversations,
            "last_turn_at": one.last_turn_at,
            "target": project_target(one.name),
            "out": any(_refused(weighing, Place(None, project_target(one.name)), p, "project") for p in weighing.asked),
        }
        for one in found[:MOST_PROJECTS]
    ]
    more = len(found) > MOST_PROJECTS
    return show(visit, "projects", "projects", projects=rows, purposes=weighing.asked, more=more)


@pages.post("/me/chats/confirm", PERSON)
def confirm(visit: Visit) -> Response:
    """Say what deleting these conversations does, before it is done. Changes nothing."""
    entries = chosen(visit.world.store, visit.subject, visit.several("id"))
    if not entries:
        return visit.redirect("/me/chats", said="chats.said.nothing")
    return show(visit, "confirm", "chats", entries=entries, until=visit.now + window_of(visit))


@pages.post("/me/chats/delete", PERSON)
def delete_chosen(visit: Visit) -> Response:
    """Delete the conversations that were confirmed."""
    count = hide_chosen(visit.world.store, visit.subject, visit.several("id"), now=visit.now)
    return visit.redirect("/me/chats", said="chats.said.deleted" if count else "chats.said.nothing")


@pages.post("/me/chats/bring-back", PERSON)
def restore(visit: Visit) -> Response:
    """Bring conversations back whose time is not over."""
    store, names = visit.world.store, visit.several("id")
    _, problems = bring_back(store, store, visit.subject, names, now=visit.now, window=window_of(visit))
    said = "chats.said.some_back" if problems else "chats.said.back" if names else "chats.said.nothing"
    if len(names) == 1 and not problems:
        return visit.redirect("/me/chat", said=said, id=names[0])
    return visit.redirect("/me/chats", said=said, only="deleted")


class _Lock(NamedTuple):
    purpose: str
    locked: bool


class _Told(NamedTuple):
    kinds: Markup
    size: int
    decision: Decision
    purposes: Markup
    reasons: list[str]


def _gone(visit: Visit, name: str) -> Response:
    found = erased_conversation(visit.world.store, visit.subject, name)
    t = visit.words.text
    listing = Listing(tuple(found), len(found), None)
    return show(visit, "gone", "erased", title=t("chat.gone_title"), lead=t("chat.gone"), listing=listing)


def _filter(subject: str, asked: dict[str, str]) -> ConversationFilter:
    surface = asked["surface"] if asked["surface"] in get_args(Surface) else None
    return ConversationFilter(
        subject=subject,
        project=asked["project"] or None,
        surface=cast("Surface | None", surface),
        deleted=True if asked["only"] == "deleted" else None,
        flagged=True if asked["only"] == "flagged" else None,
        title=asked["q"] or None,
    )


def _group(visit: Visit, weighing: Weigher, group: Group) -> _Told:
    kinds = dict.fromkeys(
        part.origin if part.data in ("text", "file") and part.origin != "file" else part.data for part in group.parts
    )
    names = [visit.words.text(f"kinds.{kind}") for kind in kinds]
    purposes = [purpose_name(visit, purpose) for purpose in group.decision.eligible]
    reasons = list(dict.fromkeys(weighing.sentence(reason) for reason in group.decision.reasons))
    return _Told(_joined(names), len(group.parts), group.decision, _joined(purposes), reasons)


def _joined(words: list[Markup]) -> Markup:
    return Markup(", ").join(words)


def _dates(entry: ConversationEntry) -> list[tuple[str, datetime]]:
    found = (
        ("chat.began", entry.created_at),
        ("chats.last", entry.last_turn_at),
        ("chat.came", entry.recorded_at),
        ("chat.feedback_on", entry.feedback_at),
        ("chat.deleted_on", entry.deleted_at),
    )
    return [(key, at) for key, at in found if at is not None]


def _locked(weighing: Weigher, entry: ConversationEntry, purpose: str) -> bool:
    return _refused(weighing, Place(entry.id), purpose, "conversation")


def _refused(weighing: Weigher, place: Place, purpose: str, scope: str) -> bool:
    """Tell whether the last answer that is about this place itself refuses."""
    said = [
        act
        for act in acts_on(weighing.acts, place)
        if act.scope == scope and act.purpose == purpose and act.act != "defer"
    ]
    return bool(said) and said[-1].act in REFUSALS
