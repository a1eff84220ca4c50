"""The way to a log over HTTP: see ``capture.store.Uplink``.

* A batch is NDJSON, one envelope a line, byte for byte; the answer is one JSON document, an item for each.
* Nothing that the server says is believed here: receipts are checked by whoever asked.
* A call has one deadline, an answer one greatest size. No redirect is followed and no proxy is used.
* No answer, and an answer that is none of ours, is ``UndecidedError("capture.unreachable")``: it says nothing
  about the records, and they are sent again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlsplit

from ledger.core.encoding import decode_base64
from ledger.errors import RakkanError, RefusedError, UndecidedError, UsageError
from ledger.service.capture.store import Receipted

MAX_ANSWER = 32 << 20
NDJSON = "application/x-ndjson"


class HttpUplink:
    """The log of a production behind a server's URL. ``seconds`` is the time that one call may take.

    Raises ``UsageError("http.url")`` for what is no plain http or https URL.
    """

    def __init__(self, url: str, production: str, seconds: float = 60.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise UsageError("http.url", f"{url} is no http or https URL.", url=url[:200])
        self._url = url
        self._host, self._port = parts.hostname, parts.port
        self._path = f"{parts.path.rstrip('/')}/v1/productions/{quote(production, safe='')}"
        self._connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._seconds = seconds

    def send(self, envelopes: Sequence[bytes]) -> Sequence[Receipted | RakkanError]:
        """Offer entries in order, and return what became of each."""
        answer = self._post("entries", b"".join(item + b"\n" for item in envelopes))
        try:
            items = [_item(item) for item in answer["entries"]]
        except (KeyError, TypeError, ValueError) as error:
            raise self._unreachable("its answer is not one of ours") from error
        if len(items) != len(envelopes):
            raise self._unreachable(f"it answered for {len(items)} of {len(envelopes)} entries")
        return items

    def share(self, openings: Mapping[int, Mapping[str, str]]) -> None:
        """Hand over openings, digest to disclosure, by index of the entry."""
        lines = [{"entry": index, "disclosures": sorted(item.values())} for index, item in openings.items()]
        self._post("openings", b"".join(json.dumps(line).encode() + b"\n" for line in lines))

    def _post(self, name: str, body: bytes) -> dict[str, Any]:
        with closing(self._connect(self._host, self._port, timeout=self._seconds)) as connection:
            try:
                connection.request("POST", f"{self._path}/{name}", body, {"Content-Type": NDJSON})
                with connection.getresponse() as response:
                    data = response.read(MAX_ANSWER + 1)
                    status, retry = response.status, response.headers.get("Retry-After", "")
            except (OSError, HTTPException) as error:
                raise self._unreachable(f"{type(error).__name__}: {error}") from error
        try:
            answer = json.loads(data) if len(data) <= MAX_ANSWER else None
        except ValueError:
            answer = None
        if status == 200 and isinstance(answer, dict):
            return answer
        if not isinstance(answer, dict) or "code" not in answer:
            raise self._unreachable(f"it answers with status {status}")
        raise _refusal(answer, retry_after=int(retry) if retry.isdecimal() else 0)

    def _unreachable(self, why: str) -> UndecidedError:
        return UndecidedError("capture.unreachable", f"{self._url}: {why}.", url=self._url)


def _item(value: Any) -> Receipted | RakkanError:
    if "error" in value:
        return _refusal(value["error"])
    receipt = decode_base64(value["receipt"])
    if receipt is None:
        raise ValueError("a receipt that is not base64")
    return Receipted(int(value["index"]), receipt)


def _refusal(value: Any, **evidence: object) -> RefusedError:
    """Return what the log said against an entry, in its own words: its code may be newer than ours."""
    said = value if isinstance(value, dict) else {}
    words = f"The log refused: {str(said.get('message'))[:500]} [{str(said.get('code'))[:80]}]"
    return RefusedError("capture.refused", words, **evidence)
