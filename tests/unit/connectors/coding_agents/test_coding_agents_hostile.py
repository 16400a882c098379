"""Homes of coding agents as crashes, other programs and hostile people leave them."""

import os
import threading
import time
from pathlib import Path

import pytest
from agent_worlds import BEGIN, OLD_NS, ClaudeCodeWorld

from assent.connectors.coding_agents.home import Home
from assent.connectors.coding_agents.product import connect
from assent.connectors.coding_agents.rewriting import BusyError, rewrite_lines
from assent.connectors.port import Unlisted, state_of
from assent.domain.errors import Refused


@pytest.fixture
def world(tmp_path: Path) -> ClaudeCodeWorld:
    return ClaudeCodeWorld(tmp_path)


def test_nothing_is_erased_before_a_plan_was_shown(world: ClaudeCodeWorld) -> None:
    (one,) = world.seed(1)
    with pytest.raises(Refused, match="no plan was shown"):
        connect(world.settings, str).erase([one.id])
    assert world.transcript(one.id).exists()


def test_links_are_neither_followed_nor_removed(world: ClaudeCodeWorld, tmp_path: Path) -> None:
    one, other = world.seed(2)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / f"{one.id}.jsonl").write_bytes(b"precious")
    (world.home / "projects" / "elsewhere").symlink_to(outside)
    (world.home / "debug" / "latest").symlink_to(outside / f"{one.id}.jsonl")
    (world.home / "file-history" / f"{other.id}-x").symlink_to(outside)
    answers = world.product().erase([one.id, other.id])
    assert (outside / f"{one.id}.jsonl").read_bytes() == b"precious"
    assert (world.home / "projects" / "elsewhere").is_symlink()
    assert state_of(answers[one.id]) == "removed"
    assert state_of(answers[other.id]) == "not reachable"


def test_a_transcript_behind_a_link_is_never_said_to_be_removed(world: ClaudeCodeWorld, tmp_path: Path) -> None:
    (one,) = world.seed(1)
    transcript = world.transcript(one.id)
    transcript.rename(tmp_path / "real.jsonl")
    transcript.symlink_to(tmp_path / "real.jsonl")
    assert state_of(world.product().copies([one.id])[one.id]) == "not reachable"
    assert state_of(world.product().erase([one.id])[one.id]) == "not reachable"
    assert state_of(world.product().verify([one.id])[one.id]) == "not reachable"
    assert (tmp_path / "real.jsonl").exists()
    said = world.product().copies([one.id])[one.id]
    assert f"projects/*/{one.id}.jsonl" in {copy.place for copy in said}  # the project's folder may name a person


def test_a_file_with_a_second_name_is_not_reachable(world: ClaudeCodeWorld, tmp_path: Path) -> None:
    (one,) = world.seed(1)
    os.link(world.transcript(one.id), tmp_path / "second")
    assert state_of(world.product().erase([one.id])[one.id]) == "not reachable"


def test_a_session_that_changed_a_moment_ago_is_left_alone(world: ClaudeCodeWorld) -> None:
    one, other = world.seed(2)
    world.touch(one.id)
    answers = world.product().erase([one.id, other.id])
    assert {copy.state for copy in answers[one.id]} == {"not reachable"}
    assert all(copy.note.startswith("in use") for copy in answers[one.id])
    assert world.transcript(one.id).exists()
    assert state_of(answers[other.id]) == "removed"
    assert state_of(world.product().erase([one.id], maintenance=True)[one.id]) == "removed"


def test_maintenance_is_refused_while_a_program_has_a_file_open(world: ClaudeCodeWorld) -> None:
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("this machine does not say which files are open")
    (one,) = world.seed(1)
    ready, done = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:  # the agent
        with world.transcript(one.id).open("ab"):
            os.write(ready[1], b".")
            os.read(done[0], 1)
        os._exit(0)
    try:
        os.read(ready[0], 1)
        with pytest.raises(Refused, match="has files of this folder open"):
            world.product().erase([one.id], maintenance=True)
        assert state_of(world.product().erase([one.id])[one.id]) == "not reachable"
    finally:
        os.write(done[1], b".")
        os.waitpid(child, 0)
        for end in (*ready, *done):
            os.close(end)
    assert state_of(world.product().erase([one.id], maintenance=True)[one.id]) == "removed"


def test_other_lines_keep_their_bytes_and_the_file_its_permissions_and_time(world: ClaudeCodeWorld) -> None:
    seeded = world.seed(3)
    history = world.home / "history.jsonl"
    odd = b'{"display":"x" ,  "sessionId":"other"}\r\nnot json \xff\xfe\n'
    history.write_bytes(odd + history.read_bytes() + b'{"sessionId":"cut o')
    history.chmod(0o640)
    os.utime(history, ns=(OLD_NS, OLD_NS))
    before = history.read_bytes().splitlines(keepends=True)
    world.product().erase([seeded[1].id])
    assert history.read_bytes().splitlines(keepends=True) == [
        line for line in before if seeded[1].marker.encode() not in line
    ]
    assert history.stat().st_mode & 0o777 == 0o640
    assert history.stat().st_mtime_ns == OLD_NS


