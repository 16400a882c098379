"""Score what is stored: what safety may read at this instant, and nothing else.

The set query nominates, the reference decides part by part. What reaches the flag threshold is flagged, provisionally;
of the band below it a share waits for people, and a uniform random sample of everything, by which rates are told.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from assent.domain.digests import canonical
from assent.domain.errors import Refused
from assent.learn.harm.bands import find
from assent.learn.harm.conversation import Turn, pieces_of
from assent.policy.versions import decide_versions, governing
from assent.services.cut.rows import OUT
from assent.services.detector import SAFETY
from assent.services.detector.watch import Seen, keep_seen
from assent.services.flag.terms import severity_of
from assent.store.answers import answers
from assent.store.port import Conversations, FactColumns, Figures, Reviews
from assent.store.records import Candidate, Figure, Flag, part_name
from assent.store.selection import count_eligible, eligible_by_conversation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from assent.domain.facts import Facts
    from assent.learn.harm.bands import Outcome
    from assent.learn.harm.cascade import Cascade
    from assent.learn.harm.port import Piece, Scored
    from assent.policy.model import Policy
    from assent.services.flag.terms import ReviewTerms
    from assent.store.columns import Columns
    from assent.store.records import StoredConversation, StoredPart

    Progress = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]

AT_ONCE: Final = 64
"""Conversations that are read and scored together."""
_RANK: Final = {"clear": 0, "review": 1, "flag": 2}


class ScoreStore(FactColumns, Conversations, Reviews, Figures, Protocol):
    """What scoring asks of a store."""


@dataclass(frozen=True, slots=True)
class Scoring:
    """With what to score, under which terms, at which instant, and since when; `seed` draws the random sample.

    A `shadow` scores the same and decides nothing: only how often the two differ is counted.
    """

    detector: Cascade
    terms: ReviewTerms
    now: datetime
    since: datetime | None
    seed: str
    shadow: Cascade | None = None


@dataclass(slots=True)
class Done:
    """How many conversations were scored, flagged, queued (flagged ones too) and drawn; and those passed over.

    `before` waits or was decided since its last turn; of `ineligible` the reference let nothing be read.
    """

    detector: str
    scored: int = 0
    flagged: int = 0
    queued: int = 0
    drawn: int = 0
    before: int = 0
    ineligible: int = 0
    bands: dict[str, int] = field(default_factory=dict)


class _Read(NamedTuple):
    conversation: str
    content: str
    pieces: list[Piece]


class _Worst(NamedTuple):
    outcome: Outcome
    category: str
    score: float
    surface: str


def score_stored(
    store: ScoreStore, columns: Columns, policies: Sequence[Policy], scoring: Scoring, progress: Progress
) -> Done:
    """Score everything that safety may read at `now`, a few conversations at a time.

    A run that was killed goes on behind the last conversations that it finished. Whatever is found twice is one flag.
    `policies` are ordered by date, oldest first. Raises `Refused` if nothing may be read.
    """
    if not any(SAFETY in policy.cut_purposes for policy in policies):
        raise Refused("no policy here lets anything be used for `safety`", "declare the purpose, with `cut = true`")
    run = _Run(store, policies, scoring)
    with answers(store, columns, policies, scoring.now):
        total = count_eligible(columns, SAFETY)
        if not total:
            raise Refused("there is nothing that may be read for `safety`", "see `assent explain` of a conversation")
        found = eligible_by_conversation(columns, SAFETY, AT_ONCE)
        with progress("scoring", total) as advance, closing(found) as batches:
            for batch in batches:
                chosen = dict(zip(batch["conversation"].to_pylist(), batch["parts"].to_pylist(), strict=True))
                run.score(chosen)
                advance(sum(map(len, chosen.values())))
    run.finish()
    return run.done


class _Run:
    """One run while it goes on."""

    def __init__(self, store: ScoreStore, policies: Sequence[Policy], scoring: Scoring) -> None:
        self._store = store
        self._policies = policies
        self._business = frozenset(plan for policy in policies for plan in policy.business_plans)
        self._scoring = scoring
        self._place = f"flag score {scoring.detector.name}"
        kept = store.figure(self._place)
        self._after: str = "" if kept is None else json.loads(kept.document)["after"]
        self._bands: Counter[str] = Counter()
        self.done = Done(scoring.detector.name)

    def score(self, chosen: Mapping[str, Sequence[int]]) -> None:
        """Score some conversations, by name and the keys of their eligible parts, and note that they are done."""
        chosen = {name: keys for name, keys in chosen.items() if name > self._after}
        if not chosen:
            return
        last = max(chosen)
        read = list(self._read(chosen))
        seen = Seen()
        found = self._worst(self._scoring.detector, read)
        beside = self._worst(self._scoring.shadow, read) if self._scoring.shadow is not None else None
        for place, worst in enumerate(found):
            other = None if beside is None else (beside[place].score, beside[place].outcome)
            seen.add((worst.score, worst.outcome), other)
        self._nominate(read, found)
        shadow = None if self._scoring.shadow is None else self._scoring.shadow.name
        keep_seen(self._store, self._scoring.detector.name, shadow, seen, self._scoring.now)
        self._note(last)

    def finish(self) -> None:
        """Begin at the start the next time."""
        self.done.bands = dict(self._bands)
        self._note("")

    def _note(self, after: str) -> None:
        self._after = after
        document = canonical({"after": after}).decode()
        self._store.keep_figure(Figure(self._place, self._scoring.now, document))

    def _read(self, chosen: Mapping[str, Sequence[int]]) -> Iterator[_Read]:
        stored, facts = self._store.conversations_of(chosen), self._store.facts_of_several(chosen)
        waiting = self._store.candidates_of(chosen)
        for name, keys in chosen.items():
            one = stored.get(name)
            if one is None or not self._asked(one):
                continue
            turned = one.entry.last_turn_at
            if any(turned is None or found.queued_at >= turned for found in waiting.get(name, ())):
                self.done.before += 1
                continue
            known = {fact.part: fact for fact in facts.get(name, ())}
            parts = [part for part in one.parts if part.key in keys and self._may(known.get(part_name(name, part.id)))]
            texts = self._store.content_of([part.key for part in parts])
            turns = [Turn(part.speaker, texts[part.key]) for part in parts if _said(part) and texts.get(part.key)]
            if turns:
                yield _Read(name, _digest_of(name, parts), pieces_of(turns))
            else:
                self.done.ineligible += 1

    def _asked(self, one: StoredConversation) -> bool:
        since, turned = self._scoring.since, one.entry.last_turn_at
        return since is None or turned is None or turned >= since

    def _may(self, fact: Facts | None) -> bool:
        """Let the reference decide; a business plan is out of reach whatever it says."""
        if fact is None or fact.plan in self._business:
            return False
        now = self._scoring.now
        return SAFETY in decide_versions(fact, governing(self._policies, fact, now), now).eligible

    def _worst(self, detector: Cascade, read: Sequence[_Read]) -> list[_Worst]:
        scored = iter(detector.score([piece for one in read for piece in one.pieces]))
        return [_worst_of(detector, one.pieces, [next(scored) for _ in one.pieces]) for one in read]

    def _nominate(self, read: Sequence[_Read], found: Sequence[_Worst]) -> None:
        candidates, flags = [], []
        for one, worst in zip(read, found, strict=True):
            self.done.scored += 1
            self._bands[worst.outcome] += 1
            terms = self._scoring.terms
            drawn = self._chance("drawn", one.conversation) < terms.random_queued
            unsure = worst.outcome == "review" and self._chance("uncertain", one.conversation) < terms.uncertain_queued
            if worst.outcome != "flag" and not drawn and not unsure:
                continue
            made = self._candidate(one, worst, drawn=drawn)
            candidates.append(made)
            self.done.drawn += drawn
            if worst.outcome == "flag":
                flags.append(_flag(made, worst.surface))
        self.done.flagged += len(flags)
        self.done.queued += self._store.nominate(candidates, flags)

    def _candidate(self, one: _Read, worst: _Worst, *, drawn: bool) -> Candidate:
        detector = self._scoring.detector.name
        return Candidate(
            id=sha256(f"assent/candidate/v1\n{detector}\n{one.content}".encode()).hexdigest()[:32],
            conversation=one.conversation,
            band="flag" if worst.outcome == "flag" else "uncertain" if worst.outcome == "review" else "clear",
            category=worst.category,
            severity=severity_of(worst.category),
            detector=detector,
            queued_at=self._scoring.now,
            score=worst.score,
            drawn=drawn,
        )

    def _chance(self, what: str, conversation: str) -> float:
        """Draw a number from [0, 1) that is the same for the same seed and conversation."""
        drawn = sha256(f"{self._scoring.seed}\n{what}\n{conversation}".encode()).digest()
        return int.from_bytes(drawn[:8], "big") / 2**64


def _worst_of(detector: Cascade, pieces: Sequence[Piece], scored: Sequence[Scored]) -> _Worst:
    """Let the turn speak that leads furthest, and of equals the one with the highest score; tools flag nobody."""
    worst = _Worst("clear", "", 0.0, "tool")
    for piece, one in zip(pieces, scored, strict=True):
        if piece.surface == "tool":
            continue
        finding = find(detector.manifest, one, piece.surface, piece.text)
        said = _Worst(finding.outcome, finding.category, one.score, piece.surface)
        if (_RANK[said.outcome], said.score) > (_RANK[worst.outcome], worst.score):
            worst = said
    return worst


def _said(part: StoredPart) -> bool:
    return part.data == "text" and not any(mark in part.marks for mark in OUT)


def _digest_of(conversation: str, parts: Sequence[StoredPart]) -> str:
    """Name a conversation as far as it was read, so that one that goes on can be found anew."""
    return f"{conversation}\n" + " ".join(str(part.key) for part in parts)


def _flag(one: Candidate, surface: str) -> Flag:
    why = f"the score of a {surface} reached the threshold"
    return Flag(one.id, one.conversation, one.queued_at, one.category, one.detector, why, score=one.score)
