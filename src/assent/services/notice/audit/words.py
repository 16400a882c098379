"""What a page says: terms in the same click (R06), negations (R09), hurry (R10), praise (R11), facts (R12).

Fixed rules over word lists, as in the lint of manifests: a rule looks for words, never for meaning.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assent.services.notice.audit.answers import roles_of
from assent.services.notice.audit.finding import Findings
from assent.services.notice.facts import FACTS
from assent.services.notice.lexicon import found, plain
from assent.services.notice.page_topics import CLAIMS, LENGTH_TOPICS
from assent.services.notice.sentences import quantities_in, sentences_of
from assent.services.notice.words import shipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assent.services.notice.audit.answers import Roles
    from assent.services.notice.audit.finding import AuditFinding
    from assent.services.notice.audit.measured import Region, Visited
    from assent.services.notice.sentences import Sentence
    from assent.services.notice.words import Lexicon

_RESUMES: Final = next(claim.looks_like for claim in CLAIMS if claim.about == "resumed chats")
_STATED: Final = {
    "who_asks": r"\b(?:may|can|should|let|allow|permit)\s+(?!(?:we|us|models?|the|your|you|my|our|people|staff)\b)\w+"
    r"|\b(?:we|us|our)\b",
    "data_kinds": r"\b(?:chats?|conversations?|messages?|prompts?|coding sessions?|voice|images?|files?)\b",
    "purposes": r"\btrain|\bimprov\w* (?:our |the |its )?(?:\w+ )?(?:models?|ai)\b",
    "exceptions": rf"(?=.*(?:{LENGTH_TOPICS['flagged']}|{LENGTH_TOPICS['feedback']}|\blaw\b))"
    rf"(?=.*(?:{LENGTH_TOPICS['kept']}|\brequire))",
    "resume": rf"{_RESUMES}|(?=.*\b(?:resum|continu|reopen)\w*)(?=.*\b(?:chats?|conversations?)\b)",
    "withdrawal": LENGTH_TOPICS["withdrawal"],
    "no_answer": r"\bno answer\b|\bnot answer|\bdo(?:es)? nothing\b|(?:do not|don't) (?:choose|answer|respond|reply)"
    r"|\bignor|\buntil you (?:choose|answer|decide)|\byou must choose\b",
    "review": rf"{LENGTH_TOPICS['reviewed']}"
    r"|\b(?:staff|people|person|humans?|employees|nobody)\b.*\b(?:read|see|review)",
    "recipients": r"\bshar\w* (?:\w+ ){0,3}with\b|\balso gets?\b|\brecipients?\b|\bthird part|\bproviders\b"
    r"|\bnobody else\b",
    "deadline": r"\bno date is set\b|\bno deadline\b",
}
_LENGTHS: Final = {"retention_declined": LENGTH_TOPICS["declined"], "retention_allowed": LENGTH_TOPICS["allowed"]}


def judge_words(visited: Visited) -> Iterator[AuditFinding]:
    """Judge the words of a page in one window."""
    told = Findings(visited.viewport)
    where = visited.region.where
    roles = roles_of(visited.later)
    language = visited.later.language.casefold() or "en"
    for line in visited.counting:
        yield told.error("R10", f"`{line.strip()[:80]}` counts while nothing is done", "no countdown", where)
    words = shipped(language)
    said = _sentences(visited.region)
    if words is None:
        for requirement, what in (("R06", "bundled terms"), ("R09", "negations"), ("R10", "hurry"), ("R11", "praise")):
            measured = f"not looked at for {what}: assent has no word list for `{language}`"
            yield told.unchecked(requirement, measured, "have a person who speaks it read the page", where)
    else:
        yield from _bundled(told, visited, roles, said, words.lexicon)
        yield from _negated(told, visited, roles, words.lexicon)
        yield from _hurried(told, visited, words.lexicon)
        yield from _praised(told, visited, roles, said, words.lexicon)
    yield from _stated(told, visited, said, language)


def _sentences(region: Region) -> list[Sentence]:
    """Split what is visible into sentences, each under its heading: what is hidden is said to nobody."""
    lines = (f"# {line}" if line.strip() in region.headings else line for line in region.text.splitlines())
    return sentences_of("\n\n".join(lines))


def _bundled(
    told: Findings, visited: Visited, roles: Roles, said: list[Sentence], lexicon: Lexicon
) -> Iterator[AuditFinding]:
    """R06: neither the label that allows nor a sentence beside it accepts terms in the same act."""
    label = roles.allow.label if roles.allow else ""
    heads = [f"{heading} {label}" for heading in visited.region.headings[:1]] or [label]
    texts = [*heads, *(sentence.text for sentence in said if not found(sentence.text, lexicon.negations))]
    for text in texts:
        named = list(dict.fromkeys(found(text, lexicon.terms)))
        if len(named) > 1:
            quoted = " and ".join(f"`{name}`" for name in named)
            measured = f"the choice speaks of {quoted}: `{text.strip()[:100]}`"
            yield told.error("R06", measured, "terms are another screen", visited.region.where)
            return


def _negated(told: Findings, visited: Visited, roles: Roles, lexicon: Lexicon) -> Iterator[AuditFinding]:
    """R09: a label or the question turns its meaning once at most."""
    labelled = [control for control in (roles.allow, roles.decline, roles.defer, *roles.switches) if control]
    texts = [(control.label, control.where) for control in labelled]
    texts += [(heading, visited.region.where) for heading in visited.region.headings[:1]]
    for text, where in texts:
        named = found(text, lexicon.negations)
        if len(named) > 1:
            quoted = " and ".join(f"`{name}`" for name in named)
            yield told.error("R09", f"{quoted} in `{text[:80]}`", "one negation at most", where)


def _hurried(told: Findings, visited: Visited, lexicon: Lexicon) -> Iterator[AuditFinding]:
    """R10: nothing hurries but the true date."""
    if named := list(dict.fromkeys(found(visited.region.text, lexicon.urgency))):
        quoted = ", ".join(f"`{name}`" for name in named)
        yield told.error("R10", f"hurries: {quoted}", "the date of the deadline, and no more", visited.region.where)


def _praised(
    told: Findings, visited: Visited, roles: Roles, said: list[Sentence], lexicon: Lexicon
) -> Iterator[AuditFinding]:
    """R11: praise on neither side, or on both alike; what does not speak of declining speaks for allowing."""
    declined = re.compile(LENGTH_TOPICS["declined"])
    labels = [control.label for control in (roles.decline, roles.defer) if control]
    against = [s.text for s in said if declined.search(plain(s.text)) or declined.search(plain(s.heading))]
    against = [*against, *(label for label in labels if label not in against)]
    here = [word for s in said if s.text not in against for word in found(s.text, lexicon.emotive)]
    there = [word for text in against for word in found(text, lexicon.emotive)]
    if not here and not there:
        return
    score = len(here) - len(there)
    quoted = ", ".join(f"`{word}`" for word in dict.fromkeys([*here, *there]))
    measured = f"{quoted}: {len(here)} on the side of allowing, {len(there)} on that of declining"
    if score:
        yield told.error("R11", measured, "no praise, or as much on both sides", visited.region.where)
    else:
        yield told.warning("R11", measured, "what happens, without judging it", visited.region.where)


def _stated(told: Findings, visited: Visited, said: list[Sentence], language: str) -> Iterator[AuditFinding]:
    """R12: the twelve facts, as statements marked `data-fact` (spec/notice.md), else by fixed rules for English."""
    missing = [fact for fact in FACTS if not visited.region.marked.get(fact)]
    if missing and not language.startswith("en"):
        names = ", ".join(FACTS[fact] for fact in missing)
        measured = f"not looked for, as the page is in `{language}`: {names}"
        yield told.unchecked("R12", measured, "all twelve facts: read the page", visited.region.where)
        return
    missing = [fact for fact in missing if not _says(said, fact)]
    if missing:
        names = "; ".join(FACTS[fact] for fact in missing)
        yield told.error("R12", f"not found: {names}", "all twelve facts where the question is", visited.region.where)


def _says(said: list[Sentence], fact: str) -> bool:
    """Tell whether a sentence states a fact; a length belongs to the side that it or its heading speaks of."""
    if fact in _LENGTHS:
        lengths = [s for s in said if any(quantity.kind == "length" for quantity in quantities_in(s.text))]
        declined = [s for s in lengths if re.search(_LENGTHS["retention_declined"], plain(f"{s.heading} {s.text}"))]
        if fact == "retention_declined":
            return bool(declined)
        rest = [s for s in lengths if s not in declined or len(quantities_in(s.text)) > 1]
        return any(re.search(_LENGTHS[fact], plain(f"{s.heading} {s.text}")) for s in rest)
    if fact == "deadline" and any(quantity.kind == "date" for s in said for quantity in quantities_in(s.text)):
        return True
    return any(re.search(_STATED[fact], plain(s.text)) for s in said)
