"""Two verifiers that share no code accept every true receipt and reject every changed one, with a reason."""

from __future__ import annotations

import ast
import copy
import json
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.receipt_samples import ORIGIN, RECORD, SIGNER, STRANGER, TERMS, Log, document, salt_of, sample

import assent_verify
from assent.domain.errors import AssentError, Invalid
from assent.ledger.note import new_signer
from assent.ledger.receipt import Receipt, encode_receipt, write_receipt
from assent.ledger.verify import verify_receipt
from assent.services.receipts.copy import open_copy

VKEY = SIGNER.verifier.vkey


@dataclass(frozen=True)
class Answer:
    """What a verifier said: its exit status, and the reason if that is not 0."""

    status: int
    reason: str = ""


def by_assent(data: bytes, *, checkpoint: str | None = None, log: Path | None = None, key: Any = SIGNER) -> Answer:
    try:
        found = verify_receipt(
            data,
            [key.verifier] if key else [],
            checkpoint=checkpoint,
            log=open_copy(log) if log else None,
        )
    except AssentError as problem:
        return Answer(problem.exit_code, str(problem))
    return Answer(4, found.missing[0]) if found.missing else Answer(0)


class ByStranger:
    """The single-file verifier as a person runs it: on files, with an exit status and a line of text."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def __call__(
        self, data: bytes, *, checkpoint: str | None = None, log: Path | None = None, key: Any = SIGNER
    ) -> Answer:
        (self.folder / "receipt.json").write_bytes(data)
        arguments = [str(self.folder / "receipt.json"), *(("--key", key.verifier.vkey) if key else ())]
        if checkpoint is not None:
            (self.folder / "checkpoint").write_text(checkpoint, encoding="utf-8")
            arguments += ["--checkpoint", str(self.folder / "checkpoint")]
        if log is not None:
            arguments += ["--log", str(log)]
        status = assent_verify.main(arguments)
        return Answer(status, self.capsys.readouterr().err.strip())


@pytest.fixture
def by_stranger(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> ByStranger:
    return ByStranger(tmp_path, capsys)


def test_the_single_file_shares_no_code_with_assent() -> None:
    source = Path(assent_verify.__file__).read_text("utf-8")
    imported = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).split(".")[0])
    assert imported - sys.stdlib_module_names == {"cryptography"}
    assert len([line for line in source.splitlines() if line.strip()]) < 380


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 255, 256, 257, 300])
def test_both_accept_every_leaf_of_logs_of_many_sizes(size: int, by_stranger: ByStranger) -> None:
    log = Log(size)
    for number in sorted({0, size // 2, size - 1}):
        data = encode_receipt(write_receipt(log.receipt(number)))
        assert by_assent(data) == Answer(0)
        assert by_stranger(data) == Answer(0)


def test_how_the_json_is_written_does_not_count(by_stranger: ByStranger) -> None:
    turned = dict(reversed(document().items()))
    for text in (
        json.dumps(turned),
        json.dumps(turned, indent=7, ensure_ascii=False),
        json.dumps(turned, sort_keys=True),
    ):
        assert by_assent(text.encode()) == by_stranger(text.encode()) == Answer(0)


@pytest.mark.parametrize("sizes", [(6, 9), (9, 9), (9, 10), (9, 256), (200, 300), (256, 257), (9, 70_000)])
def test_both_accept_a_log_that_went_on(sizes: tuple[int, int], by_stranger: ByStranger, tmp_path: Path) -> None:
    small, large = sizes
    copied = Log(large).publish(tmp_path / "log")
    data = sample(5, small)
    assert by_assent(data, log=copied) == by_stranger(data, log=copied) == Answer(0)
    # and an old checkpoint from elsewhere, which alone could not be compared
    old = Log(4).checkpoint
    assert by_assent(data, log=copied, checkpoint=old) == by_stranger(data, log=copied, checkpoint=old) == Answer(0)


def test_without_a_key_neither_says_valid(by_stranger: ByStranger, tmp_path: Path) -> None:
    log = Log(12).publish(tmp_path / "log")
    for answer in (
        by_assent(sample(), key=None),
        by_assent(sample(), key=None, log=log),
        by_stranger(sample(), key=None),
    ):
        assert answer.status == 4
        assert "no key was given" in answer.reason


# every change of every value


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _leaves(child, (*path, key))
    if path:
        yield path


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def _changed(chance: random.Random, value: Any) -> Any:
    if isinstance(value, str) and value:
        place = chance.randrange(len(value))
        letter = chance.choice([letter for letter in "abcXYZ019 \né" if letter != value[place]])
        return value[:place] + letter + value[place + 1 :]
    return chance.choice([other for other in (None, True, 0, 1.5, [], {}, "x") if other != value])


def _flip(chance: random.Random, holder: Any, key: Any) -> None:
    holder[key] = _changed(chance, holder[key])


def _delete(chance: random.Random, holder: Any, key: Any) -> None:
    del holder[key]


def _replace(chance: random.Random, holder: Any, key: Any) -> None:
    holder[key] = chance.choice(
        [other for other in (None, False, 7, ["x"], {"@value": "x"}, "") if other != holder[key]]
    )


def _double(chance: random.Random, holder: Any, key: Any) -> None:
    if isinstance(holder, list):
        holder.append(copy.deepcopy(holder[key]))
    else:
        holder[f"{key}x"] = copy.deepcopy(holder[key])


CHANGES: list[Callable[[random.Random, Any, Any], None]] = [_flip, _delete, _replace, _double]


@pytest.mark.parametrize("change", CHANGES)
def test_both_reject_a_change_of_any_value(change: Callable[..., None], by_stranger: ByStranger) -> None:
    chance = random.Random(f"receipt {change.__name__}")
    paths = list(_leaves(document()))
    assert len(paths) > 250
    for path in paths:
        changed = copy.deepcopy(document())
        change(chance, _at(changed, path[:-1]), path[-1])
        _both_reject(json.dumps(changed).encode(), by_stranger, path)


def _both_reject(data: bytes, by_stranger: ByStranger, what: object, **given: Any) -> None:
    ours, theirs = by_assent(data, **given), by_stranger(data, **given)
    assert ours.status in (1, 2), (what, ours)
    assert theirs.status in (1, 2), (what, theirs)
    assert ours.reason, what
    assert theirs.reason, what


def test_both_reject_a_change_of_any_byte(by_stranger: ByStranger) -> None:
    """Spaces between the words of JSON mean nothing, so they are left alone; everything else is tried by chance."""
    chance = random.Random("bytes")
    data = sample()
    places = [place for place in range(len(data)) if not data[place : place + 1].isspace()]
    for place in chance.sample(places, 400):
        other = chance.choice([byte for byte in range(256) if byte != data[place]])
        _both_reject(data[:place] + bytes([other]) + data[place + 1 :], by_stranger, place)


def test_both_reject_a_file_that_is_cut_off(by_stranger: ByStranger) -> None:
    data = sample().rstrip()
    for end in (0, 1, 2, *random.Random("ends").sample(range(3, len(data)), 60), len(data) - 1):
        _both_reject(data[:end], by_stranger, end)


def test_both_reject_a_change_of_any_line_of_the_proof(by_stranger: ByStranger) -> None:
    chance = random.Random("proof")
    lines = document()["evidence"]["proof"].split("\n")
    assert len(lines) > 10
    for number, line in enumerate(lines[:-1]):
        # the last line is the signature: said twice it is still one, and both take it for that
        twice = [] if number == len(lines) - 2 else [[line, line]]
        for made in ([_changed(chance, line) if line else "x"], [], *twice):
            changed = copy.deepcopy(document())
            changed["evidence"]["proof"] = "\n".join([*lines[:number], *made, *lines[number + 1 :]])
            _both_reject(json.dumps(changed).encode(), by_stranger, (number, made))


def test_both_reject_a_key_that_stands_twice(by_stranger: ByStranger) -> None:
    text = sample().decode()
    for key in ('"dct:created"', '"evidence"', '"salt"', '"dpv:hasPurpose"'):
        assert text.count(key) >= 1
        _both_reject(text.replace(key, f'{key}: "x", {key}', 1).encode(), by_stranger, key)


# true parts that do not belong together


def _forged(receipt: Receipt) -> bytes:
    """A document that fits its own evidence: whoever forges it does so with care."""
    return encode_receipt(write_receipt(receipt))


TRUE = Log().receipt(5)
OTHER_TERMS = replace(TERMS, storage_duration="P50Y")
FORGERIES = {
    "another subject": replace(TRUE, record=replace(RECORD, subject="0" * 32)),
    "another act": replace(TRUE, record=replace(RECORD, act="decline")),
    "another time": replace(TRUE, record=replace(RECORD, at=RECORD.at.replace(year=2025))),
    "another notice": replace(TRUE, record=replace(RECORD, notice="sha256:" + "9" * 64)),
    "another order of options": replace(TRUE, record=replace(RECORD, options=("allow", "decline"))),
    "wider terms": replace(TRUE, record=replace(RECORD, terms=OTHER_TERMS.digest), terms=OTHER_TERMS),
    "another salt": replace(TRUE, salt=salt_of(6)),
    "a neighbour's proof": replace(TRUE, proof=Log().receipt(6).proof),
    "a leaf beyond the log": replace(TRUE, proof=replace(TRUE.proof, index=9)),
    "signed by a stranger": Log(signer=STRANGER).receipt(5),
    "signed for another log": Log(signer=new_signer("other.example.com", bytes(32))).receipt(5),
    "a forked log": replace(TRUE, proof=replace(TRUE.proof, checkpoint=Log(forged=2).checkpoint)),
    "a later checkpoint": replace(TRUE, proof=replace(TRUE.proof, checkpoint=Log(12).checkpoint)),
    "no signature": replace(
        TRUE, proof=replace(TRUE.proof, checkpoint=TRUE.proof.checkpoint.rpartition("\n\n")[0] + "\n\n")
    ),
    "extra data": replace(TRUE, proof=replace(TRUE.proof, extra=b"trust me")),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_both_reject_true_parts_that_do_not_belong_together(forgery: str, by_stranger: ByStranger) -> None:
    _both_reject(_forged(FORGERIES[forgery]), by_stranger, forgery)


def test_both_reject_the_terms_of_another_digest_or_purpose(by_stranger: ByStranger) -> None:
    changed = document()
    changed["evidence"]["terms"] = OTHER_TERMS.encode().decode()
    _both_reject(json.dumps(changed).encode(), by_stranger, "terms")
    for_safety = replace(TERMS, purpose="safety")
    evidence = document()["evidence"]
    changed["evidence"]["record"] = evidence["record"].replace(TERMS.digest, for_safety.digest)
    changed["evidence"]["terms"] = for_safety.encode().decode()
    _both_reject(json.dumps(changed).encode(), by_stranger, "purpose")


def test_both_reject_another_key(by_stranger: ByStranger) -> None:
    _both_reject(sample(), by_stranger, "key", key=STRANGER)


# what is compared with elsewhere


def test_both_tell_a_fork_by_a_checkpoint_from_elsewhere(by_stranger: ByStranger) -> None:
    assert (
        by_assent(sample(), checkpoint=Log().checkpoint)
        == by_stranger(sample(), checkpoint=Log().checkpoint)
        == Answer(0)
    )
    _both_reject(sample(), by_stranger, "fork", checkpoint=Log(forged=2).checkpoint)
    _both_reject(sample(), by_stranger, "stranger", checkpoint=Log(signer=STRANGER).checkpoint)
    _both_reject(sample(), by_stranger, "not a checkpoint", checkpoint="hello\n")
    assert "two" in by_assent(sample(), checkpoint=Log(forged=2).checkpoint).reason


@pytest.mark.parametrize("size", [4, 8, 12])
def test_neither_compares_checkpoints_of_two_sizes_without_the_log(size: int, by_stranger: ByStranger) -> None:
    for answer in (
        by_assent(sample(), checkpoint=Log(size).checkpoint),
        by_stranger(sample(), checkpoint=Log(size).checkpoint),
    ):
        assert answer.status == 4
        assert "--log" in answer.reason or "without the log" in answer.reason


COPIES: dict[str, Callable[[Path], Path]] = {
    "stale": lambda folder: Log(8).publish(folder),
    "forked": lambda folder: Log(forged=2).publish(folder),
    "forked later": lambda folder: Log(300, forged=2).publish(folder),
    "forked at the choice": lambda folder: Log(300, forged=5).publish(folder),
    "signed by a stranger": lambda folder: Log(300, signer=STRANGER).publish(folder),
}


@pytest.mark.parametrize("copied", COPIES)
def test_both_reject_a_copy_that_does_not_go_on(copied: str, by_stranger: ByStranger, tmp_path: Path) -> None:
    _both_reject(sample(), by_stranger, copied, log=COPIES[copied](tmp_path / "log"))


def test_both_reject_a_copy_with_a_changed_tile(by_stranger: ByStranger, tmp_path: Path) -> None:
    log = Log(300).publish(tmp_path / "log")
    tile = log / "tile/0/000"
    good = tile.read_bytes()
    for data in (good[:-1] + b"x", good[:32], bytes([good[0] ^ 1]) + good[1:]):
        tile.write_bytes(data)
        _both_reject(sample(), by_stranger, len(data), log=log)


def test_a_server_may_drop_a_partial_tile_once_the_full_one_is_there(by_stranger: ByStranger, tmp_path: Path) -> None:
    log = Log(600).publish(tmp_path / "log")
    Log(300).publish(log)
    (log / "tile/0/001.p/44").unlink()
    assert (log / "tile/0/001").is_file()
    assert by_assent(sample(), log=log) == by_stranger(sample(), log=log) == Answer(0)


def test_both_reject_a_copy_put_together_from_two_histories(by_stranger: ByStranger, tmp_path: Path) -> None:
    """Below, the leaves that the person knows; above, the hashes of a log in which they never were."""
    log = Log(300).publish(tmp_path / "log")
    forged = Log(300, forged=2).publish(tmp_path / "forged")
    for path in ("checkpoint", "tile/1/000.p/1"):
        (log / path).write_bytes((forged / path).read_bytes())
    _both_reject(sample(), by_stranger, "two histories", log=log)


def test_both_say_that_a_copy_lacks_a_tile(by_stranger: ByStranger, tmp_path: Path) -> None:
    log = Log(300).publish(tmp_path / "log")
    (log / "tile/0/000").unlink()
    assert {answer.status for answer in (by_assent(sample(), log=log), by_stranger(sample(), log=log))} == {4}


def test_a_log_without_a_checkpoint_is_refused_by_name(tmp_path: Path) -> None:
    log = Log(9).publish(tmp_path / "log")
    (log / "checkpoint").write_bytes(b"\xff\n")
    with pytest.raises(Invalid, match="not UTF-8"):
        open_copy(log)
    assert ORIGIN in Log(9).checkpoint
