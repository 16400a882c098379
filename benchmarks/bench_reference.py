"""Reference evaluator: whole decisions a second, one part after another, against two peers on the same facts.

All decide 20,000 everyday parts under `anthropic/2025-10-08`. The peers answer less: Cedar (its engine in Rust, the
policies parsed once) and a function written by hand only say whether a part may train now; `decide` also finds every
end, gap and reason. The function by hand is what Python can do at most. All three must agree on every part first.
"""

from __future__ import annotations

import json
import random
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cedarpy import PolicySet, is_authorized

from assent.domain.facts import ChoiceAct, Facts, HoldSpan
from assent.policy.decide import decide
from assent.policy.parse import parse_policy
from benchmarks.board.rounds import grown, in_turn, setting, thirds
from benchmarks.board.values import Figure, Headline, Result, Words

if TYPE_CHECKING:
    from collections.abc import Callable

PARTS = setting("PARTS", 20_000, small=640)
ROUNDS = setting("ROUNDS", 5, small=2)
AT = datetime(2026, 6, 1, tzinfo=UTC)
POLICY = Path(__file__).parents[1] / "policies/anthropic/2025-10-08.toml"
CONSUMER = ("free", "pro", "max")
BUSINESS = ("team", "enterprise", "api")
CEDAR = """
permit(principal, action == Action::"cut", resource)
when { context has plan && ["free", "pro", "max"].contains(context.plan) }
when { context has data && ["text", "voice", "image", "file"].contains(context.data) }
when { context.allowed && context.running }
unless { context.held };
forbid(principal, action == Action::"cut", resource) unless { context has mode && context.mode != "private" };
forbid(principal, action == Action::"cut", resource) unless { context has origin && context.origin != "connector" };
forbid(principal, action == Action::"cut", resource) unless { context has age && context.age >= 18 };
"""


def everyday(number: int, draw: random.Random) -> Facts:
    """Draw one part as a chat store holds them: nearly all facts known, most people asked, few events."""

    def sometimes(share: float, start: datetime, days: float) -> datetime | None:
        return start + timedelta(days=days * draw.random()) if draw.random() < share else None

    created = datetime(2025, 6, 1, tzinfo=UTC) + timedelta(seconds=draw.randrange(28_000_000))
    last = min(created + timedelta(seconds=draw.choice((30, 4_000, 900_000))), AT)
    asked = datetime(2025, 8, 28, tzinfo=UTC) + timedelta(seconds=draw.randrange(9_000_000))
    acts = [ChoiceAct("training", draw.choice(("allow", "allow", "allow", "decline")), asked)]
    acts += [ChoiceAct("training", "withdraw", asked + timedelta(days=60))] if draw.random() < 0.15 else []
    return Facts(
        str(number),
        plan=draw.choice(BUSINESS) if draw.random() < 0.1 else draw.choice(CONSUMER),
        region=draw.choice(("DE", "US", "IN", "BR")),
        age=None if draw.random() < 0.02 else draw.randrange(16, 80),
        signed_in=True,
        surface=draw.choice(("chat", "chat", "coding")),
        mode="private" if draw.random() < 0.03 else "normal",
        data=draw.choice(("text", "text", "text", "file")),
        origin=draw.choice(("person", "person", "model", "model", "connector")),
        created_at=created,
        last_turn_at=last,
        recorded_at=created,
        deleted_at=sometimes(0.05, last, 90),
        account_closed_at=sometimes(0.01, last, 90),
        flagged_at=sometimes(0.01, created, 10),
        feedback_at=sometimes(0.03, created, 1),
        choices=tuple(acts) if draw.random() < 0.9 else (),
        holds=(HoldSpan(created),) if draw.random() < 0.001 else (),
    )


