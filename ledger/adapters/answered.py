"""What a service answered, read: documents, errors, what became of an entry. None of it is believed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ledger.adapters.connection import Answer
from ledger.codes import CODES
from ledger.core.encoding import decode_base64
from ledger.errors import MalformedError, RakkanError, RefusedError, UndecidedError, UsageError
from ledger.service.capture.store import Receipted

MAX_ANSWER = 32 << 20
"""Bytes of an answer, at most."""
_KINDS: Mapping[int, type[RakkanError]] = {
    400: MalformedError,
    404: UsageError,
    405: UsageError,
    413: MalformedError,
    500: UndecidedError,
    502: UndecidedError,
}


def document(answer: Answer) -> Any:
    """Return the JSON of an answer; ``None`` for anything else, and for what is too long."""
    try:
        return json.loads(answer.body) if len(answer.body) < MAX_ANSWER else None
    except (ValueError, RecursionError):
        return None


def outcome(value: Any) -> Receipted | RakkanError:
    """Return what became of an entry. Raises ``KeyError``, ``TypeError`` or ``ValueError``."""
    if "error" in value:
        return refusal(value["error"])
    receipt = decode_base64(value["receipt"])
    if receipt is None:
        raise ValueError("a receipt that is not base64")
    return Receipted(int(value["index"]), receipt)


def refusal(value: Any, status: int = 409) -> RakkanError:
    """Return what the server said against it, in its own words: its code may be newer than ours."""
    said = value if isinstance(value, dict) else {}
    code, words = str(said.get("code"))[:80], str(said.get("message"))[:500]
    given = said.get("evidence")
    evidence = {
        name: str(item)[:500]
        for name, item in list(given.items() if isinstance(given, dict) else ())[:20]
        if name not in {"self", "code", "message", "retry_after"}
    }
    if code not in CODES:
        return RefusedError("server.refused", f"The server refuses: {words} [{code}]", **evidence)
    return _KINDS.get(status, RefusedError)(code, words, **evidence)
