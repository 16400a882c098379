"""`assent plan`: show what a sweep would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, echo_line
from assent.interfaces.cli.chart import bars
from assent.interfaces.cli.options import INSTANT
from assent.services.forecast import forecast
from assent.services.plan import PlanReport, make_plan

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from assent.services.forecast import Forecast
    from assent.wiring import Wiring


@click.command()
@click.option("--at", type=INSTANT, help="Instant to plan for, ISO 8601 with zone. Default: now.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(wiring: Wiring, at: datetime | None, as_json: bool) -> int:
    """Show what a sweep would erase now: by rule, newly due, a sample, what comes next; and its digest.

    That is what is ripe: parts must go some days before their end, so that backups of their keys are gone by then too,
    but never while anything may still use them.

    Nothing is erased. `assent sweep --plan DIGEST` does exactly this plan, and decides every
    part once more before it erases it.

    \b
    Examples:
      assent plan
      assent plan --json | jq .by_rule
      assent plan --at 2026-01-01T00:00:00Z      what would be due at New Year
    """
    instant = at or wiring.now()
    rows, lead = wiring.settings.batch_rows, wiring.lead
    report = make_plan(
        wiring.store,
        wiring.columns,
        wiring.policy_texts,
        at=instant,
        batch_rows=rows,
        lead=lead,
        now=wiring.now(),
    )
    ahead = forecast(wiring.store, wiring.columns, wiring.policies, instant, "week", 8, lead=lead)
    if as_json:
        echo_json({**_record(report, ahead), "lead_days": lead.days})
        return 0
    _say(report, ahead, lead)
    return 0


def _record(report: PlanReport, ahead: Forecast) -> dict[str, object]:
    return {
        "digest": report.digest,
        "at": format_instant(report.at),
        "policies": [{"policy": name, "digest": digest} for name, digest in report.policies],
        "looked_at": report.looked_at,
        "due": report.due,
        "newly_due": report.newly_due,
        "by_rule": [
            {"rule": t.label, "parts": t.parts, "conversations": t.conversations, "people": t.people}
            for t in report.by_rule
        ],
        "sample": [
            {"conversation": s.conversation, "part": s.part, "rule": s.rule, "erase_by": format_instant(s.erase_by)}
            for s in report.sample
        ],
        "forecast": {
            "step": ahead.step,
            "buckets": [{"start": format_instant(b.start), "parts": b.parts} for b in ahead.buckets],
            "later": ahead.later,
            "held": ahead.held,
            "without_end": ahead.endless,
        },
    }


def _say(report: PlanReport, ahead: Forecast, lead: timedelta) -> None:
    echo_line(f"plan for {format_instant(report.at)} under {', '.join(name for name, _ in report.policies)}")
    if lead:
        echo_line(f"parts are ripe up to {lead.days} days before their end, so that no backup of a key outlives it")
    echo_line(f"due: {report.due:,} parts, of them newly due {report.newly_due:,}; looked at {report.looked_at:,}")
    for tally in report.by_rule:
        whose = f"{tally.conversations:,} conversations of {tally.people:,} people"
        echo_line(f"  {tally.label:24} {tally.parts:>10,} parts in {whose}")
    if report.sample:
        click.echo("for example:")
        for sample in report.sample:
            echo_line(f"  {sample.conversation}  by {format_instant(sample.erase_by)}  ({sample.rule})")
    click.echo("\n" + bars(ahead))
    echo_line(f"digest: {report.digest}")
    if report.due:
        echo_line(f"to do exactly this: assent sweep --plan {report.digest[7:19]}")
