"""Objects in S3-compatible storage, under a lock where the bucket has one (Object Lock).

    s3://bucket/prefix/objects/ab/cd…      an object, named as in a folder
    s3://bucket/prefix/published/…         what `app.store.publish` puts there

A lock protects *versions*. Whoever may write can still put other bytes, or a
marker that hides, on top of a locked object: a read then fails, and the
locked version beneath is whole. It can be brought back.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypedDict

from botocore.exceptions import BotoCoreError, ClientError

from app.db import DiskFull
from app.records.clock import Clock
from app.records.errors import ArchiveError
from app.store.objects import FixityMismatch, Guard, Kept, ObjectLocked, ObjectMissing
from app.store.s3_requests import BROKEN_OFF, Answer, BucketForbids, Requests, open_client

if TYPE_CHECKING:
    from types_boto3_s3.literals import ObjectLockModeType
    from types_boto3_s3.type_defs import (
        CompletedPartTypeDef,
        GetObjectOutputTypeDef,
        HeadObjectOutputTypeDef,
    )

_MOST_PARTS = 10_000
_CHUNK = 1 << 20
_NAME = re.compile("([0-9a-f]{2})/([0-9a-f]{62})")
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_FRESH = timedelta(hours=12)
"""An object younger than this is in no sweep's reach before the batch that put it again is committed."""
_NO_LOCK = frozenset({"ObjectLockConfigurationNotFoundError", "NotImplemented", "MethodNotAllowed"})
_HINT = "A whole version may lie beneath: docs/operators-s3.md says how to bring it back."
_LOCK_OF = {"GOVERNANCE": "governance", "COMPLIANCE": "compliance"}


class _LockWords(TypedDict, total=False):
    """What a request says of a lock."""

    ObjectLockMode: ObjectLockModeType
    ObjectLockRetainUntilDate: datetime


