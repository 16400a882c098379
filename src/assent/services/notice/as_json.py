"""The question as JSON, for clients that draw it themselves: sentences, and the values behind them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from assent.domain.durations import Duration
from assent.domain.instants import format_instant

if TYPE_CHECKING:
    from assent.services.notice.drawing import Drawing
    from assent.services.notice.facts import Kept, PolicyFacts


def as_json(drawing: Drawing) -> str:
    """Draw the question as a JSON object, keys in a fixed order."""
    question, header = drawing.question, drawing.manifest.header
    body = {
        "notice": {"name": header.name, "version": header.version, "digest": drawing.manifest.digest},
        "policy": {"name": drawing.facts.policy, "digest": drawing.facts.digest, "address": header.policy_url},
        "purpose": drawing.facts.purpose,
        "locale": question.locale,
        "direction": question.direction,
        "layout": drawing.layout,
        "question": question.text,
        "sections": [
            {
                "id": section.id,
                "heading": section.heading,
                "lines": [{"slot": line.slot, "fact": line.fact, "text": line.text} for line in section.lines],
            }
            for section in question.sections
        ],
        "facts": {fact: list(said) for fact, said in question.facts().items()},
        "options": [{"act": act, "label": drawing.label(act)} for act in drawing.options],
        "closing": header.closing,
        "values": neutral(drawing.facts),
        "change": drawing.manifest.document.change.address,
        "withdraw": drawing.manifest.document.withdraw.address,
    }
    if question.feedback:
        body["feedback"] = question.feedback
    return json.dumps(body, ensure_ascii=False, indent=2) + "\n"


def neutral(facts: PolicyFacts) -> dict[str, object]:
    """Write the values of the policy free of any language: ISO 8601 durations, instants, the policy's own words."""
    return {
        "purpose": facts.purpose,
        "data_kinds": list(facts.data_kinds),
        "retention_allowed": _kept(facts.allowed),
        "retention_declined": _kept(facts.declined),
        "exceptions": [
            {"rule": every.rule, "about": every.about, "trains": every.trains, **_some(every.kept)}
            for every in facts.survivors
        ],
        "feedback_retention": _kept(facts.feedback),
        "deletion": str(facts.deletion),
        "resume": facts.resume,
        "withdrawal": {**facts.withdrawal, "retention": str(facts.withdrawal_retention)},
        "no_answer": facts.no_answer,
        "used_until_declined": facts.by_default,
        "deadline": format_instant(facts.deadline) if facts.deadline else None,
        "max_defers": facts.max_defers,
        "defer_cooldown": str(facts.defer_cooldown),
    }


def _kept(kept: Kept | None) -> dict[str, object] | None:
    return None if kept is None else _some(kept)


def _some(kept: Kept) -> dict[str, object]:
    length = str(kept.length) if isinstance(kept.length, Duration) else "indefinite"
    return {"length": length, "bound": kept.bound, "anchor": kept.anchor}
