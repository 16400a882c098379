"""The kit refuses connectors that we made dishonest, each in one way."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.connectors.kit import LyingPromises, Promises, WatchPromises
from tests.conformance.connectors.simulated import SimulatedWorld
from tests.conformance.connectors.simulated_kind import Simulated

from assent.connectors.port import Copy, Listed


class _Dishonest(SimulatedWorld):
    """The same product, behind a connector with something replaced."""

    def __init__(self, folder: Path, fault: type) -> None:
        super().__init__(folder)
        self._fault = fault

    def product(self) -> Any:
        made = super().product()
        made.__class__ = self._fault
        return made


class Believes(Simulated):
    """It takes "200 OK" for removed."""

    def erase(self, ids: Sequence[str], *, maintenance: bool = False) -> Mapping[str, Sequence[Copy]]:
        super().erase(ids, maintenance=maintenance)
        return {name: [Copy("chat row", "database", "removed")] for name in ids}


class ForgetsTheFiles(Simulated):
    """It looks at rows and the log, and not at attachments."""

    def _remembered(self) -> dict[str, Any]:
        return {name: {**one, "files": []} for name, one in super()._remembered().items()}

    def erase(self, ids: Sequence[str], *, maintenance: bool = False) -> Mapping[str, Sequence[Copy]]:
        for name in ids:
            self._system.delete_chat(name)
        return super().erase(ids, maintenance=maintenance)


class TakesSharedFiles(Simulated):
    """It takes the neighbour along."""

    def erase(self, ids: Sequence[str], *, maintenance: bool = False) -> Mapping[str, Sequence[Copy]]:
        if ids:
            listed = [one.id for one in self.list()]
            ids_and_next = {*ids, *listed[:1]}
            answers = super().erase(sorted(ids_and_next), maintenance=maintenance)
            return {name: answers[name] for name in ids}
        return {}


class OnlyTheFirstPage(Simulated):
    """It does not go on listing."""

    def list(self, since: datetime | None = None) -> Any:
        for chat in self._system.get_page(0, 2)["chats"]:
            yield Listed(chat["id"], chat["owner"])


class UpdateTimes(Simulated):
    """It takes the time of the row for the person's turn."""

    def list(self, since: datetime | None = None) -> Any:
        for chat in self._system.get_page(0, 2_000)["chats"]:
            yield Listed(chat["id"], chat["owner"], last_turn_at=datetime.fromtimestamp(chat["updated"]).astimezone())


class GoneWhenDown(Simulated):
    """It takes a system that does not answer for one with nothing in it."""

    def _found(self, ids: Sequence[str], memory: Mapping[str, Any]) -> dict[str, list[Copy]]:
        try:
            return super()._found(ids, memory)
        except OSError:
            return {name: [] for name in ids}


class OnceIsForEver(Simulated):
    """What it erased once, it never looks at again."""

    def verify(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        known = self._remembered()
        return {name: [] if name in known else copies for name, copies in super().verify(ids).items()}


class LeavesOut(Simulated):
    """It does not answer for what it does not know."""

    def erase(self, ids: Sequence[str], *, maintenance: bool = False) -> Mapping[str, Sequence[Copy]]:
        return dict(list(super().erase(ids, maintenance=maintenance).items())[1:])


class Quotes(Simulated):
    """It names copies by their text."""

    def copies(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        texts = {one.id.partition(":")[2]: one.parts[0].text for one in self.read(ids)}
        return {name: [Copy("chat row", texts.get(name, ""))] for name in ids}


class Patterns(Simulated):
    """It takes an id for a pattern."""

    def erase(self, ids: Sequence[str], *, maintenance: bool = False) -> Mapping[str, Sequence[Copy]]:
        if "%" in ids:
            super().erase([one.id for one in self.list()], maintenance=maintenance)
        return super().erase(ids, maintenance=maintenance)


class Repeats(Simulated):
    """It begins from the beginning each time it watches."""

    def watch(self, cursor: str = "") -> Any:
        return super().watch("")


FAULTS = {
    Believes: (LyingPromises, "test_an_answer_is_no_proof"),
    ForgetsTheFiles: (Promises, "test_what_is_reported_as_removed_left_no_byte_and_the_rest_is_pending"),
    TakesSharedFiles: (Promises, "test_what_is_reported_as_removed_left_no_byte_and_the_rest_is_pending"),
    OnlyTheFirstPage: (Promises, "test_it_lists_each_conversation_once_with_the_last_turn_of_its_person"),
    UpdateTimes: (Promises, "test_it_lists_each_conversation_once_with_the_last_turn_of_its_person"),
    GoneWhenDown: (Promises, "test_a_system_that_is_down_has_neither_conversations_nor_removed_any"),
    OnceIsForEver: (Promises, "test_what_comes_back_after_its_erasure_is_found"),
    LeavesOut: (Promises, "test_what_is_reported_as_removed_left_no_byte_and_the_rest_is_pending"),
    Quotes: (Promises, "test_no_answer_and_no_list_says_what_was_said"),
    Patterns: (Promises, "test_ids_that_look_like_something_else_reach_nothing_else"),
    Repeats: (WatchPromises, "test_it_says_what_happened_behind_a_cursor_and_nothing_twice"),
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__doc__)
def test_the_kit_refuses_a_connector_when(fault: type, tmp_path: Path) -> None:
    promises, name = FAULTS[fault]
    for world, expected in (
        (SimulatedWorld(tmp_path / "honest"), nullcontext()),
        (_Dishonest(tmp_path / "not", fault), _broken()),
    ):
        with expected:
            getattr(promises(), name)(world)


def _broken() -> AbstractContextManager[Any]:
    return pytest.raises((AssertionError, KeyError))
