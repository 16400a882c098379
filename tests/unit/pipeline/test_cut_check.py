"""A check finds whatever differs between the files of a cut and its manifest."""

from collections.abc import Callable
from pathlib import Path

import pytest
from rows_of_parts import row

from assent.domain.digests import canonical, digest_bytes
from assent.domain.errors import Invalid, NotFound
from assent.pipeline.check import FORMAT, check
from assent.pipeline.write import MANIFEST_FILE, PARTS, file_record, put_bytes, rows_file

SHARD = "data/parts-train-00000.parquet"


@pytest.fixture
def cut(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    with rows_file(tmp_path / SHARD, PARTS) as file:
        file.add([row("a"), row("b")])
    put_bytes(tmp_path / "lines.jsonl", b"{}\n{}\n{}\n")
    put_bytes(tmp_path / "README.md", b"# card\n")
    write_manifest(tmp_path)
    return tmp_path


def write_manifest(folder: Path, **changes: object) -> None:
    files = [
        file_record(folder / name, rows).to_record() | {"name": name}
        for name, rows in ((SHARD, 2), ("lines.jsonl", 3), ("README.md", None))
    ]
    manifest = {
        "assent_cut": FORMAT,
        "name": "spring",
        "number": 1,
        "counts": {"considered": 5, "written": 2, "excluded": {"unanswered": 3}},
        "files": files,
    }
    put_bytes(folder / MANIFEST_FILE, canonical(manifest | changes))


def test_an_untouched_cut_is_as_its_manifest_says(cut: Path) -> None:
    found = check(cut)
    assert found.differences == ()
    assert (found.name, found.number) == ("spring", 1)
    assert found.manifest == digest_bytes((cut / MANIFEST_FILE).read_bytes())


@pytest.mark.parametrize(
    ("touch", "words"),
    [
        (lambda cut: (cut / "README.md").write_bytes(b"# cord\n"), ["`README.md` has another digest"]),
        (lambda cut: (cut / "README.md").unlink(), ["`README.md` is missing"]),
        (lambda cut: (cut / "more.txt").write_text(""), ["`more.txt` is not in the manifest"]),
        (lambda cut: (cut / "data" / "more").write_text(""), ["`data/more` is not in the manifest"]),
        (lambda cut: (cut / "lines.jsonl").write_bytes(b"{}\n{}\n"), ["bytes", "another digest", "has 2 rows"]),
        (lambda cut: (cut / SHARD).write_bytes(b"PAR1"), ["bytes", "another digest", "cannot be read"]),
    ],
)
def test_a_touched_cut_is_not(cut: Path, touch: Callable[[Path], object], words: list[str]) -> None:
    touch(cut)
    differences = check(cut).differences
    assert len(differences) == len(words)
    for difference, word in zip(differences, words, strict=True):
        assert word in difference


def test_a_link_is_no_file(cut: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "README.md"
    elsewhere.write_bytes((cut / "README.md").read_bytes())
    (cut / "README.md").unlink()
    (cut / "README.md").symlink_to(elsewhere)
    assert check(cut).differences == ("`README.md` is missing",)


def test_counts_that_do_not_add_up_are_seen(cut: Path) -> None:
    write_manifest(cut, counts={"considered": 6, "written": 3, "excluded": {"unanswered": 2}})
    assert check(cut).differences == (
        "the manifest's counts do not add up to the parts considered",
        "the manifest counts 3 parts written and 2 rows",
    )


def test_without_a_manifest_there_is_nothing_to_check(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        check(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"not json",
        b"[]",
        b"{}",
        b'{"assent_cut":2,"files":[]}',
        b'{"assent_cut":9,"files":[],"name":"a","number":1,"counts":{}}',
        b'{"assent_cut":2,"files":[{"name":"data/../a"}],"name":"a","number":1,"counts":{}}',
        b'{"assent_cut":2,"files":[{"name":".."}],"name":"a","number":1,"counts":{}}',
        b'{"assent_cut":2,"files":[{"name":3}],"name":"a","number":1,"counts":{}}',
        b'{"assent_cut":2,"files":3,"name":"a","number":1,"counts":{}}',
        b'{"assent_cut":2,"files":[],"name":"a","number":[],"counts":{}}',
        b'{"assent_cut":2,"files":[],"name":"a","number":1,"counts":[]}',
        b'{"assent_cut":2,"files":[],"name":"a","number":1,"counts":{"excluded":3}}',
        b'{"files":[],"name":"a","number":1,"counts":{"considered":0,"written":0,"excluded":{}}}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_manifest_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / MANIFEST_FILE).write_bytes(content)
    with pytest.raises(Invalid):
        check(tmp_path)
