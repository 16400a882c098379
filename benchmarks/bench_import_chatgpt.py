"""How fast a ChatGPT export becomes conversations, beside parsing alone, and how much memory that takes.

Peers in the same run, over the same file: the standard library's `json.load`, which holds the
whole file in memory, and `ijson.items` with its C backend, the usual way to stream a large
array. Both only parse. The importer finds the records, parses them, walks the trees and builds
every `Conversation` and `Part`.
"""

import json
import random
import tempfile
from functools import partial
from pathlib import Path

import ijson

from assent.connectors.formats.chatgpt import IMPORTER
from assent.connectors.formats.port import Malformed, Skipped, Source
from assent.domain.conversation import Conversation
from benchmarks.board.importers import result_of, sizes_of
from benchmarks.board.rounds import setting
from benchmarks.board.values import Headline, Result, Words

MEGABYTES = setting("MEGABYTES", 60, small=2)
ROUNDS = setting("ROUNDS", 5, small=2)
SEED = 20
START = 1_740_000_000.0
WORDS = ("the", "model", "answers", "in one sentence,", "für große Dateien", "数据", '"quoted"', "\n\n", "`code`")

Json = dict[str, object]


def _message(chance: random.Random, role: str, text: str, second: float) -> Json:
    metadata: Json = {"timestamp_": "absolute", "message_type": None, "request_id": f"{chance.getrandbits(64):016x}"}
    if role == "assistant":
        metadata |= {"model_slug": "gpt-5", "citations": [], "content_references": [], "is_complete": True}
        metadata["finish_details"] = {"type": "stop", "stop_tokens": [200002]}
    return {
        "author": {"role": role, "name": None, "metadata": {}},
        "create_time": second,
        "update_time": None,
        "content": {"content_type": "text", "parts": [text]},
        "status": "finished_successfully",
        "end_turn": True,
        "weight": 1.0,
        "metadata": metadata,
        "recipient": "all",
        "channel": None,
    }


def _conversation(chance: random.Random) -> Json:
    """Make one conversation: questions of some ten words, answers of some hundreds, now and then a second answer."""
    nodes: dict[str, Json] = {}
    parent: str | None = None
    second = START + chance.random() * 1e7

    def add(message: Json | None) -> str:
        name = f"{chance.getrandbits(128):032x}"
        nodes[name] = {"id": name, "message": message, "parent": parent, "children": []}
        if parent:
            children = nodes[parent]["children"]
            assert isinstance(children, list)
            children.append(name)
        return name

    parent = add(None)
    for _ in range(chance.randint(1, 12)):
        for role, shortest, longest in (("user", 5, 60), ("assistant", 40, 500)):
            second += chance.random() * 60
            text = " ".join(chance.choices(WORDS, k=chance.randint(shortest, longest)))
            if role == "assistant" and chance.random() < 0.1:
                add(_message(chance, role, text[: len(text) // 2], second))
            parent = add(_message(chance, role, text, second))
    identity = f"{chance.getrandbits(128):032x}"
    return {
        "title": f"Chat {chance.randrange(10**6)}",
        "create_time": second,
        "update_time": second + 1e5,
        "mapping": nodes,
        "moderation_results": [],
        "current_node": parent,
        "conversation_id": identity,
        "is_archived": False,
        "is_do_not_remember": False,
        "id": identity,
    }


def write_export(path: Path, target_bytes: int) -> int:
    """Write a seeded export of the real shape; give its size in bytes."""
    chance = random.Random(SEED)
    size = 0
    with path.open("w", encoding="utf-8") as stream:
        separator = "["
        while size < target_bytes:
            size += stream.write(separator + json.dumps(_conversation(chance)))
            separator = ", "
        size += stream.write("]")
    return path.stat().st_size


def import_all(path: Path) -> int:
    """Import everything and count records, holding one conversation at a time."""
    records = 0
    for record in IMPORTER.read(Source(path)):
        if isinstance(record, Malformed):
            raise SystemExit(f"{record.place}: {record.problem}")
        records += record.records
    return records


def load_whole(path: Path) -> int:
    """Parse with the standard library and count nodes."""
    with path.open("rb") as stream:
        return sum(len(chat["mapping"]) for chat in json.load(stream))


def stream_items(path: Path) -> int:
    """Parse with ijson and count nodes; with floats and large reads, its fastest settings."""
    with path.open("rb") as stream:
        chats = ijson.items(stream, "item", use_float=True, buf_size=1 << 20)
        return sum(len(chat["mapping"]) for chat in chats)


def _check_the_answer(path: Path) -> None:
    """Fail unless the importer accounts for every node and brings back every text in full."""
    with path.open("rb") as stream:
        chats = json.load(stream)
    messages = [node["message"] for chat in chats for node in chat["mapping"].values()]
    found = list(IMPORTER.read(Source(path)))
    read = [item for item in found if isinstance(item, Conversation)]
    skipped = sum(item.records for item in found if isinstance(item, Skipped))
    if sum(chat.records for chat in read) + skipped != len(messages):
        raise SystemExit("the account does not add up")
    said = sorted(message["content"]["parts"][0] for message in messages if message)
    if said != sorted(part.text for chat in read for part in chat.parts):
        raise SystemExit("texts are missing or changed")
    if not any("abandoned" in part.marks for chat in read for part in chat.parts):
        raise SystemExit("the branches are not marked")


def measure() -> Result:
    """Import files of three sizes, and parse the largest with both peers."""
    with tempfile.TemporaryDirectory() as name:
        files = {size: Path(name) / f"{size}.json" for size in sizes_of(MEGABYTES)}
        written = {write_export(path, size): path for size, path in files.items()}
        largest = max(written)
        _check_the_answer(written[largest])
        peers = {
            "`json.load` of the same file": partial(load_whole, written[largest]),
            "`ijson.items` of the same file": partial(stream_items, written[largest]),
        }
        return result_of(import_all, written, peers, ROUNDS)


HEADLINE = Headline(
    Words(
        title="Importing a ChatGPT export",
        work=(
            f"{MEGABYTES} MB of export become conversations with marked parts; CPU time on one core. Every record "
            "must be accounted for and every text come back in full."
        ),
        peer=(
            "`json.load`, which holds the whole file in memory, and `ijson.items` with its C backend; both only parse"
        ),
    ),
    measure,
    uses=("ijson", "orjson"),
)
