"""Which witnesses a studio's log asks: two files of its home, beside ``studio.json``.

    witness.policy       who, and how many are enough (c2sp.org/tlog-policy), as it was given
    witnesses.json       what happens below the quorum: the policy format has no word for it

Without ``witnesses.json`` nobody is asked.
"""

from __future__ import annotations

import json
from pathlib import Path

from ledger.adapters.files import DirectoryPublication
from ledger.core import canonical
from ledger.core.fields import Fields
from ledger.core.policy import Policy, parse_policy
from ledger.errors import MalformedError

SPEC = "https://rakkan.org/witnesses/v1"
_SETTINGS = "witnesses.json"
_POLICY = "witness.policy"


class WitnessSettings:
    """The two files in a studio's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = DirectoryPublication(folder)

    def save(self, policy: bytes, *, fail_closed: bool) -> None:
        """Keep a policy that ``parse_policy`` has read, durable on return."""
        document = {"spec": SPEC, "onFailure": "closed" if fail_closed else "open"}
        for name, data in ((_POLICY, policy), (_SETTINGS, (json.dumps(document, indent=2) + "\n").encode())):
            self._files.swap(name, self._files.get(name), data)

    def read(self) -> tuple[Policy, bool] | None:
        """Return the policy and whether it fails closed; ``None`` where nobody is asked.

        Raises ``MalformedError("home.malformed")``.
        """
        data = self._files.get(_SETTINGS)
        if data is None:
            return None
        try:
            fields = Fields(canonical.parse(data), code="home.malformed")
            spec, failure = fields.text("spec"), fields.text("onFailure")
            fields.end()
            if spec != SPEC or failure not in {"open", "closed"}:
                raise fields.error("onFailure", f"must be open or closed, under {SPEC}")
            return parse_policy(self._files.get(_POLICY) or b""), failure == "closed"
        except MalformedError as error:
            raise MalformedError(
                "home.malformed", f"{self._folder / _SETTINGS}: {error.message}", path=self._folder
            ) from error
