"""A folder of coding sessions is connected, brought in, and emptied by the sweep: every copy, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.connectors.coding_agents.agent_worlds import BEGIN, ClaudeCodeWorld
from tests.unit.interfaces.homes import Home, made

NAME = "laptop"


@pytest.fixture
def world(tmp_path: Path) -> ClaudeCodeWorld:
    return ClaudeCodeWorld(tmp_path)


@pytest.fixture
def home(world: ClaudeCodeWorld, tmp_path: Path) -> Home:
    """A home that is connected to a folder of three sessions, a week after they were written."""
    world.markers = [one.marker for one in world.seed(3)]
    found = made(tmp_path / "mine", now=BEGIN + timedelta(days=7))
    options = ("--agent", "claude-code", "--home", world.home, "--owner", "ann", "--plan", "max")
    said = found("connect", "coding-agents", "--name", NAME, "--plan-name", "max=pro", *options)
    assert said.status == 0, said.err
    people = found.write("people.ndjson", [{"subject": "ann", "age": "adult"}])
    assert found("import", "accounts", people).status == 0
    said = found("connector", "import", NAME, "--json")
    assert said.status == 0, said.err
    return found


def left(world: ClaudeCodeWorld, *numbers: int) -> int:
    return sum(world.bytes_left([world.markers[number] for number in numbers]).values())


def ids(home: Home, *numbers: int) -> Path:
    path = home.folder.parent / "ids.txt"
    path.write_text("".join(f"{number:08x}-0000-4000-8000-{number:012x}\n" for number in numbers))
    return path


def test_a_session_goes_from_every_copy_and_the_others_stay(home: Home, world: ClaudeCodeWorld) -> None:
    others = left(world, 1, 2)
    before = left(world, 0)
    plan = home("connector", "erase", NAME, "--ids", ids(home, 0), "--dry-run")
    assert plan.status == 0, plan.err
    assert left(world, 0) == before > 1
    done = home("connector", "erase", NAME, "--ids", ids(home, 0), "--yes")
    assert done.status == 0, done.err
    assert (left(world, 0), left(world, 1, 2)) == (0, others)
    assert home("connector", "verify", NAME, "--ids", ids(home, 0)).status == 0
    assert home("connector", "verify", NAME, "--ids", ids(home, 0, 1)).status == 4


def test_what_is_held_is_refused_when_it_is_asked_for(home: Home, world: ClaudeCodeWorld) -> None:
    held = home("hold", "person", "ann", "--matter", "m", "--reason", "an order", "--author", "desk")
    assert held.status == 0, held.err
    before = left(world, 0, 1, 2)
    said = home("connector", "erase", NAME, "--ids", ids(home, 0), "--yes")
    assert said.status in (2, 4), said.out
    assert "hold" in said.out + said.err
    assert left(world, 0, 1, 2) == before


def swept(home: Home) -> None:
    """Have everything erased that is due 45 days after the first session."""
    home.now = BEGIN + timedelta(days=45)
    plan = home("plan", "--json").json()
    assert plan["due"] > 0
    said = home("sweep", "--plan", plan["digest"])
    assert said.status == 0, said.err


def show_plan(home: Home) -> None:
    assert home("connector", "copies", NAME, ids(home, 0).read_text().strip()).status == 0


def test_no_file_of_a_person_goes_before_somebody_saw_the_plan_once(home: Home, world: ClaudeCodeWorld) -> None:
    before = left(world, 0, 1, 2)
    swept(home)
    assert left(world, 0, 1, 2) == before
    show_plan(home)
    assert home("sweep", "--redo").status == 0
    assert left(world, 0, 1, 2) == 0


def test_the_sweep_asks_and_believes_what_it_sees(home: Home, world: ClaudeCodeWorld) -> None:
    assert left(world, 0, 1, 2) > 0
    show_plan(home)
    swept(home)
    assert left(world, 0, 1, 2) == 0
    (one,) = home("connector", "list", "--json").lines()
    assert one["not_removed"] == 0


def test_a_folder_that_is_not_there_is_asked_again_by_the_next_sweep(home: Home, world: ClaudeCodeWorld) -> None:
    show_plan(home)
    world.break_down()
    swept(home)
    (one,) = home("connector", "list", "--json").lines()
    assert one["not_removed"] > 0
    world.mend()
    assert left(world, 0, 1, 2) > 0
    again = home("sweep", "--redo")
    assert again.status == 0, again.err
    assert left(world, 0, 1, 2) == 0


def test_a_folder_that_is_none_is_not_connected(home: Home, tmp_path: Path) -> None:
    said = home("connect", "coding-agents", "--name", "x", "--agent", "codex", "--home", tmp_path / "nowhere")
    assert said.status == 3
    assert not (home.folder / "connectors" / "x.toml").exists()


@pytest.fixture
def repository(world: ClaudeCodeWorld, tmp_path: Path) -> Path:
    """The folder that the sessions worked in."""
    repository = tmp_path / "repository"
    repository.mkdir()
    for transcript in world.home.rglob("*.jsonl"):
        transcript.write_bytes(transcript.read_bytes().replace(b"/nowhere/app", str(repository).encode()))
    world.age()
    return repository


def test_a_repository_that_denies_training_is_declined_once_and_never_granted(home: Home, repository: Path) -> None:
    assert home("connector", "import", NAME, "--json").json()["projects_declined"] == 0
    (repository / ".assent.toml").write_text('training = "deny"\n')
    assert home("connector", "import", NAME, "--json").json()["projects_declined"] == 1
    assert home("connector", "import", NAME, "--json").json()["projects_declined"] == 0
    (one,) = home("choose", "ann", "show", "--json").lines()
    assert (one["act"], one["scope"], one["surface"]) == ("decline", "project", "project file")
    (repository / ".assent.toml").write_text('training = "allow"\n')
    said = home("connector", "import", NAME, "--json")
    assert said.status == 4
    assert "can only narrow" in said.out
    assert home.acts("ann") == ["decline"]


def erase_by(home: Home) -> set[str]:
    """Say until when the parts of the first session are kept, as the policy decides now."""
    shown = home("explain", "claude-code:00000000-0000-4000-8000-000000000000", "--json")
    return {one["erase_by"] for one in shown.lines()}


def allow_training(home: Home) -> None:
    """Have the person allow training before the first session, which keeps sessions for years."""
    said = {"subject": "ann", "purpose": "training", "act": "allow", "at": "2026-01-01T00:00:00Z"}
    acts = home.write("choices.ndjson", [{**said, "notice": "sha256:" + "0" * 64, "surface": "desk"}])
    assert home("import", "choices", acts).status == 0


def test_what_a_repository_keeps_for_days_only_is_deleted_when_they_are_over_though_nothing_happens(
    home: Home, world: ClaudeCodeWorld, repository: Path
) -> None:
    home("connector", "import", NAME)
    allow_training(home)
    show_plan(home)
    (repository / ".assent.toml").write_text("retention_days = 20\n")
    home.now = BEGIN + timedelta(days=19)
    assert home("connector", "watch", NAME, "--json").json()["deleted_as_projects_ask"] == 0
    before = erase_by(home)
    home.now = BEGIN + timedelta(days=21)
    assert home("connector", "watch", NAME, "--json").json()["deleted_as_projects_ask"] == 3
    assert home("connector", "watch", NAME, "--json").json()["deleted_as_projects_ask"] == 0
    assert max(erase_by(home)) < min(before)
    assert left(world, 0, 1, 2) > 0
    home.now = BEGIN + timedelta(days=21 + 30)
    plan = home("plan", "--json").json()
    assert plan["due"] > 0
    assert home("sweep", "--plan", plan["digest"]).status == 0
    assert left(world, 0, 1, 2) == 0


def test_a_repository_that_keeps_longer_than_the_policy_lengthens_nothing(home: Home, repository: Path) -> None:
    home("connector", "import", NAME)
    allow_training(home)
    before = erase_by(home)
    (repository / ".assent.toml").write_text("retention_days = 30000\n")
    assert home("connector", "import", NAME, "--json").json()["deleted_as_projects_ask"] == 0
    assert erase_by(home) == before


def test_a_file_says_nothing_about_the_same_folder_of_somebody_else(home: Home, repository: Path) -> None:
    home("connector", "import", NAME)
    connector = home.folder / "connectors" / f"{NAME}.toml"
    connector.write_text(connector.read_text().replace('owner = "ann"', 'owner = "ben"'))
    (repository / ".assent.toml").write_text('training = "deny"\nretention_days = 1\n')
    watched = home("connector", "watch", NAME, "--json").json()
    assert (watched["deleted_as_projects_ask"], watched["projects_declined"]) == (0, 1)
    connector.write_text(connector.read_text().replace('owner = "ben"', ""))
    watched = home("connector", "watch", NAME, "--json").json()
    assert (watched["deleted_as_projects_ask"], watched["projects_declined"]) == (0, 0)


def test_a_broken_file_is_said_by_every_look_until_it_is_mended(home: Home, repository: Path) -> None:
    home("connector", "import", NAME)
    (repository / ".assent.toml").write_text("retention_days = 0\n")
    for _ in range(2):
        said = home("connector", "watch", NAME)
        assert said.status == 4
        assert ".assent.toml:1" in said.err
    (repository / ".assent.toml").write_text("retention_days = 9\n")
    assert home("connector", "watch", NAME).status == 0
