"""The download of everything: complete, sealed while it waits, the person's alone, and gone when it has to be."""

import io
import json
import re
import time
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from centre_home import ANN, BEN, NOW, Centre

from assent.services.centre.archive import FIRST, Making, make
from assent.services.centre.sealed import Archive, Progress
from assent.services.erase.derived.downloads import InDownloads, archives, drop_ended
from assent.services.erase.derived.port import ErasureOrder
from assent.store.records import Erasure, Hold, Page, Tombstone

WITHIN_S = 20


def begun(centre: Centre) -> str:
    """Begin a download, wait until it is ready, and return the path of its page."""
    path = centre.post("/me/download").url.path
    until = time.monotonic() + WITHIN_S
    while "Your file is ready" not in centre.get(path).text:
        assert time.monotonic() < until
        time.sleep(0.05)
    return path


def fetched(centre: Centre, path: str) -> dict[str, bytes]:
    answer = centre.get(f"{path}/file")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def lines(content: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in content.splitlines()]


def folder(centre: Centre) -> Path:
    return centre.home.settings.home / "downloads"


def test_it_holds_all_that_is_the_persons_and_nothing_of_others(centre: Centre) -> None:
    later = NOW + timedelta(days=90)
    centre.store.place_hold(Hold("h-told", "m-1", "person", ANN, NOW, "mia", "an order", later))
    centre.store.place_hold(Hold("h-gag", "m-2", "person", ANN, NOW, "mia", "an order", later, gag=True))
    centre.enter(ANN)
    files = fetched(centre, begun(centre))
    talks = [one for name, content in files.items() if name.startswith("conversations/") for one in lines(content)]
    assert [one["id"] for one in talks] == ["test:soup", "test:code", "test:old"]
    assert [part["text"] for part in talks[0]["parts"]] == ["stir it", "then let it rest"]
    assert talks[0]["parts"][0]["decision"]["reasons"]
    assert [one["id"] for one in lines(files["flags.ndjson"])] == ["flag-1"]
    assert [one["id"] for one in lines(files["holds.ndjson"])] == ["h-told"]
    assert [one["name"] for one in lines(files["training-sets.ndjson"])] == ["spring"]
    everything = b"".join(files.values())
    for secret in (b"test:ben", b"Ben's own", b"h-gag", b"flag-2"):
        assert secret not in everything
    cover = files["index.html"].decode()
    assert "What is not in it, and why" in cover
    assert re.search(r"conversations</th><td>3<", cover)


def test_each_reading_for_it_is_recorded_without_a_name(centre: Centre) -> None:
    centre.enter(ANN)
    begun(centre)
    read = centre.store.accesses(Page(100)).items
    assert {one.conversation for one in read} == {"test:soup", "test:code", "test:old"}
    assert {(one.purpose, one.reader) for one in read} == {("access", "the person")}
    assert ANN not in str(read)


def test_its_link_works_for_nobody_else_and_with_no_other_key(centre: Centre) -> None:
    centre.enter(ANN)
    path = begun(centre)
    other = path[:-1] + ("0" if path[-1] != "0" else "1")
    for wrong in (
        other,
        f"{other}/file",
        path[:-2],
        "/me/download/zz",
        path.upper().replace("/ME/DOWNLOAD", "/me/download"),
    ):
        if wrong != path:
            assert centre.get(wrong).status_code == 404, wrong
    centre.enter(BEN)
    assert centre.get(path).status_code == 404
    assert centre.get(f"{path}/file").status_code == 404
    assert centre.post(f"{path}/remove").status_code == 404
    assert list(archives(folder(centre)))


def test_what_waits_on_the_disk_says_nothing(centre: Centre) -> None:
    centre.enter(ANN)
    begun(centre)
    kept = [file.read_bytes() for file in folder(centre).rglob("*") if file.is_file() and file.name != "state.json"]
    assert len(kept) > 5
    assert not any(word in content for content in kept for word in (b"stir", b"Soup", b"soup", ANN.encode()))
    assert folder(centre).stat().st_mode & 0o077 == 0
    assert ANN not in "".join(place.name for place, _ in archives(folder(centre)))


def test_it_goes_when_anything_of_the_person_is_erased(centre: Centre) -> None:
    centre.enter(ANN)
    path = begun(centre)
    centre.enter(BEN)
    of_ben = begun(centre)
    erasure = Erasure(1, "swept", 1, NOW, b"", b"", b"", b"", 1)
    stone = Tombstone(1, 0, "1", "test:soup", ANN, NOW, NOW, "base", "sha256:x", 1)
    order = ErasureOrder(erasure, (), lambda: iter([stone]), NOW)
    assert InDownloads(folder(centre)).erase([order])[1].state == "removed"
    assert centre.get(of_ben).status_code == 200
    centre.enter(ANN)
    assert centre.get(path).status_code == 404
    assert any(one.name == "downloads" for one in centre.store.derived_stores())
    assert "downloads" in centre.home.new_erasure_world().derived


def test_it_goes_after_a_day_or_when_it_is_removed_or_begun_again(centre: Centre) -> None:
    centre.enter(ANN)
    first = begun(centre)
    second = begun(centre)
    assert centre.get(first).status_code == 404
    assert drop_ended(folder(centre), centre.home.now() + timedelta(hours=23)) == 0
    assert drop_ended(folder(centre), centre.home.now() + timedelta(hours=25)) == 1
    assert centre.get(second).status_code == 404
    third = begun(centre)
    assert "The file is removed." in centre.post(f"{third}/remove").text
    assert not any(folder(centre).iterdir())


def test_one_that_was_interrupted_goes_on_where_it_was(centre: Centre) -> None:
    key, counts = b"k" * 32, []
    making = Making(
        store=centre.store,
        log=centre.home.log,
        policies=centre.home.policies,
        now=centre.home.now,
        cover=lambda found: counts.append(found) or b"cover",
    )
    archive = Archive(folder(centre), "a" * 32, key)
    archive.begin(Progress(ANN, NOW, NOW + timedelta(hours=24), FIRST, total=3))
    whole, noted = archive.note, []

    class StoppedError(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.stage == "cover" and not noted:
            noted.append(progress)
            raise StoppedError
        whole(progress)

    archive.note = stop
    with pytest.raises(StoppedError):
        make(making, archive, ANN)
    assert noted
    done = make(making, Archive(folder(centre), "a" * 32, key), ANN)
    names = [name for name, _ in Archive(folder(centre), "a" * 32, key).pieces(done.pieces)]
    assert done.finished
    assert len(names) == len(set(names))
    assert counts[-1]["conversations"] == 3
