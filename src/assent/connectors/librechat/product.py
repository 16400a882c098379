"""LibreChat as a product: list, read, find every copy, erase, look again, watch."""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from bson import ObjectId
from pydantic import Field
from pymongo import MongoClient

from assent.connectors.formats.port import Record
from assent.connectors.librechat import listing, rows, uploads
from assent.connectors.librechat.memory import Erased, Memory
from assent.connectors.librechat.mongo import Base, client_of, reached
from assent.connectors.librechat.rows import MESSAGES, Family
from assent.connectors.librechat.search import Search
from assent.connectors.librechat.search import client_of as search_client
from assent.connectors.librechat.space import Space
from assent.connectors.librechat.uploads import Folders, Upload
from assent.connectors.librechat.vectors import Vectors, vectors_of
from assent.connectors.librechat.watching import watch
from assent.connectors.port import Change, Copy, Listed, Unlisted
from assent.connectors.table import Secret, Table

SUMMARY: Final = "conversations of LibreChat in MongoDB, with uploads, search index and vectors"

_POLL_S: Final = 0.1
_SHARED: Final = "several people have a conversation of this id: erase it in LibreChat"
_ELSEWHERE: Final = "its bytes lie in `{source}`, which nobody here looks into; LibreChat's own sweeper was told"
_NO_FOLDER: Final = "no folder was given for it: set `uploads_dir` and `images_dir`"
_NO_SEARCH: Final = "it was in a search index: set `search_url`"
_NO_VECTORS: Final = "it has vectors: set `vectors_url_file`"
_INDEX: Final = "freed pages of the index: `--maintenance` makes it anew, and LibreChat fills it when it starts"
_TABLE: Final = "freed rows of the table: `--maintenance` has it written anew"


class Settings(Table):
    """The keys of a LibreChat's file."""

    uri_file: Path = Field(
        description="a file with the address of its MongoDB: mongodb://host:27017, with name and password"
    )
    database: str = Field("LibreChat", description="the database there")
    uploads_dir: Path | None = Field(None, description="the folder behind /uploads/ of its local files")
    images_dir: Path | None = Field(None, description="the folder behind /images/ of its local files")
    search_url: str = Field("", description="its MeiliSearch: http://host:7700")
    search_key_file: Path | None = Field(None, description="a file with the key of MeiliSearch")
    vectors_url_file: Path | None = Field(
        None, description="a file with the address of the RAG service's database: postgresql+psycopg://..."
    )
    memories: Literal["keep", "with-last"] = Field(
        "keep", description="memories have no origin: keep them, or erase them with their person's last conversation"
    )
    freed_blocks: Literal["wait", "leave"] = Field(
        "wait", description="wait until MongoDB says that no block is free, or leave them, where its disk is encrypted"
    )
    timeout_s: Annotated[float, Field(gt=0, le=600)] = Field(10, description="seconds to wait for a server")


def connect(settings: Settings, secret: Secret) -> LibreChat:
    """Connect a LibreChat. Raises `Invalid` for an address that is none, `NotFound` for a file that is not there."""
    client = client_of(secret(settings.uri_file).strip(), settings.timeout_s)
    search = None
    if settings.search_url:
        key = secret(settings.search_key_file).strip() if settings.search_key_file else ""
        search = Search(search_client(settings.search_url, key, settings.timeout_s), partial(time.sleep, _POLL_S))
    vectors = vectors_of(secret(settings.vectors_url_file).strip()) if settings.vectors_url_file else None
    product = LibreChat(settings, client, search, vectors)
    weakref.finalize(product, client.close)
    if search is not None:
        weakref.finalize(product, search.http.close)
    if vectors is not None:
        weakref.finalize(product, vectors.engine.dispose)
    return product


@dataclass(slots=True)
class _Look:
    """One look: every conversation that was asked for, what hangs on it, and what is known of it from before."""

    families: dict[str, Family]
    erased: Mapping[str, Erased]
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    own: dict[str, list[Upload]] = field(default_factory=dict)
    indexed: set[str] = field(default_factory=set)
    memories: set[str] = field(default_factory=set)

    def uploads(self, name: str) -> Sequence[Upload]:
        known = self.erased[name].uploads if name in self.erased else ()
        return list(dict.fromkeys([*self.own.get(name, ()), *known]))

    @property
    def one_owner(self) -> Sequence[str]:
        return [name for name, family in self.families.items() if len(family.owners) < 2]


