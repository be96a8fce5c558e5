"""Asking an S3-compatible server: tries again where later may succeed, and says what to do where it will not.

The SDK's own retries are off, so that there is one place that waits, and
tests need not. Who asks is found as the AWS tools find it: from the
environment, a profile, or the role of the machine.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

import botocore.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - the SDK's own, for what never reached the storage
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    ResponseStreamingError,
    TokenRetrievalError,
)
from botocore.loaders import Loader, create_loader

from app.records.errors import ArchiveError, Invalid, Refused, Unavailable

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

T = TypeVar("T")

TRIES = 6
_FIRST, _LONGEST = 0.5, 20.0
_CONNECT_SECONDS, _READ_SECONDS = 10.0, 60.0
_AT_ONCE = 16


class BucketUnavailable(Unavailable):
    """The storage does not answer, is busy or fails; nothing was kept that was not acknowledged."""

    code = "bucket-unavailable"


class BucketClock(Unavailable):
    """This machine's clock and the storage's differ too far for its signatures to be taken."""

    code = "bucket-clock"


class BadBucket(Invalid):
    """The bucket cannot be used as it is named: there is none, it is elsewhere, or it is not what we need."""

    code = "bad-bucket"


class BucketCredentials(Invalid):
    """There are no credentials for the storage, or it does not know them."""

    code = "bucket-credentials"


class BucketForbids(Refused):
    """The storage knows who asks, and its policies do not allow it."""

    code = "bucket-forbids"


BROKEN_OFF: tuple[type[Exception], ...] = (
    ConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
)
"""What ends an answer half-way; what was read of it is good."""

_LATER = frozenset(
    {
        "SlowDown",
        "SlowDownRead",
        "SlowDownWrite",
        "ServiceUnavailable",
        "InternalError",
        "RequestTimeout",
        "RequestTimeoutException",
        "Throttling",
        "ThrottlingException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "OperationAborted",
        "ConditionalRequestConflict",
        "TooManyRequestsException",
    }
)
_UNKNOWN = frozenset(
    {
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "ExpiredToken",
        "TokenRefreshRequired",
        "InvalidToken",
        "AuthorizationHeaderMalformed",
        "InvalidSecurity",
        "NotSignedUp",
    }
)
_CLOCK = frozenset({"RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"})
_ELSEWHERE = frozenset(
    {"NoSuchBucket", "InvalidBucketName", "PermanentRedirect", "TemporaryRedirect", "IllegalLocationConstraintException"}
)  # fmt: skip
_FORBIDDEN = frozenset(
    {"AccessDenied", "AllAccessDisabled", "Forbidden", "MethodNotAllowed", "AccountProblem"}
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said that it would not do."""

    code: str
    status: int
    message: str
    headers: Mapping[str, str]

    @classmethod
    def of(cls, error: ClientError) -> Answer:
        told = cast("Mapping[str, Any]", error.response)  # whatever a server sent
        about = told.get("ResponseMetadata", {})
        return cls(
            code=str(told.get("Error", {}).get("Code", "")),
            status=int(about.get("HTTPStatusCode", 0)),
            message=str(told.get("Error", {}).get("Message", "")),
            headers=about.get("HTTPHeaders", {}),
        )

    @property
    def missing(self) -> bool:
        """Whether it says that an object, or a version of one, is not there."""
        return self.code in {"NoSuchKey", "NoSuchVersion", "404", "NotFound"} or (
            self.status == 404 and not self.code
        )

    @property
    def later(self) -> bool:
        """Whether the same may succeed a little later."""
        return self.code in _LATER or self.status in {429, 500, 502, 503, 504} or self.status == 0

    def said(self) -> str:
        code = f" {self.code}" if self.code and not self.code.isdigit() else ""
        return f"{self.status}{code}" + (f": {self.message}" if self.message else "")

    def asks_to_wait(self) -> float:
        told = self.headers.get("retry-after", "")
        return min(float(told), _LONGEST) if told.isdigit() else 0.0


