"""Put a question to one person: what may be asked now, drawn exactly as it will be shown, and signed.

Within a campaign the campaign says whether, what and how; without one, the shelf's newest
notice for the policy in force is drawn, as a settings page does it at any time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from assent.domain.errors import Invalid, Refused
from assent.policy.parse import parse_document
from assent.services.campaign.acts import Keeping, course_of
from assent.services.campaign.offer import NotAsked, Offer, offer, record_prompts
from assent.services.campaign.show import manifest_of, order_of, policy_of, shown
from assent.services.choose.desk import PERSON
from assent.services.choose.shelf import newest_notice
from assent.services.choose.snapshot import Showing, SnapshotStore, open_snapshot, serve
from assent.services.choose.standing import acts_at, acts_of, policy_today, standing_before
from assent.services.notice.parse import parse_manifest
from assent.services.notice.render import orders
from assent.services.notice.terms import terms_of
from assent.store.port import Prompts
from assent.store.records import PolicyText, Prompt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assent.domain.facts import Act, Scope
    from assent.policy.model import Policy
    from assent.services.choose.desk import Desk
    from assent.services.choose.snapshot import Served
    from assent.store.records import NoticeText, Rendering


class AskStore(SnapshotStore, Keeping, Prompts, Protocol):
    """What asking asks of a store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whom to ask, for what, and where it will be shown.

    `surface`, `locale` and `layout` are words of the notice; `layout` "" is its first. `notice` is a digest, "" the
    newest. In a campaign the campaign says the purpose, notice and layout: they stay empty, or `purpose` is the one
    that it asks for next. `target` is a conversation's id or a `project_target`. `also` are acts that can be taken
    there beside those that the text offers.
    """

    subject: str
    surface: str
    locale: str
    client: str
    interactive: bool
    purpose: str = ""
    scope: Scope = "everything"
    target: str | None = None
    guardian: str = ""
    campaign: str = ""
    notice: str = ""
    layout: str = ""
    role: str = PERSON
    also: tuple[Act, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What to show, byte for byte, and the token to quote with the answer. `offer` says more where a campaign asks."""

    rendering: Rendering
    served: Served
    offer: Offer | None = None


class Moment(NamedTuple):
    """When a question is asked: the instant, a fresh id for its snapshot, and chance, drawn evenly from [0, 1)."""

    now: datetime
    snapshot_id: str
    chance: float


def ask(
    store: AskStore, desk: Desk, wanted: Wanted, *, policies: Sequence[tuple[Policy, str]], moment: Moment
) -> Question | NotAsked:
    """Draw and sign a question; a campaign's is written down as shown.

    `policies` pairs versions with their text, ordered by date. Chance orders the answers. Raises
    `NotFound` where there is no such notice, campaign or conversation, `Invalid` for what the notice does not have,
    `Refused` for what the campaign does not ask.
    """
    if wanted.campaign:
        return _in_campaign(store, desk, wanted, policies, moment)
    today = policy_today(store, [policy for policy, _ in policies], wanted.subject, moment.now)
    if store.policy(today.digest) is None:
        text = next(text for policy, text in policies if policy.digest == today.digest)
        store.add_policy(PolicyText(today.digest, today.name, text, moment.now))
    notice = newest_notice(store, today.name, wanted.purpose, wanted.notice)
    manifest, document = manifest_of(store, notice.digest), policy_of(store, today.digest)
    ways = orders(manifest, document)
    drawn = Offer(
        campaign="",
        notice=notice.digest,
        policy=today.digest,
        purpose=wanted.purpose,
        layout=wanted.layout or manifest.header.layouts[0],
        options=ways[int(moment.chance * len(ways))],
        defers_left=document.parameters.max_defers,
        deadline=document.parameters.answer_deadline or moment.now,
    )
    return _put(store, desk, wanted, drawn, policies, moment)


def _in_campaign(
    store: AskStore, desk: Desk, wanted: Wanted, policies: Sequence[tuple[Policy, str]], moment: Moment
) -> Question | NotAsked:
    if wanted.scope != "everything":
        raise Invalid("a campaign asks about everything", "leave `scope` and `target` out, or ask without the campaign")
    if wanted.notice or wanted.layout:
        raise Invalid("the campaign says which notice and layout are shown", "leave `notice` and `layout` out")
    course = course_of(store, wanted.campaign)
    found = offer(
        store,
        course,
        wanted.subject,
        now=moment.now,
        chance=moment.chance,
        order=order_of(store, course),
        adult_age=desk.adult_age,
    )
    if isinstance(found, NotAsked):
        return found
    if wanted.purpose not in ("", found.purpose):
        raise Refused(f"the campaign asks for `{found.purpose}` next", "leave `purpose` out, or name that one")
    question = _put(store, desk, wanted, found, policies, moment)
    shown_now = Prompt(
        campaign=found.campaign,
        subject=wanted.subject,
        purpose=found.purpose,
        at=moment.now,
        kind="shown",
        layout=question.rendering.layout,
        client=wanted.client,
        surface=question.rendering.surface,
        locale=question.rendering.locale,
        rendering=question.rendering.digest,
        snapshot=open_snapshot(question.served.token, desk).digest,
    )
    record_prompts(store, course, [shown_now])
    return question


def _put(
    store: AskStore,
    desk: Desk,
    wanted: Wanted,
    drawn: Offer,
    policies: Sequence[tuple[Policy, str]],
    moment: Moment,
) -> Question:
    """Draw the question, keep what was drawn, and sign it."""
    rendering = shown(store, drawn, surface=wanted.surface, locale=wanted.locale, now=moment.now)
    notice, policy = store.notice(drawn.notice), store.policy(drawn.policy)
    assert notice is not None and policy is not None  # noqa: S101, PT018 - it was drawn from them
    acts = acts_at(store, acts_of(store, wanted.subject), wanted.scope, wanted.target)
    # every question says where it is taken back; it can be, wherever something was allowed
    takes_back = not drawn.campaign and standing_before(acts, drawn.purpose) == "allowed"
    further = ("withdraw", *wanted.also) if takes_back else wanted.also
    showing = Showing(
        subject=wanted.subject,
        purpose=drawn.purpose,
        rendering=rendering.digest,
        policy=drawn.policy,
        client=wanted.client,
        interactive=wanted.interactive,
        role=wanted.role,
        scope=wanted.scope,
        target=wanted.target,
        terms=_terms(notice, policy, drawn.purpose, wanted.locale),
        campaign=drawn.campaign,
        guardian=wanted.guardian,
        options=cast("tuple[Act, ...]", tuple(dict.fromkeys((*rendering.options, *further)))) if further else None,
    )
    versions = [policy for policy, _ in policies]
    served = serve(store, desk, showing, policies=versions, snapshot_id=moment.snapshot_id, now=moment.now)
    return Question(rendering, served, drawn if drawn.campaign else None)


@lru_cache(maxsize=256)
def _terms(notice: NoticeText, policy: PolicyText, purpose: str, locale: str) -> str:
    manifest, document = parse_manifest(notice.document, notice.name), parse_document(policy.text, policy.name)
    return terms_of(manifest, document, purpose, locale).digest
