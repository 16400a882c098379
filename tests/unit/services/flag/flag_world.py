"""A provider whose policy lets safety read what people allowed for it, and what is flagged: shortly until reviewed."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.unit.services.cut_world import NOW, TURN, World, small

from assent.policy.model import Policy

DAY = timedelta(days=1)

SAFETY_PURPOSE = (
    'training = { says = "training models", cut = true }\n',
    'training = { says = "training models", cut = true }\nsafety = { says = "keeping people safe", cut = true }\n',
)

RULES = '''[[grant]]
id = "safety"
says = "Chats that you allow for safety are kept up to 1 year"
source = "terms"
class = "choice"
purpose = "safety"
when = { plan = ["consumer"], data = { not = ["score"] } }
anchor = "last turn"
use_for = "P1Y"
bound = "up to"
erase_after = "at once"
choice = { purpose = "safety", needs = "allowed" }

[[exception]]
id = "flagged"
says = "What was flagged is kept for 30 days, until somebody has looked at it"
source = "terms"
class = "safety exception"
purpose = "safety"
when = { plan = ["consumer"] }
anchor = "flagged"
use_for = "P30D"
bound = "up to"
erase_after = "at once"
ignores = ["deleted"]

[[exception]]
id = "upheld"
says = "What was flagged, and somebody upheld it, is kept up to 2 years"
source = "terms"
class = "safety exception"
purpose = "safety"
when = { plan = ["consumer"] }
anchor = "reviewed"
use_for = "P2Y"
bound = "up to"
erase_after = "at once"
ignores = ["deleted"]

[[exception]]
id = "thumbs"'''


def policy() -> Policy:
    return small(SAFETY_PURPOSE, ('[[exception]]\nid = "thumbs"', RULES))


def allow(world: World, subject: str, *, at: datetime = TURN - 5 * DAY, plan: str = "pro") -> None:
    """A person on a plan who allowed the use for safety before they said anything."""
    world.person(subject, plan=plan)
    world.choose(subject, "allow", at, purpose="safety")


__all__ = ["DAY", "NOW", "TURN", "World", "allow", "policy"]
