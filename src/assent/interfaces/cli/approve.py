"""`assent approve`: agree to what another person asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, echo_line
from assent.services.approve import approve, ask
from assent.services.guard.limits import limits_in_force, limits_of
from assent.services.guard.permit import Under
from assent.services.guard.release import guard_release
from assent.services.hold.release import approve_release
from assent.store.records import APPROVAL_ACTS, Page

if TYPE_CHECKING:
    from datetime import datetime

    from assent.services.guard.release import Freed
    from assent.store.records import Approval, ApprovalAct, Hold
    from assent.wiring import Wiring


class _ByDefaultGive(click.Group):
    """Takes a word that is no sub-command for the id of a request."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        return super().resolve_command(ctx, args if args and args[0] in self.commands else ["give", *args])


@click.group(cls=_ByDefaultGive)
def command() -> None:
    """Agree to what another person asked for; `assent approve ID --by NAME` is short for `give`.

    Whoever asked cannot approve. An approval is good for one act on one target, once, while its time lasts.

    \b
    Acts:
      release    end a hold; done at once when it is approved
      undelete   bring back what somebody else deleted
      exceed     let a sweep go beyond a guard
      loosen     loosen a safeguard
      clock      go on after a jump of the clock
      promote    let a version of a detector decide

    \b
    Examples:
      assent approve list
      assent approve 81d2… --by ben
      assent approve ask exceed 3f9c0d2a71be --by ann --reason "the policy was meant so"
    """


@command.command()
@click.argument("approval", metavar="ID")
@click.option("--by", required=True, help="Who approves: somebody else than asked.")
@click.pass_obj
def give(wiring: Wiring, approval: str, by: str) -> int:
    """Approve request ID.

    Exit status: 0 approved, 2 the same person, too late or done already, 3 no such request.

    \b
    Example:
      assent approve give 81d2… --by ben
    """
    now = wiring.now()
    known = wiring.store.approval(approval)
    if known is not None and known.act == "release":
        hold, freed = _release(wiring, approval, by, now)
        echo_line(f"hold {hold.id} is released since {format_instant(hold.released_at or now)}")
        click.echo("what it kept is due at the next sweep, unless something else keeps it: look at `assent plan`")
        if freed is not None:
            echo_line(f"{freed.parts:,} parts are due by it")
            for trip in freed.trips:
                echo_line(f"a sweep of them takes a second person: {trip.says}")
        return 0
    given = approve(wiring.store, approval, by=by, now=now)
    echo_line(f"approved: {given.act} {given.target}, until {format_instant(given.valid_until)}")
    return 0


def _release(wiring: Wiring, approval: str, by: str, now: datetime) -> tuple[Hold, Freed | None]:
    """Release the hold, and see what that makes due; without a policy nobody can say."""

    def release() -> Hold:
        return approve_release(wiring.store, wiring.journal, approval, by=by, now=now)

    if not wiring.settings.policies:
        return release(), None
    limits = limits_in_force(wiring.store, limits_of(wiring.settings), now)
    under = Under(wiring.policies, wiring.lead, limits)
    return guard_release(wiring.store, wiring.columns, under, now, release)


@command.command("ask")
@click.argument("act", type=click.Choice(APPROVAL_ACTS))
@click.argument("target")
@click.option("--by", required=True, help="Who asks.")
@click.option("--reason", required=True, help="Why, so that somebody can judge it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def request(wiring: Wiring, act: str, target: str, by: str, reason: str, as_json: bool) -> int:
    """Ask for ACT on TARGET, as the refusal that sent you here names them.

    \b
    Example:
      assent approve ask clock 2026-11-22 --by ann --reason "the machine stood still for a week"
    """
    made = ask(
        wiring.store,
        id=wiring.new_id(),
        act=cast("ApprovalAct", act),
        target=target,
        by=by,
        reason=reason,
        now=wiring.now(),
        valid=timedelta(days=wiring.settings.approval_valid_days),
    )
    if as_json:
        echo_json({"approval": made.id, "valid_until": format_instant(made.valid_until)})
    else:
        echo_line(f"request {made.id}; somebody else says: assent approve {made.id} --by NAME")
    return 0


@command.command("list")
@click.option("--all", "whole", is_flag=True, help="Those that are used or too old too.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="How many, newest first.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_obj
def show(wiring: Wiring, whole: bool, limit: int, as_json: bool) -> int:
    """List requests, the newest first: who asked for what, why, and whether somebody approved.

    \b
    Example:
      assent approve list --all --json
    """
    now = wiring.now()
    for one in wiring.store.approvals(Page(limit)).items:
        state = _state(one, now)
        if not whole and state in ("used", "too old"):
            continue
        if as_json:
            record = {"approval": one.id, "act": one.act, "target": one.target, "asked_by": one.asked_by}
            echo_json(record | {"reason": one.reason, "approved_by": one.approved_by, "state": state})
        else:
            echo_line(f"{one.id}  {one.act:8} {one.target}  asked by {one.asked_by}: {one.reason}  [{state}]")
    return 0


def _state(one: Approval, now: datetime) -> str:
    if one.used_at is not None:
        return "used"
    if now >= one.valid_until:
        return "too old"
    return "waiting" if one.approved_at is None else "approved"
