"""`assent demo`: a story whose numbers are those of the store it leaves behind."""

import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.lantern import lantern
from tests.unit.interfaces.homes import Home, Said, call, claude_ai

from assent.interfaces.cli import demo
from assent.store.records import Page
from assent.wiring import Wiring

LAST = datetime(2025, 11, 30, 12, tzinfo=UTC)
DATES = ["2025-08-28", "2025-09-28", "2025-10-08", "2025-10-28", "2025-11-30"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lantern(tmp_path_factory).folder


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Said:
    return lantern(tmp_path_factory).said


@pytest.fixture(scope="module")
def home(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A copy: others look at that home too."""
    return Home(shutil.copytree(folder / "home", tmp_path_factory.mktemp("demo") / "home"), LAST)


def numbers(pattern: str, text: str) -> list[list[int]]:
    return [[int(n.replace(",", "")) for n in found.groups()] for found in re.finditer(pattern, text)]


def test_it_tells_the_whole_story(told: Said) -> None:
    assert (told.status, told.err) == (0, "")
    titles = [line for line in told.out.splitlines() if line.startswith("== ")]
    assert [title[:5] for title in titles[:5]] == ["== 1.", "== 2.", "== 3.", "== 4.", "== 5."]
    assert len(titles) >= 8


def test_every_sweep_did_what_its_plan_said(told: Said) -> None:
    planned = numbers(r"plan [0-9a-f]{12}: ([\d,]+) parts? due", told.out)
    swept = numbers(r"sweep: ([\d,]+) parts? erased, ([\d,]+) kept", told.out)
    assert len(planned) == len(swept) == 5
    assert [[due, 0] for (due,) in planned] == swept
    for line in re.findall(r"plan [0-9a-f]{12}: (.*)\)", told.out):
        due, rules = line.split(" parts due (")
        assert sum(int(n.replace(",", "")) for n in re.findall(r"([\d,]+) by", rules)) == int(due.replace(",", ""))


def test_the_numbers_are_those_of_the_store(told: Said, home: Home) -> None:
    held = numbers(r"the store holds ([\d,]+) conversations in ([\d,]+) parts", told.out)
    erased = [count for count, _ in numbers(r"sweep: ([\d,]+) parts? erased, ([\d,]+) kept", told.out)]
    status = home("status", "--json").json()
    assert status["parts"] == held[-1][1] - erased[-1]
    assert status["tombstones"] == sum(erased)
    assert (status["sweeps_unfinished"], status["holds_standing"], status["cuts"]) == (0, 1, 1)
    assert set(status["by_source"]) == {"chatgpt", "claude-ai", "claude-code", "open-webui"}
    assert home("plan", "--json").json()["due"] == 0


def test_nobody_who_said_nothing_is_counted_as_a_yes(told: Said, home: Home) -> None:
    ((asked,),) = numbers(r"How (\d+) people answered", told.out)
    ((allow, refused, silent),) = numbers(r"allow (\d+), decline or withdrawn (\d+), no answer (\d+)", told.out)
    assert allow + refused + silent == asked
    assert min(allow, refused, silent) > 0
    store = Wiring(home.folder).store
    try:
        allowed = set()
        for account in store.accounts():
            acts = [choice.act for choice in store.choices(account.subject) if choice.act != "defer"]
            if acts and acts[-1] == "allow":
                allowed.add(account.subject)
    finally:
        store.close()
    assert len(allowed) == allow
    eligible = [r for r in home("explain", "--all", "--limit", 2_000, "--json").lines() if "training" in r["eligible"]]
    assert eligible
    allowed_ids = {
        record["conversation"]
        for subject in allowed
        for record in home("explain", "--all", "--subject", subject, "--limit", 500, "--json").lines()
    }
    assert {record["conversation"] for record in eligible} <= allowed_ids


def test_every_act_was_taken_on_a_question_that_was_shown_to_a_simulated_person(told: Said, home: Home) -> None:
    times = numbers(r"on a screen ([\d,]+) times", told.out)
    assert "not asked:" not in told.out.replace("(not asked:", "")
    store = Wiring(home.folder).store
    try:
        choices = [choice for account in store.accounts() for choice in store.choices(account.subject)]
        prompts = store.prompts("autumn", Page(1000)).items
        assert all(choice.snapshot and choice.terms and choice.locale and choice.layout for choice in choices)
        assert {choice.client.split()[0] for choice in choices} == {"simulated"}
        assert all(store.rendering(choice.notice) is not None for choice in choices)
        shown = [prompt for prompt in prompts if prompt.kind == "shown"]
        settings = [choice for choice in choices if not choice.campaign]
        assert len(shown) + len(settings) == sum(count for (count,) in times)
        assert {prompt.kind for prompt in prompts} == {"shown", "closed", "timed out", "reminded"}
        ((leaves,),) = numbers(r"([\d,]+) acts, receipts of erasures and cuts, each a leaf", told.out)
        assert leaves == len(choices) + store.erasures(Page(1)).total
        assert store.staged() == leaves + store.counts().cuts, "the cut came after the log was published"
    finally:
        store.close()


def test_the_campaign_ran_from_draft_to_closed_with_a_signed_amendment(home: Home) -> None:
    shown = home("campaign", "show", "autumn", "--json").json()
    assert [step["step"] for step in shown["steps"]] == [
        "drafted", "linted", "scheduled", "started", "amended", "closed",
    ]  # fmt: skip
    assert shown["signatures"] == [{"step": 4, "signed_by": ["ledger.lantern.example/choices"]}]
    assert home("campaign", "funnel", "autumn").status == 0


def test_its_evidence_is_verified_by_programs_of_their_own(told: Said, folder: Path, home: Home) -> None:
    assert told.out.count(": valid") == 2
    assert "with another date in it: invalid, " in told.out
    receipt, key = folder / "receipts" / "receipt.json", (folder / "log-key.txt").read_text("utf-8").strip()
    said = home("verify", "receipt", receipt, "--key", key, "--log", folder / "ledger")
    assert (said.status, said.out.splitlines()[0]) == (0, "valid")
    assert home("ledger", "verify").status == 0
    alone = folder / "receipts" / "assent_verify.py"
    for forged, status in ((False, 0), (True, 2)):
        file = home.folder.parent / "checked.json"
        file.write_bytes(receipt.read_bytes().replace(b"2025-09", b"2025-08") if forged else receipt.read_bytes())
        command = [sys.executable, "-I", alone, file, "--key", key, "--log", folder / "ledger"]
        assert subprocess.run(command, check=False, capture_output=True, timeout=60).returncode == status
    record = json.loads(json.loads(receipt.read_text("utf-8"))["evidence"]["record"])
    assert record["client"].startswith("simulated ")
    assert record["client"] in (folder / "receipts" / "receipt.html").read_text("utf-8")


def test_its_pages_carry_the_digest_of_the_policy_in_force(told: Said, folder: Path, home: Home) -> None:
    digest = home("status", "--json").json()["policies_in_force"][-1]["digest"]
    pages = {path.name: path.read_text("utf-8") for path in (folder / "pages").iterdir()}
    assert {"policy.html", "notice.en.html", "notice.ar.html", "settings.de.md", "changes.html"} <= set(pages)
    assert [name for name, text in pages.items() if digest not in text] == []
    assert f"{len(pages)} pages" in told.out


def test_four_conversations_are_explained_as_the_store_explains_them(told: Said, home: Home) -> None:
    found = dict(re.findall(r"^(eligible|held|flagged|refused) +(\S+:\S+)$", told.out, re.MULTILINE))
    assert set(found) == {"eligible", "held", "flagged", "refused"}
    records = {kind: home("explain", name, "--json").json() for kind, name in found.items()}
    assert "training" in records["eligible"]["eligible"]
    assert records["held"]["held"]
    assert "safety" in records["flagged"]["eligible"]
    assert records["refused"]["eligible"] == []
    for record in records.values():
        assert record["groups"][0]["reasons"][0]["text"] in told.out


def test_the_cut_is_checked_and_holds_allowed_data_only(told: Said, folder: Path, home: Home) -> None:
    assert home("cut", "verify", folder / "cut").status == 0
    manifest = json.loads(next((folder / "cut").glob("*manifest*.json")).read_text("utf-8"))
    assert manifest["counts"]["written"] > 0
    assert f"{manifest['counts']['written']:,}" in told.out


def test_it_leaves_a_folder_to_look_into(told: Said, folder: Path, home: Home) -> None:
    names = {path.name for path in folder.iterdir()}
    assert {demo.MARK, "home", "exports", "cut", "ledger", "receipts", "pages", "log-key.txt"} <= names
    assert sorted(path.name for path in (folder / "exports").iterdir()) == DATES
    assert all(any(day.rglob("*.*")) for day in (folder / "exports").iterdir())
    for picture in ("forecast.svg", "funnel.svg"):
        assert ET.parse(folder / picture).getroot().tag.endswith("svg")
    assert home("explain", "--all", "--limit", 3).status == 0
    assert str(folder) in told.out


def test_no_erased_word_is_left_in_its_store(told: Said, home: Home) -> None:
    """Titles of erased conversations are unique enough to look for: none of them is in the home."""
    store = Wiring(home.folder).store
    try:
        kept = {record["conversation"] for record in home("explain", "--all", "--limit", 2_000, "--json").lines()}
        stones, page = set(), Page(1000)
        while True:
            listing = store.tombstones(page)
            stones |= {stone.conversation for stone in listing.items}
            if listing.after is None:
                break
            page = Page(1000, listing.after)
        gone = stones - kept
        assert len(gone) > 20
        assert all(store.conversation(name) is None for name in gone)
    finally:
        store.close()


# -- the folder -------------------------------------------------------------------------------------


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The story itself is told above; here only what becomes of the folder counts."""
    monkeypatch.setattr(demo, "_story", lambda *_: 0)


@pytest.mark.usefixtures("short")
def test_a_second_run_replaces_the_first(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert call(Wiring(), "demo", "--no-serve", "--out", out).status == 0
    (out / "home").mkdir()
    (out / "home" / "stale").write_text("old")
    assert call(Wiring(), "demo", "--no-serve", "--out", out).status == 0
    assert [path.name for path in out.iterdir()] == [demo.MARK]


@pytest.mark.usefixtures("short")
def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    said = call(Wiring(), "demo", "--no-serve", "--out", tmp_path)
    assert (said.status, said.out) == (2, "")
    assert "holds something else" in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


@pytest.mark.usefixtures("short")
def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    assert call(Wiring(), "demo", "--no-serve", "--out", tmp_path).status == 0


@pytest.mark.parametrize("people", ["59", "5001", "many"])
def test_the_number_of_people_has_limits(tmp_path: Path, people: str) -> None:
    said = call(Wiring(), "demo", "--no-serve", "--out", tmp_path / "out", "--people", people)
    assert said.status == 1
    assert not (tmp_path / "out").exists()


def test_ones_own_export_is_shown_and_no_answer_is_recorded(tmp_path: Path) -> None:
    export = claude_ai(tmp_path / "export", ("c1", "2025-11-01T00:00:00Z"), ("c2", "2025-11-25T00:00:00Z"))
    said = call(Wiring(clock=LAST), "demo", "--data", export, "--out", tmp_path / "out")
    assert (said.status, said.err) == (0, "")
    rows = {line[:34].strip(): numbers(r"([\d,]+) trainable +([\d,]+) due.* ([\d,]+) kept", line)
            for line in said.out.splitlines() if " trainable " in line}  # fmt: skip
    assert rows == {
        "as it stands": [[0, 0, 2]],
        "had you not allowed it": [[0, 0, 2]],
        "had you allowed it all along": [[2, 0, 2]],
    }
    status = Home(tmp_path / "out" / "home", LAST)("status", "--json").json()
    assert (status["choices"], status["conversations"], status["tombstones"]) == (0, 2, 0)
    assert (tmp_path / "out" / "forecast.svg").exists()
