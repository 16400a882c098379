"""Checks of the facts: the twelve of R12, the same on every surface (R15), feedback (R40), experiments (R52)."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

from assent.domain.durations import Duration
from assent.domain.errors import AssentError, Invalid
from assent.services.notice.document import OPEN
from assent.services.notice.extract import said_in
from assent.services.notice.facts import FACTS
from assent.services.notice.lexicon import durations_in, found, without_placeholders, years_in
from assent.services.notice.lints.finding import finding
from assent.services.notice.parse import named_in, texts_of
from assent.services.notice.render import orders, render
from assent.services.notice.wording import SLOTS, facts_for, values_of
from assent.services.notice.words import shipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from assent.policy.build import Path
    from assent.policy.document import Document
    from assent.services.notice.document import Party, Wording
    from assent.services.notice.facts import PolicyFacts
    from assent.services.notice.lints.finding import NoticeFinding
    from assent.services.notice.parse import Manifest

PLACEHOLDER_ENDS: Final = (".example", ".invalid", ".test", ".localhost")
"""Names that stand for no real address (RFC 2606): a generated manifest has them until a person fills them in."""


def facts_by_purpose(manifest: Manifest, policy: Document) -> tuple[dict[str, PolicyFacts], list[NoticeFinding]]:
    """Derive the facts of every purpose asked for, or say why that cannot be (R12)."""
    facts, findings = {}, []
    for number, purpose in enumerate(manifest.purposes):
        try:
            facts[purpose] = facts_for(manifest, policy, purpose)
        except Invalid as problem:
            wrong_policy = "speaks for" in problem.message
            path = ("notice", "policy") if wrong_policy else ("notice", "purposes", number)
            findings.append(finding("N-R12", path, problem.message, problem.fix))
            if wrong_policy:
                break
    return facts, findings


def every_fact_is_stated(manifest: Manifest, facts: Mapping[str, PolicyFacts]) -> Iterator[NoticeFinding]:
    """R12: who asks, each purpose by itself, and all other facts, with the values of the policy."""
    for locale, wording in manifest.document.locale.items():
        yield from _purposes(locale, wording, manifest.purposes)
        for slot, needs in SLOTS.items():
            path = ("locale", locale, "text")
            text = getattr(wording.text, slot)
            if text is None:
                if not needs.optional:
                    meaning = FACTS.get(needs.fact, needs.fact)
                    message = f"`{locale}` does not say {meaning} (`{slot}`)"
                    yield finding("N-R12", path, message, _add(slot, needs.needs))
                continue
            missing = [name for name in needs.needs if name not in named_in(text)]
            if missing:
                message = f"`{locale}`: `{slot}` leaves out {', '.join(f'`{{{name}}}`' for name in missing)}"
                yield finding("N-R12", (*path, slot), message, "put the placeholder in: its value is the policy's")
        yield from _exceptions(manifest, locale, wording, facts)
    yield from _controller(manifest)


def _add(slot: str, needs: tuple[str, ...]) -> str:
    return f'add `{slot} = "... {" ".join(f"{{{name}}}" for name in needs)}"`'


def _purposes(locale: str, wording: Wording, purposes: list[str]) -> Iterator[NoticeFinding]:
    for name in ("questions", "uses"):
        table = getattr(wording, name)
        path = ("locale", locale, name)
        for purpose in purposes:
            if purpose not in table:
                yield finding("N-R12", path, f"`{locale}` has no words for `{purpose}`", f'add `{purpose} = "..."`')
            elif name == "questions" and (lost := {"controller", "use"} - set(named_in(table[purpose]))):
                message = f"`{locale}`: the question does not say {' and '.join(f'`{{{n}}}`' for n in sorted(lost))}"
                yield finding("N-R12", (*path, purpose), message, "let the question say who asks, and what for")
    for one, other in combinations([p for p in purposes if p in wording.uses], 2):
        if wording.uses[one] == wording.uses[other]:
            message = f"`{locale}`: `{one}` and `{other}` are said in the same words"
            yield finding("N-R12", ("locale", locale, "uses", other), message, "say each purpose by itself")


def _exceptions(
    manifest: Manifest, locale: str, wording: Wording, facts: Mapping[str, PolicyFacts]
) -> Iterator[NoticeFinding]:
    known = {survivor.rule for fact in facts.values() for survivor in fact.survivors}
    for rule in wording.exceptions:
        if rule not in known:
            path = ("locale", locale, "exceptions", rule)
            message = f"`{locale}` names the exception `{rule}`, the policy has none"
            yield finding("N-R12", path, message, "remove it")
    for fact in facts.values():
        if fact.purpose in wording.uses:
            try:
                values_of(manifest, fact, locale)
            except Invalid as problem:
                yield finding("N-R12", ("locale", locale, "exceptions"), problem.message, problem.fix)


def _controller(manifest: Manifest) -> Iterator[NoticeFinding]:
    parties: list[tuple[Path, Party]] = [(("controller",), manifest.document.controller)]
    parties += [(("recipients", n), party) for n, party in enumerate(manifest.document.recipients)]
    for path, party in parties:
        for name in ("identifier", "contact", "address", "url", "email"):
            if any(end in getattr(party, name) for end in PLACEHOLDER_ENDS):
                message = f"`{name}` is an example, not an address"
                yield finding("N-R12", (*path, name), message, "write the real one", "warning")
    for name in ("jurisdictions", "storage_locations"):
        if OPEN in getattr(manifest.header, name):
            message = f"`{name}` is still {OPEN}"
            yield finding("N-R12", ("notice", name), message, "say where, as people know it", "warning")
    if any(end in manifest.header.policy_url for end in PLACEHOLDER_ENDS):
        message = "`policy_url` is an example, not an address"
        yield finding("N-R12", ("notice", "policy_url"), message, "write the real one", "warning")


def nothing_is_promised_twice(manifest: Manifest, facts: Mapping[str, PolicyFacts]) -> Iterator[NoticeFinding]:
    """R12: a length or date that is written out instead of taken from the policy; an error where the two differ."""
    years = {fact.deadline.year for fact in facts.values() if fact.deadline}
    for locale, wording in manifest.document.locale.items():
        words = shipped(locale)
        for below, text in texts_of(wording) if words else ():
            path, own = ("locale", locale, *below), without_placeholders(text)
            lengths = {length for fact in facts.values() for length in _lengths_at(fact, str(below[-1]))}
            for length in durations_in(own, words.lexicon) if words else ():
                yield _written_out(
                    path, f"`{locale}`: {length.words()}", "the placeholder of the fact", length in lengths
                )
            for year in years_in(own):
                yield _written_out(path, f"`{locale}`: the year {year}", "`{deadline}`", year in years)


def _lengths_at(fact: PolicyFacts, slot: str) -> Iterable[Duration]:
    """List the lengths that a sentence may mean: those of its own fact, or any where it states none with a length."""
    of_slot: dict[str, list[Duration | str | None]] = {
        "retention_allowed": [fact.allowed.length],
        "retention_declined": [fact.declined.length if fact.declined else None],
        "deletion": [fact.deletion],
        "withdrawal": [fact.withdrawal_retention],
        "exceptions": [survivor.kept.length for survivor in fact.survivors],
        "says": [fact.feedback.length if fact.feedback else None],
    }
    return [length for length in of_slot.get(slot, [*fact.lengths()]) if isinstance(length, Duration)]


def _written_out(path: Path, what: str, instead: str, same: bool) -> NoticeFinding:  # noqa: FBT001 - the one fact
    if same:
        return finding(
            "N-R12", path, f"{what} is written out", f"use {instead}, so that it follows the policy", "warning"
        )
    return finding("N-R12", path, f"{what} is written out, and the policy says otherwise", f"use {instead}")


def every_surface_says_the_same(manifest: Manifest, policy: Document, *, sound: bool) -> Iterator[NoticeFinding]:
    """R15: no surface leaves a fact out. `sound`: nothing else is wrong, so all of them are drawn and read back."""
    for number, omission in enumerate(manifest.document.omission):
        message = f"the surface `{omission.surface}` leaves out {', '.join(omission.facts)}"
        yield finding("N-R15", ("omission", number), message, "remove the omission: every surface states every fact")
    if manifest.document.omission or not sound:
        return
    for purpose in manifest.purposes:
        for locale in manifest.locales:
            yield from _drawn_alike(manifest, policy, purpose, locale)


def _drawn_alike(manifest: Manifest, policy: Document, purpose: str, locale: str) -> Iterator[NoticeFinding]:
    first = None
    for surface in manifest.header.surfaces:
        try:
            shown = render(
                manifest,
                policy,
                purpose=purpose,
                surface=surface,
                locale=locale,
                layout=manifest.header.layouts[0],
                options=orders(manifest, policy)[0],
            )
        except AssentError as problem:
            yield finding("N-R15", ("locale", locale), f"`{surface}` cannot be drawn: {problem.message}", problem.fix)
            return
        said = said_in(shown)
        first = first or said
        if said != first:
            message = f"`{locale}`: `{surface}` does not say what `{manifest.header.surfaces[0]}` says"
            yield finding("N-R15", ("locale", locale, "text"), message, "keep each sentence on one line")


def feedback_is_honest(manifest: Manifest, facts: Mapping[str, PolicyFacts]) -> Iterator[NoticeFinding]:
    """R40: before a rating is sent it says that the whole chat goes with it, and a rating alone can be sent."""
    kept = [fact for fact in facts.values() if fact.feedback]
    if not kept:
        return
    control = manifest.document.feedback
    if control is None:
        fix = 'add `[feedback]` with `shown = "before sending"` and `rating_alone = true`'
        yield finding("N-R40", ("notice",), "the policy keeps feedback, and nothing says how it is sent", fix)
        return
    if control.shown != "before sending":
        message = "what happens to feedback is said only after it was sent"
        yield finding("N-R40", ("feedback", "shown"), message, 'write `shown = "before sending"`')
    if not control.rating_alone:
        message = "a rating cannot be sent without its chat"
        yield finding("N-R40", ("feedback", "rating_alone"), message, "offer to send the rating only")
    for locale, wording in manifest.document.locale.items():
        yield from _feedback_words(locale, wording, trains=any(fact.feedback_trains for fact in kept))


def _feedback_words(locale: str, wording: Wording, *, trains: bool) -> Iterator[NoticeFinding]:
    path = ("locale", locale, "feedback")
    if wording.feedback is None:
        yield finding("N-R40", path[:2], f"`{locale}` has no words about feedback", f"add `[locale.{locale}.feedback]`")
        return
    says, words = wording.feedback.says, shipped(locale)
    if wording.feedback.rating_only is None:
        yield finding("N-R40", path, f"`{locale}` has no label to send the rating only", 'add `rating_only = "..."`')
    if "feedback_retention" not in named_in(says):
        message = f"`{locale}` does not say how long feedback is kept"
        yield finding("N-R40", (*path, "says"), message, "add `{feedback_retention}`")
    for name, needed, meaning in (
        ("whole_chat", True, "that the whole chat is stored"),
        ("may_train", trains, "that it may train models"),
    ):
        if words and needed and not found(without_placeholders(says), getattr(words.lexicon, name)):
            entry = getattr(words.lexicon, name)[0]
            yield finding("N-R40", (*path, "says"), f"`{locale}` does not say {meaning}", f"say it, as in `{entry}`")


def variants_differ_in_layout_only(manifest: Manifest) -> Iterator[NoticeFinding]:
    """R52: an experiment changes the layout, never the words, and is judged by understanding, never by allow rates."""
    experiment = manifest.document.experiment
    if experiment is None:
        return
    for number, measure in enumerate(experiment.measures):
        if measure == "allow rate":
            message = "the experiment is judged by how many people allow"
            fix = "measure comprehension, recall or regret"
            yield finding("N-R52", ("experiment", "measures", number), message, fix)
    for number, variant in enumerate(experiment.variants):
        if variant.words:
            path: Path = ("experiment", "variants", number, "words")
            yield finding("N-R52", path, f"the variant `{variant.id}` has words of its own", "vary the layout only")
        if variant.layout not in manifest.header.layouts:
            path = ("experiment", "variants", number, "layout")
            yield finding("N-R52", path, f"this notice has no layout `{variant.layout}`", "add it to `layouts`")
