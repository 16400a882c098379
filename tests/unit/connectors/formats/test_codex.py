from datetime import UTC, datetime
from pathlib import Path

import pytest
from accounting import DAMAGED_LINES, Account, account, anything, damaged, lines
from hypothesis import given
from hypothesis import strategies as st

from assent.connectors.formats.codex import IMPORTER

ID = "11111111-1111-4111-8111-111111111111"
META = {"timestamp": "2026-01-02T03:00:00Z", "type": "session_meta", "payload": {"id": ID, "cwd": "/workspace/app"}}


def _item(minute: int, **payload: object) -> dict[str, object]:
    return {"timestamp": f"2026-01-02T03:{minute:02}:00.000Z", "type": "response_item", "payload": payload}


def _event(minute: int, **payload: object) -> dict[str, object]:
    return {**_item(minute, **payload), "type": "event_msg"}


def _said(minute: int, role: str, *texts: str) -> dict[str, object]:
    kind = "output_text" if role == "assistant" else "input_text"
    return _item(minute, type="message", role=role, content=[{"type": kind, "text": text} for text in texts])


def _import(tmp_path: Path, *records: object) -> Account:
    path = tmp_path / f"rollout-2026-01-02T03-00-00-{ID}.jsonl"
    path.write_bytes(lines(*records))
    return account(IMPORTER, path)


def _shape(found: Account) -> list[tuple[object, ...]]:
    return [(p.text, p.speaker, p.origin, p.name, sorted(p.marks)) for p in found.parts]


def test_a_session_is_a_conversation(tmp_path: Path) -> None:
    found = _import(
        tmp_path,
        META,
        _event(1, type="user_message", message="List the files."),
        _said(1, "user", "List the files."),
        _item(2, type="reasoning", summary=[{"type": "summary_text", "text": "I look."}], encrypted_content="gAAA"),
        _item(3, type="function_call", name="exec", arguments='{"b": 1, "a": 2}', call_id="c1"),
        _item(4, type="function_call_output", call_id="c1", output="a.txt"),
        _item(5, type="custom_tool_call", name="apply_patch", input="*** Begin", call_id="c2"),
        _item(6, type="custom_tool_call_output", call_id="c2", output=[{"type": "output_text", "text": "Done!"}]),
        _item(7, type="function_call", name="mcp__wiki__find", arguments="{}", call_id="c3"),
        _item(8, type="function_call_output", call_id="c3", output={"content": "page", "success": True}),
        _item(9, type="local_shell_call", action={"command": ["ls"]}, call_id="c4"),
        _event(10, type="agent_message", message="One file."),
        _said(10, "assistant", "One file."),
    )
    assert _shape(found) == [
        ("List the files.", "user", "person", "", ["duplicate"]),
        ("List the files.", "user", "person", "", []),
        ("I look.", "assistant", "model", "", ["reasoning"]),
        ("", "assistant", "model", "", ["encrypted", "reasoning"]),
        ('{"a":2,"b":1}', "assistant", "model", "exec", ["tool-payload"]),
        ("a.txt", "tool", "tool", "exec", ["tool-payload"]),
        ("*** Begin", "assistant", "model", "apply_patch", ["tool-payload"]),
        ("Done!", "tool", "tool", "apply_patch", ["tool-payload"]),
        ("{}", "assistant", "model", "mcp__wiki__find", ["tool-payload"]),
        ("page", "tool", "connector", "mcp__wiki__find", ["tool-payload"]),
        ('{"command":["ls"]}', "assistant", "model", "local_shell", ["tool-payload"]),
        ("One file.", "assistant", "model", "", ["duplicate"]),
        ("One file.", "assistant", "model", "", []),
    ]
    (conversation,) = found.conversations
    assert (conversation.id, conversation.project, conversation.surface) == (f"codex:{ID}", "/workspace/app", "coding")
    assert conversation.created_at == datetime(2026, 1, 2, 3, tzinfo=UTC)
    assert conversation.last_turn_at == datetime(2026, 1, 2, 3, 1, tzinfo=UTC)
    assert (found.imported, found.skipped, found.malformed) == (13, 0, 0)


def test_a_screen_copy_without_its_original_is_the_original(tmp_path: Path) -> None:
    found = _import(tmp_path, META, _event(1, type="user_message", message="only here"))
    assert _shape(found) == [("only here", "user", "person", "", [])]


@pytest.mark.parametrize(
    "words",
    [
        "<environment_context>\n<cwd>/workspace</cwd>",
        "<user_instructions>be brief",
        "# AGENTS.md instructions for /workspace",
        "<turn_aborted>",
        "  <turn_aborted>",
    ],
)
def test_what_the_program_says_for_the_person_is_context(tmp_path: Path, words: str) -> None:
    found = _import(tmp_path, META, _said(1, "user", "hi"), _said(5, "user", words))
    part = found.part(words)
    assert (part.origin, set(part.marks)) == ("tool", {"system-context"})
    assert found.conversations[0].last_turn_at == datetime(2026, 1, 2, 3, 1, tzinfo=UTC)


