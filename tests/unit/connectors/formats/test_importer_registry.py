import subprocess
import sys
from pathlib import Path

import pytest
from accounting import lines

from assent.connectors.formats import registry
from assent.domain.errors import NotFound

NAMES = {
    "chatgpt",
    "claude-ai",
    "claude-code",
    "codex",
    "gemini-cli",
    "gemini-takeout",
    "hf-messages",
    "librechat",
    "lmsys-wildchat",
    "open-webui",
    "openai-jsonl",
    "sharegpt",
}


def test_every_format_is_listed() -> None:
    assert set(registry.importers()) == NAMES
    assert list(registry.importers()) == sorted(NAMES)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_the_list_says_what_the_module_says(name: str) -> None:
    listed = registry.get(name)
    module = registry._load(name)
    assert (listed.name, listed.summary) == (module.name, module.summary)


@pytest.mark.parametrize("alias", ["lmsys", "wildchat"])
def test_an_alias_is_the_format(alias: str) -> None:
    assert registry.get(alias).name == "lmsys-wildchat"


@pytest.mark.parametrize(
    ("wrong", "fix"),
    [
        ("claude-cod", "did you mean `claude-code`?"),
        ("ChatGPT", "did you mean `chatgpt`?"),
        ("wildchatt", "did you mean `wildchat`?"),
        ("xyz", f"known formats: {', '.join(sorted(NAMES))}"),
    ],
)
def test_an_unknown_name_gets_the_nearest_one(wrong: str, fix: str) -> None:
    with pytest.raises(NotFound) as caught:
        registry.get(wrong)
    assert caught.value.fix == fix


def test_listing_loads_no_parser() -> None:
    code = (
        "import sys; from assent.connectors.formats import registry; registry.importers(); registry.get('codex');"
        "ours = 'assent.connectors.formats.codex';"
        "print([n for n in ('orjson', 'ijson', 'pyarrow', 'lxml', ours) if n in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("record", "names"),
    [
        ({"type": "user", "sessionId": "s", "message": {"content": "hi"}}, ["claude-code"]),
        ({"type": "session_meta", "payload": {}}, ["codex"]),
        ({"sessionId": "s", "startTime": "t"}, ["gemini-cli"]),
        ({"messages": []}, ["hf-messages", "openai-jsonl"]),
        ({"conversations": []}, ["hf-messages", "sharegpt"]),
        ({"conversation_id": "c", "conversation": [], "turn": 1}, ["hf-messages", "lmsys-wildchat"]),
        ({"anything": "else"}, []),
    ],
)
def test_a_source_is_recognised(tmp_path: Path, record: object, names: list[str]) -> None:
    (tmp_path / "source.jsonl").write_bytes(lines(record))
    assert registry.sniff(tmp_path / "source.jsonl") == names


ODD = {
    "empty": b"",
    "zero bytes": b"\0" * 100,
    "UTF-16": b"\xff\xfe",
    "half an array": b"[",
    "half an object": b"{",
    "half a table": b"PAR1",
    "half an archive": b"\x1f\x8bbroken",
    "half a zip": b"PK\x03\x04",
    "nested too deeply": b"[" * 100_000,
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".zip", ".html", ".parquet", ".jsonl.gz", ""])
def test_odd_files_are_no_format_and_no_failure(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"odd{suffix}"
    path.write_bytes(content)
    assert registry.sniff(path) == []
    assert registry.sniff(tmp_path) == []
    assert registry.sniff(tmp_path / "none") == []
