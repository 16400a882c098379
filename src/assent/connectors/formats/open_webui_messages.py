"""From one message of Open WebUI to parts of a conversation.

An answer is kept twice: as `content`, where thinking, tool calls and code runs are
`<details type="...">` elements in the text, and as typed blocks in `output`. Where both say the
same, the blocks are read; where they differ (an edited answer), the text is what the person
saw and the blocks are marked as its duplicate.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import orjson

from assent.connectors.formats.chats import (
    CONTEXT,
    DUPLICATE,
    ERROR,
    NO_ARGUMENTS,
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
_DETAILS: Final = re.compile(
    r'<details\b(?=[^>]*\stype="(reasoning|tool_calls|code_interpreter)")((?:[^>"]|"[^"]*")*)>'
    r"(.*?)(?:</details>\n?|\Z)",
    re.DOTALL,
)
_SUMMARY: Final = re.compile(r"\A\s*<summary>.*?</summary>\n?", re.DOTALL)
_ATTRIBUTE: Final = re.compile(r'([\w-]+)="([^"]*)"')
_QUOTED: Final = re.compile(r"^> ?", re.MULTILINE)
_BLANKS: Final = re.compile(r"\s+")


def message_parts(message: object, turn: str, marks: Marks) -> list[Part]:
    """Read one message into parts. Raises `Invalid` with a fixed phrase."""
    if not isinstance(message, dict):
        raise Invalid("a message is not an object")
    role = message.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise Invalid("a message has no known role")
    content, output = message.get("content"), message.get("output")
    if content is not None and not isinstance(content, str | list):
        raise Invalid("a message's content is neither text nor a list")
    if output is not None and not isinstance(output, list):
        raise Invalid("a message's output is not a list")
    speaker, origin = _ROLES[role]
    if role == "system":
        marks |= CONTEXT
    elif role == "tool":
        marks |= PAYLOAD
    base = Part(f"{turn}/0", turn, speaker, origin, "text", "", instant(message.get("timestamp")), marks=marks)
    found = _said(content, output or [], base)
    found += _error(message.get("error"), base)
    found += _files(message, base)
    found += _rating(message.get("annotation"), base)
    return numbered(found, turn)


def file_id(upload: dict[str, object]) -> str:
    """Name an upload: by its file name, else by its id; a picture in the text itself has neither."""
    file = mapping(upload.get("file"))
    name = string(upload.get("name")) or string(file.get("filename")) or string(upload.get("id"))
    return name or string(file.get("id"))


def _said(content: str | list[object] | None, output: list[object], base: Part) -> list[Part]:
    shown = list(_blocks(content, base) if isinstance(content, list) else _split(content or "", base))
    calls = {string(mapping(block).get("call_id")): string(mapping(block).get("name")) for block in reversed(output)}
    blocks = [part for block in output for part in _output(mapping(block), calls, base)]
    if not blocks:
        return shown
    if not shown or _visible(shown) == _visible(blocks):
        return blocks
    return shown + [replace(part, marks=part.marks | DUPLICATE) for part in blocks]


def _visible(parts: list[Part]) -> str:
    return _BLANKS.sub("", "".join(part.text for part in parts if not part.marks & (PAYLOAD | REASONING)))


def _blocks(content: list[object], base: Part) -> Iterator[Part]:
    """Read content in the form of the OpenAI API: a list of texts and images."""
    for block in content:
        fields = mapping(block)
        if text := string(block) or string(fields.get("text")):
            yield from _split(text, base)
        elif fields.get("type") in ("image_url", "input_image"):
            yield replace(base, data="image", origin=_uploaded(base))
        elif fields and "text" not in fields:
            yield replace(base, text=json_text(fields), marks=base.marks | PAYLOAD)


def _split(content: str, base: Part) -> Iterator[Part]:
    """Split `<details>` elements off the text around them."""
    at = 0
    # The product writes these elements into answers only; a person may quote one.
    if base.speaker == "assistant" and "<details" in content:
        for element in _DETAILS.finditer(content):
            if text := content[at : element.start()].strip():
                yield replace(base, text=text)
            yield from _details(element, base)
            at = element.end()
    if text := content[at:].strip() if at else content:
        yield replace(base, text=text)


def _details(element: re.Match[str], base: Part) -> Iterator[Part]:
    kind = element[1]
    attributes = {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(element[2])}
    inside = html.unescape(_SUMMARY.sub("", element[3])).strip()
    if kind == "reasoning":
        if inside:
            yield replace(base, text=_QUOTED.sub("", inside), marks=base.marks | REASONING)
        return
    name = attributes.get("name", "") if kind == "tool_calls" else kind
    called = _unwrapped(attributes.get("arguments", "")) if kind == "tool_calls" else inside
    returned = _unwrapped(attributes.get("result", attributes.get("output", "")))
    yield from _call(name, called, returned, base)


def _unwrapped(text: str) -> str:
    """Undo the JSON string that the product wraps around arguments and results, if there is one."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return arguments_text(value if isinstance(value, str) else text)


