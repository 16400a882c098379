"""Settings: one frozen object of addresses and limits, each with its unit and default."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

from assent.domain.errors import Invalid, Place

MAX_PAGE_ROWS: Final = 1_000
"""The most rows one page of a list may hold."""

FILE: Final = "assent.toml"
"""Name of the settings file; the folder that holds it is assent's home."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things lie, and how much is done at once. Relative paths start at the home folder.

    `database`: SQLite file. `policies`: folders or files of policy versions in force here.
    `batch_rows`: rows read, decided or erased at once. `memory_limit_mb`: MiB for the set
    evaluator. `threads`: workers of the set evaluator. `import_batch`: conversations written in one
    transaction. `list_page`: rows of a list on one page. `plan_valid_hours`: hours for which a plan may be swept.
    """

    home: Path
    database: Path
    policies: tuple[Path, ...] = ()
    batch_rows: int = 50_000
    memory_limit_mb: int = 700
    threads: int = 2
    import_batch: int = 200
    list_page: int = 50
    plan_valid_hours: int = 72


def from_table(home: Path, table: dict[str, object]) -> Settings:
    """Read settings from the parsed settings file. Raises `Invalid` naming the key and what is allowed."""
    settings = Settings(home=home, database=home / "assent.db")
    known = {field.name for field in fields(Settings)} - {"home"}
    for key, value in table.items():
        if key not in known:
            raise Invalid(f"`{key}` is not a setting", f"use one of {', '.join(sorted(known))}", Place(FILE))
        settings = replace(settings, **{key: _read(home, key, value)})  # type: ignore[arg-type]
    return settings


def _read(home: Path, key: str, value: object) -> object:
    if key == "database" and isinstance(value, str):
        return home / value
    if key == "policies" and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(home / item for item in value)
    if key == "list_page" and isinstance(value, int) and value > MAX_PAGE_ROWS:
        raise Invalid(f"`list_page` is more than {MAX_PAGE_ROWS}", "ask for fewer rows a page", Place(FILE))
    if key not in ("database", "policies") and isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    kind = {"database": "a path", "policies": "a list of paths"}.get(key, "a whole number above zero")
    raise Invalid(f"`{key}` is not {kind}", "correct it in the settings file", Place(FILE))
