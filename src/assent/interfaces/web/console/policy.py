"""Policy: the versions in force, what differs between two, and what a new one would do before it is in force."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from assent.domain.errors import NotFound
from assent.interfaces.web.console.frame import WORKERS, WORKS, may, radius_world, shown, work
from assent.interfaces.web.pages import Pages
from assent.policy.compare import compare
from assent.policy.parse import parse_document, parse_policy
from assent.policy.render import render
from assent.services.figures.radius import candidate_name, candidate_radius, kept_radius
from assent.services.guard.limits import waiting
from assent.services.guard.permit import target_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit
    from assent.policy.compare import Comparison

pages: Final = Pages()


@pages.get("/console/policy", WORKS)
def versions(visit: Visit) -> Response:
    """List the versions in force and those that were, and the limits that wait."""
    in_force = {policy.digest for policy, _ in visit.world.policies}
    kept = [one for one in visit.world.store.policies() if " + " not in one.name]
    return shown(
        visit,
        "policy.html",
        "/console/policy",
        in_force=[policy for policy, _ in visit.world.policies],
        earlier=[one for one in kept if one.digest not in in_force],
        loosened=list(waiting(visit.world.store)),
        limits=visit.world.store.safeguards(),
        tries=may(visit, WORKERS),
    )


@pages.get("/console/policy/diff", WORKS)
def diff(visit: Visit) -> Response:
    """Say in words what changes between two versions, and for whom."""
    texts = _texts(visit)
    names = list(texts)
    old = visit.query.get("old", names[max(0, len(names) - 2)] if names else "")
    new = visit.query.get("new", names[-1] if names else "")
    found = _compare(texts, old, new) if old != new and names else None
    return shown(visit, "policy_diff.html", "/console/policy", names=names, old=old, new=new, found=found)


@pages.get("/console/policy/version/{digest}", WORKS)
def version(visit: Visit) -> Response:
    """Show one version: what it says in plain words, and its file."""
    kept = visit.world.store.policy(visit.path["digest"])
    texts = {policy.digest: (policy.name, text) for policy, text in visit.world.policies}
    name, text = (kept.name, kept.text) if kept is not None else texts.get(visit.path["digest"], ("", ""))
    if not text:
        raise NotFound("there is no such policy version here", "look at the list")
    said = render(parse_document(text, name))
    return shown(
        visit,
        "policy_version.html",
        "/console/policy",
        name=name,
        digest=visit.path["digest"],
        statements=said,
        text=text,
    )


@pages.post("/console/policy/try", WORKERS)
def try_out(visit: Visit) -> Response:
    """Work out what a version would do if it came into force; it does not."""
    text = visit.form.get("text", "").replace("\r\n", "\n")
    candidate = parse_policy(text, "the text")
    world, now, by = radius_world(visit), visit.now, visit.name
    name = candidate_name(candidate.digest)
    done = work(visit, name, lambda: candidate_radius(world, candidate, text, now, by=by))
    return visit.redirect(f"/console/policy/try/{target_of(candidate.digest)}", done=done)


@pages.get("/console/policy/try/{digest}", WORKS)
def tried(visit: Visit) -> Response:
    """Show what a version would do: in words against the newest in force, and by count."""
    name = candidate_name(visit.path["digest"])
    radius, background = kept_radius(visit.world.store, name), visit.world.background
    if radius is None and not background.under_way(name) and not background.problem(name):
        raise NotFound("nobody tried a version of this digest", "try it on the page of the policy")
    found = None
    if radius is not None:
        document = parse_document(radius.text, "the text")
        own = f"{document.policy.provider}/{document.policy.version}"
        before = next((text for policy, text in visit.world.policies if policy.name == own), None)
        text = before or (visit.world.policies[-1][1] if visit.world.policies else "")
        found = _compared(text, radius.text) if text else None
    return shown(
        visit,
        "policy_try.html",
        "/console/policy",
        radius=radius,
        found=found,
        under_way=background.under_way(name),
        problem=background.problem(name),
    )


def _texts(visit: Visit) -> dict[str, str]:
    """Pair the names of all versions known here with their texts, oldest first; of one name the newest."""
    in_force = {policy.name: text for policy, text in visit.world.policies}
    kept = {one.name: one.text for one in visit.world.store.policies() if " + " not in one.name}
    return {name: text for name, text in kept.items() if name not in in_force} | in_force


def _compare(texts: dict[str, str], old: str, new: str) -> Comparison:
    for name in (old, new):
        if name not in texts:
            raise NotFound("there is no policy version of this name", "choose from the list")
    return _compared(texts[old], texts[new])


@lru_cache(maxsize=32)
def _compared(old: str, new: str) -> Comparison:
    # both decide the same thousands of cases, which takes seconds: what was compared once is shown again
    return compare(parse_document(old, "the old version"), parse_document(new, "the new version"))
