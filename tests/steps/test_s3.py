"""Segments in S3-compatible storage: what its lock keeps, what it does not, and what is done when it fails."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from botocore.exceptions import ClientError
from sqlalchemy import select

from app import ROOT, main
from app.capture import attachments, importing, pages, run
from app.capture.runs import Report
from app.db import DiskFull
from app.jobs.publishing import Publishing
from app.main import Archive
from app.records.clock import FixedClock, SystemClock
from app.records.errors import ArchiveError, Invalid, Refused, Unavailable
from app.records.nouns import Page
from app.settings import BadSetting, BucketAddress
from app.store import Store, export, fixity
from app.store.ledger import Deed
from app.store.note import Checkpoint, opened
from app.store.objects import FixityMismatch, Folder, ObjectLocked, ObjectMissing
from app.store.publish import Publish, PublishedOtherwise
from app.store.s3 import Bucket
from app.store.s3_requests import (
    TRIES,
    BadBucket,
    BucketClock,
    BucketCredentials,
    BucketForbids,
    BucketUnavailable,
    Requests,
    open_client,
)
from app.store.sweep import sweep
from app.store.tables import attachments as attachment_table
from app.store.tables import objects as object_table
from connectors.contract import Attachment, Author, Kind, Observation
from tests.archives import close, settings_at
from tests.seaweed import Between, Seaweed, serving
from tests.steps.scripted import Scripted, ScriptedClient, listing
from tests.steps.test_capture import World, post
from tests.steps.test_destruction import dispose

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

DAYS = 30
PART = 5 << 20
"""The smallest part that S3 takes."""
LARGE = b"".join(bytes([number]) * (1 << 20) for number in range(11))
"""Three parts, no two alike."""


@pytest.fixture(scope="module")
def seaweed() -> Iterator[Seaweed]:
    with serving() as storage:
        yield storage


@pytest.fixture
def locking(seaweed: Seaweed, tmp_path: Path) -> Bucket:
    """A place in a bucket with a lock, whose content is locked for thirty days; destruction has an identity of its own."""
    return at(seaweed, tmp_path, lock=True, disposer="disposer")


@pytest.fixture
def plain(seaweed: Seaweed, tmp_path: Path) -> Bucket:
    """A place in a bucket that has no lock."""
    return at(seaweed, tmp_path, lock=False)


@pytest.fixture(scope="module")
def way(seaweed: Seaweed) -> Iterator[Between]:
    with closing(Between(seaweed)) as between:
        yield between


@pytest.fixture(scope="module")
def by_that_way(way: Between) -> Iterator[S3Client]:
    """The client that asks by that way; making one takes as long as a test."""
    with closing(open_client(endpoint=way.address, profile="keeper", seconds=20)) as client:
        yield client


@dataclass(frozen=True)
class Troubled:
    """A bucket that is reached by a way on which things go wrong; how long there would be to wait is written down."""

    bucket: Bucket
    way: Between
    waits: list[float]


@pytest.fixture
def troubled(seaweed: Seaweed, way: Between, by_that_way: S3Client, tmp_path: Path) -> Iterator[Troubled]:
    waits: list[float] = []
    requests = Requests(by_that_way, seaweed.common(lock=True), wait=waits.append)
    way.seen.clear()
    bucket = Bucket(requests, seaweed.prefix(), tmp_path, clock=SystemClock(), days=0)
    bucket.part = PART
    yield Troubled(bucket, way, waits)
    way.next()


def at(
    storage: Seaweed, spool: Path, *, lock: bool, days: int = DAYS, disposer: str = "", prefix: str = ""
) -> Bucket:
    name = storage.common(lock=lock)
    bucket = Bucket(
        storage.requests("keeper", name),
        prefix or storage.prefix(),
        spool,
        clock=SystemClock(),  # the storage's locks end by its own clock, which no test can move
        days=days,
        disposer=storage.requests(disposer, name) if disposer else None,
    )
    bucket.part = PART
    return bucket


def key(bucket: Bucket, digest: bytes) -> dict[str, str]:
    name = digest.hex()
    return {"Bucket": bucket.requests.bucket, "Key": f"{bucket.root}objects/{name[:2]}/{name[2:]}"}


def behind(storage: Seaweed, bucket: Bucket, digest: bytes, content: bytes) -> None:
    """Write over a locked object through the filer, the door of the same server that knows no lock."""
    place = key(bucket, digest)
    newest = storage.client("admin").head_object(Bucket=place["Bucket"], Key=place["Key"])["VersionId"]
    with closing(http.client.HTTPConnection(storage.filer, timeout=20)) as door:
        where = f"/buckets/{place['Bucket']}/{place['Key']}.versions/v_{newest}"
        door.request("PUT", where, content, {"Content-Type": "application/octet-stream"})
        answer = door.getresponse()
        answer.read()
        assert answer.status in (200, 201), answer.status


# -- what the lock keeps -----------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"small", LARGE], ids=["whole", "in parts"])
def test_what_is_kept_is_locked_in_governance_mode_for_as_long_as_the_setting_says(
    locking: Bucket, content: bytes
):
    kept = locking.put([content])
    told = locking.requests.client.head_object(**key(locking, kept.digest))  # type: ignore[arg-type] # two names
    assert told["ObjectLockMode"] == "GOVERNANCE"
    left = told["ObjectLockRetainUntilDate"] - datetime.now(UTC)
    assert timedelta(days=DAYS - 1) < left <= timedelta(days=DAYS)
    assert locking.check(kept.digest) == len(content)


def test_what_is_locked_is_not_discarded_and_the_refusal_says_until_when(locking: Bucket):
    kept = locking.put([b"evidence"])
    with pytest.raises(ObjectLocked) as refused:
        locking.discard(kept.digest)
    assert (refused.value.code, refused.value.mode) == ("object-locked", "governance")
    assert isinstance(refused.value, Refused)
    assert refused.value.until is not None
    assert f"{refused.value.until:%Y-%m-%dT%H:%M:%SZ}" in str(refused.value)
    assert locking.check(kept.digest) == 8
    assert list(locking.names()) == [kept.digest]


def test_destruction_bypasses_governance_with_an_identity_of_its_own(locking: Bucket):
    kept, stays = locking.put([b"disposed of"]), locking.put([b"stays"])
    locking.discard(kept.digest, bypass=True)
    assert list(locking.names()) == [stays.digest]
    with pytest.raises(ObjectMissing, match="is not in"):
        locking.check(kept.digest)
    locking.discard(kept.digest, bypass=True)


def test_the_everyday_identity_cannot_bypass_governance(seaweed: Seaweed, tmp_path: Path):
    everyday = at(seaweed, tmp_path, lock=True)
    kept = everyday.put([b"evidence"])
    with pytest.raises(ObjectLocked) as refused:
        everyday.discard(kept.digest, bypass=True)
    assert "MUNIMENT_S3_DISPOSAL_PROFILE" in refused.value.next
    assert everyday.check(kept.digest) == 8


def test_the_everyday_identity_cannot_shorten_a_lock_that_it_may_lengthen(seaweed: Seaweed, tmp_path: Path):
    everyday = at(seaweed, tmp_path, lock=True)
    kept = everyday.put([b"evidence"])
    place: Any = key(everyday, kept.digest)
    client = everyday.requests.client
    until = client.head_object(**place)["ObjectLockRetainUntilDate"]
    for bypass in (False, True):
        with pytest.raises(ClientError, match="AccessDenied"):
            client.put_object_retention(
                **place,
                BypassGovernanceRetention=bypass,
                Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until - timedelta(days=1)},
            )
    longer = until + timedelta(days=1)
    client.put_object_retention(**place, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": longer})
    assert client.head_object(**place)["ObjectLockRetainUntilDate"] == longer


def test_nobody_bypasses_the_storages_own_legal_hold(seaweed: Seaweed, locking: Bucket):
    kept = locking.put([b"held elsewhere"])
    place: Any = key(locking, kept.digest)
    seaweed.client("admin").put_object_legal_hold(**place, LegalHold={"Status": "ON"})
    with pytest.raises(ObjectLocked) as refused:
        locking.discard(kept.digest, bypass=True)
    assert (refused.value.mode, refused.value.until) == ("legal hold", None)
    seaweed.client("admin").put_object_legal_hold(**place, LegalHold={"Status": "OFF"})
    locking.discard(kept.digest, bypass=True)
    assert list(locking.names()) == []


def test_who_may_not_remove_at_all_is_not_told_of_a_lock(seaweed: Seaweed, tmp_path: Path):
    mine = at(seaweed, tmp_path, lock=True, days=0)
    kept = mine.put([b"free of locks"])
    reader = Bucket(
        seaweed.requests("reader", mine.requests.bucket), mine.root, tmp_path, clock=SystemClock(), days=0
    )
    with pytest.raises(BucketForbids):
        reader.discard(kept.digest)
    assert mine.check(kept.digest) == 13
    mine.discard(kept.digest)  # the twin: who may, does
    assert list(mine.names()) == []


def test_every_version_goes_when_an_object_is_discarded(seaweed: Seaweed, tmp_path: Path):
    mine = at(seaweed, tmp_path, lock=True, days=0)
    kept = mine.put([b"twice"])
    place: Any = key(mine, kept.digest)
    mine.requests.client.put_object(**place, Body=b"other bytes")
    mine.requests.client.delete_object(**place)
    mine.discard(kept.digest)
    left = mine.requests.client.list_object_versions(Bucket=place["Bucket"], Prefix=place["Key"])
    assert not left.get("Versions")
    assert not left.get("DeleteMarkers")


def test_with_a_lock_it_is_said_what_is_locked(locking: Bucket):
    told = locking.describe()
    assert told.locked
    assert told.where == f"s3://{locking.requests.bucket}/{locking.root}".rstrip("/")
    assert told.says == (f"segments are locked in governance mode for {DAYS} days",)


def test_without_a_lock_work_goes_on_and_it_is_said(plain: Bucket):
    kept = plain.put([b"evidence"])
    told = plain.describe()
    assert not told.locked
    assert "no Object Lock" in told.says[0]
    plain.discard(kept.digest)
    assert list(plain.names()) == []


def test_a_lock_of_the_buckets_own_is_said(seaweed: Seaweed, tmp_path: Path):
    name = seaweed.bucket(lock=True)
    seaweed.client("admin").put_object_lock_configuration(
        Bucket=name,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}},
        },
    )
    bucket = Bucket(seaweed.requests("keeper", name), "", tmp_path, clock=SystemClock(), days=0)
    told = bucket.describe()
    assert told.locked
    assert [line for line in told.says if "compliance mode for 1 days" in line]
    kept = bucket.put([b"at the bucket's mercy"])
    with pytest.raises(ObjectLocked) as refused:
        bucket.discard(kept.digest, bypass=True)
    assert refused.value.mode == "compliance"


# -- what the lock does not keep ---------------------------------------------------------------------------


def test_what_a_marker_hides_is_told_from_what_never_was_and_is_brought_back(locking: Bucket):
    kept = locking.put([b"hidden"])
    place: Any = key(locking, kept.digest)
    locking.requests.client.delete_object(**place)  # allowed under every lock
    with pytest.raises(ObjectMissing, match="hidden"):
        locking.check(kept.digest)
    with pytest.raises(ObjectMissing, match="hidden"):
        locking.read(kept.digest, 0, 3)
    with pytest.raises(ObjectMissing, match="is not in"):
        locking.check(hashlib.sha256(b"never was").digest())
    assert locking.bring_back(kept.digest)
    assert locking.read(kept.digest, 0, 6) == b"hidden"
    assert not locking.bring_back(kept.digest)


def test_other_bytes_on_top_are_found_and_the_whole_version_beneath_is_brought_back(locking: Bucket):
    kept = locking.put([b"evidence"])
    place: Any = key(locking, kept.digest)
    locking.requests.client.put_object(**place, Body=b"evidencE")
    with pytest.raises(FixityMismatch):
        locking.check(kept.digest)
    assert locking.bring_back(kept.digest)
    assert locking.check(kept.digest) == 8
    told = locking.requests.client.list_object_versions(Bucket=place["Bucket"], Prefix=place["Key"])
    assert len(told["Versions"]) == 3  # what was put over it stays beneath, as evidence


def test_what_was_never_there_is_not_brought_back(locking: Bucket):
    with pytest.raises(ObjectMissing):
        locking.bring_back(hashlib.sha256(b"never was").digest())


def test_what_was_altered_behind_the_lock_is_found(seaweed: Seaweed, locking: Bucket):
    kept = locking.put([b"evidence that nobody may alter"])
    behind(seaweed, locking, kept.digest, b"evidence that anybody may edit")
    with pytest.raises(FixityMismatch):
        locking.check(kept.digest)
    with pytest.raises(FixityMismatch):
        locking.bring_back(kept.digest)


def test_what_was_cut_behind_the_lock_is_never_made_up(seaweed: Seaweed, locking: Bucket):
    kept = locking.put([b"evidence that nobody may alter"])
    behind(seaweed, locking, kept.digest, b"evidence")
    for place, size in ((0, 30), (4, 20), (20, 3)):
        with pytest.raises(FixityMismatch):
            locking.read(kept.digest, place, size)
    with pytest.raises(FixityMismatch):
        locking.check(kept.digest)


def test_putting_the_bytes_of_a_damaged_object_again_repairs_it(locking: Bucket):
    kept = locking.put([b"whole"])
    place: Any = key(locking, kept.digest)
    locking.requests.client.put_object(**place, Body=b"w")
    assert locking.put([b"whole"]) == kept
    assert locking.read(kept.digest, 0, 5) == b"whole"


def test_putting_the_same_bytes_at_once_again_makes_no_second_version(locking: Bucket):
    first, again = locking.put([b"same"]), locking.put([b"sa", b"me"])
    assert first == again
    told = locking.requests.client.list_object_versions(
        Bucket=locking.requests.bucket, Prefix=f"{locking.root}objects/"
    )
    assert len(told["Versions"]) == 1


def test_what_others_lay_into_the_bucket_is_no_object(plain: Bucket):
    kept = plain.put([b"ours"])
    for name in ("objects/README", "objects/ab/short", "published/tile/0/000", "objects/zz/" + "0" * 62):
        plain.requests.client.put_object(
            Bucket=plain.requests.bucket, Key=plain.root + name, Body=b"somebody's"
        )
    assert list(plain.names()) == [kept.digest]


def test_more_objects_than_a_page_of_a_listing_holds_are_all_named(
    plain: Bucket, monkeypatch: pytest.MonkeyPatch
):
    kept = {plain.put([b"%d" % number]).digest for number in range(5)}
    client = plain.requests.client
    asked: list[dict[str, Any]] = []

    def two_at_a_time(**words: Any) -> Any:
        asked.append(words)
        return type(client).list_objects_v2(client, **words, MaxKeys=2)

    monkeypatch.setattr(client, "list_objects_v2", two_at_a_time)
    assert set(plain.names()) == kept
    assert len(asked) == 3


# -- when the storage fails --------------------------------------------------------------------------------

PASSING = ["lost", "unanswered", "half", "500 InternalError", "503 SlowDown", "429 TooManyRequests", "400 RequestTimeout"]  # fmt: skip


@pytest.mark.parametrize("trouble", PASSING)
def test_what_passes_is_waited_out(troubled: Troubled, trouble: str):
    bucket = troubled.bucket
    bucket.describe()
    troubled.way.next(trouble)
    kept = bucket.put([b"kept all the same"])
    for ask in (
        lambda: bucket.read(kept.digest, 5, 3) == b"all",
        lambda: bucket.check(kept.digest) == 17,
        lambda: list(bucket.names()) == [kept.digest],
        lambda: bucket.describe().where.startswith("s3://"),
    ):
        troubled.way.next(trouble)
        assert ask()
    assert len(troubled.waits) >= 4
    assert all(0 < pause <= 1 for pause in troubled.waits)
    troubled.way.next(trouble)
    bucket.discard(kept.digest)
    assert list(bucket.names()) == []


def test_each_wait_is_longer_and_after_the_last_try_it_is_said_that_later_may_succeed(troubled: Troubled):
    troubled.way.meets = lambda _method, _target: "503 SlowDown"
    with pytest.raises(BucketUnavailable) as failed:
        troubled.bucket.put([b"not today"])
    assert isinstance(failed.value, Unavailable)
    assert "503" in str(failed.value)
    assert failed.value.next
    assert len(troubled.way.seen) == TRIES
    assert troubled.waits == sorted(troubled.waits)
    assert len(troubled.waits) == TRIES - 1


def test_a_storage_that_says_how_long_to_wait_is_obeyed(troubled: Troubled):
    troubled.way.next("503 SlowDown Retry-After: 7")
    troubled.bucket.describe()
    assert troubled.waits == [7.0]


def test_a_storage_that_never_answers_is_not_waited_for_without_end(troubled: Troubled):
    troubled.way.meets = lambda _method, _target: "never"
    with closing(open_client(endpoint=troubled.way.address, profile="keeper", seconds=0.05)) as hasty:
        troubled.bucket.requests.client = hasty
        with pytest.raises(BucketUnavailable):
            troubled.bucket.put([b"into the void"])


def test_a_storage_that_is_not_there_is_unavailable(seaweed: Seaweed, tmp_path: Path):
    with closing(Between(seaweed)) as gone:
        address = gone.address
    waits: list[float] = []
    with closing(open_client(endpoint=address, profile="keeper")) as client:
        bucket = Bucket(
            Requests(client, "town", wait=waits.append), "", tmp_path, clock=SystemClock(), days=0
        )
        with pytest.raises(BucketUnavailable):
            bucket.describe()
    assert len(waits) == TRIES - 1


def test_a_stream_that_is_broken_off_goes_on_from_where_it_was(troubled: Troubled):
    kept = troubled.bucket.put([LARGE])
    troubled.way.seen.clear()
    troubled.way.next("half", "half", "lost", "500 InternalError")
    assert b"".join(troubled.bucket.stream(kept.digest, 3, 2 * PART)) == LARGE[3 : 3 + 2 * PART]
    assert len(troubled.way.seen) == 5
    troubled.way.next("half")
    assert troubled.bucket.check(kept.digest) == len(LARGE)


def test_an_object_that_is_replaced_while_it_is_read_is_found(troubled: Troubled):
    kept = troubled.bucket.put([LARGE])
    reading = troubled.bucket.stream(kept.digest, 0, len(LARGE))
    troubled.way.next("half")
    next(reading)
    place: Any = key(troubled.bucket, kept.digest)
    troubled.bucket.requests.client.put_object(**place, Body=LARGE[::-1])
    with pytest.raises(FixityMismatch, match="replaced"):
        list(reading)


def test_a_part_that_does_not_arrive_is_sent_again_and_no_other(troubled: Troubled):
    def second_part(method: str, target: str) -> str | None:
        sent = sum("partNumber=2" in line for line in troubled.way.seen)
        return "unanswered" if "partNumber=2" in target and sent == 1 else None

    troubled.way.meets = second_part
    kept = troubled.bucket.put([LARGE])
    assert troubled.bucket.check(kept.digest) == len(LARGE)
    sent = [line.split("partNumber=")[1][0] for line in troubled.way.seen if "partNumber=" in line]
    assert sent == ["1", "2", "2", "3"]


@pytest.mark.parametrize("trouble", ["unanswered", "lost"])
def test_an_upload_whose_completion_was_not_acknowledged_is_whole(troubled: Troubled, trouble: str):
    def completing(method: str, target: str) -> str | None:
        first = sum(line.startswith("POST") and "uploadId" in line for line in troubled.way.seen) == 1
        return trouble if method == "POST" and "uploadId" in target and first else None

    troubled.way.meets = completing
    kept = troubled.bucket.put([LARGE])
    assert troubled.bucket.check(kept.digest) == len(LARGE)


def test_an_upload_whose_end_was_lost_twice_over_is_whole_where_the_storage_forgot_it(troubled: Troubled):
    """Other servers answer the second completion with `NoSuchUpload`; the object is there all the same."""

    def completing(method: str, target: str) -> str | None:
        times = sum(line.startswith("POST") and "uploadId" in line for line in troubled.way.seen)
        return {1: "unanswered", 2: "404 NoSuchUpload"}.get(times) if method == "POST" else None

    troubled.way.meets = completing
    kept = troubled.bucket.put([LARGE])
    assert troubled.bucket.check(kept.digest) == len(LARGE)


def test_an_upload_that_fails_leaves_nothing(troubled: Troubled):
    troubled.way.meets = lambda method, target: "403 AccessDenied" if "partNumber=3" in target else None
    with pytest.raises(BucketForbids):
        troubled.bucket.put([LARGE])
    troubled.way.next()
    assert list(troubled.bucket.names()) == []
    assert troubled.bucket.sweep(older_than=datetime.now(UTC) + timedelta(days=1)) == 0


def test_bytes_that_change_on_their_way_are_not_taken(plain: Bucket):
    """The storage itself compares what arrives with the name."""
    name = hashlib.sha256(b"what was meant").digest()
    with pytest.raises(ClientError, match="BadDigest"):
        plain.requests.client.put_object(
            Bucket=plain.requests.bucket,
            Key=plain.root + "objects/aa",
            Body=b"what was heard",
            ChecksumSHA256=base64.b64encode(name).decode(),
        )


KILLED = """
import os, signal, sys
from app.records.clock import SystemClock
from app.store import s3
from app.store.s3_requests import Requests, open_client
from pathlib import Path
requests = Requests(open_client(endpoint=sys.argv[1], profile="keeper"), sys.argv[2], wait=lambda _: None)
bucket = s3.Bucket(requests, sys.argv[3], Path(sys.argv[4]), clock=SystemClock(), days=0)
send, sent = bucket._put_part, 0
def part(*words):
    global sent
    sent += 1
    if sent == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return send(*words)