def test_a_line_that_a_crash_cut_off_behind_its_id_goes_with_its_session(world: ClaudeCodeWorld) -> None:
    one, other = world.seed(2)
    cut = b"".join(f'{{"sessionId":"{each.id}","display":"{each.marker}\n'.encode() for each in (one, other))
    world.write("history.jsonl", cut, append=True)
    assert state_of(world.product().erase([one.id])[one.id]) == "removed"
    left = (world.home / "history.jsonl").read_bytes()
    assert one.marker.encode() not in left
    assert cut.splitlines(keepends=True)[1] in left


def test_lines_that_are_appended_meanwhile_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    file.write_bytes(b"".join(b"old %d %s\n" % (number, b"x" * 200) for number in range(200)))
    said, stop = 0, threading.Event()

    def append() -> None:
        nonlocal said
        while not stop.is_set():
            with file.open("ab") as stream:
                stream.write(b"new %d\n" % said)
            said += 1
            time.sleep(0.002)

    agent = threading.Thread(target=append)
    agent.start()
    taken = 0
    try:
        for number in range(20):
            start = b"old %d " % number
            try:
                taken += rewrite_lines(Home(tmp_path), file.name, lambda line, start=start: not line.startswith(start))
            except BusyError:
                continue
    finally:
        stop.set()
        agent.join()
    lines = file.read_bytes().splitlines()
    assert [line for line in lines if line.startswith(b"new")] == [b"new %d" % number for number in range(said)]
    assert len(lines) == 200 - taken + said


def test_a_line_of_fifty_megabytes_and_files_cut_off_do_no_harm(world: ClaudeCodeWorld) -> None:
    (one,) = world.seed(1)
    huge = b'{"sessionId":"other","display":"' + b"y" * 50_000_000 + b'"}\n'
    world.write("history.jsonl", huge, append=True)
    world.write(f"{world.project}/cut-off-session.jsonl", b'{"type":"us')
    world.write(f"{world.project}/empty-session.jsonl", b"")
    world.age()
    answers = world.product().erase([one.id, "cut-off-session"])
    assert {state_of(copies) for copies in answers.values()} == {"removed"}
    assert (world.home / "history.jsonl").stat().st_size == len(huge)
    (left,) = world.product().list()
    assert isinstance(left, Unlisted)


def test_ids_that_differ_in_case_are_two_sessions(world: ClaudeCodeWorld) -> None:
    if world.write("a", b"") and (world.home / "A").exists():
        pytest.skip("this disk takes upper and lower case for the same")
    one, other = world.seed(2, ["Session-ABCDE", "session-abcde"])
    before = world.product().copies([other.id])
    assert state_of(world.product().erase([one.id])[one.id]) == "removed"
    assert world.product().copies([other.id]) == before


def test_an_id_that_begins_like_another_reaches_nothing_of_it(world: ClaudeCodeWorld) -> None:
    one, other = world.seed(2, ["session", "session-agent"])
    before = world.product().copies([other.id])
    world.product().erase([one.id])
    assert world.product().copies([other.id]) == before


def test_a_copy_of_the_words_in_a_file_of_nobody_is_found(world: ClaudeCodeWorld) -> None:
    (one,) = world.seed(1)
    said = " ".join(f"word{number}" for number in range(40))
    with world.transcript(one.id).open("ab") as stream:
        stream.write(world.turn(one.id, said, BEGIN))
    world.write("notes/other.md", said.encode())
    world.age()
    answers = world.product().erase([one.id])[one.id]
    assert [copy.place for copy in answers if copy.state == "present"] == ["notes/other.md"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody whom permissions bind")
def test_a_folder_that_may_not_be_changed_is_said(world: ClaudeCodeWorld, tmp_path: Path) -> None:
    (one,) = world.seed(1)
    product = world.product()
    (world.home / "debug").chmod(0o555)
    above = [path for path in (tmp_path, *tmp_path.parents) if path.stat().st_uid == 0 and not path.stat().st_mode & 1]
    if above != [path for path in above if "pytest" in str(path)]:
        pytest.skip("the temporary folder cannot be opened to somebody else")
    modes = {path: path.stat().st_mode for path in above}
    for path in above:
        path.chmod(0o755)
    for path in (tmp_path, *tmp_path.rglob("*")):
        os.chown(path, 65534, 65534)
    os.seteuid(65534)
    try:
        answers = product.erase([one.id])[one.id]
    finally:
        os.seteuid(0)
        for path, mode in modes.items():
            path.chmod(mode & 0o7777)
    assert [copy.kind for copy in answers if copy.state == "not reachable"] == ["debug log"]
    assert "check the permissions" in next(copy.note for copy in answers if copy.state == "not reachable")
