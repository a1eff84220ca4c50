"""A studio's service over HTTP, for programs: one call of docs/spec/http-*.md is one method.

    with Client("https://ledger.example", production="nightfall", token="…") as client:
        report = client.verify_file(Path("night.png"))

* Receipts are not believed: with the log's keys, one that does not hold for its entry is an error. Evidence
  and manifests are handed on as they came, to whoever checks them (``service.elsewhere``).
* A call has one deadline, an answer one greatest size. No redirect is followed and no proxy is used.
* A call that can be made twice without doing anything twice is made again after trouble and when the server
  asks for it (``Retry-After``), until ``patience`` seconds were waited. No other call is ever made twice.
* What the server refuses is a ``RakkanError`` with the server's own code. A code that is newer than this
  client is ``server.refused``, with the server's words.
* No answer, and an answer that is none of ours, is ``UndecidedError("server.unreachable")``.
* A request is signed with the device's key, or carries the token, or is anonymous.

A client is not to be shared by threads.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from secrets import token_urlsafe
from typing import Any, Self, cast
from urllib.parse import quote, urlencode

from ledger.adapters.answered import MAX_ANSWER, document, outcome, refusal
from ledger.adapters.connection import TROUBLE, Answer, Call, Connection, parse_url
from ledger.adapters.http_bodies import Event, Parts, events
from ledger.answers import Asset, Json, Lineage, ProductionGlance, VerdictHistory, Verification, WholeEntry
from ledger.core import request_signature as signatures
from ledger.core.checkpoint import open_checkpoint
from ledger.core.containers.jumbf import MAX_STORE
from ledger.core.digest import parse_sha256
from ledger.core.note import NoteVerifier
from ledger.core.receipt import parse_receipt, verify_receipt
from ledger.errors import (
    IntegrityError,
    RakkanError,
    UndecidedError,
)
from ledger.ports import Signer
from ledger.service.capture.store import Receipted

NDJSON = "application/x-ndjson"
C2PA = "application/c2pa"
MAX_EVENT = 1 << 20
MAX_FILE = 1 << 30
"""Bytes of a report's file: what is larger is fetched with another tool, part by part."""
QUIET = 90.0
"""Seconds without a sign of life from an open stream."""
LATER = frozenset({429, 502, 503, 504})
LONGEST = 3600
"""Seconds: a server that asks for more patience is asked again after this."""
_FIRST, _MOST = 0.2, 10.0
"""Seconds between two tries: at first, and at most unless the server says more."""
_JITTER = SystemRandom()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """``safe``: made twice, it does nothing twice. ``start``: the first byte that is asked for."""

    method: str
    path: str
    body: bytes | Parts | None = None
    media_type: str = "application/json"
    accept: str = "application/json"
    most: int = MAX_ANSWER
    safe: bool = True
    start: int = 0


