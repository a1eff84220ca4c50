"""A real token: SoftHSM2, in a folder of the test's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger.adapters.pkcs11 import tokens

PIN = "4711-user"
SECURITY_OFFICER = "0815-officer"
DRIVERS = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
]


@dataclass(frozen=True)
class Token:
    """A folder with tokens, and the driver that finds them there through `SOFTHSM2_CONF`."""

    folder: Path
    driver: str

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to see the tokens."""
        return {"SOFTHSM2_CONF": str(self.folder / "softhsm2.conf")}

    def uri(self, path: str = "token=studio;object=log", query: str = "") -> str:
        """The URI of a key."""
        return f"pkcs11:{path}?module-path={self.driver}{query}"

    def configure(self, *lines: str) -> None:
        """Write the driver's settings. They count from its next start."""
        settings = [f"directories.tokendir = {self.folder / 'tokens'}", "log.level = ERROR", *lines]
        (self.folder / "softhsm2.conf").write_text("\n".join(settings) + "\n")

    def add(self, label: str = "studio") -> None:
        """Make a token."""
        command = ["softhsm2-util", "--init-token", "--free", "--label", label]
        pins = ["--pin", PIN, "--so-pin", SECURITY_OFFICER]
        environment = {**os.environ, **self.environment}
        subprocess.run([*command, *pins], env=environment, check=True, capture_output=True)

    def run(self, script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Python in a process of its own: a driver's state is its process's."""
        return subprocess.run(
            [sys.executable, "-c", script, *arguments],
            env={**os.environ, **self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )


def seen_here(token: Token, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process see the token, with a driver that was never used."""
    monkeypatch.setenv("SOFTHSM2_CONF", token.environment["SOFTHSM2_CONF"])
    monkeypatch.setattr(tokens, "_drivers", {})
    monkeypatch.setattr(tokens, "_refused", set())
    stop(token)


def stop(token: Token) -> None:
    """End the driver, as pulling every token out would: it forgets its sessions."""
    with tokens._lock:
        tokens.library().lib(token.driver).finalize()


def new_token(folder: Path) -> Token:
    """Return a folder with one token, `studio`, without a key. Skips where SoftHSM2 is not installed."""
    driver = next((path for path in DRIVERS if Path(path).exists()), None)
    if driver is None or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM2 is not installed")
    pytest.importorskip("pkcs11")
    (folder / "tokens").mkdir(parents=True)
    token = Token(folder, driver)
    token.configure()
    token.add()
    return token