bucket._put_part = part
bucket.part = 5 << 20
bucket.put(bytes([number]) * (1 << 20) for number in range(11))
"""


def test_an_upload_of_a_process_that_was_killed_is_swept(seaweed: Seaweed, plain: Bucket, tmp_path: Path):
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, seaweed.address, plain.requests.bucket, plain.root, str(tmp_path)],
        cwd=ROOT,
        check=False,
        timeout=60,
        capture_output=True,
    )
    assert killed.returncode == -9, killed.stderr
    now = datetime.now(UTC)
    assert list(tmp_path.iterdir()) == []  # what was made ready here had no name
    assert list(plain.names()) == []
    assert plain.sweep(older_than=now - timedelta(hours=1)) == 0
    assert plain.sweep(older_than=now + timedelta(hours=1)) == 1
    assert plain.sweep(older_than=now + timedelta(hours=1)) == 0


LIMITED = """
import resource, sys
from pathlib import Path
from app.db import DiskFull
from app.records.clock import SystemClock
from app.store.s3 import open_bucket
bucket = open_bucket("town", "", spool=Path(sys.argv[1]), clock=SystemClock(), days=0, wait=lambda _: None)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
for chunk, times in ((1 << 18, 8), (1000, 1100)):
    try:
        bucket.put(bytes(chunk) for _ in range(times))
    except DiskFull as error:
        print(error.code, error.next)
