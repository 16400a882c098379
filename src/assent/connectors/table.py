"""The base of what a kind of connector asks to be told: the keys of its file in a home."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Secret: TypeAlias = Callable[[Path], str]
"""Reads a secret from a file that only its owner can read, without the newline at its end."""


class Table(BaseModel):
    """The keys of one connector file. A kind adds its own; the `description` of each is what `--help` says of it.

    A path is absolute by the time a connector sees it: in a file it may be relative to the home. A secret is never a
    value, always a file (`password_file`), which `connect` reads with the `Secret` that it is given.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(repr=False)
    """The name it is connected under: that of the file, never a key in it."""

    folder: Path = Field(repr=False)
    """A folder of its own in the home, for what it has to remember between calls. It may not be there yet."""
