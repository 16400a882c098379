"""What a lint says: which lint, how bad, about which rule, where, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from assent.policy.document import ExceptionRule

if TYPE_CHECKING:
    from assent.domain.errors import Place
    from assent.policy.build import Path
    from assent.policy.document import Document, Grant

Severity = Literal["error", "warning"]

SURVIVING_CLASSES = ("safety exception", "feedback exception")
"""Classes of exceptions that may do without a choice: they are published as surviving an opt-out."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of one lint.

    `rule` is the id of the rule (for L9 the group of plans), empty where the whole file is
    meant; `path` says where it stands in the document, `place` where in the file.
    `accepted` is the operator's reason, if `[[accepted]]` names this finding.
    """

    lint: str
    rule: str
    path: Path
    message: str
    fix: str
    severity: Severity = "error"
    accepted: str = ""
    place: Place | None = None


def trains(document: Document, rule: Grant) -> bool:
    """Tell whether a rule lets parts into a cut without being an exception that is published as such."""
    purpose = document.purposes.get(rule.purpose)
    if purpose is None or not purpose.cut:
        return False
    return not (isinstance(rule, ExceptionRule) and rule.rule_class in SURVIVING_CLASSES)
