"""From real conversations to a model, and to one that has forgotten: every count is found again in the ledger alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.unit.interfaces.homes import Home, made

from assent.domain.errors import Refused
from assent.domain.instants import parse_instant
from assent.training import training_run
from assent.wiring import Wiring

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
TALKED = NOW - timedelta(days=10)
PEOPLE, CHATS_EACH = 16, 3
CONFIG = """\
[run]
trainer = "trl"
seed = 7
threads = 1
device = "cpu"
[model]
size = { layers = 1, width = 32, heads = 2, context = 128 }
[train]
epochs = 1
batch = 8
learning_rate = 3e-3
max_length = 128
steps = 6
[sharding]
shards = 2
slices = 2
"""
STORY = ("p00", "p01")
KEY = bytes(31) + b"\x01"
RECIPE = """\
formats = ["messages"]
[blocks.skill]
[split]
validation = 1500
test = 1500
"""


def names() -> list[str]:
    return [f"p{number:02}" for number in range(PEOPLE)]


def chats(data: Path) -> list[list[dict[str, str]]]:
    """Real conversations of real prompts and answers, short ones first."""
    lines = (data / "conversations/arena-hard/conversations.jsonl").read_text("utf-8").splitlines()
    found = [json.loads(line)["messages"] for line in lines]
    return sorted(found, key=lambda messages: sum(len(one["content"]) for one in messages))


def export(folder: Path, person: str, talks: list[list[dict[str, str]]]) -> Path:
    """Write one person's conversations as Claude.ai would hand them out."""
    at = TALKED.isoformat()
    whole = []
    for number, talk in enumerate(talks):
        name = f"{person}-{number}"
        said = [
            {
                "uuid": f"{name}-{place}",
                "sender": "human" if one["role"] == "user" else "assistant",
                "created_at": at,
                "text": one["content"],
                "content": [{"type": "text", "text": one["content"]}],
            }
            for place, one in enumerate(talk)
        ]
        about = {"uuid": name, "name": name, "created_at": at, "updated_at": at, "account": {"uuid": person}}
        whole.append({**about, "chat_messages": said})
    folder.mkdir(parents=True)
    (folder / "conversations.json").write_text(json.dumps(whole), "utf-8")
    return folder


def answer(home: Home, act: str, *people: str, at: datetime) -> None:
    """Bring in what people answered to the product's own notice."""
    notice = home("ask", people[0], "--show").out.splitlines()[-1].removeprefix("notice: ")
    shown = {"purpose": "training", "notice": notice, "surface": "web", "at": at.isoformat()}
    acts = home.write(f"{act}-{people[0]}.ndjson", [{"subject": who, "act": act, **shown} for who in people])
    said = home("import", "choices", acts)
    assert said.out == f"choices: {len(people)} taken, 0 refused\n", said.err


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    """A home with real conversations of people of whom all but the last two allowed training, and a verified cut."""
    folder = tmp_path_factory.mktemp("story")
    home = made(folder / "home", now=NOW)
    talks = iter(chats(shared_data))
    for who in names():
        source = export(folder / who, who, list(islice(talks, CHATS_EACH)))
        said = home("import", "claude-ai", source, "--subject", who, "--plan", "pro", "--age", "adult")
        assert said.status == 0, said.err
    answer(home, "allow", *names()[:-2], at=TALKED - timedelta(days=5))
    answer(home, "decline", *names()[-2:], at=TALKED - timedelta(days=5))
    recipe = folder / "recipe.toml"
    recipe.write_text(RECIPE)
    with pytest.MonkeyPatch.context() as patch:
        # the key decides who is held back: with any other, the person who leaves may never have been learned from
        patch.setattr(Wiring, "new_key", lambda _: KEY)
        said = home(
            "cut", "create", "spring", "--purpose", "training", "--recipe", recipe, "--out", folder / "spring-1"
        )
    assert said.status == 0, said.err
    splits = {split: held(folder / "spring-1", split) for split in ("train", "validation", "test")}
    assert all(splits.values())
    assert set(STORY) <= splits["train"]
    assert home("cut", "verify", folder / "spring-1").status == 0
    (folder / "run.toml").write_text(CONFIG)
    return folder


