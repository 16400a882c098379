"""Canaries can be used at no moment, and whatever of one reaches a file of a cut is found."""

import json
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.conformance.store.samples import sweep_all
from tests.stores import new_store

from assent.domain.digests import canonical
from assent.domain.errors import NotFound, Refused
from assent.domain.instants import format_instant
from assent.policy.model import Policy
from assent.policy.parse import parse_policy
from assent.policy.versions import decide_versions, governing
from assent.services.canary.check import Looked, look_for_canaries
from assent.services.canary.marks import found_in, kind_of, owners, sentences_of, text_of
from assent.services.canary.plant import KINDS, Garden, Planted, Seed, Ways, canaries, plant
from assent.services.reconcile.tracers import markers_of
from assent.store.records import Hold, Tracer
from assent.store.sqlite import SqliteStore

ROOT = Path(__file__).resolve().parents[4]
NOW = datetime(2026, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def policy(name: str = "anthropic/2025-10-08") -> Policy:
    return parse_policy((ROOT / f"policies/{name}.toml").read_text("utf-8"), name)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(new_store(tmp_path / "assent.db")) as made:
        yield made


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    """A store with a canary of every kind, for tests that only look."""
    home = tmp_path_factory.mktemp("grown")
    with closing(new_store(home / "assent.db")) as made:
        planted(made)
        yield made


def seeds(of: int = 0) -> dict[str, Seed]:
    return {kind: Seed(f"{of:030}{n:02}", bytes([of, n]) * 16) for n, kind in enumerate(KINDS)}


def planted(store: SqliteStore, *, now: datetime = NOW, of: int = 0, plan: str = "pro") -> Planted:
    garden = Garden([policy()], plan=plan, region="DE", now=now)
    ways = Ways(lambda choices: [store.add_choice(choice) for choice in choices], store.place_hold)
    return plant(store, garden, seeds(of), ways, now=now)


def eligible(store: SqliteStore, canary: Tracer, at: datetime) -> bool:
    found = store.facts_of(canary.conversation)
    assert found
    return any(decide_versions(one, governing([policy()], one, at), at).eligible for one in found)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that looks like a cut, with nothing of a canary in it."""
    made = tmp_path / "cut"
    (made / "data").mkdir(parents=True)
    rows = {"conversation": ["test:a"], "text": ["the patient heron returned"], "marks": [["reasoning"]]}
    pq.write_table(pa.table(rows), made / "data/parts-train-00000.parquet")
    (made / "data/messages-train-00000.jsonl").write_bytes(canonical({"id": "test:a", "messages": []}) + b"\n")
    counts = {"written": 1, "considered": 1}
    said = {"assent_cut": 2, "name": "spring", "number": 1, "purpose": "training", "at": format_instant(NOW)}
    (made / "manifest.json").write_bytes(canonical(said | {"counts": counts, "files": []}))
    return made


def look(folder: Path, store: SqliteStore) -> Looked:
    return look_for_canaries(folder, store, [policy()])


# -- planting ---------------------------------------------------------------------------


def test_a_canary_of_every_kind_is_planted_and_none_may_be_used(store: SqliteStore) -> None:
    found = planted(store)
    assert {kind_of(one) for one in found.canaries} == set(KINDS)
    assert found.left_out == ()
    assert [eligible(store, one, NOW) for one in found.canaries] == [False] * len(KINDS)


def test_each_canary_but_for_its_reason_would_be_used(store: SqliteStore) -> None:
    hold = next(one for one in planted(store).canaries if kind_of(one) == "held")
    store.release_hold(hold.conversation, at=NOW + DAY, by="counsel")
    assert eligible(store, hold, NOW + 2 * DAY)


def test_the_hold_stands_before_its_person_allows(store: SqliteStore) -> None:
    order: list[str] = []

    def enter(choices: list) -> None:
        order.extend(f"{choice.subject.split(':')[1]} {choice.act}" for choice in choices)

    def hold(placed: Hold) -> None:
        assert store.conversation(placed.target or "") is not None
        order.append("hold")

    plant(store, Garden([policy()], plan="pro", region="DE", now=NOW), seeds(), Ways(enter, hold), now=NOW)
    assert order.index("hold") < order.index("held allow")


def test_people_whom_no_policy_lets_in_show_nothing(store: SqliteStore) -> None:
    with pytest.raises(Refused, match="would be in no cut"):
        planted(store, plan="team")
    assert canaries(store) == []


def test_no_shipped_policy_would_let_a_canary_in() -> None:
    told = 0
    for path in sorted(ROOT.glob("policies/*/*.toml")):
        rules = parse_policy(path.read_text("utf-8"), path.name)
        at = max(NOW, rules.effective + 30 * DAY)
        for plan in sorted(rules.plans - rules.business_plans):
            garden = Garden([rules], plan=plan, region="US", now=at)
            with suppress(Refused):
                stories = garden.stories()
                assert not any(garden.eligible(story) for story in stories.values())
                told += len(stories)
    assert told > 50


# -- looking ----------------------------------------------------------------------------


def test_a_clean_cut_holds_none(grown: SqliteStore, folder: Path) -> None:
    looked = look(folder, grown)
    assert (looked.leaks, looked.exit_code, looked.standing.total(), looked.files) == ((), 0, len(KINDS), 3)


def row(canary: Tracer, **more: object) -> dict:
    return {"conversation": "test:a", "text": "nothing", "marks": [], **more}


@pytest.mark.parametrize(
    ("column", "how"),
    [
        (lambda canary: {"text": text_of(canary)}, "text"),
        (lambda canary: {"text": f"... {sentences_of(canary)[2].upper()} ..."}, "text"),
        (lambda canary: {"text": sentences_of(canary)[0].replace(" ", "\n ")}, "text"),
        (lambda canary: {"text": markers_of(canary)[0].decode()}, "text"),
        (lambda canary: {"text": markers_of(canary)[1].decode()}, "text"),
        (lambda canary: {"conversation": canary.conversation}, "name"),
        (lambda canary: {"conversation": f"{canary.conversation}#1"}, "name"),
        (lambda canary: {"marks": [sentences_of(canary)[1]]}, "text"),
    ],
)
def test_whatever_of_a_canary_is_in_a_shard_is_found(
    grown: SqliteStore, folder: Path, column: object, how: str
) -> None:
    canary = canaries(grown)[5]
    rows = [row(canary), row(canary, **column(canary))]
    pq.write_table(pa.Table.from_pylist(rows), folder / "data/parts-train-00001.parquet")
    looked = look(folder, grown)
    assert [(leak.canary, leak.file, leak.how) for leak in looked.leaks] == [
        (canary.conversation, "data/parts-train-00001.parquet", how)
    ]
    assert looked.exit_code == 2


def test_lines_and_cards_are_looked_through(grown: SqliteStore, folder: Path) -> None:
    canary = canaries(grown)[0]
    line = {"id": "test:a", "messages": [{"role": "user", "content": text_of(canary)}]}
    (folder / "data/messages-train-00001.jsonl").write_bytes(canonical(line))
    (folder / "README.md").write_text(f"an example: {sentences_of(canary)[3]}")
    assert [leak.file for leak in look(folder, grown).leaks] == ["README.md", "data/messages-train-00001.jsonl"]


def test_the_list_of_what_was_left_out_may_name_canaries_and_not_quote_them(grown: SqliteStore, folder: Path) -> None:
    canary = canaries(grown)[0]
    rows = [{"part": f"{canary.conversation}#1", "reason": "unanswered"}]
    pq.write_table(pa.Table.from_pylist(rows), folder / "excluded.parquet")
    assert look(folder, grown).leaks == ()
    rows = [{"part": f"{canary.conversation}#1", "reason": text_of(canary)}]
    pq.write_table(pa.Table.from_pylist(rows), folder / "excluded.parquet")
    assert len(look(folder, grown).leaks) == 1


def test_sentences_of_the_same_shape_that_no_canary_wrote_are_no_leak(grown: SqliteStore) -> None:
    known = owners(canaries(grown))
    assert found_in("the patient heron borrowed a copper ladder behind the dam", known) == set()


def test_without_canaries_nothing_is_shown(store: SqliteStore, folder: Path) -> None:
    assert look(folder, store).exit_code == 4
    planted(store, now=NOW + DAY)
    assert look(folder, store).exit_code == 4, "planted after the cut"


def test_a_canary_that_may_be_used_by_now_shows_nothing(store: SqliteStore, folder: Path) -> None:
    hold = next(one for one in planted(store, now=NOW - DAY).canaries if kind_of(one) == "held")
    store.release_hold(hold.conversation, at=NOW - DAY / 2, by="counsel")
    looked = look(folder, store)
    assert (looked.void, looked.standing["held"]) == ((hold.conversation,), 0)


def test_canaries_that_were_erased_later_stood_when_the_cut_was_taken(store: SqliteStore, folder: Path) -> None:
    planted(store, now=NOW - DAY)
    sweep_all(store, NOW + 60 * DAY)
    left = [one for one in canaries(store) if store.conversation(one.conversation) is None]
    assert left
    assert look(folder, store).standing.total() == len(KINDS)


def test_a_folder_without_a_cut_is_refused(store: SqliteStore, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFound):
        look(tmp_path / "empty", store)


def test_the_store_keeps_no_mark(store: SqliteStore, tmp_path: Path) -> None:
    canary = planted(store).canaries[0]
    store.checkpoint()
    held = (tmp_path / "assent.db").read_bytes()
    assert sentences_of(canary)[0].encode() not in held
    assert json.dumps(text_of(canary)).encode() not in held
