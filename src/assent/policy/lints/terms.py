"""Lints on lengths: L10 (criteria instead of a number), L11 (floor against ceiling)."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from assent.domain.durations import Duration
from assent.policy import document as doc
from assent.policy.lints.finding import Finding
from assent.policy.segments import grants_of, requirement, witness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assent.policy.document import Document
    from assent.policy.model import Grant, Policy


def criteria_need_an_owner(document: Document) -> Iterator[Finding]:
    """L10: keeping without a number is a warning, and somebody must look at it again by a date."""
    for path, rule in grants_of(document):
        length = rule.use_for.default if isinstance(rule.use_for, doc.PickedLength) else rule.use_for
        if length != "indefinite":
            continue
        missing = [name for name, value in (("owner", rule.owner), ("review", rule.review)) if value is None]
        message = f"`{rule.id}` keeps by criteria only: no length is set"
        fix = "give a duration, or accept the finding with the criterion as the reason"
        if missing:
            message += f", and no {' and no '.join(missing)} either"
            fix = f"give a duration, or add {' and '.join(f'`{name}`' for name in missing)}: who looks again, and when"
        yield Finding("L10", rule.id, path, message, fix, severity="warning")


def floors_name_their_winner(document: Document, policy: Policy) -> Iterator[Finding]:
    """L11: where a floor can rise above a ceiling of the same class, the order of precedence names no winner."""
    paths = {rule.id: path for path, rule in grants_of(document)}
    for floor in (grant for grant in policy.grants if grant.floor):
        caps = list(floor.caps)
        if floor.choices and policy.withdrawal.id not in (floor.ignores or ()):
            caps.append(policy.withdrawal)
        rivals = [cap.id for cap in caps if cap.rank == floor.rank and not cap.keeps]
        rivals += [grant.id for grant in policy.grants if _rivals(policy, floor, grant)]
        for rival in rivals:
            message = f"`{floor.id}` (at least) can outlast `{rival}` (at most), and both are of one class"
            fix = "give the one that must win a stronger `class`, or let an exception name the cap it ignores"
            yield Finding("L11", floor.id, (*paths[floor.id], "bound"), message, fix)


def _rivals(policy: Policy, floor: Grant, ceiling: Grant) -> bool:
    if ceiling.floor or ceiling.rank != floor.rank or ceiling.use_for.default is None:
        return False
    if ceiling.anchor == floor.anchor and all(_fits(*pair) for pair in product(_ends(floor), _ends(ceiling))):
        return False
    vetoes = [veto.when for grant in (floor, ceiling) for veto in grant.vetoes]
    return witness(policy, [requirement(floor), requirement(ceiling)], vetoes) is not None


def _ends(grant: Grant) -> list[tuple[int, int, int] | None]:
    """Return months, days and seconds from the anchor to the erasure, per length that may apply; None: no end."""
    after = grant.erase_after or Duration()
    return [
        None
        if length is None
        else (length.months + after.months, length.days + after.days, length.seconds + after.seconds)
        for length in (grant.use_for.default, *grant.use_for.picks.values())
    ]


def _fits(inner: tuple[int, int, int] | None, outer: tuple[int, int, int] | None) -> bool:
    """Tell whether one length never ends after another, whatever months lie between."""
    if outer is None:
        return True
    if inner is None:
        return False
    if all(mine <= theirs for mine, theirs in zip(inner, outer, strict=True)):
        return True
    longest = inner[0] * 31 + inner[1] + inner[2] / 86_400
    years, months = divmod(outer[0], 12)
    return longest <= years * 365 + months * 28 + outer[1] + outer[2] / 86_400
