"""Every public sample session, laid where its agent would: listed, read, each copy found, erased, seen to be gone."""

import json
from pathlib import Path

import pytest
from agent_worlds import WORLDS, AgentWorld, lines

from assent.connectors.coding_agents.product import connect
from assent.connectors.formats.port import Malformed
from assent.connectors.port import Listed, state_of
from assent.domain.conversation import Conversation
from assent.domain.errors import Refused

SAMPLES = [
    ("claude-code", "edge_cases.jsonl"),
    ("claude-code", "representative_messages.jsonl"),
    ("claude-code", "valid_session.jsonl"),
    ("codex", "function_calls.jsonl"),
    ("codex", "standard_session.jsonl"),
    ("gemini-cli", "standard_session.json"),
    ("gemini-cli", "tool_calls.json"),
]
PLACES = {
    "claude-code": "projects/-work-sample/{}",
    "codex": "sessions/2026/01/05/rollout-{}",
    "gemini-cli": "tmp/sample/chats/session-{}",
}


def lay(world: AgentWorld, shared_data: Path, name: str) -> str:
    """Put a sample into a home with what else an agent keeps of a session; returns its id."""
    before = {one.id for one in world.product().list() if isinstance(one, Listed)}
    content = (shared_data / "fixtures" / world.agent / name).read_bytes()
    world.write(PLACES[world.agent].format(name), content)
    ((key),) = {one.id for one in world.product().list() if isinstance(one, Listed)} - before
    said = "what the person typed into the sample"
    if world.agent == "claude-code":
        world.write("history.jsonl", lines({"display": said, "sessionId": key}), append=True)
        world.write(f"todos/{key}-agent-{key}.json", b"[]")
        world.write(f"projects/-work-sample/{key}/tool-results/t.txt", b"a result of the sample")
    elif world.agent == "codex":
        world.write("history.jsonl", lines({"session_id": key, "ts": 1, "text": said}), append=True)
        world.write(f"shell_snapshots/{key}.sh", b"a result of the sample")
    else:
        logs = json.loads((world.home / "tmp/app/logs.json").read_bytes())
        logs.append({"sessionId": key, "messageId": 0, "type": "user", "message": said})
        world.write("tmp/app/logs.json", json.dumps(logs, indent=2).encode())
        world.write(f"tmp/sample/{key}/plans/plan.md", b"a result of the sample")
    world.age()
    return key


def contents(world: AgentWorld) -> dict[str, bytes]:
    return {str(file.relative_to(world.home)): file.read_bytes() for file in world.home.rglob("*") if file.is_file()}


def test_no_sample_is_left_out(shared_data: Path) -> None:
    there = {(agent, file.name) for agent in WORLDS for file in (shared_data / "fixtures" / agent).glob("*.json*")}
    assert there == set(SAMPLES)


@pytest.mark.parametrize(("agent", "name"), SAMPLES)
def test_a_sample_goes_from_every_copy_and_the_others_keep_every_byte(
    agent: str, name: str, tmp_path: Path, shared_data: Path
) -> None:
    world = WORLDS[agent](tmp_path)
    kept = [one.id for one in world.seed(2)]
    before = contents(world)
    others = [lay(world, shared_data, other) for which, other in SAMPLES if which == agent and other != name]
    with_others = contents(world)
    key = lay(world, shared_data, name)
    # a sample ends in one record of each of its lines: read, or said to be none
    records = list(world.product().read([key]))
    (read,) = [one for one in records if isinstance(one, Conversation)]
    assert read.id == f"{agent}:{key}"
    assert read.parts
    assert all(one.problem for one in records if isinstance(one, Malformed))
    assert len(world.product().copies([key])[key]) >= 3

    answers = world.product().erase([key])
    assert state_of(answers[key]) == "removed"
    assert state_of(world.product().verify([key])[key]) == "removed"
    left = contents(world)
    sample = (shared_data / "fixtures" / agent / name).read_bytes()
    everything = b"\n".join(left.values())
    # lines that another sample says too are its own
    said = {line.strip() for line in sample.splitlines() if len(line.strip()) > 20}
    said -= {line.strip() for content in with_others.values() for line in content.splitlines()}
    assert said
    assert not [line for line in said if line in everything]
    assert f'"{key}"'.encode() not in everything
    assert {path: left[path] for path in with_others if path in left} == with_others
    assert {one.id for one in world.product().list() if isinstance(one, Listed)} == {*kept, *others}

    world.product().erase(others)
    assert contents(world) == before


@pytest.mark.parametrize("agent", sorted(WORLDS))
def test_nothing_of_a_sample_goes_before_its_plan_was_shown(agent: str, tmp_path: Path, shared_data: Path) -> None:
    world = WORLDS[agent](tmp_path)
    world.write(PLACES[agent].format(next(name for which, name in SAMPLES if which == agent)), b"")
    product = connect(world.settings, str)
    for which, name in SAMPLES:
        if which == agent:
            world.write(PLACES[agent].format(name), (shared_data / "fixtures" / agent / name).read_bytes())
    world.age()
    before = contents(world)
    keys = [one.id for one in product.list() if isinstance(one, Listed)]
    with pytest.raises(Refused, match="no plan was shown"):
        product.erase(keys)
    assert contents(world) == before
