"""A call to a remote service as it goes on record, and the attempts at its requests. Nothing is sent here.

Whoever sends asks ``begin``, sends with ``headers`` added, and tells ``answered`` or ``broke``; what these
return is the pause before the next attempt in seconds, or ``None`` when this was the last.

* A request that asks for something to be made (any method but GET and HEAD) is one attempt each time. Others,
  such as asking after a job, are on record only when they went wrong.
* It is repeated when throttled, and when it failed in a way that may pass. Not when the provider refused, and
  not when it may have been done and the provider knows no idempotency key.
* The pause is what the provider asks for and up to a quarter more, so that those it sent away together do not
  come back together; else it doubles. A pause beyond ``patience`` is not begun.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import re
import time
import urllib.parse
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import Self

    from ledger.hooks import rakkan_answers, rakkan_capture, rakkan_journal
else:
    import rakkan_answers
    import rakkan_capture
    import rakkan_journal

VERSION = "1"
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
KEPT = 50
"""Attempts after which a call is no longer written anew for each one that changes nothing."""
MOST = 10_000
"""Attempts at a request that a record can hold, whatever the provider's ``attempts``."""
READ_REQUEST = 8 << 20
OPEN = {"model", "size", "n", "quality", "seed", "seconds", "duration", "ratio", "aspect_ratio"}
OPEN |= {"resolution", "steps", "guidance", "guidance_scale", "strength", "output_format"}
"""Members of a request that may be read by anybody, where they hold a number or a short word."""
PROMPTS = {
    "prompt": "prompt",
    "promptText": "prompt",
    "text_prompt": "prompt",
    "negative_prompt": "negative_prompt",
}

_SHORT = re.compile(r"[\w.:/-]{1,64}")
_SECRET = re.compile(r"auth|key|token|secret|cookie|sign", re.IGNORECASE)
_PART = re.compile(rb'name="(\w+)"\r\n\r\n(.*?)\r\n--', re.DOTALL)
_chance = random.SystemRandom()


@dataclass(frozen=True)
class Service:
    """A service, and the account that it is used on.

    ``account`` is a pseudonym; ``terms`` the path of the saved document that the studio works under.
    A request is tried ``attempts`` times at most, and not again once that would take longer than ``patience``
    seconds in all.
    """

    vendor: str
    product: str
    snapshot: str | None = None
    plan: str | None = None
    account: str | None = None
    terms: str | os.PathLike[str] | None = None
    tool: tuple[str, str] = ("rakkan_remote", VERSION)
    key_header: str | None = "Idempotency-Key"
    attempts: int = 8
    patience: float = 120.0


