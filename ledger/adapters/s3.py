"""A publication in S3-compatible storage; see ``ports.Publication``.

* Only conditional writes (``If-None-Match: *``, ``If-Match``) are used, so two publishers cannot overwrite
  each other. A store that ignores the condition is found out before the first write, and refused.
* A write whose answer was lost is sent again, and then fails its own condition. So a failed condition is
  judged by what is there: the bytes that were to be written are fine.
* Whatever is wrong leaves as an error with a code. Messages hold the bucket, the path and the store's own
  error code: never a key, never an endpoint.
* Credentials come from where every AWS tool takes them (environment, configuration files, instance role).
"""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)

from ledger.core.tiles import check_published_path
from ledger.errors import IntegrityError, MalformedError, RakkanError, RefusedError, UsageError

PROBE = ".rakkan-condition-probe"
"""The object, below the prefix, that shows whether the store keeps conditions."""

_IMMUTABLE = {
    "CacheControl": "public, max-age=31536000, immutable",
    "ContentType": "application/octet-stream",
}
_CHANGING = {"CacheControl": "no-cache", "ContentType": "text/plain; charset=utf-8"}
_NO_ETAG = '"00000000000000000000000000000000"'
_ATTEMPTS = 4
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z0-9-]{1,40}")
_MISSING = {"NoSuchKey", "404"}
_DENIED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"}
_RACED = {"ConditionalRequestConflict", "OperationAborted"}


@dataclass(frozen=True, slots=True)
class S3Place:
    """Where a log is published. ``prefix`` is ``""`` or ends with a slash; no endpoint means Amazon's."""

    bucket: str
    prefix: str
    endpoint: str | None
    region: str | None


def parse_s3_url(url: str) -> S3Place:
    """Return the place that ``s3://bucket/prefix?endpoint=URL&region=NAME`` names; the options may be absent.

    Raises ``UsageError("s3.url")``.
    """
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        prefix = parts.path.strip("/")
        if prefix:
            check_published_path(prefix)
        place = S3Place(
            parts.netloc, f"{prefix}/" if prefix else "", options.get("endpoint"), options.get("region")
        )
    except (ValueError, MalformedError) as error:
        raise _bad_url("it cannot be read") from error
    if parts.scheme != "s3" or parts.fragment or not _BUCKET.fullmatch(place.bucket):
        raise _bad_url("it does not begin with s3:// and the name of a bucket")
    if not options.keys() <= {"endpoint", "region"} or parts.query.count("=") != len(options):
        raise _bad_url("endpoint and region are its only options, each at most once")
    if place.region is not None and not _REGION.fullmatch(place.region):
        raise _bad_url("the region is not the name of one")
    if place.endpoint is not None and not _is_endpoint(place.endpoint):
        raise _bad_url("the endpoint is not http://host or https://host")
    return place


def open_s3(url: str) -> S3Publication:
    """Return the publication at a URL as ``parse_s3_url`` takes it. Connects to nothing yet.

    Raises ``UsageError`` with ``s3.url`` or ``s3.denied``.
    """
    place = parse_s3_url(url)
    config = Config(
        connect_timeout=5,
        read_timeout=30,
        retries={"mode": "standard", "total_max_attempts": 4},
        # Many stores refuse the newer checksum trailers of Amazon's; and `publish` reads all files back.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        # bucket.host resolves for Amazon's own endpoints; elsewhere the bucket goes into the path.
        s3={"addressing_style": "path" if place.endpoint else "auto"},
    )
    try:
        # A client of a session of its own may be used by many threads.
        client = boto3.session.Session().client(
            "s3", endpoint_url=place.endpoint, region_name=place.region, config=config
        )
    except (BotoCoreError, ValueError) as error:
        raise UsageError("s3.denied", f"The AWS configuration is not usable: {_kind(error)}.") from error
    return S3Publication(place.bucket, place.prefix, client)


