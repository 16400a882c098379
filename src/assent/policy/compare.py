"""Two versions of a policy side by side: what changed in words, and what that does to people.

Each change is applied to the older version alone and both decide the same grid of facts
(`compare_effect.py`), so that its direction is computed and not guessed from the words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from assent.domain.durations import Duration
from assent.policy.build import RuleProblem, build
from assent.policy.compare_effect import UNCHANGED, Effect, Grid
from assent.policy.render import PARAMETERS, value_words
from assent.policy.segments import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic import BaseModel

    from assent.policy.document import Document

Kind = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: where, in which words, and what it does on its own.

    `alone` is False where the change cannot stand without the others (it names something
    that only the new version has); its effect is then part of the whole.
    """

    id: str
    kind: Kind
    text: str
    effect: Effect = field(default_factory=Effect)
    alone: bool = True


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences between two versions, and the effect of all of them together."""

    old: str
    new: str
    old_digest: str
    new_digest: str
    changes: tuple[Change, ...]
    effect: Effect

    def directions(self) -> tuple[str, ...]:
        """Return what the new version does for people, or that it means the same."""
        return self.effect.directions or (UNCHANGED,)

    def to_record(self) -> dict[str, object]:
        """Write the comparison as the JSON object of `assent policy diff --json`."""
        return {
            "old": self.old,
            "new": self.new,
            "old_digest": self.old_digest,
            "new_digest": self.new_digest,
            **_effect_record(self.effect),
            "changes": [
                {"id": c.id, "kind": c.kind, "text": c.text, "alone": c.alone, **_effect_record(c.effect)}
                for c in self.changes
            ],
        }


def _effect_record(effect: Effect) -> dict[str, object]:
    example = {"case": effect.example, "before": effect.before, "after": effect.after}
    return {
        "directions": list(effect.directions or (UNCHANGED,)),
        "affected": effect.affected or None,
        "example": example if effect.example else None,
    }


_WORDS: Final = {
    "use_for": "kept",
    "erase_after": "erased after the end of use",
    "use_after": "use ends after the event",
    "anchor": "counted from",
    "bound": "the length is",
    "when": "applies to",
    "choice": "choice",
    "purpose": "purpose",
    "purposes": "purposes",
    "removes": "takes away",
    "ignores": "ignores",
    "class": "class",
    "guardian_grant": "a guardian allows it for minors",
    "says": "says",
}
"""Fields of rules in words; the others are called by their keys."""

_TEXT_ONLY: Final = frozenset(
    {"says", "source", "owner", "review", "title", "summary", "status", "supersedes", "de_identification"}
)
"""Fields that no decision reads."""

_RULES: Final = ("grant", "exception", "cap", "veto")


@dataclass(frozen=True, slots=True)
class _Step:
    """A change and how to apply it to a document; `apply` is None where no decision can depend on it."""

    id: str
    kind: Kind
    text: str
    apply: Callable[[Document], Document] | None


def compare(old: Document, new: Document) -> Comparison:
    """Compare two documents that can be built."""
    before, after = build(old), build(new)
    grid = Grid(before, after)
    base = _with_vocabulary(old, new)
    changes = tuple(_judged(step, base, grid) for step in _steps(old, new))
    return Comparison(before.name, after.name, before.digest, after.digest, changes, grid.effect(after))


def _judged(step: _Step, base: Document, grid: Grid) -> Change:
    if step.apply is None:
        return Change(step.id, step.kind, step.text)
    try:
        changed = build(_linked(step.apply(base)))
    except RuleProblem:
        return Change(step.id, step.kind, step.text, alone=False)
    return Change(step.id, step.kind, step.text, grid.effect(changed))


def _with_vocabulary(old: Document, new: Document) -> Document:
    """Let the old document know the new one's names, so that each change can be tried on it; it decides the same."""
    names = ("sources", "purposes", "copies", "regions", "plans")
    known = {plan for plans in old.plans.values() for plan in plans}
    added = {name: {**getattr(new, name), **getattr(old, name)} for name in names}
    # A plan that the old version did not declare stays undeclared: it was a gap, and a gap is an answer.
    added["plans"] = {group: [plan for plan in plans if plan in known] for group, plans in added["plans"].items()}
    return old.model_copy(update=added)


def _linked(document: Document) -> Document:
    """Drop from exceptions the caps and vetoes that this mixture of versions does not have."""
    names = {rule.id for rule in (*document.cap, *document.veto)} | {"withdrawn"}
    exceptions = [
        rule.model_copy(update={"ignores": [name for name in rule.ignores or [] if name in names] or ["withdrawn"]})
        for rule in document.exception
    ]
    return document.model_copy(update={"exception": exceptions})


