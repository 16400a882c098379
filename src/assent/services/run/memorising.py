"""Measure what weights remember of single conversations, and record what may be said of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from assent.domain.digests import digest_bytes
from assent.domain.errors import NotFound, Refused
from assent.learn.runs.data import place_of
from assent.services.ledger.seal import seal
from assent.services.run.evaluating import HELD_BACK, measured, record
from assent.services.run.plan import find_run, folder_of
from assent.services.run.state import leaf_of

if TYPE_CHECKING:
    from assent.learn.runs.claim import Condition
    from assent.learn.runs.data import Talk
    from assent.services.run.evaluating import Measured
    from assent.services.run.stopping import Progress
    from assent.services.run.world import RunWorld
    from assent.store.records import Claim, Run

FILE: Final = "exposure.json"
TESTED: Final[Claim] = "de-identified (tested)"


@dataclass(frozen=True, slots=True)
class ExposureOrder:
    """What to measure: a run, on at most `most` conversations of those who were in and of those who were not."""

    run: str
    most: int
    seed: int = 0


def expose(world: RunWorld, order: ExposureOrder, progress: Progress) -> dict[str, Any]:
    """Measure a run, keep the report in its folder, and return it. It claims nothing.

    Raises `Refused` where no canaries were planted by the trainer of assent, or nobody was held back.
    """
    from assent.learn.runs import exposure  # noqa: PLC0415 - numpy comes with an extra
    from assent.learn.runs.canaries import Canary, canaries  # noqa: PLC0415
    from assent.learn.runs.ensemble import opened  # noqa: PLC0415
    from assent.learn.runs.logs import quiet  # noqa: PLC0415

    this = measured(world, order.run)
    table, sharding, seed = this.config.canaries, this.config.sharding, this.config.run.seed
    if table is None or this.run.trainer == "external":
        raise Refused(f"no canaries were planted in run `{this.run.id}`", "add [canaries] to its file and train again")
    planted = canaries(table.count, table.repeats, table.length, seed)

    def shard(one: Canary | Talk) -> int:
        # who has the files can ask one shard alone, so each is asked of the one that learned it
        whose = one.person if isinstance(one, Canary) else one.whose
        return place_of(whose, seed, sharding.shards, sharding.slices).shard

    inside, outside = _sampled(world, this, order)
    with quiet():
        weights = opened(Path(this.weights.directory), this.config)
        with progress("canaries", len(planted)) as done:
            found = [*exposure.exposures(weights, planted, seed, shard, done)]
        said = [exposure.summed(exposure.continued(weights, talks, shard)) for talks in (inside, outside)]
        trained, held = (exposure.losses(weights, talks, shard) for talks in (inside, outside))
    report = {
        "assent_exposure": 1,
        "run": this.run.id,
        "weights": this.weights.digest,
        "code": world.version,
        "seed": order.seed,
        "at_most": order.most,
        "canaries": {
            "bits": round(exposure.possibilities(table.length), 4),
            "sampled": exposure.SAMPLES,
            "by_repeats": exposure.by_repeats(found, order.seed),
        },
        "continuation": {"tokens": exposure.CONTINUATION, "trained": said[0], "held_back": said[1]},
        "membership": {
            "auc": exposure.membership(trained, held, order.seed).record(),
            "trained": len(trained[0]),
            "held_back": len(held[0]),
        },
    }
    return record(world, this, FILE, report, "exposed")


def decided(report: dict[str, Any]) -> tuple[list[Condition], Claim]:
    """Read a report against the limits: every condition, and what may be said."""
    from assent.learn.runs.claim import conditions  # noqa: PLC0415 - with the limits come numpy and torch

    found = conditions(report)
    return found, TESTED if all(one.holds for one in found) else "de-linked"


def kept_report(world: RunWorld, name: str) -> tuple[Run, dict[str, Any]]:
    """Read the newest report of a run. Raises `NotFound`."""
    run = find_run(world, name)
    path = folder_of(world, run.id) / FILE
    if not path.is_file():
        raise NotFound(f"run `{run.id}` was never measured", f"assent train exposure {run.id}")
    report: dict[str, Any] = orjson.loads(path.read_bytes())
    return run, report


def claim(world: RunWorld, name: str, said: Claim) -> Run:
    """Record what is said of the weights of a run, in the store and in the ledger.

    `de-identified (tested)` is refused unless the newest report, which must be the one that the ledger knows, was made
    on these weights and meets every condition. The other two say less and need no test.
    """
    this = measured(world, name)
    about: dict[str, Any] = {"claim": said, "weights": this.weights.digest}
    if said == TESTED:
        _, report = kept_report(world, this.run.id)
        about["report"] = _known(world, this)
        if report["weights"] != this.weights.digest:
            raise Refused("the test was made on other weights", f"assent train exposure {this.run.id}")
        broken = [one.name for one in decided(report)[0] if not one.holds]
        if broken:
            raise Refused(f"the test did not pass: {'; '.join(broken)}", "the weights stay `de-linked`")
    now = world.clock()
    world.store.change_weights(this.run.id, claim=said, leaf=leaf_of(world, this.run, "claimed", now, **about))
    if world.log is not None:
        seal(world.store, world.log, now=now)
    return this.run


def _known(world: RunWorld, this: Measured) -> str:
    """Return the digest of the report in the folder, if it is the newest that the ledger says was made."""
    digest = digest_bytes((folder_of(world, this.run.id) / FILE).read_bytes())
    told = [
        said for leaf in world.store.run_leaves(this.run.id) if (said := orjson.loads(leaf.record))["act"] == "exposed"
    ]
    if not told or told[-1]["report"] != digest:
        raise Refused(
            f"`{FILE}` is not the report that was made", f"measure again: assent train exposure {this.run.id}"
        )
    return digest


def _sampled(world: RunWorld, this: Measured, order: ExposureOrder) -> tuple[list[Any], list[Any]]:
    """Read conversations that were learned, and of people who were held back; of neither what has ended."""
    from assent.learn.runs.evaluate import Held, sampled  # noqa: PLC0415 - numpy comes with an extra

    left_out = frozenset(world.store.left_out(this.run.id))
    learned = (Held("train", talk) for talk in this.talks("train") if talk.id not in left_out)
    held = (Held(split, talk) for split in HELD_BACK for talk in this.talks(split))
    inside, outside = ([one.talk for one in sampled(some, order.most, order.seed)] for some in (learned, held))
    if not inside or not outside:
        fix = "cut with `[split]` in the recipe, and enough people for it to hold some back"
        raise Refused("there are not both people who were in and people who were held back", fix)
    return inside, outside
