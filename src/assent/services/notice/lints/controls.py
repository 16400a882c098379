"""Checks of the controls: R01 to R06 and R16, as far as they can be seen without a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.services.notice.lints.finding import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assent.services.notice.document import Act, Control
    from assent.services.notice.lints.finding import NoticeFinding
    from assent.services.notice.parse import Manifest


def _control(manifest: Manifest, act: Act) -> tuple[int, Control] | None:
    found = ((n, control) for n, control in enumerate(manifest.document.control) if control.act == act)
    return next(found, None)


def nothing_grants_by_itself(manifest: Manifest) -> Iterator[NoticeFinding]:
    """R01: no control that allows is preset or focused, and neither closing nor Enter allows."""
    for number, control in enumerate(manifest.document.control):
        for name in ("preset", "focused"):
            if control.act == "allow" and getattr(control, name):
                message = f"the control that allows is {name} before the person has done anything"
                yield finding("N-R01", ("control", number, name), message, f"remove `{name} = true`")
    for name, words in (("closing", "closing or leaving"), ("entering", "a bare Enter")):
        if getattr(manifest.header, name) == "allow":
            message = f"{words} counts as allowing"
            yield finding("N-R01", ("notice", name), message, f'write `{name} = "nothing"` or `"defer"`')


def both_answers_look_alike(manifest: Manifest) -> Iterator[NoticeFinding]:
    """R02: the two answers are controls of one kind with equal weight."""
    allow, decline = _control(manifest, "allow"), _control(manifest, "decline")
    if allow is None or decline is None:
        return
    for name in ("kind", "emphasis"):
        here, there = getattr(allow[1], name), getattr(decline[1], name)
        if here != there:
            message = f"the {name} of allow is `{here}`, that of decline `{there}`"
            yield finding("N-R02", ("control", decline[0], name), message, "give both answers the same")


def both_answers_take_the_same_steps(manifest: Manifest) -> Iterator[NoticeFinding]:
    """R03: as many activations to a recorded decline as to a recorded allow."""
    allow, decline = _control(manifest, "allow"), _control(manifest, "decline")
    if allow and decline and allow[1].steps != decline[1].steps:
        message = f"allowing takes {allow[1].steps} activations, declining {decline[1].steps}"
        yield finding("N-R03", ("control", decline[0], "steps"), message, "record both answers in the same steps")


def declining_is_offered(manifest: Manifest) -> Iterator[NoticeFinding]:
    """R04: decline exists wherever allow exists; putting it off is no substitute."""
    if _control(manifest, "decline") is None:
        instead = ", only putting it off" if _control(manifest, "defer") else ""
        message = f"there is a control to allow and none to decline{instead}"
        yield finding("N-R04", ("control",), message, 'add `[[control]]` with `act = "decline"`')
    for locale, wording in manifest.document.locale.items():
        if wording.labels.decline is None:
            path = ("locale", locale, "labels")
            yield finding("N-R04", path, f"`{locale}` has no label to decline", 'add `decline = "..."`')


def the_order_favours_nobody(manifest: Manifest) -> Iterator[NoticeFinding]:
    """R05: the order of the answers is drawn for each display, or declining stands first."""
    if manifest.header.order == "allow first":
        message = "the allowing answer always stands first"
        yield finding("N-R05", ("notice", "order"), message, 'write `order = "random"` or `"decline first"`')


def a_choice_agrees_to_nothing_else(manifest: Manifest) -> Iterator[NoticeFinding]:
    """R06: answering accepts no terms, either way."""
    for number, control in enumerate(manifest.document.control):
        if control.accepts:
            accepted = ", ".join(f"`{name}`" for name in control.accepts)
            message = f"the control for `{control.act}` also accepts {accepted}"
            yield finding("N-R06", ("control", number, "accepts"), message, "ask for that in a step of its own")


def changing_is_as_short(manifest: Manifest) -> Iterator[NoticeFinding]:
    """R16: changing or taking back takes no more steps than answering did."""
    allow = _control(manifest, "allow")
    first = allow[1].steps if allow else 1
    for name in ("change", "withdraw"):
        steps = getattr(manifest.document, name).steps
        if steps > first:
            message = f"allowing takes {first} and the way to {name} {steps} activations"
            yield finding("N-R16", (name, "steps"), message, "put the switch where the first answer was given")