class Client:
    """One server, and the production that calls are about; either a ``token`` or a ``device``'s key, or none.

    ``timeout`` is the deadline of one try (seconds), ``patience`` bounds the waiting between all tries of one
    call; 0 is a single try. With ``log_keys`` (``TrustRoot.log_verifiers``), receipts must hold for that log.
    Raises ``UsageError("http.url")``.
    """

    def __init__(
        self,
        url: str,
        *,
        production: str = "",
        token: str | None = None,
        device: Signer | None = None,
        log_keys: Sequence[NoteVerifier] = (),
        timeout: float = 60.0,
        patience: float = 30.0,
    ) -> None:
        server, path = parse_url(url)
        self.url = url
        self._connection = Connection(server, timeout)
        self._base = path.rstrip("/")
        self._about = f"/v1/productions/{quote(production, safe='')}"
        self._token, self._device = token, device
        self._log_keys = log_keys
        self._patience = patience

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. The next call opens another."""
        self._connection.close()

    # --- what devices bring; ``send`` and ``share`` are ``capture.store.Uplink`` ---------------------------

    def send(self, envelopes: Sequence[bytes]) -> Sequence[Receipted | RakkanError]:
        """Offer entries (DSSE envelopes), and return what became of each, in the same order.

        Sent again, an entry keeps its first index.
        """
        body = b"".join(item + b"\n" for item in envelopes)
        answer = self._json("POST", f"{self._about}/entries", body, media_type=NDJSON)
        try:
            items = [outcome(item) for item in answer["entries"]]
        except (KeyError, TypeError, ValueError) as error:
            raise self._unreachable("its answer is not one of ours") from error
        if len(items) != len(envelopes):
            raise self._unreachable(f"it answered for {len(items)} of {len(envelopes)} entries")
        return [self._checked(item, sent) for item, sent in zip(items, envelopes, strict=True)]

    def share(self, openings: Mapping[int, Mapping[str, str]]) -> None:
        """Hand over openings of commitments, digest to disclosure, by index of the entry."""
        lines = [{"entry": index, "disclosures": sorted(item.values())} for index, item in openings.items()]
        body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        self._json("POST", f"{self._about}/openings", body, media_type=NDJSON)

    def evidence(self, sha256: str) -> Any:
        """Return what the log knows under a file, as it was answered: see docs/spec/http-manifests.md."""
        return self._get(f"evidence/{parse_sha256(sha256)}")

    def manifest(self, sha256: str) -> bytes | None:
        """Return the manifest store that the studio keeps for a file, or ``None``."""
        path = f"{self._about}/manifests/{parse_sha256(sha256)}"
        try:
            answer = self._ask(_Request(method="GET", path=path, accept=C2PA, most=MAX_STORE + 1))
        except RakkanError as error:
            if error.code == "manifest.missing":
                return None
            raise
        if len(answer.body) > MAX_STORE:
            raise self._unreachable("it sends a manifest that is larger than any")
        return answer.body

    def share_manifest(self, sha256: str, store: bytes) -> None:
        """Give the studio the manifest store of a file."""
        path = f"{self._about}/manifests/{parse_sha256(sha256)}"
        self._ask(_Request(method="PUT", path=path, body=store, media_type=C2PA))

    # --- questions -----------------------------------------------------------------------------------------

    def verify_digest(self, sha256: str) -> Verification:
        """Return what the service knows of a file by its SHA-256 (hex): nothing of the file leaves here."""
        return cast("Verification", self._json("GET", f"/v1/verify/sha256:{parse_sha256(sha256)}"))

    def verify_file(self, path: Path, sidecar: Path | None = None) -> Verification:
        """Send a file, with its sidecar where it has one, and return the report about it.

        Its name stays here. Raises ``UsageError("file.…")``, too.
        """
        body = Parts([("file", path), *([("sidecar", sidecar)] if sidecar else [])])
        return cast("Verification", self._json("POST", "/v1/verify", body, media_type=body.media_type))

    def receipt(self, index: int, entry: bytes) -> bytes:
        """Return the receipt (``.tlog-proof``) of an entry, which holds for these bytes of it.

        Unchecked where the client has no ``log_keys``.
        """
        data = self._bytes(f"log/entries/{index}/receipt?form=tlog-proof")
        found = self._checked(Receipted(index, data), entry)
        if isinstance(found, RakkanError):
            raise found
        return data

    def entry(self, index: int) -> bytes:
        """Return an entry's exact bytes: a DSSE envelope."""
        return self._bytes(f"log/entries/{index}")

    def checkpoint(self) -> bytes:
        """Return the log's newest checkpoint, signed by a key of the log where there are ``log_keys``."""
        data = self._bytes("log/checkpoint")
        if self._log_keys:
            open_checkpoint(data, self._log_keys)
        return data

    def production(self) -> ProductionGlance:
        """Return the production, and what the caller may do there."""
        return cast("ProductionGlance", self._json("GET", self._about))

    def asset(self, digest: str) -> Asset:
        """Return what the log knows of a file: ``sha256:HEX``, ``HEX`` or ``pixels:HEX``."""
        return cast("Asset", self._get(f"assets/{quote(digest)}"))

    def lineage(self, digest: str, **asked: object) -> Lineage:
        """Return a page of what a file was made from (``direction`` "up") or went into ("down")."""
        return cast("Lineage", self._get(f"assets/{quote(digest)}/lineage", asked))

    def step(self, index: int) -> WholeEntry:
        """Return an entry, read."""
        return cast("WholeEntry", self._get(f"steps/{index}"))

    def verdicts(self, digest: str, **asked: object) -> VerdictHistory:
        """Return a page of the verdicts about a file, newest first."""
        return cast("VerdictHistory", self._get(f"verdicts/{quote(digest)}", asked))

    def thing(self, kind: str, name: str, **asked: object) -> Json:
        """Return a thing of the registry: one of the ``models``, ``grants`` and so on, with its history."""
        return cast("Json", self._get(f"registry/{quote(kind)}/{quote(name)}", asked))

    def clear(self, targets: Sequence[str], policy: str, **asked: object) -> Json:
        """Return whether files or shots are cleared, and why not. Nothing is recorded."""
        return self._computed("clearances", {"targets": list(targets), "policy": policy, **asked})

    def impact(self, thing: str, **asked: object) -> Json:
        """Return what rests on a thing; with ``ifRevoked`` and ``policy``, what its end would change."""
        return self._computed("impact", {"thing": thing, **asked})

    def unknown_origin(self, **asked: object) -> Json:
        """Return a page of the final files whose origin is unknown or only declared, and the counts."""
        return cast("Json", self._get("questions/unknown-origin", asked))

    def used(self, thing: str, **asked: object) -> Json:
        """Return a page of the final files that used a thing, and the steps; ``since`` and ``until``."""
        return cast("Json", self._get("questions/used", {"thing": thing, **asked}))

    def coverage_by(self, axis: str, **asked: object) -> Json:
        """Return a page of how far final files are on record by vendor, device, task, episode or shot."""
        return cast("Json", self._get("questions/coverage", {"by": axis, **asked}))

    def if_ended(self, grant: str, on: str, policy: str, **asked: object) -> Json:
        """Return a page of the final files that would have another verdict if a grant ended."""
        return self._computed("questions/if-ended", {"grant": grant, "on": on, "policy": policy, **asked})

    def report_file(self, job: str, name: str, start: int = 0) -> bytes:
        """Return a file of a report from this byte on: to go on where it broke off; compare its digest."""
        path = f"{self._about}/reports/{quote(job)}/files/{quote(name)}"
        found = self._ask(_Request(method="GET", path=path, accept="*/*", most=MAX_FILE, start=start))
        return found.body[start:] if start and found.status == 200 else found.body

    def own_works(self, works: Sequence[str], **asked: object) -> Json:
        """Return for each dataset whether works (SHA-256, hex) are in it, with the proofs."""
        return self._computed("own-works", {"works": list(works), **asked})

    def every(self, kind: str, **asked: object) -> Iterator[Json]:
        """Yield ``assets``, ``steps``, ``shots``, ``verdicts``, ``registry/models`` …, page after page."""
        while True:
            page = self._get(quote(kind), asked)
            if not isinstance(found := page.get(kind.removeprefix("registry/")), list):
                raise self._unreachable(f"its answer lists no {kind}")
            yield from found
            if not page.get("next"):
                return
            asked = {**asked, "after": page["next"]}

    def call(self, method: str, path: str, body: Json | None = None) -> Json:
        """Make a call below the production that has no method here: tokens, shares, webhooks, reports.

        It is made once, unless it is a GET: who made it twice might have two of what it makes.
        """
        data = None if body is None else json.dumps(body).encode()
        safe = method in {"GET", "PUT", "DELETE"}
        answer = self._ask(_Request(method=method, path=f"{self._about}/{path}", body=data, safe=safe))
        return cast("Json", document(answer) or {})

    def events(self, types: Sequence[str] = (), after: int | None = None) -> Iterator[Event]:
        """Yield events as they come, from the entry after ``after`` on, for as long as the log is served.

        A line that is lost is taken up again where it was lost, until ``patience`` seconds went by without
        one event or sign of life.
        """
        failed = 0.0
        while True:
            query = {"types": ",".join(types), **({} if after is None else {"after": after})}
            request = _Request(
                method="GET", path=f"{self._about}/events?{urlencode(query)}", accept="text/event-stream"
            )
            try:
                for event in self._follow(request):
                    after, failed = event.index, 0.0
                    if event.data is not None:
                        yield event
            except UndecidedError:
                if failed >= self._patience:
                    raise
            pause = _JITTER.uniform(_FIRST, 5 * _FIRST)
            failed += pause
            time.sleep(pause)

    def _follow(self, request: _Request) -> Iterator[Event]:
        target = self._base + request.path
        call = Call("GET", target, self._headers(request, target), MAX_EVENT)
        try:
            with self._connection.stream(call, QUIET) as (answer, lines):
                if answer.status != 200:
                    raise self._refusal(answer)
                yield from events(lines)
        except TROUBLE as error:
            raise self._unreachable(str(error) or type(error).__name__) from error

    # --- how it is asked -----------------------------------------------------------------------------------

    def _bytes(self, path: str) -> bytes:
        return self._ask(_Request(method="GET", path=f"{self._about}/{path}", accept="*/*")).body

    def _get(self, path: str, asked: Mapping[str, object] | None = None) -> Any:
        target = f"{self._about}/{path}"
        return self._json("GET", f"{target}?{urlencode(asked)}" if asked else target)

    def _computed(self, path: str, body: Json) -> Json:
        """Return the answer to a question that stands in a body: asked twice, it does nothing twice."""
        return cast("Json", self._json("POST", f"{self._about}/{path}", json.dumps(body).encode()))

    def _json(self, method: str, path: str, body: bytes | Parts | None = None, **more: Any) -> Any:
        found = document(self._ask(_Request(method=method, path=path, body=body, **more)))
        if not isinstance(found, dict):
            raise self._unreachable("its answer is not one of ours")
        return found

    def _ask(self, request: _Request) -> Answer:
        """Return an answer of success. Raises what the server answers, and ``server.unreachable``."""
        waited, pause = 0.0, _FIRST
        while True:
            try:
                return self._try(request)
            except RakkanError as error:
                asked = int(str(error.evidence.get("retry_after", 0)))
                delay = asked + _JITTER.uniform(pause / 2, pause)
                later = error.code == "server.unreachable" or asked
                if not (request.safe and later) or waited + delay > self._patience:
                    raise
            time.sleep(delay)
            waited, pause = waited + delay, min(2 * pause, _MOST)

    def _try(self, request: _Request) -> Answer:
        target = self._base + request.path

        def made() -> Call:
            return Call(request.method, target, self._headers(request, target), request.most, request.body)

        try:
            answer = self._connection.ask(made, again=request.safe)
        except TROUBLE as error:
            raise self._unreachable(str(error) or type(error).__name__) from error
        if 200 <= answer.status < 300:
            return answer
        raise self._refusal(answer)

    def _headers(self, request: _Request, target: str) -> dict[str, str]:
        headers = {"Accept": f"{request.accept}, application/problem+json"}
        if request.body is not None:
            headers |= {"Content-Type": request.media_type, "Content-Length": str(len(request.body))}
        if request.start:
            headers["Range"] = f"bytes={request.start}-"
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        if self._device is not None and not isinstance(request.body, Parts):  # anybody may verify
            path, _, query = target.partition("?")
            digest = signatures.content_digest(request.body) if request.body is not None else None
            authority = self._connection.server.authority
            signed = signatures.Target(request.method, authority, path, query, digest)
            headers |= signatures.sign(self._device, signed, int(time.time()), token_urlsafe(18))
        return headers

    def _refusal(self, answer: Answer) -> RakkanError:
        problem = document(answer)
        if not isinstance(problem, dict) or not isinstance(problem.get("code"), str):
            return self._unreachable(f"it answers with status {answer.status}")
        found = refusal(problem, answer.status)
        if answer.status in LATER:
            asked = answer.headers.get("Retry-After", "")
            found.evidence["retry_after"] = min(int(asked), LONGEST) if asked.isdecimal() else 1
        return found

    def _checked(self, item: Receipted | RakkanError, entry: bytes) -> Receipted | RakkanError:
        if not self._log_keys or isinstance(item, RakkanError):
            return item
        try:
            receipt = parse_receipt(item.receipt)
            verify_receipt(receipt, entry, self._log_keys)
            if receipt.index != item.index:
                raise IntegrityError("receipt.signature", "The receipt is of another entry.")
        except RakkanError as error:
            return error
        return item

    def _unreachable(self, why: str) -> UndecidedError:
        return UndecidedError("server.unreachable", f"{self.url}: {why}.", url=self.url)
