"""The frozen benchmark: texts that nothing was learned from, by which versions are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assent.domain.digests import digest
from assent.learn.harm.labelled import Labelled, without_copies
from assent.learn.harm.pairs import everyday, pairs
from assent.learn.harm.probes import IDENTITY, probes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_ABOUT_PEOPLE: Final = frozenset({"hate", "harassment"})


def benchmark(further: Iterable[Labelled] = ()) -> list[Labelled]:
    """Return the judging part of what the package carries, and of `further` texts, without copies.

    Harmless texts that name groups of people have the source `IDENTITY`, those of the bias probes in a dialect the
    source `DIALECT`.
    """
    own: list[Labelled] = []
    for pair in pairs():
        source = IDENTITY if pair.category in _ABOUT_PEOPLE else "pairs"
        own.append(Labelled(pair.harmful, (pair.category,), pair.family, "pairs"))
        own.append(Labelled(pair.harmless, (), pair.family, source))
    own += [Labelled(text, (), family, "everyday") for family, text in everyday()]
    own += [Labelled(probe.text, (), probe.twin, probe.kind, part="judge") for probe in probes()]
    return [row for row in without_copies([*own, *further]) if row.use == "judge"]


def benchmark_digest(rows: Sequence[Labelled]) -> str:
    """Name a benchmark by its texts and labels; two reports can be compared if it is the same."""
    return digest([[row.text, list(row.harms), row.source, row.surface] for row in rows])
