"""Plant canaries: conversations of made-up people, one for each reason why data may not be used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol, get_args

from assent.domain.conversation import Conversation, Mode, Part
from assent.domain.digests import digest
from assent.domain.errors import Refused
from assent.domain.facts import ACTS, Act, ChoiceAct, Facts, HoldSpan
from assent.policy.versions import by_date, decide_versions, governing
from assent.services.canary.marks import PREFIX, text_of
from assent.services.reconcile.tracers import markers_of
from assent.store.port import Accounts, Intake, Reconciling
from assent.store.records import Account, Choice, Hold, Tracer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from assent.policy.model import Policy

Kind = Literal["declined", "withdrawn", "unanswered", "deleted", "expired", "held", "private", "business"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

SOURCE: Final = "canary"
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Story:
    """What happened to one made-up conversation. `acts` are what its person answered, for every purpose."""

    plan: str
    said_at: datetime
    acts: tuple[tuple[Act, datetime], ...]
    mode: Mode = "normal"
    deleted_at: datetime | None = None
    held: bool = False


class Seed(NamedTuple):
    """What chance gives to a canary: 32 hexadecimal digits for its name, 32 bytes for what it says."""

    id: str
    secret: bytes


@dataclass(frozen=True, slots=True)
class Ways:
    """How planting reaches the world: `enter` takes acts as people's are taken, `hold` places a legal hold."""

    enter: Callable[[Sequence[Choice]], object]
    hold: Callable[[Hold], object]


class PlantStore(Accounts, Intake, Reconciling, Protocol):
    """What planting asks of a store."""


class Planted(NamedTuple):
    """The canaries that stand now, and the kinds that these policies leave no room for."""

    canaries: tuple[Tracer, ...]
    left_out: tuple[Kind, ...]


def canaries(store: Reconciling) -> list[Tracer]:
    """Read all canaries, oldest first."""
    return [one for one in store.tracers() if one.conversation.startswith(PREFIX)]


class Garden:
    """Makes stories that end outside every cut, under the policies of a home."""

    def __init__(self, policies: Sequence[Policy], *, plan: str, region: str | None, now: datetime) -> None:
        """Take the people to be on `plan` in `region`, which the policies must let into a cut if they allow it."""
        self._policies = by_date(policies)
        self._region = region
        self._now = now
        self._plan = plan
        asked = {choice.purpose for policy in policies for grant in policy.grants for choice in grant.choices}
        self.purposes = sorted(asked)

    def stories(self) -> dict[Kind, Story]:
        """Tell one story for each reason, leaving out those after which the data could be used.

        Raises `Refused` if nothing of such a person could be used in any case: then nothing would be shown.
        """
        now, business = self._now, sorted({plan for policy in self._policies for plan in policy.business_plans})
        base = Story(self._plan, now - _DAY, (("allow", now - 2 * _DAY),))
        if not self.eligible(base):
            raise Refused(
                f"a person on plan `{self._plan}` who allows everything would be in no cut, so canaries show nothing",
                "name a plan that trains with --plan, and a region with --region if the policy asks for it",
            )
        told: dict[Kind, Story | None] = {
            "declined": replace(base, acts=(("decline", now - 2 * _DAY),)),
            "withdrawn": replace(base, acts=(*base.acts, ("withdraw", now - _HOUR))),
            "unanswered": replace(base, acts=()),
            "deleted": replace(base, deleted_at=now - _HOUR),
            "expired": self._expired(base),
            "held": replace(base, held=True),
            "private": replace(base, mode="private"),
            "business": replace(base, plan=business[0]) if business else None,
        }
        return {kind: story for kind, story in told.items() if story is not None and not self.eligible(story)}

    def eligible(self, story: Story) -> bool:
        """Tell whether the data of a story could be used for anything now."""
        facts = self._facts(story)
        return bool(decide_versions(facts, governing(self._policies, facts, self._now), self._now).eligible)

    def _expired(self, base: Story) -> Story | None:
        """Move a story so far back that its use ended an hour ago; None if use has no end."""
        facts = self._facts(base)
        decision = decide_versions(facts, governing(self._policies, facts, self._now), self._now)
        ends = [decision.use_until[purpose] for purpose in decision.eligible]
        known = [end for end in ends if end is not None]
        if len(known) < len(ends):
            return None
        back = max(known) - self._now + _HOUR
        return replace(base, said_at=base.said_at - back, acts=tuple((act, at - back) for act, at in base.acts))

    def _facts(self, story: Story) -> Facts:
        acts = [ChoiceAct(purpose, act, at) for act, at in story.acts for purpose in self.purposes]
        said = story.said_at
        return Facts(
            part="canary",
            subject="canary",
            conversation="canary",
            plan=story.plan,
            region=self._region,
            age=40,
            signed_in=True,
            surface="chat",
            mode=story.mode,
            data="text",
            origin="person",
            created_at=said,
            last_turn_at=said,
            recorded_at=self._now,
            deleted_at=story.deleted_at,
            choices=tuple(sorted(acts, key=lambda act: act.at)),
            holds=(HoldSpan(self._now),) if story.held else (),
        )

    def account(self, canary: Tracer, story: Story) -> Account:
        """Describe the made-up person."""
        return Account(canary.conversation, plan=story.plan, region=self._region, age=40, signed_in=True)


