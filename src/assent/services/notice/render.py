"""One question on every surface: the same sentences, drawn by the rules of `spec/notice.md`, section 7.

A rendering is bytes with a digest. Equal manifest, policy, purpose, surface, locale, layout and
options give equal bytes; nothing personal and no time is in them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations
from typing import TYPE_CHECKING, Any, Final, get_args

from assent.domain.digests import digest_bytes
from assent.domain.errors import Invalid, Refused
from assent.services.notice.as_html import fragment, page
from assent.services.notice.as_json import as_json
from assent.services.notice.as_markdown import as_markdown
from assent.services.notice.as_terminal import as_terminal
from assent.services.notice.document import LAYOUTS, SURFACES, Act
from assent.services.notice.drawing import Drawing
from assent.services.notice.wording import facts_for, worded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from assent.policy.document import Document
    from assent.services.notice.document import Layout, Surface
    from assent.services.notice.parse import Manifest

ACTS: Final[tuple[Act, ...]] = get_args(Act)

_LINT: Final = "run `assent notice lint` and correct it"
_DRAW: Final[dict[Surface, Callable[[Drawing], str]]] = {
    "html": page,
    "fragment": fragment,
    "terminal": as_terminal,
    "json": as_json,
    "markdown": as_markdown,
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A question exactly as shown. `options` are the acts in the order shown, `notice` the digest of the manifest."""

    notice: str
    policy: str
    purpose: str
    surface: Surface
    locale: str
    layout: Layout
    options: tuple[Act, ...]
    body: str

    @property
    def digest(self) -> str:
        """Name the exact bytes: what a choice quotes."""
        return digest_bytes(self.body.encode())


def render(  # noqa: PLR0913 - so many sides has one question
    manifest: Manifest,
    policy: Document,
    *,
    purpose: str,
    surface: str,
    locale: str,
    layout: str,
    options: Sequence[str],
    defers_left: int | None = None,
    deadline: datetime | None = None,
) -> Rendered:
    """Draw one question, with its acts in the order of `options`.

    `defers_left` None: all that the policy grants; `deadline` None: the one that the policy names.

    Raises `Invalid` for a purpose, surface, locale or layout the manifest does not have, and
    `Refused` for options or controls that no honest question can have.
    """
    header = manifest.header
    shown = _one_of(surface, header.surfaces, SURFACES, "surface")
    arranged = _one_of(layout, header.layouts, LAYOUTS, "layout")
    acts = _acts(manifest, policy, options, defers_left)
    _drawable(manifest)
    facts = facts_for(manifest, policy, purpose)
    if deadline is not None:
        facts = replace(facts, deadline=deadline)
    drawing = Drawing(
        manifest=manifest,
        facts=facts,
        question=worded(manifest, facts, locale=locale, defers_left=defers_left).in_order(acts),
        layout=arranged,
        options=acts,
    )
    body = _DRAW[shown](drawing)
    return Rendered(
        notice=manifest.digest,
        policy=facts.digest,
        purpose=purpose,
        surface=shown,
        locale=locale,
        layout=arranged,
        options=acts,
        body=body,
    )


def orders(manifest: Manifest, policy: Document, *, defers_left: int | None = None) -> tuple[tuple[Act, ...], ...]:
    """List the orders of options that may be shown; where there are two, each is to be drawn equally often (R05).

    `defer` stands last and is left out where none is left.
    """
    both: tuple[Act, Act] = ("decline", "allow")
    pairs = list(permutations(both))
    if manifest.header.order == "decline first":
        pairs = [pair for pair in pairs if pair[0] == "decline"]
    left = policy.parameters.max_defers if defers_left is None else defers_left
    offered = left > 0 and any(control.act == "defer" for control in manifest.document.control)
    last: tuple[Act, ...] = ("defer",) if offered else ()
    return tuple((*pair, *last) for pair in pairs)


def _one_of(word: str, allowed: Sequence[Surface | Layout], known: Sequence[str], kind: str) -> Any:
    if word in allowed:
        return word
    if word in known:
        fix = f"use one of {', '.join(allowed)}, or add it to the manifest"
        raise Invalid(f"this notice has no {kind} `{word}`", fix)
    raise Invalid(f"`{word}` is no {kind}", f"use one of {', '.join(allowed)}")


def _acts(manifest: Manifest, policy: Document, options: Sequence[str], defers_left: int | None) -> tuple[Act, ...]:
    acts = tuple(act for option in options for act in ACTS if act == option)
    if len(acts) != len(options) or len(set(acts)) != len(acts):
        raise Invalid("an option is unknown or named twice", f"name each of {', '.join(ACTS)} at most once")
    if "allow" not in acts or "decline" not in acts:
        fix = "offer `allow` and `decline`; `defer` replaces none"
        raise Refused("a question without both answers is not shown", fix)
    if manifest.header.order == "decline first" and acts.index("allow") < acts.index("decline"):
        raise Refused("this notice shows the refusing answer first", "put `decline` before `allow`")
    left = policy.parameters.max_defers if defers_left is None else defers_left
    if not 0 <= left <= policy.parameters.max_defers:
        raise Invalid(f"`{left}` defers are not what the policy grants", f"use 0 to {policy.parameters.max_defers}")
    if "defer" in acts and left == 0:
        raise Refused("nothing is left to put the answer off", "leave `defer` out")
    missing = set(acts) - {control.act for control in manifest.document.control}
    if missing:
        raise Invalid(f"the manifest has no control for `{min(missing)}`", "add a `[[control]]` for it")
    return acts


def _drawable(manifest: Manifest) -> None:
    """Refuse to draw what this renderer does not draw: anything but equal buttons with nothing chosen beforehand."""
    for control in manifest.document.control:
        plain = control.kind == "button" and control.emphasis == "equal" and not control.accepts
        if not plain or control.preset or control.focused or control.steps != 1:
            raise Refused(f"the control for `{control.act}` is not an equal button", _LINT)
    if manifest.document.omission:
        raise Refused("a surface of this notice leaves facts out", _LINT)
