"""No canary enters a real cut, and what one wrote is still found behind redaction, filters and every format."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.services.cut_world import NOW, World, chat, said, world

from assent.pipeline.recipe import PLAIN, STANDARD, parse_recipe
from assent.services.canary.check import Looked, look_for_canaries
from assent.services.canary.marks import text_of
from assent.services.canary.plant import KINDS, Garden, Seed, Ways, canaries, plant

PLANTED = NOW - timedelta(days=1)


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[World]:
    """A store with an allowed conversation, and a canary of every kind."""
    with world(tmp_path / "home") as made:
        made.person("ann", allows=True)
        made.keep(chat("one", "ann"))
        seeds = {kind: Seed(f"{n:032}", bytes([n]) * 32) for n, kind in enumerate(KINDS)}
        ways = Ways(lambda acts: [made.store.add_choice(act) for act in acts], made.store.place_hold)
        plant(made.store, Garden(made.policies, plan="pro", region="DE", now=PLANTED), seeds, ways, now=PLANTED)
        yield made


def cut(acme: World, recipe: str) -> Looked:
    acme.cut(keep_excluded=True, recipe=parse_recipe(recipe, "recipe"))
    return look_for_canaries(acme.folder / "out", acme.store, acme.policies)


@pytest.mark.parametrize("recipe", [PLAIN, STANDARD], ids=["plain", "standard"])
def test_none_enters_a_cut(acme: World, recipe: str) -> None:
    looked = cut(acme, recipe)
    assert (looked.leaks, looked.void, set(looked.standing)) == ((), (), set(KINDS))


@pytest.mark.parametrize("recipe", [PLAIN, STANDARD], ids=["plain", "standard"])
def test_what_one_wrote_is_found_when_it_comes_in_by_another_door(acme: World, recipe: str) -> None:
    leaked = canaries(acme.store)[3]
    parts = said(1, text_of(leaked)), said(2, f"You said: {text_of(leaked)}", by="assistant")
    acme.keep(chat("copied", "ann", *parts))
    looked = cut(acme, recipe)
    assert {leak.canary for leak in looked.leaks} == {leaked.conversation}
    assert {Path(leak.file).suffix for leak in looked.leaks} == {".parquet", ".jsonl"}
    assert {leak.how for leak in looked.leaks} == {"text"}
