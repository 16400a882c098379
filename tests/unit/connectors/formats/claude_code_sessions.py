"""Lines of Claude Code sessions as the program writes them, for the tests."""

from pathlib import Path

from accounting import lines

SESSION = "11111111-2222-4333-8444-555555555555"


def line(kind: str, uuid: str, parent: str | None, minute: int, **fields: object) -> dict[str, object]:
    return {
        "type": kind,
        "uuid": uuid,
        "parentUuid": parent,
        "timestamp": f"2025-07-01T10:{minute:02}:00.000Z",
        "sessionId": SESSION,
        "cwd": "/workspace/app",
        "version": "2.1.0",
        "isSidechain": False,
        "userType": "external",
        **fields,
    }


def prompt(uuid: str, parent: str | None, minute: int, content: object, **fields: object) -> dict[str, object]:
    return line("user", uuid, parent, minute, message={"role": "user", "content": content}, **fields)


def answer(
    uuid: str, parent: str | None, minute: int, *blocks: object, message: str = "", **fields: object
) -> dict[str, object]:
    body = {"id": message or f"msg_{uuid}", "role": "assistant", "model": "claude", "content": list(blocks)}
    return line("assistant", uuid, parent, minute, message=body, **fields)


def text(words: str) -> dict[str, object]:
    return {"type": "text", "text": words}


def call(key: str, name: str = "Read", **arguments: object) -> dict[str, object]:
    return {"type": "tool_use", "id": key, "name": name, "input": arguments}


def result(uuid: str, parent: str, minute: int, key: str, content: object, **fields: object) -> dict[str, object]:
    block = {"type": "tool_result", "tool_use_id": key, "content": content, "is_error": False}
    return prompt(uuid, parent, minute, [block], **fields)


def write(path: Path, *records: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(lines(*records))
    return path