"""


def test_where_there_is_no_room_to_make_an_object_ready_it_is_said(tmp_path: Path):
    told = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "spool")],
        cwd=ROOT,
        check=True,
        timeout=60,
        capture_output=True,
        text=True,
    )
    assert told.stdout.splitlines() == [f"{DiskFull.code} Make room, then run again."] * 2
    assert list((tmp_path / "spool").iterdir()) == []


# -- when we are not let in --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "expected"),
    [("stranger", BucketCredentials), ("liar", BucketCredentials), ("reader", BucketForbids)],
)
def test_who_is_not_let_in_is_told_why(
    seaweed: Seaweed, tmp_path: Path, who: str, expected: type[ArchiveError]
):
    waits: list[float] = []
    requests = seaweed.requests(who, seaweed.common(lock=True))
    requests.wait = waits.append
    bucket = Bucket(requests, seaweed.prefix(), tmp_path, clock=SystemClock(), days=DAYS)
    with pytest.raises(expected) as refused:
        bucket.put([b"nothing"])
    assert refused.value.next
    assert waits == []  # asking again would change nothing


def test_a_bucket_that_does_not_exist_is_told_from_an_object_that_does_not(seaweed: Seaweed, tmp_path: Path):
    bucket = Bucket(seaweed.requests("keeper", "no-such-town"), "", tmp_path, clock=SystemClock(), days=DAYS)
    nowhere = hashlib.sha256(b"nowhere").digest()
    asked: list[Callable[[], object]] = [
        lambda: bucket.put([b"x"]),
        lambda: bucket.check(nowhere),
        lambda: bucket.read(nowhere, 0, 0),
        lambda: list(bucket.names()),
        lambda: bucket.discard(nowhere),
        lambda: bucket.sweep(older_than=datetime.now(UTC)),
        bucket.describe,
    ]
    for ask in asked:
        with pytest.raises(BadBucket, match="NoSuchBucket") as refused:
            ask()
        assert isinstance(refused.value, Invalid)


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        ("403 RequestTimeTooSkewed", BucketClock),
        ("403 ExpiredToken", BucketCredentials),
        ("301 PermanentRedirect", BadBucket),
        ("400 AuthorizationHeaderMalformed", BucketCredentials),
        ("403 AccessDenied", BucketForbids),
        ("501 NotImplemented", BadBucket),
    ],
)
def test_what_asking_again_would_not_change_is_said_at_once(
    troubled: Troubled, trouble: str, expected: type[ArchiveError]
):
    troubled.bucket.describe()
    troubled.way.meets = lambda method, _target: None if method == "HEAD" else trouble
    with pytest.raises(expected) as refused:
        troubled.bucket.put([b"nothing"])
    assert refused.value.next
    assert troubled.waits == []


def test_without_any_credentials_it_is_said_where_they_go(
    seaweed: Seaweed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with closing(open_client(endpoint=seaweed.address)) as client:
        requests = Requests(client, "town", wait=lambda _seconds: None)
        with pytest.raises(BucketCredentials) as refused:
            Bucket(requests, "", tmp_path, clock=SystemClock(), days=0).describe()
    assert "AWS_ACCESS_KEY_ID" in refused.value.next
    with pytest.raises(BucketCredentials):
        open_client(endpoint=seaweed.address, profile="nobody")


# -- publishing --------------------------------------------------------------------------------------------


def act(store: Store, times: int = 1) -> None:
    with store.database.begin() as tx:
        store.ledger.act_each(tx, [Deed("test", None, "for the tests", {}, {}, None)] * times)


def published(bucket: Bucket) -> dict[str, bytes]:
    """Everything that is published, by name."""
    client, root = bucket.requests.client, f"{bucket.root}published/"
    listed = client.list_objects_v2(Bucket=bucket.requests.bucket, Prefix=root).get("Contents", [])
    return {
        one["Key"].removeprefix(root): client.get_object(Bucket=bucket.requests.bucket, Key=one["Key"])[
            "Body"
        ].read()
        for one in listed
    }


def test_the_ledger_is_published_as_it_would_be_exported(store: Store, locking: Bucket, tmp_path: Path):
    act(store, 300)
    told = Publish(locking, days=DAYS).ledger(store.ledger)
    export.ledger(store.ledger, tmp_path / "export")
    files = {
        str(path.relative_to(tmp_path / "export")): path.read_bytes()
        for path in (tmp_path / "export").rglob("*")
        if path.is_file()
    }
    there = published(locking)
    assert there.pop(f"checkpoints/{told.size}") == files["checkpoint"]
    assert there == files
    assert told.placed == len(files) + 1


def test_publishing_again_places_what_is_new_and_nothing_else(store: Store, locking: Bucket):
    act(store, 300)
    publish = Publish(locking, days=DAYS)
    first = publish.ledger(store.ledger)
    again = publish.ledger(store.ledger)
    assert (again.size, again.placed) == (first.size, 0)
    assert publish.ledger(store.ledger, anew=True).placed == 0
    act(store)
    later = publish.ledger(store.ledger)
    assert later.size == first.size + 1
    assert later.placed == 4  # a partial tile, its entries, the checkpoint under its size and as the newest
    said = Checkpoint.parse(opened(published(locking)["checkpoint"].decode(), store.ledger.verifier()))
    assert said.size == later.size


def test_each_night_publishes_what_is_new_of_the_ledger_and_of_disposals(
    store: Store, locking: Bucket, clock: FixedClock
):
    world = World(store, clock)
    world.capture(listing(clock, post("p1", "words that go"), post("p2", "words that stay")))
    record = world.records()["p1"].id
    batch = dispose(world, "p1")
    publishing = Publishing(store, Publish(locking, days=DAYS))
    assert publishing.tonight() > 1
    note = json.loads(published(locking)[f"tombstones/{record.hex}.json"])
    assert (note["batch"], note["record"], note["kind"]) == (batch.hex, record.hex, "post")
    assert b"words" not in b"".join(published(locking).values())
    assert [name for name in published(locking) if name.startswith("tombstones/")] == [
        f"tombstones/{record.hex}.json"
    ]
    clock.at += timedelta(days=1)
    assert publishing.tonight() == 0
    dispose(world, "p2")
    clock.at += timedelta(days=1)
    publishing.tonight()
    assert len([name for name in published(locking) if name.startswith("tombstones/")]) == 2


def test_nobody_removes_or_shortens_what_is_published(store: Store, seaweed: Seaweed, locking: Bucket):
    locking.clock = FixedClock(datetime.now(UTC))  # each object bears the moment at which it was put
    act(store)
    told = Publish(locking, days=DAYS).ledger(store.ledger)
    assert told.until is not None
    admin, bucket = seaweed.client("admin"), locking.requests.bucket
    listed = admin.list_object_versions(Bucket=bucket, Prefix=f"{locking.root}published/")["Versions"]
    assert len(listed) >= 5
    for one in listed:
        named: Any = {"Bucket": bucket, "Key": one["Key"], "VersionId": one["VersionId"]}
        held = admin.get_object_retention(**named)["Retention"]
        assert (held["Mode"], held["RetainUntilDate"]) == ("COMPLIANCE", told.until)
        shorter = held["RetainUntilDate"] - timedelta(days=1)
        for refused in (
            partial(admin.delete_object, **named),
            partial(admin.delete_object, **named, BypassGovernanceRetention=True),
            partial(admin.put_object_retention, **named, BypassGovernanceRetention=True, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": shorter}),
            partial(admin.put_object_retention, **named, BypassGovernanceRetention=True, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": told.until}),
        ):  # fmt: skip
            with pytest.raises(ClientError, match="AccessDenied"):
                refused()


def test_a_lock_that_runs_out_is_made_longer_and_never_shorter(locking: Bucket):
    tombstone = UUID(int=1)
    clock = FixedClock(datetime.now(UTC))
    locking.clock = clock
    first = Publish(locking, days=DAYS).tombstone(tombstone, {"batch": "b1"})
    assert first.new
    clock.at += timedelta(days=DAYS / 3)
    assert Publish(locking, days=DAYS).tombstone(tombstone, {"batch": "b1"}).until == first.until
    clock.at += timedelta(days=DAYS / 3)
    longer = Publish(locking, days=DAYS).tombstone(tombstone, {"batch": "b1"})
    assert (longer.new, longer.until) == (False, clock.at.replace(microsecond=0) + timedelta(days=DAYS))
    assert Publish(locking, days=1).tombstone(tombstone, {"batch": "b1"}).until == longer.until


def test_what_is_published_is_never_published_otherwise(locking: Bucket):
    publish = Publish(locking, days=DAYS)
    publish.tombstone(UUID(int=2), {"batch": "b1"})
    with pytest.raises(PublishedOtherwise):
        publish.tombstone(UUID(int=2), {"batch": "b2"})
    assert published(locking)[f"tombstones/{UUID(int=2).hex}.json"] == b'{"batch":"b1"}\n'


def test_an_older_copy_of_the_ledger_is_not_published(
    store: Store, locking: Bucket, home: Path, clock: FixedClock, tmp_path: Path
):
    act(store, 3)
    store.ledger.checkpoint()  # which makes the key that it is signed with
    older = shutil.copytree(home, tmp_path / "older")
    act(store, 3)
    Publish(locking, days=DAYS).ledger(store.ledger)
    shutil.rmtree(older / "ledger", ignore_errors=True)
    copy = main.open_store(settings_at(older), clock)
    try:
        with pytest.raises(PublishedOtherwise, match="was published, and the ledger has"):
            Publish(locking, days=DAYS).ledger(copy.ledger)
        act(copy, 9)  # it goes on, and is longer one day
        with pytest.raises(PublishedOtherwise, match="not those that were published"):
            Publish(locking, days=DAYS).ledger(copy.ledger)
    finally:
        close(copy)
    act(store)
    Publish(locking, days=DAYS).ledger(store.ledger)  # the twin: the ledger itself goes on


def test_a_checkpoint_of_somebody_else_is_not_taken_for_ours(store: Store, locking: Bucket):
    Publish(locking, days=DAYS).place("checkpoint", b"a stranger\n1\nAAAA\n\n", changes=True)
    with pytest.raises(PublishedOtherwise, match="not ours"):
        Publish(locking, days=DAYS).ledger(store.ledger)


def test_without_a_lock_the_ledger_is_published_and_it_is_said_that_nothing_holds_it(
    store: Store, plain: Bucket
):
    act(store)
    told = Publish(plain, days=DAYS).ledger(store.ledger)
    assert (told.until, told.placed > 4) == (None, True)
    assert Publish(plain, days=DAYS).ledger(store.ledger).placed == 0


# -- an archive whose segments lie in a bucket -------------------------------------------------------------


def in_a_bucket(storage: Seaweed, home: Path, place: str, **more: Any) -> Any:
    words: dict[str, Any] = {"s3_endpoint": storage.address, "s3_disposal_profile": "disposer"}
    return settings_at(home, objects_url=f"s3://{place}", **(words | more))


@dataclass(frozen=True)
class Office:
    """An archive in a bucket, and where it is."""

    archive: Archive
    clock: FixedClock
    home: Path

    @property
    def bucket(self) -> Bucket:
        objects = self.archive.store.objects
        assert isinstance(objects, Bucket)
        return objects


@pytest.fixture
def office(
    seaweed: Seaweed, home: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    """An archive whose segments lie in a bucket, under a lock of thirty days."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEEPER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-keeper")
    clock.at = datetime.now(UTC)  # the storage has the machine's time
    place = f"{seaweed.common(lock=True)}/{seaweed.prefix()}"
    archive = main.open_archive(in_a_bucket(seaweed, home, place, s3_governance_days=DAYS), clock)
    made = Office(archive, clock, home)
    made.bucket.part = PART
    yield made
    archive.close()


