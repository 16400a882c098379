import json
from pathlib import Path

import pytest
from accounting import account
from chat_exports import Json, chatgpt_chat, chatgpt_message, shape

from assent.connectors.formats.chatgpt import IMPORTER

CALL = {"content_type": "code", "language": "python", "text": "print(1)"}
IMAGE = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-A1", "width": 9, "height": 9}
AUDIO = {"content_type": "audio_asset_pointer", "asset_pointer": "sediment://file_B2", "format": "wav"}
LIVE = {
    "content_type": "real_time_user_audio_video_asset_pointer",
    "audio_asset_pointer": AUDIO,
    "frames_asset_pointers": [IMAGE],
    "video_container_asset_pointer": {"asset_pointer": "sediment://file_C3"},
}
SPOKEN = {"content_type": "audio_transcription", "text": "good morning", "direction": "in"}
TABLE = [
    # what it is, the message, what becomes of it: speaker, origin, data, name, text, marks
    (
        "system prompt",
        chatgpt_message("system", "You are ChatGPT"),
        [("system", "tool", "text", "", "You are ChatGPT", "system-context")],
    ),
    (
        "hidden",
        chatgpt_message("assistant", "x", metadata={"is_visually_hidden_from_conversation": True}),
        [("assistant", "model", "text", "", "x", "hidden")],
    ),
    ("weight 0", chatgpt_message("user", "x", weight=0.0), [("user", "person", "text", "", "x", "hidden")]),
    (
        "profile",
        chatgpt_message(
            "user",
            {"content_type": "user_editable_context", "user_profile": "I am 40", "user_instructions": "Be brief"},
        ),
        [
            ("user", "person", "text", "user_profile", "I am 40", "system-context"),
            ("user", "person", "text", "user_instructions", "Be brief", "system-context"),
        ],
    ),
    (
        "profile in the metadata",
        chatgpt_message(
            "system",
            "",
            metadata={"is_user_system_message": True, "user_context_message_data": {"about_user_message": "I am 40"}},
        ),
        [
            ("system", "person", "text", "about_user_message", "I am 40", "system-context"),
        ],
    ),
    (
        "thoughts",
        chatgpt_message(
            "assistant",
            {
                "content_type": "thoughts",
                "thoughts": [{"summary": "Look", "content": "Closely"}, {"summary": "", "content": ""}],
            },
        ),
        [
            ("assistant", "model", "text", "", "Look\n\nClosely", "reasoning"),
        ],
    ),
    (
        "recap",
        chatgpt_message("assistant", {"content_type": "reasoning_recap", "content": "Thought for 5s"}),
        [("assistant", "model", "text", "", "Thought for 5s", "reasoning")],
    ),
    (
        "call",
        chatgpt_message("assistant", CALL, recipient="python"),
        [("assistant", "model", "text", "python", "print(1)", "tool-payload")],
    ),
    (
        "call with JSON",
        chatgpt_message("assistant", {"content_type": "code", "text": '{"b": 2, "a": 1}'}, recipient="web.run"),
        [("assistant", "model", "text", "web.run", '{"a":1,"b":2}', "tool-payload")],
    ),
    ("code for the person", chatgpt_message("assistant", CALL), [("assistant", "model", "text", "", "print(1)", "")]),
    (
        "result",
        chatgpt_message("tool", {"content_type": "execution_output", "text": "1"}, name="python"),
        [("tool", "tool", "text", "python", "1", "tool-payload")],
    ),
    (
        "plugin's result",
        chatgpt_message("tool", "3 flights", name="kayak.searchFlights"),
        [("tool", "connector", "text", "kayak.searchFlights", "3 flights", "tool-payload")],
    ),
    (
        "connector's result",
        chatgpt_message("tool", "page", name="mcp__wiki__find"),
        [("tool", "connector", "text", "mcp__wiki__find", "page", "tool-payload")],
    ),
    (
        "quote",
        chatgpt_message(
            "tool",
            {"content_type": "tether_quote", "url": "u", "domain": "d", "text": "t", "title": "T"},
            name="browser",
        ),
        [("tool", "tool", "text", "browser", "T\nu\nt", "tool-payload")],
    ),
    (
        "browsing",
        chatgpt_message(
            "tool", {"content_type": "tether_browsing_display", "result": "r", "summary": "s"}, name="browser"
        ),
        [("tool", "tool", "text", "browser", "r\ns", "tool-payload")],
    ),
    (
        "screen",
        chatgpt_message(
            "tool", {"content_type": "computer_output", "screenshot": IMAGE, "text": None}, name="computer"
        ),
        [("tool", "tool", "image", "file-A1", "", "tool-payload")],
    ),
    (
        "error",
        chatgpt_message("tool", {"content_type": "system_error", "name": "E", "text": "failed"}, name="web"),
        [("tool", "tool", "text", "web", "failed", "error tool-payload")],
    ),
    (
        "image and words",
        chatgpt_message("user", {"content_type": "multimodal_text", "parts": [IMAGE, "What is this?"]}),
        [
            ("user", "file", "image", "file-A1", "", ""),
            ("user", "person", "text", "", "What is this?", ""),
        ],
    ),
    (
        "image with its file name",
        chatgpt_message(
            "user",
            {"content_type": "multimodal_text", "parts": [IMAGE]},
            metadata={"attachments": [{"id": "file-A1", "name": "cat.png", "mime_type": "image/png"}]},
        ),
        [
            ("user", "file", "image", "cat.png", "", ""),
        ],
    ),
    (
        "upload",
        chatgpt_message(
            "user",
            "Read it",
            metadata={"attachments": [{"id": "file-D4", "name": "a.pdf", "mimeType": "application/pdf"}]},
        ),
        [
            ("user", "person", "text", "", "Read it", ""),
            ("user", "file", "file", "a.pdf", "", ""),
        ],
    ),
    (
        "voice",
        chatgpt_message("user", {"content_type": "multimodal_text", "parts": [SPOKEN, AUDIO]}),
        [
            ("user", "person", "voice", "", "good morning", ""),
            ("user", "person", "voice", "file_B2", "", ""),
        ],
    ),
    (
        "live video",
        chatgpt_message("user", {"content_type": "multimodal_text", "parts": [LIVE]}),
        [
            ("user", "person", "voice", "file_B2", "", ""),
            ("user", "file", "image", "file-A1", "", ""),
            ("user", "file", "file", "file_C3", "", ""),
        ],
    ),
    (
        "painted",
        chatgpt_message("tool", {"content_type": "multimodal_text", "parts": [IMAGE]}, name="dalle.text2im"),
        [("tool", "tool", "image", "file-A1", "", "tool-payload")],
    ),
    (
        "unknown piece",
        chatgpt_message(
            "user", {"content_type": "multimodal_text", "parts": [{"content_type": "smell", "b": 1, "a": 2}, "Hm"]}
        ),
        [
            ("user", "person", "text", "", '{"a":2,"b":1,"content_type":"smell"}', "tool-payload"),
            ("user", "person", "text", "", "Hm", ""),
        ],
    ),
    (
        "no metadata at all",
        {"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["x"]}},
        [("user", "person", "text", "", "x", "")],
    ),
]


@pytest.mark.parametrize(("message", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_a_message_becomes_parts(message: Json, expected: list[tuple[object, ...]], tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    path.write_text(json.dumps([chatgpt_chat("c1", [message])]), "utf-8")
    found = account(IMPORTER, path)
    assert shape(found) == expected
    assert (found.imported, found.malformed) == (1, 0)
