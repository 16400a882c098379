"""A recipe says what is done to the text; what a publisher reserved is left out where a tool brought it."""

import sys

import pytest
from tests.unit.pipeline.rows_of_parts import batch, row

from assent.domain.errors import Invalid, Refused
from assent.pipeline.recipe import PLAIN, STANDARD, Recipe, parse_recipe
from assent.pipeline.reservations import REASON, Reservations, is_reserved
from assent.pipeline.work import Work


@pytest.mark.parametrize(
    ("text", "reserved"),
    [
        ('{"status": 200, "headers": {"content-usage": "train-ai=n"}, "body": "..."}', True),
        ("HTTP/1.1 200 OK\nContent-Usage: train-ai=n, search=y\n\nthe page", True),
        ("HTTP/1.1 200 OK\r\nContent-Usage: search=n\r\n\r\nthe page", False),
        ('{"headers": "{\\"Content-Usage\\": \\"train-ai=n\\"}"}', True),
        ("Content-Usage: train-ai=y", False),
        ("Content-Usage: train-ai=n;exceptions=x", True),
        ("Content-Usage: train-ai=no", False),
        ('<meta name="tdm-reservation" content="1">', True),
        ('<meta name="tdm-reservation" content="0">', False),
        ("tdm-reservation: 1", True),
        ("a page about Content-Usage and nothing else", False),
        ("", False),
    ],
)
def test_reservations_are_read_as_their_specifications_have_it(text: str, reserved: bool) -> None:
    assert is_reserved(text) is reserved


def test_only_what_a_tool_brought_is_left_out() -> None:
    reserved = "Content-Usage: train-ai=n\n\nthe page"
    rows = batch(row(reserved), row(reserved, by="tool", origin="tool"), row("free", by="tool", origin="tool"))
    found = Reservations().apply(rows)
    assert found.rows["text"].to_pylist() == [reserved, "free"]
    assert [(one.part, one.reason) for one in found.dropped] == [(rows["part"][1].as_py(), REASON)]


def test_a_recipe_names_its_blocks_in_the_order_in_which_they_work() -> None:
    recipe = parse_recipe("[blocks.skill]\n[blocks.redact]\n[blocks.normalise]\n", "r")
    assert [block["block"] for block in recipe.describe()] == ["normalise", "redact", "skill"]
    assert parse_recipe(PLAIN, "none") == Recipe()
    standard = parse_recipe(STANDARD, "standard")
    assert standard.work_digest == parse_recipe(STANDARD, "again").work_digest != Recipe().work_digest


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[blocks.abacus]", "no block `abacus`"),
        ("[blocks.skill]\nabacus = 1", "the block `skill` has no term `abacus`"),
        ("[dedup]\nthreshold = 3", "`dedup.threshold`"),
        ("[dedup]\nthreshold = '80'", "`dedup.threshold`"),
        ("formats = ['stone']", "`formats"),
        ("abacus = 1", "`abacus`"),
        ("[blocks", "not TOML"),
    ],
)
def test_what_is_no_recipe_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(Invalid, match=words.replace("[", r"\[")):
        parse_recipe(text, "r.toml")


@pytest.mark.parametrize("library", ["hyperscan", "numba"])
def test_a_library_that_is_missing_is_named_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    wanted = {"hyperscan": "[blocks.redact]", "numba": "[dedup]"}[library]
    # also where an earlier test has loaded what needs it
    ours = ("assent.pipeline.redact", "assent.pipeline.dedup")
    for name in [name for name in sys.modules if name.startswith(ours)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(Refused, match=library) as refused:
        Work(parse_recipe(wanted, "r"), bytes(32))(batch(row("Write to ana@uni.example")))
    assert refused.value.fix == "install it: pip install 'assent[cut]'"
