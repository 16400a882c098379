import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from accounting import Account, account, anything, damaged
from chat_exports import Json, write_folder, write_zip
from hypothesis import given
from hypothesis import strategies as st

from assent.connectors.formats import gemini_takeout_html
from assent.connectors.formats.gemini_takeout import IMPORTER
from assent.domain.errors import Invalid

NOON = datetime(2026, 4, 12, 12, 0, tzinfo=UTC)

HEAD = '<!DOCTYPE html><html><head><title>My Activity History</title></head><body><div class="mdl-grid">'
TAIL = "</div></body></html>"


def _cell(content: str, product: str = "Gemini Apps") -> str:
    return (
        '<div class="outer-cell mdl-cell mdl-cell--12-col mdl-shadow--2dp"><div class="mdl-grid">'
        '<div class="header-cell mdl-cell mdl-cell--12-col">'
        f'<p class="mdl-typography--title">{product}<br></p></div>'
        f'<div class="content-cell mdl-cell mdl-cell--6-col mdl-typography--body-1">{content}</div>'
        '<div class="content-cell mdl-cell mdl-cell--6-col mdl-typography--body-1 mdl-typography--text-right"></div>'
        '<div class="content-cell mdl-cell mdl-cell--12-col mdl-typography--caption"><b>Products:</b><br>&emsp;x</div>'
        "</div></div>"
    )


def _page(*cells: str) -> bytes:
    return (HEAD + "".join(cells) + TAIL).encode()


def _activity(title: str, answer: str = "", **fields: object) -> Json:
    return {
        "header": "Gemini Apps",
        "title": title,
        "time": "2026-04-12T12:00:00.000Z",
        "products": ["Gemini Apps"],
        "activityControls": ["Gemini Apps Activity"],
        **({"safeHtmlItem": [{"html": answer}]} if answer else {}),
        **fields,
    }


def _import(tmp_path: Path, content: bytes | list[object]) -> Account:
    path = tmp_path / ("MyActivity.html" if isinstance(content, bytes) else "MyActivity.json")
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    found = account(IMPORTER, path)
    assert found.size_bytes == path.stat().st_size
    return found


def _shape(found: Account) -> list[tuple[object, ...]]:
    return [(p.speaker, p.origin, p.data, p.name, p.text) for p in found.parts]


ASKED = ("user", "person", "text", "", "What is 1 < 2?")
ANSWERED = ("assistant", "model", "text", "", "It is true.\n\n- one\n- two")
ANSWER = "<p>It is <b>true</b>.</p><ul><li>one</li><li>two</li></ul>"


def test_json_and_html_say_the_same(tmp_path: Path) -> None:
    from_json = _import(tmp_path, [_activity("Prompted What is 1 < 2?", ANSWER)])
    page = _page(_cell(f"Prompted&nbsp;What is 1 &lt; 2?<br>Apr 12, 2026, 12:00:00\u202fPM UTC<br>{ANSWER}<br>"))
    from_html = _import(tmp_path, page)
    for found in (from_json, from_html):
        assert _shape(found) == [ASKED, ANSWERED]
        (chat,) = found.conversations
        assert (chat.created_at, chat.last_turn_at) == (NOON, NOON)
        assert (chat.title, chat.subject) == ("What is 1 < 2?", None)
        assert (found.imported, found.records) == (1, 1)
    assert from_json.conversations == from_html.conversations


