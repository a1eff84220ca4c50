"""A record of a call to a remote service, as a hook leaves it in the spool."""

import json
from typing import Any

from tests.support.builders import digest

ACCOUNT: dict[str, Any] = {
    "id": "c-1",
    "outcome": "accepted",
    "attempts": [
        {
            "at": "2026-03-01T12:00:01.25Z",
            "outcome": "throttled",
            "status": 429,
            "code": "rate_limit_exceeded",
            "requestId": "req_1",
            "took": 12,
            "waited": 1003,
        },
        {"at": "2026-03-01T12:00:02.3Z", "outcome": "accepted", "status": 200, "requestId": "req_2"},
    ],
    "account": "account:2c41",
    "terms": {"sha256": digest("terms"), "fetched": "2026-01-21T00:00:00Z"},
    "model": "painter-2026-01-15",
}


def record(**changes: Any) -> bytes:
    """Return the bytes of a record; a change of ``None`` takes a member away."""
    whole = {
        "rakkan": 1,
        "id": "r-1",
        "captured": "2026-03-01T12:00:09.5Z",
        "started": "2026-03-01T12:00:01.2Z",
        "finished": "2026-03-01T12:00:09.4Z",
        "hook": {"name": "remote", "version": "1"},
        "layer": "app",
        "action": "generate",
        "tool": {"name": "shotgen", "version": "1.2"},
        "service": {"vendor": "Orbit", "product": "Painter"},
        "plan": "enterprise",
        "outputs": [{"path": "/show/sh0020.png", "sha256": digest("frame")}],
        "parameters": {"call": "c-1"},
        "secrets": {"prompt": "a lantern in the rain"},
        "call": ACCOUNT,
    }
    return json.dumps({**whole, **changes}).encode()
