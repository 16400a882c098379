"""`assent sweep`: carry out a plan, what earlier sweeps left open, or both again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from assent.interfaces.cli.app import echo_json, echo_line
from assent.interfaces.cli.options import LENGTH
from assent.interfaces.cli.progress import progress
from assent.services.erase.carry_out import carry_out
from assent.services.sweep import find_plan, require_done

if TYPE_CHECKING:
    from datetime import timedelta

    from assent.services.erase.carry_out import CarriedOut
    from assent.services.sweep import SweepReport
    from assent.wiring import Wiring


@click.command()
@click.option("--plan", "named", help="Digest of the plan, or its first 8 or more digits.")
@click.option("--redo", is_flag=True, help="Only carry out what earlier sweeps left open: keys, copies, receipts.")
@click.option("--daemon", is_flag=True, help="Plan and sweep again and again, within the guards, until it is stopped.")
@click.option(
    "--every", type=LENGTH, default="PT15M", show_default=True, help="With --daemon: how long between rounds."
)
@click.option("--port", type=int, default=0, help="With --daemon: port of /healthz and /metrics. 0: any free one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(wiring: Wiring, /, named: str | None, *, redo: bool, daemon: bool, as_json: bool, **more: Any) -> int:
    """Erase what a plan names and is still due: rows, keys, and every copy that is registered.

    Every part is decided again; what was held, flagged or used meanwhile stays. What goes leaves a tombstone without
    content, and the ledger a receipt (`assent prove`). A plan beyond the guards takes a second person (`assent
    approve`). Stopping the sweep anywhere is safe: run it again.

    Exit status: 0 done, 2 a guard says no, or the plan is too old or the policies changed, 3 no such plan, 4 an
    erasure still waits for a copy or for a key to go.

    \b
    Examples:
      assent sweep --plan 3f9c0d2a71be
      assent sweep --redo                        go on with what could not be finished
      assent sweep --daemon --every PT15M        unattended
    """
    if [bool(named), redo, daemon].count(True) != 1:
        raise click.UsageError("say one of --plan DIGEST, --redo and --daemon")
    if daemon:
        from assent.interfaces.cli.sweep_daemon import run_daemon

        every: timedelta = more["every"]
        return run_daemon(wiring, every=every, port=more["port"])
    if named is None:
        with progress("carrying out", len(wiring.store.open_erasures(0, 1_000))) as advance:
            carried = carry_out(wiring.store, wiring.erasure_world, now=wiring.now(), on_erasures=advance)
        _tell({}, "", carried, as_json=as_json)
    else:
        report = _sweep(wiring, named)
        carried = report.carried
        _tell(_record(report), _said(report), carried, as_json=as_json)
    require_done(carried, wiring.connectors.names())
    return 0


def _sweep(wiring: Wiring, named: str) -> SweepReport:
    plan = find_plan(wiring.store, named)
    with progress("erasing", sum(plan.counts.values())) as advance:
        return wiring.by_hand().sweep(plan, wiring.now(), advance)


def _said(report: SweepReport) -> str:
    kept = f"{report.kept:,} kept because they are no longer due"
    gone = f", {report.gone:,} gone before" if report.gone else ""
    rest = "" if report.finished else "; the day has no room for the rest: run the same tomorrow"
    return f"sweep {report.sweep}: {report.erased:,} parts erased, {kept}{gone}{rest}"


def _record(report: SweepReport) -> dict[str, object]:
    names = ("sweep", "plan", "erased", "kept", "gone", "finished")
    return {name: getattr(report, name) for name in names}


def _tell(record: dict[str, object], said: str, carried: CarriedOut, *, as_json: bool) -> None:
    if as_json:
        echo_json({**record, **carried.to_record()})
        return
    for line in (said, *_lines(carried)):
        if line:
            echo_line(line)


def _lines(carried: CarriedOut) -> list[str]:
    lines = [f"{carried.finished:,} erasures have their receipt"] if carried.finished else []
    for store, states in sorted(carried.copies.items()):
        lines.append(f"  {store}: {', '.join(f'{count:,} {state}' for state, count in sorted(states.items()))}")
    return lines + [f"  problem: {problem}" for problem in carried.problems]