PICTURE = bytes(range(256)) * (24 << 10)
"""More than one part."""


def a_page(office: Office) -> Page:
    store = office.archive.store
    with store.database.begin() as tx:
        return pages.add(
            store,
            tx,
            connector="scripted",
            platform="blog",
            address="https://blog.example",
            name="Police blog",
            by=UUID(int=7),
            why="test",
        )


def capture(office: Office, page: Page | None = None) -> Report:
    """Capture a page of three posts, the first with a picture."""
    store, clock = office.archive.store, office.clock
    page = page or a_page(office)
    client = ScriptedClient(clock, {"https://blog.example/a.png": PICTURE})
    connector = Scripted(client)
    words = ["The bridge is closed", "Road closed on Monday", "Thank you"]
    connector.steps = [
        listing(
            clock,
            *(
                Observation(
                    native_id=f"p{number}",
                    kind=Kind.POST,
                    text=text,
                    author=Author(id="police", name="Police"),
                    published_at=clock.now() - timedelta(days=number),
                    attachments=[Attachment(id="a", url="https://blog.example/a.png")] if number == 0 else [],
                )
                for number, text in enumerate(words)
            ),
        )
    ]
    ticks = iter(range(1000))
    return run.capture(store, page, connector, client, by=None, why="test", tick=lambda: next(ticks))


