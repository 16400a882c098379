"""The connector files of a home: `connectors/NAME.toml`, one for each system that is connected.

A file names its `kind`, holds the keys of that kind (`assent connect KIND --help`), and may say two things more:

    also = ["open-webui"]        # it holds copies of these conversations too, under the same ids

    [plans]                      # what a plan of the system is called in the policies
    "pro-group" = "pro"
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from assent.connectors.port import Product
from assent.connectors.registry import kind, kinds
from assent.connectors.table import Secret, Table
from assent.domain.errors import Invalid, NotFound, Place, Refused
from assent.policy.parse import Places

FOLDER: Final = "connectors"

NAME: Final = r"[a-z0-9][a-z0-9._-]{0,63}"
"""The pattern of a name that a system is connected under."""

_NAME: Final = re.compile(NAME)


class Shared(BaseModel):
    """The keys that the files of all kinds share.

    `plans` translates the system's names of plans; one that is not in it stays unknown. `also` names formats whose
    conversations this system holds copies of under the same ids, as a gateway does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    plans: dict[str, str] = {}
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Connector:
    """A connected system, as its file says it."""

    shared: Shared
    settings: Table

    @property
    def name(self) -> str:
        """The name of its file."""
        return self.settings.name

    def to_record(self) -> dict[str, Any]:
        """Write it as JSON: no secret is in it, only the names of files that hold one."""
        keys = self.settings.model_dump(mode="json", exclude={"name", "folder"}, exclude_none=True)
        return {"name": self.name, **self.shared.model_dump(mode="json"), "settings": keys}


class Connectors:
    """The connector files of one home."""

    def __init__(self, home: Path, secret: Secret) -> None:
        """Look after `connectors` in this home; `secret` reads the files that secrets are in."""
        self._home = home
        self._secret = secret

    def names(self) -> list[str]:
        """List what is connected."""
        return sorted(path.stem for path in (self._home / FOLDER).glob("*.toml") if _NAME.fullmatch(path.stem))

    def read(self, name: str) -> Connector:
        """Read one file. Raises `NotFound`, and `Invalid` naming file, line, key and fix."""
        path = self._path(name)
        try:
            text = path.read_text("utf-8")
        except FileNotFoundError:
            known = ", ".join(self.names()) or "none yet: `assent connect KIND`"
            raise NotFound(f"nothing is connected as `{name}`", f"connected are: {known}") from None
        except UnicodeDecodeError:
            raise Invalid("the file is not UTF-8 text", "save it as UTF-8", Place(path.name)) from None
        return self._parse(name, text, f"{FOLDER}/{path.name}")

    def open(self, name: str) -> Product:
        """Return the system of one file; nothing is asked of it yet. Raises as `read` does."""
        return self.connect(self.read(name))

    def connect(self, connector: Connector) -> Product:
        """Return the system that a connector names."""
        return kind(connector.shared.kind).connect(connector.settings, self._secret)

    def openers(self) -> dict[str, Callable[[], tuple[Connector, Product]]]:
        """Return, by name, what reads a file and opens its system: a broken file harms nobody before it is asked."""
        return {name: partial(self._opened, name) for name in self.names()}

    def draft(self, name: str, keys: Mapping[str, Any]) -> Connector:
        """Check the keys of a file that is to be written. Raises `Invalid` naming the key, `Refused` if it is there."""
        if self._path(name).exists():
            raise Refused(
                f"`{name}` is connected already", "give another --name, or `assent connector remove` it first"
            )
        return self._parse(name, _toml(keys), "")

    def write(self, connector: Connector) -> Path:
        """Keep a connector: its file is whole or not there, and only its owner can read it."""
        path = self._path(connector.name)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        keys = connector.settings.model_dump(
            mode="json", exclude={"name", "folder"}, exclude_defaults=True, exclude_none=True
        )
        text = _toml({**connector.shared.model_dump(mode="json", exclude_defaults=True), **keys})
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        return path

    def remove(self, name: str) -> None:
        """Forget a system: its file, its cursor, what its connector remembered. Raises `NotFound`."""
        path = self._path(name)
        if not path.exists():
            raise NotFound(f"nothing is connected as `{name}`", "see `assent connector list`")
        path.unlink()
        shutil.rmtree(self._own(name), ignore_errors=True)

    def cursor(self, name: str) -> str:
        """Return where watching goes on; empty before the first time."""
        path = self._own(name) / "cursor"
        return path.read_text("utf-8") if path.exists() else ""

    def keep_cursor(self, name: str, cursor: str) -> None:
        """Remember where watching goes on."""
        own = self._own(name)
        own.mkdir(mode=0o700, exist_ok=True)
        new = own / "cursor.new"
        new.write_text(cursor, "utf-8")
        new.replace(own / "cursor")

    # -- reading ------------------------------------------------------------------------

    def _opened(self, name: str) -> tuple[Connector, Product]:
        connector = self.read(name)
        return connector, self.connect(connector)

    def _parse(self, name: str, text: str, file: str) -> Connector:
        try:
            raw = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise Invalid(f"this is not TOML: {str(error).lower()}", "correct the syntax", Place(file)) from None
        places = Places(text, file) if file else None
        said = {key: raw.pop(key) for key in Shared.model_fields if key in raw}
        shared = _checked(Shared, said, places, f"known kinds: {', '.join(kinds())}")
        of_kind = kind(shared.kind).Settings
        own = {"name", "folder"} & raw.keys()
        if own:
            raise Invalid(
                f"`{min(own)}` is no key of a connector file", "the file's name is the connector's", _at(places, own)
            )
        keys = {**raw, "name": name, "folder": self._own(name)}
        settings = _checked(of_kind, keys, places, f"`assent connect {shared.kind} --help` says what each key means")
        return Connector(shared, self._absolute(settings))

    def _absolute(self, settings: Table) -> Table:
        """Resolve paths against the home, which is where a file stands."""
        found = {key: getattr(settings, key) for key in type(settings).model_fields}
        paths: dict[str, Any] = {key: self._home / value for key, value in found.items() if isinstance(value, Path)}
        for key, value in found.items():
            if isinstance(value, tuple) and any(isinstance(one, Path) for one in value):
                paths[key] = tuple(self._home / one if isinstance(one, Path) else one for one in value)
        return settings.model_copy(update=paths)

    def _path(self, name: str) -> Path:
        if _NAME.fullmatch(name) is None:
            fix = "use up to 64 of a-z, 0-9, `.`, `_` and `-`, and begin with a letter or digit"
            raise Invalid(f"`{name}` is no name for a connector", fix)
        return self._home / FOLDER / f"{name}.toml"

    def _own(self, name: str) -> Path:
        return self._path(name).with_suffix(".d")


