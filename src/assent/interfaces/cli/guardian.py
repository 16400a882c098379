"""`assent guardian`: who may allow for a child."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, echo_line
from assent.interfaces.cli.options import INSTANT, NAME

if TYPE_CHECKING:
    from datetime import datetime

    from assent.wiring import Wiring


@click.group()
def command() -> None:
    """Record whom you verified as guardian of a child, end that, or list it. The child always refuses for itself.

    \b
    Examples:
      assent guardian add c-7 p-31 --method "card check" --by "support desk"
      assent ask c-7 --guardian p-31
      assent guardian end c-7 p-31
      assent guardian list c-7
    """


@command.command()
@click.argument("subject", type=NAME)
@click.argument("guardian", type=NAME)
@click.option("--method", required=True, help="How it was verified that this is the guardian.")
@click.option("--by", "recorded_by", required=True, help="Who verified it: a role or a desk, no name.")
@click.option("--verified-at", type=INSTANT, help="When. Default: now.")
@click.pass_obj
def add(
    wiring: Wiring, subject: str, guardian: str, method: str, recorded_by: str, verified_at: datetime | None
) -> int:
    """Record that GUARDIAN may allow and withdraw for SUBJECT.

    \b
    Examples:
      assent guardian add c-7 p-31 --method "card check" --by "support desk"
    """
    from assent.services.choose.gate import record_guardian
    from assent.store.records import Guardian

    now = wiring.now()
    record_guardian(wiring.store, Guardian(subject, guardian, method, recorded_by, verified_at or now), now=now)
    echo_line(f"recorded; the guardian can now be asked: assent ask {subject} --guardian {guardian}")
    return 0


@command.command()
@click.argument("subject", type=NAME)
@click.argument("guardian", type=NAME)
@click.pass_obj
def end(wiring: Wiring, subject: str, guardian: str) -> int:
    """Record that GUARDIAN may no longer act for SUBJECT; what was allowed stays until somebody withdraws it.

    \b
    Examples:
      assent guardian end c-7 p-31
    """
    from assent.services.choose.gate import end_guardian

    end_guardian(wiring.store, subject, guardian, now=wiring.now())
    echo_line(f"ended; to take back what was allowed: assent choose {subject} withdraw")
    return 0


@command.command(name="list")
@click.argument("subject", type=NAME)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_(wiring: Wiring, subject: str, as_json: bool) -> int:
    """List who may, and who once could, act for SUBJECT.

    \b
    Examples:
      assent guardian list c-7 --json
    """
    found = wiring.store.guardians_of(subject)
    for one in found:
        ended = format_instant(one.ended_at) if one.ended_at else None
        since = format_instant(one.verified_at)
        if as_json:
            echo_json(
                {"guardian": one.guardian, "method": one.method, "by": one.recorded_by, "since": since, "ended": ended}
            )
        else:
            echo_line(
                f"{one.guardian:20} {one.method}, by {one.recorded_by}, since {since}"
                + (f", ended {ended}" if ended else "")
            )
    if not found and not as_json:
        click.echo("nobody")
    return 0