def test_an_archive_in_a_bucket_captures_searches_verifies_and_opens_again(office: Office, seaweed: Seaweed):
    report = capture(office)
    assert (report.status, report.gaps) == ("complete", [])
    assert office.archive.follow() == 3
    assert office.archive.search("closed", messages=False).total == 2
    told = office.archive.verify(full=True)
    assert told.findings == []
    assert (told.checked["records"], told.checked["attachments"]) == (3, 1)
    assert [path for path in (office.home / "objects").rglob("*") if path.is_file()] == []
    assert list((office.home / "spool").iterdir()) == []

    again = main.open_archive(office.archive.settings, office.clock)
    try:
        assert again.verify(full=True).findings == []
        with again.store.database.read() as tx:
            (row,) = tx.execute(select(attachment_table.c.id)).all()
            kept = attachments.get(tx, UUID(bytes=bytes(row.id)))
        assert kept is not None
        assert b"".join(attachments.stream(again.store, kept)) == PICTURE
    finally:
        again.close()


def test_destruction_in_an_archive_asks_with_the_profile_of_the_settings(office: Office):
    kept = office.bucket.put([b"disposed of"])
    with pytest.raises(ObjectLocked):
        office.bucket.discard(kept.digest)
    office.bucket.discard(kept.digest, bypass=True)
    assert list(office.bucket.names()) == []


