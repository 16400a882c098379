"""`assent prove`: show that something is erased, and write the proof."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assent.domain.errors import AssentError, Incomplete
from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, echo_line
from assent.services.erase.prove import erasures_of, prove

if TYPE_CHECKING:
    from assent.services.erase.prove import Proven
    from assent.wiring import Wiring


@click.command()
@click.argument("named", metavar="ERASURE|CONVERSATION")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the proof to this new file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each erasure.")
@click.pass_obj
def command(wiring: Wiring, named: str, out: Path | None, as_json: bool) -> int:
    """Show that ERASURE (a number), or what was erased of CONVERSATION, is gone.

    It checks that the tombstones are those of the receipt, that the ledger holds the receipt and what each copy has
    answered, and it tries to open what was erased, which must fail. --out writes what anybody can check with
    `assent verify erasure`.

    Exit status: 0 it is gone, 1 it does not fit together, or something opened, 3 nothing was erased under that name,
    4 it has no receipt yet, or a copy is not removed.

    \b
    Examples:
      assent prove 12 --out erasure-12.json
      assent prove claude-ai:0a41f3c2
    """
    store = wiring.store
    erasures = erasures_of(store, named)
    if out is not None and len(erasures) > 1:
        numbers = ", ".join(str(one.id) for one in erasures)
        raise click.UsageError(f"--out takes one erasure; this conversation was in {numbers}")
    lingering: set[str] = set()
    for erasure in erasures:
        conversation = None if named == str(erasure.id) else named
        proven = prove(store, wiring.erasure_world, wiring.log, erasure, conversation)
        if as_json:
            echo_json(_record(proven))
        else:
            _say(proven)
        _require_nothing_opens(proven)
        lingering |= {one.store for one in proven.copies if one.state != "removed"}
        if out is not None:
            with out.open("xb") as file:
                file.write(proven.proof.encode() + b"\n")
    if lingering:
        fix = "`assent sweep --redo` asks them again"
        raise Incomplete(f"not removed from {', '.join(f'`{name}`' for name in sorted(lingering))} yet", fix)
    return 0


def _require_nothing_opens(proven: Proven) -> None:
    found = proven.attempt
    if found.opened or found.here:
        what = f"{found.opened:,} keys open" if found.opened else f"{len(found.here):,} of its parts are here"
        fix = "run `assent sweep --redo`, then `assent reconcile`"
        raise AssentError(f"erasure `{proven.erasure.id}` is not true: {what}", fix)


def _say(proven: Proven) -> None:
    erasure, attempt = proven.erasure, proven.attempt
    echo_line(f"erasure {erasure.id} of {erasure.parts:,} parts, {format_instant(erasure.at)}")
    destroyed = format_instant(proven.proof.record.keys_destroyed_at)
    echo_line(f"  its keys are gone since {destroyed}, and the ledger holds its receipt")
    echo_line(f"  {len(proven.proof.stones):,} tombstones lead to the root {erasure.root.hex()[:16]}…")
    tried = "nobody remembers its keys" if attempt.tried is None else f"{attempt.tried:,} keys tried"
    echo_line(f"  an attempt to open it: {tried}, {attempt.opened:,} opened; {len(attempt.here):,} parts are here")
    for copy in proven.copies:
        note = f"   {copy.note}" if copy.note else ""
        echo_line(f"  {copy.store:<12} {copy.state}{note}")


def _record(proven: Proven) -> dict[str, Any]:
    erasure, attempt = proven.erasure, proven.attempt
    return {
        "erasure": erasure.id,
        "kind": erasure.kind,
        "at": format_instant(erasure.at),
        "parts": erasure.parts,
        "root": erasure.root.hex(),
        "chain": erasure.chain.hex(),
        "keys_destroyed_at": format_instant(proven.proof.record.keys_destroyed_at),
        "tombstones": len(proven.proof.stones),
        "attempt": {"tried": attempt.tried, "opened": attempt.opened, "here": list(attempt.here)},
        "copies": [{"store": copy.store, "state": copy.state, "note": copy.note} for copy in proven.copies],
    }
