"""Cuts: what is in them and why the rest is not, whether all of it may still be used, and where it came from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from assent.domain.digests import digest_bytes
from assent.domain.errors import NotFound
from assent.interfaces.charts.lineage import Box
from assent.interfaces.charts.lineage import svg as lineage_svg
from assent.interfaces.web.console.frame import WORKERS, WORKS, may, picture, shown, work
from assent.interfaces.web.pages import Pages
from assent.pipeline.check import check
from assent.services.cut.differing import compare, find_cut
from assent.services.cut.freshness import freshness
from assent.services.figures.outlook import CutState, kept_outlook
from assent.services.figures.said import keep_said, kept_said

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit
    from assent.store.records import Cut

pages: Final = Pages()

_NAMED: Final = 20
_STEPS: Final = 12


@pages.get("/console/cuts", WORKS)
def listed(visit: Visit) -> Response:
    """List cuts, the newest first, with how they stood when that was worked out."""
    store = visit.world.store
    listing, outlook = store.cuts(visit.paging(visit.world.settings.list_page)), kept_outlook(store)
    states = {(one.name, one.number): one for one in outlook.cuts} if outlook is not None else {}
    found = [(cut, states.get((cut.name, cut.number))) for cut in listing.items]
    return shown(visit, "cuts.html", "/console/cuts", found=found, listing=listing, outlook=outlook)


@pages.get("/console/cuts/{name}/{number}", WORKS)
def one(visit: Visit) -> Response:
    """Show one number of a cut: counts, freshness, what the check of its files said, its place in the ledger."""
    store, cut = visit.world.store, _known(visit)
    background = visit.world.background
    names = {what: _figure(what, cut) for what in ("freshness", "files")}
    return shown(
        visit,
        "cut.html",
        "/console/cuts",
        cut=cut,
        manifest=_manifest(cut),
        rows=store.count_members(cut.name, cut.number),
        others=store.cuts_named(cut.name),
        leaves=store.cut_leaves(cut.name, cut.number),
        runs=store.runs_of(cut.name, cut.number),
        told={what: kept_said(store, name) for what, name in names.items()},
        under_way={what: background.under_way(name) for what, name in names.items()},
        problem={what: background.problem(name) for what, name in names.items()},
        works=may(visit, WORKERS),
    )


@pages.get("/console/cuts/{name}/{number}/lineage.svg", WORKS)
def lineage(visit: Visit) -> Response:
    """Draw where a cut came from."""
    cut = _known(visit)
    return picture(lineage_svg(f"Lineage of cut {cut.name} number {cut.number}", _columns(visit, cut)))


@pages.get("/console/cuts/{name}/{number}/from/{other}", WORKS)
def diff(visit: Visit) -> Response:
    """Say who joined and who left since another number, by conversation."""
    cut, other = _known(visit), _number(visit.path["other"])
    found = compare(visit.world.store, cut.name, other, cut.number)
    sides = {side: sorted(names)[:_NAMED] for side, names in found.conversations.items()}
    more = {side: max(0, len(names) - _NAMED) for side, names in found.conversations.items()}
    return shown(visit, "cut_diff.html", "/console/cuts", cut=cut, other=other, found=found, sides=sides, more=more)


@pages.post("/console/cuts/{name}/{number}/freshness", WORKERS)
def decide_again(visit: Visit) -> Response:
    """Decide every row of a cut anew."""
    world, cut, now = visit.world, _known(visit), visit.now
    columns, versions = world.new_columns(), [policy for policy, _ in world.policies]

    def do() -> dict[str, Any]:
        found = freshness(world.store, columns, versions, cut, now)
        return {"rows": found.rows, "erased": found.erased, "stale": dict(found.stale)}

    return _worked(visit, cut, "freshness", do)


@pages.post("/console/cuts/{name}/{number}/files", WORKERS)
def check_files(visit: Visit) -> Response:
    """Compare every file of a cut with its manifest, every digest and every row."""
    cut = _known(visit)

    def do() -> dict[str, Any]:
        found = check(Path(cut.directory))
        same = found.manifest == cut.manifest
        told = [] if same else ["the manifest is not the one that was recorded"]
        return {"differences": [*told, *found.differences][:_NAMED], "erased": found.erased}

    return _worked(visit, cut, "files", do)


def _worked(visit: Visit, cut: Cut, what: str, do: Callable[[], dict[str, Any]]) -> Response:
    store, name, now = visit.world.store, _figure(what, cut), visit.now
    done = work(visit, name, lambda: keep_said(store, name, do(), now))
    return visit.redirect(f"/console/cuts/{cut.name}/{cut.number}", done=done)


def _figure(what: str, cut: Cut) -> str:
    return f"cut {what} {cut.name} {cut.number}"


def _columns(visit: Visit, cut: Cut) -> list[list[Box]]:
    manifest = _manifest(cut) or {}
    store = visit.world.store
    outlook = kept_outlook(store)
    by_source = outlook.counts.by_source if outlook is not None else {}
    sources = [Box(f"source {name}", (f"{count:,} conversations",)) for name, count in by_source.items()]
    policies = [
        Box(f"policy {one['name']}", (one["digest"][7:19], f"in force {one['effective'][:10]}"))
        for one in manifest.get("policies", [])
    ]
    recipe = [Box("recipe", tuple(str(step["block"]) for step in manifest.get("recipe", []))[:_STEPS])]
    counts = manifest.get("counts", {})
    lines = (f"number {cut.number}", f"{counts.get('written', 0):,} parts", f"{counts.get('people', 0):,} people")
    here = [Box(f"cut {cut.name}", (*lines, cut.manifest[7:19]), here=True)]
    later = [
        Box(f"number {one.number}", (f"{one.created_at:%Y-%m-%d}",))
        for one in store.cuts_named(cut.name)
        if one.number > cut.number
    ]
    ends = (
        [Box("retired", (f"{cut.retired_at:%Y-%m-%d}",))]
        if cut.retired_at
        else [Box("may be read", (f"for {cut.purpose}",))]
    )
    runs = [
        Box(f"run {run.id}", (run.state, f"{run.started_at:%Y-%m-%d}"))
        for run in store.runs_of(cut.name, cut.number)
        if run.started_at is not None
    ]
    return [sources[:6], policies, recipe, here, [*runs[-4:], *later[:4], *ends]]


def _manifest(cut: Cut) -> dict[str, Any] | None:
    """Read the manifest where it lies; None if it is not there any more, or is another one than was recorded."""
    try:
        content = (Path(cut.directory) / "manifest.json").read_bytes()
    except OSError:
        return None
    found: dict[str, Any] | None = json.loads(content) if digest_bytes(content) == cut.manifest else None
    return found


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise NotFound("there is no such number of a cut", "look at the list")
    return int(text)


def _known(visit: Visit) -> Cut:
    return find_cut(visit.world.store, visit.path["name"], _number(visit.path["number"]))


__all__ = ["CutState", "pages"]