@pytest.fixture
def home(begun: Path, tmp_path: Path) -> Home:
    """Go on from there, in a copy of the home; the cut stays where it is and is only read."""
    shutil.copytree(begun / "home", tmp_path / "home")
    return Home(tmp_path / "home", NOW)


def held(cut: Path, split: str) -> set[str]:
    """Name the people of one split of a cut."""
    files = (cut / "data").glob(f"parts-{split}-*.parquet")
    names = {
        name for file in files for name in pq.read_table(file, columns=["conversation"])["conversation"].to_pylist()
    }
    return {name.removeprefix("claude-ai:").partition("-")[0] for name in names}


def train(home: Home, begun: Path, **more: Any) -> dict[str, Any]:
    said = home("train", "start", "--cut", "spring", "--config", begun / "run.toml", "--json", **more)
    assert said.status == 0, said.err
    return said.json()


def recount(home: Home, at: datetime) -> int:
    """Count in the ledger alone whose newest act up to an instant allows training."""
    assert home("ledger", "verify").status == 0
    newest: dict[str, tuple[datetime, str]] = {}
    wiring, first = Wiring(home.folder, home.now), 0
    while rows := wiring.store.leaves(first, 100):
        for choice, _leaf in rows:
            if choice is not None and choice.at <= at:
                newest[choice.subject] = max(newest.get(choice.subject, (choice.at, "")), (choice.at, choice.act))
        first += len(rows)
    wiring.store.close()
    return sum(act == "allow" for _, act in newest.values())


def ended(run: dict[str, Any]) -> None:
    assert run["state"] == "finished"
    assert run["gate"]["open"] is True
    assert run["weights"]["digest"].startswith("sha256:")


def reached(home: Home, person: str) -> list[str]:
    said = home("where", "--subject", person, "--json")
    return [one["run"] for one in said.lines() if "run" in one]


def test_from_conversations_to_a_model_that_forgets(home: Home, begun: Path, tmp_path: Path) -> None:
    leaver, stayer = STORY
    first = train(home, begun)
    ended(first)
    started = parse_instant(first["started_at"])
    assert first["people"] == recount(home, started) == PEOPLE - 2
    assert first["conversations"] == (PEOPLE - 2) * CHATS_EACH
    assert reached(home, leaver) == reached(home, stayer) == [first["id"]]

    measured = home("train", "evaluate", first["id"], "--json")
    assert measured.status == 0, measured.err
    after = measured.json()

    home.now += timedelta(hours=1)
    answer(home, "withdraw", leaver, at=home.now)
    home.now += timedelta(seconds=1)
    refused = home("train", "start", "--cut", "spring", "--config", begun / "run.toml")
    assert refused.status == 2
    assert "is stale" in refused.err
    assert home("cut", "refresh", "spring", "--out", tmp_path / "spring-2").status == 0

    second = train(home, begun)
    ended(second)
    assert second["people"] == recount(home, parse_instant(second["started_at"])) == PEOPLE - 3
    assert reached(home, leaver) == [first["id"]]
    assert reached(home, stayer) == [first["id"], second["id"]]

    forgot = home("train", "forget", leaver, "--run", first["id"], "--json")
    assert forgot.status == 0, forgot.err
    third = home("train", "show", forgot.json()["run"], "--json").json()
    ended(third)
    assert (third["parent"], third["people"], third["conversations"]) == (
        first["id"],
        second["people"],
        second["conversations"],
    )
    assert third["weights"]["digest"] == second["weights"]["digest"] != first["weights"]["digest"]
    assert reached(home, leaver) == [first["id"]]
    assert home("train", "show", first["id"], "--json").json()["weights"]["superseded_by"] == third["id"]
    assert after


PROGRAM = """\
#!/bin/sh
# stands in for a trainer: reads its rows, and writes weights
set -e
test -s data/train.parquet
mkdir -p weights
cp data/train.parquet weights/model.safetensors
exit ${BROKEN:-0}
"""


