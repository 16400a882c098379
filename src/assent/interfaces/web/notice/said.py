"""What holds and what would hold, said in the person's language: standings, examples, locks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from assent.domain.errors import Invalid, NotFound, Refused
from assent.domain.instants import parse_instant
from assent.interfaces.web.catalogue import LOCALES, words
from assent.services.campaign.acts import course_of
from assent.services.campaign.offer import person_of
from assent.services.campaign.show import manifest_of, policy_of
from assent.services.choose.examples import LOOKED_AT, examples_of, preview_of
from assent.services.choose.lock import lock_of
from assent.services.choose.shelf import newest_notice
from assent.services.choose.standing import Standing, policy_today, standings
from assent.services.notice import purposes_asked
from assent.services.notice.wording import facts_for, worded
from assent.store.records import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from assent.interfaces.web.catalogue import Words
    from assent.interfaces.web.visit import Visit
    from assent.policy.model import Policy
    from assent.services.choose.examples import Piece
    from assent.services.choose.lock import Lock
    from assent.services.notice.parse import Manifest
    from assent.services.notice.wording import Question
    from assent.store.records import Choice

REMIND_AFTER: Final = timedelta(days=7)
"""When a person is shown their answer again, once (requirements of a notice, 5.1)."""
REMIND_UNTIL: Final = timedelta(days=28)
"""From then on an answer is old, and showing it again would be nagging."""


class Said(NamedTuple):
    """One purpose in one language: the notice's own sentences, and the words of the pages around it."""

    purpose: str
    question: Question
    words: Words

    def use(self, status: str, source: str) -> str:
        """Say whether the data is used, in the sentence of the notice: `Use for training models: no.`."""
        side = "allow" if status == "allowed" or (source == "default" and status != "declined") else "decline"
        return next(line.text for section in self.question.sections if section.id == side for line in section.lines)

    def line(self, slot: str) -> str:
        """Return one sentence of the notice by its slot."""
        return next(line.text for section in self.question.sections for line in section.lines if line.slot == slot)

    def heading(self, section: str) -> str:
        """Return the heading of a section of the notice."""
        return next(one.heading for one in self.question.sections if one.id == section)


class Dates(NamedTuple):
    """When a message of today would be erased, by answer: headings of the notice, and a day."""

    title: str
    rows: list[tuple[str, str]]


def versions(visit: Visit) -> list[Policy]:
    """Return the policies of this home, ordered by date."""
    return [policy for policy, _ in visit.world.policies]


def purpose_of(visit: Visit, asked: Mapping[str, str]) -> str:
    """Return the purpose that is asked for, or the only or first one that the policy in force asks for."""
    today = policy_today(visit.world.store, versions(visit), visit.subject, visit.now)
    known = purposes_asked([today])
    wanted = asked.get("purpose", "")
    if wanted and wanted not in known:
        raise Invalid("the policy in force does not ask for this purpose", f"use one of {', '.join(known)}")
    return wanted or ("training" if "training" in known else known[0] if known else "training")


def locale_of(visit: Visit, manifest: Manifest, wanted: str) -> str:
    """Pick the language of the notice: the one wanted or its language, the browser's, else the notice's first."""
    for tag in (wanted, visit.locale):
        for one in (tag, tag.partition("-")[0].lower()):
            if one in manifest.locales:
                return one
    return manifest.locales[0]


def notice_locale(visit: Visit, purpose: str, campaign: str, wanted: str) -> str:
    """Pick the language in which a question is asked."""
    store = visit.world.store
    if campaign:
        return locale_of(visit, manifest_of(store, course_of(store, campaign).notice), wanted)
    today = policy_today(store, versions(visit), visit.subject, visit.now)
    return locale_of(visit, manifest_of(store, newest_notice(store, today.name, purpose).digest), wanted)


def said_in(visit: Visit, purpose: str, wanted: str, deadline: datetime | None = None) -> Said:
    """Word one purpose for the person, by the newest notice for the policy in force; None: the policy's deadline."""
    store = visit.world.store
    today = policy_today(store, versions(visit), visit.subject, visit.now)
    manifest = manifest_of(store, newest_notice(store, today.name, purpose).digest)
    locale = locale_of(visit, manifest, wanted)
    facts = facts_for(manifest, policy_of(store, today.digest), purpose)
    question = worded(manifest, replace(facts, deadline=deadline or facts.deadline), locale=locale)
    return Said(purpose, question, page_words(locale))


def page_words(locale: str) -> Words:
    """Return the words around a notice in its language; English where the pages do not have it."""
    language = locale.partition("-")[0]
    return words(language if language in LOCALES else "en")