def _call(name: str, called: str, returned: str, base: Part) -> Iterator[Part]:
    marks = base.marks | PAYLOAD
    yield replace(base, text=called or NO_ARGUMENTS, name=name, marks=marks)
    if returned:
        yield replace(base, speaker="tool", origin=tool_origin(name), text=returned, name=name, marks=marks)


def _output(block: dict[str, object], calls: dict[str, str], base: Part) -> Iterator[Part]:
    """Read one block of `output`, whose kinds are those of the Responses API."""
    kind = string(block.get("type"))
    marks = base.marks | PAYLOAD
    name = string(block.get("name"))
    if kind == "message":
        for text in _texts(block.get("content")):
            yield replace(base, text=text)
    elif kind == "reasoning":
        if text := "".join(_texts(block.get("summary"))) or "".join(_texts(block.get("content"))):
            yield replace(base, text=text, marks=base.marks | REASONING)
    elif kind == "function_call":
        yield from _call(name, arguments_text(block.get("arguments")), "", base)
    elif kind == "function_call_output":
        name = calls.get(string(block.get("call_id")), "")
        text = "".join(_texts(block.get("output")))
        yield replace(base, speaker="tool", origin=tool_origin(name), text=text, name=name, marks=marks)
    elif kind == "open_webui:code_interpreter":
        result = block.get("output")
        yield from _call("code_interpreter", string(block.get("code")), json_text(result) if result else "", base)
    elif block:
        yield replace(base, text=json_text(block), name=kind, marks=marks)


def _texts(content: object) -> list[str]:
    if isinstance(content, str):
        return [content] if content else []
    return [text for block in sequence(content) if (text := string(mapping(block).get("text")))]


def _error(error: object, base: Part) -> Iterator[Part]:
    text = string(error) or string(mapping(error).get("content")) or string(mapping(error).get("message"))
    if text:
        yield replace(base, text=text, marks=base.marks | ERROR)


def _files(message: dict[str, object], base: Part) -> Iterator[Part]:
    for upload in sequence(message.get("files")):
        fields = mapping(upload)
        if not fields:
            continue
        file = mapping(fields.get("file"))
        name = file_id(fields)
        kind = string(mapping(file.get("meta")).get("content_type")) or string(fields.get("content_type"))
        data: DataClass = "image" if fields.get("type") == "image" else media(kind, name)
        text = string(mapping(file.get("data")).get("content")) or string(fields.get("content"))
        yield replace(base, data=data, origin=_uploaded(base), text=text, name=name)


def _uploaded(base: Part) -> Origin:
    return "file" if base.origin == "person" else base.origin


def _rating(annotation: object, base: Part) -> Iterator[Part]:
    fields = mapping(annotation)
    said = {key: fields[key] for key in ("rating", "reason", "comment", "tags") if fields.get(key) is not None}
    if said:
        name = str(said.get("rating", ""))
        yield Part(base.id, base.turn, "user", "person", "feedback", json_text(said), None, name, base.marks)
