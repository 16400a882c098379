"""Notices: what people are asked, by digest, linted before it is kept, and every text that was ever shown."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from assent.domain.digests import digest_bytes
from assent.domain.errors import NotFound, Place
from assent.interfaces.api.access import Anybody, Officer
from assent.interfaces.api.problems import Fault, FaultyError
from assent.interfaces.api.resource import Input, Instant, Output, Paged, further, problems, resource
from assent.interfaces.api.stretch import stretch
from assent.interfaces.api.world import World
from assent.policy.parse import parse_document
from assent.services.choose.shelf import Unfit, keep_notice, newest_notice
from assent.services.notice.lints.finding import NoticeFinding
from assent.services.notice.pages import settings_record
from assent.services.notice.parse import ManifestProblems, parse_manifest
from assent.services.notice.wording import facts_for, worded
from assent.store.records import NoticeText

Digest = Annotated[str, Path(pattern=r"^sha256:[0-9a-f]{64}$", description="As `sha256:` and 64 hex digits.")]

_FILE: Final = "the notice"
_MEDIA: Final = {
    "html": "text/html; charset=utf-8",
    "fragment": "text/html; charset=utf-8",
    "json": "application/json",
    "markdown": "text/markdown; charset=utf-8",
}
_FOR_EVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


class NoticeIn(Input):
    """A notice manifest."""

    manifest: str = Field(min_length=1, max_length=200_000, description="The TOML text (spec/notice.md).")


class FindingOut(Output):
    """One finding of the lint. `level` is `warning`, or `unchecked` for what the lint cannot see."""

    check: str
    level: Literal["error", "warning", "unchecked"]
    line: int | None
    message: str
    fix: str


class NoticeEntry(Output):
    """One notice. `policy` is the name of the policy that it speaks for."""

    digest: str
    name: str
    version: str
    policy: str
    added_at: Instant


class NoticeKept(NoticeEntry):
    """A notice that may be shown, and what the lint said of it."""

    findings: list[FindingOut]


class NoticeWhole(NoticeEntry):
    """A notice with its manifest as written."""

    manifest: str


class NoticeList(Output):
    """One page of notices, newest first."""

    notices: list[NoticeEntry]
    total: int
    after: str | None


class SettingsHelp(Output):
    """The help beside the switch of one purpose, in the words of the notice and with the values of the policy."""

    policy: dict[str, str]
    notice: dict[str, str]
    purpose: str
    locale: str
    question: str
    labels: dict[str, str]
    help: dict[str, list[str]]


def router(world: World) -> APIRouter:
    """Return the routes of notices. A text that was shown is public to whoever knows its digest; it names nobody."""
    routes = resource("notices")

    @routes.get("/v1/notices")
    def list_notices(page: Paged, _caller: Anybody) -> NoticeList:
        """List the notices on the shelf, newest first."""
        found = stretch([_entry(one) for one in reversed(world.store.notices())], page)
        return NoticeList(notices=list(found.items), total=found.total, after=found.after)

    @routes.get("/v1/notices/{digest}", responses=problems(404))
    def read_notice(digest: Digest, _caller: Anybody) -> NoticeWhole:
        """Read a notice by its digest, as it was written."""
        kept = world.store.notice(digest)
        if kept is None:
            raise NotFound("there is no notice under this digest", "list the notices to see their digests")
        return NoticeWhole(**_entry(kept).model_dump(), manifest=kept.document)

    @routes.post(
        "/v1/notices", status_code=201, responses=problems(404), openapi_extra=further("The manifest passes the lint.")
    )
    def add_notice(what: NoticeIn, _caller: Officer) -> NoticeKept:
        """Lint a notice and put it on the shelf.

        A notice in which the lint finds an error is refused with every finding. The same notice again is the one that
        is there; a notice with another meaning has another digest.
        """
        try:
            kept, findings = keep_notice(world.store, what.manifest, _FILE, world.policies, now=world.now())
        except ManifestProblems as broken:
            faults = [_fault(one.place, f"{one.message}; {one.fix}") for one in broken.problems]
            raise FaultyError(broken.message, broken.fix, faults) from None
        except Unfit as unfit:
            told = [_fault(one.place, f"{one.level} {one.lint}: {one.message}; {one.fix}") for one in unfit.findings]
            raise FaultyError(unfit.message, unfit.fix, told) from None
        return NoticeKept(**_entry(kept).model_dump(), findings=[_finding(one) for one in findings])

    @routes.get("/v1/renderings/{digest}", response_class=Response, responses=_SHOWN | problems(404))
    def read_rendering(digest: Digest) -> Response:
        """Read a text exactly as it was shown, byte for byte."""
        kept = world.store.rendering(digest)
        if kept is None:
            raise NotFound("no text with this digest was shown here", "copy the digest from the receipt")
        body = kept.body.encode()
        if digest_bytes(body) != digest:
            raise NotFound("the text of this digest is damaged", "tell whoever runs this server: restore the store")
        return Response(body, headers=_FOR_EVER, media_type=_MEDIA.get(kept.surface, "text/plain; charset=utf-8"))

    @routes.get("/v1/settings-help", responses=problems(404), openapi_extra=further("The notice has the locale."))
    def read_settings_help(
        purpose: Annotated[str, Query(min_length=1, max_length=100, pattern=r"^[a-z][a-z0-9.-]*$")],
        locale: Annotated[str, Query(min_length=2, max_length=35, pattern=r"^[A-Za-z0-9-]+$")] = "en",
    ) -> SettingsHelp:
        """Read the help for one purpose, made from the newest notice of the newest policy; both digests are on it."""
        policy, text = world.policies[-1]
        notice = newest_notice(world.store, policy.name, purpose)
        manifest, document = parse_manifest(notice.document, notice.name), parse_document(text, policy.name)
        question = worded(manifest, facts_for(manifest, document, purpose), locale=locale)
        told: dict[str, Any] = settings_record({purpose: question}, manifest, document)
        [switch] = told["settings"]
        names = {"policy": told["policy"], "notice": told["notice"], "locale": locale}
        return SettingsHelp.model_validate({key: switch[key] for key in _SWITCH} | names)

    return routes


_SWITCH: Final = ("purpose", "question", "labels", "help")

_SHOWN: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The text as it was shown.",
        "content": {
            kind.partition(";")[0]: {"schema": {"type": "string"} if kind.startswith("text") else {}}
            for kind in (*dict.fromkeys(_MEDIA.values()), "text/plain")
        },
    }
}


def _entry(kept: NoticeText) -> NoticeEntry:
    return NoticeEntry(
        digest=kept.digest, name=kept.name, version=kept.version, policy=kept.policy, added_at=kept.added_at
    )


def _finding(found: NoticeFinding) -> FindingOut:
    line = found.place.line if found.place else None
    return FindingOut(check=found.lint, level=found.level, line=line, message=found.message, fix=found.fix)


def _fault(place: Place | None, detail: str) -> Fault:
    return Fault(pointer=f"/manifest line {place.line if place and place.line else 1}", detail=detail)
