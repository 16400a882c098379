"""Reasons in words: every rule that had a say, in the order of the policy file.

Both evaluators hand in the same findings, so their sentences are equal too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.domain.decision import Reason
from assent.domain.instants import LATEST, format_instant

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from assent.policy.model import Grant, Policy

GAP_WORDS = {
    "choices": "the person has not answered yet",
    "plan": "the plan is unknown to this policy",
    "age": "the age is unknown",
    "region": "the region is unknown",
    "mode": "it is unknown whether the conversation was private",
    "origin": "it is unknown where this part came from",
    "data": "it is unknown what kind of data this is",
    "surface": "it is unknown through which product surface this came",
    "signed_in": "it is unknown whether the person was signed in",
    "role": "the person's role is unknown",
    "created_at": "the time of this part is unknown",
    "last_turn_at": "the time of the person's last turn is unknown",
    "recorded_at": "the time of recording is unknown",
}
"""What a gap means, for people. Keys are fact keys."""


def reasons(
    policy: Policy,
    bases: Sequence[tuple[Grant, bool, datetime, datetime]],
    vetoed: Collection[str],
    capped: Mapping[str, datetime],
    gap: Collection[str],
    *,
    held: bool,
    released_at: datetime | None,
) -> tuple[Reason, ...]:
    """Say which rules decided.

    `bases` are (grant, sure, use end, erase end); `capped` maps cap id to its event;
    `released_at` is given when the release of a hold sets the end.
    """
    said = [
        Reason(grant.id, grant.kind, _grant_text(grant, use_until, erase_by))
        for grant, sure, use_until, erase_by in bases
        if sure
    ]
    if capped:
        said.extend(
            Reason(cap.id, "cap", f"{cap.says} (since {format_instant(capped[cap.id])})")
            for cap in (*policy.caps, policy.withdrawal)
            if cap.id in capped
        )
    if vetoed:
        said.extend(Reason(veto.id, "veto", veto.says) for veto in policy.vetoes if veto.id in vetoed)
    if held:
        said.append(Reason("hold", "hold", "a legal hold forbids erasure; the data is set apart for legal use only"))
    elif released_at is not None:
        text = f"a legal hold kept this until it was released (at {format_instant(released_at)})"
        said.append(Reason("hold", "hold", text))
    said.extend(Reason(key, "gap", GAP_WORDS.get(key, f"`{key}` is unknown")) for key in sorted(gap))
    possible = [grant.says for grant, sure, _, _ in bases if not sure]
    if possible:
        said.append(Reason("gap", "gap", f"until that is known, the bytes are kept as if: {'; '.join(possible)}"))
    if not said:
        said.append(Reason("none", "none", "no rule of this policy is a basis to keep this part"))
    return tuple(said)


def _grant_text(grant: Grant, use_until: datetime, erase_by: datetime) -> str:
    if erase_by >= LATEST:
        return f"{grant.says} (no end is set)"
    if erase_by == use_until:
        return f"{grant.says} (until {format_instant(use_until)})"
    return f"{grant.says} (use until {format_instant(use_until)}, erased by {format_instant(erase_by)})"