class Account(rakkan_capture.Step):
    """What goes on record of a call, from its beginning on. ``account`` is the record's member ``call``."""

    def __init__(
        self,
        provider: Service,
        place: Mapping[str, Any] | None = None,
        call_id: str | None = None,
        job: str | None = None,
        **more: Any,
    ) -> None:
        more = {"action": "generate", **more}
        super().__init__(tool=provider.tool, place=place, hook=("remote", VERSION), **more)
        self.provider = provider
        self.account: dict[str, Any] = {
            "id": call_id or str(uuid.uuid4()),
            "outcome": "accepted" if job else "failed",
            "attempts": [],
            "account": provider.account,
            "terms": _terms(provider.terms),
            "job": job,
        }
        service = {"vendor": provider.vendor, "product": provider.product, "snapshot": provider.snapshot}
        self.record.update(id=str(uuid.uuid4()), service=service, plan=provider.plan, call=self.account)
        self.parameter("call", self.account["id"])
        self.sent = False
        self._key = str(uuid.uuid4())
        self._first: bytes | None = None

    @property
    def outcome(self) -> str:
        """How the call stands: accepted, throttled, refused or failed."""
        return str(self.account["outcome"])

    def __enter__(self) -> Self:
        named = self.record["place"].get("production")
        known = rakkan_capture.settings().get("productions", ())
        rakkan_capture.check(next((item for item in known if item.get("name") == named), None))
        rakkan_journal.recover()
        super().__enter__()
        self._kept = rakkan_journal.Kept(self.record["id"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.record["finished"] = rakkan_capture.now()
        outputs = self.record["outputs"]
        self.record["outputs"] = [
            item if "sha256" in item else rakkan_capture.file(item["path"]) for item in outputs
        ]
        if kind is not None:
            self.record["failed"] = kind.__name__
        if not self.sent or rakkan_capture.spool(self.record) is not None:
            self._kept.drop()

    def key(self, fingerprint: bytes) -> str:
        """Return the idempotency key of a request: the same for the same request."""
        if self._first is None:
            self._first = fingerprint
        first = fingerprint == self._first
        return self._key if first else str(uuid.uuid5(uuid.UUID(self._key), fingerprint.hex()))

    def tell(self, name: str, value: str) -> None:
        """Add a secret beside those that have the same name and another value."""
        secrets, number = self.record["secrets"], 1
        while secrets.get(name if number == 1 else "%s %d" % (name, number), value) != value:
            number += 1
        secrets[name if number == 1 else "%s %d" % (name, number)] = value

    def settle(self, outcome: str) -> None:
        """Say how the call stands. One whose files are there stays accepted."""
        if not self.record["outputs"]:
            self.account["outcome"] = outcome

    def keep(self) -> None:
        """Write the call where it survives this process."""
        self.record["finished"] = rakkan_capture.now()
        self._kept.write(self.record)


class Exchange:
    """A request within a call. ``body`` is ``None`` where it cannot be sent twice.

    ``headers`` are to be added to it.
    """

    def __init__(
        self, call: Account, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> None:
        self.call, self.provider, self.url = call, call.provider, url
        self.makes = method.upper() not in ("GET", "HEAD")
        self.headers: dict[str, str] = {}
        self._repeatable = body is not None
        self._hidden = _hidden(url, headers)
        self._number, self._begun = 0, time.monotonic()
        self._attempt: dict[str, Any] = {}
        if self.makes:
            with contextlib.suppress(Exception):  # whatever is in the body, it is sent
                self._describe(method, headers, body or b"")

    @property
    def outcome(self) -> str:
        """How the last attempt ended."""
        return str(self._attempt["outcome"])

    def begin(self) -> None:
        """An attempt is about to be sent."""
        self._number += 1
        self._sent = time.monotonic()
        self._attempt = {"at": rakkan_capture.now(), "outcome": "failed"}
        if self.makes:
            self.call.settle("failed")
            self.call.account["attempts"].append(self._attempt)
            self._keep()

    def broke(self) -> float | None:
        """No answer came."""
        self._took()
        if not self.makes:
            self.call.account["attempts"].append(self._attempt)
        return self._pause(rakkan_answers.Heard("failed", again=True))

    def answered(self, status: int, headers: Mapping[str, str], body: bytes) -> float | None:
        """An answer came; ``headers`` by lower-case names, ``body`` empty where it is not a document."""
        self._took()
        self._attempt["status"] = status
        document = rakkan_answers.parsed(body)
        heard = rakkan_answers.hear(status, headers, document)
        heard = self._job(heard, document) if heard.outcome == "accepted" else heard
        self._attempt.update(outcome=heard.outcome, code=self._said(heard.code))
        named = (headers[name] for name in rakkan_answers.REQUEST_IDS if name in headers)
        self._attempt["requestId"] = self._said(rakkan_answers.word(next(named, None)))
        if heard.words and heard.outcome == "refused":
            self.call.tell("refusal", str(self._said(heard.words)))
        if self.makes:
            self.call.settle(heard.outcome)
        elif heard.outcome != "accepted":
            self.call.account["attempts"].append(self._attempt)
        if heard.outcome == "accepted" and (self.makes or self._asks_after_job()):
            model = self._said(rakkan_answers.model(headers, body))
            self.call.account["model"] = model or self.call.account.get("model")
        if self.makes or heard.outcome != "accepted":
            self._keep()
        return self._pause(heard)

    def _job(self, heard: rakkan_answers.Heard, document: Any) -> rakkan_answers.Heard:
        """Return what was heard, once a job in the document is taken in."""
        job = rakkan_answers.job(document, asked=self.makes)
        if job is None or not (self.makes or self._asks_after_job()):
            return heard
        if self.makes:
            self.call.account["job"] = self._said(job.name)
        if job.outcome is None:
            return heard
        self.call.settle(job.outcome)
        return rakkan_answers.Heard(job.outcome, job.code, job.words)

    def _asks_after_job(self) -> bool:
        job = self.call.account["job"]
        return bool(job) and job in urllib.parse.unquote(self.url)

    def _pause(self, heard: rakkan_answers.Heard) -> float | None:
        unsafe = heard.outcome == "failed" and self.makes and self.provider.key_header is None
        if (
            not heard.again
            or unsafe
            or not self._repeatable
            or self._number >= min(self.provider.attempts, MOST)
        ):
            return None
        if heard.after is not None:
            pause = heard.after + _chance.uniform(0, max(heard.after / 4, 0.1))
        else:
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (self._number - 1)) * _chance.uniform(0.5, 1)
        if time.monotonic() - self._begun + pause > self.provider.patience:
            return None
        self._attempt["waited"] = max(1, round(pause * 1000))
        return pause

    def _took(self) -> None:
        self._attempt["took"] = max(1, round((time.monotonic() - self._sent) * 1000))

    def _keep(self) -> None:
        if self._number <= KEPT or self.call.outcome == "accepted":
            self.call.keep()

    def _said(self, text: str | None) -> str | None:
        """Return a stranger's words without the credentials that went out: some send them back."""
        for secret in self._hidden:
            text = text and text.replace(secret, "***")
        return text

    def _describe(self, method: str, headers: Mapping[str, str], body: bytes) -> None:
        """Give the request its key, and the record what the request asks for."""
        fingerprint = hashlib.sha256(b"\0".join((method.upper().encode(), self.url.encode(), body))).digest()
        name = self.provider.key_header
        if name is not None:
            given = headers.get(name.lower())
            if given is None:
                self.headers[name] = self.call.key(fingerprint)
            self.call.tell("idempotency-key", given or self.headers[name])
        if self._repeatable and len(body) <= READ_REQUEST:
            self.call.tell("request", hashlib.sha256(body).hexdigest())
            for key, value in _members(body):
                if key in PROMPTS and isinstance(value, str):
                    self.call.tell(PROMPTS[key], value)
                elif key in OPEN and not isinstance(value, bool) and _SHORT.fullmatch(str(value)):
                    self.call.record["parameters"].setdefault(key, str(value))


def _terms(path: str | os.PathLike[str] | None) -> dict[str, str] | None:
    """Return the saved terms as a record names them, or ``None`` where they are not at hand."""
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
            saved = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, timezone.utc)
    except OSError as error:
        rakkan_capture.faults.append("%s: %s" % (type(error).__name__, error))
        return None
    return {"sha256": digest, "fetched": saved.strftime("%Y-%m-%dT%H:%M:%SZ")}


def _members(body: bytes) -> list[tuple[str, Any]]:
    """Return the members of a JSON request or of a form, those of an object in it too."""
    document = rakkan_answers.parsed(body, READ_REQUEST)
    if not isinstance(document, dict):
        return [(name.decode(), text.decode("utf-8", "replace")) for name, text in _PART.findall(body)]
    found = list(document.items())
    for inner in ("input", "parameters", "config"):
        if isinstance(document.get(inner), dict):
            found += document[inner].items()
    return found


def _hidden(url: str, headers: Mapping[str, str]) -> list[str]:
    """Return the credentials of a request, in pieces, the longest first."""
    pieces = [part for name, value in headers.items() if _SECRET.search(name) for part in value.split()]
    pieces += [value for _, value in urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query)]
    return sorted((item for item in pieces if len(item) >= 8), key=len, reverse=True)
