"""`assent serve`: the API, and beside it the process that takes people's acts."""

from __future__ import annotations

import gc
import json
import signal
import socket
import sys
from contextlib import contextmanager
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING

import click

from assent.domain.errors import Refused
from assent.domain.instants import format_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from assent.interfaces.api.world import World
    from assent.services.choose.choose import Outcome
    from assent.services.choose.several import Asked
    from assent.wiring import Wiring

GRACE_S = 20
"""Seconds for which requests under way may finish after the server was told to stop."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65_535), help="0: any that is free.")
@click.option("--behind-proxy", is_flag=True,
              help="Listen at an address that other machines reach. A proxy of yours must then stand in front: it ends "
                   "TLS, without which tokens travel in the open, and limits how often one may ask.")  # fmt: skip
@click.pass_obj
def command(wiring: Wiring, host: str, port: int, behind_proxy: bool) -> None:
    """Serve the API of this home until it is told to stop (Ctrl-C or SIGTERM).

    It prints its address on standard output and one JSON line a request on standard error: what was asked, with which
    token, never for whom. Its description is at /openapi.json; callers need a token (`assent token add`).

    \b
    Examples:
      assent serve
      assent serve --port 0
      assent serve --host 0.0.0.0 --behind-proxy
    """
    if not behind_proxy and not _only_this_machine(host):
        fix = "listen at 127.0.0.1, or put a proxy that speaks TLS in front and say --behind-proxy"
        raise Refused(f"`{host}` can be reached from other machines, and tokens would travel in the open", fix)
    import uvicorn

    from assent.interfaces.api.app import create_app
    from assent.services.ledger.beside import OwnProcess

    # threads take turns ten times as often as by default: the one that talks to the network waits behind fewer others
    sys.setswitchinterval(0.000_5)
    # what a choice waits for is in a process of its own, and waits for no thread here
    world = wiring.world()
    worker = OwnProcess(partial(_acts, wiring.at_home(wiring.settings.home)), lambda: _say_died(world))
    app = create_app(world, worker)
    # what stands by now stays: a collector that looked through it again and again would keep requests waiting
    gc.collect()
    gc.freeze()
    with socket.create_server((host, port), family=_family(host), backlog=1_024) as listener, _stopped_by_signals():
        place = listener.getsockname()
        shown = f"[{place[0]}]" if ":" in place[0] else place[0]

        class Server(uvicorn.Server):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                worker.begin()
                await super().startup(sockets)
                click.echo(f"serving at http://{shown}:{place[1]}")

        Server(
            uvicorn.Config(
                app,
                loop="uvloop",
                http="httptools",
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_S,
            )
        ).run(sockets=[listener])
    click.echo("stopped")


def _acts(wiring: Wiring) -> Callable[[Sequence[Asked]], list[Outcome | Exception]]:
    """Return what takes people's acts, in the process that does nothing else."""
    acts = wiring.acts()
    gc.collect()
    gc.freeze()
    return acts


def _say_died(world: World) -> None:
    line = {"at": format_instant(world.now()), "step": "choose", "problem": "the process that writes choices died"}
    world.say(json.dumps(line))


def _only_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Let a signal end the server and not the program: uvicorn passes on what it caught when it is done."""
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