def trains(facts: Facts, at: datetime) -> bool:
    """Say by hand whether a part may train: the same rule as the policy's, for whole facts without reversals."""
    last = facts.last_turn_at
    if (
        facts.plan not in CONSUMER
        or facts.data not in ("text", "voice", "image", "file")
        or facts.mode is None
        or facts.mode == "private"
        or facts.origin is None
        or facts.origin == "connector"
        or facts.age is None
        or facts.age < 18
        or last is None
        or at >= last.replace(year=last.year + 5)
    ):
        return False
    for event in (facts.deleted_at, facts.account_closed_at):
        if event is not None and event <= at:
            return False
    for hold in facts.holds:
        if hold.start <= at and (hold.released_at is None or hold.released_at > at):
            return False
    allowed = False
    for act in facts.choices:
        if act.at > at or act.purpose != "training":
            continue
        if act.at <= last:
            allowed = act.act == "allow"
        elif act.act != "allow":
            return False
    return allowed


def request(facts: Facts) -> dict[str, str]:
    """Lay a part out as a Cedar request; its standing and term are worked out beforehand and not timed."""
    attributes = {key: getattr(facts, key) for key in ("plan", "data", "mode", "origin", "age")}
    known = {key: value for key, value in attributes.items() if value is not None}
    plain = Facts("p", plan="pro", data="text", mode="normal", origin="person", age=30, last_turn_at=AT)
    stands = trains(_with(plain, choices=facts.choices, last_turn_at=facts.last_turn_at), AT)
    ended = any(event is not None and event <= AT for event in (facts.deleted_at, facts.account_closed_at))
    known |= {"allowed": stands, "running": not ended, "held": bool(facts.holds)}
    return {
        "principal": 'Cut::"c"',
        "action": 'Action::"cut"',
        "resource": 'Part::"p"',
        "context": json.dumps(known),
    }


def _with(facts: Facts, **changed: object) -> Facts:
    values = {name: getattr(facts, name) for name in Facts.__slots__} | changed
    return Facts(**values)  # type: ignore[arg-type]


def measure() -> Result:
    """Check that all agree, then time them in turn."""
    policy = parse_policy(POLICY.read_text(encoding="utf-8"), POLICY.name)
    draw = random.Random(2026)
    facts = [everyday(number, draw) for number in range(PARTS)]
    requests = [request(fact) for fact in facts]
    policies = PolicySet.from_str(CEDAR)

    def reference(count: int = PARTS) -> list[bool]:
        return ["training" in decide(fact, policy, AT).eligible for fact in facts[:count]]

    sides: dict[str, Callable[[], list[bool]]] = {
        "reference": reference,
        "cedar": lambda: [is_authorized(one, policies, "[]").allowed for one in requests],
        "by hand": lambda: [trains(fact, AT) for fact in facts],
    }
    answers = {name: side() for name, side in sides.items()}
    wrong = [name for name in sides if answers[name] != answers["by hand"]]
    if wrong:
        sys.exit(f"{' and '.join(wrong)} disagree with the function by hand")
    times = in_turn(sides, ROUNDS)
    shown = {"reference": "reference, with dates, gaps and reasons in words", "cedar": "Cedar, permit or forbid only",
             "by hand": "one Python function, no reasons"}  # fmt: skip
    return Result(
        figures=tuple(Figure(title, times.rate(name, PARTS), "decisions a second") for name, title in shown.items()),
        ratios=(
            Figure("against Cedar, permit or forbid only", times.against("reference", "cedar")),
            Figure("against one Python function, no reasons", times.against("reference", "by hand")),
        ),
        growth=(grown("the reference", {n: partial(reference, n) for n in thirds(PARTS)}, ROUNDS, of="parts"),),
        notes=(f"Of {PARTS:,} parts {sum(answers['by hand']):,} may train.",),
    )


HEADLINE = Headline(
    Words(
        title="Reference evaluator",
        work=(
            f"{PARTS:,} everyday parts, one after another on one thread, `anthropic/2025-10-08`. All three must "
            "agree on every part whether it may train."
        ),
        peer="Cedar (its engine in Rust, the policies parsed once), and the same rule as one Python function",
        remarks=("The peers answer less: only whether a part may train now.",),
    ),
    measure,
    uses=("cedarpy",),
)