def test_instructions_are_context(tmp_path: Path) -> None:
    meta = {**META, "payload": {"id": ID, "base_instructions": {"text": "You are a coder"}}}
    context = {"type": "turn_context", "payload": {"user_instructions": "be brief", "model": "m"}}
    found = _import(tmp_path, meta, _said(1, "developer", "rules"), context, {"type": "turn_context", "payload": {}})
    assert _shape(found) == [
        ("You are a coder", "system", "tool", "", ["system-context"]),
        ("rules", "system", "tool", "", ["system-context"]),
        ("be brief", "system", "tool", "", ["system-context"]),
    ]
    assert found.reasons == {"turn context": 1}


def test_a_compaction_repeats_in_a_summary(tmp_path: Path) -> None:
    compacted = {
        "timestamp": "2026-01-02T03:30:00Z",
        "type": "compacted",
        "payload": {
            "message": "so far",
            "replacement_history": [
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
                {"type": "compaction", "encrypted_content": "gAAA"},
            ],
        },
    }
    found = _import(tmp_path, META, _said(1, "user", "hi"), compacted)
    assert _shape(found) == [
        ("hi", "user", "person", "", []),
        ("so far", "assistant", "model", "", ["summary"]),
        ("hi", "user", "model", "", ["summary"]),
        ("", "assistant", "model", "", ["encrypted", "summary"]),
    ]
    assert found.conversations[0].last_turn_at == datetime(2026, 1, 2, 3, 1, tzinfo=UTC)


def test_a_rollback_abandons_the_last_turns(tmp_path: Path) -> None:
    found = _import(
        tmp_path,
        META,
        _said(1, "user", "<environment_context>"),
        _said(2, "user", "kept"),
        _said(3, "assistant", "kept answer"),
        _said(4, "user", "old"),
        _said(5, "assistant", "old answer"),
        _event(6, type="thread_rolled_back", num_turns=1),
        _said(7, "user", "new"),
    )
    assert {part.text for part in found.parts if "abandoned" in part.marks} == {"old", "old answer"}
    assert found.reasons == {"rollback event": 1}


def test_rollbacks_add_up(tmp_path: Path) -> None:
    back = _event(6, type="thread_rolled_back", num_turns=1)
    found = _import(tmp_path, META, _said(1, "user", "a"), _said(2, "user", "b"), _said(3, "user", "c"), back, back)
    assert {part.text for part in found.parts if "abandoned" in part.marks} == {"b", "c"}


@pytest.mark.parametrize("turns", [0, -1, 9, None, "1", 1.5])
def test_an_odd_rollback_abandons_nothing(tmp_path: Path, turns: object) -> None:
    event = _event(6, type="thread_rolled_back", num_turns=turns)
    found = _import(tmp_path, META, _said(2, "user", "kept"), event)
    assert not any(part.marks for part in found.parts)


def test_a_subagent_is_a_sidechain(tmp_path: Path) -> None:
    meta = {**META, "payload": {"id": ID, "source": {"subagent": {"other": "review"}}}}
    found = _import(tmp_path, meta, _said(1, "user", "task"), _said(2, "assistant", "report"))
    assert _shape(found) == [
        ("task", "user", "model", "", ["sidechain"]),
        ("report", "assistant", "model", "", ["sidechain"]),
    ]
    assert found.conversations[0].last_turn_at is None


def test_images_are_files_of_the_person(tmp_path: Path) -> None:
    content = [{"type": "input_image", "image_url": "data:image/png;base64,AA=="}, {"type": "input_text", "text": "?"}]
    found = _import(tmp_path, META, _item(1, type="message", role="user", content=content))
    assert [(part.data, part.origin, part.text) for part in found.parts] == [
        ("image", "file", ""),
        ("text", "person", "?"),
    ]


def test_the_old_form_has_items_on_the_lines(tmp_path: Path) -> None:
    found = _import(
        tmp_path,
        {"id": ID, "timestamp": "2025-05-01T00:00:00Z", "instructions": "rules"},
        {"record_type": "state"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        {"role": "assistant", "content": "ho"},
    )
    assert [part.text for part in found.parts] == ["rules", "hi", "ho"]
    assert found.conversations[0].id == f"codex:{ID}"
    assert found.reasons == {"unknown record type": 1}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (_event(1, type="token_count", info=None), "token count"),
        (_event(1, type="task_started"), "turn event"),
        (_event(1, type="exec_command_end", stdout="x"), "event without content of its own"),
        ({"type": "world_state", "payload": {}}, "unknown record type"),
        ({"type": "future_record", "payload": {"safe": "ignored"}}, "unknown record type"),
        (_item(1, type="ghost_snapshot"), "unknown item type"),
    ],
)
def test_unknown_types_are_skipped_not_fatal(tmp_path: Path, record: object, reason: str) -> None:
    found = _import(tmp_path, META, _said(1, "user", "hi"), record)
    assert found.reasons == {reason: 1}
    assert (found.imported, found.malformed) == (2, 0)