def plant(store: PlantStore, garden: Garden, seeds: Mapping[Kind, Seed], ways: Ways, *, now: datetime) -> Planted:
    """Take in a canary of every kind for which there is a story.

    No canary can be used at any moment in between: a hold stands before its person allows, a
    refusal before the conversation is there. Raises `Refused` as `Garden.stories` does.
    """
    stories = garden.stories()
    planted = []
    for kind, story in stories.items():
        canary = Tracer(f"{PREFIX}{kind}:{seeds[kind].id}", seeds[kind].secret, now)
        acts = _choices(canary, story, garden.purposes)
        store.plant([canary])
        store.put_accounts([garden.account(canary, story)])
        if story.held:
            store.intake([_conversation(canary, story)], plan=story.plan, recorded_at=now)
            ways.hold(_hold(canary, now))
            ways.enter(acts)
        else:
            if acts:
                ways.enter(acts)
            store.intake([_conversation(canary, story)], plan=story.plan, recorded_at=now)
        planted.append(canary)
    return Planted(tuple(planted), tuple(kind for kind in seeds if kind not in stories))


def _choices(canary: Tracer, story: Story, purposes: Sequence[str]) -> list[Choice]:
    name = canary.conversation
    return [
        Choice(
            id=f"{name}:{act}:{purpose}",
            subject=name,
            purpose=purpose,
            act=act,
            at=at,
            notice=digest("nobody was shown anything: a canary answered"),
            surface="canary",
            recorded_by="canary",
            recorded_at=canary.planted_at,
            options=ACTS,
        )
        for act, at in story.acts
        for purpose in purposes
    ]


def _conversation(canary: Tracer, story: Story) -> Conversation:
    text, said = text_of(canary), story.said_at
    return Conversation(
        id=canary.conversation,
        source=SOURCE,
        subject=canary.conversation,
        title=f"canary {markers_of(canary)[1].decode()}",
        parts=(
            Part("1", "1", "user", "person", "text", text, said),
            Part("2", "2", "assistant", "model", "text", text, said),
        ),
        mode=story.mode,
        created_at=said,
        last_turn_at=said,
        deleted_at=story.deleted_at,
    )


def _hold(canary: Tracer, now: datetime) -> Hold:
    name = canary.conversation
    reason = "nobody asked for this: it shows that what is held enters no cut"
    return Hold(name, "canaries", "conversation", name, now, "assent canary", reason, now + timedelta(days=90))