def test_a_capture_during_an_outage_keeps_nothing_by_halves_and_the_next_one_has_all(
    office: Office, troubled: Troubled
):
    page = a_page(office)
    requests = office.bucket.requests
    office.bucket.requests = troubled.bucket.requests
    troubled.way.meets = lambda _method, _target: "503 SlowDown"
    with pytest.raises(BucketUnavailable):
        capture(office, page)
    assert fixity.verify(office.archive.store, full=True).findings == []
    assert list(at_rest(office, requests)) == []
    office.bucket.requests = requests
    office.clock.at += timedelta(hours=1)
    assert capture(office, page).status == "complete"
    told = fixity.verify(office.archive.store, full=True)
    assert (told.findings, told.checked["records"]) == ([], 3)


def at_rest(office: Office, requests: Requests) -> Iterator[bytes]:
    """What lies in the bucket, whatever the way to it."""
    office.bucket.requests = requests
    return office.bucket.names()


def test_an_object_altered_behind_the_lock_is_found_by_fixity(office: Office, seaweed: Seaweed):
    capture(office)
    with office.archive.store.database.read() as tx:
        digest, size = tx.execute(select(object_table.c.digest, object_table.c.size)).first() or (b"", 0)
    whole = office.bucket.read(bytes(digest), 0, size)
    behind(seaweed, office.bucket, bytes(digest), whole[:-1] + bytes([whole[-1] ^ 1]))
    found = fixity.verify(office.archive.store, full=False).findings
    assert [(one.code, one.where) for one in found] == [("fixity-mismatch", bytes(digest).hex())]


