"""What every connector promises, as tests that run against its real system.

A connector's tests hand over a `World`: its system, seeded and broken on demand. Then

    from tests.conformance.connectors.kit import Promises

    class TestMine(Promises):
        @pytest.fixture
        def world(self, tmp_path: Path) -> Iterator[World]:
            with my_system(tmp_path) as system:
                yield system

runs every promise. `WatchPromises` is for a system that can say what happened, `LyingPromises` for one that
can be made to answer "done" and do nothing; a class may have all three (`class TestMine(Promises, LyingPromises)`).

A world puts conversations with a *marker* into its system: a made-up word that stands in every copy of that one
conversation and nowhere else. Whether a copy is gone is then a search for bytes, past every layer of the product
and of the connector: in files, write-ahead logs, free pages, tables. A whole small
connector with its world is in `simulated_kind`; docs/how-to/write-a-connector.md says how to write one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, Protocol

import pytest

from assent.connectors.formats.port import Malformed
from assent.connectors.port import Copy, Listed, Product, state_of
from assent.domain.conversation import Conversation, last_turn
from assent.domain.errors import AssentError

ODD_IDS = ("a/b", "..", "../../etc", "%", "_", "*", "x'; --", 'a"b', "-rf", "ä ö", "🦊", "a\nb", ".", " ", "a" * 300)
"""Ids that somebody may ask for: they are looked for as they are, and never read as a path, a pattern or an option."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """A conversation that a world put into its system. `id` is the system's own.

    `last_turn_at`: the newest turn of the person, which is older than the newest turn of the model and than every
    other time of the row. None where the system keeps no times.
    """

    id: str
    marker: str
    last_turn_at: datetime | None
    owner: str | None = None


class World(Protocol):
    """A real system that a connector is tried on; it begins empty."""

    odd_ids: Sequence[str]
    """Ids that look odd and that this system can give to conversations (`ODD_IDS` has ideas); at least one."""

    def product(self) -> Product:
        """Connect anew, as another process would, with nothing remembered in this one."""
        ...

    def seed(self, count: int, ids: Sequence[str] | None = None) -> Sequence[Seeded]:
        """Put `count` further conversations in, with every copy that the system makes of them in use.

        `ids` are theirs where given (as many as `count`, odd ones among them; one that was erased before may be
        among them: then it is there again, as a client that comes back online puts it there). Neither a marker nor
        an id is the beginning of another one's.
        """
        ...

    def touch(self, id: str) -> None:  # noqa: A002 - the word of the port
        """Do what moves the times of a conversation without a turn of the person: pin, file, rename, copy, `touch`."""
        ...

    def bytes_left(self, markers: Iterable[str]) -> Mapping[str, int]:
        """Count, per place, how often these markers stand in the raw bytes of the system.

        Places are words (`database file`, `uploads`, `log`). Reads files and tables itself, without the connector.
        """
        ...

    def break_down(self) -> None:
        """Make the system unreachable: stop its server, take its folder or disk away."""
        ...

    def mend(self) -> None:
        """Bring it back as it was."""
        ...

    def maintenance(self) -> AbstractContextManager[None]:
        """Stop the system for as long as this is entered; `nullcontext()` where maintenance needs no stop."""
        ...


class WatchedWorld(World, Protocol):
    """A system that can say what happened."""

    def take_turn(self, id: str, at: datetime) -> None:  # noqa: A002
        """Have the person say something more in a conversation."""
        ...

    def delete(self, id: str) -> None:  # noqa: A002
        """Delete a conversation as the person does it in the product."""
        ...


class LyingWorld(World, Protocol):
    """A system that can be made to lie."""

    def lie(self) -> AbstractContextManager[None]:
        """Answer every order to erase as if it were done, and do nothing, for as long as this is entered."""
        ...


class _Kit:
    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[World]:
        raise NotImplementedError


class Promises(_Kit):
    """What every connector promises. A subclass gives the fixture `world`."""

    many: ClassVar[int] = 1_000
    """Conversations of the large run."""

    # -- list and read --------------------------------------------------------------------

    def test_an_empty_system_has_nothing(self, world: World) -> None:
        product = world.product()
        assert list(product.list()) == []
        for answer in (product.copies([]), product.erase([]), product.verify([])):
            assert dict(answer) == {}
        assert list(product.read([])) == []

    def test_it_lists_each_conversation_once_with_the_last_turn_of_its_person(self, world: World) -> None:
        seeded = world.seed(5)
        listed = _listed(world)
        assert sorted(one.id for one in listed) == sorted(one.id for one in seeded)
        assert {one.id: one.last_turn_at for one in listed} == {one.id: one.last_turn_at for one in seeded}
        assert {one.id: one.owner for one in listed} == {one.id: one.owner for one in seeded}

    def test_what_moves_times_without_a_turn_changes_no_last_turn(self, world: World) -> None:
        seeded = world.seed(3)
        world.touch(seeded[1].id)
        assert {one.id: one.last_turn_at for one in _listed(world)} == {one.id: one.last_turn_at for one in seeded}

    def test_since_leaves_out_nothing_that_has_a_turn_then_or_later(self, world: World) -> None:
        seeded = world.seed(5)
        times = sorted(one.last_turn_at for one in seeded if one.last_turn_at is not None)
        for since in (*times, datetime(1970, 1, 1, tzinfo=UTC)):
            found = {one.id for one in _listed(world, since)}
            assert found >= {one.id for one in seeded if one.last_turn_at is None or one.last_turn_at >= since}

    def test_it_reads_what_it_lists(self, world: World) -> None:
        seeded = {one.id: one for one in world.seed(4)}
        product = world.product()
        records = list(product.read(list(seeded)))
        assert not [one for one in records if isinstance(one, Malformed)]
        conversations = {one.id: one for one in records if isinstance(one, Conversation)}
        assert sorted(conversations) == sorted(f"{product.format}:{name}" for name in seeded)
        for name, one in seeded.items():
            conversation = conversations[f"{product.format}:{name}"]
            assert any(one.marker in part.text for part in conversation.parts)
            assert not any(other.marker in str(conversation) for other in seeded.values() if other is not one)
            assert conversation.last_turn_at == last_turn(conversation.parts) == one.last_turn_at
            assert conversation.subject == one.owner

    def test_what_is_not_there_is_not_read_and_has_no_copy(self, world: World) -> None:
        kept = world.seed(2)
        product = world.product()
        assert not [one for one in product.read([*ODD_IDS, "nowhere"]) if isinstance(one, Conversation)]
        for answer in (product.copies(["nowhere", *ODD_IDS]), product.verify(["nowhere", *ODD_IDS])):
            assert {state_of(copies) for copies in answer.values()} <= {"removed"}
        assert _all_there(world, kept)

    # -- erase ------------------------------------------------------------------------------

    def test_finding_copies_changes_nothing_and_each_is_named(self, world: World) -> None:
        seeded = world.seed(3)
        ids = [one.id for one in seeded]
        before = world.bytes_left([one.marker for one in seeded])
        found = world.product().copies(ids)
        assert sorted(found) == sorted(ids)
        for one in seeded:
            assert {copy.state for copy in found[one.id]} == {"present"}
            assert all(copy.kind.strip() and copy.place.strip() for copy in found[one.id])
        assert world.bytes_left([one.marker for one in seeded]) == before
        assert world.product().verify(ids).keys() == found.keys()
        assert {state_of(copies) for copies in world.product().verify(ids).values()} == {"present"}

    def test_what_is_reported_as_removed_left_no_byte_and_the_rest_is_pending(self, world: World) -> None:
        gone, kept = _gone_and_kept(world.seed(6))
        before = _texts(world, kept)
        ids = [one.id for one in gone]
        answers = world.product().erase(ids)
        assert sorted(answers) == sorted(ids)  # each id that was asked for has its answer
        _check(world, gone, answers)
        for copies in answers.values():
            assert all(copy.note.strip() for copy in copies if copy.state == "pending maintenance")
        assert _states(world.product().verify(ids)) == _states(answers)
        with world.maintenance():
            answers = world.product().erase(ids, maintenance=True)
        assert set(_states(answers).values()) == {"removed"}
        _check(world, gone, answers)
        assert set(_states(world.product().verify(ids)).values()) == {"removed"}
        assert sorted(one.id for one in _listed(world)) == sorted(one.id for one in kept)
        assert _texts(world, kept) == before
        assert _all_there(world, kept)

    def test_no_answer_and_no_list_says_what_was_said(self, world: World) -> None:
        gone, _ = _gone_and_kept(world.seed(4))
        ids = [one.id for one in gone]
        product = world.product()
        said = str([product.reach, list(product.list()), product.copies(ids), product.erase(ids), product.verify(ids)])
        assert not [one for one in gone if one.marker in said]

    def test_erasing_twice_does_no_harm(self, world: World) -> None:
        gone, kept = _gone_and_kept(world.seed(6))
        ids = [one.id for one in gone]
        _erase_wholly(world, ids)
        again = _erase_wholly(world, [*ids, ids[0]])
        assert set(_states(again).values()) <= {"removed"}
        assert _all_there(world, kept)

    def test_what_comes_back_after_its_erasure_is_found(self, world: World) -> None:
        gone, kept = _gone_and_kept(world.seed(4))
        ids = [one.id for one in gone]
        _erase_wholly(world, ids)
        back = world.seed(1, [ids[0]])
        verified = world.product().verify(ids)
        assert state_of(verified[ids[0]]) != "removed"
        assert {state_of(verified[name]) for name in ids[1:]} == {"removed"}
        answers = _erase_wholly(world, ids)
        _check(world, back, answers)
        assert _all_there(world, kept)

    def test_ids_that_look_like_something_else_reach_nothing_else(self, world: World) -> None:
        kept = world.seed(3)
        odd = world.seed(len(world.odd_ids), list(world.odd_ids))
        there = {one.id for one in odd}
        world.product().erase([name for name in ODD_IDS if name not in there])
        assert _all_there(world, [*kept, *odd])
        answers = _erase_wholly(world, [odd[0].id])
        _check(world, odd[:1], answers)
        assert _all_there(world, [*kept, *odd[1:]])
        answers = _erase_wholly(world, [one.id for one in odd])
        assert set(_states(answers).values()) <= {"removed"}
        _check(world, odd, answers)
        assert _all_there(world, kept)

    # -- a system that is down ----------------------------------------------------------------

    def test_a_system_that_is_down_has_neither_conversations_nor_removed_any(self, world: World) -> None:
        seeded = world.seed(4)
        ids = [one.id for one in seeded]
        product = world.product()
        world.break_down()
        try:
            for look in (product.copies, product.erase, product.verify):
                assert _unreachable(look, ids)
            with pytest.raises((OSError, AssentError)):
                list(product.list())
        finally:
            world.mend()
        assert _all_there(world, seeded)

    def test_down_in_the_middle_and_then_again_ends_with_all_removed(self, world: World) -> None:
        gone, kept = _gone_and_kept(world.seed(8))
        ids = [one.id for one in gone]
        world.product().erase(ids[:2])
        product = world.product()
        world.break_down()
        try:
            assert _unreachable(product.erase, ids[2:])
        finally:
            world.mend()
        answers = _erase_wholly(world, ids)
        assert set(_states(answers).values()) == {"removed"}
        _check(world, gone, answers)
        assert _all_there(world, kept)

    # -- size -----------------------------------------------------------------------------------

    def test_many_at_once(self, world: World) -> None:
        seeded = world.seed(self.many + 2)
        gone, kept = seeded[: self.many], seeded[self.many :]
        assert len(_listed(world)) == len(seeded)
        answers = _erase_wholly(world, [one.id for one in gone])
        assert len(answers) == self.many
        assert set(_states(answers).values()) == {"removed"}
        _check(world, gone, answers)
        assert sorted(one.id for one in _listed(world)) == sorted(one.id for one in kept)
        assert _all_there(world, kept)


class WatchPromises(_Kit):
    """What a connector promises whose system can say what happened. The fixture `world` gives a `WatchedWorld`."""

    def test_it_says_what_happened_behind_a_cursor_and_nothing_twice(self, world: WatchedWorld) -> None:
        one, other, third = world.seed(3)
        first = list(world.product().watch())
        cursor = first[-1].cursor if first else ""
        assert list(world.product().watch(cursor)) == []
        later = (one.last_turn_at or datetime(2026, 1, 1, tzinfo=UTC)) + timedelta(days=400)
        world.take_turn(one.id, later)
        world.delete(other.id)
        happened = list(world.product().watch(cursor))
        assert {change.id for change in happened if change.kind in ("turn", "changed", "created")} >= {one.id}
        assert {change.id for change in happened if change.kind == "deleted"} == {other.id}
        assert third.id not in {change.id for change in happened}
        assert [change.at for change in happened] == sorted(change.at for change in happened)
        assert list(world.product().watch(happened[-1].cursor)) == []
        # stopped in the middle, it goes on behind the last change that was taken
        behind = list(world.product().watch(happened[0].cursor))
        assert [(change.id, change.kind) for change in behind] == [(more.id, more.kind) for more in happened[1:]]

    def test_what_is_deleted_after_a_first_look_is_said_though_nobody_read_on(self, world: WatchedWorld) -> None:
        stays, goes = world.seed(2)
        next(iter(world.product().watch()), None)
        world.delete(goes.id)
        assert [change.id for change in world.product().watch() if change.kind == "deleted"] == [goes.id]
        assert stays.id in {one.id for one in world.product().list() if isinstance(one, Listed)}

    def test_a_system_that_is_down_says_so(self, world: WatchedWorld) -> None:
        world.seed(1)
        product = world.product()
        world.break_down()
        try:
            with pytest.raises((OSError, AssentError)):
                list(product.watch())
        finally:
            world.mend()


class LyingPromises(_Kit):
    """What a connector promises whose system may lie. The fixture `world` gives a `LyingWorld`."""

    def test_an_answer_is_no_proof(self, world: LyingWorld) -> None:
        gone, kept = _gone_and_kept(world.seed(6))
        ids = [one.id for one in gone]
        with world.lie():
            answers = world.product().erase(ids)
            assert "removed" not in _states(answers).values()
            assert "removed" not in _states(world.product().verify(ids)).values()
        answers = _erase_wholly(world, ids)
        assert set(_states(answers).values()) == {"removed"}
        _check(world, gone, answers)
        assert _all_there(world, kept)


# -- looking ------------------------------------------------------------------------------------


def _listed(world: World, since: datetime | None = None) -> list[Listed]:
    found = list(world.product().list(since))
    assert all(isinstance(one, Listed) for one in found)
    return [one for one in found if isinstance(one, Listed)]


def _gone_and_kept(seeded: Sequence[Seeded]) -> tuple[list[Seeded], list[Seeded]]:
    """Erase every second one: neighbours of what is kept."""
    return list(seeded[::2]), list(seeded[1::2])


def _erase_wholly(world: World, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
    world.product().erase(ids)
    with world.maintenance():
        return world.product().erase(ids, maintenance=True)


def _states(answers: Mapping[str, Sequence[Copy]]) -> dict[str, str]:
    return {name: state_of(copies) for name, copies in answers.items()}


def _check(world: World, gone: Sequence[Seeded], answers: Mapping[str, Sequence[Copy]]) -> None:
    """No byte is left of what is said to be removed; whatever is left of the others is said to be pending."""
    assert {state_of(answers[one.id]) for one in gone} <= {"removed", "pending maintenance"}
    removed = [one.marker for one in gone if state_of(answers[one.id]) == "removed"]
    assert not {place: count for place, count in world.bytes_left(removed).items() if count}


def _texts(world: World, kept: Sequence[Seeded]) -> dict[str, Conversation]:
    records = world.product().read([one.id for one in kept])
    return {one.id: one for one in records if isinstance(one, Conversation)}


def _all_there(world: World, kept: Sequence[Seeded]) -> bool:
    """Every one of these can be read with its marker, and has its copies."""
    product = world.product()
    found = _texts(world, kept)
    copies = product.copies([one.id for one in kept])
    return all(
        one.marker in str(found[f"{product.format}:{one.id}"].parts) and state_of(copies[one.id]) == "present"
        for one in kept
    )


def _unreachable(look: object, ids: Sequence[str]) -> bool:
    """It raises, or says of each that it cannot be reached; it never says that nothing is there."""
    try:
        answer = look(ids)  # type: ignore[operator]
    except (OSError, AssentError):
        return True
    return set(answer) == set(ids) and {state_of(copies) for copies in answer.values()} == {"not reachable"}
