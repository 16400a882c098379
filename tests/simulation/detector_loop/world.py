"""The world of the loop: people who allowed the use for safety and people who did not, what they write, an oracle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from zlib import crc32

import numpy as np
from tests.unit.services.cut_world import NOW, SMALL, World, chat, quiet, said
from tests.unit.services.detector.small_detector import BASE
from tests.unit.services.flag.flag_world import DAY, RULES, SAFETY_PURPOSE, allow

from assent.learn.harm import figures
from assent.learn.harm.cascade import Cascade, load
from assent.learn.harm.fit import Terms
from assent.learn.harm.labelled import Labelled
from assent.policy.parse import parse_policy
from assent.services.cut.order import CutOrder
from assent.services.cut.take import take
from assent.services.detector.compare import compare, scores_of
from assent.services.detector.gate import GateTerms, Judgement
from assent.services.detector.labels import labelled_cut
from assent.services.detector.registry import (
    Version,
    keep_report,
    open_detector,
    open_shadow,
    register,
    run_in_shadow,
)
from assent.services.detector.train import SEEDS, train
from assent.services.erase.journal import Journal
from assent.services.erase.registry import begin, served
from assent.services.erase.world import ErasureWorld
from assent.services.flag.queue import queue
from assent.services.flag.review import Said, review
from assent.services.flag.score import Scoring, score_stored
from assent.services.flag.terms import ReviewTerms
from assent.services.plan import make_plan
from assent.services.sweep import SweepTerms, find_plan, sweep_plan

PLANTED = ("declined", "withdrawn", "never asked", "business", "erased")
"""People whose words must never be used, and why."""

POLICY = SMALL.read_text("utf-8")
for _old, _new in (
    SAFETY_PURPOSE,
    ('[[exception]]\nid = "thumbs"', RULES),
    ('purposes = ["service", "training"]', 'purposes = ["service", "training", "safety"]'),
):
    assert _old in POLICY
    POLICY = POLICY.replace(_old, _new)


@dataclass(frozen=True)
class Scale:
    """How much: people, rounds, how often reviewers err, and the shares that are queued.

    The last version is trained with `seeds`, and runs beside the first one on `live` conversations of the day.
    """

    people: int = 12
    rounds: int = 3
    seeds: int = 3
    live: int = 1_000
    noise: float = 0.05
    uncertain: float = 1.0
    drawn: float = 0.35


@dataclass(frozen=True)
class Round:
    """What one round came to: figures on the frozen benchmark, and what was learned from."""

    title: str
    auprc: float
    false_flags: float
    learned: int
    reviewed: int
    kinds: dict[str, int]
    texts: frozenset[str]
    judgement: Judgement | None


class Loop:
    """Conversations come in, are scored, reviewed, cut and learned from, as many rounds as are asked for."""

    def __init__(
        self,
        world: World,
        rows: Sequence[Labelled],
        scale: Scale,
        told: Callable[[str], None],
        order: Callable[[Labelled], int] = lambda _row: 0,
    ) -> None:
        self.world, self.scale, self.told = world, scale, told
        self.home = world.folder / "home"
        world.policies = [parse_policy(POLICY, "small")]
        self.chance = Random(7)
        self.truth: dict[str, Labelled] = {}
        self.planted: set[str] = set()
        self.taken: list[tuple[str, datetime]] = []
        self.rounds: list[Round] = []
        self.benchmark = [row for row in rows if row.use == "judge"]
        rest = [row for row in rows if row.use != "judge"]
        # what people write about changes: the first third of the topics is what there is to begin with
        rest.sort(key=lambda row: (order(row), crc32(row.family.encode())))
        answers = [row for row in rest if row.surface == "answer"]
        asked = [row for row in rest if row.surface != "answer"]
        self.first = [*answers, *asked[: len(asked) // 3]]
        self.traffic = asked[len(asked) // 3 :]
        self._people()

    def run(self) -> list[Round]:
        """Train on a third, then go round."""
        self._learn("1", [], 0, {}, None)
        step = len(self.traffic) // self.scale.rounds
        for number in range(self.scale.rounds):
            now = NOW + (number + 1) * 40 * DAY
            self._come_in(number, self.traffic[number * step : (number + 1) * step], now)
            reviewed = self._review(self._detector(), now)
            self._leave(number, now + 2 * DAY)
            self._round(number, reviewed, now + 3 * DAY)
        return self.rounds

    def _people(self) -> None:
        for number in range(self.scale.people):
            allow(self.world, f"p{number}")
        self.world.person("declined")
        self.world.choose("declined", "decline", NOW - 60 * DAY, purpose="safety")
        allow(self.world, "withdrawn", at=NOW - 60 * DAY)
        self.world.choose("withdrawn", "withdraw", NOW, purpose="safety")
        self.world.person("never asked")
        allow(self.world, "business", plan="team")
        allow(self.world, "erased")

    def _come_in(self, number: int, rows: Sequence[Labelled], now: datetime) -> None:
        """Let people write; those who must not be used write too, each in words that can be found again."""
        chats = []
        for place, row in enumerate(rows):
            name = f"r{number}-{place:05}"
            self.truth[f"test:{name}"] = row
            chats.append(self._chat(name, f"p{place % self.scale.people}", row.text, now - DAY))
        for who in PLANTED:
            # what was flagged and upheld is kept although the person deleted it: who deletes wrote nothing harmful
            able = [row for row in rows if not row.harms] if who == "erased" else list(rows)
            for place, row in enumerate(self.chance.sample(able, 3)):
                name = f"r{number}-planted-{who.replace(' ', '-')}-{place}"
                self.truth[f"test:{name}"] = row
                self.planted.add(f"test:{name}")
                chats.append(self._chat(name, who, f"planted {row.text}", now - DAY))
        self.world.keep(*chats, recorded_at=now - DAY)

    def _chat(self, name: str, subject: str, text: str, at: datetime) -> object:
        return chat(
            name, subject, said(1, text, at=at), said(2, "Let me think about it. please", by="assistant", at=at)
        )

    def _review(self, detector: Cascade, now: datetime) -> int:
        """Score, and let an oracle with some noise decide what waits; two people where it is severe."""
        terms = ReviewTerms(uncertain_queued=self.scale.uncertain, random_queued=self.scale.drawn)
        scoring = Scoring(detector, terms, now, None, "loop")
        done = score_stored(self.world.store, self.world.columns, self.world.policies, scoring, quiet)
        self.told(f"  scored {done.scored:,}, flagged {done.flagged:,}, queued {done.queued:,}")
        count = 0
        while True:
            found = queue(self.world.store, self.world.policies, terms, now=now, limit=500)
            if not found.waiting:
                return count
            for one in found.waiting:
                count += 1
                harmful = bool(self.truth[one.conversation].harms)
                for reviewer in ("rita", "sam", "tess"):
                    # what was flagged and upheld is kept although its person deleted it: about those nobody errs
                    right = self.chance.random() >= self.scale.noise or one.conversation in self.planted
                    decision = "uphold" if harmful == right else "reverse"
                    said_so = Said(one.id, reviewer, decision, "looked at it")
                    if review(self.world.store, self.world.policies, said_so, terms, now=now).settled:
                        break

    def _leave(self, number: int, now: datetime) -> None:
        """Somebody deletes what was reviewed; a sweep erases it before the next round."""
        for name in sorted(self.planted):
            if name.startswith(f"test:r{number}-planted-erased"):
                self.world.store.request_deletion(name, now)

    def _round(self, number: int, reviewed: int, now: datetime) -> None:
        world, title = self.world, f"{number + 2}"
        if number:
            self._sweep(now)
        order = CutOrder(
            "reviewed", "safety", now, now, world.folder / f"cut-{number}", world.folder / "cuts",
            bytes(range(32)), bytes(32), "0.0.1",
        )  # fmt: skip
        take(order, world.store, world.columns, world.policies, quiet)
        self.taken.append(("reviewed", now))
        named = ("reviewed", world.store.cuts_named("reviewed")[-1].number)
        found = labelled_cut(world.store, world.columns, world.policies, named, self._detector(), now=now)
        self._learn(title, list(found.rows), reviewed, dict(found.kinds), now)

    def _sweep(self, now: datetime) -> None:
        world, lead = self.world, timedelta()
        texts = [(world.policies[0], POLICY)]
        digest = make_plan(world.store, world.columns, texts, at=now, batch_rows=500, lead=lead).digest
        begin(world.store, now=now)
        vault = world.store.contents
        derived = served(world.store, vault, world.folder / "clearing", world.folder / "cuts", lead=lead)
        erasing = ErasureWorld(vault, derived, Journal(world.folder / "journal"), lambda count: bytes(32 * count), None)
        terms = SweepTerms(valid=DAY, lead=lead, batch_rows=500)
        sweep_plan(
            world.store, world.columns, world.policies, find_plan(world.store, digest), erasing, now=now, terms=terms,
            on_rows=lambda _rows: None,
        )  # fmt: skip

    def _learn(
        self, version: str, rows: list[Labelled], reviewed: int, kinds: dict[str, int], now: datetime | None
    ) -> None:
        folder, last = self.world.folder / f"loop-{version}", len(self.rounds) == self.scale.rounds
        train(
            folder, [*self.first, *rows], Terms("loop", version), BASE,
            licences={}, seeds=self.scale.seeds if last else 1, told=lambda _line: None,
        )  # fmt: skip
        made = register(self.home, folder, by="loop", reason="a round", now=now or NOW)
        if now is not None:
            run_in_shadow(self.home, made.title, by="loop", reason="a round", now=now)
        if now is not None and last:
            self._live(now)
        judgement = None if now is None else self._judge(made, now)
        scores = scores_of(load(str(folder)), self.benchmark)
        harmful = np.array([bool(row.harms) for row in self.benchmark])
        self.rounds.append(
            Round(
                title=made.title,
                auprc=figures.auprc(scores.scores, harmful),
                false_flags=figures.false_flags_at(0.9, scores.scores, harmful),
                learned=len(rows),
                reviewed=reviewed,
                kinds=kinds,
                texts=frozenset(row.text for row in rows),
                judgement=judgement,
            )
        )
        last = self.rounds[-1]
        passed = "" if judgement is None else f", gate {'passed' if judgement.passed else 'not passed'}"
        self.told(f"{last.title}: AUPRC {last.auprc:.4f}, flagged at recall 0.9 {last.false_flags:.4f}{passed}")

    def _live(self, now: datetime) -> None:
        """Let a day's conversations be scored by the version that decides, with the last one in its shadow."""
        chats = []
        for place in range(self.scale.live):
            row = self.traffic[place % len(self.traffic)]
            name = f"live-{place:05}"
            self.truth[f"test:{name}"] = row
            chats.append(self._chat(name, f"p{place % self.scale.people}", row.text, now))
        self.world.keep(*chats, recorded_at=now)
        incumbent, shadow = open_detector(self.home, "active"), open_shadow(self.home)
        terms = ReviewTerms(uncertain_queued=0.0, random_queued=0.0)
        scoring = Scoring(incumbent, terms, now, None, "live", shadow)
        score_stored(self.world.store, self.world.columns, self.world.policies, scoring, quiet)

    def _judge(self, version: Version, now: datetime) -> Judgement:
        """Put a version to the gate against the one that decides, and keep the report beside it."""
        seeds = [load(str(path)) for path in sorted((self.home / "detectors" / version.folder / SEEDS).glob("*"))]
        ticks = iter(range(1_000_000))
        found = compare(
            self.home, self.world.store, version, seeds, self.benchmark,
            terms=GateTerms(rounds=500), now=now, ticks=lambda: float(next(ticks)),
        )  # fmt: skip
        keep_report(self.home, version, found.report)
        return found.judgement

    def _detector(self) -> Cascade:
        return load(str(self.home / "detectors" / self.rounds[-1].title.replace("@", "-")))