@dataclass(frozen=True, slots=True)
class Rule:
    """What the bucket itself says of locks."""

    lockable: bool
    default: str = ""
    """The bucket's own mode and length for whatever comes without one, in words; empty: none."""
    default_mode: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a key; `hides` where it is a marker that there is nothing."""

    id: str
    size: int
    newest: bool
    hides: bool = field(default=False)


class Bucket:
    """Objects in a bucket. Content is locked in governance mode for `days`, where the bucket can.

    `spool` is a local folder: an object is written there first, because it is
    named by the digest of all of it, and is gone from it when `put` returns.
    `disposer` is who may set a governance lock aside; without one, whoever
    keeps is asked to.
    """

    part = 8 << 20
    """What is larger goes in parts of this size; there is memory for one at a time. S3 takes none below 5 MiB."""

    def __init__(
        self,
        requests: Requests,
        prefix: str,
        spool: Path,
        *,
        clock: Clock,
        days: int,
        disposer: Requests | None = None,
    ) -> None:
        self.requests, self.clock, self.days = requests, clock, days
        self.root = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self.spool, self.disposer = spool, disposer
        self._prefix = f"{self.root}objects/"
        self._rule: Rule | None = None

    @property
    def where(self) -> str:
        return f"s3://{self.requests.bucket}/{self.root}".rstrip("/")

    # -- keeping -------------------------------------------------------------------------------------------

    def put(self, chunks: Iterable[bytes]) -> Kept:
        """As every implementation; a large object goes in parts, each checked by the storage on arrival."""
        with self._spooled(chunks) as (file, kept):
            if not self._is_fresh(kept):
                if kept.size <= self.part:
                    self._put_whole(kept, file.read())
                else:
                    self._put_in_parts(kept, file)
        return kept

    @contextmanager
    def _spooled(self, chunks: Iterable[bytes]) -> Iterator[tuple[IO[bytes], Kept]]:
        """The bytes in a file without a name, which no crash leaves behind, and what they are called."""
        digest, size = hashlib.sha256(), 0
        with contextlib.ExitStack() as opened:
            try:
                self.spool.mkdir(parents=True, exist_ok=True)
                file = tempfile.TemporaryFile(dir=self.spool)  # noqa: SIM115 - closed by the line below
                opened.enter_context(_closing(file))
                for chunk in chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
                file.seek(0)
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                    raise DiskFull(
                        f"the disk of {self.spool}, where objects are made ready, is full",
                        next="Make room, then run again.",
                    ) from error
                raise
            yield file, Kept(digest.digest(), size)

    def _is_fresh(self, kept: Kept) -> bool:
        """Whether the same bytes were put a moment ago: then there is nothing to do.

        Older ones are put again, as a new version: a sweep might be about to
        remove them, and what was damaged is whole again.
        """
        try:
            told = self.requests.ask(
                lambda: self.requests.client.head_object(
                    Bucket=self.requests.bucket, Key=self._key(kept.digest)
                )
            )
        except ClientError:
            return False
        if told["ContentLength"] != kept.size or self._its_time(told) - told["LastModified"] > _FRESH:
            return False
        try:
            return self.check(kept.digest) == kept.size
        except (FixityMismatch, ObjectMissing):
            return False

    def _put_whole(self, kept: Kept, data: bytes) -> None:
        locks = self._locks()
        self.requests.ask(
            lambda: self.requests.client.put_object(
                Bucket=self.requests.bucket,
                Key=self._key(kept.digest),
                Body=data,
                ContentType="application/octet-stream",
                ChecksumSHA256=_b64(kept.digest),
                **locks,
            ),
        )

    def _put_in_parts(self, kept: Kept, file: IO[bytes]) -> None:
        ask, client = self.requests.ask, self.requests.client
        bucket, key, locks = self.requests.bucket, self._key(kept.digest), self._locks()
        begun = ask(
            lambda: client.create_multipart_upload(
                Bucket=bucket,
                Key=key,
                ContentType="application/octet-stream",
                ChecksumAlgorithm="SHA256",
                **locks,
            )
        )["UploadId"]
        try:
            parts: list[CompletedPartTypeDef] = []
            each = max(self.part, -(-kept.size // _MOST_PARTS))
            while len(parts) * each < kept.size:  # no name for a part: there is memory for one
                parts.append(self._put_part(key, begun, len(parts) + 1, file.read(each)))
            try:
                ask(
                    lambda: client.complete_multipart_upload(
                        Bucket=bucket, Key=key, UploadId=begun, MultipartUpload={"Parts": parts}
                    ),
                    passing=("NoSuchUpload",),
                )
            except ClientError:  # completed by a try whose answer was lost, or aborted by somebody
                if self._size(kept.digest) != kept.size:
                    raise
        except BaseException:
            with contextlib.suppress(ArchiveError, BotoCoreError, ClientError):
                client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=begun)
            raise
        if self._size(kept.digest) != kept.size:
            raise FixityMismatch(f"object {kept.digest.hex()} is of another size than what was put")

    def _put_part(self, key: str, upload: str, number: int, data: bytes) -> CompletedPartTypeDef:
        checksum = _b64(hashlib.sha256(data).digest())
        told = self.requests.ask(
            lambda: self.requests.client.upload_part(
                Bucket=self.requests.bucket,
                Key=key,
                UploadId=upload,
                PartNumber=number,
                Body=data,
                ChecksumSHA256=checksum,
            )
        )
        return {"PartNumber": number, "ETag": told["ETag"], "ChecksumSHA256": checksum}

    # -- reading -------------------------------------------------------------------------------------------

    def read(self, digest: bytes, place: int, size: int) -> bytes:
        return b"".join(self.stream(digest, place, size))

    def stream(self, digest: bytes, place: int, size: int) -> Iterator[bytes]:
        if place < 0 or size < 0:
            raise _short(digest)
        if size == 0:
            if place > self._size(digest):
                raise _short(digest)
            return
        yield from self._chunks(digest, place, place + size)

    def check(self, digest: bytes) -> int:
        found, size = hashlib.sha256(), 0
        for chunk in self._chunks(digest):
            found.update(chunk)
            size += len(chunk)
        if found.digest() != digest:
            raise FixityMismatch(f"object {digest.hex()} does not hold what its name says", next=_HINT)
        return size

    def _chunks(
        self, digest: bytes, place: int = 0, end: int | None = None, *, version: str | None = None
    ) -> Iterator[bytes]:
        """The bytes from `place` to `end` (none: to its end); where the connection breaks it goes on from there."""
        tag, tried = None, 0
        while True:
            told = self._get(digest, place, end, tag, version)
            tag, total = told["ETag"], _total(digest, told, place)
            end = total if end is None else end
            if end > total:
                told["Body"].close()
                raise _short(digest)
            broken: Exception = ConnectionError("an answer ended before its end")
            with closing(told["Body"]) as body:
                try:
                    while place < end and (chunk := body.read(_CHUNK)):
                        place, tried = place + len(chunk), 0
                        yield chunk
                except BROKEN_OFF as error:
                    broken = error
            if place >= end:
                return
            tried = self.requests.again(tried, broken)

    def _get(
        self, digest: bytes, place: int, end: int | None, tag: str | None, version: str | None
    ) -> GetObjectOutputTypeDef:
        asked: dict[str, Any] = {"Bucket": self.requests.bucket, "Key": self._key(digest)}
        if end is not None or place:
            asked["Range"] = f"bytes={place}-{'' if end is None else end - 1}"
        if tag is not None:
            asked["IfMatch"] = tag
        if version is not None:
            asked["VersionId"] = version
        try:
            return self.requests.ask(
                lambda: self.requests.client.get_object(**asked),
                passing=("InvalidRange", "PreconditionFailed", "412", "416"),
            )
        except ClientError as error:
            answer = Answer.of(error)
            if answer.missing:
                raise self._missing(digest) from error
            if answer.status == 412:
                raise FixityMismatch(
                    f"object {digest.hex()} was replaced while it was read", next=_HINT
                ) from error
            raise _short(digest) from error

    def _size(self, digest: bytes) -> int:
        try:
            return self.requests.ask(
                lambda: self.requests.client.head_object(Bucket=self.requests.bucket, Key=self._key(digest))
            )["ContentLength"]
        except ClientError as error:
            raise self._missing(digest) from error

    def _missing(self, digest: bytes) -> ObjectMissing:
        """The error to raise; it tells an object that is hidden from one that is not there at all."""
        if any(not version.hides for version in self._versions(digest)):
            return ObjectMissing(
                f"object {digest.hex()} is hidden in {self.where}: somebody put a marker on top of it",
                next=_HINT,
            )
        return ObjectMissing(f"object {digest.hex()} is not in {self.where}")

    def names(self, *, older_than: datetime | None = None) -> Iterator[bytes]:
        asked: dict[str, Any] = {"Bucket": self.requests.bucket, "Prefix": self._prefix}
        while True:
            page = self.requests.ask(partial(self.requests.client.list_objects_v2, **asked))
            for held in page.get("Contents", []):
                named = _NAME.fullmatch(held["Key"].removeprefix(self._prefix))
                if named and (older_than is None or held["LastModified"] < older_than):
                    yield bytes.fromhex(named[1] + named[2])
            if not page.get("NextContinuationToken"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    # -- removing ------------------------------------------------------------------------------------------

    def discard(self, digest: bytes, *, bypass: bool = False) -> None:
        """As every implementation; every version goes, so that nothing is left under the name."""
        requests = self.disposer if bypass and self.disposer else self.requests
        asked: dict[str, Any] = {"Bucket": requests.bucket, "Key": self._key(digest)}
        if bypass:
            asked["BypassGovernanceRetention"] = True
        for version in self._versions(digest):
            try:
                requests.ask(partial(requests.client.delete_object, VersionId=version.id, **asked))
            except ClientError:  # it went meanwhile
                continue
            except BucketForbids as error:
                if locked := self._lock_of(digest, version, bypass=bypass):
                    raise locked from error
                raise

    def _lock_of(self, digest: bytes, version: Version, *, bypass: bool) -> ObjectLocked | None:
        """Why the storage refused to remove a version, or None where no lock was the reason."""
        if version.hides:
            return None
        head = self.requests.ask(
            lambda: self.requests.client.head_object(
                Bucket=self.requests.bucket, Key=self._key(digest), VersionId=version.id
            )
        )
        told: Mapping[str, Any] = head  # its type says that all of it is always there
        mode, until = told.get("ObjectLockMode"), told.get("ObjectLockRetainUntilDate")
        if told.get("ObjectLockLegalHoldStatus") == "ON":
            return ObjectLocked(
                f"object {digest.hex()} is under the storage's own legal hold",
                until=None,
                mode="legal hold",
                next="It was placed outside Muniment; whoever placed it can release it.",
            )
        if mode is None or until is None or until <= self._its_time(head):
            return None
        moment = f"{until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        reason = f"object {digest.hex()} is locked in {_LOCK_OF.get(mode, mode)} mode until {moment}"
        if mode == "COMPLIANCE":
            next_ = (
                "Nobody can remove it before that moment; what it holds opens only while its secrets exist."
            )
        elif bypass:
            next_ = "These credentials may not bypass governance: set MUNIMENT_S3_DISPOSAL_PROFILE."
        else:
            next_ = "Only destruction bypasses this lock; otherwise it ends at that moment."
        return ObjectLocked(reason, until=until.astimezone(UTC), mode=_LOCK_OF.get(mode, mode), next=next_)

    def sweep(self, *, older_than: datetime) -> int:
        """Abort the uploads in parts that were begun before a moment and never completed."""
        swept = 0
        asked: dict[str, Any] = {"Bucket": self.requests.bucket, "Prefix": self._prefix}
        while True:
            page = self.requests.ask(partial(self.requests.client.list_multipart_uploads, **asked))
            for upload in page.get("Uploads", []):
                if upload["Initiated"] < older_than:
                    swept += self._abort(upload["Key"], upload["UploadId"])
            if not page.get("IsTruncated") or not page.get("NextKeyMarker"):
                return swept
            asked |= {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}

    def _abort(self, key: str, upload: str) -> bool:
        try:
            self.requests.ask(
                lambda: self.requests.client.abort_multipart_upload(
                    Bucket=self.requests.bucket, Key=key, UploadId=upload
                ),
                passing=("NoSuchUpload",),
            )
        except ClientError:  # completed or aborted meanwhile
            return False
        return True

    # -- what the lock kept --------------------------------------------------------------------------------

    def bring_back(self, digest: bytes) -> bool:
        """Put a whole version that is hidden by a marker, or by other bytes, on top again; tell whether one was.

        What hid it stays beneath, as evidence. False where nothing had to be
        done; raises `ObjectMissing` or `FixityMismatch` where no version is whole.
        """
        try:
            self.check(digest)
        except (FixityMismatch, ObjectMissing) as error:
            for version in self._versions(digest):
                if not version.hides and self._is_whole(digest, version):
                    self.put(self._chunks(digest, version=version.id))
                    return True
            raise error from None
        return False

    def _is_whole(self, digest: bytes, version: Version) -> bool:
        found = hashlib.sha256()
        try:
            for chunk in self._chunks(digest, version=version.id):
                found.update(chunk)
        except (FixityMismatch, ObjectMissing):
            return False
        return found.digest() == digest

    def _versions(self, digest: bytes) -> list[Version]:
        """Every version of an object, the newest first, and what hides it; a bucket without versions has one."""
        key, found = self._key(digest), []
        asked: dict[str, Any] = {"Bucket": self.requests.bucket, "Prefix": key}
        while True:
            page = self.requests.ask(partial(self.requests.client.list_object_versions, **asked))
            found += [
                (held["LastModified"], Version(held["VersionId"], held["Size"], held["IsLatest"]))
                for held in page.get("Versions", [])
                if held["Key"] == key
            ]
            found += [
                (held["LastModified"], Version(held["VersionId"], 0, held["IsLatest"], hides=True))
                for held in page.get("DeleteMarkers", [])
                if held["Key"] == key
            ]
            if not page.get("IsTruncated") or not page.get("NextKeyMarker"):
                found.sort(key=lambda one: (one[1].newest, one[0]), reverse=True)
                return [version for _, version in found]
            asked |= {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}

    # -- locks ---------------------------------------------------------------------------------------------

    def rule(self, *, anew: bool = False) -> Rule:
        """What the bucket says of locks; asked once, or `anew`."""
        if self._rule is None or anew:
            self._rule = self._ask_rule()
        return self._rule

    def _ask_rule(self) -> Rule:
        try:
            told = self.requests.ask(
                lambda: self.requests.client.get_object_lock_configuration(Bucket=self.requests.bucket),
                passing=_NO_LOCK,
            ).get("ObjectLockConfiguration", {})
        except ClientError as error:
            answer = Answer.of(error)
            if answer.code not in _NO_LOCK:
                raise self.requests.told(answer) from error
            return Rule(lockable=False)
        default = told.get("Rule", {}).get("DefaultRetention", {})
        mode = default.get("Mode", "")
        length = f"{default['Days']} days" if "Days" in default else f"{default.get('Years', 0)} years"
        return Rule(
            lockable=told.get("ObjectLockEnabled") == "Enabled",
            default=f"{_LOCK_OF.get(mode, mode)} mode for {length}" if mode else "",
            default_mode=mode,
        )

    def _locks(self) -> _LockWords:
        if not self.days or not self.rule().lockable:
            return {}
        return {
            "ObjectLockMode": "GOVERNANCE",
            "ObjectLockRetainUntilDate": self.clock.now() + timedelta(days=self.days),
        }

    def describe(self) -> Guard:
        rule = self.rule(anew=True)
        says = []
        if not rule.lockable:
            says.append(
                "the bucket has no Object Lock: whoever holds the credentials can remove or replace segments, fixity finds it and nothing prevents it"
            )
        elif self.days:
            says.append(f"segments are locked in governance mode for {self.days} days")
        else:
            says.append("segments are not locked: MUNIMENT_S3_GOVERNANCE_DAYS is 0")
        if rule.default:
            says.append(f"the bucket itself locks what comes without a lock, in {rule.default}")
        if rule.default_mode == "COMPLIANCE" and not self.days:
            says.append("that cannot be undone: what is disposed of stays there, unreadable, until it ends")
        if rule.lockable and self.disposer is None:
            says.append(
                "destruction asks with the everyday credentials: MUNIMENT_S3_DISPOSAL_PROFILE is empty"
            )
        return Guard(
            where=self.where,
            locked=rule.lockable and (bool(self.days) or bool(rule.default)),
            says=tuple(says),
        )

    def _its_time(self, told: HeadObjectOutputTypeDef) -> datetime:
        """What time the storage itself has: its locks end, and its objects age, by that."""
        here = told["ResponseMetadata"]["HTTPHeaders"].get("date")
        return parsedate_to_datetime(here) if here else self.clock.now()

    def _key(self, digest: bytes) -> str:
        name = digest.hex()
        return f"{self._prefix}{name[:2]}/{name[2:]}"


def open_bucket(
    bucket: str,
    prefix: str,
    *,
    spool: Path,
    clock: Clock,
    days: int,
    wait: Callable[[float], None],
    endpoint: str = "",
    region: str = "",
    disposal_profile: str = "",
) -> Bucket:
    """The objects of an archive in a bucket. Nothing is asked of it yet."""
    disposer = None
    if disposal_profile:
        disposing = open_client(endpoint=endpoint, region=region, profile=disposal_profile)
        disposer = Requests(disposing, bucket, wait=wait)
    keeping = Requests(open_client(endpoint=endpoint, region=region), bucket, wait=wait)
    return Bucket(keeping, prefix, spool, clock=clock, days=days, disposer=disposer)


def _b64(digest: bytes) -> str:
    return base64.b64encode(digest).decode("ascii")


def _short(digest: bytes) -> FixityMismatch:
    return FixityMismatch(f"object {digest.hex()} is shorter than it was", next=_HINT)


def _total(digest: bytes, told: GetObjectOutputTypeDef, place: int) -> int:
    """How many bytes the object has; raises where the storage gives another part than was asked for."""
    ranged = _RANGE.fullmatch(told.get("ContentRange", ""))
    begin, total = (int(ranged[1]), int(ranged[2])) if ranged else (0, told["ContentLength"])
    if begin != place:
        told["Body"].close()
        raise FixityMismatch(
            f"the storage gave another part of object {digest.hex()} than was asked for",
            next="This server does not serve ranges as S3 does; use another.",
        )
    return total


@contextmanager
def _closing(file: IO[bytes]) -> Iterator[None]:
    """Close a file that is thrown away: what could not be written to it has been told already."""
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            file.close()
