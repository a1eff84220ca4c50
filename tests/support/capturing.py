"""A device that captures: a spool, an agent's folder, and the hooks' own client writing into it."""

from __future__ import annotations

import json
import sqlite3
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ledger.adapters.agent_home import AgentHome, ProductionSettings
from ledger.adapters.spool import DirectorySpool
from ledger.core.predicates import PREDICATES
from ledger.hooks import rakkan_capture
from ledger.ports import Clock
from ledger.service.capture.agent import Agent
from ledger.wiring.capture import install_agent, open_agent

if TYPE_CHECKING:
    from tests.e2e.conftest import Studio


class CaptureDevice:
    """One device. ``home`` is its keys' and, where there is no server, the ledger's."""

    def __init__(self, folder: Path, home: Path, work: Path, *, device: str = "workstation") -> None:
        self.folder, self.home, self.work, self.name = folder, home, work, device
        self.agent_home = AgentHome(folder / "agent")
        self.spool = DirectorySpool(folder / "spool")

    @contextmanager
    def here(self) -> Iterator[None]:
        """Be in this device's environment."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RAKKAN_SPOOL", str(self.spool.folder))
            patch.setenv("RAKKAN_AGENT_HOME", str(self.agent_home.folder))
            patch.setenv("RAKKAN_CACHE", str(self.folder / "cache"))
            patch.setenv("RAKKAN_CAPTURE", "1")
            yield

    def install(self, http: str | None = None, **given: Any) -> CaptureDevice:
        settings = ProductionSettings(**{"home": str(self.home), "roots": (str(self.work),), **given})
        with self.here():
            install_agent(self.agent_home, self.name, settings, http)
        return self

    @contextmanager
    def step(self, action: str = "draw", event: str = "save", **more: Any) -> Iterator[rakkan_capture.Step]:
        """A step of the hooks' own client on this device."""
        with self.here(), rakkan_capture.Step(action, ("painter", "1.0"), event=event, **more) as step:
            yield step

    def draws(self, name: str, content: bytes = b"", **more: Any) -> Path:
        """Write a file, and the record of it."""
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.step(**more) as step:
            path.write_bytes(content or f"what {name} holds".encode("utf-8", "surrogateescape"))
            step.writes(path)
        return path

    def file(self, path: Path) -> dict[str, Any]:
        with self.here():
            return rakkan_capture.file(path)

    def leaves(self, record: dict[str, Any]) -> None:
        """Put a record into the spool as a foreign hook would."""
        with self.here():
            rakkan_capture.spool(record)

    @contextmanager
    def agent(self, clock: Clock | None = None) -> Iterator[Agent]:
        with self.here(), open_agent(self.agent_home, self.spool, clock) as agent:
            yield agent

    def turn(self, clock: Clock | None = None) -> None:
        """Let the agent do all there is to do."""
        with self.agent(clock) as agent:
            while agent.turn().more:
                pass
            agent.turn()

    def waiting(self) -> list[dict[str, Any]]:
        return [json.loads(item.data) for item in self.spool.waiting(1000)]


def statements(studio: Studio, kind: str) -> list[dict[str, Any]]:
    """Every statement of a type in the log, oldest first: ``step/v2`` and so on."""
    assert f"https://rakkan.org/{kind}" in PREDICATES
    with closing(sqlite3.connect(studio.home / "ledger.sqlite")) as database:
        rows = database.execute(
            "SELECT envelope FROM entry JOIN statement USING (log_id, idx)"
            " WHERE predicate_type = ? ORDER BY idx",
            (f"https://rakkan.org/{kind}",),
        ).fetchall()
    return [json.loads(b64decode(json.loads(row[0])["payload"])) for row in rows]
