"""Every engine gives the same bytes: in this process, in a pool, on a cluster of three nodes of which one dies."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from tests.cut_files import files_of
from tests.unit.services.cut_world import World, chat, said, world

from assent.pipeline import recipe as recipes
from assent.pipeline.engine import ENGINES, engine
from assent.pipeline.engine.spark import in_arrow, whole
from assent.pipeline.recipe import parse_recipe
from assent.pipeline.work import Work
from assent.pipeline.write import PARTS
from assent.services.cut import updating

RECIPE = parse_recipe(recipes.STANDARD, "standard")


def talk(n: int) -> tuple[object, object]:
    return (
        said(1, f"My name is Greta Lindqvist, write to greta{n}@kernel.example about function number {n}."),
        said(2, f"```python\ndef f{n}(x):\n    return x + {n}\n```\nIt adds {n}, as you asked.", by="assistant"),
    )


@pytest.fixture
def home(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home") as made:
        for n in range(24):
            made.person(f"s{n}", allows=True)
            made.keep(*(chat(f"c{n}-{m}", f"s{n}", *talk(10 * n + m)) for m in range(3)))
        yield made


def cut(home: World, name: str, **more: object) -> dict[str, bytes]:
    home.cut(name, name=name, recipe=RECIPE, buckets=16, **more)
    files = files_of(home.folder / name)
    return {file: content for file, content in files.items() if file.startswith("data/")}


def test_a_pool_gives_the_same_bytes(home: World) -> None:
    here = cut(home, "here")
    pooled = cut(home, "pooled", workers=lambda work: engine("pool", work, 2))
    assert len(here) > 16
    assert here == pooled


@pytest.mark.enable_socket
def test_a_cluster_that_loses_a_node_gives_the_same_bytes(home: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(recipes.__file__).parents[2])]))
    import ray
    from ray.cluster_utils import Cluster

    here = cut(home, "here")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        cluster.wait_for_nodes()
        assert len({node["NodeID"] for node in ray.nodes() if node["Alive"]}) == 3
        lost: list[object] = []

        @contextmanager
        def losing(_what: str, _total: int) -> Iterator[Callable[[int], None]]:
            def advance(_amount: int) -> None:
                if not lost:
                    lost.append(nodes[0])
                    cluster.remove_node(nodes[0], allow_graceful=False)

            yield advance

        # small batches: the first answer comes back while others are on the node that is lost
        monkeypatch.setattr(updating, "BATCH_PARTS", 8)
        clustered = cut(home, "clustered", progress=losing, workers=lambda work: engine("ray", work, 2))
        assert lost
        until = time.monotonic() + 60
        while sum(node["Alive"] for node in ray.nodes()) == 3 and time.monotonic() < until:
            time.sleep(0.5)
        assert sum(node["Alive"] for node in ray.nodes()) == 2
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert here == clustered


def test_spark_is_given_whole_conversations() -> None:
    rows = [
        {
            **dict.fromkeys(PARTS.names),
            "part": f"c{n}#{m}",
            "conversation": f"c{n}",
            "ordinal": m,
            "marks": [],
            "text": "x",
        }
        for n in range(5)
        for m in range(3)
    ]
    loose = pa.schema([field.with_nullable(True) for field in PARTS])
    for size in (1, 2, 4, 15):
        torn = (pa.RecordBatch.from_pylist(rows[at : at + size], schema=loose) for at in range(0, len(rows), size))
        batches = list(whole(torn))
        assert [row["part"] for batch in batches for row in batch.to_pylist()] == [row["part"] for row in rows]
        ends = [batch["conversation"].to_pylist() for batch in batches]
        assert all(one[-1] != other[0] for one, other in pairwise(ends))
    mapped = in_arrow(Work(parse_recipe(recipes.PLAIN, "none"), bytes(32)))
    table = pa.Table.from_batches(list(mapped(iter([pa.RecordBatch.from_pylist(rows, schema=loose)]))))
    assert table.num_rows == 15


def test_an_engine_that_is_none_is_refused() -> None:
    with pytest.raises(Exception, match="no engine `abacus`"), engine("abacus", Work(RECIPE, bytes(32)), 1):
        pass
    assert ENGINES == ("local", "pool", "ray")
