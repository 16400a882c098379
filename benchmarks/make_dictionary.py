"""Make the vault's zstd dictionary from the talk that assent's demo makes up: nobody ever said any of it.

python -m benchmarks.make_dictionary [FILE]

The same seed gives the same texts, and one version of zstd gives the same dictionary. A dictionary that ships is
never changed again: its id stands in every record it helped to seal.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import zstandard

from assent.services.demo.people import draw_people
from assent.services.demo.talk import draw_talk

SEED = 20261122
TALKS = 3_000
BYTES = 32_768
IDENTITY = 32_768
"""The first id that a program may give without asking (RFC 8878, section 3.1.1.1.3)."""


def texts(seed: int, talks: int) -> list[str]:
    """Draw talks and return what is said in them, each text once."""
    chance = random.Random(seed)
    people = draw_people(chance, 100)
    said = [
        block.text
        for number in range(talks)
        for turn in draw_talk(chance, people[number % len(people)]).turns
        for block in turn.blocks
    ]
    return [text for text in dict.fromkeys(said) if text]


def train(said: list[str]) -> bytes:
    """Train a dictionary on texts."""
    samples = [text.encode() for text in said]
    return zstandard.train_dictionary(BYTES, samples, dict_id=IDENTITY, level=3).as_bytes()


def main() -> None:
    """Write the dictionary and say what it brings on talk it was not trained on."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "src/assent/vault/dictionary.zstd")
    said = texts(SEED, TALKS)
    target.write_bytes(train(said))
    dictionary = zstandard.ZstdCompressionDict(target.read_bytes())
    known = set(said)
    fresh = [text.encode() for text in texts(SEED + 1, TALKS // 4) if text not in known]
    total = sum(map(len, fresh))
    for name, compressor in (
        ("alone", zstandard.ZstdCompressor(level=3)),
        ("with it", zstandard.ZstdCompressor(level=3, dict_data=dictionary)),
    ):
        print(f"{name}: {total / sum(len(compressor.compress(text)) for text in fresh):.2f} times smaller")
    print(f"{len(said):,} texts of {sum(map(len, said)):,} characters, {target.stat().st_size:,} bytes, id {IDENTITY}")


if __name__ == "__main__":
    main()
