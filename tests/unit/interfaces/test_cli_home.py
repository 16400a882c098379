"""`assent init`: a home that works at once, and no half-made one."""

import shutil
import stat
from pathlib import Path

import pytest
from homes import NOW, call, claude_ai, made, program

from assent.wiring import Wiring

NEW, OLD = "anthropic/2025-10-08", "anthropic/2025-05-01"


def init(*arguments: object) -> object:
    return call(Wiring(None, NOW), "init", *arguments)


def test_a_new_home_has_settings_a_store_and_a_copy_of_the_policy(tmp_path: Path) -> None:
    said = init(tmp_path / "deep" / "home")
    assert (said.status, said.err) == (0, "")
    assert f"policy {NEW}" in said.out
    home = tmp_path / "deep" / "home"
    made_here = {path.name for path in home.iterdir()}
    assert made_here == {"assent.db", "assent.db-turn", "assent.toml", "keys", "notices", "policies", "vault"}
    original = Wiring.policy_library() / f"{NEW}.toml"
    assert [file.read_bytes() for file in (home / "policies").iterdir()] == [original.read_bytes()]
    assert stat.S_IMODE((home / "assent.db").stat().st_mode) == 0o600


def test_a_home_whose_database_was_emptied_takes_nothing_in(tmp_path: Path) -> None:
    home = made(tmp_path / "home")
    export = claude_ai(tmp_path / "export", ("c1", "2025-12-20T00:00:00Z"))
    assert home("import", "claude-ai", export, "--subject", "me").status == 0
    file = home.folder / "assent.db"
    file.write_bytes(b"")
    for end in ("-wal", "-shm"):
        file.with_name(file.name + end).unlink(missing_ok=True)
    before = {path: path.read_bytes() for path in home.folder.rglob("*") if path.is_file()}
    for arguments in (
        ("status",),
        ("import", "claude-ai", export, "--subject", "me"),
        ("sweep", "--redo"),
        ("plan",),
    ):
        said = home(*arguments)
        assert (said.status, said.out) == (1, "")
        assert "holds no store" in said.err
        assert "bring the home back from a backup: assent restore" in said.err
    assert {path: path.read_bytes() for path in home.folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("blank", ["", "  "])
def test_nobody_is_named_by_a_blank_and_no_home_either(tmp_path: Path, blank: str) -> None:
    home = made(tmp_path / "home")
    export = claude_ai(tmp_path / "export", ("c1", "2025-12-20T00:00:00Z"))
    order = ("--matter", "m", "--author", "a", "--reason", "r")
    for arguments in (
        ("choose", blank, "decline"),
        ("choose", blank, "show"),
        ("ask", blank),
        ("link", blank, "me"),
        ("link", "device", blank),
        ("guardian", "add", "me", blank, "--method", "card", "--by", "desk"),
        ("hold", "person", blank, *order),
        ("hold", "organisation", blank, *order),
        ("hold", "list", "--subject", blank),
        ("import", "claude-ai", export, "--subject", blank),
        ("explain", "--all", "--subject", blank),
        ("where", "--subject", blank),
        ("init", blank),
    ):
        said = home(*arguments)
        assert (said.status, said.out) == (1, ""), arguments
        assert "give a string that is not blank" in said.err, arguments
    counts = home("status", "--json").json()
    assert (counts["conversations"], counts["choices"], list(home("hold", "list").lines())) == (0, 0, [])


def test_it_can_ask_at_once_by_the_notice_that_ships_for_its_policy(tmp_path: Path) -> None:
    home = made(tmp_path / "home")
    (file,) = (home.folder / "notices").iterdir()
    assert file.read_bytes() == (Wiring.notice_library() / f"{NEW}.toml").read_bytes()
    assert home("ask", "me", "--show").out.startswith("May Anthropic use your chats for training models?")
    assert "on the shelf" in home("notice", "add", file).out  # there already


def test_a_changed_policy_gets_a_notice_that_is_made_from_it(tmp_path: Path) -> None:
    text = (Wiring.policy_library() / f"{NEW}.toml").read_text("utf-8")
    own = tmp_path / "own.toml"
    own.write_text(text.replace('use_for = "P5Y"', 'use_for = "P3Y"'), "utf-8")
    home = made(tmp_path / "home", str(own))
    assert "Kept up to 3 years" in home("ask", "me", "--show").out


def test_a_policy_that_asks_for_nothing_has_no_notice(tmp_path: Path) -> None:
    home = made(tmp_path / "home", OLD)
    assert not (home.folder / "notices").exists()
    said = home("ask", "me", "--show")
    assert (said.status, "asks for `training`" in said.err) == (3, True)


def test_a_notice_of_ones_own_is_linted_and_asked_by(tmp_path: Path) -> None:
    home = made(tmp_path / "home", NEW, notices=("lantern/2025-10-08",))
    assert home("ask", "me", "--show").out.startswith("May Lantern use your chats")
    pushy = tmp_path / "pushy.toml"
    good = (Wiring.notice_library() / "lantern/2025-10-08.toml").read_text("utf-8")
    pushy.write_text(good.replace('order = "random"', 'order = "allow first"'), "utf-8")
    said = init(tmp_path / "other", "--notice", pushy)
    assert said.status == 1
    assert "the lint found" in said.err
    assert not (tmp_path / "other" / "assent.toml").exists()


def test_what_it_says_next_works(tmp_path: Path) -> None:
    done = program("init", "mine", cwd=tmp_path)
    assert done.returncode == 0
    assert "cd mine && assent import FORMAT PATH --subject ME --plan pro --age adult" in done.stdout
    status = program("status", cwd=tmp_path / "mine")
    assert (status.returncode, status.stderr) == (0, "")
    assert f"policy {NEW}" in status.stdout


def test_several_policies_are_in_force_together(tmp_path: Path) -> None:
    own = tmp_path / "our-policy.toml"
    shutil.copy(Wiring.policy_library() / f"{OLD}.toml", own)
    home = made(tmp_path / "home", NEW, str(own))
    assert [policy["policy"] for policy in home("status", "--json").json()["policies_in_force"]] == [OLD, NEW]


def test_a_home_is_not_made_twice(tmp_path: Path) -> None:
    home = made(tmp_path / "home")
    before = {path: path.read_bytes() for path in home.folder.rglob("*") if path.is_file()}
    said = init(home.folder)
    assert (said.status, said.out) == (2, "")
    assert "is a home of assent already" in said.err
    assert {path: path.read_bytes() for path in home.folder.rglob("*") if path.is_file()} == before


def test_a_server_that_does_not_answer_leaves_a_folder_that_is_no_home(tmp_path: Path) -> None:
    said = init(tmp_path / "home", "--database", "postgresql://somebody:hunter2" + "@127.0.0.1:1/assent")
    assert said.status == 1
    assert "`postgresql://127.0.0.1:1/assent` cannot be reached" in said.err
    assert "hunter2" not in said.err + said.out
    assert not (tmp_path / "home" / "assent.toml").exists()
    assert init(tmp_path / "home").status == 0


def test_an_unknown_policy_makes_nothing(tmp_path: Path) -> None:
    said = init(tmp_path / "home", "--policy", "nobody/2025")
    assert said.status == 3
    assert "no policy file `nobody/2025`" in said.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", [b"assent = 1\n", b"not toml", b"\xff\xfe"], ids=["short", "not TOML", "not UTF-8"])
def test_a_policy_that_cannot_be_read_leaves_no_half_made_home(tmp_path: Path, text: bytes) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_bytes(text)
    said = init(tmp_path / "home", "--policy", bad)
    assert said.status == 1
    assert said.err.startswith("assent: ")
    assert init(tmp_path / "home").status == 0


def test_two_policy_files_of_one_name_are_both_copied(tmp_path: Path) -> None:
    for place, name in (("a", OLD), ("b", NEW)):
        (tmp_path / place / "ours").mkdir(parents=True)
        shutil.copy(Wiring.policy_library() / f"{name}.toml", tmp_path / place / "ours" / "policy.toml")
    home = made(tmp_path / "home", *(str(tmp_path / place / "ours" / "policy.toml") for place in "ab"))
    assert len(home("status", "--json").json()["policies_in_force"]) == 2
