"""A small source in every format: units (a line, a message, a conversation) that each carry a word of their own."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chat_exports import chatgpt_chat, chatgpt_message
from claude_code_sessions import prompt

UNITS = 5
WORD = re.compile(r"quagga\d{4}zephyr")


def word(number: int) -> str:
    return f"quagga{number * 1111:04}zephyr"


def at(number: int) -> str:
    return f"2026-01-02T03:{number:02}:00Z"


def name(number: int) -> str:
    return f"{number * 11111111:08}-0000-4000-8000-000000000000"


def claude_ai(n: int) -> Any:
    said = {"uuid": f"m-{name(n)}", "sender": "human", "text": "", "created_at": at(n)}
    said["content"] = [{"type": "text", "text": word(n)}]
    return {"uuid": name(n), "name": "T", "created_at": at(n), "account": {"uuid": "a"}, "chat_messages": [said]}


def chatgpt(n: int) -> Any:
    return chatgpt_chat(name(n), [chatgpt_message("user", word(n), n)])


def librechat(n: int) -> Any:
    said = {"messageId": name(n), "parentMessageId": None, "text": word(n), "isCreatedByUser": True, "createdAt": at(n)}
    return {"conversationId": name(n), "title": "T", "messages": [said]}


def open_webui(n: int) -> Any:
    said = {"id": "m", "parentId": None, "childrenIds": [], "role": "user", "content": word(n), "timestamp": 1.7e9}
    chat = {"title": "T", "history": {"messages": {"m": said}, "currentId": "m"}}
    return {"id": name(n), "user_id": "u", "title": "T", "chat": chat, "created_at": 1_700_000_000}


def gemini_takeout(n: int) -> Any:
    said = {"header": "Gemini Apps", "title": f"Prompted {word(n)}", "time": at(n), "products": ["Gemini Apps"]}
    return said | {"safeHtmlItem": [{"html": f"<p>an answer {n}</p>"}]}


def claude_code(n: int) -> Any:
    return prompt(f"u{n}", f"u{n - 1}" if n else None, n, word(n))


def codex(n: int) -> Any:
    content = [{"type": "input_text", "text": word(n)}]
    payload = {"type": "message", "role": "user", "content": content}
    return {"timestamp": at(n), "type": "response_item", "payload": payload}


def gemini_cli(n: int) -> Any:
    return {"id": f"u{n}", "type": "user", "timestamp": at(n), "content": word(n)}


def messages(n: int) -> Any:
    return {"messages": [{"role": "user", "content": word(n)}, {"role": "assistant", "content": f"answer {n}"}]}


def named_messages(n: int) -> Any:
    return {"id": name(n), "created": 1_711_397_284.5, **messages(n)}


def sharegpt(n: int) -> Any:
    return {"id": name(n), "conversations": [{"from": "human", "value": word(n)}, {"from": "gpt", "value": "ho"}]}


def lmsys(n: int) -> Any:
    return {"conversation_id": name(n), "conversation": messages(n)["messages"], "turn": 1, "openai_moderation": []}


CODEX_HEAD = {"timestamp": at(0), "type": "session_meta", "payload": {"id": name(9), "cwd": "/w"}}
GEMINI_HEAD = {"sessionId": name(9), "projectHash": "abc", "startTime": at(0), "lastUpdated": at(0)}


@dataclass(frozen=True)
class Sample:
    """A format in one of its shapes: `[unit, unit]`, or lines, after a `head` line that is not damaged."""

    format: str
    file: str
    unit: Callable[[int], Any]
    array: bool = False
    head: Any = None

    def units(self) -> list[bytes]:
        return [json.dumps(self.unit(number)).encode() for number in range(UNITS)]

    def packed(self, units: list[bytes]) -> tuple[bytes, list[int]]:
        """Put units together; returns the content, and where each unit begins."""
        content = b"[" if self.array else b"" if self.head is None else json.dumps(self.head).encode() + b"\n"
        starts = []
        for number, unit in enumerate(units):
            starts.append(len(content))
            last = number == len(units) - 1
            content += unit + (b"" if self.array and last else b",\n" if self.array else b"\n")
        return content + (b"]" if self.array else b""), starts


SAMPLES = [
    Sample("claude-ai", "conversations.json", claude_ai, array=True),
    Sample("chatgpt", "conversations.json", chatgpt, array=True),
    Sample("librechat", "export.json", librechat, array=True),
    Sample("open-webui", "chat-export.json", open_webui, array=True),
    Sample("gemini-takeout", "MyActivity.json", gemini_takeout, array=True),
    Sample("claude-code", "session.jsonl", claude_code),
    Sample("codex", "rollout-x.jsonl", codex, head=CODEX_HEAD),
    Sample("gemini-cli", "session-x.jsonl", gemini_cli, head=GEMINI_HEAD),
    Sample("hf-messages", "set.jsonl", named_messages),
    Sample("hf-messages", "set.json", named_messages, array=True),
    Sample("lmsys-wildchat", "set.jsonl", lmsys),
    Sample("openai-jsonl", "set.jsonl", messages),
    Sample("sharegpt", "set.jsonl", sharegpt),
    Sample("sharegpt", "set.json", sharegpt, array=True),
]
