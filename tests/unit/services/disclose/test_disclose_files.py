"""The command: a file of facts and folders of cuts in, a page for people and one for programs out."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.conformance.cut.written_cut import chats, write_cut
from tests.unit.interfaces.homes import NOW, call

from assent.domain.errors import Invalid
from assent.services.disclose.facts import EXAMPLE, parse_facts
from assent.wiring import Wiring


class _Page(HTMLParser):
    """Collects the words of a page, the tags that are open, and what it loads."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "facts.toml").write_text(EXAMPLE.replace("# latest", "latest").replace("Example AI Ltd", "Lumen Ltd"))
    write_cut(tmp_path / "cut", {"train": chats(2)})
    return tmp_path


def disclose(work: Path, law: str, *more: str) -> object:
    arguments = ("--cut", str(work / "cut"), "--facts", str(work / "facts.toml"), "--out", str(work / "out"))
    return call(Wiring(clock=NOW), "disclose", law, *arguments, *more)


@pytest.mark.parametrize("law", ["eu", "california"])
def test_both_files_say_the_same(work: Path, law: str) -> None:
    assert disclose(work, law).status == 0
    record = json.loads((work / f"out/{law}-example-2.1-v1.json").read_text("utf-8"))
    page = _Page()
    page.feed((work / f"out/{law}-example-2.1-v1.html").read_text("utf-8"))
    assert (page.open, page.loads) == ([], [])
    for section in record["sections"]:
        for item in section["items"]:
            assert item["question"] in page.words
            assert item["answer"] in page.words
    assert record["updated"] == "2026-01-01"
    assert record["cuts"][0]["manifest"] in "".join(page.words)


def test_the_sections_that_wait_for_the_provider_are_named(work: Path) -> None:
    assert "2.1, 2.2, 2.3, 2.5, 2.6, 3.1, 3.2, 3.3" in disclose(work, "eu").out


def test_json_is_printed_too_if_asked_for(work: Path) -> None:
    (record,) = disclose(work, "eu", "--json").lines()
    assert record["law"] == "Regulation (EU) 2024/1689, Article 53(1)(d)"


def test_a_no_against_the_cuts_ends_with_2_and_writes_nothing(work: Path) -> None:
    text = (work / "facts.toml").read_text()
    (work / "facts.toml").write_text(text.replace("# interactions = true", "interactions = false"))
    refused = disclose(work, "eu")
    assert (refused.status, (work / "out").exists()) == (2, False)
    assert "cannot say `No`" in refused.err


def test_a_cut_that_is_named_twice_counts_once(work: Path) -> None:
    (record,) = disclose(work, "california", "--cut", str(work / "cut"), "--json").lines()
    assert len(record["cuts"]) == 1


def test_words_of_the_provider_are_no_markup(work: Path) -> None:
    text = (work / "facts.toml").read_text()
    (work / "facts.toml").write_text(text.replace("Lumen Ltd", "<b>Example</b> & Sons"))
    disclose(work, "eu")
    page = (work / "out/eu-example-2.1-v1.html").read_text("utf-8")
    assert "&lt;b&gt;Example&lt;/b&gt; &amp; Sons" in page


def test_names_that_are_no_names_of_files_lead_nowhere_else(work: Path) -> None:
    text = (work / "facts.toml").read_text()
    (work / "facts.toml").write_text(text.replace('version = "2.1"', 'version = "../../2.1 beta"'))
    assert disclose(work, "eu").status == 0
    assert {path.name for path in (work / "out").iterdir()} == {
        "eu-example-..-..-2.1-beta-v1.json",
        "eu-example-..-..-2.1-beta-v1.html",
    }


def test_the_example_that_is_printed_is_read(work: Path) -> None:
    printed = call(Wiring(clock=NOW), "disclose", "facts")
    assert parse_facts(printed.out, "facts.toml").model.name == "example"


@pytest.mark.parametrize(
    ("broken", "status", "said"),
    [
        ("no cut", 3, "there is no `manifest.json` in `cut`"),
        ("no manifest", 1, "is not the manifest of a cut"),
        ("older form", 1, "another form"),
        ("no facts", 3, "there is no file `facts.toml`"),
    ],
)
def test_what_is_not_there_is_said(work: Path, broken: str, status: int, said: str) -> None:
    manifest = work / "cut/manifest.json"
    match broken:
        case "no cut":
            manifest.unlink()
        case "no manifest":
            manifest.write_text("[")
        case "older form":
            manifest.write_text('{"assent_cut":1}')
        case _:
            (work / "facts.toml").unlink()
    found = disclose(work, "eu")
    assert found.status == status
    assert said in found.err


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "Example AI Ltd"\n', "", "facts.toml:1:2: `provider.name` is missing"),
        ("text_tokens = 0", "text_tokens = -1", "facts.toml:15:1: `elsewhere.text_tokens`"),
        ("text_tokens = 0", "text_token = 0", "`elsewhere.text_tokens` is missing"),
        ("continuous = false ", 'continuous = "no" ', "`model.continuous`"),
        ("[elsewhere] ", "[elswhere] ", "`elsewhere` is missing"),
        ("# [sections]", '[sections]\n"2.4" = "No"\n#', "`2.4` is no section to fill in"),
        ("[provider]", "[provider", "not TOML"),
    ],
)
def test_facts_that_cannot_be_read_are_said_with_their_place(old: str, new: str, said: str) -> None:
    assert old in EXAMPLE
    with pytest.raises(Invalid) as problem:
        parse_facts(EXAMPLE.replace(old, new), "facts.toml")
    assert said in str(problem.value)
    assert problem.value.fix


@pytest.mark.parametrize("law", ["eu", "california"])
def test_facts_that_are_no_utf_8_are_refused_with_what_helps(work: Path, law: str) -> None:
    (work / "facts.toml").write_bytes((work / "facts.toml").read_text().replace("Lumen", "Lümen").encode("latin-1"))
    refused = disclose(work, law)
    assert (refused.status, (work / "out").exists()) == (1, False)
    assert refused.err == "assent: facts.toml: the file is not UTF-8 text\n  save it as UTF-8\n"


@pytest.mark.parametrize("law", ["eu", "california"])
def test_without_a_cut_and_without_a_run_nothing_is_published(work: Path, law: str) -> None:
    refused = call(Wiring(clock=NOW), "disclose", law, "--facts", work / "facts.toml", "--out", work / "out")
    assert (refused.status, (work / "out").exists()) == (1, False)
    assert "--cut DIR or --run RUN" in refused.err


@pytest.mark.parametrize("law", ["eu", "california"])
def test_the_company_of_the_template_publishes_nothing(work: Path, law: str) -> None:
    (work / "facts.toml").write_text(EXAMPLE)
    refused = disclose(work, law)
    assert (refused.status, (work / "out").exists()) == (1, False)
    assert "made-up company of the template" in refused.err