TABLE = [
    # what it is, the activity, what becomes of it
    ("no answer", _activity("Prompted Hello"), [("user", "person", "text", "", "Hello")]),
    (
        "asked Bard",
        _activity("Asked Bard: Hello", header="Bard", products=["Bard"]),
        [("user", "person", "text", "", "Hello")],
    ),
    (
        "German",
        _activity("Eingegebener Prompt: Hallo", "<p>Hi</p>", header="Gemini-Apps", products=["Gemini-Apps"]),
        [("user", "person", "text", "", "Hallo"), ("assistant", "model", "text", "", "Hi")],
    ),
    (
        "a language without a list",
        _activity("Вы спросили: Привет", "<p>Hi</p>"),
        [("user", "person", "text", "", "Вы спросили: Привет"), ("assistant", "model", "text", "", "Hi")],
    ),
    (
        "files",
        _activity("Prompted Read Attached 2 files.", attachedFiles=["a.pdf", "b.png", ""]),
        [
            ("user", "person", "text", "", "Read"),
            ("user", "file", "file", "a.pdf", ""),
            ("user", "file", "image", "b.png", ""),
        ],
    ),
    (
        "an image made",
        _activity("Prompted Draw 1 generated image.", imageFile="c.png"),
        [("user", "person", "text", "", "Draw"), ("assistant", "model", "image", "c.png", "")],
    ),
    (
        "several answers",
        _activity(
            "Prompted Hello",
            safeHtmlItem=[{"html": "<p>A</p>"}, {"html": ""}, {"html": "B<script>x()</script><!-- c -->"}, 7],
        ),
        [
            ("user", "person", "text", "", "Hello"),
            ("assistant", "model", "text", "", "A\n\nB"),
        ],
    ),
    (
        "no product named",
        _activity("Prompted Hello", header=None, products=None),
        [("user", "person", "text", "", "Hello")],
    ),
]


