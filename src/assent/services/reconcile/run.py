"""Run every check of a reconciliation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assent.domain.instants import format_instant
from assent.services.backup.prune import look
from assent.services.reconcile.contents import contents, orphan_keys
from assent.services.reconcile.decisions import decisions
from assent.services.reconcile.erasures import erasures
from assent.services.reconcile.finding import Finding
from assent.services.reconcile.tracers import tracers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assent.services.reconcile.world import ReconcileWorld


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was found, and which places could not be looked at."""

    findings: tuple[Finding, ...]
    unseen: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Tell whether everything is as it should be, as far as could be seen."""
        return not self.findings


def backups(world: ReconcileWorld) -> Iterator[Finding]:
    """Find backups of keys that are there past their end, or that nobody can see."""
    shelves = look(world.store, now=world.now)
    for state, says in (("expired", "are there past their end"), ("not reachable", "lie where nobody can see them")):
        found = [one.backup for one in shelves if one.state == state]
        if found:
            oldest = format_instant(found[0].taken_at)
            sentence = f"{len(found):,} backups of keys {says}, the oldest of {oldest}"
            names = tuple(one.id for one in found[:5])
            yield Finding("backups", len(found), sentence, "run `assent backup prune` where they can be reached", names)


CHECKS: Final = {
    "decisions": decisions,
    "contents": contents,
    "erasures": erasures,
    "backups": backups,
    "tracers": tracers,
}
"""Every check by its name, in the order in which they run."""


def reconcile(world: ReconcileWorld, on_check: Callable[[str], None]) -> Reconciled:
    """Run every check; `on_check` hears the name of each before it begins."""
    found: list[Finding] = []
    for name, check in CHECKS.items():
        on_check(name)
        found += check(world)
    return Reconciled(tuple(found), tuple(name for name, places in world.places.items() if places is None))


def mend(world: ReconcileWorld) -> int:
    """Destroy keys that no row and no open erasure names; returns how many."""
    slots = orphan_keys(world)
    world.vault.destroy(slots)
    return len(slots)