def _steps(old: Document, new: Document) -> Iterator[_Step]:
    yield from _fields(old, new, "policy", skip=("provider", "version", "supersedes"))
    yield from _fields(old, new, "parameters", skip=("basis",))
    for name in sorted({*old.parameters.basis, *new.parameters.basis}):
        was, now = old.parameters.basis.get(name), new.parameters.basis.get(name)
        if was != now:
            yield _Step(f"parameters.basis.{name}", "changed", f"source of {name}: {_arrow(was, now)}", None)
    for table in ("plans", "regions", "purposes", "copies", "sources"):
        yield from _entries(old, new, table)
    yield from _rules(old, new)
    yield from _fields(old, new, "withdrawal")
    yield from _fields(old, new, "hold")


def _fields(old: Document, new: Document, table: str, skip: tuple[str, ...] = ()) -> Iterator[_Step]:
    """Compare a table key by key."""
    was, now = getattr(old, table), getattr(new, table)
    for name in type(was).model_fields:
        before, after = getattr(was, name), getattr(now, name)
        if before == after or name in skip:
            continue
        label = f"{name.replace('_', ' ')} ({PARAMETERS[name]})" if name in PARAMETERS else name.replace("_", " ")
        heading = "" if table == "parameters" else f"{table}: "

        def apply(document: Document, name: str = name, value: object = after) -> Document:
            part: BaseModel = getattr(document, table)
            return document.model_copy(update={table: part.model_copy(update={name: value})})

        text = f"{heading}{label}: {_arrow(before, after)}"
        yield _Step(f"{table}.{name}", "changed", text, None if name in _TEXT_ONLY else apply)


def _entries(old: Document, new: Document, table: str) -> Iterator[_Step]:
    """Compare a table of named entries."""
    was, now = getattr(old, table), getattr(new, table)
    for name in dict.fromkeys([*was, *now]):
        before, after = was.get(name), now.get(name)
        if before == after:
            continue

        def apply(document: Document, name: str = name, value: Any = after) -> Document:
            entries = {key: entry for key, entry in getattr(document, table).items() if key != name}
            return document.model_copy(update={table: entries if value is None else {**entries, name: value}})

        kind: Kind = "added" if before is None else "removed" if after is None else "changed"
        text = f"{table}: `{name}` {kind}"
        text += (
            f": {_arrow(before, after)}" if kind == "changed" else f" ({_value(before if after is None else after)})"
        )
        yield _Step(f"{table}.{name}", kind, text, None if table == "sources" else apply)


def _rules(old: Document, new: Document) -> Iterator[_Step]:
    """Compare rules by id, wherever they stand."""
    was, now = _by_id(old), _by_id(new)
    for name in dict.fromkeys([*was, *now]):
        before, after = was.get(name), now.get(name)
        if before == after:
            continue

        def apply(document: Document, name: str = name, after: Any = after) -> Document:
            lists = {kind: [rule for rule in getattr(document, kind) if rule.id != name] for kind in _RULES}
            if after is not None:
                place = [rule.id for rule in getattr(document, after[0])]
                lists[after[0]].insert(place.index(name) if name in place else len(place), after[1])
            return document.model_copy(update=lists)

        if before is None or after is None:
            kind, rule = after or before  # type: ignore[misc]  # one of both is there
            happened: Kind = "added" if before is None else "removed"
            yield _Step(f"{kind}.{name}", happened, f"{kind} `{name}` {happened}: {rule.says}", apply)
            continue
        fields: list[tuple[str, object, object]] = []
        if before[0] != after[0]:
            fields.append(("kind", before[0], after[0]))
        fields += _different(before[1], after[1])
        text = "; ".join(f"{_WORDS.get(key, key.replace('_', ' '))} {_arrow(was, now)}" for key, was, now in fields)
        decides = any(key not in _TEXT_ONLY for key, _, _ in fields)
        yield _Step(f"{after[0]}.{name}", "changed", f"{name}: {text}", apply if decides else None)


def _by_id(document: Document) -> dict[str, tuple[str, Any]]:
    return {rule.id: (kind, rule) for kind in _RULES for rule in getattr(document, kind)}


def _different(before: BaseModel, after: BaseModel) -> list[tuple[str, object, object]]:
    names = {
        (info.alias or name): name for model in (type(before), type(after)) for name, info in model.model_fields.items()
    }
    pairs = [(key, getattr(before, name, None), getattr(after, name, None)) for key, name in names.items()]
    return [(key, was, now) for key, was, now in pairs if was != now]


def _arrow(before: object, after: object) -> str:
    return f"{_value(before)} -> {_value(after)}"


def _value(value: Any) -> str:
    """Say a value of a document in words; a table is said key by key."""
    if isinstance(value, list):
        return listed([_value(item) for item in value]) or "none"
    if not isinstance(value, Duration) and hasattr(value, "model_dump"):
        names = {name: info.alias or name for name, info in type(value).model_fields.items()}
        pairs = [(names[name], item) for name, item in value if item not in (None, [])]
        return ", ".join(f"{key} {_value(item)}" for key, item in pairs) or "everything"
    return value_words(value)
