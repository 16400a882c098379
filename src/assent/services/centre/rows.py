"""One line about a conversation: until when it is kept and why, and whether it may be trained on or why not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from assent.domain.choices import REFUSALS, Place, acts_on
from assent.policy.versions import decide_versions, governing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from assent.domain.decision import Decision, Reason
    from assent.domain.facts import Facts
    from assent.policy.model import Cap, Grant, Policy, Veto
    from assent.store.records import Choice, ConversationEntry

Kept = Literal["until", "held", "open", "unknown", "not decided"]
"""How long: until a date, under a hold, without an end, or a fact is missing. `not decided`: too long for a list."""

WhyNot = Literal["", "held", "deleted", "kept out", "project", "silent", "refused", "rule", "before", "unknown"]
"""Why a conversation is not trainable: a hold, a deletion, its own lock or its project's, no answer, a refusal,
a rule of the policy (its sentence says which), used only before it was allowed, or a fact that is missing."""

_LATEST: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Row:
    """A conversation with the answers of its parts in one: the last end of any, and each use that any part has.

    `uses` are the purposes of cuts that may take a part of it now. `why` is the policy's sentence that keeps it,
    `rule` the one that keeps it out of training. `due`: its end has come, as far as the person may know.
    """

    entry: ConversationEntry
    kept: Kept
    until: datetime | None
    why: str
    uses: tuple[str, ...]
    why_not: WhyNot
    rule: str
    due: bool


@dataclass(frozen=True, slots=True)
class Weigher:
    """What deciding the conversations of one person needs: versions by date, their acts, and the instant.

    `asked` are the purposes that people are asked for.
    """

    policies: Sequence[Policy]
    acts: Sequence[Choice]
    asked: Collection[str]
    now: datetime

    def row(self, entry: ConversationEntry, facts: Sequence[Facts], place: Place) -> Row:
        """Decide a conversation by the facts of its parts, as the person may know them."""
        decided = [decide_versions(one, governing(self.policies, one, self.now), self.now) for one in facts]
        longest = max(decided, key=_end, default=None)
        if longest is None:
            return self.undecided(entry)
        uses = tuple(p for p in self.asked if any(p in one.eligible for one in decided))
        why_not: WhyNot = "" if uses else self._why_not(entry, decided, place)
        vetoes = [self.sentence(reason) for one in decided for reason in one.reasons if reason.kind == "veto"]
        return Row(
            entry=entry,
            kept=_kept(longest),
            until=longest.erase_by,
            why=self.why(longest),
            uses=uses,
            why_not=why_not,
            rule=vetoes[0] if why_not == "rule" else "",
            due=all(one.due() for one in decided),
        )

    def undecided(self, entry: ConversationEntry) -> Row:
        """Return the line of a conversation that is too long to be decided in a list."""
        return Row(entry, "not decided", None, "", (), "", "", due=False)

    def why(self, decision: Decision) -> str:
        """Return the sentence of the policy that sets the end: of the hold, the last use, or what cut it short."""
        by_kind = {
            kind: [r for r in decision.reasons if r.kind == kind] for kind in ("hold", "exception", "cap", "grant")
        }
        if decision.held and by_kind["hold"]:
            return self.sentence(by_kind["hold"][0])
        # a cap ends what grants give and no exception; without one whatever lasts longest sets the end
        cut_short = by_kind["cap"] and (by_kind["exception"] or by_kind["cap"])
        lasting = sorted(by_kind["grant"] + by_kind["exception"], key=lambda reason: self._use_until(decision, reason))
        chosen = cut_short[:1] or lasting[-1:] or list(decision.reasons[:1])
        return self.sentence(chosen[0]) if chosen else ""

    def sentence(self, reason: Reason) -> str:
        """Return the sentence of the rule itself: a list shows the dates beside it, in the person's own way."""
        return rule_says(self.policies, reason.rule) or reason.text

    def _use_until(self, decision: Decision, reason: Reason) -> datetime:
        purposes = [grant.purpose for policy in self.policies for grant in policy.grants if grant.id == reason.rule]
        ends = [decision.use_until[p] or _LATEST for p in purposes if p in decision.use_until]
        return max(ends, default=datetime.min.replace(tzinfo=UTC))

    def _why_not(self, entry: ConversationEntry, decided: Sequence[Decision], place: Place) -> WhyNot:
        said = [act for act in acts_on(self.acts, place) if act.purpose in self.asked and act.act != "defer"]
        refused = {act.scope: act.act in REFUSALS for act in said}
        found: dict[WhyNot, bool] = {
            "held": any(one.held for one in decided),
            "deleted": entry.deleted_at is not None,
            "kept out": refused.get("conversation", False),
            "project": refused.get("project", False),
            "rule": any(reason.kind == "veto" for one in decided for reason in one.reasons),
            "silent": not said,
            "refused": bool(said) and said[-1].act in REFUSALS,
            "unknown": any(one.gap for one in decided),
        }
        return next((why for why, so in found.items() if so), "before")


def rule_says(policies: Sequence[Policy], name: str) -> str:
    """Return the sentence of a rule in the newest policy that has it; no letters if none of them does."""
    for policy in reversed(policies):
        rules: list[Grant | Cap | Veto] = [*policy.grants, *policy.caps, *policy.vetoes, policy.withdrawal]
        for rule in rules:
            if rule.id == name:
                return rule.says
    return ""


def locked(acts: Iterable[Choice], purposes: Collection[str]) -> dict[str, datetime]:
    """Return which conversations their owner keeps out, by id, and since when: the latest first."""
    last: dict[tuple[str, str], Choice] = {}
    for act in acts:
        if act.scope == "conversation" and act.target and act.purpose in purposes and act.act != "defer":
            last[act.target, act.purpose] = act
    kept_out = [act for act in last.values() if act.act in REFUSALS]
    kept_out.sort(key=lambda act: (act.at, act.id), reverse=True)
    return {act.target: act.at for act in kept_out if act.target}


def _end(decision: Decision) -> datetime:
    return decision.erase_by or _LATEST


def _kept(decision: Decision) -> Kept:
    if decision.held:
        return "held"
    if decision.erase_by is not None:
        return "until"
    return "unknown" if decision.gap else "open"
