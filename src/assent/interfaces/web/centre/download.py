"""Download everything: begun by a form, made in the background, fetched through a link that only the person has."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.responses import Response, StreamingResponse

from assent.domain.errors import NotFound, Refused
from assent.domain.instants import parse_instant
from assent.interfaces.web.audience import PERSON
from assent.interfaces.web.centre.frame import policies_of, show
from assent.interfaces.web.pages import Pages
from assent.interfaces.web.templates import template
from assent.services.centre.archive import FIRST, Making, make
from assent.services.centre.sealed import Archive, Progress
from assent.services.centre.zipped import zipped
from assent.services.erase.derived.downloads import archives, drop_ended
from assent.services.erase.derived.port import DOWNLOADS
from assent.store.records import ConversationFilter, DerivedStore, Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assent.interfaces.web.visit import Visit

pages = Pages()

LASTS: Final = timedelta(hours=24)
"""How long an archive waits to be fetched: it is a copy, and a copy is a thing to be rid of."""

_NAME_BYTES: Final = 16
_LINK_BYTES: Final = 48


@pages.get("/me/download", PERSON)
def download(visit: Visit) -> Response:
    """Say what is in the file and what is not, and offer to make it."""
    folder = _folder(visit)
    drop_ended(folder, visit.now)
    mine = [state for _, state in archives(folder) if state["subject"] == visit.subject]
    before = parse_instant(mine[0]["began_at"]) if mine else None
    return show(visit, "download", "download", before=before)


@pages.post("/me/download", PERSON)
def begin(visit: Visit) -> Response:
    """Begin an archive; its link is in the address of the page that follows, and nowhere else."""
    world = visit.world
    if all(one.name != DOWNLOADS for one in world.store.derived_stores()):
        world.store.register(DerivedStore(DOWNLOADS, DOWNLOADS, visit.now))
    link = (world.new_key()[:_NAME_BYTES] + world.new_key()).hex()
    archive = _archive(visit, link)
    total = world.store.conversations(ConversationFilter(subject=visit.subject), Page(1)).total
    archive.begin(Progress(visit.subject, visit.now, visit.now + LASTS, FIRST, total=total))
    _make(visit, archive)
    return visit.redirect(f"/me/download/{link}")


@pages.get("/me/download/{link}", PERSON)
def making(visit: Visit) -> Response:
    """Say how far an archive is; one that was interrupted goes on."""
    link = visit.path["link"]
    archive = _archive(visit, link)
    progress = archive.progress(visit.subject, visit.now)
    if not progress.finished:
        _make(visit, archive)
    return show(visit, "making", "download", link=link, progress=progress)


@pages.get("/me/download/{link}/file", PERSON)
def fetch(visit: Visit) -> Response:
    """Give the archive as one zip, written while it is sent."""
    archive = _archive(visit, visit.path["link"])
    progress = archive.progress(visit.subject, visit.now)
    if not progress.finished:
        raise Refused("the file is not ready yet", "look again in a moment")
    headers = {"Content-Disposition": f'attachment; filename="your-data-{visit.now:%Y-%m-%d}.zip"'}
    body = zipped(archive.pieces(progress.pieces), progress.began_at)
    return StreamingResponse(body, 200, headers, "application/zip")


@pages.post("/me/download/{link}/remove", PERSON)
def remove(visit: Visit) -> Response:
    """Remove an archive before its time."""
    archive = _archive(visit, visit.path["link"])
    archive.progress(visit.subject, visit.now)
    archive.remove()
    return visit.redirect("/me/download", said="download.said.removed")


def _make(visit: Visit, archive: Archive) -> None:
    """Go on with an archive beside the requests, unless that is under way."""
    world = visit.world
    making = Making(
        store=world.store,
        log=world.log,
        policies=policies_of(visit),
        now=world.now,
        cover=lambda counts: _cover(visit, counts),
    )
    world.background.begin(archive.place.name, lambda: make(making, archive, visit.subject))


def _cover(visit: Visit, counts: Mapping[str, int]) -> bytes:
    page = template("centre/cover.html").render(
        visit=visit,
        t=visit.words.text,
        instant=visit.words.instant,
        number=visit.words.number,
        locale=visit.locale,
        direction=visit.words.direction,
        counts=counts,
    )
    return page.encode()


def _archive(visit: Visit, link: str) -> Archive:
    """Read a link: the name of the archive, then its key."""
    try:
        said = bytes.fromhex(link)
    except ValueError:
        said = b""
    if len(said) != _LINK_BYTES or said.hex() != link:
        raise NotFound("this is no link to a download", "copy the whole address, or begin a new one")
    return Archive(_folder(visit), said[:_NAME_BYTES].hex(), said[_NAME_BYTES:])


def _folder(visit: Visit) -> Path:
    return Path(visit.world.settings.home) / DOWNLOADS
