"""Which control of a page means which answer, and what a page says when it sends one."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Literal, get_args

from assent.services.notice.lexicon import found, plain
from assent.services.notice.words import SHIPPED, shipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assent.services.notice.audit.measured import Control, Look, Route, Sent

Meaning = Literal["decline", "defer", "close", "manage", "allow", "save"]

MOST_WORDS: Final = 8
"""Longer labels are sentences: they do not name an answer, though a switch may stand beside them."""

_PLACEHOLDER: Final = re.compile(r"\s*\([^()]*\{[^()]*\)|\{[^{}]*\}")
_SAYS_ALLOW: Final = frozenset(
    {"allow", "allowed", "accept", "accepted", "agree", "agreed", "grant", "granted", "optin"}
)
_SAYS_DECLINE: Final = frozenset(
    {
        "decline",
        "declined",
        "reject",
        "rejected",
        "deny",
        "denied",
        "refuse",
        "refused",
        "disallow",
        "optout",
        "withdraw",
    }
)
_SAYS_DEFER: Final = frozenset({"defer", "deferred", "later", "snooze", "skip"})
_YES: Final = frozenset({"true", "1", "on", "yes"})
_NO: Final = frozenset({"false", "0", "off", "no"})
_ABOUT: Final = re.compile(r"allow|consent|agree|accept|train|optin|grant|permi|share")


@dataclass(frozen=True, slots=True)
class Roles:
    """The controls of a question.

    `closers` end it without an answer, `managers` lead further, `savers` send what is set.
    `switches` are set on or off and have no label that names an answer.
    """

    allow: Control | None
    decline: Control | None
    defer: Control | None
    closers: tuple[Control, ...]
    managers: tuple[Control, ...]
    savers: tuple[Control, ...]
    switches: tuple[Control, ...]

    @property
    def asks(self) -> bool:
        """Tell whether a question is here: something that allows or declines."""
        return self.allow is not None or self.decline is not None

    @property
    def refusing(self) -> Control | None:
        """Return what a person uses to say no on this layer: the control that declines, else the switch."""
        return self.decline or (self.switches[0] if self.switches else None)


def roles_of(look: Look) -> Roles:
    """Sort the controls of a page by what they mean."""
    meant: dict[str, list[Control]] = {name: [] for name in get_args(Meaning)}
    switches = []
    for control in look.controls:
        meaning = meaning_of(control)
        if meaning is not None and not (control.kind == "other" and not control.given):
            meant[meaning].append(control)
        elif control.has_state:
            switches.append(control)
    savers = meant["save"]
    allow = _chief(meant["allow"])
    if allow is None and savers and (switches or meant["decline"]):
        allow = _chief([saver for saver in savers if not _set_by(meant["decline"])])
    return Roles(
        allow=allow,
        decline=_chief(meant["decline"]),
        defer=_chief(meant["defer"]),
        closers=tuple(meant["close"]),
        managers=tuple(meant["manage"]),
        savers=tuple(savers),
        switches=tuple(switches),
    )


def meaning_of(control: Control) -> Meaning | None:
    """Say what pressing a control means: by the caller's selector, the act it sends, or its label."""
    if control.given:
        return control.given
    act = control.act.casefold()
    if act in ("allow", "decline", "defer"):
        return act  # type: ignore[return-value]  # compared with these three right here
    label = plain(control.label).strip()
    if not label or len(label.split()) > MOST_WORDS:
        return None
    return next((meaning for meaning, entries in _labels().items() if found(label, entries)), None)


@cache
def _labels() -> dict[Meaning, tuple[str, ...]]:
    """Read the lists, with the labels of assent's own notices in each of its locales added."""
    listed = tomllib.loads((files("assent.services.notice.audit") / "labels.toml").read_text("utf-8"))
    own: dict[str, list[str]] = {"allow": [], "decline": [], "defer": []}
    for locale in SHIPPED:
        words = shipped(locale)
        for act, labels in own.items():
            if words and (label := getattr(words.template.labels, act)):
                labels.append(_PLACEHOLDER.sub("", label).strip())
    return {meaning: (*own.get(meaning, ()), *listed[meaning]) for meaning in get_args(Meaning)}


def _chief(controls: Sequence[Control]) -> Control | None:
    """Choose among controls of one meaning: what the caller named, what says its act, buttons before links, size."""

    def rank(control: Control) -> tuple[bool, bool, bool, float]:
        return bool(control.given), bool(control.act), control.kind != "link", control.box.area

    return max(controls, key=rank, default=None)


def _set_by(controls: Iterable[Control]) -> bool:
    """Tell whether one of these is set rather than pressed, so that saving sends it."""
    return any(control.has_state for control in controls)


def says(sent: Sent) -> Literal["allow", "decline", "defer"] | None:
    """Read which answer a message states in words; None if it states none."""
    for name, value in sorted(sent.pairs):
        key, word = _bare(name), _bare(value)
        for act, words in (("allow", _SAYS_ALLOW), ("decline", _SAYS_DECLINE), ("defer", _SAYS_DEFER)):
            if word in words:
                return act  # type: ignore[return-value]  # the three names of the tuple above
        if _ABOUT.search(key) and word in _YES | _NO:
            return "allow" if word in _YES else "decline"
    last = {_bare(part) for part in sent.address.split("/")[3:]}
    return "allow" if last & _SAYS_ALLOW else "decline" if last & _SAYS_DECLINE else None


def _bare(text: str) -> str:
    return re.sub(r"[\W_]", "", text.casefold())


def grants(sent: Sent, allow: Route, decline: Route) -> bool | None:
    """Tell whether a message allows: by its words, else because pressing `allow` sends the same; None: unknown."""
    said = says(sent)
    if said is not None:
        return said == "allow"
    if sent in decline.sent:
        return False
    return True if sent in allow.sent else None
