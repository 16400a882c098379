"""`assent link`: whose device it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assent.interfaces.cli.app import echo_json, echo_line
from assent.interfaces.cli.options import NAME

if TYPE_CHECKING:
    from assent.wiring import Wiring


@click.command()
@click.argument("device", type=NAME)
@click.argument("subject", type=NAME)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(wiring: Wiring, device: str, subject: str, as_json: bool) -> int:
    """Record that DEVICE, which chatted without an account, belongs to the account SUBJECT. It stays so.

    What was refused on the device is carried to the account where that has not decided, and what the account
    refuses reaches the device's conversations. What was allowed on one side allows nothing on the other.

    \b
    Examples:
      assent link device-4f2 p-17
    """
    from assent.services.choose.link import link_device

    carried = link_device(wiring.store, wiring.log, device, subject, now=wiring.now())
    if as_json:
        echo_json({"carried": [{"id": one.choice.id, "purpose": one.choice.purpose} for one in carried]})
        return 0
    purposes = ", ".join(sorted({one.choice.purpose for one in carried}))
    echo_line("linked; " + (f"declined for the account too: {purposes}" if carried else "no refusal to carry along"))
    return 0
