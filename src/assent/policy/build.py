"""From a document to a policy that can decide: expand groups, resolve anchors, link rules.

Raises `RuleProblem` for what the shape alone cannot show: an unknown plan, purpose,
source, cap or veto; a rule id used twice; and the structural lints L1, L2, L4, L5, L8 and
L12, without which nothing could be decided safely.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from assent.domain.digests import digest
from assent.domain.durations import Duration
from assent.domain.errors import Invalid
from assent.policy import document as doc
from assent.policy.model import (
    CLASSES,
    HAPPENINGS,
    AgeTest,
    Cap,
    ChoiceRule,
    Condition,
    Grant,
    Lengths,
    Membership,
    Policy,
    TakingBack,
    Veto,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

Path = tuple[str | int, ...]
"""Where a value stands in the document: `("grant", 2, "anchor")`."""

_EU: Final = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
REGIONS: Final = {"EU": frozenset(_EU.split()), "EEA": frozenset([*_EU.split(), "IS", "LI", "NO"])}
"""Country groups every policy may name (ISO 3166-1 alpha-2 members; EEA: EU, Iceland, Liechtenstein, Norway)."""

RESERVED: Final = frozenset({"withdrawn", "hold", "none", "legal", "gap"})


class RuleProblem(Invalid):
    """A rule that cannot be built; `path` says where it stands, `lint` which lint it breaks, if one."""

    def __init__(self, path: Path, message: str, fix: str, lint: str = "") -> None:
        """Keep the path, so that the parser can point at line and column."""
        super().__init__(f"{lint}: {message}" if lint else message, fix)
        self.path = path
        self.lint = lint


def build(document: doc.Document) -> Policy:
    """Turn a document into a policy. Raises `RuleProblem` at the first rule that cannot be built."""
    problems = structural_problems(document)
    if problems:
        raise problems[0]
    linker = _Linker(document)
    vetoes = tuple(linker.veto(veto) for veto in document.veto)
    caps = tuple(linker.cap(cap) for cap in document.cap)
    rules: list[doc.Grant] = [*document.grant, *document.exception]
    parameters = document.parameters
    announced = document.policy.announced
    silence = parameters.answer_deadline if parameters.no_answer == "decline" else None
    return Policy(
        name=f"{document.policy.provider}/{document.policy.version}",
        digest=digest(meaning(document)),
        announced=announced and announced.astimezone(UTC),
        effective=document.policy.effective.astimezone(UTC),
        acknowledgement_counts=document.policy.acknowledgement_counts,
        grants=tuple(linker.grant(rule, vetoes, caps) for rule in rules if linker.governed(rule)),
        vetoes=vetoes,
        caps=caps,
        withdrawal=linker.withdrawal(),
        part_clock="last_turn_at" if parameters.resume_scope == "whole conversation" else "created_at",
        revives=parameters.regrant_revives_earlier_data,
        silence_refuses_from=silence and silence.astimezone(UTC),
        reversal_ends_flag=parameters.flag_reversed == "base clock",
        cut_purposes=tuple(name for name, purpose in document.purposes.items() if purpose.cut),
        plans=frozenset(linker.plans),
        business_plans=frozenset(document.plans.get("business", ())),
        # `structural_problems` has seen that all four are there
        taking_back=TakingBack(*(getattr(document.withdrawal, name) for name in TakingBack._fields)),
    )


def meaning(document: doc.Document) -> dict[str, Any]:
    """Return the values that the digest names: everything the file says, not how it is laid out."""
    return _plain(document.model_dump(by_alias=True))  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | bool | None) else str(value)


def structural_problems(document: doc.Document) -> list[RuleProblem]:
    """List every problem that keeps the document from being built, in file order of the rule kinds."""
    return [*_references(document), *_withdrawal_and_hold(document), *_lengths(document)]


def _rules(document: doc.Document) -> list[tuple[Path, Any]]:
    named: list[tuple[str, Iterable[Any]]] = [
        ("grant", document.grant),
        ("exception", document.exception),
        ("cap", document.cap),
        ("veto", document.veto),
    ]
    return [((kind, index), rule) for kind, rules in named for index, rule in enumerate(rules)]


def _references(document: doc.Document) -> list[RuleProblem]:
    return [*_rule_references(document), *_ignored(document), *_parameter_bases(document)]


def _unknown(path: Path, word: str, kind: str, known: Iterable[str]) -> RuleProblem:
    return RuleProblem(path, f"`{word}` is not a {kind} of this policy", f"use one of {', '.join(sorted(known))}")


def _rule_references(document: doc.Document) -> list[RuleProblem]:
    problems: list[RuleProblem] = []
    seen: set[str] = set()
    plans = [name for group, members in document.plans.items() for name in (group, *members)]
    for path, rule in _rules(document):
        if rule.id in seen or rule.id in RESERVED:
            problems.append(RuleProblem((*path, "id"), f"`{rule.id}` is taken", "give every rule an id of its own"))
        seen.add(rule.id)
        purposes = [rule.purpose] if isinstance(rule, doc.Grant) else getattr(rule, "purposes", None) or rule.removes
        named: tuple[tuple[Path, Iterable[str], str, Iterable[str]], ...] = (
            ((*path, "source"), [rule.source], "source", [*document.sources, "none"]),
            (path, purposes, "purpose", list(document.purposes)),
            ((*path, "copies"), getattr(rule, "copies", []), "copy", list(document.copies)),
            ((*path, "when", "plan"), _listed(getattr(getattr(rule, "when", None), "plan", None)), "plan", plans),
        )
        for place, words, kind, known in named:
            problems += [_unknown(place, word, kind, known) for word in words if word not in known]
    for name in document.purposes:
        if name in RESERVED - {"legal"}:
            problems.append(RuleProblem(("purposes", name), f"`{name}` is a reserved word", "choose another name"))
    return problems


def _ignored(document: doc.Document) -> list[RuleProblem]:
    problems = []
    names = {rule.id for rule in (*document.cap, *document.veto)} | {"withdrawn"}
    for index, exception in enumerate(document.exception):
        path = ("exception", index)
        if not exception.ignores:
            fix = "list the caps and vetoes it ignores, as `ignores = [...]`"
            problems.append(RuleProblem(path, "the exception does not say what it ignores", fix, "L5"))
        words = exception.ignores or []
        problems += [_unknown((*path, "ignores"), name, "cap or veto", names) for name in words if name not in names]
    return problems


def _parameter_bases(document: doc.Document) -> list[RuleProblem]:
    problems = []
    parameters = set(doc.Parameters.model_fields) - {"basis", "answer_deadline"}
    for name in sorted(parameters - set(document.parameters.basis)):
        fix = f'add `{name} = "open"` under [parameters.basis] if the provider\'s text leaves it open, else a source'
        problems.append(RuleProblem(("parameters", "basis"), f"`{name}` has no basis", fix))
    for name, basis in document.parameters.basis.items():
        path = ("parameters", "basis", name)
        if name not in doc.Parameters.model_fields:
            problems.append(_unknown(path, name, "parameter", parameters))
        elif basis not in (*document.sources, "open"):
            problems.append(_unknown(path, basis, "source", [*document.sources, "open"]))
    return problems


def _listed(value: Any) -> list[str]:
    return list(value.not_ if isinstance(value, doc.NoneOf) else value or [])


def _withdrawal_and_hold(document: doc.Document) -> list[RuleProblem]:
    problems = []
    for name in ("future_data", "stored_data", "started_runs", "finished_models"):
        if getattr(document.withdrawal, name) is None:
            message = f"the withdrawal does not say what happens to {name.replace('_', ' ')}"
            problems.append(RuleProblem(("withdrawal",), message, f"add `{name} = ...`", "L8"))
    for name in ("scopes", "author_required", "review_every"):
        if not getattr(document.hold, name):
            message = f"holds are accepted without `{name}`"
            problems.append(RuleProblem(("hold",), message, f"add `{name}`; a hold needs scope, author, review", "L12"))
    return problems


def _lengths(document: doc.Document) -> list[RuleProblem]:
    problems = []
    for path, rule in _rules(document):
        if not isinstance(rule, doc.Grant):
            continue
        if rule.anchor is None:
            fix = 'add `anchor = "retention anchor"` or another anchor of spec/policy.md'
            problems.append(RuleProblem(path, "the duration has no anchor", fix, "L1"))
        if rule.use_for == "indefinite":
            continue
        if rule.bound is None:
            fix = 'add `bound = "up to"` (a ceiling) or `bound = "at least"` (a floor)'
            problems.append(RuleProblem(path, "the duration says neither `up to` nor `at least`", fix, "L2"))
        if rule.erase_after is None:
            fix = 'add `erase_after = "at once"` or a duration: erasure follows the end of use, never precedes it'
            problems.append(RuleProblem(path, "the grant does not say when the bytes are gone", fix, "L4"))
    return problems


class _Linker:
    """Turns rules of one document into typed rules that know each other."""

    def __init__(self, document: doc.Document) -> None:
        self.document = document
        self.plans = {plan for plans in document.plans.values() for plan in plans}
        self.regions = {**REGIONS, **{name.upper(): frozenset(codes) for name, codes in document.regions.items()}}

    def governed(self, rule: doc.Grant) -> bool:
        """Tell whether any copy the rule speaks of is one that this policy erases."""
        return any(self.document.copies[copy].governed for copy in rule.copies)

    def condition(self, when: doc.When) -> Condition:
        tests: list[Membership | AgeTest] = []
        for key in ("plan", "region", "role", "surface", "mode", "data", "origin", "signed_in"):
            value = getattr(when, key)
            if value is not None:
                tests.append(self._membership(key, value))
        if when.age is not None:
            tests.append(AgeTest(when.age.below, when.age.from_))
        return Condition(
            tests=tuple(tests),
            happened=tuple(HAPPENINGS[event] for event in when.happened),
            absent=tuple(HAPPENINGS[event] for event in when.absent),
            era=when.part,
        )

    def _membership(self, key: str, value: Any) -> Membership:
        negated = isinstance(value, doc.NoneOf)
        values = set(value.not_ if negated else value if isinstance(value, list) else [value])
        if key == "plan":
            values |= {plan for group in values for plan in self.document.plans.get(group, ())}
            return Membership(key, frozenset(values & self.plans), negated, frozenset(self.plans))
        if key == "region":
            # facts name regions in capitals, whatever capitals a policy or a person used
            values = {str(value).upper() for value in values}
            values |= {code.upper() for group in values for code in self.regions.get(group, ())}
        return Membership(key, frozenset(values), negated)

    def veto(self, veto: doc.Veto) -> Veto:
        rank = CLASSES.index(veto.rule_class)
        return Veto(veto.id, veto.says, veto.source, rank, self.condition(veto.when), frozenset(veto.removes))

    def cap(self, cap: doc.Cap) -> Cap:
        return Cap(
            id=cap.id,
            says=cap.says,
            source=cap.source,
            rank=CLASSES.index(cap.rule_class),
            key=HAPPENINGS[cap.event],
            purposes=frozenset(cap.purposes),
            use_after=_length(cap.use_after),
            erase_after=_length(cap.erase_after),
            keeps=cap.erase_after == "keep",
        )

    def withdrawal(self) -> Cap:
        """Build the cap that a withdrawn choice puts on the grants that needed it."""
        length = self.document.parameters.retention_on_withdrawal
        return Cap(
            id="withdrawn",
            says=self.document.withdrawal.says,
            source=self.document.withdrawal.source,
            rank=CLASSES.index("withdrawal"),
            key="",
            purposes=frozenset(),
            use_after=None,
            erase_after=_length(length),
            keeps=length == "keep",
        )

    def grant(self, rule: doc.Grant, vetoes: tuple[Veto, ...], caps: tuple[Cap, ...]) -> Grant:
        ignores = frozenset(rule.ignores or ()) if isinstance(rule, doc.ExceptionRule) else None
        ignored = ignores or frozenset()
        anchor = rule.anchor or ""
        return Grant(
            id=rule.id,
            says=rule.says,
            source=rule.source,
            rank=CLASSES.index(rule.rule_class),
            purpose=rule.purpose,
            when=self.condition(rule.when),
            anchor=self.document.parameters.retention_anchor if anchor == "retention anchor" else anchor,
            use_for=_lengths_of(rule.use_for),
            floor=rule.bound == "at least",
            erase_after=_length(rule.erase_after),
            choices=tuple(self._choice(choice) for choice in choices_of(rule)),
            ignores=ignores,
            vetoes=tuple(v for v in vetoes if rule.purpose in v.removes and v.id not in ignored),
            caps=tuple(c for c in caps if rule.purpose in c.purposes and c.id not in ignored),
        )

    def _choice(self, choice: doc.Choice) -> ChoiceRule:
        default = "part" if self.document.withdrawal.stored_data == "still used" else "part and now"
        return ChoiceRule(choice.purpose, choice.needs == "unless declined", choice.covers or default)  # type: ignore[arg-type]


def choices_of(rule: doc.Grant) -> list[doc.Choice]:
    """Return the choices a grant needs, one or several, as a list."""
    if rule.choice is None:
        return []
    return rule.choice if isinstance(rule.choice, list) else [rule.choice]


def _length(value: Duration | str | None) -> Duration | None:
    return value if isinstance(value, Duration) else None


def _lengths_of(value: Duration | str | doc.PickedLength) -> Lengths:
    if isinstance(value, doc.PickedLength):
        return Lengths(_length(value.default), {str(pick): _length(pick) for pick in value.person_may_pick})
    return Lengths(_length(value), {})


__all__ = ["RuleProblem", "build", "choices_of", "meaning", "structural_problems"]
