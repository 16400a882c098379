"""The question put to a person: plain text built from the policy, named by its digest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assent.domain.digests import digest_bytes
from assent.domain.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assent.policy.model import Policy


@dataclass(frozen=True, slots=True)
class Notice:
    """The exact text of a question and the digest that a choice quotes."""

    purpose: str
    text: str

    @property
    def digest(self) -> str:
        """Name the exact text."""
        return digest_bytes(self.text.encode())


def purposes_asked(policies: Iterable[Policy]) -> list[str]:
    """List the purposes that some grant of these policies needs a choice for."""
    return sorted({choice.purpose for policy in policies for grant in policy.grants for choice in grant.choices})


def notice_of(policy: Policy, purpose: str) -> Notice:
    """Put the question for one purpose: what happens if you allow, if you do not, either way, and if you take it back.

    Every sentence is the policy's own, so the notice cannot promise what the policy does not
    keep. Raises `Invalid` for a purpose that no grant asks for.
    """
    asked = [g for g in policy.grants if any(c.purpose == purpose for c in g.choices)]
    always = [g for g in policy.grants if g.ignores is None and not g.choices]
    known = purposes_asked([policy])
    if purpose not in known:
        fix = f"use one of {', '.join(known)}" if known else "this policy asks for nothing"
        raise Invalid(f"no grant of `{policy.name}` asks for `{purpose}`", fix)
    anyway = [g for g in policy.grants if g.ignores is not None]
    vetoes = [v for v in policy.vetoes if any(g.purpose in v.removes for g in asked)]
    sections = (
        ("If you allow it", [g.says for g in asked]),
        ("If you do not", [g.says for g in always]),
        ("Either way", [g.says for g in anyway]),
        ("Never used, even if you allow it", [v.says for v in vetoes]),
        ("If you take it back later", [policy.withdrawal.says]),
    )
    lines = [f"May your conversations be used for {purpose}?", ""]
    for heading, sentences in sections:
        if sentences:
            lines += [f"{heading}:", *(f"  - {sentence}." for sentence in dict.fromkeys(sentences)), ""]
    lines += ["Closing this, or not answering, is not a yes.", f"Policy {policy.name}, {policy.digest}"]
    return Notice(purpose, "\n".join(lines) + "\n")