@pytest.mark.parametrize(("activity", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_an_activity_becomes_parts(activity: Json, expected: list[tuple[object, ...]], tmp_path: Path) -> None:
    found = _import(tmp_path, [activity])
    assert _shape(found) == expected
    assert (found.imported, found.records) == (1, 1)


@pytest.mark.parametrize(
    ("activity", "reason"),
    [
        (
            _activity("Searched for cats", "<p>x</p>", header="Search", products=["Search"]),
            "activity of another product",
        ),
        (_activity("Prompted x", header="Geminid", products=["Astronomy"]), "activity of another product"),
        (_activity("Used an Assistant feature"), "activity that is no prompt"),
        (_activity("Created Gemini Canvas titled x", "<p>x</p>"), "activity that is no prompt"),
        (_activity("Gave feedback: Good response"), "activity that is no prompt"),
        (_activity("Вы открыли приложение"), "activity that is no prompt"),
        (_activity(""), "activity that is no prompt"),
    ],
)
def test_other_activity_is_skipped(activity: Json, reason: str, tmp_path: Path) -> None:
    found = _import(tmp_path, [activity, _activity("Prompted Hello")])
    assert found.reasons == {reason: 1}
    assert (found.imported, found.malformed) == (1, 0)


PAGES = [
    # what it is, the main column of a cell, what becomes of it
    (
        "with a link",
        'Prompted <a href="u">Hello there</a><br>12 Apr 2026, 13:00:00 BST<p>Hi</p>',
        ["Hello there", "Hi"],
    ),
    (
        "several lines",
        "Prompted One<br>Two<br><br>Three<br>12.04.2026, 14:00:00 MESZ<br><p>Hi</p>",
        ["One\nTwo\n\nThree", "Hi"],
    ),
    (
        "a date in the answer",
        "Prompted When?<br>12.04.2026, 14:00:00 MESZ<br>On<br>13.04.2026, 14:00:00 MESZ",
        ["When?", "On\n13.04.2026, 14:00:00 MESZ"],
    ),
    ("no answer", "Prompted Hello<br>12 Apr 2026, 12:00:00 GMT<br>", ["Hello"]),
    (
        "code",
        (
            "Prompted Code \n now<br>12 Apr 2026, 12:00:00 GMT<br>"
            "<pre><code>    a  = 1\n    b = 2</code></pre><p>Done \n<br> now</p>"
        ),
        ["Code now", "    a  = 1\n    b = 2\n\nDone\nnow"],
    ),
    (
        "an image made",
        'Prompted Draw<br>1 generated image.<br>12 Apr 2026, 12:00:00 GMT<br><p><img src="cat.png"></p>',
        ["Draw", ""],
    ),
]


@pytest.mark.parametrize(("column", "texts"), [row[1:] for row in PAGES], ids=[row[0] for row in PAGES])
def test_a_cell_of_a_page_becomes_parts(column: str, texts: list[str], tmp_path: Path) -> None:
    found = _import(tmp_path, _page(_cell(column)))
    assert [part.text for part in found.parts] == texts
    assert found.conversations[0].created_at == NOON


def test_uploads_in_a_cell_are_files(tmp_path: Path) -> None:
    column = (
        'Prompted Read<br>Attached 1 file.<br>-&nbsp;<a href="a.pdf">a.pdf</a><br>'
        "Apr 12, 2026, 12:00 PM UTC<br><p>Hi</p>"
    )
    found = _import(tmp_path, _page(_cell(column)))
    assert _shape(found) == [
        ("user", "person", "text", "", "Read"),
        ("user", "file", "file", "a.pdf", ""),
        ("assistant", "model", "text", "", "Hi"),
    ]


def test_an_unreadable_date_is_no_date(tmp_path: Path) -> None:
    for line in ("2026年4月12日 12:00:00 CST", "Apr 12, 2026, 12:00:00 PM XYZ", "12/4/2026, 12:00:00 CEST"):
        found = _import(tmp_path, _page(_cell(f"Prompted Hello<br>{line}<br><p>Hi</p>")))
        assert [part.text for part in found.parts] == ["Hello", "Hi"]
        assert (found.conversations[0].created_at, found.conversations[0].last_turn_at) == (None, None)
    (chat,) = _import(tmp_path, [_activity("Prompted Hello", time="yesterday")]).conversations
    assert chat.created_at is None


def test_a_cell_without_any_date_is_split_where_the_answer_begins(tmp_path: Path) -> None:
    found = _import(tmp_path, _page(_cell("Prompted Hello<br>there<br><p>Hi</p>")))
    assert [part.text for part in found.parts] == ["Hello\nthere", "Hi"]


def test_the_second_of_two_twins_is_skipped(tmp_path: Path) -> None:
    found = _import(
        tmp_path, [_activity("Prompted Hello"), _activity("Prompted Hello"), _activity("Prompted Hello", time=None)]
    )
    assert len(found.conversations) == 2
    assert found.reasons == {"duplicate of an earlier record": 1}


@pytest.mark.parametrize("activity", [7, None, {}, {"title": 7}])
def test_a_broken_activity_loses_no_other(activity: object, tmp_path: Path) -> None:
    found = _import(tmp_path, [_activity("Prompted One"), activity, _activity("Prompted Two")])
    assert [part.text for part in found.parts] == ["One", "Two"]
    assert [(file, line) for file, line, _ in found.problems] == [("MyActivity.json", 2)]


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ('<div class="outer-cell"><div class="header-cell">Gemini', "the activity lacks its heading or its text"),
        ('<div class="outer-cell"></div>', "the activity lacks its heading or its text"),
        (_cell("Prompted \udcff"), "not UTF-8"),
    ],
)
def test_a_broken_cell_loses_no_other(broken: str, problem: str, tmp_path: Path) -> None:
    cells = [_cell("Prompted One"), broken, _cell("Prompted Two")]
    found = _import(tmp_path, (HEAD + "".join(cells) + TAIL).encode("utf-8", "surrogateescape"))
    assert [part.text for part in found.parts] == ["One", "Two"]
    assert found.problems == [("MyActivity.html", 2, problem)]


@pytest.mark.parametrize(
    ("content", "counts"),
    [
        (b"", (0, 0, 1)),
        (b"<html></html>", (0, 0, 1)),
        (b"\xef\xbb\xbf" + _page(_cell("Prompted x")).replace(b"<div", b"\r\n<div"), (1, 0, 0)),
        (_page(_cell("Prompted x"), _cell("Prompted y<br>12 Apr 2026, 12:00:00 GMT<br><p>cut"))[:-350], (1, 0, 1)),
    ],
)
def test_a_damaged_page_is_accounted_for(content: bytes, counts: tuple[int, int, int], tmp_path: Path) -> None:
    found = _import(tmp_path, content)
    assert (found.imported, found.skipped, found.malformed) == counts