@pytest.mark.parametrize(
    "record",
    [
        {"type": 1, "payload": {}},
        {"type": "response_item", "payload": None},
        {"type": "response_item", "payload": []},
        {"type": "response_item", "payload": {}},
        {"payload": {"type": "message"}},
        {},
        _item(1, type="message", role="user"),
        _item(1, type="message", role="queen", content=[]),
        _item(1, type="message", role="user", content=["text"]),
        _item(1, type="message", role="user", content=[{"type": "x"}]),
        _event(1, type="user_message"),
        _event(1, type="agent_message", message=1),
        {"type": "compacted", "payload": {}},
        {"type": "compacted", "payload": {"message": "m", "replacement_history": [1]}},
        *[raw for _, raw in DAMAGED_LINES],
    ],
    ids=lambda record: str(record)[:50],
)
def test_a_malformed_line_never_loses_its_neighbours(tmp_path: Path, record: object) -> None:
    found = _import(tmp_path, META, _said(1, "user", "before"), record, _said(2, "assistant", "after"))
    assert [part.text for part in found.parts] == ["before", "after"]
    assert [number for _, number, _ in found.problems] == [3]
    assert found.imported == 3


def test_a_session_of_settings_holds_no_conversation(tmp_path: Path) -> None:
    found = _import(tmp_path, META)
    assert (found.conversations, found.reasons) == ([], {"session without content": 1})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / ".codex"
    for folder, key in (("sessions/2026/01/02", ID), ("archived_sessions", ID), ("archived_sessions", "other")):
        (home / folder).mkdir(parents=True, exist_ok=True)
        meta = {**META, "payload": {"id": key}}
        (home / folder / f"rollout-{key}.jsonl").write_bytes(lines(meta, _said(1, "user", f"{folder} {key}")))
    (home / "sessions" / "x.tmp").write_text("?")
    (home / "history.jsonl").write_bytes(lines({"session_id": ID, "text": "hi"}))
    (home / "log").mkdir()
    (home / "log" / "codex.log").write_text("log")
    (home / "state_5.sqlite").write_text("db")
    (home / "config.toml").write_text("")
    return home


def test_a_home_folder_is_read_with_its_archive(home: Path) -> None:
    found = account(IMPORTER, home)
    assert len(found.conversations) == 3
    assert sum(item.id.startswith(f"codex:{ID}") for item in found.conversations) == 2
    assert found.reasons == {"not a session file": 1, "side copy, not imported": 3}
    assert {path.name for path in found.side_copies} == {"history.jsonl", "log", "state_5.sqlite"}
    assert found.conversations == account(IMPORTER, home).conversations
    assert IMPORTER.sniff(home)


def test_a_sessions_folder_names_copies_above_it(home: Path) -> None:
    found = account(IMPORTER, home / "sessions")
    assert len(found.conversations) == 1
    assert found.reasons == {"not a session file": 1}
    assert {path.name for path in found.side_copies} == {"history.jsonl", "log", "state_5.sqlite"}


GOOD = [
    META,
    _said(1, "user", "hi"),
    _event(1, type="user_message", message="hi"),
    _item(2, type="reasoning", summary=[{"text": "I look."}], content=[{"text": "x"}], encrypted_content="gAAA"),
    _item(3, type="function_call", name="exec", arguments='{"b": 1}', call_id="c1"),
    _item(4, type="function_call_output", call_id="c1", output=[{"type": "input_image"}, {"text": "x"}]),
    _event(6, type="thread_rolled_back", num_turns=1),
    {"type": "compacted", "payload": {"message": "m", "replacement_history": [{"role": "user", "content": "x"}]}},
    {"type": "turn_context", "payload": {"user_instructions": "x"}},
]


@given(st.lists(damaged(GOOD) | anything, max_size=6))
def test_arbitrary_json_never_raises_and_the_account_adds_up(
    tmp_path_factory: pytest.TempPathFactory, records: list[object]
) -> None:
    found = _import(tmp_path_factory.mktemp("any"), META, *records, GOOD[1])
    assert found.records == len(records) + 2
    assert "hi" in {part.text for part in found.parts}


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("standard_session", ["Add rate limiting", "I'll add rate limiting to the API."]),
        ("function_calls", ["Run the tests", "Running tests", "Fixing typo"]),
    ],
)
def test_files_that_others_wrote(shared_data: Path, name: str, texts: list[str]) -> None:
    path = shared_data / "fixtures" / "codex" / f"{name}.jsonl"
    found = account(IMPORTER, path)
    assert [part.text for part in found.parts] == texts
    assert (found.skipped, found.malformed) == (0, 0)
    assert found.imported == len(path.read_bytes().splitlines())
    assert IMPORTER.sniff(path)
