"""The room of intake: conversations come in, each once, and what was erased does not come back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, func, select, text, update

from assent.domain.contents import Sealed
from assent.domain.errors import Invalid
from assent.domain.instants import to_micros
from assent.store.records import IntakeOutcome
from assent.store.schema import conversation, part, retention_class, sealed
from assent.store.sql.accounts import known_accounts
from assent.store.sql.burying import buried_conversations, buried_parts
from assent.store.sql.classes import Categories, Classes, correct_plan, without_plan
from assent.store.sql.erasure import intend_replaced
from assent.store.sql.fingerprint import encodable, fingerprint
from assent.store.sql.holds import Reach
from assent.store.sql.room import Room, pieces
from assent.store.sql.sealing import Sealer, forget, lane_of, titles

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row, Select

    from assent.domain.conversation import Conversation, Part
    from assent.store.port.contents import Contents
    from assent.store.records import Account
    from assent.store.sql.room import Database


class IntakeRoom(Room):
    """The way in."""

    def intake(self, items: Sequence[Conversation], *, plan: str | None, recorded_at: datetime) -> list[IntakeOutcome]:
        outcomes: list[IntakeOutcome] = []
        with self._database.writing() as connection:
            for group in _without_repeats(items):
                outcomes += _Batch(self._database, connection, self.contents, plan, recorded_at).take(group)
        return outcomes

    def correct_plan(self, conversations: Sequence[str], plan: str, *, known: Collection[str]) -> int:
        if plan not in known:
            raise Invalid("a plan is put right by one that is known", "name one that a policy names")
        corrected = 0
        for names in pieces(conversations):
            with self._database.reading() as connection:
                wrong = without_plan(connection, names, known)
            if not wrong:  # as usual: nobody waits for a writer's turn then
                continue
            with self._database.writing() as connection:
                keys = without_plan(connection, names, known)
                # what is held by its plan stays held when it changes
                Reach(connection).conversations(conversation.c.key.in_(keys))
                correct_plan(connection, keys, plan, known)
                corrected += len(keys)
        return corrected


def _without_repeats(items: Iterable[Conversation]) -> Iterator[list[Conversation]]:
    """Cut into groups in which no id comes twice; each group sees what the ones before it stored."""
    group: dict[str, Conversation] = {}
    for item in items:
        if item.id in group:
            yield list(group.values())
            group = {}
        group[item.id] = item
    yield list(group.values())


_KEPT_PARTS: Final[Select[Any]] = (
    select(
        part.c.key,
        part.c.id,
        part.c.turn,
        part.c.ordinal,
        part.c.speaker,
        part.c.marks,
        part.c.name,
        part.c.created_at,
        func.coalesce(retention_class.c.base, retention_class.c.id).label("retention_class"),
        retention_class.c.plan,
        retention_class.c.data,
        retention_class.c.origin,
        sealed.c.slot,
        sealed.c.segment,
        sealed.c.position,
        sealed.c.length,
    )
    .join_from(part, retention_class)
    .join(sealed)
    .where(part.c.conversation == bindparam("key"))
)


@dataclass(frozen=True, slots=True)
class _Home:
    """What the parts of one conversation share: its key, its mode, clocks in microseconds, and categories so far."""

    key: int
    mode: str
    categories: Categories
    clocks: tuple[int | None, int | None, int | None, int | None]


class _Batch:
    """Takes in conversations with ids of their own, inside one transaction."""

    def __init__(
        self,
        database: Database,
        connection: Connection,
        contents: Contents,
        plan: str | None,
        recorded_at: datetime,
    ) -> None:
        self._database = database
        self._connection = connection
        self._contents = contents
        self._sealer = Sealer(database, connection, contents)
        self._plan = plan
        self._recorded_at = recorded_at
        self._recorded = to_micros(recorded_at)
        self._classes = Classes(connection)
        self._reach = Reach(connection)
        self._class_ids: dict[tuple[Categories, str, str], int] = {}
        self._fresh: list[dict[str, Any]] = []
        self._parts: list[tuple[object, ...]] = []
        self._retitled: list[tuple[int, int]] = []
        self._replaced: list[int] = []
        self._next_part = database.next_key(connection, part)
        self._next_conversation = database.next_key(connection, conversation)

    def take(self, items: Sequence[Conversation]) -> list[IntakeOutcome]:
        """Take the conversations in; one outcome each, in order."""
        digests = []
        mended = []
        for item in items:
            try:
                digests.append(fingerprint(item))
                mended.append(item)
            except ValueError:
                mended.append(encodable(item))
                digests.append(fingerprint(mended[-1]))
        kept = self._kept(mended)
        gone = buried_conversations(self._connection, [item.id for item in mended if item.id not in kept])
        self._accounts = known_accounts(
            self._database,
            self._connection,
            {s for item in mended for s in (item.subject, getattr(kept.get(item.id), "subject", None)) if s},
        )
        known = dict(zip((item.id for item in mended), digests, strict=True))
        grown = [row for name, row in kept.items() if row.digest != known[name]]
        self._titles = titles(self._contents, ((row.heading_slot, row.heading) for row in grown))
        outcomes = [
            self._one(item, digest, kept.get(item.id), gone) for item, digest in zip(mended, digests, strict=True)
        ]
        self._write()
        return outcomes

    def _write(self) -> None:
        """Seal, then write: a row whose bytes are missing can never be; bytes without a row are found and removed."""
        headings = self._sealer.seal(day=self._recorded_at.date())
        for row in self._fresh:
            row["heading"] = headings.get(row["heading_slot"])
        names = conversation.columns.keys()
        rows = [tuple(row.get(name) for name in names) for row in self._fresh]
        self._database.insert_rows(self._connection, conversation, rows)
        self._database.insert_rows(self._connection, part, self._parts)
        for key, slot in self._retitled:
            values = {"heading": headings[slot], "heading_slot": slot}
            self._connection.execute(update(conversation).where(conversation.c.key == key).values(values))
        if self._replaced:
            forget(self._connection, self._replaced)
            intend_replaced(self._connection, self._replaced, at=self._recorded_at)
        self._sealer.write()

    def _kept(self, items: Sequence[Conversation]) -> dict[str, Row[Any]]:
        rows = (
            row
            for piece in pieces(item.id for item in items)
            for row in self._connection.execute(select(conversation).where(conversation.c.id.in_(piece)))
        )
        return {row.id: row for row in rows}

    def _one(self, item: Conversation, digest: str, kept: Row[Any] | None, gone: set[str]) -> IntakeOutcome:
        if kept is not None and kept.digest == digest:
            return IntakeOutcome(item.id, "unchanged")
        if item.id in gone:
            return IntakeOutcome(item.id, "erased before", parts_erased_before=len(item.parts))
        if len({piece.id for piece in item.parts}) < len(item.parts):
            raise Invalid(f"conversation `{item.id}` names one part twice", "give each part an id of its own")
        if kept is not None:
            return self._grown(item, digest, kept)
        if not item.parts:  # nothing to decide on, so nothing that could ever erase its title
            return IntakeOutcome(item.id, "unchanged")
        return self._new(item, digest)

    # -- new ----------------------------------------------------------------------------

    def _new(self, item: Conversation, digest: str) -> IntakeOutcome:
        account = self._account(item.subject)
        categories = Categories(plan=self._plan, surface=item.surface, mode=item.mode).of(account)
        clocks = _clocks(item.last_turn_at, item.deleted_at, account)
        home = _Home(self._next_conversation, item.mode, categories, clocks)
        self._next_conversation += 1
        row = {
            "key": home.key,
            "id": item.id,
            "subject": item.subject,
            "source": item.source,
            "title": "",
            "project": item.project,
            "surface": item.surface,
            "mode": item.mode,
            "plan": categories.plan,
            "created_at": _micros(item.created_at),
            "last_turn_at": _micros(item.last_turn_at),
            "deleted_at": _micros(item.deleted_at),
            "feedback_at": _micros(item.feedback_at),
            "recorded_at": self._recorded,
            "imported_at": self._recorded,
            "digest": digest,
            "heading_slot": self._sealer.heading(item.title) if item.title else None,
        }
        self._fresh.append(row)
        for ordinal, piece in enumerate(item.parts):
            self._add(home, ordinal, piece)
        return IntakeOutcome(item.id, "new", len(item.parts))

    def _add(self, home: _Home, ordinal: int, piece: Part) -> None:
        key = self._next_part
        self._next_part = key + 1
        last_turn_at, deleted_at, closed_at, moved_at = home.clocks
        # in the order of the columns in schema/kept.py, held by a test
        self._parts.append(
            (
                key,
                home.key,
                piece.id,
                piece.turn,
                ordinal,
                piece.speaker,
                ",".join(sorted(piece.marks)),
                piece.name,
                self._class_id(home.categories, piece.data, piece.origin),
                _micros(piece.created_at),
                self._recorded,
                last_turn_at,
                deleted_at,
                closed_at,
                moved_at,
            )
        )
        self._sealer.part(key, lane_of(home.mode, piece.data), piece.text)

    def _class_id(self, categories: Categories, data: str, origin: str) -> int:
        found = self._class_ids.get((categories, data, origin))
        if found is None:
            found = self._classes.id_of(categories._replace(data=data, origin=origin))
            self._class_ids[categories, data, origin] = found
        return found

    def _account(self, subject: str | None) -> Account | None:
        return None if subject is None else self._accounts.get(subject)

    # -- grown --------------------------------------------------------------------------

    def _grown(self, item: Conversation, digest: str, kept: Row[Any]) -> IntakeOutcome:
        buried = buried_parts(self._connection, item.id)
        merged = self._merged(item, kept, erased=bool(buried))
        account = self._account(merged["subject"])
        home = _Home(
            kept.key,
            merged["mode"],
            Categories(surface=merged["surface"], mode=merged["mode"]).of(account),
            _clocks(merged["last_turn_at"], merged["deleted_at"], account),
        )
        fresh = home.categories if self._plan is None else home.categories._replace(plan=self._plan)
        old = {row.id: row for row in self._connection.execute(_KEPT_PARTS, {"key": kept.key})}
        texts = self._contents.read([Sealed(row.slot, row.segment, row.position, row.length) for row in old.values()])
        added = changed = left_out = 0
        for ordinal, piece in enumerate(item.parts):
            before = old.pop(piece.id, None)
            if before is not None:
                changed += self._changed(home, ordinal, piece, before)
                changed += self._rewritten(home, piece, before, texts.get(before.slot))
            elif piece.id in buried:
                left_out += 1
            else:
                added += 1
                self._add(replace(home, categories=fresh), ordinal, piece)
        for before in old.values():  # no longer shown by the source; kept, but with the same facts as its neighbours
            changed += self._reclassed(home, before, before.data, before.origin)
        differs = {name for name, value in merged.items() if getattr(kept, name) != value}
        if differs:
            self._reach.conversations(conversation.c.key == kept.key)
            self._set_clocks(home)
        # a title may repeat what was erased
        retitled = not buried and self._retitle(item.title, kept)
        grown = bool(added or changed or differs or retitled)
        if grown:
            merged["imported_at"] = self._recorded_at
        # a digest would go on naming what was erased
        merged["digest"] = None if buried else digest
        self._connection.execute(update(conversation).where(conversation.c.key == kept.key).values(merged))
        return IntakeOutcome(item.id, "grown" if grown else "unchanged", added, left_out)

    def _merged(self, item: Conversation, kept: Row[Any], *, erased: bool) -> dict[str, Any]:
        """Put what the source says to what is kept: clocks move forward only, and private stays private."""
        subject = kept.subject if kept.subject is not None else item.subject
        account = self._account(subject)
        plan = self._plan if self._plan is not None or account is None else account.plan
        return {
            "subject": subject,
            # a name may repeat what was erased
            "project": kept.project if erased else item.project or kept.project,
            "surface": item.surface,
            "mode": "private" if kept.mode == "private" else item.mode,
            "plan": kept.plan if kept.plan is not None else plan,
            "created_at": kept.created_at if kept.created_at is not None else item.created_at,
            "last_turn_at": _latest(kept.last_turn_at, item.last_turn_at),
            "deleted_at": kept.deleted_at if kept.deleted_at is not None else item.deleted_at,
            "feedback_at": _latest(kept.feedback_at, item.feedback_at),
        }

    def _changed(self, home: _Home, ordinal: int, piece: Part, before: Row[Any]) -> bool:
        values = {
            "turn": piece.turn,
            "ordinal": ordinal,
            "speaker": piece.speaker,
            "marks": ",".join(sorted(piece.marks)),
            "name": piece.name,
            "created_at": before.created_at if before.created_at is not None else piece.created_at,
        }
        reclassed = self._reclassed(home, before, piece.data, piece.origin)
        changed = any(getattr(before, name) != value for name, value in values.items())
        if changed:
            self._connection.execute(update(part).where(part.c.key == before.key).values(values))
        return reclassed or changed

    def _rewritten(self, home: _Home, piece: Part, before: Row[Any], body: str | None) -> bool:
        """Seal a text that changed under a new key; the old one is destroyed as in every erasure."""
        if body == piece.text:
            return False
        self._sealer.part(before.key, lane_of(home.mode, piece.data), piece.text)
        self._replaced.append(before.slot)
        return True

    def _retitle(self, title: str, kept: Row[Any]) -> bool:
        if not title or title == self._titles.get(kept.heading_slot):
            return False
        self._retitled.append((kept.key, self._sealer.heading(title)))
        if kept.heading_slot is not None:
            self._replaced.append(kept.heading_slot)
        return True

    def _reclassed(self, home: _Home, before: Row[Any], data: str, origin: str) -> bool:
        plan = home.categories.plan if before.plan is None else before.plan
        number = self._class_id(home.categories._replace(plan=plan), data, origin)
        if number == before.retention_class:
            return False
        self._connection.execute(update(part).where(part.c.key == before.key).values(retention_class=number))
        return True

    def _set_clocks(self, home: _Home) -> None:
        names = ("last_turn_at", "deleted_at", "account_closed_at", "moved_to_business_at")
        self._connection.execute(
            text(
                "UPDATE part SET last_turn_at = :last_turn_at, deleted_at = :deleted_at,"
                " account_closed_at = :account_closed_at, moved_to_business_at = :moved_to_business_at"
                " WHERE conversation = :key"
            ),
            {"key": home.key, **dict(zip(names, home.clocks, strict=True))},
        )


def _clocks(
    last_turn_at: datetime | None, deleted_at: datetime | None, account: Account | None
) -> tuple[int | None, int | None, int | None, int | None]:
    return (
        _micros(last_turn_at),
        _micros(deleted_at),
        _micros(account.closed_at) if account else None,
        _micros(account.moved_to_business_at) if account else None,
    )


def _micros(instant: datetime | None) -> int | None:
    return None if instant is None else to_micros(instant)


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((instant for instant in (one, other) if instant is not None), default=None)
