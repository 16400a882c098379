"""No error quotes what a person wrote or names who they are: markers are planted everywhere and looked for."""

import json
from pathlib import Path

import pytest
from homes import Home, made

WORDS = "MARKERWORDS secret love letter"
PERSON = "MARKERPERSON-ann@example.com"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return made(tmp_path_factory.mktemp("privacy") / "home")


def quiet(text: str) -> bool:
    return "MARKER" not in text


def message(**wrong: object) -> dict[str, object]:
    return {
        "uuid": "m", "sender": "human", "created_at": "2025-12-20T00:00:00Z", "text": WORDS,
        "content": [{"type": "text", "text": WORDS}], **wrong,
    }  # fmt: skip


MALFORMED = {
    "text": WORDS,
    "list": [WORDS],
    "messages": {"uuid": "u", "name": WORDS, "chat_messages": WORDS},
    "sender": {"uuid": "u", "name": WORDS, "chat_messages": [message(sender=WORDS)]},
    "content": {"uuid": "u", "name": WORDS, "chat_messages": [message(content=WORDS)]},
    "block": {"uuid": "u", "name": WORDS, "chat_messages": [message(content=[WORDS])]},
    "message": {"uuid": "u", "name": WORDS, "chat_messages": [WORDS]},
    "time": {"uuid": "u", "name": WORDS, "created_at": WORDS, "chat_messages": [message(created_at=WORDS)]},
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_export_is_named_by_place_only(home: Home, tmp_path: Path, case: str) -> None:
    (tmp_path / "conversations.json").write_text(json.dumps([MALFORMED[case]]), "utf-8")
    said = home("import", "claude-ai", tmp_path, "--subject", PERSON)
    assert quiet(said.err)
    assert case == "time" or said.status == 4
    assert quiet(home("import", "claude-ai", tmp_path, "--subject", PERSON, "--json").out)


FORMATS = (
    "chatgpt", "claude-ai", "claude-code", "codex", "gemini-cli", "gemini-takeout", "hf-messages", "librechat",
    "lmsys-wildchat", "open-webui", "openai-jsonl", "sharegpt",
)  # fmt: skip


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("suffix", ["json", "jsonl", "zip", "html"])
def test_no_importer_quotes_what_it_cannot_read(home: Home, tmp_path: Path, format_name: str, suffix: str) -> None:
    path = tmp_path / f"export.{suffix}"
    rows = [{WORDS: WORDS, "messages": WORDS, "conversations": WORDS, "type": WORDS, "id": PERSON}, WORDS, [WORDS]]
    path.write_text("\n".join(json.dumps(row) for row in rows) + f'\n{{"{WORDS}', "utf-8")
    said = home("import", format_name, path)
    assert quiet(said.err)
    assert "Traceback" not in said.err


def test_a_format_that_is_not_recognised_is_not_quoted(home: Home, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps([WORDS]), "utf-8")
    said = home("import", "auto", tmp_path / "x.json")
    assert said.status == 1
    assert quiet(said.err)


ACT = {"subject": PERSON, "purpose": "training", "act": "decline", "at": "2025-12-01T00:00:00Z"}


@pytest.mark.parametrize("key", [*ACT, "notice", "surface", WORDS])
def test_a_refused_choice_quotes_nothing(home: Home, key: str) -> None:
    path = home.write("choices.ndjson", [{**ACT, "act": "allow", key: [WORDS]}, {**ACT, key: WORDS, "at": WORDS}])
    said = home("import", "choices", path)
    assert said.status == 4
    assert quiet(said.err)


@pytest.mark.parametrize("key", ["plan", "age", "region", "signed_in", "closed_at", "user_duration", WORDS])
def test_a_refused_account_quotes_nothing(home: Home, key: str) -> None:
    path = home.write("people.ndjson", [{"subject": PERSON, key: [WORDS]}, {"subject": PERSON, "age": 1.5, key: WORDS}])
    said = home("import", "accounts", path)
    assert said.status == 4
    assert quiet(said.err)


@pytest.mark.parametrize("key", ["part", "data", "mode", "created_at", "choices", "holds", "user_duration", WORDS])
def test_a_refused_fact_quotes_nothing(home: Home, key: str) -> None:
    path = home.write("facts.ndjson", [{"part": "p", "subject": PERSON, key: {WORDS: WORDS}}, WORDS])
    said = home("decide", "--policy", "anthropic/2025-10-08", "--at", "2026-01-01T00:00:00Z", path)
    assert said.status == 4
    assert quiet(said.err)


def test_errors_about_people_do_not_name_them(home: Home) -> None:
    for arguments in (
        ("choose", PERSON, "allow"),
        ("ask", PERSON),
        ("hold", "conversation", "--matter", WORDS, "--author", "a", "--reason", WORDS),
        ("explain", PERSON),
    ):
        said = home(*arguments)
        assert said.status != 0
        assert quiet(said.err), arguments
