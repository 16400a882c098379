"""Write the pages of docs/reference that the program knows by itself: `PAGES` names them.

`python -m tests.docs.write_reference` writes them; tests/docs/test_docs.py compares.
"""

import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path

import click

from assent.interfaces.cli.app import COMMANDS, app
from assent.settings import FILE, Settings
from tests.docs.pages_page import pages_page
from tests.docs.python_page import python_page
from tests.docs.reference_tables import events_page, extras_page, metrics_page

REPOSITORY = Path(__file__).resolve().parents[2]
REFERENCE = REPOSITORY / "docs" / "reference"
WIDTH = 110
MADE = "Made from the program by `python -m tests.docs.write_reference`; a test compares the two. Do not edit by hand."


def commands_page() -> str:
    """Give the help of every command and sub-command, in the order of `assent --help`."""
    top = click.Context(app, info_name="assent", terminal_width=WIDTH, **app.context_settings)
    sections = [
        "# Commands",
        f"{MADE}\n\nWhat the exit statuses mean is said in [exit-codes.md](exit-codes.md).",
        _block(app, top),
    ]
    for name in COMMANDS:
        command = app.get_command(top, name)
        assert command is not None
        sections += _sections(command, click.Context(command, top, info_name=name, terminal_width=WIDTH), 2)
    return "\n\n".join(sections) + "\n"


def _sections(command: click.Command, context: click.Context, level: int) -> Iterator[str]:
    yield f"{'#' * level} {context.command_path}"
    yield _block(command, context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from _sections(below, click.Context(below, context, info_name=name, terminal_width=WIDTH), level + 1)


def _block(command: click.Command, context: click.Context) -> str:
    lines = (line.rstrip() for line in command.get_help(context).splitlines())
    return "```text\n" + "\n".join(lines) + "\n```"


def settings_page() -> str:
    """Give every setting with its default, its meaning and its unit, in the order of the class."""
    meanings = setting_meanings()
    rows = [
        f"| `{field.name}` | {_default(field)} | {meanings[field.name]}{_without_effect(field.name)} |"
        for field in fields(Settings)
        if field.name != "home"
    ]
    return f"""# Settings

{MADE}

A home of assent is a folder with a file `{FILE}`, in TOML. Commands look for it in the folder they run in and in those
above. Every key may be left out; a key that is not in this table is refused, and so is a number that is not above zero.
Relative paths start at the home folder.

| key | default | meaning and unit |
|---|---|---|
{chr(10).join(rows)}

The file that `assent init` writes:

```toml
database = "assent.db"
policies = ["policies"]
```

## What the home folder holds

| name | what it is |
|---|---|
| `{FILE}` | the settings |
| `assent.db` | the store, readable by its owner only; beside it two `assent.db-…` files while it is in use |
| `policies/` | the policy versions in force here, as `assent init` copied them |
| `notices/` | the notices that ask for them; a changed file counts from `assent notice add` on |
| `keys/` | the keys of ledger, pseudonyms, snapshots and webhooks, for their owner only: keep a copy in a safe place |
| `cuts/` | the keys of the pseudonyms in cuts, one file a cut, readable by its owner only |
| `spill/` | what the set evaluator puts aside when `memory_limit_mb` is not enough |

## Environment

| variable | meaning |
|---|---|
| `ASSENT_HOME` | the home folder, instead of looking for it |
| `ASSENT_CLOCK` | an instant (ISO 8601 with zone) to use instead of the machine's clock, for rehearsals only |
| `CI` | if it is set to anything, nobody is asked and no `allow` is taken at a terminal |

Two libraries would tell their makers about runs. assent sets what stops that, unless it is set already:

| variable | is set to |
|---|---|
| `RAY_USAGE_STATS_ENABLED` | `0` |
| `MLFLOW_DISABLE_TELEMETRY` | `true` |

The AWS libraries (`kms`, `s3`) look for their credentials where they always do: `AWS_…`, files, the machine's role.
"""


def setting_meanings() -> dict[str, str]:
    """Read what the docstring of `Settings` says about each field."""
    text = re.sub(r"\s+", " ", inspect.getdoc(Settings) or "")
    # a paragraph begins with what its settings are about, which is no part of the meaning before it
    found = re.findall(r"`(\w+)`: (.*?)(?= (?:Of [^.:`]*: )?`\w+`: |$)", text)
    return {name: meaning.strip().rstrip(".") for name, meaning in found}


def unread_settings() -> set[str]:
    """Find the settings that no line of the program reads: they are accepted and do nothing."""
    source = REPOSITORY / "src" / "assent"
    text = "\n".join(path.read_text("utf-8") for path in sorted(source.rglob("*.py")) if path.name != "settings.py")
    # functions that read several settings give them a short name first
    read = set(re.findall(r"\b(?:settings|told|found)\.(\w+)", text))
    return {field.name for field in fields(Settings)} - read


def _without_effect(name: str) -> str:
    return " (accepted; nothing reads it in this version)" if name in unread_settings() else ""


def _default(field: Field[object]) -> str:
    if field.name == "database":
        return '`"assent.db"`'
    if field.default is MISSING:
        return ""
    return "`[]`" if field.default == () else f"`{field.default}`"


PAGES = {
    "commands.md": commands_page,
    "events.md": lambda: events_page(MADE),
    "extras.md": lambda: extras_page(MADE),
    "metrics.md": lambda: metrics_page(MADE),
    "pages.md": lambda: pages_page(MADE),
    "python.md": lambda: python_page(MADE),
    "settings.md": settings_page,
}


if __name__ == "__main__":
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), "utf-8")
        print(f"wrote {REFERENCE / name}")
