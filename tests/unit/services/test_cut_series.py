"""The numbers of a cut: a refresh costs what changed and equals a cut from scratch; what may not be used is said."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from cut_world import KEY, NOW, World, chat, said, world
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cut_files import files_of, lines_of, rows_of

from assent.domain.errors import NotFound, Refused
from assent.pipeline.recipe import parse_recipe
from assent.pipeline.workings import WORKINGS
from assent.services.cut.differing import compare, find_cut
from assent.services.cut.freshness import Freshness, freshness
from assent.services.cut.retire import retire
from assent.services.cut.take import NothingEligible
from assent.store.records import Hold

HOUR = timedelta(hours=1)
COPIES = parse_recipe("[dedup]\n[balance]\n[split]\nvalidation = 2000\ntest = 2000\n", "test")
TALK = "The kettle was on when the letter came, and nobody thought of reading it before the tea was poured and cold."


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home") as made:
        for subject in ("ann", "bob", "cem"):
            made.person(subject, allows=True)
        made.keep(chat("a1"), chat("a2"), chat("b1", "bob"), chat("c1", "cem"))
        yield made


def shards(folder: Path) -> dict[str, bytes]:
    return {name: content for name, content in files_of(folder).items() if name.startswith("data/")}


def inodes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in folder.glob("data/*")}


def fresh(acme: World, number: int | None = None, at: object = NOW) -> Freshness:
    return freshness(acme.store, acme.columns, acme.policies, find_cut(acme.store, "spring", number), at)


def test_a_number_without_changes_is_the_same_files(acme: World) -> None:
    one, two = acme.cut("one", buckets=4), acme.cut("two")
    assert shards(acme.folder / "one") == shards(acme.folder / "two")
    assert inodes(acme.folder / "one") == inodes(acme.folder / "two")
    assert one.manifest["merkle_root"] == two.manifest["merkle_root"]
    assert (one.manifest["number"], two.manifest["number"]) == (1, 2)


def test_a_change_writes_the_shards_of_its_people_only(acme: World) -> None:
    acme.cut("one", buckets=8)
    acme.keep(chat("b2", "bob"))
    acme.cut("two")
    before, after = inodes(acme.folder / "one"), inodes(acme.folder / "two")
    written = {name for name in after if before.get(name) != after[name]}
    assert len({name.split("-")[-1].partition(".")[0] for name in written}) == 1
    assert {row["conversation"] for row in rows_of(acme.folder / "two")} == {
        "test:a1",
        "test:a2",
        "test:b1",
        "test:b2",
        "test:c1",
    }


@pytest.mark.parametrize("recipe", [None, COPIES], ids=["plain", "elected"])
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(["withdraw", "grow", "new", "delete", "hold", "twin"]), min_size=1, max_size=5), st.data()
)
def test_a_refresh_equals_a_cut_from_scratch(
    tmp_path_factory: pytest.TempPathFactory, recipe: object, changes: list[str], data: st.DataObject
) -> None:
    with world(tmp_path_factory.mktemp("series") / "home") as home:
        names = ["ann", "bob", "cem", "dan"]
        for subject in names:
            home.person(subject, allows=True)
        home.keep(*(chat(f"{subject}{n}", subject) for subject in names for n in range(3)))
        home.cut("one", buckets=4, recipe=recipe)
        for number, change in enumerate(changes):
            change_something(home, change, data.draw(st.sampled_from(names)), number)
        later = NOW + HOUR
        try:
            home.cut("two", at=later, now=later)
        except NothingEligible:
            with pytest.raises(NothingEligible):
                home.cut("scratch", name="scratch", at=later, now=later, buckets=4, recipe=recipe)
            return
        home.cut("scratch", name="scratch", at=later, now=later, buckets=4, recipe=recipe)
        assert shards(home.folder / "two") == shards(home.folder / "scratch")
        two, scratch = (list(home.store.members(name, number)) for name, number in (("spring", 2), ("scratch", 1)))
        assert two == scratch


def change_something(home: World, change: str, subject: str, number: int) -> None:
    soon = NOW + timedelta(minutes=number + 1)
    if change == "withdraw":
        home.choose(subject, "withdraw", soon, name=f"act-{number}")
    elif change == "grow":
        first = chat(f"{subject}0", subject)
        more = (said(10 + number, f"and {number}?"), said(30 + number, f"so {number}", by="assistant"))
        home.keep(type(first)(**{**{f: getattr(first, f) for f in first.__slots__}, "parts": (*first.parts, *more)}))
    elif change == "new":
        home.keep(chat(f"{subject}-new-{number}", subject))
    elif change == "delete":
        home.store.request_deletion(f"test:{subject}1", soon)
    elif change == "hold":
        home.store.place_hold(
            Hold(f"h{number}", "m", "person", subject, soon, "counsel", "order", NOW + timedelta(days=90))
        )
    else:
        home.keep(chat(f"{subject}-twin-{number}", subject, said(1, TALK), said(2, TALK[::-1], by="assistant")))


def test_when_the_kept_copy_leaves_its_twin_takes_its_place(tmp_path: Path) -> None:
    with world(tmp_path / "home") as home:
        for subject in ("ann", "bob"):
            home.person(subject, allows=True)
            home.keep(chat(subject, subject, said(1, TALK), said(2, TALK[::-1], by="assistant")))
        first = home.cut("one", recipe=COPIES, buckets=4)
        (kept,) = {row["conversation"] for row in rows_of(home.folder / "one")}
        assert first.manifest["counts"]["by_block"]["elect"]["dropped"] == {"repeats another": 2}
        home.choose(kept.removeprefix("test:"), "withdraw", NOW, name="leaving")
        home.cut("two", at=NOW + HOUR, now=NOW + HOUR)
        (other,) = {row["conversation"] for row in rows_of(home.folder / "two")}
        assert {kept, other} == {"test:ann", "test:bob"}


def test_a_text_that_somebody_declined_is_left_out_of_others_too_where_the_recipe_is_strict(tmp_path: Path) -> None:
    with world(tmp_path / "home") as home:
        for subject in ("ann", "bob"):
            home.person(subject, allows=True)
            home.keep(chat(subject, subject, said(1, TALK), said(2, TALK[::-1], by="assistant")))
        home.keep(chat("other"))
        home.choose("bob", "decline", NOW, name="no")
        later = {"at": NOW + HOUR, "now": NOW + HOUR}
        home.cut("plain", name="plain", recipe=COPIES, **later)
        assert {row["conversation"] for row in rows_of(home.folder / "plain")} == {"test:ann", "test:other"}
        strict = parse_recipe("[dedup]\nstrict_twin = true\n", "strict")
        counts = home.cut("strict", name="strict", recipe=strict, **later).manifest["counts"]
        assert {row["conversation"] for row in rows_of(home.folder / "strict")} == {"test:other"}
        assert counts["excluded"]["twin of a declined text"] == 2
        assert [path.name for path in (home.folder / "cuts" / "strict").iterdir() if path.name.startswith("tmp")] == []


def test_tokens_are_counted_where_the_recipe_asks(acme: World) -> None:
    counts = acme.cut("one", recipe=parse_recipe("[blocks.tokens]", "tokens")).manifest["counts"]
    assert counts["by_block"]["tokens"]["counts"]["tokens"] == sum(
        row["tokens"] for row in rows_of(acme.folder / "one")
    )
    assert all(row["tokens"] > 0 for row in rows_of(acme.folder / "one"))


def test_nobody_is_in_two_splits(tmp_path: Path) -> None:
    with world(tmp_path / "home") as home:
        for n in range(40):
            home.person(f"s{n}", allows=True)
            home.keep(*(chat(f"c{n}-{m}", f"s{n}") for m in range(2)))
        manifest = home.cut("one", recipe=COPIES, buckets=4).manifest
        splits: dict[str, set[str]] = {}
        for path in (home.folder / "one").glob("data/parts-*.parquet"):
            people = set(pa.parquet.read_table(path)["person"].to_pylist())
            splits.setdefault(path.name.split("-")[1], set()).update(people)
        assert set(splits) == {"train", "validation", "test"} == set(manifest["splits"])
        assert sum(map(len, splits.values())) == 40 == manifest["counts"]["people"]


@pytest.mark.parametrize("stopped_at", ["cutting for training", "comparing", "writing"])
def test_a_cut_that_was_stopped_goes_on_where_it_was(acme: World, stopped_at: str) -> None:
    read: list[int] = []

    @contextmanager
    def stopping(what: str, _total: int) -> Iterator[Callable[[int], None]]:
        def advance(_amount: int) -> None:
            if what == stopped_at and len(read) > 0:
                raise KeyboardInterrupt
            read.append(1)

        yield advance

    with pytest.raises(KeyboardInterrupt):
        acme.cut("one", stopping, buckets=4)
    assert not (acme.folder / "one").exists()
    acme.cut("one")
    with world(acme.folder.parent / "other") as other:
        for subject in ("ann", "bob", "cem"):
            other.person(subject, allows=True)
        other.keep(chat("a1"), chat("a2"), chat("b1", "bob"), chat("c1", "cem"))
        other.cut("one", buckets=4)
        assert files_of(acme.folder / "one") == files_of(other.folder / "one")


def test_each_event_makes_the_rows_of_its_person_stale_at_once(acme: World) -> None:
    acme.cut("one")
    assert (fresh(acme).fresh, fresh(acme).rows) == (True, 8)
    acme.choose("ann", "withdraw", NOW + HOUR, name="act")
    acme.store.place_hold(Hold("h", "m", "person", "bob", NOW + HOUR, "counsel", "order", NOW + timedelta(days=90)))
    acme.store.request_deletion("test:c1", NOW + HOUR)
    found = fresh(acme, at=NOW + 2 * HOUR)
    assert found.stale == {"withdrawn": 4, "deleted": 2, "hold": 2}
    assert not found.fresh
    assert fresh(acme, at=NOW).fresh
    with pytest.raises(NothingEligible):
        acme.cut("two", at=NOW + 2 * HOUR, now=NOW + 2 * HOUR)


def test_the_difference_of_two_numbers_names_who_left(acme: World) -> None:
    acme.cut("one")
    acme.choose("cem", "withdraw", NOW, name="act")
    acme.cut("two", at=NOW + HOUR, now=NOW + HOUR)
    found = compare(acme.store, "spring", 1, 2)
    assert (found.joined, found.left) == (0, 2)
    assert found.conversations["left"] == {"test:c1"}


def test_the_last_number_takes_the_key_with_it_and_the_ledger_says_so(acme: World) -> None:
    acme.cut("one")
    acme.cut("two")
    keys = acme.folder / "cuts"
    first = retire(acme.store, find_cut(acme.store, "spring", 1), keys, salt=bytes(32), now=NOW)
    assert (first.key_destroyed, (acme.folder / "one").exists(), (keys / "spring" / "key").exists()) == (
        False,
        False,
        True,
    )
    assert len(lines_of(acme.folder / "two")) == 4
    last = retire(acme.store, find_cut(acme.store, "spring", 2), keys, salt=bytes(32), now=NOW)
    assert (last.key_destroyed, (keys / "spring").exists()) == (True, False)
    acts = [json.loads(leaf.record)["act"] for leaf in acme.store.cut_leaves("spring", 2)]
    assert acts == ["made", "retired"]
    assert acme.store.cuts_with_person("ann") == acme.store.cuts_named("spring")
    assert all(cut.retired_at == NOW for cut in acme.store.cuts_named("spring"))
    third = acme.cut("three", key=bytes(32))
    assert third.manifest["number"] == 3
    assert acme.store.count_members("spring", 3) == 8


def test_a_folder_that_holds_something_else_is_not_removed(acme: World) -> None:
    acme.cut("one")
    (acme.folder / "one" / "manifest.json").write_text("{}")
    with pytest.raises(Refused, match="holds something else"):
        retire(acme.store, find_cut(acme.store, "spring"), acme.folder / "cuts", salt=bytes(32), now=NOW)
    assert (acme.folder / "one").exists()
    assert find_cut(acme.store, "spring").retired_at is None


def test_a_series_keeps_its_recipe_and_its_purpose(acme: World) -> None:
    acme.cut("one")
    with pytest.raises(Refused, match="another recipe"):
        acme.cut("two", recipe=COPIES)
    assert acme.cut("two", recipe=COPIES, afresh=True).manifest["number"] == 2
    with pytest.raises(Refused, match="another purpose"):
        acme.cut("three", purpose="safety")


def test_a_cut_that_nobody_made_is_not_found(acme: World) -> None:
    acme.cut("one")
    with pytest.raises(NotFound, match="no cut named"):
        find_cut(acme.store, "summer")
    with pytest.raises(NotFound, match="has no number `7`"):
        find_cut(acme.store, "spring", 7)


def test_workings_hold_the_rows_of_nobody_who_is_not_in_the_choice(acme: World) -> None:
    acme.cut("one", buckets=2)
    acme.choose("ann", "withdraw", NOW, name="act")
    acme.cut("two", at=NOW + HOUR, now=NOW + HOUR)
    workings = b"".join(path.read_bytes() for path in (acme.folder / "cuts" / "spring" / WORKINGS).iterdir())
    assert b"test:b1" in workings
    assert b"test:a1" not in workings


def test_lost_workings_are_made_again_and_the_record_stays_right(acme: World) -> None:
    import shutil

    acme.cut("one")
    shutil.rmtree(acme.folder / "cuts" / "spring")
    acme.choose("cem", "withdraw", NOW, name="act")
    acme.cut("two", at=NOW + HOUR, now=NOW + HOUR, key=KEY)
    assert {row.conversation for row in acme.store.members("spring", 1)} == {"test:a1", "test:a2", "test:b1", "test:c1"}
    assert {row.conversation for row in acme.store.members("spring", 2)} == {"test:a1", "test:a2", "test:b1"}