def open_client(
    *, endpoint: str = "", region: str = "", profile: str = "", seconds: float = _READ_SECONDS
) -> S3Client:
    """A client of the storage at `endpoint` (none: AWS, or what `AWS_ENDPOINT_URL_S3` says).

    Anything but AWS is asked with the bucket in the path, as most servers
    expect it. Neither the address nor the credentials are tried here.
    """
    try:
        session = botocore.session.Session(profile=profile or None)
        session.register_component("data_loader", _models())
        made = session.create_client(
            "s3",
            region_name=region or session.get_config_variable("region") or "us-east-1",
            endpoint_url=endpoint or None,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path" if endpoint else "auto"},
                retries={"total_max_attempts": 1, "mode": "standard"},
                connect_timeout=min(seconds, _CONNECT_SECONDS),
                read_timeout=seconds,
                max_pool_connections=_AT_ONCE,
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
    except (BotoCoreError, ValueError) as error:
        raise _unasked(error) from error
    return cast("S3Client", made)


@cache
def _models() -> Loader:
    """What the SDK knows of the services, read once a process: reading it takes longer than asking."""
    return create_loader()


class Requests:
    """One client and one bucket. Everything that is asked of them goes through `ask`."""

    def __init__(self, client: S3Client, bucket: str, *, wait: Callable[[float], None]) -> None:
        self.client, self.bucket, self.wait = client, bucket, wait

    def ask(self, what: Callable[[], T], *, passing: Collection[str] = ()) -> T:
        """Ask until there is an answer, or say in one of the five families why there is none.

        Answers that bear a code of `passing`, and that something is not
        there, are raised as they came: the caller knows what they mean.
        """
        tried = 0
        while True:
            try:
                return what()
            except ClientError as error:
                answer = Answer.of(error)
                if answer.missing or answer.code in passing:
                    raise
                if not answer.later:
                    raise self.told(self._in_words(answer)) from error
                tried = self.again(tried, error, answer.asks_to_wait())
            except BROKEN_OFF as error:
                tried = self.again(tried, error)
            except (BotoCoreError, ParamValidationError) as error:
                raise _unasked(error) from error

    def _in_words(self, answer: Answer) -> Answer:
        """The answer itself, or where it came without a body what the storage says to the same asker in one."""
        if not answer.code.isdigit():
            return answer
        try:
            self.client.list_objects_v2(Bucket=self.bucket, MaxKeys=1)
        except ClientError as error:
            return Answer.of(error)
        except BotoCoreError:
            return answer
        return answer

    def again(self, tried: int, error: Exception, least: float = 0.0) -> int:
        """Wait before another try, longer each time; after the last one raise `BucketUnavailable`."""
        tried += 1
        if tried >= TRIES:
            raise BucketUnavailable(
                f"the storage of bucket {self.bucket} does not do its work: {_said(error)}",
                next="Nothing was lost. Look at the storage and the way to it, then run again.",
            ) from error
        pause = min(_FIRST * 2 ** (tried - 1), _LONGEST)
        self.wait(max(least, pause * random.uniform(0.5, 1.0)))  # noqa: S311 - so that many do not ask at once
        return tried

    def told(self, answer: Answer) -> ArchiveError:
        """What an answer means that asking again would not change."""
        said = f"the storage of bucket {self.bucket} says {answer.said()}"
        if answer.code in _CLOCK:
            return BucketClock(
                said, next="Set this machine's clock by a time server; its times stand in the ledger too."
            )
        if answer.code in _UNKNOWN:
            return BucketCredentials(
                said,
                next="Look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile in AWS_PROFILE, and at MUNIMENT_S3_REGION.",
            )
        if answer.code in _ELSEWHERE or 300 <= answer.status < 400:
            return BadBucket(
                said,
                next="Look at the bucket in MUNIMENT_OBJECTS_URL, and at MUNIMENT_S3_ENDPOINT and MUNIMENT_S3_REGION.",
            )
        if answer.code in _FORBIDDEN or answer.status in {401, 403}:
            return BucketForbids(
                said, next="Give this identity the permissions that docs/operators-s3.md lists for it."
            )
        return BadBucket(said, next="docs/operators-s3.md says what a bucket and its server must offer.")


def _unasked(error: Exception) -> ArchiveError:
    """Why a request never left."""
    if isinstance(
        error,
        NoCredentialsError
        | PartialCredentialsError
        | ProfileNotFound
        | CredentialRetrievalError
        | TokenRetrievalError,
    ):
        return BucketCredentials(
            f"there are no credentials for the storage: {_said(error)}",
            next="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, for the service.",
        )
    return BadBucket(
        f"the storage cannot be asked: {_said(error)}",
        next="Look at MUNIMENT_OBJECTS_URL, MUNIMENT_S3_ENDPOINT and MUNIMENT_S3_REGION.",
    )


def _said(error: Exception) -> str:
    if isinstance(error, ClientError):
        return Answer.of(error).said()
    return str(error) or type(error).__name__
