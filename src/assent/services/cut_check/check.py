"""Check a cut by its own folder, evidence and policies: whether each row may be there, and why not."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from assent.domain.digests import digest
from assent.domain.errors import AssentError, Invalid, NotFound
from assent.domain.facts import facts_to_record
from assent.services.cut_check.evidence import Evidence, KnownConversation, in_order
from assent.services.cut_check.files import open_folder
from assent.services.cut_check.proofs import Claim, open_ledger, proofs_of, receipts
from assent.services.cut_check.report import Report
from assent.services.cut_check.rules import answer, governing, version

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from assent.domain.facts import Facts
    from assent.ledger.note import Verifier
    from assent.services.cut_check.evidence import Entry, KnownPart
    from assent.services.cut_check.files import Folder
    from assent.services.cut_check.proofs import LedgerCheck
    from assent.services.cut_check.rules import Answer, Version

MARKS: Final = frozenset({"reasoning", "tool-payload"})
"""Marks with which a part may enter (spec/manifest.md, parts)."""

_WORSE_FIRST: Final = ("vetoed", "withdrawn", "declined", "deleted", "gap", "ended", "unanswered")
NO_KEY: Final = "whether the log's operator signed the checkpoint: no key was given"
NOT_RECORDED: Final = "whether the ledger holds this manifest: the evidence has no entry for it"
LEAF: Final = "assent/cut/v1"
NO_LEDGER: Final = "whether the ledger holds the receipts: the evidence has no checkpoint"


def verify_cut(
    folder: Path,
    evidence: Path,
    policies: Sequence[tuple[str, str]],
    keys: Sequence[Verifier] = (),
    without: frozenset[str] = frozenset(),
) -> Report:
    """Check the cut in `folder` with evidence in a file. `policies` are (file name, text) of every version."""
    with evidence.open("rb") as lines:
        return check_cut(folder, Evidence(lines, evidence.name), policies, keys, without)


def check_cut(
    folder: Path,
    evidence: Evidence,
    policies: Sequence[tuple[str, str]],
    keys: Sequence[Verifier] = (),
    without: frozenset[str] = frozenset(),
) -> Report:
    """Check every file and every row of a cut, twice: as of its own instant, and as of the evidence's.

    `keys` are the ledger's public keys, obtained elsewhere than from the evidence. Rows of conversations in
    `without` are counted and not checked: whoever asks does not use them. Raises
    `NotFound` where there is no cut, or a policy of it was not given, and `Invalid` for what
    cannot be read; what is wrong with the cut is in the report, and raises nothing.
    """
    found = open_folder(folder)
    report = Report(found.manifest["name"], found.manifest["number"], found.digest)
    head = evidence.header
    if (head.name, head.number) != (report.name, report.number):
        raise Invalid("the evidence is about another cut", "export it again with `assent cut evidence`")
    if head.at < found.at:
        raise Invalid("the evidence is older than the cut", "export it again with `assent cut evidence`")
    if head.manifest != found.digest:
        report.add("tampered", "manifest.json", "the manifest is not the one that was recorded")
    for difference in found.differences():
        report.add("tampered", "files", difference)
    ledger = None if head.checkpoint is None else open_ledger(head.checkpoint, keys)
    if ledger is None:
        report.missing.append(NO_LEDGER)
    else:
        if not keys:
            report.missing.append(NO_KEY)
        _recorded(found, head.entry, ledger, report)
    _Rows(found, evidence, [version(text, name) for name, text in policies], ledger, report, without).check()
    return report


def _recorded(folder: Folder, entry: Entry | None, ledger: LedgerCheck, report: Report) -> None:
    """Check that the ledger says of the cut what the folder is (spec/manifest.md, the ledger)."""
    if entry is None:
        report.missing.append(NOT_RECORDED)
        return
    said = {"v": LEAF, "act": "made", "name": report.name, "number": report.number, "manifest": folder.digest}
    said["merkle_root"] = folder.manifest.get("merkle_root")
    try:
        record = json.loads(entry.record)
        same = all(record.get(key) == value for key, value in said.items()) and ledger.holds(entry)
    except (ValueError, AttributeError, AssentError):
        same = False
    if not same:
        report.add("unrecorded", "manifest.json")


class _Rows:
    """The rows of one cut while they are checked."""

    def __init__(
        self,
        folder: Folder,
        evidence: Evidence,
        versions: list[Version],
        ledger: LedgerCheck | None,
        report: Report,
        without: frozenset[str],
    ) -> None:
        self._folder = folder
        self._without = without
        self._evidence = evidence
        self._ledger = ledger
        self._report = report
        self._purpose: str = folder.manifest["purpose"]
        digests = [policy["digest"] for policy in folder.manifest["policies"]]
        given = {one.digest: one for one in versions}
        if lacking := [one for one in digests if one not in given]:
            raise NotFound(f"policy `{lacking[0]}` of the manifest was not given", "name every version of the cut")
        # what counted then, and what counts by now: a version may have been added meanwhile
        self._instants = [([given[one] for one in digests], folder.at)]
        if evidence.header.at > folder.at:
            self._instants.append((list(given.values()), evidence.header.at))
        self._business = {plan for one in given.values() for plan in one.document.plans.get("business", ())}
        self._under = {one["policy"]: one["versions"] for one in folder.manifest["decided_under"]}
        self._conversations: set[int] = set()
        self._people: dict[str, str] = {}
        self._proofs: Counter[str] = Counter()
        self._policies: Counter[str] = Counter()

    def check(self) -> None:
        """Check row by row, then the sums."""
        for conversation, rows in groupby(self._folder.rows(), key=lambda row: row["conversation"]):
            key = hash(conversation)
            if key in self._conversations:
                for row in rows:
                    self._count(row)
                    self._report.add("duplicate", row["part"], "its conversation stands in two places")
                continue
            self._conversations.add(key)
            self._conversation(conversation, rows)
        self._sums()
        self._lines()
        if strangers := self._evidence.strangers():
            says = f"{strangers:,} conversations of the evidence have no row"
            self._report.add("miscounted", "evidence", says)

    def _conversation(self, conversation: str, rows: Iterable[dict[str, Any]]) -> None:
        report = self._report
        report.conversations += 1
        known = self._evidence.conversation(conversation) or KnownConversation(conversation)
        parts = {part.facts.part: part for part in known.parts}
        seen: set[str] = set()
        for row in rows:
            name = row["part"]
            self._count(row)
            if name in seen:
                report.add("duplicate", name)
            seen.add(name)
            if conversation in self._without:
                continue
            if name in known.gone:
                report.add("erased", name)
            elif name not in parts:
                report.add("unknown", name)
            else:
                self._row(row, parts[name], known)

    def _count(self, row: dict[str, Any]) -> None:
        self._report.rows += 1
        self._proofs[row["proof"]] += 1
        self._policies[row["policy"]] += 1

    def _row(self, row: dict[str, Any], part: KnownPart, known: KnownConversation) -> None:
        name, facts, report = row["part"], part.facts, self._report
        acts = [self._evidence.acts[one] for one in known.acts if one in self._evidence.acts]
        if in_order(acts) != facts.choices or len(acts) != len(known.acts):
            report.add("contradicted", name, "the facts do not hold the acts that count for the conversation")
        for key in ("conversation", "origin", "data", "created_at"):
            if row[key] != getattr(facts, key):
                report.add("contradicted", name, f"the row's `{key}` is not that of the facts")
        if facts.plan in self._business:
            report.add("business", name)
        if (set(row["marks"]) | part.marks) - MARKS:
            report.add("marked", name)
        if set(row["marks"]) != part.marks:
            report.add("contradicted", name, "the row's `marks` are not those of the part")
        if word := self._why_not(facts):
            report.add(word, name)
        self._proof(row, Claim(facts, acts, known.flags))
        self._decision(row, facts)

    def _why_not(self, facts: Facts) -> str | None:
        """Say in a word why a part may not be used, then or by now; None if it may."""
        for versions, at in self._instants:
            for one in governing(versions, facts, at):
                found = answer(one, facts, at)
                if self._purpose not in found.eligible:
                    return _word(found, self._purpose)
        return None

    def _proof(self, row: dict[str, Any], claim: Claim) -> None:
        """Check that what the row names shows its permission, under every version that governs it."""
        versions, at = self._instants[0]
        under = [list(proofs_of(claim, one, self._purpose, at)) for one in governing(versions, claim.facts, at)]
        if not all(under) or (row["proof"], row["receipt"]) not in under[-1]:
            self._report.add("unproven", row["part"])
        if row["proof"] != "choice" or self._ledger is None:
            return
        for act in receipts(row["receipt"], self._evidence.acts):
            problem = "is not known" if act is None else self._ledger.problem(act)
            if problem is not None:
                self._report.add("receipt", row["part"], f"the receipt {problem}")
            elif (
                act is not None
                and self._people.setdefault(row["person"], self._ledger.subjects[act.id])
                != (self._ledger.subjects[act.id])
            ):
                self._report.add("receipt", row["part"], "the receipt is another person's")

    def _decision(self, row: dict[str, Any], facts: Facts) -> None:
        versions, at = self._instants[0]
        digests = [one.digest for one in governing(versions, facts, at)]
        policy = digests[0] if len(digests) == 1 else digest(digests)
        if row["policy"] != policy or self._under.get(policy) != digests:
            self._report.add("policy", row["part"])
        # what was answered since changes what may be used by now, and not what was decided then
        then = replace(facts, choices=tuple(act for act in facts.choices if act.at <= at))
        told = {key: value for key, value in facts_to_record(then).items() if key != "subject"}
        made_of: dict[str, object] = {"facts": told, "policy": policy}
        if self._folder.form == 1:
            made_of["at"] = self._folder.manifest["at"]
        if row["decision"] != digest(made_of):
            self._report.add("decision", row["part"])

    def _sums(self) -> None:
        """Check that the rows come to what the manifest counts (spec/manifest.md, counts)."""
        counts, erased, rows = self._folder.manifest["counts"], self._folder.erased, self._report.rows
        say = self._report.add
        if rows + erased != counts["written"]:
            say("miscounted", "counts.written", f"{rows:,} rows and {erased:,} erased, not {counts['written']:,}")
        if counts["considered"] != counts["written"] + sum(counts["excluded"].values()):
            say("miscounted", "counts", "what was considered is not what was written and excluded")
        if erased:
            return  # the manifest counts rows that are no longer here
        if self._proofs != Counter(counts["proofs"]):
            say("miscounted", "counts.proofs", "the rows have other proofs")
        if self._policies != {one["policy"]: one["parts"] for one in self._folder.manifest["decided_under"]}:
            say("miscounted", "decided_under", "the rows were decided under other policies")
        if counts["conversations"] != self._report.conversations:
            say("miscounted", "counts.conversations", f"there are {self._report.conversations:,}")

    def _lines(self) -> None:
        """Check that no line of a file of messages is about a conversation without rows."""
        for named in self._folder.files:
            path = self._folder.path / named.name
            if not named.name.endswith(".jsonl") or not path.is_file():
                continue
            with path.open("rb") as lines:
                for number, line in enumerate(lines, 1):
                    if hash(_conversation_of(line)) not in self._conversations:
                        self._report.add("stray", f"{named.name}:{number}")


def _conversation_of(line: bytes) -> str | None:
    """Return the conversation that a line of messages names."""
    try:
        record = json.loads(line)
        name = record.get("conversation", record.get("id"))
    except (ValueError, AttributeError, RecursionError):
        return None
    return name if isinstance(name, str) else None


def _word(found: Answer, purpose: str) -> str:
    if found.held:
        return "held"
    stops = found.stops.get(purpose, [])
    return next((word for word in _WORSE_FIRST if word in stops), "not allowed")
