"""The card of a model: what it was made of, what was measured, and what a withdrawal does and does not undo.

The form is that of Hugging Face: a table in YAML, then text. A number stands there only if it is recorded.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from assent.domain.digests import digest_bytes
from assent.domain.instants import format_instant
from assent.pipeline.outputs.card import steps
from assent.services.cut.differing import find_cut
from assent.services.run.lineage import lineage
from assent.services.run.plan import find_run, folder_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assent.services.run.world import RunWorld
    from assent.store.records import Run, Weights

_BACK = {
    "continue": "A training run that has already started goes on.",
    "stop": "A training run that has already started is stopped.",
    "unchanged": "A finished model stays as it is.",
    "retrained": "A finished model is trained again without what was taken back.",
}


def card(world: RunWorld, name: str) -> str:
    """Write the card of what a run made. Raises `NotFound` where there is no such run."""
    run = find_run(world, name)
    runs = lineage(world.store, run)
    made = world.store.weights_of(run.id)
    manifests = [_manifest(world, one) for one in runs]
    table = _table(run, made, manifests)
    text = [f"# {run.id}", *_about(world, run, made), *_data(world, runs, manifests)]
    text += [*_measured(world, run, made), *_people(world, run, made)]
    return "---\n" + "".join(table) + "---\n\n" + "\n\n".join(text) + "\n"


def _manifest(world: RunWorld, run: Run) -> Mapping[str, Any] | None:
    """Read the manifest of a run's cut, if it still lies there and is the one that was recorded."""
    try:
        content = (Path(find_cut(world.store, run.cut, run.number).directory) / "manifest.json").read_bytes()
    except OSError:
        return None
    found: Mapping[str, Any] = json.loads(content)
    return found if digest_bytes(content) == run.manifest else None


def _table(run: Run, made: Weights | None, manifests: list[Mapping[str, Any] | None]) -> Iterator[str]:
    languages = sorted({name for one in manifests if one for name in one["counts"]["by_language"] if name})
    if languages:
        yield "language:\n" + "".join(f"- {name}\n" for name in languages)
    yield "tags:\n- assent\n- consent\n"
    yield f"assent_run: {json.dumps(run.id)}\n"
    if made is not None:
        yield f"assent_weights: {json.dumps(made.digest)}\n"
        yield f"assent_claim: {json.dumps(made.claim)}\n"


def _about(world: RunWorld, run: Run, made: Weights | None) -> Iterator[str]:
    started = "it did not start" if run.started_at is None else f"started at {format_instant(run.started_at)}"
    told = f"Trained by `{run.trainer}`, told `{run.config}`, assent {run.code}."
    yield f"Run `{run.id}` is {run.state}; {started}. {told}"
    if made is None:
        yield "It has made no weights."
        return
    yield f"The weights are `{made.digest}`, made at {format_instant(made.made_at)}."
    if made.retired_at is not None:
        yield f"They were destroyed at {format_instant(made.retired_at)}."
    elif made.superseded_by:
        yield f"Run `{made.superseded_by}` has taken their place."
    if run.base:
        known = world.store.weights_with(run.base)
        whose = f", made by run `{known[0].run}`" if known else ", of which nothing is known here"
        yield f"It went on from weights `{run.base}`{whose}."
    if run.parent:
        yield f"It takes the place of run `{run.parent}`, trained again without those who had to be left out."


def _data(world: RunWorld, runs: list[Run], manifests: list[Mapping[str, Any] | None]) -> Iterator[str]:
    yield "## What it was trained on"
    for run, manifest in zip(runs, manifests, strict=True):
        left = sum(1 for _ in world.store.left_out(run.id))
        used = f"{run.rows:,} parts in {run.conversations:,} conversations of {run.people:,} people"
        out = f"; {left:,} conversations of the cut were left out" if left else ""
        yield f"Cut `{run.cut}` number {run.number} (`{run.manifest}`) for `{run.purpose}`: {used}{out}."
        if manifest is None:
            yield "Its manifest is not at hand any more, so its languages and skills cannot be shown."
            continue
        names = ", ".join(f"`{one['name']}`" for one in manifest["policies"])
        yield f"Decided at {manifest['at']} under {names}. Done to the text: {', '.join(steps(manifest)) or 'nothing'}."
        for title, counts in (
            ("Skills", manifest["counts"]["by_skill"]),
            ("Languages", manifest["counts"]["by_language"]),
        ):
            if counts:
                rows = "".join(f"| {name or 'unknown'} | {count:,} |\n" for name, count in sorted(counts.items()))
                yield f"| {title} | conversations in the cut |\n|---|---|\n{rows}".rstrip("\n")
    yield (
        "Every row was decided anew at the start of the run: each person had allowed it, and nothing was withdrawn, "
        "deleted, held or recorded on a business plan."
    )


def _measured(world: RunWorld, run: Run, made: Weights | None) -> Iterator[str]:
    yield "## What was measured"
    found = _report(world, run, made, "evaluation.json")
    if found is None:
        yield "Nothing was evaluated."
    else:
        whole = found["skills"]
        rows = "".join(_row(name, one) for name, one in whole.items() if "before" in one)
        head = (
            "| on people who were held back | people | before | after | 95 % of the change |\n|---|---|---|---|---|\n"
        )
        yield f"Bits per byte; lower is better.\n\n{head}{rows}".rstrip("\n")
    found = _report(world, run, made, "exposure.json")
    if found is None:
        yield "Whether it remembers single conversations was not tested."
        return
    auc = found["membership"]["auc"]["value"]
    worst = max(row["mean_bits"]["value"] for row in found["canaries"]["by_repeats"])
    copied = found["continuation"]["trained"]
    yield (
        f"Planted secrets were exposed by at most {worst:.2f} bits in the mean, of {found['canaries']['bits']:.1f}; "
        f"{copied['verbatim']:,} of {copied['tried']:,} beginnings went on word for word; losses tell members from "
        f"others with an area under the curve of {auc:.3f}."
    )


def _row(name: str, one: Mapping[str, Any]) -> str:
    before, after = (one[side]["bits_per_byte"]["value"] for side in ("before", "after"))
    change = one["change"]["bits_per_byte"]
    ends = "one person" if change["low"] is None else f"{change['low']:+.3f} to {change['high']:+.3f}"
    return f"| {name} | {one['people']:,} | {before:.3f} | {after:.3f} | {ends} |\n"


def _report(world: RunWorld, run: Run, made: Weights | None, file: str) -> Mapping[str, Any] | None:
    """Read a report that was made on these weights."""
    path = folder_of(world, run.id) / file
    if made is None or not path.is_file():
        return None
    found: Mapping[str, Any] = orjson.loads(path.read_bytes())
    return found if found.get("weights") == made.digest else None


def _people(world: RunWorld, run: Run, made: Weights | None) -> Iterator[str]:
    yield "## The people in it"
    if made is not None:
        yield f"It may be called *{made.claim}*. It is not anonymous: no test shows that."
    back = world.policies[-1][0].taking_back if world.policies else None
    if back is not None:
        said = " ".join((_BACK[back.started_runs], _BACK[back.finished_models]))
        yield f"Who takes a permission back is in no later cut and no later run. {said}"
    leaves = ", ".join(str(one.leaf) for one in world.store.run_leaves(run.id))
    yield f"What became of the run is in the ledger (leaves {leaves}); who was in it, in the cut's membership proofs."
