"""The systemd user unit that runs the agent: no administrator has to do anything."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ledger.service.files import make_folder, write_new

UNIT = "rakkan-agent.service"
_PASSED_ON = ("RAKKAN_AGENT_HOME", "RAKKAN_SPOOL", "RAKKAN_HOME", "XDG_STATE_HOME")


def start_agent() -> str:
    """Write the unit and start it now and at every login; return what was done, or what is left to do.

    Raises ``RefusedError("target.…")``.
    """
    config = os.environ.get("XDG_CONFIG_HOME")
    folder = (Path(config) if config else Path.home() / ".config") / "systemd/user"
    make_folder(folder)
    write_new(folder / UNIT, unit_text().encode())
    by_hand = f"{folder / UNIT} is written. Start it: systemctl --user enable --now {UNIT}"
    systemctl = shutil.which("systemctl")
    if systemctl is None:
        return f"{by_hand} (there is no systemd here: run `rakkan agent run` by other means)"
    for command in (["daemon-reload"], ["enable", "--now", UNIT]):
        result = subprocess.run([systemctl, "--user", *command], capture_output=True, text=True, check=False)
        if result.returncode:
            return f"{by_hand} ({result.stderr.strip()})"
    return f"The agent runs, and will after every login: systemctl --user status {UNIT}"


def unit_text() -> str:
    """Return the unit: this Python, this Rakkan, and the folders that are set in this environment."""
    known = [(name, os.environ[name]) for name in _PASSED_ON if os.environ.get(name)]
    settings = "".join(f"Environment={_quoted(f'{name}={value}')}\n" for name, value in known)
    return f"""[Unit]
Description=Rakkan: signs what hooks recorded on this device

[Service]
{settings}ExecStart={_quoted(sys.executable)} -m ledger agent run
WorkingDirectory={Path(__file__).resolve().parents[2]}
Restart=always
RestartSec=5
Nice=10
IOSchedulingClass=idle
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'
