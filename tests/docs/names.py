"""What others may rely on by name: `python -m tests.docs.names` writes it down for the release that is being made.

tests/docs/test_releases.py compares: a name that was written down and is gone must stand in the changelog
under *Removed*, as docs/reference/releases.md promises.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click

from assent import __version__
from assent.interfaces.cli.app import app
from assent.settings import Settings
from tests.docs.python_page import PUBLIC

WRITTEN = Path(__file__).with_name("names.json")


def names() -> dict[str, list[str]]:
    """List public names by kind: commands with their options, keys of the settings, names of Python."""
    return {
        "commands": sorted(_commands(app, click.Context(app, info_name="assent", **app.context_settings))),
        "settings": sorted(field.name for field in fields(Settings) if field.name != "home"),
        "python": sorted(f"{module}.{name}" for module, found in PUBLIC.items() for name in found),
    }


def _commands(command: click.Command, context: click.Context) -> Iterator[str]:
    yield context.command_path
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            yield from (f"{context.command_path} {name}" for name in (*option.opts, *option.secondary_opts))
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from _commands(below, click.Context(below, context, info_name=name))


if __name__ == "__main__":
    WRITTEN.write_text(json.dumps({"version": __version__, **names()}, indent=1) + "\n", "utf-8")
