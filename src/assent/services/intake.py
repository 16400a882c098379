"""Bring conversations, accounts and choices in, and account for every record."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from assent.connectors.formats.port import Malformed, Skipped
from assent.domain.choices import project_target
from assent.domain.conversation import Conversation
from assent.domain.digests import digest, is_digest
from assent.domain.errors import Invalid
from assent.domain.facts import FactsProblem, facts_from_record
from assent.policy.plans import unknown_plan
from assent.policy.regions import wrong_region
from assent.services.ledger.append import append
from assent.store.port import Choices, Ledger
from assent.store.records import Account, Choice, ImportNote, ImportRun

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import datetime

    from assent.connectors.formats.port import Importer, Source
    from assent.domain.facts import Scope
    from assent.services.ledger.log import Log
    from assent.store.port import Accounts, Intake, Store

CHOICES_AT_ONCE: Final = 5_000
"""Choices appended to the ledger under one checkpoint when they come from a file."""

MAX_NOTES = 10_000
"""Malformed records that are remembered one by one; further ones are counted by problem."""

ACCOUNT_KEYS = ("plan", "region", "age", "signed_in", "role", "acknowledged_at", "user_duration")


@dataclass(slots=True)
class ImportSummary:
    """What became of an import. `imported + skipped + malformed` are all records of the source.

    `corrected` conversations were there under a plan that no policy names, and are under the one that was said now.
    """

    run: int
    imported: int = 0
    skipped: int = 0
    malformed: int = 0
    parts: int = 0
    corrected: int = 0
    conversations: Counter[str] = field(default_factory=Counter)
    notes: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def note(self, place: str, kind: str, reason: str, count: int) -> None:
        """Remember a skipped kind once and a malformed record by its place."""
        where = place if kind == "malformed" and len(self.notes) < MAX_NOTES else ""
        self.notes[where, kind, reason] += count

    def problems(self) -> list[tuple[str, str, int]]:
        """List malformed records as (place, problem, count)."""
        return [(place, reason, n) for (place, kind, reason), n in self.notes.items() if kind == "malformed"]

    def skips(self) -> list[tuple[str, int]]:
        """List why records were skipped, most frequent first."""
        counts: Counter[str] = Counter()
        for (_, kind, reason), n in self.notes.items():
            if kind == "skipped":
                counts[reason] += n
        return counts.most_common()


@dataclass(frozen=True, slots=True)
class Whose:
    """What the source does not say: whose conversations these are, and on which plan they were written.

    `plans` are those that the policies name. If `plan` is one, what came in before under none of them takes it.
    """

    subject: str | None = None
    plan: str | None = None
    plans: frozenset[str] = frozenset()


def import_source(
    importer: Importer, source: Source, store: Intake, whose: Whose, *, now: datetime, batch: int
) -> ImportSummary:
    """Read a whole source into the store, `batch` conversations a transaction. Importing it again changes nothing."""
    summary = ImportSummary(store.begin_import(importer.name, source.path.name, now))
    waiting: list[Conversation] = []
    for record in importer.read(source):
        if isinstance(record, Conversation):
            summary.imported += record.records
            waiting.append(replace(record, subject=whose.subject) if whose.subject else record)
            if len(waiting) >= batch:
                _keep(store, waiting, whose, now, summary)
        elif isinstance(record, Skipped):
            summary.skipped += record.records
            summary.note(str(record.place), "skipped", record.reason, record.records)
        else:
            _refuse(record, summary)
    _keep(store, waiting, whose, now, summary)
    notes = (ImportNote(place, kind, reason, n) for (place, kind, reason), n in summary.notes.items())  # type: ignore[arg-type]
    run = ImportRun(
        summary.run, importer.name, source.path.name, now, now, summary.imported, summary.skipped, summary.malformed
    )
    store.finish_import(run, notes)
    return summary


def _refuse(record: Malformed, summary: ImportSummary) -> None:
    summary.malformed += record.records
    summary.note(str(record.place), "malformed", record.problem, record.records)


def _keep(store: Intake, waiting: list[Conversation], whose: Whose, now: datetime, summary: ImportSummary) -> None:
    if waiting:
        there: list[str] = []
        for outcome in store.intake(waiting, plan=whose.plan, recorded_at=now):
            summary.conversations[outcome.status] += 1
            summary.parts += outcome.parts_added
            if outcome.status in ("unchanged", "grown"):
                there.append(outcome.conversation)
        if whose.plan is not None and whose.plan in whose.plans:
            summary.corrected += store.correct_plan(there, whose.plan, known=whose.plans)
        waiting.clear()


@dataclass(slots=True)
class LinesSummary:
    """What became of a file of lines: how many were taken, and (line, problem, fix) of those that were not.

    `unknown_plans` are plans that no policy names, with the first line that names each and how many do.
    """

    taken: int = 0
    problems: list[tuple[int, str, str]] = field(default_factory=list)
    unknown_plans: dict[str, tuple[int, int]] = field(default_factory=dict)


def import_accounts(
    lines: Iterable[bytes],
    store: Accounts,
    *,
    plans: frozenset[str] = frozenset(),
    regions: frozenset[str] = frozenset(),
) -> LinesSummary:
    """Read accounts, one JSON object a line: `subject` and the facts of a person (`account_from_record`).

    `plans` and `regions` are those that the policies name.
    """
    summary = LinesSummary()
    for number, record in _records(lines, summary):
        try:
            account = account_from_record(record, regions)
            store.put_accounts([account])
            summary.taken += 1
            if account.plan is not None and unknown_plan(account.plan, plans):
                first, count = summary.unknown_plans.get(account.plan, (number, 0))
                summary.unknown_plans[account.plan] = (first, count + 1)
        except FactsProblem as problem:
            summary.problems.append((number, problem.message, problem.fix))
    return summary


def account_from_record(record: dict[str, Any], regions: frozenset[str] = frozenset()) -> Account:
    """Read one account. Raises `FactsProblem` naming the key and what is allowed; `regions` are named by policies."""
    renamed = {"closed_at": "account_closed_at", "opened_at": "created_at"}
    values = {renamed.get(key, key): value for key, value in record.items() if key not in ("subject", "organisation")}
    if not record.get("subject"):
        raise FactsProblem("subject", "is missing", "say whose account it is")
    allowed = {*ACCOUNT_KEYS, "account_closed_at", "created_at", "moved_to_business_at", "organisation"}
    for key in values:
        if key not in allowed:
            raise FactsProblem(key, "is not a fact of an account", "use subject, " + ", ".join(sorted(allowed)))
    facts = facts_from_record({"part": "-", "subject": record["subject"], **values})
    if facts.region is not None and (wrong := wrong_region(facts.region, regions)):
        raise FactsProblem("region", *wrong)
    return Account(
        subject=str(facts.subject),
        closed_at=facts.account_closed_at,
        opened_at=facts.created_at,
        moved_to_business_at=facts.moved_to_business_at,
        # no fact of a decision: it says who is covered when an organisation is held
        organisation=_optional_text("organisation", record.get("organisation")) or None,
        **{key: getattr(facts, key) for key in ACCOUNT_KEYS},
    )


class ChoiceStore(Choices, Ledger, Protocol):
    """What bringing in choices asks of a store."""


def import_choices(
    lines: Iterable[bytes],
    store: ChoiceStore,
    log: Log,
    *,
    now: datetime,
    purposes: Collection[str] | None = None,
    batch: int = CHOICES_AT_ONCE,
) -> LinesSummary:
    """Read choices that the product's own notice recorded, one JSON object a line.

    Keys: subject, purpose, act, at, notice (digest of the exact text shown), surface, and
    `project` or `conversation` for one that is about less than everything. An `allow` without the
    digest of a notice and a surface is refused: nobody can show what was asked. With `purposes`, a choice for
    any other is refused: no rule would ever read it. Each gets its leaf in the ledger, `batch` at a time.
    """
    summary = LinesSummary()
    waiting: list[Choice] = []
    for number, record in _records(lines, summary):
        try:
            choice = choice_from_record(record, now)
            if purposes is not None and choice.purpose not in purposes:
                fix = f"use one of {', '.join(purposes)}" if purposes else "the policies here ask for nothing"
                raise FactsProblem("purpose", "is asked for by no policy here", fix)
            waiting.append(choice)
            summary.taken += 1
        except Invalid as problem:
            summary.problems.append((number, problem.message, problem.fix))
        if len(waiting) >= batch:
            append_new(store, log, waiting, now=now)
            waiting.clear()
    append_new(store, log, waiting, now=now)
    return summary


def append_new(store: ChoiceStore, log: Log, choices: Iterable[Choice], *, now: datetime) -> None:
    """Append acts with their leaves, but those that are there already, recorded earlier from the same file."""
    named = {choice.id: choice for choice in choices}
    known = store.known_choices(named.keys())
    append(store, log, [choice for name, choice in named.items() if name not in known], now=now)


def choice_from_record(record: dict[str, Any], now: datetime) -> Choice:
    """Read one recorded choice. Raises `Invalid` for what is missing, and for acts in the future."""
    known = ("subject", "purpose", "act", "at", "notice", "surface", "project", "conversation")
    for key in record:
        if key not in known:
            raise FactsProblem(key, "is not known here", "use " + ", ".join(known))
    act = {key: record.get(key) for key in ("purpose", "act", "at")}
    facts = facts_from_record({"part": "-", "subject": record.get("subject"), "choices": [act]})
    choice = facts.choices[0]
    if facts.subject is None:
        raise FactsProblem("subject", "is missing", "say whose choice it is")
    notice, surface = (_optional_text(key, record.get(key)) for key in ("notice", "surface"))
    scope, target = _about(record)
    if choice.act == "allow" and not (notice and surface):
        fix = "give the digest of the notice that was shown and the surface it was shown on"
        raise FactsProblem("notice", "an `allow` must quote what the person was shown", fix)
    # of an allow alone: a refusal counts whatever it quotes, and must not be lost for it
    if choice.act == "allow" and not is_digest(notice):
        fix = "write `sha256:` and the SHA-256, 64 lower-case hexadecimal digits, of the exact text that was shown"
        raise FactsProblem("notice", "is not a digest", fix)
    if choice.at > now:
        raise FactsProblem("at", "lies in the future", "give the instant of the act, in UTC")
    return Choice(
        id=digest(
            [facts.subject, choice.purpose, choice.act, choice.at.isoformat(), notice, *([target] if target else [])]
        ),
        subject=facts.subject,
        purpose=choice.purpose,
        act=choice.act,
        at=choice.at,
        notice=notice,
        surface=surface,
        recorded_by="import",
        recorded_at=now,
        scope=scope,
        target=target,
    )


def _about(record: dict[str, Any]) -> tuple[Scope, str | None]:
    project, conversation = (_optional_text(key, record.get(key)) for key in ("project", "conversation"))
    if project and conversation:
        raise FactsProblem("project", "stands beside a conversation", "a choice is about one of them, or everything")
    if conversation:
        return "conversation", conversation
    return ("project", project_target(project)) if project else ("everything", None)


def _optional_text(key: str, value: object) -> str:
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not value.strip():
        raise FactsProblem(key, "is not text", "give a string that is not blank")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        # it could be neither named by a digest nor kept, and would end the import
        raise FactsProblem(key, "holds half a character", "write whole characters: surrogates come in pairs")
    return value


def _records(lines: Iterable[bytes], summary: LinesSummary) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if isinstance(record, dict):
            yield number, record
        else:
            summary.problems.append((number, "the line is not a JSON object", "write one JSON object a line"))


def describe_person(store: Store, subject: str, record: dict[str, Any], regions: frozenset[str] = frozenset()) -> None:
    """Add what the operator says about a person (plan, age, region) to what is known. Raises `FactsProblem`."""
    said = account_from_record({"subject": subject, **record}, regions)
    known = store.account(subject) or Account(subject)
    changes = {key: getattr(said, key) for key in ACCOUNT_KEYS if getattr(said, key) is not None}
    store.put_accounts([replace(known, **changes)])
