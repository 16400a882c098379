"""A cut that the program itself wrote is read by everybody it is written for."""

import json
from datetime import date
from pathlib import Path

import mlcroissant
import pytest
from tests.unit.services.cut_world import chat, world

from assent.pipeline.outputs.layout import forms
from assent.pipeline.recipe import parse_recipe
from assent.services.disclose.california import disclose_california
from assent.services.disclose.eu import INTERACTIONS, disclose_eu
from assent.services.disclose.facts import EXAMPLE, parse_facts
from assent.services.disclose.training import read_manifests

PEOPLE = [f"person {number}" for number in range(8)]
RECIPE = "formats = ['messages', 'sharegpt']\n[blocks.normalise]\n[split]\nvalidation = 250\ntest = 250\n"

pytestmark = [
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("real")
    with world(place / "home") as made:
        for number, person in enumerate(PEOPLE):
            made.person(person, allows=True)
            made.keep(chat(f"chat-{number}", person))
        made.cut(recipe=parse_recipe(RECIPE, "recipe.toml"), buckets=3)
        return made.folder / "out"


@pytest.fixture
def manifest(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_bytes())


def test_mlcroissant_reads_every_row_of_every_form_and_split(folder: Path, manifest: dict) -> None:
    dataset = mlcroissant.Dataset(str(folder / "croissant.json"))
    issues = dataset.metadata.ctx.issues
    assert (set(issues.errors), set(issues.warnings)) == (set(), set())
    found = forms(manifest)
    assert set(found) == {"messages", "parts", "sharegpt"}
    for form, splits in found.items():
        for split, pieces in splits.items():
            assert len(list(dataset.records(f"{form}-{split}"))) == sum(piece.rows for piece in pieces)


def test_datasets_reads_every_conversation(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    import datasets

    datasets.disable_progress_bars()
    read = datasets.load_dataset(str(folder), "messages", cache_dir=str(tmp_path))
    assert sum(split.num_rows for split in read.values()) == len(PEOPLE)


def test_what_the_law_asks_is_answered_from_it(folder: Path) -> None:
    facts = parse_facts(EXAMPLE, "facts.toml")
    lineage = read_manifests([folder])
    european = disclose_eu(lineage, facts, date(2026, 12, 1))
    (user_data,) = [section for section in european.sections if section.number == "2.4"]
    assert (user_data.items[0].question, user_data.items[0].answer) == (INTERACTIONS, "Yes")
    californian = disclose_california(lineage, facts, date(2026, 12, 1))
    assert californian.sections[2].items[0].answer == "8 conversations, in 16 parts, of 8 people."
    assert "split (to keep people apart" in californian.sections[8].items[0].answer


def test_its_events_start_and_complete(folder: Path, manifest: dict) -> None:
    events = [json.loads(line) for line in (folder / "lineage.ndjson").read_bytes().splitlines()]
    assert [event["eventType"] for event in events] == ["START", "COMPLETE"]
    assert events[1]["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == manifest["counts"]["written"]
