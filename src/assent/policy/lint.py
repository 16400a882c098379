"""Lint a policy file: all sixteen lints at once, each finding with its place, accepted ones with their reason.

The lints without which nothing can be decided (L1, L2, L4, L5, L8, L12) also keep the file
from loading. They are reported here together with the rest: for the other lints the
missing values are assumed as the safest that could stand there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from assent.domain.durations import Duration
from assent.policy.build import build, structural_problems
from assent.policy.lints.consent import consent_at_both_times, minors_need_a_guardian, silence_is_not_consent
from assent.policy.lints.coverage import no_rule_is_idle, nobody_is_forgotten
from assent.policy.lints.finding import Finding
from assent.policy.lints.page import page_says_what_the_policy_says
from assent.policy.lints.terms import criteria_need_an_owner, floors_name_their_winner
from assent.policy.lints.versions import old_data_is_not_widened, one_version_at_a_time
from assent.policy.parse import read_shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assent.policy.document import Document, Grant
    from assent.policy.model import Policy

LINTS: Final = {
    "L1": "a duration has an anchor",
    "L2": "a duration says whether it is a ceiling or a floor",
    "L3": "training needs permission at the part's time and at the time of the cut",
    "L4": "use ends before the bytes do",
    "L5": "an exception names what it ignores",
    "L6": "silence is not consent",
    "L7": "a new version does not widen the use of old data",
    "L8": "a withdrawal says what it does to each of the four objects",
    "L9": "nobody is forgotten",
    "L10": "keeping by criteria only has an owner and a date to look again",
    "L11": "a floor above a ceiling has a named winner",
    "L12": "a hold has scope, author and review",
    "L13": "one version is current at a time",
    "L14": "minors need a guardian",
    "L15": "the published page says what the policy says",
    "L16": "no rule is idle",
}
"""Every lint and the property it guards (docs/reference/lints.md)."""

STRUCTURAL: Final = frozenset({"L1", "L2", "L4", "L5", "L8", "L12"})
"""Lints that cannot be accepted: without them nothing could be decided."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What some lints need beside the file: the version before it, other versions, the published page."""

    previous: Document | None = None
    others: Sequence[Document] = ()
    page: str | None = None


def lint(text: str, file: str, beside: Beside | None = None) -> list[Finding]:
    """Lint one file and return the findings in file order.

    Raises `PolicyProblems` if the file is not readable as a policy at all.
    """
    document, places = read_shape(text, file)
    findings = [replace(finding, place=places.of(finding.path)) for finding in lint_document(document, beside)]
    return sorted(
        findings, key=lambda f: (f.place.line or 0, f.place.column or 0, int(f.lint[1:] or 0)) if f.place else ()
    )


def lint_document(document: Document, beside: Beside | None = None) -> list[Finding]:
    """Lint a document; accepted findings are warnings that carry the reason."""
    beside = beside or Beside()
    problems = structural_problems(document)
    findings = [
        Finding(problem.lint, _rule_at(document, problem.path), problem.path, _bare(problem.message), problem.fix)
        for problem in problems
    ]
    findings += [*consent_at_both_times(document), *silence_is_not_consent(document), *criteria_need_an_owner(document)]
    findings += one_version_at_a_time(document, beside.others)
    unbuilt = [problem for problem in problems if not problem.lint]
    if not unbuilt:
        findings += _built(document, build(_completed(document)), beside)
    return _accepted(document, findings, _run(beside, built=not unbuilt))


def _built(document: Document, policy: Policy, beside: Beside) -> Iterator[Finding]:
    """Run the lints that decide, or say, something."""
    yield from nobody_is_forgotten(document, policy)
    yield from floors_name_their_winner(document, policy)
    yield from minors_need_a_guardian(document, policy)
    yield from no_rule_is_idle(document, policy)
    if beside.previous is not None:
        yield from old_data_is_not_widened(document, policy, build(beside.previous))
    if beside.page is not None:
        yield from page_says_what_the_policy_says(document, beside.page)


def _run(beside: Beside, *, built: bool) -> set[str]:
    """List the lints that had what they need, so that an unused acceptance of another is not complained about."""
    needs = {"L7": beside.previous is not None, "L13": bool(beside.others), "L15": beside.page is not None}
    needs |= dict.fromkeys(("L9", "L11", "L14", "L16"), True)
    deciding = set(needs) - {"L13"}
    return {lint for lint in LINTS if needs.get(lint, True) and (built or lint not in deciding)}


def _rule_at(document: Document, path: tuple[str | int, ...]) -> str:
    if len(path) < 2 or not isinstance(path[1], int):
        return str(path[0]) if path else ""
    return str(getattr(document, str(path[0]))[path[1]].id)


def _bare(message: str) -> str:
    """Drop the lint's number that the parser shows, since the finding carries it."""
    head, _, rest = message.partition(": ")
    return rest if head in LINTS else message


def _completed(document: Document) -> Document:
    """Fill in what the structural lints miss, so that the other lints can run: the shortest and the narrowest."""

    def grant(rule: Grant) -> Grant:
        missing: dict[str, object] = {}
        if rule.anchor is None:
            missing["anchor"] = "created"
        if rule.use_for != "indefinite":
            missing |= {"bound": rule.bound or "up to", "erase_after": rule.erase_after or "at once"}
        return rule.model_copy(update=missing)

    withdrawal = {"future_data": "not used", "stored_data": "not used", "started_runs": "stop"}
    withdrawal["finished_models"] = "unchanged"
    given = {name: value for name, value in document.withdrawal if value is not None}
    hold = {"scopes": ["person"], "author_required": True, "review_every": Duration(days=1)}
    return document.model_copy(
        update={
            "grant": [grant(rule) for rule in document.grant],
            "exception": [
                grant(rule).model_copy(update={"ignores": rule.ignores or ["withdrawn"]}) for rule in document.exception
            ],
            "withdrawal": document.withdrawal.model_copy(update={**withdrawal, **given}),
            "hold": document.hold.model_copy(update={k: getattr(document.hold, k) or v for k, v in hold.items()}),
        }
    )


def _accepted(document: Document, findings: list[Finding], run: set[str]) -> list[Finding]:
    """Turn accepted findings into warnings with the reason; an acceptance that does nothing is a warning itself."""
    for index, entry in enumerate(document.accepted):
        path = ("accepted", index)
        if entry.lint in STRUCTURAL:
            message = f"`{entry.lint}` cannot be accepted: without it nothing can be decided"
            findings.append(Finding("", entry.rule or "", path, message, "correct the rule instead", "warning"))
            continue
        matched = {
            n for n, finding in enumerate(findings) if finding.lint == entry.lint and entry.rule in (None, finding.rule)
        }
        findings = [
            replace(finding, severity="warning", accepted=entry.reason) if n in matched else finding
            for n, finding in enumerate(findings)
        ]
        if not matched and entry.lint in run:
            about = f" for `{entry.rule}`" if entry.rule else ""
            message = f"`{entry.lint}` is accepted{about}, but there is no such finding"
            findings.append(Finding("", entry.rule or "", path, message, "remove the entry", "warning"))
    return findings