class LibreChat:
    """One LibreChat."""

    format = "librechat"
    reach = (
        "conversations, messages, threads, tool results, shared links, waiting turns, checkpoints of agents, uploads "
        "in local folders, search index and vectors; freed blocks in maintenance; token counts stay; files in a cloud "
        "are not reachable; backups and write-ahead logs are not looked at"
    )

    def __init__(
        self,
        settings: Settings,
        client: MongoClient[dict[str, Any]],
        search: Search | None = None,
        vectors: Vectors | None = None,
    ) -> None:
        self.name = settings.name
        self._settings = settings
        self._client = client
        self._search = search
        self._vectors = vectors
        self._folders = Folders(settings.uploads_dir, settings.images_dir)
        self._memory = Memory(settings.folder)

    @property
    def _base(self) -> Base:
        return self._client[self._settings.database]

    # -- list, read, watch ------------------------------------------------------------------

    def list(self, since: datetime | None = None) -> Iterator[Listed | Unlisted]:
        with reached():
            yield from listing.listed(self._base, since)

    def read(self, ids: Sequence[str]) -> Iterator[Record]:
        with reached():
            yield from listing.read(self._base, ids)

    def watch(self, cursor: str = "") -> Iterator[Change]:
        with reached():
            yield from watch(self._base, self._memory, cursor)

    # -- copies -----------------------------------------------------------------------------

    def copies(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        if not ids:
            return {}
        with reached():
            return self._told(ids, self._look(ids, {}))

    def verify(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        if not ids:
            return {}
        with reached():
            return self._told(ids, self._look(ids, self._memory.erased(ids)))

    def erase(self, ids: Sequence[str], *, maintenance: bool = False) -> Mapping[str, Sequence[Copy]]:
        if not ids:
            return {}
        with reached():
            look = self._look(ids, self._memory.erased(ids))
            self._remember(look)
            self._erase(look)
            if maintenance:
                self._maintain(name for one in self._memory.erased(ids).values() for name, _ in one.files)
            return self._told(ids, self._look(ids, self._memory.erased(ids)), compacted=maintenance)

    def _look(self, ids: Sequence[str], erased: Mapping[str, Erased]) -> _Look:
        base = self._base
        threads = {name: one.threads for name, one in erased.items()}
        # an empty id is that of rows which belong to nothing: it names no conversation
        look = _Look(rows.families(base, [name for name in dict.fromkeys(ids) if name], threads), erased)
        everything = {one for family in look.families.values() for one in family.ids}
        counts = rows.count(base, everything)
        for name, family in look.families.items():
            found: dict[str, int] = {}
            for one in family.ids:
                for kind, number in counts[one].items():
                    said = "subagent thread" if kind.kind == "conversation" and one != name else kind.kind
                    found[said] = found.get(said, 0) + number
            look.counts[name] = found
        look.own = uploads.own(base, {name: look.families[name] for name in look.one_owner})
        if self._search is None:
            flagged = base[MESSAGES].find(
                {"conversationId": {"$in": list(everything)}, "_meiliIndex": True}, {"conversationId": 1}
            )
            of = {one: name for name, family in look.families.items() for one in family.ids}
            look.indexed = {of[row["conversationId"]] for row in flagged}
        if self._settings.memories == "with-last":
            look.memories = set(self._last_of_their_person(look))
        return look

    def _last_of_their_person(self, look: _Look) -> Iterator[str]:
        """Yield the conversations whose person has no other one left, as long as there are memories of theirs."""
        going = {one for family in look.families.values() for one in family.ids}
        for name in look.one_owner:
            owner = look.families[name].owner
            if owner and not self._has_another(owner, going) and self._memories_of(owner):
                yield name

    def _has_another(self, owner: str, going: set[str]) -> bool:
        return any(
            row["conversationId"] not in going
            for row in self._base[rows.CONVERSATIONS].find({"user": owner}, {"conversationId": 1}).limit(len(going) + 1)
        )

    def _memories_of(self, owner: str) -> Sequence[Any]:
        named = [owner, ObjectId(owner)] if ObjectId.is_valid(owner) else [owner]
        return [row["_id"] for row in self._base["memoryentries"].find({"userId": {"$in": named}}, {"_id": 1})]

    # -- erasing ----------------------------------------------------------------------------

    def _remember(self, look: _Look) -> None:
        """Write down what can only be found while the rows are there."""
        going = [name for name in look.one_owner if look.counts[name] or look.own.get(name)]
        if not going:
            return
        space = Space(self._client, self._base)
        now = space.now() or self._memory.now()
        indexes = tuple(self._search.made().items()) if self._search is not None else ()
        kinds = dict.fromkeys((*rows.CONTENT, *(kind.collection for kind in rows.hanging(self._base))))
        files = tuple((name, space.file_of(name)) for name in kinds)
        table = "" if self._vectors is None else self._vectors.file()
        self._memory.note_erased(
            {
                name: Erased(
                    now,
                    tuple(sorted(look.families[name].threads)),
                    tuple(look.own.get(name, ())),
                    name in look.indexed or self._search is not None,
                    files,
                    table if any(one.embedded for one in look.own.get(name, ())) else "",
                    indexes,
                )
                for name in going
            }
        )

    def _erase(self, look: _Look) -> None:
        """Erase from the outside in: the row by which the rest is found goes last."""
        going = look.one_owner
        everything = [one for name in going for one in look.families[name].ids]
        files = self._going(look)
        if self._vectors is not None:
            self._vectors.erase([one.file_id for one in files if one.embedded])
        for one in files:
            self._folders.erase(one)
        uploads.erase_rows(self._base, files)
        if self._search is not None:
            self._search.erase(everything)
        for name in look.memories & set(going):
            gone = self._memories_of(look.families[name].owner or "")
            self._base["memoryentries"].delete_many({"_id": {"$in": gone}})
        touched = rows.counters(self._base, everything)
        rows.erase(self._base, everything)
        rows.recount(self._base, touched)

    def _going(self, look: _Look) -> Sequence[Upload]:
        """Return the files that go with these conversations, those too that an earlier try did not get at."""
        spared = self._spared(look)
        files = (one for name in look.one_owner for one in look.uploads(name))
        return [one for one in dict.fromkeys(files) if one.file_id not in spared]

    def _spared(self, look: _Look) -> set[str]:
        """Return which of the files that were remembered something kept has taken up meanwhile."""
        known = {
            one.file_id
            for name in look.erased.keys() & look.families.keys()
            for one in look.erased[name].uploads
            if one not in look.own.get(name, ())
        }
        return uploads.used_by_others(self._base, {one for some in look.families.values() for one in some.ids}, known)

    def _maintain(self, collections: Iterable[str]) -> None:
        """Do what slows LibreChat down or empties its search: compact, write the table and the index anew."""
        if self._vectors is not None:
            self._vectors.rewrite()
        if self._search is not None:
            self._search.drop()
            for name in (rows.CONVERSATIONS, MESSAGES):
                self._base[name].update_many({"_meiliIndex": True}, {"$set": {"_meiliIndex": False}})
        # last: what changes rows frees blocks
        Space(self._client, self._base).compact(dict.fromkeys(collections))

    # -- telling ----------------------------------------------------------------------------

    def _told(self, ids: Sequence[str], look: _Look, *, compacted: bool = False) -> dict[str, Sequence[Copy]]:
        space = Space(self._client, self._base)
        everything = [one for family in look.families.values() for one in family.ids]
        found = self._search.count(everything) if self._search is not None else {}
        made = self._search.made() if self._search is not None and look.erased else {}
        known = [one for name in look.families for one in look.uploads(name)]
        spared = self._spared(look)
        left = uploads.rows_left(self._base, known)
        pieces = self._vectors.count([one.file_id for one in known if one.embedded]) if self._vectors else {}
        table = self._vectors.file() if self._vectors is not None and look.erased else ""
        told: dict[str, Sequence[Copy]] = {name: [] for name in ids}
        for name, family in look.families.items():
            if len(family.owners) > 1:
                told[name] = [Copy("conversation", rows.CONVERSATIONS, "not reachable", _SHARED)]
                continue
            copies = [Copy(kind, _place(kind), note=f"{count:,} rows") for kind, count in look.counts[name].items()]
            files = [one for one in look.uploads(name) if one.file_id not in spared]
            copies += self._of_files(files, left, pieces, erased=name in look.erased)
            copies += self._of_search(look, name, sum(found.get(one, 0) for one in family.ids), made)
            if name in look.memories:
                copies.append(Copy("memories", "memoryentries", note="of the person"))
            if name in look.erased:
                before = look.erased[name]
                if before.table and not any(pieces.get(one.file_id) for one in look.uploads(name)):
                    copies.append(_rebuilt("freed rows", "database of vectors", _TABLE, old=before.table == table))
                if not look.counts[name]:
                    copies.append(Copy("conversation", rows.CONVERSATIONS, "removed"))
                    if self._settings.freed_blocks == "wait":
                        copies += space.copies(before, compacted=compacted)
            told[name] = copies
        return told

    def _of_files(
        self, files: Iterable[Upload], left: set[str], pieces: Mapping[str, int], *, erased: bool
    ) -> Iterator[Copy]:
        for one in files:
            if one.file_id in left:
                yield Copy("file", "files")
            if one.remote:
                yield Copy("upload", one.source, "not reachable", _ELSEWHERE.format(source=one.source))
            elif one.source == uploads.LOCAL:
                there = self._folders.has(one)
                if there is None:
                    yield Copy("upload", "uploads", "not reachable", _NO_FOLDER)
                elif there or erased:
                    yield Copy("upload", "uploads", "present" if there else "removed")
            if one.embedded and self._vectors is None:
                yield Copy("vectors", "database of vectors", "not reachable", _NO_VECTORS)
            elif pieces.get(one.file_id):
                yield Copy("vectors", "database of vectors")

    def _of_search(self, look: _Look, name: str, count: int, made: Mapping[str, str]) -> Iterator[Copy]:
        before = look.erased.get(name)
        if self._search is None:
            if name in look.indexed or (before is not None and before.indexed):
                yield Copy("search documents", "search index", "not reachable", _NO_SEARCH)
        elif count:
            yield Copy("search documents", "search index", note=f"{count:,} documents")
        elif before is not None and before.indexed:
            stale = any(made.get(index) == at for index, at in before.indexes)
            yield _rebuilt("search documents", "search index", _INDEX, old=stale)


def _rebuilt(kind: str, place: str, note: str, *, old: bool) -> Copy:
    """Say what becomes of freed bytes in a file that is `old`: it was not written anew since."""
    return Copy(kind, place, "pending maintenance", note) if old else Copy(kind, place, "removed")


def _place(kind: str) -> str:
    return {"messages": "messages", "shared link": "sharedlinks", "tool results": "toolcalls"}.get(kind, "database")
