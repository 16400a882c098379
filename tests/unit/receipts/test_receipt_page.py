"""The page of a receipt: everything is on it, nothing comes from elsewhere, and it can be read by everybody."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
import segno
from lxml import html as lxml_html
from tests.receipt_samples import CONTROLLER, RECORD, TERMS, Log

from assent.ledger.receipt import Receipt
from assent.services.receipts.page import page_of, qr_text

RECEIPT = Log().receipt(5)


def with_terms(**change: Any) -> Receipt:
    terms = replace(TERMS, **change)
    return replace(RECEIPT, terms=terms, record=replace(RECORD, terms=terms.digest, purpose=terms.purpose))


def text_of(page: str) -> str:
    found = lxml_html.fromstring(page)
    for style in found.xpath("//style"):
        style.drop_tree()
    return " ".join(found.text_content().split())


@pytest.mark.parametrize(
    ("act", "answer"),
    [
        ("allow", "You allowed it."),
        ("decline", "You did not allow it."),
        ("defer", "Nothing was allowed."),
        ("withdraw", "You took your permission back."),
    ],
)
def test_the_answer_is_said_in_plain_words(act: str, answer: str) -> None:
    assert answer in text_of(page_of(replace(RECEIPT, record=replace(RECORD, act=act))))


def test_every_fact_of_the_terms_is_on_the_page() -> None:
    page = text_of(page_of(with_terms(sensitive=("health",))))
    facts = [
        *(TERMS.purpose_text, TERMS.service, TERMS.deletion, TERMS.policy_url, TERMS.withdraw_at, TERMS.withdraw_how),
        *(*TERMS.data, "health", *TERMS.processing, *TERMS.storage_locations, *TERMS.jurisdictions, *TERMS.rights),
        *(CONTROLLER.name, CONTROLLER.address, CONTROLLER.contact, CONTROLLER.email, "Example Hosting Ltd (processor)"),
        *("5 years", "22 November 2026, 10:15:30 UTC", "decline, allow", RECORD.notice, RECORD.policy, "unasked"),
        *("entry 5", "had 9 entries"),
    ]
    for fact in facts:
        assert fact in page, fact


def test_terms_without_an_end_or_recipients_say_so() -> None:
    page = text_of(page_of(with_terms(storage_duration="indefinite", recipients=())))
    assert "without an end" in page
    assert "nobody else" in page


def test_the_evidence_is_on_the_page_byte_by_byte() -> None:
    found = lxml_html.fromstring(page_of(RECEIPT))
    shown = [pre.text_content() for pre in found.xpath("//pre[@dir='ltr']")]
    assert RECEIPT.record.encode().decode() in shown
    assert RECEIPT.terms.encode().decode() in shown
    assert RECEIPT.proof.text.rstrip("\n") in [text.rstrip("\n") for text in shown]


def test_the_page_needs_no_script_and_nothing_from_elsewhere() -> None:
    found = lxml_html.fromstring(page_of(RECEIPT))
    assert found.xpath("//script | //link | //img | //iframe | //object | //embed | //@onclick") == []
    assert found.xpath("//@src") == []
    assert found.xpath("//@href") == [TERMS.withdraw_at]
    assert "url(" not in page_of(RECEIPT)
    assert "@import" not in page_of(RECEIPT)


def test_an_address_that_is_no_link_is_text() -> None:
    for address in ("javascript:alert(1)", "assent choose", "http://chat.example.com"):
        found = lxml_html.fromstring(page_of(with_terms(withdraw_at=address)))
        assert found.xpath("//@href") == []
        assert address in found.text_content()


def test_words_from_outside_cannot_become_markup() -> None:
    page = page_of(with_terms(service="<script>alert(1)</script>", deletion='"><img src=x onerror=y>'))
    found = lxml_html.fromstring(page)
    assert found.xpath("//script | //img") == []
    assert "<script>alert(1)</script>" in found.text_content()


def test_every_element_says_its_language_and_direction() -> None:
    found = lxml_html.fromstring(page_of(with_terms(language="ar", purpose_text="تدريب النماذج")))
    assert found.xpath("/html/@lang | /html/@dir") == ["en", "ltr"]
    [cell] = [cell for cell in found.iter("td") if "تدريب" in cell.text_content()]
    assert (cell.get("lang"), cell.get("dir")) == ("ar", "auto")
    assert {th.get("scope") for th in found.iter("th")} == {"row"}
    assert [h.tag for h in found.iter("h1", "h2", "h3")][:2] == ["h1", "h2"]


def test_it_is_well_formed_and_ids_are_not_repeated() -> None:
    page = page_of(RECEIPT)
    parser = lxml_html.HTMLParser(recover=False)
    lxml_html.fromstring(page, parser=parser)
    # libxml2 knows HTML 4: to it the elements that came later are unknown, and nothing else may be wrong
    later = re.compile(r"Tag (?:main|time|svg|path|title) invalid")
    assert [entry.message for entry in parser.error_log if not later.search(entry.message)] == []


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    r, g, b = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_every_colour_can_be_read_on_every_ground() -> None:
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", page_of(RECEIPT)))
    for ground in ("paper", "panel"):
        for ink in ("ink", "quiet", "link"):
            assert _contrast(colours[ink], colours[ground]) >= 7, (ink, ground)
        assert _contrast(colours["line"], colours[ground]) >= 3


def test_it_prints_on_any_paper() -> None:
    page = page_of(RECEIPT)
    assert "@media print" in page
    assert "@page { margin: 15mm; }" in page, "no size: A4 and Letter are the printer's to choose"


def test_the_code_says_where_the_choice_is_and_neither_who_nor_what() -> None:
    lines = qr_text(RECEIPT).split("\n")
    assert lines == ["assent/receipt/v1", "log.example.com/choices", "5", RECORD.digest]
    assert segno.make(qr_text(RECEIPT), micro=False, error="m").svg_inline(
        scale=3, border=4, title="QR code"
    ) in page_of(RECEIPT)
