"""Whoever leaves, exactly the shards whose rows differ are trained again, from the first slice that does."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from assent.learn.runs.config import parse_config
from assent.learn.runs.data import SlicePlace, Talk, place_of
from assent.learn.runs.model import make_tokenizer
from assent.learn.runs.sharded import Retraining, differing
from assent.learn.runs.template import Template
from assent.learn.runs.tokens import write_rows

CONFIG = """
[run]
seed = {seed}
[model]
size = "tiny"
[train]
packing = {packing}
max_length = 64
[sharding]
shards = {shards}
slices = {slices}
"""
TEXTS = st.sampled_from(["tea", "rain on the roof", "🙂 日本", "", "a long walk " * 12])
# a few words only, so that people often say the same; one in four has no person
CROWDS = st.lists(st.tuples(st.sampled_from([None, "ann", "bob", "cy", "dee", "eve", "flo"]), TEXTS), max_size=16)


def talks(crowd: list[tuple[str | None, str]]) -> list[Talk]:
    return [
        Talk(f"c{number}", who, "", [{"role": "user", "content": "so?"}, {"role": "assistant", "content": text}])
        for number, (who, text) in enumerate(crowd)
    ]


@settings(max_examples=40)
@given(
    crowd=CROWDS,
    leaving=st.sets(st.integers(0, 15)),
    shape=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    seed=st.integers(0, 9),
    packing=st.booleans(),
)
def test_exactly_the_shards_whose_rows_differ_are_trained_again(
    crowd: list[tuple[str | None, str]], leaving: set[int], shape: tuple[int, int], seed: int, packing: bool
) -> None:
    shards, slices = shape
    text = CONFIG.format(seed=seed, shards=shards, slices=slices, packing=str(packing).lower())
    config = parse_config(text, "run.toml")
    tokenizer = make_tokenizer(config)
    template = Template(tokenizer, own=True, assistant_only=True)
    everybody = talks(crowd)
    staying = [talk for number, talk in enumerate(everybody) if number not in leaving]

    def digests(some: list[Talk]) -> dict[SlicePlace, str]:
        with tempfile.TemporaryDirectory() as folder:
            return {place: rows.digest for place, rows in write_rows(some, template, config, Path(folder))[0].items()}

    # whoever leaves takes rows out of one slice: nothing else moves, and no slice is left alone that lost one
    first: dict[int, int] = defaultdict(lambda: slices)
    for number, talk in enumerate(everybody):
        if number in leaving:
            place = place_of(talk.whose, seed, shards, slices)
            first[place.shard] = min(first[place.shard], place.slice)
    expected = tuple(Retraining(shard, number) for shard, number in sorted(first.items()))
    assert differing(digests(everybody), digests(staying)) == expected
    # the order in which files name conversations is nobody's business
    assert digests(staying[::-1]) == digests(staying)
