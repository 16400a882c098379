"""What a page does: nothing grants by itself (R01, R08), both answers take one way (R03), declining exists (R04)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assent.services.notice.audit.answers import grants, roles_of
from assent.services.notice.audit.finding import Findings
from assent.services.notice.audit.visits import NOISE_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assent.services.notice.audit.answers import Roles
    from assent.services.notice.audit.finding import AuditFinding
    from assent.services.notice.audit.measured import Control, Look, Route, Trial, Visited

TIMES: Final = (0.8, 1.25)
"""Allowed ratio of the times to both answers (section 5.3 of the requirements)."""

_SILENCE: Final = ("waiting", "leaving", "opening")


def judge_acts(visited: Visited) -> Iterator[AuditFinding]:
    """Judge what a page did in one window."""
    told = Findings(visited.viewport)
    roles = roles_of(visited.later)
    yield from _preset(told, visited)
    yield from _focused(told, visited)
    for trial in visited.trials:
        yield from _granted(told, trial, visited)
    yield from _declines(told, visited, roles)
    yield from _same_way(told, visited)


def _preset(told: Findings, visited: Visited) -> Iterator[AuditFinding]:
    """R01: nothing that allows is set beforehand. A switch that names no answer and is on is taken to allow."""
    set_before: dict[str, Control] = {}
    for look in (visited.first, visited.later):
        roles = roles_of(look)
        granting = [control for control in (roles.allow, *roles.switches) if control and control.kind != "button"]
        set_before |= {control.where: control for control in granting if control.checked}
    for control in set_before.values():
        what = f"`{control.label[:60]}`" if control.label else f"a {control.kind}"
        if control.kind == "radio" and control not in _allowing(visited):
            yield told.unchecked(
                "R01", f"{what} is set beforehand; what it means is not known", "no preset", control.where
            )
        else:
            yield told.error("R01", f"{what} is set beforehand", "nothing that allows is preset", control.where)


def _allowing(visited: Visited) -> list[Control]:
    return [control for look in (visited.first, visited.later) if (control := roles_of(look).allow)]


def _focused(told: Findings, visited: Visited) -> Iterator[AuditFinding]:
    """R01: the focus is not put on what allows, at once or after a while."""
    for look, when in ((visited.first, "at once"), (visited.later, "after a second")):
        control = _with_focus(look)
        roles = roles_of(look)
        if control and control == roles.allow:
            measured = f"the focus is on `{control.label[:60]}` {when}"
            yield told.error("R01", measured, "no focus on what allows", control.where)
            return


def _with_focus(look: Look) -> Control | None:
    return next((control for control in look.controls if control.index == look.focused), None)


def _granted(told: Findings, trial: Trial, visited: Visited) -> Iterator[AuditFinding]:
    """R01 and R08: keys, scrolling, closing, leaving and waiting allow nothing."""
    answers = [grants(sent, visited.allow, visited.decline) for sent in trial.sent]
    requirement = "R08" if trial.done.startswith(_SILENCE) else "R01"
    if True in answers:
        yield told.error(requirement, f"{trial.done} allows", "only pressing allow does", visited.region.where)
    elif any(
        answer is None and not (sent.foreign or sent.method == "KEEP")
        for answer, sent in zip(answers, trial.sent, strict=True)
    ):
        measured = f"{trial.done} sends something that does not say what it means"
        yield told.unchecked(requirement, measured, "only pressing allow allows", visited.region.where)


def _declines(told: Findings, visited: Visited, roles: Roles) -> Iterator[AuditFinding]:
    """R04: there is a way to decline wherever there is one to allow."""
    if visited.decline.recorded or roles.allow is None:
        return
    if visited.decline.pressed and not visited.allow.recorded:
        measured = "pressing allow or decline sends nothing and leaves the question where it is"
        yield told.unchecked("R03", measured, "the same steps to both: try it where it works", visited.region.where)
    elif visited.decline.pressed:
        measured = f"{_way(visited.decline)} records no answer, {_way(visited.allow)} does"
        yield told.error("R04", measured, "decline wherever allow is", visited.region.where)
    else:
        instead = f", only `{roles.defer.label}`" if roles.defer else ""
        yield told.error("R04", f"nothing declines{instead}", "decline wherever allow is", roles.allow.where)


def _same_way(told: Findings, visited: Visited) -> Iterator[AuditFinding]:
    """R03: as many activations to both answers, and about as much time."""
    allow, decline = visited.allow, visited.decline
    if not (allow.recorded and decline.recorded):
        return
    if len(allow.pressed) != len(decline.pressed):
        steps = f"declining takes {len(decline.pressed)} activations ({_way(decline)})"
        measured = f"{steps}, allowing {len(allow.pressed)} ({_way(allow)})"
        yield told.error("R03", measured, "the same number", visited.region.where)
    elif abs(allow.seconds - decline.seconds) > NOISE_S and not TIMES[0] <= allow.seconds / decline.seconds <= TIMES[1]:
        measured = f"declining takes {decline.seconds:.1f} s, allowing {allow.seconds:.1f} s"
        allowed = f"{TIMES[0]:g} to {TIMES[1]:g} times as long"
        yield told.error("R03", measured, allowed, visited.region.where)


def _way(route: Route) -> str:
    return " > ".join(f"`{label[:40]}`" for label in route.pressed)
