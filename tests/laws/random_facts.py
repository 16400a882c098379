"""Random facts that sit on the edges of one policy: its plans, its durations, one microsecond either side."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from assent.domain.conversation import DataClass, Mode, Origin, Surface
from assent.domain.facts import ACTS, ChoiceAct, Facts, HoldSpan, choice_order
from assent.policy.parse import parse_policy

if TYPE_CHECKING:
    import random

    from assent.domain.durations import Duration
    from assent.policy.model import Policy

POLICIES = sorted((Path(__file__).parents[2] / "policies").glob("*/*.toml"))
INSTANTS = tuple(
    datetime.fromisoformat(text)
    for text in (
        "2025-10-08T00:00:00+00:00",
        "2025-12-15T12:34:56.789012+00:00",
        "2026-09-01T00:00:00+00:00",
        "2028-02-29T00:00:00+00:00",
        "2029-02-28T00:00:00+00:00",
        "2030-03-31T23:59:59.999999+00:00",
    )
)
MICROSECOND = timedelta(microseconds=1)


def load(path: Path) -> Policy:
    """Parse one of the shipped policy files."""
    return parse_policy(path.read_text(encoding="utf-8"), path.name)


class RandomFacts:
    """Draws facts for one policy at one instant."""

    def __init__(self, policy: Policy, at: datetime, source: random.Random) -> None:
        self.draw = source
        self.at = at
        tests = [t for rule in (*policy.grants, *policy.vetoes) for t in rule.when.tests if hasattr(t, "values")]
        self.plans = [None, "unheard-of", *sorted(policy.plans), *sorted(policy.plans)]
        self.regions = [None, "ZZ", *sorted({v for t in tests if t.key == "region" for v in t.values})]
        self.roles = [None, "other", *sorted({v for t in tests if t.key == "role" for v in t.values})]
        ages = {n for r in (*policy.grants, *policy.vetoes) for t in r.when.tests if t.key == "age"
                for n in (getattr(t, "below", None), getattr(t, "at_least", None)) if n}  # fmt: skip
        self.ages = [None, 30, 30, *sorted(ages), *(n - 1 for n in sorted(ages))]
        self.picks = [None, None, "P3M", *sorted({p for g in policy.grants for p in g.use_for.picks})]
        self.purposes = sorted({c.purpose for g in policy.grants for c in g.choices} | {"training"})
        self.edges = sorted({edge for length in _durations(policy) for edge in _before(at, length)})
        self.edges += [at, policy.effective, at - timedelta(days=1), at + timedelta(days=1)]
        self.edges += [datetime(2024, 2, 29, tzinfo=UTC), datetime(2025, 1, 31, tzinfo=UTC)]

    def instant(self) -> datetime:
        """Draw an instant on, or one microsecond beside, an edge; sometimes a sum of two."""
        choose = self.draw.choice
        edge: datetime = choose(self.edges)
        if self.draw.random() < 0.3:
            edge -= self.at - choose(self.edges)
        return edge + choose((-1, 0, 0, 1)) * MICROSECOND

    def maybe(self, share: float) -> datetime | None:
        """Draw an instant with the given probability."""
        return self.instant() if self.draw.random() < share else None

    def facts(self, part: str) -> Facts:
        """Draw one set of facts."""
        choose = self.draw.choice
        return Facts(
            part=part,
            plan=choose(self.plans),
            region=choose(self.regions),
            age=choose(self.ages),
            signed_in=choose((None, True, True, False)),
            role=choose(self.roles),
            surface=choose((None, *get_args(Surface))),
            mode=choose((None, *get_args(Mode), "normal", "normal")),
            data=choose((None, *get_args(DataClass), "text", "text", "text")),
            origin=choose((None, *get_args(Origin), "person", "person")),
            created_at=self.maybe(0.9),
            last_turn_at=self.maybe(0.9),
            recorded_at=self.maybe(0.8),
            deleted_at=self.maybe(0.3),
            account_closed_at=self.maybe(0.15),
            moved_to_business_at=self.maybe(0.1),
            flagged_at=self.maybe(0.3),
            flag_reversed_at=self.maybe(0.15),
            reviewed_at=self.maybe(0.15),
            feedback_at=self.maybe(0.15),
            acknowledged_at=self.maybe(0.2),
            user_duration=choose(self.picks),
            choices=self.choices(),
            holds=self.holds(),
        )

    def choices(self) -> tuple[ChoiceAct, ...]:
        """Draw up to five acts, some at equal instants."""
        acts = []
        for _ in range(self.draw.choice((0, 1, 1, 2, 3, 5))):
            act = self.draw.choice((*ACTS, "allow", "allow"))
            when = self.draw.choice(acts).at if acts and self.draw.random() < 0.15 else self.instant()
            acts.append(ChoiceAct(self.draw.choice(self.purposes), act, when))
        return tuple(sorted(acts, key=choice_order))

    def holds(self) -> tuple[HoldSpan, ...]:
        """Draw up to two holds, standing or released."""
        spans = []
        for _ in range(self.draw.choice((0, 0, 0, 0, 1, 2))):
            start, end = sorted((self.instant(), self.instant()))
            spans.append(HoldSpan(start, end if self.draw.random() < 0.6 else None))
        return tuple(sorted(spans, key=lambda span: span.start))


def _durations(policy: Policy) -> set[Duration]:
    found: set[Duration | None] = set()
    for grant in policy.grants:
        found |= {grant.use_for.default, grant.erase_after, *grant.use_for.picks.values()}
    for cap in (*policy.caps, policy.withdrawal):
        found |= {cap.use_after, cap.erase_after}
    return {length for length in found if length is not None}


def _before(at: datetime, length: Duration) -> list[datetime]:
    """Find instants to which adding `length` gives `at` or, at month ends, comes near it."""
    month = at.month - 1 - length.months
    year, month = at.year + month // 12, month % 12 + 1
    days = timedelta(days=length.days, seconds=length.seconds)
    found = []
    for day in {at.day, 28, 29, 30, 31}:
        try:
            found.append(at.replace(year=year, month=month, day=day) - days)
        except ValueError:  # this month has no such day
            continue
    return found