@given(st.lists(st.integers(0, 300), max_size=9), st.integers(1, 500))
def test_a_page_is_cut_at_its_cells_whatever_the_chunks(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], chunk_bytes: int
) -> None:
    page = _page(*(_cell(f"Prompted {number} {'x' * size}") for number, size in enumerate(sizes)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gemini_takeout_html, "CHUNK_BYTES", chunk_bytes)
        found = _import(tmp_path_factory.mktemp("any"), page)
    assert found.imported == len(sizes)
    assert found.malformed == (not sizes)


def test_a_cell_above_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gemini_takeout_html, "CHUNK_BYTES", 500)
    monkeypatch.setattr(gemini_takeout_html, "MAX_CELL_BYTES", 5_000)
    found = _import(tmp_path, _page(_cell("Prompted One"), _cell("Prompted " + "x" * 50_000), _cell("Prompted Two")))
    assert [part.text for part in found.parts] == ["One", "Two"]
    assert found.malformed == 1


GOOD = _activity("Prompted Hello", ANSWER, attachedFiles=["a"], subtitles=[{"name": "x"}])


@given(damaged([GOOD]) | anything)
def test_any_json_adds_up(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    found = _import(tmp_path_factory.mktemp("any"), [value, _activity("Prompted Still here")])
    assert found.records == 2
    assert found.part("Still here")


@given(st.text(st.sampled_from("<>/ divbrp&;\"'=x\u00a0\n"), max_size=80))
def test_any_markup_adds_up(tmp_path_factory: pytest.TempPathFactory, column: str) -> None:
    found = _import(tmp_path_factory.mktemp("any"), _page(_cell(column), _cell("Prompted Still here")))
    assert found.records == 2
    assert found.part("Still here")


@given(st.binary(max_size=60), st.sampled_from(["MyActivity.html", "MyActivity.json"]))
def test_any_bytes_are_no_crash(tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str) -> None:
    path = tmp_path_factory.mktemp("any") / name
    path.write_bytes(content)
    assert account(IMPORTER, path).imported == 0
    IMPORTER.sniff(path)


@pytest.mark.parametrize("write", [write_zip, write_folder])
def test_a_takeout_holds_many_products(write: object, tmp_path: Path) -> None:
    files: dict[str, object] = {
        "Takeout/My Activity/Gemini Apps/MyActivity.json": [_activity("Prompted One")],
        "Takeout/My Activity/Search/MyActivity.html": _page(_cell("Searched for cats", "Search")),
        "Takeout/Meine Aktivitäten/Gemini-Apps/MeineAktivitäten.html": _page(_cell("Eingegebener Prompt: Zwei")),
        "Takeout/Gemini/gemini_gems_data.html": b"<html></html>",
        "Takeout/archive_browser.html": b"<html></html>",
        "Takeout/Mail/contacts.json": [{"title": "Prompted secret"}],
    }
    found = account(IMPORTER, write(tmp_path / "takeout.zip", files))
    assert sorted(part.text for part in found.parts) == ["One", "Zwei"]
    assert found.reasons == {"activity of another product": 1}
    assert IMPORTER.sniff(tmp_path / "takeout.zip")


def test_a_takeout_without_activity_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "takeout.zip", {"Takeout/Mail/contacts.json": []})
    assert not IMPORTER.sniff(path)
    with pytest.raises(Invalid, match="no conversations"):
        account(IMPORTER, path)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("MyActivity.html", _page(_cell("Prompted x")), True),
        ("MyActivity.json", json.dumps([GOOD]).encode(), True),
        ("other.json", json.dumps([{"mapping": {}, "title": "Gemini"}]).encode(), False),
        ("page.html", b"<html>Gemini</html>", False),
        ("MyActivity.txt", _page(_cell("Prompted x")), False),
    ],
)
def test_sniffing(name: str, content: bytes, expected: bool, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert IMPORTER.sniff(tmp_path / name) is expected
    assert not IMPORTER.sniff(tmp_path / "nothing")
