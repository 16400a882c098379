"""Kinds of option values that several commands share."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assent.domain.durations import parse_duration
from assent.domain.errors import Invalid, NotFound, Place
from assent.domain.instants import parse_instant
from assent.policy.model import Policy

if TYPE_CHECKING:
    from assent.wiring import Wiring


def _not_blank(kind: click.ParamType[Any], value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
    if isinstance(value, str) and not value.strip():
        kind.fail("it is blank; give a string that is not blank", param, ctx)
    return value


class _Instant(click.ParamType[datetime]):
    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return parse_instant(value) if isinstance(value, str) else value
        except Invalid as problem:
            self.fail(f"{problem.message}; {problem.fix}", param, ctx)


class _Length(click.ParamType[timedelta]):
    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return parse_duration(value).shortest() if isinstance(value, str) else value
        except Invalid as problem:
            self.fail(f"{problem.message}; {problem.fix}", param, ctx)


class _Name(click.ParamType[str]):
    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return _not_blank(self, value, param, ctx)


class _NewFolder(click.Path):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(_not_blank(self, value, param, ctx), param, ctx)


class _Folder(click.ParamType[Path]):
    name = "directory"

    def convert(self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None) -> Any:
        path = Path(value)
        if not path.is_dir():
            raise NotFound(f"there is no folder `{value}`", "correct the path: folders begin where you are now")
        return path


class _Policy(click.ParamType[Policy]):
    name = "policy"

    def convert(self, value: Any, _param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from assent.policy.parse import parse_policy

        wiring: Wiring = ctx.find_root().obj if ctx else None  # type: ignore[assignment]
        return parse_policy(read_policy(value, wiring.policy_library()), value)


def policy_path(named: str, library: Path) -> Path:
    """Find a policy file by path, or by the name of one that ships with assent (`anthropic/2025-10-08`)."""
    for path in (Path(named), library / f"{named}.toml"):
        if path.is_file():
            return path
    raise NotFound(f"no policy file `{named}`", "give a path, or a name from `assent policy list`")


def read_policy(named: str, library: Path) -> str:
    """Read a policy file by path or name. Raises `NotFound`, or `Invalid` if it is not UTF-8 text."""
    return read_text_file(policy_path(named, library))


def read_notice(named: str, library: Path) -> str:
    """Read a notice by path, or by the name of one that ships with assent. Raises as `read_policy` does."""
    for path in (Path(named), library / f"{named}.toml"):
        if path.is_file():
            return read_text_file(path)
    raise NotFound(f"no notice file `{named}`", "give a path, or make one with `assent notice new`")


def read_text_file(path: Path) -> str:
    """Read a text file, with or without a byte order mark. Raises `NotFound`, or `Invalid` if it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid("the file is not UTF-8 text", "save it as UTF-8", Place(path.name)) from None


FOLDER = _Folder()
"""A folder that must be there: what is not ends with 3, unlike a wrong command line."""
INSTANT = _Instant()
LENGTH = _Length()
NAME = _Name()
"""A person, a device or an organisation, by an id of the operator's own."""
NEW_FOLDER = _NewFolder(path_type=Path)
POLICY = _Policy()
