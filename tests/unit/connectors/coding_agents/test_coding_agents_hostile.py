"""Homes of coding agents as crashes, other programs and hostile people leave them."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_worlds import BEGIN, OLD_NS, ClaudeCodeWorld

from assent.connectors.coding_agents.product import connect
from assent.connectors.coding_agents.rewriting import rewrite_lines
from assent.connectors.port import Listed, Unlisted, state_of
from assent.connectors.replacing import BusyError
from assent.connectors.tree import FileAt, Tree
from assent.domain.conversation import Conversation
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


def test_lines_that_another_program_appends_meanwhile_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    file.write_bytes(b"".join(b"old %d %s\n" % (number, b"x" * 200) for number in range(200)))
    append = (
        "import sys, threading, time\n"
        "stop, said = threading.Event(), 0\n"
        "threading.Thread(target=lambda: (sys.stdin.read(), stop.set())).start()\n"
        "while not stop.is_set():\n"
        "    with open(sys.argv[1], 'ab') as stream:\n"
        "        stream.write(b'new %d\\n' % said)\n"
        "    said += 1\n"
        "    time.sleep(0.002)\n"
        "print(said)\n"
    )
    command = [sys.executable, "-c", append, str(file)]
    taken = 0
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as agent:
        for number in range(20):
            start = b"old %d " % number
            try:
                taken += rewrite_lines(Tree(tmp_path), file.name, lambda line, start=start: not line.startswith(start))
            except BusyError:
                continue
        said = int(agent.communicate(timeout=60)[0])
    lines = file.read_bytes().splitlines()
    # one that was on its way into the old file comes behind those that found the new one
    new = sorted(int(line.split()[1]) for line in lines if line.startswith(b"new"))
    assert new == list(range(said))
    assert len(lines) == 200 - taken + said
    assert taken


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


def test_who_reads_what_was_listed_has_the_folder_walked_once_and_finds_what_moved(world: ClaudeCodeWorld) -> None:
    seeded = world.seed(6)
    product = world.product()
    listed = [one.id for one in product.list() if isinstance(one, Listed)]
    walked = Counter[str]()
    walk = Tree.files

    def counted(home: Tree, under: str = "") -> Iterator[FileAt]:
        walked[under] += 1
        return walk(home, under)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Tree, "files", counted)
        for start in range(0, 6, 2):
            assert len([one for one in product.read(listed[start : start + 2]) if isinstance(one, Conversation)]) == 2
        assert not walked
        moved = world.transcript(seeded[0].id)
        (world.home / "projects" / "-elsewhere").mkdir()
        moved.rename(world.home / "projects" / "-elsewhere" / moved.name)
        (found,) = [one for one in product.read([seeded[0].id]) if isinstance(one, Conversation)]
        assert walked["projects"] == 1
    assert seeded[0].marker in str(found)


def test_which_project_a_session_is_of_is_read_once_and_forgotten_with_it(world: ClaudeCodeWorld) -> None:
    one, other = world.seed(2)
    remembered = world.settings.folder / "projects.json"
    assert list(world.product().scopes()) == []
    assert set(json.loads(remembered.read_bytes())) == {one.id, other.id}
    world.product().erase([one.id])
    assert set(json.loads(remembered.read_bytes())) == {other.id}
    world.product().erase([other.id])
    assert not remembered.exists()
