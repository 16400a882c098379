"""The start of the privacy centre, and the training sets: what holds, and what taking a permission back does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.interfaces.web.audience import PERSON
from assent.interfaces.web.centre.frame import policies_of, show, window_of
from assent.interfaces.web.pages import Pages
from assent.services.centre.chats import weigher
from assent.services.centre.overview import amounts, awaited, purposes_standing
from assent.services.choose.standing import policy_today
from assent.services.notice.words import say_length
from assent.services.run.reach import reached

if TYPE_CHECKING:
    from markupsafe import Markup
    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit

pages = Pages()


@pages.get("/me", PERSON)
def home(visit: Visit) -> Response:
    """Show where everything stands, and lead to every change in either direction."""
    store, policies = visit.world.store, policies_of(visit)
    waiting = awaited(store, visit.subject, visit.now)
    standings = purposes_standing(store, policies, visit.subject, visit.now, waiting)
    allowed = any(one.status == "allowed" or one.source == "default" for one in standings)
    weighing = weigher(store, policies, visit.subject, visit.now)
    # an answer for one conversation or project alone can permit too
    allowed = allowed or any(act.act == "allow" for act in weighing.acts)
    future, stored, runs, models = taking_back(visit)
    return show(
        visit,
        "home",
        "home",
        standings=standings,
        awaited=waiting,
        holds=[one for one in store.holds_on(visit.subject) if one.hold.released_at is None and one.conversations],
        amounts=amounts(store, weighing, visit.subject, window=window_of(visit), may_train=allowed),
        effects=[future, stored, runs, models],
    )


@pages.get("/me/training-sets", PERSON)
def training_sets(visit: Visit) -> Response:
    """Show which training sets and runs hold something of the person, what a withdrawal ends and what it does not."""
    future, stored, runs, models = taking_back(visit)
    store = visit.world.store
    return show(
        visit,
        "sets",
        "sets",
        sets=store.cuts_with_person(visit.subject)[::-1],
        runs=reached(store, subjects=[visit.subject])[::-1],
        ends=[future, stored],
        not_ends=[runs, models],
    )


def taking_back(visit: Visit) -> tuple[Markup, Markup, Markup, Markup]:
    """Say what taking a permission back does to new data, to what is kept, to runs that have started, to models."""
    policy, t = policy_today(visit.world.store, policies_of(visit), visit.subject, visit.now), visit.words.text
    said, after = policy.taking_back, policy.withdrawal.erase_after
    stored = "standing.stored_used" if said.stored_data == "still used" else "standing.stored_not_used"
    length = say_length(after, visit.locale) if after else t("standing.at_once")
    return (
        t("standing.future"),
        t(stored, length=length),
        t(f"standing.runs_{said.started_runs}"),
        t(f"standing.models_{said.finished_models}"),
    )
