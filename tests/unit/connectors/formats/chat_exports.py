"""Small exports of chat products, in the shapes that the products write."""

import json
import zipfile
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from accounting import Account

Json = dict[str, object]

START = 1_760_000_000.0  # 2025-10-09T08:53:20Z


def write_zip(path: Path, files: dict[str, object]) -> Path:
    """Pack files; a value that is no bytes is written as JSON."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def write_folder(path: Path, files: dict[str, object]) -> Path:
    """Write the same files into a folder."""
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def shape(found: Account) -> list[tuple[object, ...]]:
    """Say of each part who speaks, from where, what kind of data it is, its name, text and marks."""
    return [(p.speaker, p.origin, p.data, p.name, p.text, " ".join(sorted(p.marks))) for p in found.parts]


def chatgpt_message(role: str, content: object, minute: int = 0, **fields: object) -> Json:
    """Build a message; a plain text stands for the usual content."""
    if isinstance(content, str):
        content = {"content_type": "text", "parts": [content]}
    author = {"role": role, "name": fields.pop("name", None), "metadata": {}}
    return {
        "author": author,
        "create_time": START + 60 * minute,
        "update_time": None,
        "content": content,
        "status": "finished_successfully",
        "end_turn": True,
        "weight": 1.0,
        "metadata": {},
        "recipient": "all",
        "channel": None,
        **fields,
    }


def chatgpt_chat(identity: str, messages: Iterable[object], **fields: object) -> Json:
    """Build a conversation without branches: an empty root, then nodes n1, n2 and so on."""
    names = ["root", *(f"n{number}" for number, _ in enumerate(messages, 1))]
    nodes: Json = {
        name: {"id": name, "message": message, "parent": None, "children": []}
        for name, message in zip(names, [None, *messages], strict=True)
    }
    for above, below in pairwise(names):
        nodes[below]["parent"] = above
        nodes[above]["children"].append(below)
    return {
        "title": f"About {identity}",
        "create_time": START,
        "update_time": START + 9e6,
        "mapping": nodes,
        "moderation_results": [],
        "current_node": names[-1],
        "conversation_id": identity,
        "id": identity,
        **fields,
    }


def chatgpt_branch(chat: Json, name: str, parent: str, message: object) -> None:
    """Hang one more node into a conversation's tree."""
    chat["mapping"][name] = {"id": name, "message": message, "parent": parent, "children": []}


def in_chatgpt_shape(path: Path) -> list[Json]:
    """Convert the arena-hard conversations (one `{id, created, messages}` per line) into an export."""
    chats = []
    with path.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream):
            record = json.loads(line)
            messages = [
                chatgpt_message(message["role"], message["content"], minute)
                for minute, message in enumerate(record["messages"])
            ]
            chats.append(chatgpt_chat(f"{number}-{record['id']}", messages, title=record["cluster"]))
    return chats
