"""Texts that say the same are found, none else, and the smallest id among the eligible is kept."""

import random
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from assent.domain.errors import Invalid, NotFound
from assent.pipeline.dedup.components import Components
from assent.pipeline.dedup.elect import elect, strict_twins
from assent.pipeline.dedup.sketch import Sketches, sketch, sketch_rows, spool
from assent.pipeline.dedup.terms import DedupTerms
from assent.pipeline.write import PARTS

TERMS = DedupTerms()
STORY = "the quick brown fox jumps over the lazy dog while five wizards mix a large jug of quartz in the old barn"


def clusters(*texts: str, terms: DedupTerms = TERMS) -> list[int]:
    return elect(range(len(texts)), Sketches.of([sketch(texts, terms)]), terms).cluster.tolist()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (STORY, STORY.upper().replace(" ", ",\n\t")),
        ("Caf\u00e9 au lait", "cafe\u0301 au LAIT"),
        ("right\u200dto\u200eleft", "righttoleft"),
        ("", ""),
        ("...", "..."),
        ("yes", "Yes!"),
    ],
)
def test_case_spaces_punctuation_and_form_do_not_matter(one: str, other: str) -> None:
    assert clusters(one, other) == [0, 0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("🙂", "🙃"),
        ("日本語", "日本酒"),
        ("สวัสดี", "สบายดี"),
        ("a < b", "a > b"),
        ("", "."),
        ("…", "!"),
        ("yes", "no"),
        ("a b", "ab"),
    ],
)
def test_short_texts_that_differ_are_apart(one: str, other: str) -> None:
    assert clusters(one, other) == [0, 1]


def test_the_smallest_of_a_chain_is_kept_for_all_of_it() -> None:
    words = [f"word{place}" for place in range(100)]
    first, middle, last = words[:], words[:], words[:]
    middle[10:12] = "changed", "here"
    last[10:12] = "changed", "here"
    last[80:82] = "and", "there"
    chain = [" ".join(text) for text in (first, middle, last)]
    assert clusters(*chain) == [0, 0, 0]
    assert clusters(chain[0], chain[2]) == [0, 1]


def shingles(text: str) -> set[tuple[str, ...]]:
    """The definition that `assent dedup --help` gives, for plain English."""
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[place : place + 5]) for place in range(max(1, len(words) - 4))}


def planted(count: int, seed: int) -> list[str]:
    """Texts of 20 to 400 words, each with up to three copies with 0.2 % to 5 % of the words changed."""
    chance = random.Random(seed)
    vocabulary = ["".join(chance.choices("abcdefghijklmnoprstuvw", k=chance.randint(2, 9))) for _ in range(5_000)]
    found = []
    for _ in range(count):
        words = chance.choices(vocabulary, k=chance.randint(20, 400))
        found.append(" ".join(words))
        for _ in range(chance.randint(0, 3)):
            copy = words[:]
            for place in chance.sample(range(len(copy)), max(1, round(len(copy) * chance.uniform(0.002, 0.05)))):
                copy[place] = chance.choice(vocabulary)
            found.append(" ".join(copy))
    chance.shuffle(found)
    return found


def exact_pairs(texts: list[str], threshold: float) -> set[tuple[int, int]]:
    sets = [shingles(text) for text in texts]
    holders: dict[tuple[str, ...], list[int]] = {}
    for row, found in enumerate(sets):
        for one in found:
            holders.setdefault(one, []).append(row)
    candidates = {(a, b) for rows in holders.values() for b in rows for a in rows if a < b}
    return {(a, b) for a, b in candidates if len(sets[a] & sets[b]) / len(sets[a] | sets[b]) >= threshold}


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.9])
def test_a_planted_set_agrees_with_exact_jaccard(threshold: float) -> None:
    texts = planted(500, seed=3)
    pairs = exact_pairs(texts, threshold)
    cluster = clusters(*texts, terms=DedupTerms(threshold))
    assert len(pairs) > 100
    assert sum(cluster[a] == cluster[b] for a, b in pairs) / len(pairs) >= 0.98
    joined = {row for pair in pairs for row in pair}
    moved = [row for row, kept in enumerate(cluster) if row != kept]
    assert all(row in joined for row in moved)


