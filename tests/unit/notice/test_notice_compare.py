"""An existing page is held against the policy: our own page agrees, every changed number is found, press is judged."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from notices import NAME, POLICIES, document, drawn, manifest, policy_text

from assent.domain.durations import parse_duration
from assent.domain.errors import Incomplete, Invalid
from assent.policy.parse import parse_document
from assent.policy.render import render as statements_of
from assent.services.notice.compare import Judged, compare_page
from assent.services.notice.fetch import MAX_BYTES, fetch_page
from assent.services.notice.generate import manifest_for
from assent.services.notice.pages import digests, policy_html, policy_markdown
from assent.services.notice.parse import parse_manifest
from assent.services.notice.render import orders, render
from assent.services.notice.sentences import quantities_in, sentences_of


def answers(page: str, name: str = NAME) -> list[str]:
    return [found.answer for found in compare_page(page, document(name=name), "page")]


def contradicted(page: str, name: str = NAME) -> list[Judged]:
    return [found for found in compare_page(page, document(name=name), "page") if found.answer == "contradicted"]


@pytest.mark.parametrize("file", POLICIES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_our_own_page_of_a_policy_is_not_contradicted_by_it(file: Path) -> None:
    policy = parse_document(file.read_text("utf-8"), file.name)
    statements, names = statements_of(policy), digests(None, policy)
    for page in (policy_html(policy, statements, names), policy_markdown(policy, statements, names)):
        judged = compare_page(page, policy, "page")
        assert [found for found in judged if found.answer == "contradicted"] == []
        assert sum(found.answer == "confirmed" for found in judged) > 0.8 * len(judged)


@pytest.mark.parametrize("file", POLICIES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_changed_number_of_a_policy_is_found_on_the_page_of_the_old_one(file: Path) -> None:
    text = file.read_text("utf-8")
    old = parse_document(text, file.name)
    statements = statements_of(old)
    page = policy_html(old, statements, digests(None, old))
    tried = 0
    for number in re.finditer(r'(?<=")P(?:T?\d+[A-Z])+(?=")|(?<=below = )\d+', text):
        value = "16" if number[0].isdigit() else "P11D"
        new = parse_document(text[: number.start()] + value + text[number.end() :], file.name)
        if statements_of(new) == statements:
            continue  # the page does not state this number (a parameter that no text leaves open)
        tried += 1
        line = text[: number.start()].count("\n") + 1
        assert [f for f in compare_page(page, new, "page") if f.answer == "contradicted"], f"line {line}: {number[0]}"
    assert tried


@pytest.mark.parametrize("file", POLICIES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_our_own_notice_is_not_contradicted_by_its_policy(file: Path) -> None:
    text = file.read_text("utf-8")
    policy = parse_document(text, file.name)
    if "choice = " not in text:
        return
    made = parse_manifest(manifest_for(policy), "n")
    for purpose in made.purposes:
        shown = render(
            made,
            policy,
            purpose=purpose,
            surface="html",
            locale="en",
            layout="stacked",
            options=orders(made, policy)[0],
        )
        assert [f for f in compare_page(shown.body, policy, "n") if f.answer == "contradicted"] == []


SAID = [
    ("Chats of people who allow training are kept for five years.", ["confirmed"]),
    ("If you choose not to allow it, your data is kept for 30 days.", ["confirmed"]),
    ("The company will keep chats for ten years if you opt in.", ["contradicted"]),
    ("Chats of people who opted out are kept for 90 days.", ["contradicted"]),
    ("We delete your conversations within 60 days of your request.", ["contradicted"]),
    ("When you delete a chat, it leaves our back end within 30 days.", ["confirmed"]),
    ("Flagged chats stay for up to two years and their scores for up to seven years.", ["confirmed", "confirmed"]),
    ("Flagged chats are retained for up to three years.", ["contradicted"]),
    ("Flagged chats are retained for up to seven years.", ["contradicted"]),
    ("Feedback is kept for 10 years.", ["contradicted"]),
    ("By default your chats are used for training.", ["contradicted"]),
    ("We train on your chats unless you opt out.", ["contradicted"]),
    ("We only train on your chats if you allow it.", ["confirmed"]),
    ("The data of business customers is never used for training.", ["confirmed"]),
    ("Models are trained on Team and Enterprise chats too.", ["contradicted"]),
    ("Incognito chats are used to train models.", ["contradicted"]),
    ("Incognito chats never train models.", ["confirmed"]),
    ("Closing the pop-up counts as consent.", ["contradicted"]),
    ("Ignoring the notice does not mean that you agree.", ["confirmed"]),
    ("If you withdraw, we remove your data from trained models.", ["contradicted"]),
    ("If you resume an old chat, only the new messages count.", ["contradicted"]),
    ("If you reopen an old chat, the entire conversation may be used for training.", ["confirmed"]),
    ("Feedback is never used for training.", ["contradicted"]),
    ("Flagged conversations may train safety models even if you opted out.", ["confirmed"]),
    ("Chats are kept five years if you allow training instead of 30 days.", ["confirmed", "confirmed"]),
    ("Your data stays on our servers for a month.", ["not judged"]),
    ("Opting out takes two clicks.", ["not judged"]),
    ("The weather in June is fine.", []),
]


@pytest.mark.parametrize(("sentence", "expected"), SAID, ids=[sentence for sentence, _ in SAID])
def test_a_sentence_as_the_press_writes_them_is_judged(sentence: str, expected: list[str]) -> None:
    found = answers(sentence)
    assert [answer for answer in found if answer in expected or answer == "contradicted"][: len(expected)] == expected
    assert ("contradicted" in found) is ("contradicted" in expected)


def test_what_one_provider_may_say_another_may_not() -> None:
    assert answers("We train on your chats unless you opt out.", "openai/2026-06-04") == ["confirmed"]
    assert answers("We never train on your chats by default.", "openai/2026-06-04") == ["contradicted"]


def test_places_and_headings_are_kept() -> None:
    page = "<html lang=en><body><h2>If you don't allow it</h2>\n<ul>\n<li>Kept up to 5 years.</li></ul></body></html>"
    (found,) = contradicted(page)
    assert found.about == "declined"
    assert found.place.line == 3
    assert "30 days" in found.reason


def test_what_a_reader_does_not_see_is_not_judged() -> None:
    hidden = "<p hidden>Feedback is kept for 10 years.</p><script>'Feedback is kept for 10 years.'</script>"
    assert answers(f"<html><head><title>x</title></head><body>{hidden}<p>Hello there.</p></body></html>") == []


def test_a_page_that_is_hardly_one_is_read_without_harm() -> None:
    for page in (
        "",
        "<",
        "<!-- nothing -->",
        "<?php echo 'Feedback is kept for 10 years.' ?>",
        "\x00<p>\x00</p>",
        "<p" * 999,
    ):
        assert contradicted(page) == []


def test_another_language_is_refused() -> None:
    with pytest.raises(Invalid, match="only English"):
        compare_page(drawn(manifest(), document(), "html", "de").body, document(), "page")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kept for 30 days", ["P30D"]),
        ("a five-year period", ["P5Y"]),
        ("18 months, then 72 hours", ["P1Y6M", "PT72H"]),
        ("1 year 6 months", ["P1Y6M"]),
        ("two weeks", ["P14D"]),
        ("version 2.30 days", []),
        ("under 18", ["18"]),
        ("13 or older", ["13"]),
        ("on 8 October 2025", ["2025-10-08"]),
        ("by October 8th, 2025", ["2025-10-08"]),
        ("2025-10-08T00:00:00Z", ["2025-10-08"]),
    ],
)
def test_quantities_are_read(text: str, expected: list[str]) -> None:
    lengths = [str(parse_duration(value)) if value.startswith("P") else value for value in expected]
    assert [str(quantity.value) for quantity in quantities_in(text)] == lengths


def test_sentences_are_split_where_a_reader_would() -> None:
    assert [s.text for s in sentences_of("# A title\n\nOne. Two\ncontinues.\n- Three!\n")] == [
        "A title",
        "One.",
        "Two continues.",
        "Three!",
    ]


class _Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        routes = {"/page": ("text/html; charset=utf-8", b"<p>Feedback is kept for 10 years.</p>")}
        routes |= {"/large": ("text/html", b"x" * (MAX_BYTES + 1)), "/picture": ("image/png", b"\x89PNG")}
        if self.path.startswith("/loop"):
            self.send_response(302)
            self.send_header("Location", "/loop" + self.path)
            self.end_headers()
        elif self.path in routes:
            self.send_response(200)
            self.send_header("Content-Type", routes[self.path][0])
            self.end_headers()
            self.wfile.write(routes[self.path][1])
        else:
            self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.01))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.enable_socket
def test_a_page_is_fetched_within_limits() -> None:
    with served() as address:
        assert answers(fetch_page(f"{address}/page")) == ["contradicted"]
        for path, error in (("large", Invalid), ("picture", Invalid), ("loop", Incomplete), ("none", Incomplete)):
            with pytest.raises(error) as caught:
                fetch_page(f"{address}/{path}")
            assert caught.value.fix


@pytest.mark.enable_socket
def test_a_server_that_is_not_there_and_another_scheme_are_said() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Incomplete):
        fetch_page(f"http://127.0.0.1:{port}/")
    for address in ("file:///etc/hostname", "ftp://127.0.0.1/", "gopher://x"):
        with pytest.raises(Invalid, match="no address of a page"):
            fetch_page(address)


def test_the_policy_texts_are_the_ones_that_ship() -> None:
    assert "P5Y" in policy_text()
