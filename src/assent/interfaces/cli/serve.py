"""`assent serve`: the API, and beside it the process that takes people's acts."""

from __future__ import annotations

import gc
import json
import signal
import socket
import sys
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING

import click

from assent.domain.errors import Refused
from assent.domain.instants import format_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fastapi import FastAPI

    from assent.interfaces.api.world import World
    from assent.services.choose.acts import Acts
    from assent.wiring import Wiring

GRACE_S = 20
"""Seconds for which requests under way may finish after the server was told to stop."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65_535), help="0: any that is free.")
@click.option("--behind-proxy", is_flag=True,
              help="Listen at an address that other machines reach. A proxy of yours must then stand in front: it ends "
                   "TLS, without which tokens travel in the open, and limits how often one may ask.")  # fmt: skip
@click.option("--proxy", "proxies", multiple=True, metavar="ADDRESS", default=("127.0.0.1",), show_default=True,
              help="Address or network of that proxy: what it says of who asks is believed.")  # fmt: skip
@click.option("--root-path", default="", metavar="PATH",
              help="Where a proxy shows this server, as /privacy, and takes that off.")  # fmt: skip
@click.option("--address", default="", metavar="URL",
              help="Where browsers reach the pages, if the settings do not say.")  # fmt: skip
@click.pass_obj
def command(
    wiring: Wiring, host: str, port: int, behind_proxy: bool, proxies: tuple[str, ...], root_path: str, address: str
) -> None:
    """Serve the API of this home until it is told to stop (Ctrl-C or SIGTERM).

    It prints its address on standard output and one JSON line a request on standard error: what was asked, with which
    token, never for whom. Its description is at /openapi.json; callers need a token (`assent token add`).

    \b
    Examples:
      assent serve
      assent serve --port 0
      assent serve --host 0.0.0.0 --behind-proxy --proxy 10.0.0.5
      assent serve --root-path /privacy --address https://chat.example/privacy
    """
    if not behind_proxy and not _only_this_machine(host):
        fix = "listen at 127.0.0.1, or put a proxy that speaks TLS in front and say --behind-proxy"
        raise Refused(f"`{host}` can be reached from other machines, and tokens would travel in the open", fix)
    from assent.interfaces.api.app import create_app
    from assent.interfaces.web.addresses import create_site
    from assent.services.ledger.beside import OwnProcess

    # threads take turns ten times as often as by default: the one that talks to the network waits behind fewer others
    sys.setswitchinterval(0.000_5)
    # what a choice waits for is in a process of its own, and waits for no thread here
    world = wiring.world()
    if address:
        world = replace(world, settings=replace(world.settings, address=address))
    worker = OwnProcess(partial(_acts, wiring.at_home(wiring.settings.home)), lambda: _say_died(world))
    app = create_app(world, worker, create_site)
    # what stands by now stays: a collector that looked through it again and again would keep requests waiting
    gc.collect()
    gc.freeze()
    with socket.create_server((host, port), family=_family(host), backlog=1_024) as listener:
        # whoever says that somebody else asks is believed only where a proxy stands in front
        prefix, believed = root_path.rstrip("/"), proxies if behind_proxy or root_path else ()
        run(app, listener, before=worker.begin, ready=_say_where, root_path=prefix, proxies=believed)
    click.echo("stopped")


def run(
    app: FastAPI,
    listener: socket.socket,
    *,
    before: Callable[[], None],
    ready: Callable[[str], None],
    root_path: str = "",
    proxies: Sequence[str] = (),
) -> None:
    """Serve an application on a socket that listens, until Ctrl-C or SIGTERM.

    `before` is called in the loop that serves, before anything is; `ready` is told the address when it is reached.
    `root_path` is what a proxy takes off the addresses that it passes on; `proxies` are those whose word on who asks
    is believed.
    """
    import uvicorn

    place = listener.getsockname()
    shown = f"[{place[0]}]" if ":" in place[0] else place[0]

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            before()
            await super().startup(sockets)
            ready(f"http://{shown}:{place[1]}")

    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        root_path=root_path,
        timeout_graceful_shutdown=GRACE_S,
    )
    with _stopped_by_signals():
        Server(config).run(sockets=[listener])


def _acts(wiring: Wiring) -> Acts:
    """Return what takes people's acts, in the process that does nothing else."""
    acts = wiring.acts()
    gc.collect()
    gc.freeze()
    return acts


def _say_where(address: str) -> None:
    click.echo(f"serving at {address}")


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
