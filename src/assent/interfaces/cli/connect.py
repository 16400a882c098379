"""`assent connect KIND`: connect a system that holds conversations. Each kind says which keys it has."""

from __future__ import annotations

import tomllib
from itertools import islice
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Final, Literal, Union, get_args, get_origin

import click

from assent.domain.errors import AssentError, Invalid, Place
from assent.interfaces.cli.app import echo_line

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from assent.connectors.registry import Kind
    from assent.wiring import Wiring

TRIED: Final = 20
"""Conversations that are listed before anything is written."""

_HIDDEN: Final = ("name", "folder")
_TYPES: Final[dict[Any, click.ParamType[Any]]] = {
    int: click.INT,
    float: click.FLOAT,
    bool: click.BOOL,
    Path: click.Path(path_type=Path),
}


class _Kinds(click.Group):
    """One command a kind, made from the keys that it declares."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        from assent.connectors.registry import kinds

        return list(kinds())

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        from assent.connectors.registry import kind

        return _command(name, kind(name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Kinds"):
            formatter.write_dl([(name, _summary(name)) for name in self.list_commands(ctx)])


@click.group(cls=_Kinds, subcommand_metavar="KIND [KEYS]...")
def command() -> None:
    """Connect a system that holds conversations: it is tried first, and nothing is written if it does not answer.

    From then on every sweep asks it to erase, looks again, and waits until nothing is left there. Its keys are written
    to `connectors/NAME.toml` in the home; a secret stays in its own file, and only that file's name is written.

    Exit status: 0 connected, 1 it does not answer or a key is wrong, 2 the name is taken, 3 no such kind.

    \b
    Examples:
      assent connect coding-agents --help
      assent connect coding-agents --name laptop --agent claude-code --home ~/.claude --owner me
      assent connector list
    """


def _summary(name: str) -> str:
    from assent.connectors.registry import kind

    try:
        return kind(name).SUMMARY
    except AssentError as problem:
        return problem.message


def _command(name: str, kind: Kind) -> click.Command:
    options = [option for key, field in kind.Settings.model_fields.items() if (option := _option(key, field))]
    shared = [
        click.Option(["--name", "_name"], default=name, show_default=True, help="What it is called here."),
        click.Option(
            ["--plan-name", "_plans"],
            multiple=True,
            metavar="THEIRS=OURS",
            help="What a plan of the system is called in the policies; may be given again.",
        ),
        click.Option(
            ["--also", "_also"],
            multiple=True,
            metavar="FORMAT",
            help="It holds copies of these conversations too, under the same ids; may be given again.",
        ),
        click.Option(
            ["--from", "_file"],
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="A TOML file with keys, for those that are tables; options stand above it.",
        ),
    ]

    if text := getattr(kind, "EXAMPLE", ""):
        shared.append(_shown("--example", text))

    @click.pass_obj
    def connect(wiring: Wiring, /, **said: Any) -> int:
        return _connect(wiring, name, said)

    tables = [
        f"[{key}]" for key, field in kind.Settings.model_fields.items() if key not in _HIDDEN and not _kind(field)
    ]
    more = f"\n\nKeys that are tables come by --from: {', '.join(tables)}." if tables else ""
    needed = [key for key, field in kind.Settings.model_fields.items() if field.is_required() and key not in _HIDDEN]
    example = " ".join(f"--{key.replace('_', '-')} {key.upper()}" for key in needed)
    help_text = f"{_sentence(kind.SUMMARY)}{more}\n\n\b\nExample:\n  assent connect {name} --name mine {example}"
    return click.Command(name, params=[*shared, *options], callback=connect, help=help_text)


def _shown(flag: str, text: str) -> click.Option:
    """Make an option that prints an example of the keys that are tables, and does nothing else."""

    def show(ctx: click.Context, _option: click.Parameter, given: Any) -> None:
        if given:
            click.echo(text, nl=False)
            ctx.exit()

    help_text = "Print an example of the keys that are tables."
    return click.Option([flag], is_flag=True, is_eager=True, expose_value=False, callback=show, help=help_text)


def _connect(wiring: Wiring, kind: str, said: dict[str, Any]) -> int:
    from assent.connectors.opendsr.port import Vendor
    from assent.services.erase.registry import add

    name, file = said.pop("_name"), said.pop("_file")
    plans, also = _pairs(said.pop("_plans")), list(said.pop("_also"))
    keys: dict[str, Any] = {} if file is None else _table(file)
    keys.update({key: _plain(value) for key, value in said.items() if value not in (None, ())})
    keys["kind"] = kind
    if plans:
        keys["plans"] = {**keys.get("plans", {}), **plans}
    if also:
        keys["also"] = also
    connector = wiring.connectors.draft(name, keys)
    product = wiring.connectors.connect(connector)
    vendor = isinstance(product, Vendor)
    if vendor and not connector.shared.also:
        raise Invalid("a vendor without formats is never ordered anything", "say --also FORMAT, as in `librechat`")
    found = len(list(islice(product.list(), TRIED)))
    add(wiring.store, name, now=wiring.now())
    written = wiring.connectors.write(connector)
    if vendor:
        echo_line(f"{name} takes orders about {', '.join(connector.shared.also)}")
    else:
        echo_line(f"{name} answers{': it lists conversations' if found else ', and holds no conversation yet'}")
    echo_line(f"wrote {written}; every erasure from now on asks {name}")
    click.echo(product.reach)
    if not vendor:
        echo_line(f"bring its conversations in: assent connector import {name}")
    return 0


def _option(key: str, field: FieldInfo) -> click.Option | None:
    """Make the option of a key; None for a key that is a table, or that nobody gives."""
    kind = _kind(field)
    if key in _HIDDEN or kind is None:
        return None
    flag = f"--{key.replace('_', '-')}"
    required = " Required." if field.is_required() else ""
    default = f" Default: {field.default}." if field.default not in (None, "", ()) and not field.is_required() else ""
    help_text = f"{_sentence(field.description or '')}{required}{default}"
    # what is required is checked with the rest, so that all that is missing is named at once
    declared = [f"{flag}/--no-{flag[2:]}", key] if kind is click.BOOL else [flag, key]
    return click.Option(
        declared, type=kind, multiple=_several(field), default=None if not _several(field) else (), help=help_text
    )


def _kind(field: FieldInfo) -> click.ParamType[Any] | None:
    """Return the kind of value that one use of the option takes; None for tables and lists of tables."""
    found = _inner(field.annotation)
    if get_origin(found) in (tuple, list):
        found = _inner(get_args(found)[0])
    if get_origin(found) is Literal:
        return click.Choice([str(one) for one in get_args(found)])
    if get_origin(found) in (dict, tuple, list) or hasattr(found, "model_fields"):
        return None
    return _TYPES.get(found, click.STRING)


def _several(field: FieldInfo) -> bool:
    return get_origin(_inner(field.annotation)) in (tuple, list)


def _inner(annotation: Any) -> Any:
    """Look through `Annotated`, aliases and `X | None`."""
    while True:
        if hasattr(annotation, "__metadata__"):
            annotation = annotation.__origin__
        elif get_origin(annotation) in (Union, UnionType):
            annotation = next((one for one in get_args(annotation) if one is not type(None)), str)
        else:
            return annotation


def _plain(value: Any) -> Any:
    """Give a path as it is from everywhere, since the file is read from another folder."""
    if isinstance(value, Path):
        return str(value.expanduser().absolute())
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _pairs(said: tuple[str, ...]) -> dict[str, str]:
    pairs = [one.partition("=") for one in said]
    if any(not theirs or not ours for theirs, _, ours in pairs):
        raise Invalid("`--plan-name` does not name two plans", "write it as `--plan-name pro-group=pro`")
    return {theirs: ours for theirs, _, ours in pairs}


def _table(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"this is not TOML: {str(error).lower()}", "correct it", Place(file.name)) from None


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""