def _checked(model: type[Any], keys: Mapping[str, Any], places: Places | None, fix: str) -> Any:
    try:
        return model.model_validate(keys)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        raise _problem(faults, places, fix) from None


def _problem(faults: Any, places: Places | None, fix: str) -> Invalid:
    """Say the first fault, and every key that is missing: nobody wants to learn of them one by one."""
    missing = [_said(fault["loc"], places) for fault in faults if fault["type"] == "missing"]
    fault = faults[0]
    where = None if places is None else places.of(tuple(fault["loc"]))
    if missing:
        return Invalid(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing", f"add it; {fix}", where)
    name = _said(fault["loc"], places)
    if fault["type"] == "extra_forbidden":
        return Invalid(f"{name} is not known here", f"take it out; {fix}", where)
    return Invalid(f"{name}: {str(fault['msg']).lower()}", f"correct the value; {fix}", where)


def _said(path: tuple[Any, ...], places: Places | None) -> str:
    """Name a key as whoever gave it knows it: an option, or a key of the file."""
    name = ".".join(str(part) for part in path)
    return f"`{name}`" if places is not None else f"`--{name.replace('_', '-')}`"


def _at(places: Places | None, keys: set[str]) -> Place | None:
    return None if places is None else places.of((min(keys),))


def _toml(keys: Mapping[str, Any], above: str = "") -> str:
    """Write keys as TOML: values first, then tables. JSON writes strings, numbers and lists as TOML reads them."""
    plain, tables = [], []
    for key, value in keys.items():
        path = f"{above}{_key(key)}"
        if isinstance(value, dict):
            tables.append(f"\n[{path}]\n{_toml(value, f'{path}.')}")
        elif isinstance(value, (list, tuple)) and value and all(isinstance(one, dict) for one in value):
            tables += [f"\n[[{path}]]\n{_toml(one, f'{path}.')}" for one in value]
        else:
            plain.append(f"{_key(key)} = {json.dumps(value, ensure_ascii=False, default=str)}\n")
    return "".join(plain + tables)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)
