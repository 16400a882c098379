"""`assent where`, `assent verify membership` and `assent canary`, as people type them."""

import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from homes import NOW, Home

from assent.domain.digests import canonical, digest_bytes
from assent.ledger.membership import MemberTree, names_of
from assent.store.records import Cut, CutRow
from assent.wiring import Wiring

KEY = bytes(range(32))
DAY = timedelta(days=1)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with one cut, in which Ann's conversation is and Bob's is not."""
    made = Home(tmp_path / "home")
    assert made("init", tmp_path / "home").status == 0
    folder = tmp_path / "cut"
    folder.mkdir()
    tree = MemberTree(names_of(KEY, [("test:a", "ann")]))
    counts = {"written": 1, "considered": 1, "excluded": {}}
    said = {"assent_cut": 2, "name": "spring", "number": 1, "purpose": "training", "at": "2026-01-02T12:00:00Z"}
    manifest = canonical(said | {"counts": counts, "files": [], "membership": tree.to_record()})
    (folder / "manifest.json").write_bytes(manifest)
    keys = tmp_path / "home/cuts/spring"
    keys.mkdir(parents=True)
    (keys / "key").write_bytes(KEY)
    store = Wiring(tmp_path / "home", NOW).store
    store.record_cut(Cut("spring", 1, digest_bytes(manifest), NOW, str(folder)), [CutRow("test:a", "1", "ann")])
    store.close()
    return made


def test_where_lists_cuts_and_says_no(home: Home) -> None:
    assert home("where", "test:a").out.startswith("spring 1  cut 2026-01-01T12:00:00Z")
    assert home("where", "--subject", "ann", "--json").lines()[0]["name"] == "spring"
    nowhere = home("where", "--subject", "bob")
    assert (nowhere.status, nowhere.out) == (2, "in no cut\n")
    assert home("where", "test:a", "--cut", "summer").status == 2


def test_where_needs_a_name(home: Home) -> None:
    said = home("where")
    assert (said.status, said.out) == (1, "")
    assert "nobody is named" in said.err


@pytest.mark.parametrize(("subject", "status", "says"), [("ann", 0, "is in"), ("bob", 2, "is not in")])
def test_a_proof_is_written_and_checked_offline(
    home: Home, tmp_path: Path, subject: str, status: int, says: str
) -> None:
    assert home("where", "--subject", subject, "--proof", tmp_path / "proofs").status == status
    proof, manifest = tmp_path / "proofs/spring-1.membership.json", tmp_path / "cut/manifest.json"
    said = home("verify", "membership", proof, "--manifest", manifest)
    assert (said.status, said.out.splitlines()[0]) == (0, f"the person {says} cut spring number 1")
    alone = home("verify", "membership", proof, "--json")
    assert (alone.status, alone.json()["member"]) == (4, subject == "ann")
    assert len(alone.json()["missing"]) == 1


def test_a_proof_and_the_evidence_are_for_their_owner_alone(home: Home, tmp_path: Path) -> None:
    proofs, archive = tmp_path / "proofs", tmp_path / "evidence.zip"
    archive.touch(mode=0o644)
    for _ in range(2):
        assert home("where", "--subject", "ann", "--proof", proofs).status == 0
        (proof,) = proofs.iterdir()
        assert home("evidence", archive).status == 0
        assert [stat.S_IMODE(path.stat().st_mode) for path in (proofs, proof, archive)] == [0o700, 0o600, 0o600]
        proof.chmod(0o644)  # as an older assent wrote it


def test_a_folder_for_proofs_that_is_there_keeps_its_mode(home: Home, tmp_path: Path) -> None:
    proofs = tmp_path / "proofs"
    proofs.mkdir()
    proofs.chmod(0o750)
    assert home("where", "--subject", "ann", "--proof", proofs).status == 0
    assert stat.S_IMODE(proofs.stat().st_mode) == 0o750


def test_a_changed_proof_and_another_manifest_are_refused(home: Home, tmp_path: Path) -> None:
    home("where", "test:a", "--proof", tmp_path)
    path = tmp_path / "spring-1.membership.json"
    other = tmp_path / "other.json"
    other.write_text("{}")
    assert home("verify", "membership", path, "--manifest", other).status == 2
    path.write_bytes(canonical(json.loads(path.read_bytes()) | {"member": False}))
    assert home("verify", "membership", path).status == 2
    path.write_bytes(path.read_bytes() + b"\n")
    assert home("verify", "membership", path).status == 1


@pytest.mark.parametrize("key", [None, bytes(32)])
def test_a_cut_whose_key_is_gone_or_another_is_named(home: Home, tmp_path: Path, key: bytes | None) -> None:
    path = tmp_path / "home/cuts/spring/key"
    path.unlink() if key is None else path.write_bytes(key)
    said = home("where", "test:a", "--proof", tmp_path / "proofs")
    assert said.status == 4
    assert "`spring` number `1`" in said.err
    assert list((tmp_path / "proofs").iterdir()) == []


def test_canaries_are_planted_listed_and_looked_for(home: Home, tmp_path: Path) -> None:
    planted = home("canary", "plant", "--plan", "pro", "--region", "DE", "--json").json()
    assert len(planted["planted"]) >= 6
    listed = home("canary", "list", "--json").lines()
    assert {one["canary"] for one in listed} == {one["canary"] for one in planted["planted"]}
    assert all(one["here"] for one in listed)
    clean = home("canary", "check", tmp_path / "cut")
    assert clean.status == 0
    assert clean.out.startswith(f"none of {len(listed)} canaries is in any of 1 files of cut spring number 1")
    (tmp_path / "cut/README.md").write_text(f"see {listed[0]['canary']}")
    caught = home("canary", "check", tmp_path / "cut", "--json")
    assert (caught.status, caught.json()["leaks"][0]["file"]) == (2, "README.md")


def test_without_canaries_a_check_shows_nothing(home: Home, tmp_path: Path) -> None:
    said = home("canary", "check", tmp_path / "cut")
    assert said.status == 4
    assert "no canary stood" in said.err
    home("canary", "plant", "--plan", "pro", "--region", "DE", at=NOW + 10 * DAY)
    assert home("canary", "check", tmp_path / "cut", at=NOW + 10 * DAY).status == 4


def test_acts_of_canaries_enter_the_ledger_where_there_is_one(home: Home, tmp_path: Path) -> None:
    assert home("ledger", "init").status == 0
    home("canary", "plant", "--plan", "pro", "--region", "DE")
    store = Wiring(tmp_path / "home", NOW).store
    try:
        assert store.unlogged(10) == []
        assert store.staged() > 0
    finally:
        store.close()


def test_a_tracer_under_a_plan_that_no_policy_names_is_refused(home: Home) -> None:
    said = home("tracer", "plant", "--plan", "nope")
    assert (said.status, said.out) == (2, "")
    assert "no policy here names the plan `nope`" in said.err
    assert "use one of " in said.err
    assert "pro" in said.err
    assert home("tracer", "list").out == ""
    assert home("status", "--json").json()["conversations"] == 0
    assert home("tracer", "plant", "--plan", "pro").status == 0
    assert home("tracer", "plant", "--plan", "team").status == 0, "a business plan is one too"


def test_a_canary_lives_in_a_region(home: Home) -> None:
    said = home("canary", "plant", "--plan", "pro", "--region", "Germany")
    assert (said.status, said.out) == (1, "")
    assert "what `region` says is not a region" in said.err
    assert home("canary", "plant", "--plan", "pro", "--region", "de").status == 0


def test_a_plan_that_is_in_no_cut_is_refused(home: Home) -> None:
    said = home("canary", "plant", "--plan", "team")
    assert said.status == 2
    assert "would be in no cut" in said.err