def test_an_object_hidden_under_a_marker_is_found_by_fixity(office: Office):
    capture(office)
    with office.archive.store.database.read() as tx:
        digest = bytes(tx.execute(select(object_table.c.digest)).scalars().first() or b"")
    place: Any = key(office.bucket, digest)
    office.bucket.requests.client.delete_object(**place)
    found = fixity.verify(office.archive.store, full=False).findings
    assert [(one.code, one.where) for one in found] == [("object-missing", digest.hex())]
    assert "hidden" in found[0].what
    assert office.bucket.bring_back(digest)
    assert fixity.verify(office.archive.store, full=True).findings == []


@pytest.mark.parametrize("days", [0, DAYS], ids=["without a lock", "under a lock"])
def test_what_a_crash_left_between_upload_and_commit_is_swept_once_no_lock_holds_it(
    office: Office, tmp_path: Path, days: int
):
    office.bucket.days = days
    file = tmp_path / "lines.jsonl"
    file.write_text(
        '{"platform":"blog","page":"p","native_id":"n1","kind":"comment","text":"about the road"}\n'
    )

    def point(name: str) -> None:
        if name == "after-keyring":
            raise KeyboardInterrupt

    ticks = iter(range(1_000))
    with pytest.raises(KeyboardInterrupt):
        importing.observations(
            office.archive.store,
            file,
            page=None,
            make_pages=True,
            by=None,
            why="crash test",
            tick=lambda: next(ticks),
            point=point,
        )
    (orphan,) = office.bucket.names()
    assert sweep(office.archive.store).objects == 0  # it may be another process's, at this moment
    office.clock.at += timedelta(days=2)
    swept = sweep(office.archive.store)
    assert (swept.objects, swept.locked) == ((1, 0) if not days else (0, 1))
    assert list(office.bucket.names()) == ([] if not days else [orphan])
    assert fixity.verify(office.archive.store, full=True).findings == []


