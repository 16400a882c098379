"""From one message of a ChatGPT export to parts of a conversation.

What a message is follows from three fields together: who wrote it (`author.role`), to whom
(`recipient`: "all" is the person, everything else a tool) and its `content_type`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from assent.connectors.formats.chats import (
    CONTEXT,
    ERROR,
    HIDDEN,
    PAYLOAD,
    REASONING,
    Marks,
    media,
    numbered,
)
from assent.connectors.formats.fields import arguments_text, instant, json_text, mapping, sequence, string, tool_origin
from assent.domain.conversation import DataClass, Origin, Part, Speaker
from assent.domain.errors import Invalid

_ROLES: Final[dict[object, tuple[Speaker, Origin]]] = {
    "user": ("user", "person"),
    "assistant": ("assistant", "model"),
    "system": ("system", "tool"),
    "tool": ("tool", "tool"),
}
# The product's own tools by the first word of their name; everything else is a plugin or a connector.
_BUILT_IN: Final = frozenset(
    {
        *("a8km123", "automations", "bio", "browser", "canmore", "computer", "container", "dalle"),
        *("file_search", "genui", "guardian_tool", "image_gen", "multi_tool_use", "myfiles_browser", "python"),
        *("python_user_visible", "research_kickoff_tool", "t2uay3k", "user_info", "web", "web_search"),
    }
)
_POINTERS: Final[dict[str, DataClass]] = {
    "image_asset_pointer": "image",
    "audio_asset_pointer": "voice",
    "video_container_asset_pointer": "file",
    "video_asset_pointer": "file",
    "file_asset_pointer": "file",
}


class Unknown(Invalid):
    """A message of a kind that this version does not know: skipped, since products add kinds."""


def message_parts(message: object, turn: str, marks: Marks) -> list[Part]:
    """Read one message into parts. Raises `Unknown` or `Invalid` with a fixed phrase."""
    if not isinstance(message, dict):
        raise Invalid("a message is not an object")
    author, content = message.get("author"), message.get("content")
    if not isinstance(author, dict):
        raise Invalid("a message has no author")
    if not isinstance(content, dict):
        raise Invalid("a message has no content")
    role = author.get("role")
    if not isinstance(role, str):
        raise Invalid("a message has no author")
    if role not in _ROLES:
        raise Unknown("unknown author role")
    kind = content.get("content_type")
    if not isinstance(kind, str):
        raise Invalid("a message has no content type")
    reader = _READERS.get(kind)
    if reader is None:
        raise Unknown("unknown content type")
    base = _base(message, author, role, turn, marks)
    found = list(reader(content, base))
    metadata = message.get("metadata")
    if isinstance(metadata, dict):
        found += _context(metadata, base)
        found = _with_attachments(metadata, found, base)
    return numbered(found, turn)


def _base(message: dict[str, object], author: dict[str, object], role: str, turn: str, marks: Marks) -> Part:
    """Say for all parts of the message who speaks, from where, when, and what it is not."""
    speaker, origin = _ROLES[role]
    metadata = mapping(message.get("metadata"))
    name = ""
    if metadata.get("is_visually_hidden_from_conversation") is True or message.get("weight") == 0:
        marks |= HIDDEN
    if role == "system":
        marks |= CONTEXT
    elif role == "tool":
        name = string(author.get("name"))
        origin = _tool_origin(name)
        marks |= PAYLOAD
    elif role == "assistant":
        recipient = message.get("recipient")
        if isinstance(recipient, str) and recipient not in ("all", ""):
            name = recipient
            marks |= PAYLOAD
    return Part(f"{turn}/0", turn, speaker, origin, "text", "", instant(message.get("create_time")), name, marks)


def _tool_origin(name: str) -> Origin:
    first = name.partition(".")[0]
    return tool_origin(name) if not first or first in _BUILT_IN else "connector"


def _parts(content: dict[str, object], base: Part) -> Iterator[Part]:
    pieces = content.get("parts")
    if pieces is None and isinstance(content.get("text"), str):
        pieces = [content["text"]]
    if not isinstance(pieces, list):
        raise Invalid("a message's parts are not a list")
    for piece in pieces:
        if isinstance(piece, str):
            if piece:
                yield _text(piece, base)
        elif isinstance(piece, dict):
            yield from _piece(piece, base)
        elif piece is not None:
            raise Invalid("a message's part is neither text nor an object")


def _text(text: str, base: Part) -> Part:
    if base.speaker == "assistant" and base.name:
        text = arguments_text(text)
    return replace(base, text=text)


def _piece(piece: dict[str, object], base: Part) -> Iterator[Part]:
    kind = string(piece.get("content_type"))
    if kind in _POINTERS:
        yield _media(_POINTERS[kind], piece, base)
    elif kind == "audio_transcription":
        # What was said, in words: as personal as the recording that it comes from.
        if text := string(piece.get("text")):
            yield replace(base, data="voice", text=text)
    elif kind == "real_time_user_audio_video_asset_pointer":
        yield _media("voice", mapping(piece.get("audio_asset_pointer")), base)
        for frame in sequence(piece.get("frames_asset_pointers")):
            yield _media("image", mapping(frame), base)
        if isinstance(video := piece.get("video_container_asset_pointer"), dict):
            yield _media("file", video, base)
    elif text := string(piece.get("text")):
        yield _text(text, base)
    elif piece and "text" not in piece:
        yield replace(base, text=json_text(piece), marks=base.marks | PAYLOAD)


def _media(data: DataClass, pointer: dict[str, object], base: Part) -> Part:
    name = string(pointer.get("asset_pointer")).rpartition("/")[2]
    # A recording is the person's own voice, not a file that was handed over.
    origin: Origin = "file" if base.origin == "person" and data != "voice" else base.origin
    return replace(base, data=data, origin=origin, name=name)


def _plain(content: dict[str, object], base: Part) -> Iterator[Part]:
    text = content.get("text")
    if text is None and "parts" in content:
        yield from _parts(content, base)
        return
    if text is not None and not isinstance(text, str):
        raise Invalid("a message's text is not text")
    if text:
        yield _text(text, base)


def _thoughts(content: dict[str, object], base: Part) -> Iterator[Part]:
    base = replace(base, marks=base.marks | REASONING)
    thoughts = content.get("thoughts")
    if thoughts is None:
        yield from _parts(content, base)
        return
    if not isinstance(thoughts, list):
        raise Invalid("a message's thoughts are not a list")
    for thought in thoughts:
        fields = mapping(thought)
        lines = [text for key in ("summary", "content") if (text := string(fields.get(key)))]
        if lines:
            yield replace(base, text="\n\n".join(lines))


def _recap(content: dict[str, object], base: Part) -> Iterator[Part]:
    if text := string(content.get("content")) or string(content.get("text")):
        yield replace(base, text=text, marks=base.marks | REASONING)


def _quote(content: dict[str, object], base: Part) -> Iterator[Part]:
    lines = [text for key in ("title", "url", "text") if (text := string(content.get(key)))]
    if lines:
        yield replace(base, text="\n".join(lines), marks=base.marks | PAYLOAD)


def _browsing(content: dict[str, object], base: Part) -> Iterator[Part]:
    lines = [text for key in ("result", "summary") if (text := string(content.get(key)))]
    if lines:
        yield replace(base, text="\n".join(lines), marks=base.marks | PAYLOAD)


def _output(content: dict[str, object], base: Part) -> Iterator[Part]:
    for part in _plain(content, base):
        yield replace(part, marks=part.marks | PAYLOAD)


def _screen(content: dict[str, object], base: Part) -> Iterator[Part]:
    if isinstance(shot := content.get("screenshot"), dict):
        yield _media("image", shot, replace(base, marks=base.marks | PAYLOAD))
    yield from _output({"text": content.get("text")}, base)


def _profile(content: dict[str, object], base: Part) -> Iterator[Part]:
    base = replace(base, marks=base.marks | CONTEXT)
    for key in ("user_profile", "user_instructions", "model_set_context", "repository", "structured_context"):
        if text := string(content.get(key)):
            yield replace(base, text=text, name=key)


def _error(content: dict[str, object], base: Part) -> Iterator[Part]:
    if text := string(content.get("text")):
        yield replace(base, text=text, marks=base.marks | ERROR)


def _context(metadata: dict[str, object], base: Part) -> Iterator[Part]:
    """Read custom instructions from where they also stand: the metadata of an otherwise empty message."""
    for key, text in mapping(metadata.get("user_context_message_data")).items():
        if isinstance(text, str) and text:
            yield replace(base, origin="person", text=text, name=key, marks=base.marks | CONTEXT)


def _with_attachments(metadata: dict[str, object], found: list[Part], base: Part) -> list[Part]:
    """Add uploads; one that is already there as an image only gets its file name."""
    places = {part.name: number for number, part in enumerate(found) if part.data != "text"}
    for attachment in sequence(metadata.get("attachments")):
        fields = mapping(attachment)
        name = string(fields.get("name"))
        file_id = string(fields.get("id"))
        if not name and not file_id:
            continue
        if file_id and file_id in places:
            number = places[file_id]
            found[number] = replace(found[number], name=name or file_id)
            continue
        mime_type = string(fields.get("mime_type")) or string(fields.get("mimeType"))
        origin: Origin = "file" if base.origin == "person" else base.origin
        found.append(replace(base, origin=origin, data=media(mime_type, name), name=name or file_id))
    return found


_READERS: Final[dict[str, Callable[[dict[str, object], Part], Iterator[Part]]]] = {
    "text": _parts,
    "multimodal_text": _parts,
    "code": _plain,
    "execution_output": _output,
    "computer_output": _screen,
    "thoughts": _thoughts,
    "reasoning_recap": _recap,
    "tether_quote": _quote,
    "sonic_webpage": _quote,
    "tether_browsing_code": _output,
    "tether_browsing_display": _browsing,
    "citable_code_output": _output,
    "user_editable_context": _profile,
    "model_editable_context": _profile,
    "system_error": _error,
}
