"""The `assent` command: finds subcommands by name, turns errors into sentences and exit codes."""

from __future__ import annotations

import errno
import json
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assent.domain.errors import AssentError

if TYPE_CHECKING:
    from assent.wiring import Wiring

COMMANDS = {
    "init": "make a folder with settings, a store and a policy",
    "import": "bring conversations, accounts or choices in",
    "ask": "put the question to one person in this terminal",
    "choose": "record what a person chose",
    "guardian": "say who may allow for a child",
    "link": "say whose device it was",
    "contract": "keep what an organisation granted by contract",
    "campaign": "ask everybody in an audience by a deadline",
    "decide": "decide facts from standard input",
    "explain": "say what happens to one conversation, and why",
    "plan": "show what a sweep would do, and its digest",
    "sweep": "erase what a plan says is due",
    "prove": "show that something is erased, and write the proof",
    "derived": "say where copies are, and record what they answer",
    "connect": "connect a system that holds conversations",
    "connector": "erase, bring in and watch where conversations are",
    "undelete": "bring back what was deleted a short while ago",
    "hold": "place a legal hold",
    "release": "ask for the release of a hold",
    "approve": "agree to what another person asked for",
    "read": "read content for a purpose, with a reason",
    "flag": "flag a conversation, or reverse a flag",
    "vault": "look after sealed content and its keys",
    "backup": "copy this home, and end the copies of its keys on time",
    "restore": "bring a home back from a backup",
    "reconcile": "recompute everything, and look where nothing should be",
    "tracer": "plant made-up conversations whose end can be checked",
    "cut": "write a training set of eligible parts",
    "dedup": "find texts that say the same, and say which is kept",
    "skill": "say what conversations train",
    "score": "say how likely texts are harmful",
    "detector": "train and measure detectors of harm",
    "train": "train models on cuts, and know what each was trained on",
    "where": "say in which cuts and runs a conversation or a person is",
    "canary": "plant made-up conversations that no cut may hold",
    "disclose": "publish what a model was trained on, as the law asks it",
    "redact": "replace personal data and secrets in texts",
    "forecast": "draw what will be due when",
    "policy": "check, lint, compare, show policy files",
    "notice": "make, check, draw, publish, compare what people are asked",
    "rights": "answer what agents ask for people",
    "token": "say who may call the API",
    "staff": "say who may sign in to the console",
    "person-link": "let one person into the privacy centre, once",
    "serve": "serve the API",
    "webhook": "tell other systems what happens",
    "ledger": "prove, publish and check what people chose",
    "receipt": "write the receipt of a choice",
    "verify": "check a receipt, an erasure, a membership or evidence, offline",
    "evidence": "write what an auditor can verify offline, in one archive",
    "status": "count what the store holds",
    "demo": "run the whole story on made-up data",
}
"""Every command and its line in `assent --help`; the command lives in the module of its name."""


_CONTROLS = re.compile("[\\0-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ud800-\\udfff]")
_FULL = (errno.ENOSPC, errno.EDQUOT)
_GIVE_INPUT = "name a file, or open it: `< FILE`, or `... | assent ...`"


class _Commands(click.Group):
    """Loads a command's module when it is called; the list of commands needs none of them."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = import_module(
            f"assent.interfaces.cli.{name}_" if name == "import" else f"assent.interfaces.cli.{name.replace('-', '_')}"
        )
        command: click.Command = module.command
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="assent", message="assent %(version)s")
def app() -> None:
    """Ask people whether their chats may train models, and keep what that answer, the policy and the law allow.

    Exit status: 0 yes or done, 1 broken, 2 answered no, 3 not found, 4 incomplete.

    \b
    Examples:
      assent demo                                    the whole story on made-up data
      assent init my-assent && cd my-assent          start
      assent import claude-ai ~/Downloads/data.zip   bring an export in
      assent explain --all                           what is kept until when, and why
    """


def run(arguments: list[str], wiring: Wiring) -> int:
    """Run one command line and return its exit status. Errors are one sentence and one remedy on standard error."""
    try:
        # not `app.main`: it ends the program with status 1 when the reader of our output has seen enough
        with app.make_context("assent", arguments, obj=wiring) as context:
            result = app.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    except BrokenPipeError:
        # nobody reads on; without this the interpreter would complain when it flushes
        sys.stdout = None
        return 0
    except click.ClickException as problem:
        problem.show()
        return 1
    except (click.Abort, KeyboardInterrupt, EOFError):
        click.echo("assent: stopped; nothing half-done was kept", err=True)
        return 1
    except (AssentError, OSError, RuntimeError) as error:
        told = _told(error)
        show_problem(told)
        return told.exit_code
    return result if isinstance(result, int) else 0


def _told(error: AssentError | OSError | RuntimeError) -> AssentError:
    """Say an error as a sentence with a remedy. Raises those of our own making again."""
    if isinstance(error, AssentError):
        return error
    if isinstance(error, OSError):
        return _refused_by_the_machine(error)
    if type(error) is RuntimeError and sys.stdin is None:
        # all that click says of a closed standard input
        return AssentError("standard input is closed, so nothing can be read from it", _GIVE_INPUT)
    raise error


def _refused_by_the_machine(error: OSError) -> AssentError:
    if error.errno in _FULL:
        place = f" for `{Path(str(error.filename)).name}`" if error.filename else " where this is written"
        return AssentError(f"there is no space left{place}", "make room or write to another place, then try again")
    place = Path(str(error.filename)).name if error.filename else "a file"
    reason = (error.strerror or "no reason given").lower()
    return AssentError(f"the machine refuses `{place}`: {reason}", "check the path and its permissions, then try again")


def show_problem(problem: AssentError) -> None:
    """Print an error and its remedy on standard error, the way compilers do."""
    echo_line(f"assent: {problem}", err=True)
    if problem.fix:
        echo_line(f"  {problem.fix}", err=True)


def echo_line(line: str, *, err: bool = False) -> None:
    """Print one line for a person. What titles, ids and pages bring along cannot steer the terminal or feign a line."""
    click.echo(escaped(line), err=err)


def escaped(line: str) -> str:
    """Write controls, line ends, halves of characters and what turns the direction of text as in `\\x1b`."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), line)


def escaped_text(text: str) -> str:
    """Escape each line of a text; its own line ends and tabs stay."""
    return _CONTROLS.sub(lambda found: found[0] if found[0] in "\n\t" else escaped(found[0]), text)


class Complaints:
    """Shows each bad line as it comes and counts them: the rest of the lines goes on."""

    def __init__(self) -> None:
        """Start with none."""
        self.count = 0

    def __call__(self, problem: AssentError) -> None:
        """Show one."""
        self.count += 1
        show_problem(problem)

    @property
    def status(self) -> int:
        """The exit status of the command."""
        return 4 if self.count else 0


def echo_json(value: Any) -> None:
    """Print one JSON value on one line of standard output."""
    click.echo(json.dumps(value, ensure_ascii=False))