def test_the_strict_twin_rule_sets_aside_what_also_belongs_to_somebody_who_declined() -> None:
    near = STORY.replace("old barn", "red barn")
    sketches = Sketches.of([sketch([STORY, near, "something else entirely"], TERMS)])
    denied = Sketches.of([sketch([near], TERMS)])
    assert strict_twins(sketches, denied, TERMS).tolist() == [True, True, False]
    found = elect([1, 2, 3], sketches, TERMS, denied=denied)
    assert found.cluster.tolist() == [-1, -1, 2]
    assert found.counts() == {"kept": 1, "repeats": 0, "declined_twins": 2}


def test_a_later_copy_is_kept_when_the_person_of_the_first_leaves() -> None:
    components = Components(["a", "b", "c"], Sketches.of([sketch([STORY, "other", STORY.title()], TERMS)]), TERMS)
    assert components.kept_for("c") == "a"
    assert components.members("c") == ["a", "c"]
    assert components.remove(["a"]) == ["c"]
    assert "a" not in components
    assert len(components) == 2
    components.add(["a"], Sketches.of([sketch([STORY], TERMS)]))
    assert components.kept_for("c") == "a"


def test_components_say_what_they_do_not_know(tmp_path: Path) -> None:
    components = Components([1, 2], Sketches.of([sketch(["one", "two"], TERMS)]), TERMS)
    with pytest.raises(NotFound):
        components.remove([1, 3])
    assert 1 in components
    with pytest.raises(Invalid, match="there already"):
        components.add([2], Sketches.of([sketch(["two"], TERMS)]))
    with pytest.raises(NotFound, match=r"components\.arrow"):
        Components.load(tmp_path, TERMS)
    components.save(tmp_path)
    with pytest.raises(Invalid, match="other terms"):
        Components.load(tmp_path, DedupTerms(0.9))
    assert Components.load(tmp_path, TERMS).kept_for(2) == 2


def test_what_left_is_not_saved(tmp_path: Path) -> None:
    components = Components([1, 2], Sketches.of([sketch([STORY, STORY], TERMS)]), TERMS)
    components.remove([1])
    components.save(tmp_path)
    whole = (tmp_path / "components.arrow").stat().st_size
    Components([2], Sketches.of([sketch([STORY], TERMS)]), TERMS).save(tmp_path)
    assert (tmp_path / "components.arrow").stat().st_size == whole


@pytest.mark.parametrize(
    ("problem", "match"),
    [
        (lambda: elect(["b", "a"], Sketches.of([sketch(["x", "y"], TERMS)]), TERMS), "not sorted"),
        (lambda: elect([1, 1], Sketches.of([sketch(["x", "y"], TERMS)]), TERMS), "not sorted"),
        (lambda: elect([1], Sketches.of([sketch(["x", "y"], TERMS)]), TERMS), "`1` ids for `2`"),
        (lambda: Components([1, "b"], Sketches.of([sketch(["x", "y"], TERMS)]), TERMS), "all numbers or all text"),
        (lambda: DedupTerms(0.1), r"`0\.1`"),
        (lambda: DedupTerms(words=0), "`0` words"),
    ],
)
def test_what_cannot_be_compared_is_refused(problem: Callable[[], object], match: str) -> None:
    with pytest.raises(Invalid, match=match):
        problem()


def test_sketches_in_files_are_those_in_memory(tmp_path: Path) -> None:
    batches = [sketch([STORY, ""], TERMS), sketch([], TERMS), sketch(["日本"], TERMS)]
    with spool(tmp_path) as files:
        for batch in batches:
            files.add(batch)
        mapped = files.read()
    assert mapped.to_batch().equals(Sketches.of(batches).to_batch())
    assert mapped.take(np.array([2])).to_batch().equals(batches[2])


def test_nothing_at_all_is_elected_among_nothing(tmp_path: Path) -> None:
    with spool(tmp_path) as files:
        assert len(elect([], files.read(), TERMS).keep) == 0
    assert len(Sketches.of([])) == 0
    Components([], Sketches.of([]), TERMS).save(tmp_path)
    assert len(Components.load(tmp_path, TERMS)) == 0


def rows(*parts: tuple[str, str, str]) -> pa.RecordBatch:
    columns = {
        "conversation": [c for c, _, _ in parts],
        "person": [p for _, p, _ in parts],
        "text": [t for *_, t in parts],
    }
    batch = pa.RecordBatch.from_pydict(columns)
    return pa.RecordBatch.from_arrays(
        [batch.column(name).cast(PARTS.field(name).type) for name in columns], names=list(columns)
    )


