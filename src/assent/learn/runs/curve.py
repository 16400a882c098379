"""How loss on held-back conversations falls while a model learns: measured again at every checkpoint that was kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import orjson

from assent.learn.runs.ensemble import opened
from assent.learn.runs.evaluate import ALL, SKILLS, read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from assent.learn.runs.config import RunConfig
    from assent.learn.runs.ensemble import Ensemble
    from assent.learn.runs.evaluate import Held

_NAME: Final = re.compile(r"shard-(\d+)/(?:slice|steps)-(\d+)(?:/step-(\d+))?")


class Checkpoint(NamedTuple):
    """Weights kept on the way: of which shard, after how many steps of it, and where they lie."""

    shard: int
    step: int
    folder: Path


def checkpoints(run: Path) -> list[Checkpoint]:
    """Find the checkpoints in the folder of a run, in the order in which they were made."""
    kept = run / "slices.json"
    if not kept.is_file():
        return []
    slices = orjson.loads(kept.read_bytes())["slices"]
    found = []
    for config in sorted((run / "checkpoints").glob("shard-*/**/*.json")):
        if config.name not in {"config.json", "adapter_config.json"}:
            continue
        name = _NAME.fullmatch(config.parent.relative_to(run / "checkpoints").as_posix())
        if name is None:
            continue
        shard, slice_ = int(name[1]), int(name[2])
        before = sum(one["steps"] for one in slices if one["shard"] == shard and one["slice"] < slice_)
        inside = next((one["steps"] for one in slices if (one["shard"], one["slice"]) == (shard, slice_)), 0)
        found.append(Checkpoint(shard, before + (int(name[3]) if name[3] else inside), config.parent))
    return sorted(set(found))


def points(
    held: Sequence[Held],
    config: RunConfig,
    found: Sequence[Checkpoint],
    ends: tuple[Ensemble, Ensemble],
    progress: Callable[[int], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Measure bits per byte, of all and of each skill, before the first step and at every checkpoint.

    `shard` is None for what answers in the end: with several shards, all of them together.
    """
    before, after = ends
    last: dict[int, int] = {}
    for one in found:
        last[one.shard] = max(last.get(one.shard, 0), one.step)
    rows = [{"shard": None, "step": 0, "bits_per_byte": _losses(before, held)}]
    progress(1)
    for one in found:
        rows.append({"shard": one.shard, "step": one.step, "bits_per_byte": _losses(opened(one.folder, config), held)})
        progress(1)
    rows.append({"shard": None, "step": max(last.values(), default=0), "bits_per_byte": _losses(after, held)})
    progress(1)
    return rows


def _losses(ensemble: Ensemble, held: Sequence[Held]) -> dict[str, float]:
    found = read(ensemble, [one.talk for one in held])
    skills = np.array([one.talk.skill for one in held])
    losses = {}
    for name in (ALL, *SKILLS):
        some = np.ones(len(held), bool) if name == ALL else skills == name
        if found.bytes[some].sum():
            losses[name] = round(float(found.bits[some].sum() / found.bytes[some].sum()), 4)
    return losses
