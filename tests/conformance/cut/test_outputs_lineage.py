"""The events of a cut are what OpenLineage's own types hold, key for key."""

import json
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import attr
import jsonschema
import pytest
from openlineage.client import generated
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.generated import base_subset_dataset as subset
from tests.conformance.cut.written_cut import COLUMNS, chats, write_cut

from assent.pipeline.outputs.lineage import changed, lineage, run_id

FACET = Path(__file__).parents[3] / "spec/lineage.schema.json"
TYPES = {
    name: kind
    for module in iter_modules(generated.__path__)
    for name, kind in vars(import_module(f"{generated.__name__}.{module.name}")).items()
    if isinstance(kind, type) and attr.has(kind)
}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return write_cut(tmp_path_factory.mktemp("lineage") / "cut", {"train": chats(2), "test": chats(1, name="other")})


@pytest.fixture
def events(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    retired = changed(manifest, run_id(manifest), "DROP", "2026-06-01T00:00:00Z")
    return [*lineage(manifest, run_id(manifest), COLUMNS), retired]


def facets(event: dict[str, Any]) -> list[dict[str, Any]]:
    """Every facet of an event that is OpenLineage's own."""
    groups = [event["run"]["facets"], event["job"]["facets"]]
    for dataset in (*event["inputs"], *event["outputs"]):
        groups += [dataset.get(key, {}) for key in ("facets", "inputFacets", "outputFacets")]
    found = [facet for group in groups for facet in group.values()]
    return [facet for facet in found if facet["_schemaURL"].startswith("https://openlineage.io/")]


def test_a_cut_starts_and_completes_as_one_run(events: list[dict[str, Any]]) -> None:
    assert [event["eventType"] for event in events] == ["START", "COMPLETE", "OTHER"]
    assert len({event["run"]["runId"] for event in events}) == 1


def test_every_event_is_a_run_event_of_the_library(events: list[dict[str, Any]]) -> None:
    for event in events:
        built = RunEvent(
            eventType=RunState[event["eventType"]],
            eventTime=event["eventTime"],
            producer=event["producer"],
            run=Run(**event["run"]),  # refuses an id that is no UUID
            job=Job(**event["job"]),
            inputs=[InputDataset(**dataset) for dataset in event["inputs"]],
            outputs=[OutputDataset(**dataset) for dataset in event["outputs"]],
        )
        assert built.schemaURL == event["schemaURL"]
        assert set(attr.asdict(built)) == set(event)


def test_every_facet_is_a_type_of_the_library_with_its_schema(events: list[dict[str, Any]]) -> None:
    seen = set()
    for facet in (facet for event in events for facet in facets(event)):
        kind = TYPES[facet["_schemaURL"].rpartition("/")[2]]
        seen.add(kind.__name__)
        built = kind(**{key: value for key, value in facet.items() if not key.startswith("_")})
        assert facet["_schemaURL"] == built._schemaURL
    assert len(seen) == 9


def test_conditions_assertions_and_columns_fit_their_types(events: list[dict[str, Any]]) -> None:
    (read,), (wrote,) = events[1]["inputs"], events[1]["outputs"]
    condition = dict(read["inputFacets"]["subset"]["inputCondition"])
    for side in ("left", "right"):
        compared = dict(condition.pop(side))
        subset.FieldBaseCompareExpression(**compared.pop("left"))
        subset.LiteralCompareExpression(**compared.pop("right"))
        assert compared == {"type": "compare", "comparison": "EQUAL"}
    assert condition == {"type": "binary", "operator": "AND"}
    for assertion in read["inputFacets"]["dataQualityAssertions"]["assertions"]:
        TYPES["Assertion"](**assertion)
    for column in wrote["facets"]["dataQualityMetrics"]["columnMetrics"].values():
        TYPES["ColumnMetrics"](**column)
    fields = [TYPES["SchemaDatasetFacetFields"](**column).name for column in wrote["facets"]["schema"]["fields"]]
    assert fields == COLUMNS.names


def test_digests_of_policies_and_blocks_are_in_it_and_nobody_is(events: list[dict[str, Any]]) -> None:
    own = events[1]["run"]["facets"]["assent_cut"]
    assert own["policies"] == ["sha256:" + "b" * 64]
    assert [step["block"] for step in own["recipe"]] == ["normalise", "redact", "language"]
    jsonschema.validate(own, json.loads(FACET.read_bytes()))
    assert "test:chat" not in str(events)


def test_the_same_cut_has_the_same_run_and_another_has_not(manifest: dict[str, Any], tmp_path: Path) -> None:
    again = write_cut(tmp_path / "again", {"train": chats(1)})
    assert run_id(again) == run_id(manifest)
    assert run_id({**manifest, "merkle_root": "e" * 64}) != run_id(manifest)
    assert run_id({**manifest, "number": 4}) != run_id(manifest)
