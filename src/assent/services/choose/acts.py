"""Whoever takes acts all day: groups of them as they come, and in between the events that tell of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from assent.services.choose.choose import ChooseStore
from assent.services.choose.several import choose_several
from assent.services.events.tell import TellStore, tell_choices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assent.policy.model import Policy
    from assent.services.choose.choose import Outcome
    from assent.services.choose.desk import Desk
    from assent.services.choose.several import Asked, EnterAll

STRETCH: Final = 32
"""Acts told at once under load. A group that comes meanwhile waits for it: some 3 ms."""

QUIET_S: Final = 0.05
"""Seconds after which fewer are told too."""


class ActsStore(ChooseStore, TellStore, Protocol):
    """What taking and telling ask of a store."""


@dataclass
class Acts:
    """Takes the acts of many people at once; one writer at a time.

    The one who writes also tells: another thread or process would take turns with it for the lock of the database.
    What it does not come to is left to whoever walks over the ledger next (`tell_choices`).
    """

    store: ActsStore
    desk: Desk
    enter: EnterAll
    policies: Sequence[Policy]
    stretch: int = STRETCH
    _untold: int = 0

    def __call__(self, asked: Sequence[Asked]) -> list[Outcome | Exception]:
        """Take acts as `choose_several` does."""
        told = choose_several(self.store, self.desk, asked, enter=self.enter, policies=self.policies)
        self._untold += len(told)
        return told

    def meanwhile(self, quiet_s: float) -> float | None:
        """Tell a stretch of acts, or what there is of one where it was quiet; see `OwnProcess`."""
        if not self._untold:
            return None
        if self._untold < self.stretch and quiet_s < QUIET_S:
            return QUIET_S
        told = tell_choices(self.store, self.desk.identity, at_once=self.stretch)
        # what is left of a stretch that was not full, others have told
        self._untold = max(0, self._untold - self.stretch) if told == self.stretch else 0
        return 0.0