@pytest.mark.parametrize(("broken", "state"), [("0", "finished"), ("3", "failed")])
def test_a_script_for_another_program_goes_through_the_gate_and_says_how_it_ended(
    home: Home, begun: Path, tmp_path: Path, broken: str, state: str
) -> None:
    base, out, programs = tmp_path / "base", tmp_path / "out", tmp_path / "bin"
    for folder in (base, programs):
        folder.mkdir()
    (base / "config.json").write_text("{}")
    (programs / "axolotl").write_text(PROGRAM)
    (programs / "axolotl").chmod(0o700)
    (programs / "assent").symlink_to(Path(sys.executable).parent / "assent")
    said = home("train", "export", "--cut", "spring", "--for", "axolotl", "--base", base, "--out", out, "--json")
    assert said.status == 0, said.err
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "ASSENT_CLOCK": NOW.isoformat(), "BROKEN": broken}
    done = subprocess.run(["sh", "train.sh"], cwd=out, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == int(broken), done.stderr
    run = home("train", "show", said.json()["run"], "--json").json()
    assert (run["state"], run["people"]) == (state, PEOPLE - 2)
    assert list((home.folder / "runs" / run["id"] / "work").iterdir()) == []


def figures_of_transformers(home: Home, folder: Path) -> list[int]:
    """Train with nothing but transformers, and return the steps that the run's log tells of."""
    from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

    with training_run(home.folder, "spring", trainer="transformers") as run:
        rows = []
        for talk in run.conversations():
            ids = list("".join(turn["content"] for turn in talk.messages).encode()[:32].ljust(32))
            rows.append({"input_ids": ids, "labels": ids})
        model = GPT2LMHeadModel(GPT2Config(vocab_size=256, n_positions=32, n_embd=8, n_layer=1, n_head=1))
        told = {"max_steps": 3, "logging_steps": 1, "save_strategy": "no", "report_to": "none", "use_cpu": True}
        arguments = TrainingArguments(str(run.folder / "work"), disable_tqdm=True, dataloader_pin_memory=False, **told)
        Trainer(model, arguments, train_dataset=rows, callbacks=[run.callback()]).train()
        model.save_pretrained(folder)
        run.finish(folder)
    return [json.loads(line)["step"] for line in (run.folder / "log.jsonl").read_text().splitlines()]


def test_a_trainer_of_ones_own_is_gated_and_recorded(home: Home, begun: Path, tmp_path: Path) -> None:
    with training_run(home.folder, "spring", trainer="mine", config="epochs = 1") as run:
        talks = list(run.conversations())
        run.log({"step": 1, "loss": 2.5, "tokens": len(talks)})
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "weights.bin").write_bytes(b"weights")
        run.finish(tmp_path / "model")
    kept = home("train", "show", run.id, "--json").json()
    assert (kept["state"], kept["trainer"], kept["people"]) == ("finished", "mine", PEOPLE - 2)
    assert talks
    assert json.loads((run.folder / "log.jsonl").read_text())["loss"] == 2.5
    assert home("train", "card", run.id).out.startswith("---\n")
    assert home("train", "weights", "--json").lines()[0]["owed"] is False

    assert figures_of_transformers(home, tmp_path / "bare") == [1, 2, 3]
    with pytest.raises(ZeroDivisionError), training_run(home.folder, "spring", trainer="mine") as broken:
        1 / 0  # noqa: B018 - what a trainer may do
    assert home("train", "show", broken.id, "--json").json()["reason"] == "the trainer broke: ZeroDivisionError"
    with training_run(home.folder, "spring", trainer="mine") as idle:
        pass
    assert home("train", "show", idle.id, "--json").json()["state"] == "abandoned"

    shard = next((begun / "spring-1" / "data").glob("messages-train-*.jsonl"))
    before = shard.read_bytes()
    shard.write_bytes(before[:-2] + b" \n")
    try:
        with pytest.raises(Refused, match="is not as it should be"), training_run(home.folder, "spring", trainer="m"):
            raise AssertionError
    finally:
        shard.write_bytes(before)
