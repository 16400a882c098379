"""A manifest made from a policy: a beginning that passes the lint and says nothing the policy does not keep.

What no policy knows (who the controller is, who reads, who else gets data) is written as cautiously
as it can be and marked by addresses that end in `.example`, which the lint asks to replace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assent.domain.errors import Invalid
from assent.policy.build import build
from assent.services.notice.asked import purposes_asked
from assent.services.notice.document import OPEN, Party
from assent.services.notice.facts import facts_of
from assent.services.notice.lexicon import found
from assent.services.notice.words import SHIPPED, LocaleWords, say_list, shipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from assent.policy.document import Document
    from assent.services.notice.facts import PolicyFacts

_PROVIDERS: Final = {
    "en": "our service providers",
    "de": "unsere Dienstleister",
    "fr": "nos prestataires",
    "es": "nuestros proveedores",
    "it": "i nostri fornitori",
    "nl": "onze leveranciers",
    "pl": "nasi dostawcy",
    "pt": "os nossos fornecedores",
    "sv": "våra leverantörer",
    "ar": "مقدمو الخدمات لنا",
}


def manifest_for(
    policy: Document, *, controller: Party | None = None, purposes: Sequence[str] = (), version: str = "1"
) -> str:
    """Write a manifest for a policy, in every shipped locale that has words for its purposes.

    Without `purposes` it asks for all that the policy asks for. Raises `Invalid` if it asks for
    nothing.
    """
    built = build(policy)
    asked = list(purposes) or purposes_asked([built])
    if not asked:
        raise Invalid(f"`{built.name}` asks for nothing", "no notice is needed: no grant of it needs a choice")
    facts = {purpose: facts_of(policy, purpose) for purpose in asked}
    party = controller or _unknown(policy.policy.provider)
    locales = {locale: words for locale in SHIPPED if (words := shipped(locale)) and _speaks(locale, words, facts)}
    lines = [
        f"# A notice for {built.name}: the question that people are asked, and what stands beside it (spec/notice.md).",
        "# Names in braces become values of the policy; everything else is worded here.",
        "assent = 1",
        *_header(policy, asked, built.name, version),
        *_party(party, list(locales)),
        *_controls(facts),
    ]
    for locale, words in locales.items():
        lines += _locale(policy, locale, words, facts)
    return "\n".join(lines) + "\n"


def _unknown(provider: str) -> Party:
    name = provider.replace("-", " ").title()
    return Party(
        name=name,
        identifier=f"https://{provider}.example/",
        contact=f"Privacy office of {name}",
        address=f"{name}, the postal address that stands on https://{provider}.example/contact",
        url=f"https://{provider}.example/",
        email=f"privacy@{provider}.example",
    )


def _speaks(locale: str, words: LocaleWords, facts: Mapping[str, PolicyFacts]) -> bool:
    """Tell whether a locale has words for everything; the policy's own language always has."""
    exceptions = {survivor.about for fact in facts.values() for survivor in fact.survivors}
    return locale == "en" or (set(facts) <= set(words.phrases.use) and exceptions <= set(words.phrases.survivor))


def _header(policy: Document, purposes: list[str], name: str, version: str) -> list[str]:
    provider = policy.policy.provider
    return [
        "",
        "[notice]",
        f"name = {_text(f'{provider}-{purposes[0]}')}",
        f"version = {_text(version)}",
        f"policy = {_text(name)}",
        f"service = {_text(f'chats and coding sessions of {provider}')}",
        f"purposes = {_list(purposes)}",
        'order = "random"          # or "decline first"; recorded with every answer',
        'closing = "nothing"       # closing, scrolling or waiting answers nothing',
        'entering = "nothing"      # so does a bare Enter; "defer" is the other honest value',
        'layouts = ["stacked", "side-by-side", "table"]',
        'surfaces = ["html", "fragment", "terminal", "json", "markdown"]',
        f"jurisdictions = {_list([OPEN])}",
        f"storage_locations = {_list([OPEN])}",
        f"policy_url = {_text(f'https://{provider}.example/privacy')}",
    ]


def _party(party: Party, locales: Sequence[str]) -> list[str]:
    return [
        "",
        "[controller]",
        *(f"{name} = {_text(value)}" for name, value in party.model_dump().items() if value),
        "",
        "[[recipients]]",
        f"name = {_text(f'service providers of {party.name}')}",
        'role = "processor"',
        f"identifier = {_text(f'{party.identifier}#providers')}",
        f"contact = {_text(party.contact)}",
        f"address = {_text(party.address)}",
        "says = { "
        + ", ".join(f"{locale} = {_text(said)}" for locale in locales if (said := _PROVIDERS.get(locale)))
        + " }",
    ]


def _controls(facts: Mapping[str, PolicyFacts]) -> list[str]:
    acts = ["decline", "allow", *(["defer"] if any(fact.max_defers for fact in facts.values()) else [])]
    lines = [line for act in acts for line in ("", "[[control]]", f'act = "{act}"')]
    lines += ["", "[change]", 'address = "/settings/privacy"', "steps = 1"]
    lines += ["", "[withdraw]", 'address = "/settings/privacy"', "steps = 1"]
    if any(fact.feedback for fact in facts.values()):
        lines += ["", "[feedback]", 'shown = "before sending"', "rating_alone = true"]
    return lines


def _locale(policy: Document, locale: str, words: LocaleWords, facts: Mapping[str, PolicyFacts]) -> list[str]:
    template = words.template
    base = f"locale.{locale}"
    uses = {purpose: words.phrases.use.get(purpose, _said(policy, purpose)) for purpose in facts}
    text = template.text.model_dump(exclude_none=True)
    labels = template.labels.model_dump(exclude_none=True)
    if not any(fact.max_defers for fact in facts.values()):
        labels.pop("defer", None)
    lines = ["", f"[{base}]", f"change = {_text(template.change)}", f"withdraw = {_text(template.withdraw)}"]
    lines += _table(f"{base}.questions", dict.fromkeys(facts, template.question))
    lines += _table(f"{base}.uses", uses)
    lines += _table(f"{base}.text", text)
    lines += _table(f"{base}.headings", template.headings.model_dump())
    lines += _table(f"{base}.labels", labels)
    lines += _table(f"{base}.exceptions", dict(_unworded(policy, words, facts)))
    if any(fact.feedback for fact in facts.values()):
        says = template.feedback.model_dump(exclude_none=True)
        lines += _table(f"{base}.feedback", says)
    return lines


def _said(policy: Document, purpose: str) -> str:
    """Say a purpose as the policy does, or by its name where those words praise or there are none."""
    known, own = policy.purposes.get(purpose), shipped("en")
    praised = known and own and found(known.says, own.lexicon.emotive)
    return known.says if known and not praised else purpose.replace("-", " ")


def _unworded(policy: Document, words: LocaleWords, facts: Mapping[str, PolicyFacts]) -> Iterator[tuple[str, str]]:
    for fact in facts.values():
        for survivor in fact.survivors:
            if survivor.about not in words.phrases.survivor:
                rule = next(rule for rule in policy.exception if rule.id == survivor.rule)
                yield survivor.rule, say_list([_said(policy, rule.purpose)], "en")


def _table(name: str, values: Mapping[str, str]) -> list[str]:
    return ["", f"[{name}]", *(f"{key} = {_text(value)}" for key, value in values.items())] if values else []


def _list(words: Sequence[str]) -> str:
    return f"[{', '.join(_text(word) for word in words)}]"


def _text(value: str) -> str:
    """Write a TOML string."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
