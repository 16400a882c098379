"""Laws of redaction: done twice is done once, nothing found survives, and what parsed still parses."""

# ruff: noqa: E501 - a table of values

import ast
import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from assent.pipeline.redact.block import everywhere, redact
from assent.pipeline.redact.finding import Apart, Finding, RedactTerms

KEY = b"law" * 11
TERMS = RedactTerms()
VALUES = st.sampled_from(
    [
        "Nerea Zubizarreta", "José García", "Tom", "Anna-Lena Fischer", "ana@x.pt", "jane.doe+1@mail.co.uk", "+49 171 2345678",
        "(415) 555-2671", "06 12 34 56 78", "4111 1111 1111 1111", "378282246310005", "DE89 3704 0044 0532 0130 00",
        "GB82WEST12345698765432", "123-45-6789", "12345678Z", "RSSMRA85T10A562S", "529.982.247-25", "203.0.113.5", "10.1.2.3",
        "2001:db8:85a3::8a2e:370:7334", "00:1A:2B:3C:4D:5E", "AKIAIOSFODNN7EXAMPLQ", "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "/home/alice/x", "git@github.com:acme/app.git", "Hauptstraße 5, 10115 Berlin", "12 rue de la Paix, 75002 Paris",
        "742 Evergreen Terrace, Springfield, IL 62704", "born 1990-02-17", "username: mkauf_92", "DB_PASSWORD=hunter2",
        "postgres:" + "//admin:s3cr3t@db:5432/app", "my name is john smith", "C:/" + "Users/nina/y",
    ]
)  # fmt: skip
FILLER = st.sampled_from(
    [
        "Dear ",
        "call ",
        "see ",
        ", ",
        ". ",
        "; ",
        " and ",
        "\n",
        " (",
        ") ",
        "😀 ",
        "größer ",
        "The ",
        "= ",
        ": ",
        "x",
        " 7 ",
        "-",
    ]
)
TEXTS = st.lists(st.one_of(VALUES, FILLER, st.text(max_size=6)), max_size=9).map("".join)
FEW = settings(max_examples=60, deadline=None)


@FEW
@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_redacting_what_is_redacted_changes_nothing(texts: list[str]) -> None:
    done = redact(texts, KEY, "c", TERMS)
    if not done.uncertain:
        again = redact(done.texts, KEY, "c", TERMS)
        assert again.texts == done.texts
        assert not any(again.findings)


@FEW
@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_no_value_that_was_found_survives(texts: list[str]) -> None:
    found, _ = everywhere(texts, TERMS)
    done = redact(texts, KEY, "c", TERMS)
    if done.uncertain:
        return
    for text, each in zip(texts, found, strict=True):
        for one in each:
            value = text[one.start : one.end]
            alone = re.compile(rf"(?<![^\W_]){re.escape(value)}(?![^\W_])")
            assert not any(alone.search(new) for new in done.texts), one.type


@FEW
@given(
    st.recursive(
        TEXTS | st.integers() | st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    ),
    st.booleans(),
)
def test_json_stays_json(value: object, plain: bool) -> None:
    said = json.dumps(value, ensure_ascii=plain)
    json.loads(redact([said], KEY, "c", TERMS).texts[0])


@FEW
@given(st.lists(TEXTS, max_size=4))
def test_python_stays_python(texts: list[str]) -> None:
    code = "".join(f"value_{place} = {text!r}  # {json.dumps(text)}\n" for place, text in enumerate(texts))
    tree = ast.parse(redact([code], KEY, "c", TERMS).texts[0])
    assert len(tree.body) == len(texts)


@FEW
@given(TEXTS)
def test_findings_stand_apart_in_order_and_inside_the_text(text: str) -> None:
    (found,), _ = everywhere([text], TERMS)
    edges = [edge for one in found for edge in (one.start, one.end)]
    assert edges == sorted(edges)
    assert all(0 <= one.start < one.end <= len(text) for one in found)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12)), max_size=25))
def test_findings_are_kept_apart_as_by_looking_at_each_pair(stretches: list[tuple[int, int]]) -> None:
    kept, plain = Apart(), []
    for start, length in stretches:
        one = Finding("mail", start, start + length)
        alone = all(one.end <= other.start or other.end <= one.start for other in plain)
        assert kept.overlaps(one.start, one.end) is not alone
        assert kept.add(one) is alone
        plain += [one] if alone else []
    assert kept.findings == sorted(plain, key=lambda one: one.start)
