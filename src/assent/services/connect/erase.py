"""Erasing in a connected system: refuse what is held, order, look again, and believe only what was seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from assent.connectors.port import Copy, state_of
from assent.domain.copies import CopyState, worst
from assent.domain.errors import AssentError, Refused

if TYPE_CHECKING:
    from assent.connectors.port import Product

BATCH: Final = 500
"""Conversations that a system is asked for at once: holds are looked up again for each batch."""

Held = Callable[[Sequence[str]], Mapping[str, str]]
"""Says which of these ids must not be erased at this moment, and why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one conversation in a system. `note` says why it was refused or could not be reached."""

    id: str
    state: CopyState | Literal["held"]
    copies: tuple[Copy, ...] = ()
    note: str = ""


def erase(
    product: Product,
    ids: Sequence[str],
    held: Held,
    *,
    maintenance: bool = False,
    batch: int = BATCH,
    on_ids: Callable[[int], None] = lambda _count: None,
) -> Iterator[Outcome]:
    """Erase conversations and say of each what a later look found; what is gone already is not ordered again.

    Stopping it anywhere is safe: run it again. A system that cannot be reached is an outcome, and the next batch is
    tried all the same. Raises `Refused` where the system refuses maintenance because it still runs.
    """
    for start in range(0, len(ids), batch):
        some = ids[start : start + batch]
        refused = held(some)
        yield from (Outcome(name, "held", note=refused[name]) for name in some if name in refused)
        yield from _erased(product, [name for name in some if name not in refused], maintenance=maintenance)
        on_ids(len(some))


def look(product: Product, ids: Sequence[str], *, batch: int = BATCH) -> Iterator[Outcome]:
    """Say of each conversation what is left of it; changes nothing."""
    for start in range(0, len(ids), batch):
        some = ids[start : start + batch]
        yield from _seen(product, some, {})


def counts(outcomes: Iterable[Outcome]) -> dict[str, Counter[str]]:
    """Count the copies of these outcomes by kind and by state."""
    found: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        for copy in outcome.copies:
            found.setdefault(copy.kind, Counter())[copy.state] += 1
    return dict(sorted(found.items()))


def _erased(product: Product, ids: Sequence[str], *, maintenance: bool) -> Iterator[Outcome]:
    if not ids:
        return
    left = []
    for outcome in _seen(product, ids, {}):
        if outcome.state == "removed" or outcome.note:  # nothing is left to order, or nobody is there to be asked
            yield outcome
        else:
            left.append(outcome.id)
    if not left:
        return
    try:
        answers = product.erase(left, maintenance=maintenance)
    except Refused:
        raise  # the system still runs: a person has to stop it, and every other conversation would be answered so
    except (AssentError, OSError) as problem:
        yield from _unreachable(left, problem)
        return
    yield from _seen(product, left, answers)


def _seen(product: Product, ids: Sequence[str], answers: Mapping[str, Sequence[Copy]]) -> Iterator[Outcome]:
    """Look, and take the worse of what was answered and what is seen: an answer proves nothing by itself."""
    try:
        seen = product.verify(ids)
    except (AssentError, OSError) as problem:
        yield from _unreachable(ids, problem)
        return
    for name in ids:
        if name not in seen:
            yield Outcome(name, "not reachable", note="the connector did not answer for it")
            continue
        copies = [*seen[name]]
        known = {(copy.kind, copy.place) for copy in copies}
        answered = answers.get(name, ())
        copies += [copy for copy in answered if copy.state != "removed" and (copy.kind, copy.place) not in known]
        yield Outcome(name, worst((state_of(copies), state_of(answered))), tuple(copies))


def _unreachable(ids: Iterable[str], problem: AssentError | OSError) -> Iterator[Outcome]:
    yield from (Outcome(name, "not reachable", note=said(problem)) for name in ids)


def said(problem: AssentError | OSError) -> str:
    """Say what went wrong without the name of a file, which may be anybody's."""
    if isinstance(problem, AssentError):
        return problem.message
    return (problem.strerror or "an error of the machine").lower()
