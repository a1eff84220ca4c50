"""The recorder of remote calls as a studio's code has it: its files lie beside one another, on the path."""

from __future__ import annotations

import json
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.core.spooled import Spooled, read_spooled
from ledger.core.spooled_call import SpooledCall, read_call
from tests.architecture.project import ROOT

HOOKS = ROOT / "ledger" / "hooks"
if TYPE_CHECKING:
    from ledger.hooks import rakkan_answers, rakkan_capture, rakkan_clients, rakkan_journal, rakkan_remote
else:
    sys.path.insert(0, str(HOOKS))
    import rakkan_answers
    import rakkan_capture
    import rakkan_clients
    import rakkan_journal
    import rakkan_remote

__all__ = ["HOOKS", "rakkan_answers", "rakkan_capture", "rakkan_clients", "rakkan_journal", "rakkan_remote"]

PROMPT = "CANARY-PROMPT a lantern in the rain"
KEY = "sk-CANARY-KEY-0123456789"
BODY = {"model": "painter-2", "prompt": PROMPT, "size": "1024x1024", "n": 1}
NIGHTFALL = {"production": "nightfall", "sequence": "sq010", "shot": "sh0020"}


@dataclass(frozen=True)
class Spool:
    """A spool, and what hooks left in it."""

    folder: Path

    def records(self) -> list[Spooled]:
        return [read_spooled(path.read_bytes()) for path in sorted((self.folder / "new").glob("*.json"))]

    def one(self) -> tuple[Spooled, SpooledCall]:
        """Return the only record, and its call."""
        (found,) = self.records()
        assert found.call is not None
        return found, read_call(found.call)

    def open_calls(self) -> list[dict[str, Any]]:
        """Return the calls that have not ended."""
        return [json.loads(path.read_bytes()) for path in sorted((self.folder / "calls").glob("*/*.json"))]

    def in_clear(self) -> str:
        """Return everything in the spool but the secrets."""
        found = []
        for path in sorted(self.folder.rglob("*")):
            if path.suffix == ".json":
                found.append(json.dumps({**json.loads(path.read_bytes()), "secrets": {}}))
            elif path.is_file():
                found.append(path.read_text(encoding="utf-8"))
        return "\n".join(found)


def ask(url: str, **body: Any) -> urllib.request.Request:
    """Return a request for a picture, as a studio's code makes it."""
    data = json.dumps({**BODY, **body}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
    return urllib.request.Request(url + "/v1/images/generations", data, headers)


def words(call: SpooledCall) -> list[str]:
    return [attempt.outcome.value for attempt in call.attempts]
