"""Asking and taking an answer, for the element and for the pages alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, cast

from assent.domain.errors import Invalid
from assent.domain.facts import Act, Scope
from assent.interfaces.web.notice import said as say
from assent.ledger.receipt import encode_receipt
from assent.services.campaign.acts import course_of
from assent.services.campaign.offer import record_prompts
from assent.services.choose.ask import Moment, Wanted, ask
from assent.services.choose.choose import Answer
from assent.services.choose.snapshot import MAX_TOKEN_CHARACTERS, open_snapshot
from assent.services.ledger.prove import prove
from assent.services.receipts.issue import receipt_of
from assent.services.receipts.shown import shown_terms
from assent.store.records import Prompt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assent.interfaces.web.visit import Visit
    from assent.services.campaign.offer import NotAsked
    from assent.services.choose.ask import Question
    from assent.services.choose.choose import Outcome

ANSWERS: Final = ("allow", "decline", "defer")
"""What can be answered; a permission is taken back by declining."""

MAX_NAME_CHARACTERS: Final = 200


def question(visit: Visit, asked: Mapping[str, str], *, surface: Literal["json", "fragment"]) -> Question | NotAsked:
    """Draw and sign the question that `asked` names.

    It says `purpose`, and `campaign`, `conversation` or `project` where it is about one; `locale`, `client`.
    """
    asked = {name: value[:MAX_NAME_CHARACTERS] for name, value in asked.items()}
    campaign = asked.get("campaign", "")
    scope, target = _place(asked)
    purpose = asked.get("purpose", "") if campaign else say.purpose_of(visit, asked)
    wanted = Wanted(
        subject=visit.subject,
        purpose=purpose,
        surface=surface,
        locale=say.notice_locale(visit, purpose, campaign, asked.get("locale", "")),
        client=asked.get("client", "") or "web",
        interactive=True,
        guardian=visit.guardian,
        campaign=campaign,
        scope=scope,
        target=target,
    )
    world = visit.world
    moment = Moment(visit.now, world.new_id(), world.chance())
    return ask(world.store, world.desk, wanted, policies=world.policies, moment=moment)


def _place(asked: Mapping[str, str]) -> tuple[Scope, str | None]:
    """Say what a question is about: one conversation, one project (a `project_target`), or everything."""
    for scope in ("conversation", "project"):
        if asked.get(scope):
            return scope, asked[scope]
    return "everything", None


def answer(visit: Visit) -> Outcome:
    """Take what the person pressed. Raises `Invalid` for no answer, `Rejected` for one that does not fit."""
    act, token = visit.form.get("act", ""), visit.form.get("token", "")
    if act not in ANSWERS or len(token) > MAX_TOKEN_CHARACTERS:
        raise Invalid("this is no answer", "press one of the buttons")
    scope, target = _place(visit.form)
    return visit.choose(
        Answer(
            subject=visit.subject,
            purpose=visit.form.get("purpose", ""),
            act=cast("Act", act),
            token=token,
            scope=scope,
            target=target,
            guardian=visit.guardian,
            explain=False,
        )
    )


def note_closed(visit: Visit) -> None:
    """Write into the log of a campaign that the question this token came with was closed. Raises `Rejected`."""
    quoted = open_snapshot(visit.form.get("token", ""), visit.world.desk)
    shown, store = quoted.snapshot, visit.world.store
    if not shown.campaign or shown.subject != visit.world.desk.identity.pseudonym(visit.subject):
        return
    made = Prompt(
        campaign=shown.campaign,
        subject=visit.subject,
        purpose=shown.purpose,
        at=visit.now,
        kind="closed",
        layout=shown.layout,
        client=shown.client,
        surface=shown.surface,
        locale=shown.locale,
        rendering=shown.rendering,
        snapshot=quoted.digest,
    )
    record_prompts(store, course_of(store, shown.campaign), [made])


def receipt(visit: Visit, choice: str) -> bytes:
    """Return the receipt of one of the person's answers, with a proof of today."""
    found = say.own_choice(visit, choice)
    proven = prove(visit.world.store, visit.world.log, found.id)
    return _bytes(encode_receipt(receipt_of(proven, shown_terms(visit.world.store, proven.choice))))


def _bytes(text: Any) -> bytes:
    return text if isinstance(text, bytes) else str(text).encode()