def test_an_archive_is_made_where_its_bucket_answers_and_nothing_is_where_it_does_not(
    seaweed: Seaweed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_PROFILE", "keeper")

    def make(place: str) -> Store:
        return main.make(
            in_a_bucket(seaweed, tmp_path / "home", place),
            agency="Harrow Falls",
            domain="harrowfalls.example",
            timezone="America/Juneau",
        )

    with pytest.raises(BadBucket, match="NoSuchBucket"):
        make("no-such-town")
    assert not (tmp_path / "home").exists()
    store = make(f"{seaweed.common(lock=True)}/{seaweed.prefix()}")
    assert isinstance(store.objects, Bucket)
    assert not (tmp_path / "home" / "objects").exists()
    close(store)


def test_an_archive_moves_from_its_folder_into_a_bucket_under_the_same_names(
    seaweed: Seaweed, plain: Bucket, tmp_path: Path
):
    folder = Folder(tmp_path / "objects")
    kept = [folder.put([b"one"]), folder.put([b"two"])]
    for file in (tmp_path / "objects").rglob("*"):
        if file.is_file():
            plain.requests.client.put_object(
                Bucket=plain.requests.bucket,
                Key=f"{plain.root}objects/{file.relative_to(tmp_path / 'objects')}",
                Body=file.read_bytes(),
            )
    assert sorted(plain.names()) == sorted(folder.names()) == sorted(one.digest for one in kept)
    assert [plain.check(one.digest) for one in kept] == [3, 3]


# -- settings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("s3://town", BucketAddress("town", "")),
        ("s3://town/", BucketAddress("town", "")),
        ("s3://harrow-falls.records/archive/2026/", BucketAddress("harrow-falls.records", "archive/2026")),
        ("file:///srv/objects", None),
        ("", None),
    ],
)
def test_where_segments_lie_is_read_from_the_settings(tmp_path: Path, written: str, meant: object):
    assert settings_at(tmp_path, objects_url=written).bucket() == meant


@pytest.mark.parametrize(
    "written", ["s3://", "s3:///prefix", "s3://Town", "s3://town/a b", "s3://town/../x?y"]
)
def test_what_names_no_bucket_is_refused(tmp_path: Path, written: str):
    with pytest.raises(BadSetting, match=re.escape(written)):
        settings_at(tmp_path, objects_url=written).bucket()


@pytest.mark.parametrize("endpoint", ["127.0.0.1:9000", "ftp://host", "https://"])
def test_an_endpoint_that_is_no_address_is_refused(tmp_path: Path, endpoint: str):
    with pytest.raises(BadSetting, match="MUNIMENT_S3_ENDPOINT"):
        settings_at(tmp_path, objects_url="s3://town", s3_endpoint=endpoint).bucket()


def test_what_is_neither_folder_nor_bucket_is_refused(tmp_path: Path):
    with pytest.raises(BadSetting, match="neither"):
        settings_at(tmp_path, objects_url="gs://town").objects()
