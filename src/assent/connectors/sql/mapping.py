"""The mapping: which tables of somebody's database hold conversations, and every copy of them.

It stands in the connector file or in a TOML file that this names. A column is written `column` for the table that
the entry is about, `table.column` for another one.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assent.domain.errors import Invalid, NotFound, Place
from assent.policy.parse import Places

Units = Literal["auto", "seconds", "milliseconds", "microseconds", "nanoseconds"]
Speaks = Literal["person", "model", "system", "tool"]
Do = Literal["delete", "blank", "look", "keep"]

EXAMPLE: Final = """\
# the conversations: one row each, or several (a log); then owner and the like are the greatest value of a column
[conversations]
table = "chat"
id = "id"
owner = "user_id"
plan = "account.plan"            # a column of a joined table
title = "title"
created_at = "created_at"
updated_at = "updated_at"        # watched; never taken for a turn
times = "seconds"                # of numbers: seconds, milliseconds, microseconds, nanoseconds or auto

[[joins]]
table = "account"
on = { id = "chat.user_id" }     # its column = a column of the conversations

# what was said; a table with prompt and answer in one row is two entries with `says`
[[messages]]
table = "message"
conversation = "chat_id"         # the column that holds the conversation's id
id = "id"
role = "role"
content = "body"                 # text, or a list of content blocks as JSON
created_at = "created_at"
times = "seconds"
roles = { customer = "person", bot = "model" }  # beside the usual names: user, assistant, system, tool

# every other copy; a table with a foreign key to one of the above needs neither `conversation` nor `on`
[[copies]]
table = "attachment"
on = { message_id = "message.id" }
files = "path"                   # names files outside the database: reported, not reached

[[copies]]
table = "upload"                 # a row goes when no row that stays uses it any more
on = { id = "attachment.upload_id" }
shared = true
used_by = ["profile.picture_id"] # columns that use it beside those that a foreign key says

[[copies]]
table = "usage"
conversation = "chat_id"
do = "blank"                     # rows stay, for the accounts; these columns are emptied
blank = ["prompt"]

[[copies]]
table = "message_fts"
on = { rowid = "message.id" }
do = "look"                      # triggers of the database take it away: only looked for

[[copies]]
table = "chat_tag"
do = "keep"                      # holds nothing that anybody said
"""


class Entry(BaseModel):
    """The base of an entry: no key that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Conversations(Entry):
    """The table of conversations. `do` is `keep` where its rows hold nothing that anybody said."""

    table: str
    id: str
    owner: str = ""
    plan: str = ""
    project: str = ""
    title: str = ""
    created_at: str = ""
    updated_at: str = ""
    times: Units = "auto"
    do: Do = "delete"
    blank: tuple[str, ...] = ()


class Belonging(Entry):
    """A table whose rows belong to conversations, and what is done with them.

    `conversation` is the column with the conversation's id, or `on` says which of its columns equal which of
    another mapped table. `files` is a column that names files elsewhere. `shared` rows go when no row that stays
    uses them, by a foreign key or by one of the columns in `used_by`.
    """

    table: str
    conversation: str = ""
    on: dict[str, str] = {}
    do: Do = "delete"
    blank: tuple[str, ...] = ()
    files: str = ""
    shared: bool = False
    used_by: tuple[str, ...] = ()


class Messages(Belonging):
    """A table of what was said. `says` names the speaker where no column `role` does."""

    id: str
    content: str
    role: str = ""
    says: Speaks | None = None
    created_at: str = ""
    times: Units = "auto"
    roles: dict[str, Speaks] = {}
    name: str = ""


class Join(Entry):
    """A table with one row for each conversation's, for what is said of its owner."""

    table: str
    on: dict[str, str] = Field(min_length=1)


class Mapping(Entry):
    """All of it."""

    conversations: Conversations
    messages: tuple[Messages, ...] = Field(min_length=1)
    copies: tuple[Belonging, ...] = ()
    joins: tuple[Join, ...] = ()


class Fault:
    """Says where in the mapping something is wrong: a key, and in a file of its own its line."""

    def __init__(self, places: Places | None = None) -> None:
        self._places = places

    def at(self, key: tuple[str | int, ...], problem: str, fix: str) -> Invalid:
        """Make the error about a key."""
        place = None if self._places is None else self._places.of(tuple(key))
        return Invalid(f"`{'.'.join(map(str, key))}`: {problem}", fix, place)


def read(file: Path) -> tuple[Mapping, Fault]:
    """Read a mapping file. Raises `NotFound`, and `Invalid` naming line, key and fix."""
    try:
        text = file.read_text("utf-8")
        raw = tomllib.loads(text)
    except FileNotFoundError:
        raise NotFound(f"there is no mapping `{file.name}`", "give the path of a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"this is not TOML: {str(error).lower()}", "correct the syntax", Place(file.name)) from None
    fault = Fault(Places(text, file.name))
    return parse(raw, fault), fault


def parse(raw: dict[str, Any], fault: Fault) -> Mapping:
    """Check the keys of a mapping against what they can be. Raises `Invalid` for the first that is wrong."""
    try:
        mapping = Mapping.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = tuple(first["loc"])
        if first["type"] == "extra_forbidden":
            raise fault.at(key, "this key is not known", "take it out; `assent connect sql --example`") from None
        problem = "it is missing" if first["type"] == "missing" else str(first["msg"]).lower()
        raise fault.at(key, problem, "see `assent connect sql --example`") from None
    for number, one in enumerate(mapping.messages):
        if bool(one.role) == (one.says is not None):
            raise fault.at(
                ("messages", number), "nothing says who speaks", "give `role`, a column, or `says`, a speaker"
            )
        if not one.conversation and not one.on and one.table != mapping.conversations.table:
            raise fault.at(
                ("messages", number), "nothing leads to the conversation", "give `conversation`, a column, or `on`"
            )
    for number, copied in enumerate(mapping.copies):
        if copied.do == "blank" and not copied.blank:
            raise fault.at(("copies", number, "do"), "nothing says which columns to empty", "name them in `blank`")
        if copied.shared and (copied.do != "delete" or not copied.on):
            raise fault.at(("copies", number, "shared"), "shared rows are deleted, by `on`", "give `on`, and no `do`")
    return mapping
