"""The agent's folder on a device.

    agent.toml     which device this is, and its productions (docs/howto/run-the-agent.md)
    agent.sqlite   signed records, until the log has them and for two weeks after
    secret         what makes pseudonyms of logins; without it they mean nothing
    token          what tools send that hand in records over HTTP
    lock           held by the one agent that runs

``RAKKAN_AGENT_HOME`` names the folder, else ``$XDG_STATE_HOME/rakkan/agent``, else the same under
``~/.local/state``.
"""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.core.fields import Fields, present
from ledger.core.predicates.capture import Event
from ledger.core.predicates.model import TrainingStage
from ledger.errors import MalformedError, UsageError
from ledger.service.files import read_whole, write_new, writing_errors

CODE = "agent.malformed"
MAX_SETTINGS = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionSettings:
    """One production as agent.toml has it.

    ``home`` holds the device's keys and the trust root, and the ledger where there is no ``server``.
    ``prompts`` is ``device`` or ``studio``: who keeps the openings. ``policy`` is ``spool`` or ``refuse``.
    ``watch`` is a list of names to look for in prompts. ``datasets`` are inventories, each with the stage of
    runs on it; ``trainer`` is the party that trains.
    """

    home: str
    server: str | None = None
    roots: tuple[str, ...] = ()
    place: str | None = None
    seal: tuple[str, ...] = ()
    prompts: str = "device"
    policy: str = "spool"
    watch: str | None = None
    trainer: str | None = None
    datasets: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the table."""
        return present(
            home=self.home,
            server=self.server,
            roots=list(self.roots),
            place=self.place,
            seal=list(self.seal),
            prompts=self.prompts,
            policy=self.policy,
            watch=self.watch,
            trainer=self.trainer,
            datasets=dict(self.datasets),
        )


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """Which device this is, by its enrolled name, and what it works on.

    ``http`` is where tools hand in records that cannot write files, on this machine only.
    """

    device: str
    productions: tuple[ProductionSettings, ...]
    http: str | None = None


class AgentHome:
    """The folder, and what is in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings_file = folder / "agent.toml"
        self.database = folder / "agent.sqlite"
        self.lock = folder / "lock"

    def settings(self) -> AgentSettings:
        """Return the settings.

        Raises ``UsageError("agent.missing")`` and ``MalformedError("agent.malformed")``.
        """
        if not self.settings_file.exists():
            raise UsageError("agent.missing", f"There is no {self.settings_file}.", path=self.settings_file)
        try:
            document = tomllib.loads(read_whole(self.settings_file, MAX_SETTINGS).decode())
        except (ValueError, RecursionError) as error:
            raise MalformedError(CODE, f"{self.settings_file}: {error}.", path=self.settings_file) from error
        try:
            return read_settings(document)
        except MalformedError as error:
            raise MalformedError(CODE, f"{self.settings_file}: {error.message}") from error

    def changed(self) -> int:
        """Return when the settings were changed (ns); 0 when there are none."""
        return self.settings_file.stat().st_mtime_ns if self.settings_file.exists() else 0

    def save(self, settings: AgentSettings) -> None:
        """Write the settings, and the secret if there is none. Raises ``RefusedError("target.…")``."""
        with writing_errors(self.folder):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_new(self.settings_file, format_settings(settings).encode())
        self.secret()

    def secret(self) -> bytes:
        """Return what makes pseudonyms of logins: this device's own, made at the first call."""
        return self._random("secret")

    def token(self) -> bytes:
        """Return what a tool must send: 64 hexadecimal digits, made at the first call."""
        return self._random("token")

    def _random(self, name: str) -> bytes:
        path = self.folder / name
        if not path.exists():
            write_new(path, os.urandom(32).hex().encode())
            path.chmod(0o600)
        return read_whole(path, 64).strip()


def read_settings(document: object) -> AgentSettings:
    """Return the settings that a document holds. Raises ``MalformedError("agent.malformed")``."""
    fields = Fields(document, code=CODE)
    device, http = fields.text("device"), fields.optional_text("http")
    items = enumerate(fields.items("production"))
    productions = tuple(_production(Fields(item, f"production[{n}]", CODE)) for n, item in items)
    fields.end()
    if not productions:
        raise fields.error("production", "must name at least one")
    return AgentSettings(device, productions, http)


def format_settings(settings: AgentSettings) -> str:
    """Return the text of agent.toml. JSON's strings and arrays are TOML's, too."""
    given = present(device=settings.device, http=settings.http)
    lines = [f"{name} = {_toml(value)}" for name, value in given.items()]
    for production in settings.productions:
        lines += ["", "[[production]]"]
        lines += [f"{name} = {_toml(value)}" for name, value in production.to_json().items()]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "{ "
            + ", ".join(f"{json.dumps(name)} = {json.dumps(item)}" for name, item in value.items())
            + " }"
        )
    return json.dumps(value)


def _production(fields: Fields) -> ProductionSettings:
    found = ProductionSettings(
        home=fields.text("home"),
        server=fields.optional_text("server"),
        roots=fields.texts("roots"),
        place=fields.optional_text("place"),
        seal=fields.texts("seal"),
        prompts=fields.optional_text("prompts") or "device",
        policy=fields.optional_text("policy") or "spool",
        watch=fields.optional_text("watch"),
        trainer=fields.optional_text("trainer"),
        datasets=tuple(fields.map("datasets").items()),
    )
    if not all(Path(root).is_absolute() for root in found.roots):
        raise fields.error("roots", "must be absolute paths")
    if found.prompts not in {"device", "studio"}:
        raise fields.error("prompts", "must be device or studio")
    if found.policy not in {"spool", "refuse"}:
        raise fields.error("policy", "must be spool or refuse")
    if not {stage for _, stage in found.datasets} <= {item.value for item in TrainingStage}:
        raise fields.error("datasets", "must give each inventory foundation, additional or focused")
    if not set(found.seal) <= {item.value for item in Event}:
        raise fields.error("seal", "must hold save, publish or final")
    fields.end()
    return found
