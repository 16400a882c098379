"""The few files that pages load: under a name, and for ever under an address that changes with what they hold."""

from __future__ import annotations

import mimetypes
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, NamedTuple

from starlette.responses import Response

from assent.domain.digests import digest_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX: Final = "/static/"

_FOR_EVER: Final = "public, max-age=31536000, immutable"
_SHORTLY: Final = "public, max-age=300"
_NOT_KEPT: Final = "no-store"
_ANYBODY: Final = {"Cross-Origin-Resource-Policy": "cross-origin", "Access-Control-Allow-Origin": "*"}


class Loaded(NamedTuple):
    """One file: its bytes, its media type, and a name for exactly these bytes."""

    content: bytes
    kind: str
    tag: str


@cache
def loaded() -> Mapping[str, Loaded]:
    """Read the files that pages load, by name; there are few and they are small."""
    found = {}
    for file in (files(__package__) / "static").iterdir():
        content = file.read_bytes()
        kind = "text/javascript" if file.name.endswith(".js") else mimetypes.guess_type(file.name)[0] or "text/plain"
        found[file.name] = Loaded(content, kind, digest_bytes(content)[7:23])
    return found


def address_of(name: str) -> str:
    """Write the address under which browsers keep a file for good: `/static/9f86d081884c7d65/assent.css`."""
    return f"{PREFIX}{loaded()[name].tag}/{name}"


def answer(path: str, held: str) -> Response:
    """Answer the address of a file; `held` is what the browser says it has (`If-None-Match`).

    Under its digest a file is kept for a year, under its plain name for five minutes and then asked for again. A
    digest of another version, as a page has it that was sent while versions changed, is answered with the file of
    this one, which nobody keeps.
    """
    tag, below, name = path.removeprefix(PREFIX).rpartition("/")
    found = loaded().get(name)
    if found is None or (below and not _is_tag(tag)):
        return Response("there is no such file\n", 404, media_type="text/plain")
    kept = {"": _SHORTLY, found.tag: _FOR_EVER}.get(tag, _NOT_KEPT)
    headers = {**_ANYBODY, "Cache-Control": kept, "ETag": f'"{found.tag}"'}
    if f'"{found.tag}"' in held:
        return Response(status_code=304, headers=headers)
    return Response(found.content, 200, headers, found.kind)


def _is_tag(text: str) -> bool:
    return len(text) == 16 and set(text) <= set("0123456789abcdef")
