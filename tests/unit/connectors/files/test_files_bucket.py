"""Buckets: conditions, versions, markers, locks, uploads, replicas."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conformance.connectors.files_worlds import BEGIN, BucketWorld, bucket_world, json_lines, table_file, turn

from assent.connectors.files import bucket
from assent.connectors.files.storage import Entry
from assent.connectors.port import state_of
from assent.domain.errors import AssentError, Invalid

HERS = json_lines([turn("hers", "ann", "user", "a secret of hers", BEGIN)])
HIS = json_lines([turn("his", "ben", "user", "his", BEGIN)])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[BucketWorld]:
    with bucket_world(tmp_path) as world:
        yield world


def states(world: BucketWorld) -> dict[str, str]:
    return {copy.kind: copy.state for copy in world.product().erase(["hers"])["hers"]}


def test_what_somebody_writes_while_an_object_is_rewritten_is_read_again(world: BucketWorld) -> None:
    world.write("a.jsonl", HERS + HIS)
    product, more = world.product(), [HIS * 2 + HERS, HIS * 3 + HERS]
    put = product._storage._client.put_object

    def late(**keys: Any) -> Any:
        if more:
            world.write("a.jsonl", more.pop())
        return put(**keys)

    product._storage._client.put_object = late
    product.erase(["hers"])
    assert dict(world.current())["a.jsonl"] == HIS * 2
    assert state_of(world.product().erase(["hers"])["hers"]) == "removed"  # the versions in between
    assert [content for _, content in world.contents()] == [HIS * 2]


def test_an_object_that_never_rests_is_left_alone(world: BucketWorld) -> None:
    world.write("a.jsonl", HERS + HIS)
    product, written = world.product(), 0
    put = product._storage._client.put_object

    def late(**keys: Any) -> Any:
        nonlocal written
        written += 1
        world.write("a.jsonl", HERS + HIS * written * 2)
        return put(**keys)

    product._storage._client.put_object = late
    (copy,) = (copy for copy in product.erase(["hers"])["hers"] if copy.kind == "rows")
    assert (copy.state, copy.note) == ("not reachable", "the object changes while it is read")
    assert dict(world.current())["a.jsonl"] == HERS + HIS * written * 2


def test_what_an_object_says_of_itself_stays(world: BucketWorld) -> None:
    key = {"Bucket": "rows", "Key": "some/where/a.jsonl"}
    world.client.put_object(
        **key, Body=HERS + HIS, Metadata={"k": "v"}, ContentType="application/x-ndjson", CacheControl="no-store",
        StorageClass="STANDARD_IA", Tagging="a=1&b=x%20y",
    )  # fmt: skip
    before = world.client.head_object(**key)
    assert set(states(world).values()) == {"removed"}
    after = world.client.head_object(**key)
    for name in ("Metadata", "ContentType", "CacheControl", "StorageClass"):
        assert after[name] == before[name]
    tags = world.client.get_object_tagging(**key)["TagSet"]
    assert {one["Key"]: one["Value"] for one in tags} == {"a": "1", "b": "x y"}


def test_a_marker_goes_with_the_last_version_under_it_and_never_before(world: BucketWorld) -> None:
    for path, contents in (("gone.jsonl", [HERS]), ("back.jsonl", [HIS, HERS])):
        for content in contents:
            world.write(path, content)
        world.client.delete_object(Bucket="rows", Key=f"some/where/{path}")
    assert states(world) == {"older version": "removed"}
    left = world.client.list_object_versions(Bucket="rows")
    assert [one["Key"] for one in left["Versions"]] == ["some/where/back.jsonl"]
    assert [one["Key"] for one in left["DeleteMarkers"]] == ["some/where/back.jsonl"]
    assert not list(world.current())  # it is as deleted as it was


@pytest.mark.parametrize("hold", [False, True], ids=["retention", "legal hold"])
def test_a_locked_version_is_pending_with_its_date_and_never_forced(tmp_path: Path, hold: bool) -> None:
    with bucket_world(tmp_path, lock=True) as world:
        until = datetime(2031, 5, 1, tzinfo=UTC)
        lock = {"ObjectLockLegalHoldStatus": "ON"} if hold else {
            "ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until,
        }  # fmt: skip
        world.client.put_object(Bucket="rows", Key="some/where/a.jsonl", Body=HERS + HIS, **lock)
        product = world.product()
        asked: list[dict[str, Any]] = []
        delete = product._storage._client.delete_object
        product._storage._client.delete_object = lambda **keys: (asked.append(keys), delete(**keys))[1]
        copies = {copy.kind: copy for copy in product.erase(["hers"])["hers"]}
        pending = copies["older version"]
        assert (copies["rows"].state, pending.state) == ("removed", "pending maintenance")
        assert ("legal hold" if hold else "(GOVERNANCE) until 2031-05-01T00:00:00Z") in pending.note
        assert not any("BypassGovernanceRetention" in keys for keys in asked)
        assert dict(world.current())["a.jsonl"] == HIS
        assert HERS + HIS in [content for _, content in world.contents()]
        head = world.client.head_object(Bucket="rows", Key="some/where/a.jsonl")  # what is kept stays protected
        assert head["ObjectLockLegalHoldStatus"] == "ON" if hold else head["ObjectLockRetainUntilDate"] == until
        if hold:
            free = {"Bucket": "rows", "Key": "some/where/a.jsonl", "LegalHold": {"Status": "OFF"}}
            for one in world.client.list_object_versions(Bucket="rows")["Versions"]:
                world.client.put_object_legal_hold(**free, VersionId=one["VersionId"])
            assert state_of(world.product().erase(["hers"])["hers"]) == "removed"


def test_an_upload_that_was_given_up_is_aborted(world: BucketWorld) -> None:
    world.write("a.jsonl", HERS)
    upload = {"Bucket": "rows", "Key": "some/where/a.jsonl"}
    made = world.client.create_multipart_upload(**upload)  # moto dates each of them 2010
    world.client.upload_part(**upload, UploadId=made["UploadId"], PartNumber=1, Body=HERS)
    assert {copy.kind for copy in world.product().copies(["hers"])["hers"]} == {"rows", "unfinished upload"}
    assert states(world) == {"rows": "removed", "unfinished upload": "removed"}
    assert "Uploads" not in world.client.list_multipart_uploads(Bucket="rows")


def test_an_upload_that_may_go_on_is_pending_and_left_alone(tmp_path: Path) -> None:
    with bucket_world(tmp_path, upload_hours=24 * 365 * 40) as world:
        world.write("a.jsonl", HERS)
        world.client.create_multipart_upload(Bucket="rows", Key="some/where/a.jsonl")
        world.client.create_multipart_upload(Bucket="rows", Key="some/where/other.jsonl")
        assert states(world) == {"rows": "removed", "unfinished upload": "pending maintenance"}
        assert len(world.client.list_multipart_uploads(Bucket="rows")["Uploads"]) == 2


@pytest.mark.parametrize("replicas", [False, True])
def test_replicas_are_out_of_reach_unless_somebody_looks_after_them(tmp_path: Path, replicas: bool) -> None:
    with bucket_world(tmp_path, replicas=replicas) as world:
        world.write("a.jsonl", HERS)
        world.client.create_bucket(Bucket="there")
        world.client.put_bucket_versioning(Bucket="there", VersioningConfiguration={"Status": "Enabled"})
        rule = {"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": "arn:aws:s3:::there"}}
        world.client.put_bucket_replication(
            Bucket="rows", ReplicationConfiguration={"Role": "arn:aws:iam::1:role/r", "Rules": [rule]}
        )
        assert states(world) == {"rows": "removed"} | ({} if replicas else {"replicas": "not reachable"})


def test_whether_there_are_replicas_is_not_known_to_every_key(world: BucketWorld) -> None:
    world.write("a.jsonl", HERS)
    product = world.product()

    def refused(**_keys: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetBucketReplication")

    product._storage._client.get_bucket_replication = refused
    copies = {copy.kind: copy for copy in product.erase(["hers"])["hers"]}
    assert (copies["rows"].state, copies["replicas"].state) == ("removed", "not reachable")
    assert "s3:GetReplicationConfiguration" in copies["replicas"].note


def test_what_is_archived_is_not_looked_at_and_says_so(world: BucketWorld) -> None:
    world.client.put_object(Bucket="rows", Key="some/where/old.jsonl", Body=HERS, StorageClass="GLACIER")
    (copy,) = world.product().copies(["hers"])["hers"]
    assert (copy.state, copy.note) == ("not reachable", "is archived (GLACIER): restore it first")


def test_a_bucket_without_versions_is_rewritten_in_place(world: BucketWorld) -> None:
    world.versions("Suspended")
    world.write("a.jsonl", HERS + HIS)
    world.client.put_object(Bucket="rows", Key="some/where-else.jsonl", Body=HERS)
    world.client.put_object(Bucket="rows", Key="some/where/notes.txt", Body=HERS)
    assert states(world) == {"rows": "removed"}
    assert sorted(content for _, content in world.contents()) == sorted([HIS, HERS, HERS])


def test_a_table_is_read_by_ranges_and_rewritten(tmp_path: Path) -> None:
    with bucket_world(tmp_path) as world:
        row = {"conversation_id": "hers", "owner": "ann", "title": "a", "created_at": BEGIN, "messages": []}
        world.write("a.parquet", table_file([row, {**row, "conversation_id": "his"}]))
        assert states(world) == {"rows": "removed"}
        (left,) = [content for _, content in world.contents()]
        assert b"hers" not in left


def test_an_object_is_read_at_any_position(world: BucketWorld) -> None:
    content = bytes(range(256)) * 8
    world.write("a.jsonl", content)
    place = world.product()._storage
    (entry,) = place.entries()
    assert isinstance(entry, Entry)
    with place.opened(entry) as stream:
        assert (stream.read(3), stream.seek(-2, io.SEEK_END), stream.read()) == (
            content[:3],
            len(content) - 2,
            content[-2:],
        )
        assert (stream.seek(256), stream.read(2), stream.seek(2, io.SEEK_CUR), stream.read(1)) == (
            256,
            b"\0\1",
            260,
            b"\4",
        )


def test_a_large_object_is_refused_before_it_is_read(world: BucketWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "MAX_OBJECT_BYTES", 10)
    world.write("a.jsonl", HERS)
    (copy, *_) = world.product().erase(["hers"])["hers"]
    assert (copy.state, "split it" in copy.note) == ("not reachable", True)


def test_every_page_of_versions_and_uploads_is_read(world: BucketWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "PAGE", 2)
    for number in range(3):
        for _ in range(3):
            world.write(f"{number}.jsonl", HERS + HIS)
        world.client.create_multipart_upload(Bucket="rows", Key=f"some/where/{number}.jsonl")
    places = [copy.place for copy in world.product().copies(["hers"])["hers"]]
    assert len(places) == 3 * 3 + 3
    assert states(world) == {"rows": "removed", "older version": "removed", "unfinished upload": "removed"}
    assert [content for _, content in world.contents()] == [HIS] * 3


def test_a_bucket_that_is_not_there_is_said(world: BucketWorld) -> None:
    world.client.delete_bucket(Bucket="rows")
    with pytest.raises(AssentError, match="answered `NoSuchBucket`"):
        list(world.product().list())


def test_the_file_of_the_key_holds_two_words(world: BucketWorld) -> None:
    world.key_file.write_text("only-one\n")
    with pytest.raises(Invalid, match="two words"):
        world.product()
