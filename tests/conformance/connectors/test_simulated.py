"""The kit against a product that misbehaves in every way we know, and a connector that holds all the same."""

from pathlib import Path

import pytest
from tests.conformance.connectors.kit import LyingPromises, Promises, WatchPromises
from tests.conformance.connectors.simulated import SimulatedWorld

from assent.connectors.port import state_of
from assent.domain.errors import AssentError


class TestSimulated(Promises, LyingPromises, WatchPromises):
    many = 400

    @pytest.fixture
    def world(self, tmp_path: Path) -> SimulatedWorld:
        return SimulatedWorld(tmp_path)


class TestSimulatedInABadMood(Promises, LyingPromises, WatchPromises):
    many = 120

    @pytest.fixture(params=["late", "shifts"])
    def world(self, tmp_path: Path, request: pytest.FixtureRequest) -> SimulatedWorld:
        return SimulatedWorld(tmp_path, **{request.param: True})


def test_a_list_whose_pages_shift_leaves_nothing_out_and_repeats_nothing(tmp_path: Path) -> None:
    world = SimulatedWorld(tmp_path, shifts=True)
    seeded = world.seed(333)
    pages = [world.system.get_page(offset, 50)["chats"] for offset in range(0, 333, 50)]
    naive = [chat["id"] for page in pages for chat in page]
    assert len(set(naive)) < len(naive)  # the product does misbehave
    listed = [one.id for one in world.product().list()]
    assert sorted(listed) == sorted(one.id for one in seeded)


def test_a_chat_that_got_another_id_is_found_under_the_old_one(tmp_path: Path) -> None:
    world = SimulatedWorld(tmp_path, renames=True)
    one, other = world.seed(2)
    world.touch(one.id)
    assert state_of(world.product().copies([one.id])[one.id]) == "present"
    with world.maintenance():
        answers = world.product().erase([one.id], maintenance=True)
    assert state_of(answers[one.id]) == "removed"
    assert sum(world.bytes_left([one.marker]).values()) == 0
    assert sum(world.bytes_left([other.marker]).values()) == 4


def test_a_clone_is_a_chat_of_its_own_and_its_files_stay_until_it_goes_too(tmp_path: Path) -> None:
    world = SimulatedWorld(tmp_path)
    (one,) = world.seed(1)
    world.system.clone(one.id, "copy")
    with world.maintenance():
        world.product().erase([one.id], maintenance=True)
    left = world.bytes_left([one.marker])
    assert left["chats.db"] > 0
    assert left["files/own-1.txt"] == 1
    with world.maintenance():
        answers = world.product().erase(["copy"], maintenance=True)
    assert state_of(answers["copy"]) == "removed"
    assert sum(world.bytes_left([one.marker]).values()) == 0


def test_a_shared_file_goes_with_the_last_chat_that_has_it(tmp_path: Path) -> None:
    world = SimulatedWorld(tmp_path)
    world.seed(1)
    one, other = world.seed(2)  # chats 2 and 3 share a file
    shared = world.system.folder / "files" / "shared-1.txt"
    world.product().erase([one.id])
    assert shared.exists()
    world.product().erase([other.id])
    assert not shared.exists()


@pytest.mark.fault("system that is down")
@pytest.mark.parametrize("after", [1, 4, 9])
def test_a_product_that_goes_down_at_any_request_is_gone_on_with(tmp_path: Path, after: int) -> None:
    world = SimulatedWorld(tmp_path)
    seeded = world.seed(10)
    ids = [one.id for one in seeded[:6]]
    world.system.feel(calls_left=after)
    with pytest.raises((OSError, AssentError)):
        world.product().erase(ids)
    world.mend()
    assert "not reachable" not in {state_of(copies) for copies in world.product().verify(ids).values()}
    with world.maintenance():
        answers = world.product().erase(ids, maintenance=True)
    assert {state_of(copies) for copies in answers.values()} == {"removed"}
    assert sum(world.bytes_left([one.marker for one in seeded[:6]]).values()) == 0
    assert sum(world.bytes_left([one.marker for one in seeded[6:]]).values()) == 16
