"""A provider with a cut that a very small model learns in a second, and ways to train on it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.unit.services.cut_world import chat, quiet, said
from tests.unit.services.run.run_world import Provider, provider

from assent.domain.conversation import Conversation
from assent.learn.runs.config import RunConfig, parse_config
from assent.learn.runs.data import CutFiles
from assent.learn.runs.train import Trained, TrainOrder, train
from assent.pipeline.recipe import parse_recipe
from assent.services.run.files import cut_files
from assent.services.run.state import start
from assent.services.run.training import train_run
from assent.store.records import Run

WORDS = ["stone", "river", "lamp", "window", "paper", "cloud", "garden", "bridge", "letter", "music", "table", "winter"]
PEOPLE = tuple(f"p{number:02}" for number in range(12))
RECIPE = 'formats = ["messages"]\n[blocks.skill]\n[split]\nvalidation = 2000\ntest = 1000\n'
CONFIG = """\
[run]
trainer = "trl"
seed = 5
device = "cpu"
[model]
size = { layers = 1, width = 16, heads = 2, context = 128 }
[train]
batch = 4
learning_rate = 3e-3
max_length = 128
steps = 3
[sharding]
shards = 2
slices = 2
"""


class Teacher(Provider):
    """A provider whose people talk about things of their own."""

    def talk(self, name: str, subject: str) -> Conversation:
        chance = random.Random(name)
        thing, other = chance.sample(WORDS, 2)
        answer = " ".join(chance.choices(WORDS, k=12))
        return chat(name, subject, said(1, f"What is a {thing}, and a {other}?"), said(2, answer, by="assistant"))

    def run_of(self, config: str = CONFIG, **more: object) -> Run:
        """Plan, start and train a run on the newest number."""
        run = start(self.runs, self.planned(trainer="trl", config=config, **more))
        return train_run(self.runs, run, quiet)


@contextmanager
def teacher(folder: Path, *people: str, chats: int = 3) -> Iterator[Teacher]:
    """Give a provider whose people allowed training, with a cut of number 1."""
    with provider(folder) as made:
        made.__class__ = Teacher
        made.people(*(people or PEOPLE), chats=chats)
        made.cut(recipe=parse_recipe(RECIPE, "recipe.toml"))
        yield made


def files_of(made: Provider, split: str = "train") -> CutFiles:
    return cut_files(Path(made.store.cuts_named("spring")[-1].directory), split)


def told(*changes: tuple[str, str]) -> RunConfig:
    text = CONFIG
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse_config(text, "run.toml")


def taught(made: Provider, folder: Path, config: RunConfig | None = None, **more: object) -> Trained:
    """Train in a folder of its own, without a run."""
    folder.mkdir(exist_ok=True)
    return train(TrainOrder(config or told(), folder, files_of(made), **more), quiet)