class S3Publication:
    """A bucket, or the part of it below a prefix (``""`` or ending with a slash).

    ``client`` is a boto3 S3 client. May be used by many threads. Raises, besides what the port says,
    ``RefusedError`` with ``s3.denied``, ``s3.unconditional``, ``s3.unavailable`` or ``log.storage`` and
    ``UsageError("s3.bucket")``.
    """

    def __init__(self, bucket: str, prefix: str, client: Any) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._client = client
        self._keeps_conditions = False

    def get(self, path: str) -> bytes | None:
        """Return the published file, or ``None``. A key that may not list the bucket gets ``s3.denied``."""
        check_published_path(path)
        return self._get(path)[0]

    def put_immutable(self, path: str, data: bytes) -> None:
        """Publish a file that never changes."""
        check_published_path(path)
        self._check_store()
        for _ in range(_ATTEMPTS):
            if self._put(path, data, IfNoneMatch="*", **_IMMUTABLE):
                return
            found, _ = self._get(path)
            if found == data:
                return
            if found is not None:
                raise IntegrityError(
                    "log.conflict", "Other bytes are published under this name.", **self._named(path)
                )
        raise RefusedError(
            "s3.unavailable", "The store neither has the object nor takes it.", **self._named(path)
        )

    def swap(self, path: str, old: bytes | None, new: bytes) -> None:
        """Publish a file that does change, if it still is ``old``."""
        check_published_path(path)
        self._check_store()
        found, etag = self._get(path)
        condition = {"IfNoneMatch": "*"} if old is None else {"IfMatch": etag}
        if found == old and self._put(path, new, **condition, **_CHANGING):
            return
        # The store may have taken the first sending of this very write.
        if found != old or self._get(path)[0] != new:
            raise RefusedError("log.fenced", "Another publisher was faster.", **self._named(path))

    def _check_store(self) -> None:
        """Return if the store keeps conditions; else ``RefusedError("s3.unconditional")``. Asks it once."""
        if self._keeps_conditions:
            return
        created = self._put(PROBE, b"", IfNoneMatch="*", **_CHANGING)
        ignored = created and self._put(PROBE, b"", IfNoneMatch="*", **_CHANGING)
        if ignored or self._put(PROBE, b"", IfMatch=_NO_ETAG, **_CHANGING):
            raise RefusedError(
                "s3.unconditional", "The store overwrites where it was asked not to.", bucket=self._bucket
            )
        self._keeps_conditions = True

    def _get(self, path: str) -> tuple[bytes | None, str]:
        """Return the object and its entity tag; ``(None, "")`` when there is none."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + path)
            with closing(answer["Body"]) as body:
                return body.read(), answer["ETag"]
        except ClientError as error:
            if _code(error) in _MISSING:
                return None, ""
            raise self._error(error, path) from error
        except BotoCoreError as error:
            raise self._error(error, path) from error

    def _put(self, path: str, data: bytes, **options: str) -> bool:
        """Write the object; return ``False`` when the condition did not hold."""
        try:
            self._client.put_object(Bucket=self._bucket, Key=self._prefix + path, Body=data, **options)
        except ClientError as error:
            # If-Match on an object that is gone is answered with 404.
            gone = "IfMatch" in options and _code(error) in _MISSING
            if gone or _status(error) == 412 or _code(error) in _RACED:
                return False
            raise self._error(error, path) from error
        except BotoCoreError as error:
            raise self._error(error, path) from error
        return True

    def _error(self, error: Exception, path: str) -> RakkanError:
        named = {**self._named(path), "reason": _kind(error)}
        code, status = _code(error), _status(error)
        if code == "NoSuchBucket":
            return UsageError("s3.bucket", f"There is no bucket {self._bucket}.", **named)
        if code in _DENIED or status in {401, 403} or isinstance(error, _NOBODY):
            return RefusedError(
                "s3.denied", f"The store does not let this key do that: {_kind(error)}.", **named
            )
        if code == "NotImplemented" or status == 501:
            return RefusedError("s3.unconditional", "The store has no conditional writes.", **named)
        if status is None or status >= 500 or status == 429:
            return RefusedError("s3.unavailable", f"The store does not answer: {_kind(error)}.", **named)
        return RefusedError("log.storage", f"The store refuses this: {_kind(error)}.", **named)

    def _named(self, path: str) -> dict[str, str]:
        return {"bucket": self._bucket, "path": self._prefix + path}


_NOBODY = (NoCredentialsError, PartialCredentialsError, ProfileNotFound)


def _code(error: Exception) -> str | None:
    return error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else None


def _status(error: Exception) -> int | None:
    if not isinstance(error, ClientError):
        return None
    status: int | None = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status


def _kind(error: Exception) -> str:
    """Return what went wrong in a word: the library's own sentences can hold URLs and keys."""
    return (_code(error) or type(error).__name__)[:80]


def _is_endpoint(text: str) -> bool:
    try:
        parts = urlsplit(text)
        whole = parts.port != 0 and bool(parts.hostname)
    except ValueError:
        return False
    rest = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    return parts.scheme in {"http", "https"} and whole and not rest


def _bad_url(why: str) -> UsageError:
    """The URL itself is not shown: people put keys into URLs."""
    return UsageError("s3.url", f"This is not the URL of a place in S3: {why}.")