def standing_of(visit: Visit, purpose: str) -> Standing:
    """Return what holds for everything of the person."""
    found = standings(visit.world.store, versions(visit), visit.subject, visit.now)
    wide = (one for one in found if one.purpose == purpose and one.scope == "everything")
    return next(wide, Standing(purpose, "everything", None, "unasked", "none"))


def since(standing: Standing, of: Words) -> str:
    """Say on whose word a standing rests, and since when."""
    if standing.status in ("unasked", "asked", "deferred") and standing.source == "none":
        return str(of.text("notice.by_nobody"))
    key = "lapsed" if standing.status == "lapsed" else standing.source.replace(" ", "_")
    return str(of.text(f"notice.by_{key}", date=of.day(standing.since) if standing.since else ""))


def examples(visit: Visit, said: Said) -> tuple[list[str], Dates]:
    """Say what would be covered today, and when a message of today would be erased: from the person's own account."""
    found = examples_of(visit.world.store, versions(visit), visit.subject, said.purpose, visit.now)
    lines = [said.words.text("notice.open_chats", n=found.open), said.words.text("notice.old_chats", n=found.old)]
    if found.looked_at < found.conversations:
        lines.append(said.words.text("notice.looked_at", looked=LOOKED_AT, total=found.conversations))
    ends = {"decline": found.if_declined, "allow": found.if_allowed}
    rows = [(said.heading(side), said.words.day(end)) for side, end in ends.items() if end is not None]
    return [str(line) for line in lines], Dates(str(said.words.text("notice.dates_title")) if rows else "", rows)


def left(visit: Visit, made: Choice) -> str:
    """Say how often a question of a campaign can still be put off; no letters after any other act."""
    if made.act != "defer" or not made.campaign:
        return ""
    store = visit.world.store
    course = course_of(store, made.campaign)
    person = person_of(store, course, visit.subject, made.purpose, now=visit.now)
    count = max(0, course.campaign.max_defers - max(person.defers, person.showings))
    return str(page_words(made.locale).text("notice.left", n=count))


def preview(visit: Visit) -> list[Piece]:
    """Show one message with personal data replaced; empty if there is none, or nothing here can replace it."""
    store, key = visit.world.store, visit.world.new_key()
    try:
        return preview_of(store, versions(visit), visit.subject, visit.now, key=key)
    except Refused:  # the libraries that redact are an extra
        return []


def lock(visit: Visit, said: Said, conversation: str) -> Lock:
    """Look at one conversation of the person."""
    store = visit.world.store
    return lock_of(store, versions(visit), visit.subject, conversation, said.purpose, visit.now)


def reasons(found: Lock, said: Said) -> list[str]:
    """Say why a conversation counts or not."""
    key = f"notice.why_{found.why.replace(' ', '_')}"
    return [str(said.words.text(key)), *(f"{rule}." for rule in found.rules)]


def erased(found: Lock, said: Said) -> str:
    """Say when a conversation is erased."""
    if found.held:
        return str(said.words.text("notice.erased_held"))
    if found.erase_by is None:
        return str(said.words.text("notice.erased_never"))
    return str(said.words.text("notice.erased", date=said.words.day(found.erase_by)))


def due_reminder(visit: Visit, standing: Standing) -> Choice | None:
    """Return the person's own answer if it is to be shown again now; it is shown in one sitting, and then no more."""
    choice = visit.world.store.choice(standing.choice) if standing.choice else None
    if choice is None or standing.source not in ("person", "guardian"):
        return None
    if not choice.at + REMIND_AFTER <= visit.now < choice.at + REMIND_UNTIL:
        return None
    known = visit.world.store.figure(_reminded(choice))
    began = visit.session.began_at if visit.session else visit.now
    if known is not None and parse_instant(known.document.strip('"')) != began:
        return None
    return choice


def note_reminder(visit: Visit, choice: Choice) -> None:
    """Write down that an answer was shown again, in this sitting."""
    began = visit.session.began_at if visit.session else visit.now
    visit.world.store.keep_figure(Figure(_reminded(choice), visit.now, f'"{began.isoformat()}"'))


def own_choice(visit: Visit, choice: str) -> Choice:
    """Return one act of the person. Raises `NotFound` for anybody else's."""
    found = visit.world.store.choice(choice)
    if found is None or found.subject != visit.subject:
        raise NotFound("there is no such answer of yours", "look at the list of your answers")
    return found


def _reminded(choice: Choice) -> str:
    return f"reminded of {choice.id}"