def test_a_conversation_is_sketched_over_its_parts_and_a_word_never_crosses_them() -> None:
    found = sketch_rows(rows(("c1", "p", "the quick brown"), ("c1", "p", "fox jumps over"), ("c2", "q", "")), TERMS)
    whole = sketch(["the quick brown fox jumps over", ""], TERMS)
    assert found.column("conversation").to_pylist() == ["c1", "c2"]
    assert found.column("person").to_pylist() == ["p", "q"]
    assert found.column("shingles").equals(whole.column("shingles"))
    glued = sketch_rows(rows(("c1", "p", "the quick brownfox jumps over")), TERMS)
    assert not glued.column("shingles").equals(found.column("shingles").slice(0, 1))


def test_masked_texts_take_the_place_of_those_with_surrogates() -> None:
    asked = rows(("c1", "p", "call Ann"), ("c2", "q", "call Bob"))
    masked = pa.array(["call NAME", "call NAME"])
    found = elect(
        ["c1", "c2"], Sketches.of([sketch_rows(asked, TERMS, masked).select(["digest", "bands", "shingles"])]), TERMS
    )
    assert found.cluster.tolist() == [0, 0]


def test_a_sketch_is_pinned() -> None:
    """Whoever changes a hash, a segment or a bin must also change `SKETCH_VERSION`."""
    found = sketch([STORY, "naïve Ærø 日本 🙂 don't x_1"], TERMS)
    assert [sum(row) for row in found.column("shingles").to_pylist()] == PINNED_SHINGLES
    assert [sum(row) % 2**61 for row in found.column("bands").to_pylist()] == PINNED_BANDS


PINNED_SHINGLES = [46597499766, 2542114482]
PINNED_BANDS = [618485070773704228, 557341871615850711]


def crowd(count: int, seed: int) -> list[str]:
    """Texts of one template of 100 words and 30 of their own: a similarity of 0.58; every tenth has a near copy."""
    chance = random.Random(seed)
    template = " ".join(f"rule{place}" for place in range(100))
    found = [f"{template} " + " ".join(f"word{chance.randrange(20_000)}" for _ in range(30)) for _ in range(count)]
    return found + [text.rsplit(" ", 1)[0] + " bye" for text in found[::10]]


def test_many_texts_of_one_template_are_told_apart_and_their_copies_found() -> None:
    texts = crowd(600, seed=2)
    expected = [*range(600), *range(0, 600, 10)]
    assert clusters(*texts) == expected
    sketches = Sketches.of([sketch(texts, TERMS)])
    twins = strict_twins(sketches.take(np.arange(600)), sketches.take(np.arange(600, 660)), TERMS)
    assert np.flatnonzero(twins).tolist() == list(range(0, 600, 10))
    components = Components(range(600), sketches.take(np.arange(600)), TERMS)
    components.add(range(600, 660), sketches.take(np.arange(600, 660)))
    assert components.election()[1].cluster.tolist() == expected
    components.remove(range(0, 600, 10))
    assert len(components) == 600
    assert components.election()[1].keep.all()


def test_many_near_copies_are_one_component() -> None:
    words = [f"word{place}" for place in range(200)]
    texts = [" ".join([*words[:place], "changed", *words[place + 1 :]]) for place in range(0, 200, 2)]
    assert clusters(*texts) == [0] * 100


@pytest.mark.parametrize("seed", range(6))
def test_crowds_of_any_likeness_agree_with_counting_each_pair(seed: int) -> None:
    chance = random.Random(seed)
    template = [f"rule{place}" for place in range(chance.randint(40, 120))]
    texts = []
    for _ in range(80):
        words = template + [f"word{chance.randrange(50)}" for _ in range(chance.randint(0, 15))]
        words[chance.randrange(len(words))] = f"changed{chance.randrange(3_000)}"
        texts.append(" ".join(words))
    sets = [shingles(text) for text in texts]
    kept = list(range(80))
    for row in range(80):
        for other in range(row):
            if kept[row] != kept[other] and len(sets[row] & sets[other]) / len(sets[row] | sets[other]) >= 0.8:
                low, high = sorted((kept[row], kept[other]))
                kept = [low if one == high else one for one in kept]
    assert clusters(*texts) == kept
