"""The folder of a witness of ours: its key, what it vouched for, and its alarms.

    witness.pem          the private key (mode 0600; encrypted when RAKKAN_PASSPHRASE is set)
    witness.vkey         its name and public half, to hand out
    logs/                <SHA-256 of an origin>/checkpoint: the newest one cosigned
    alarms/              forks, with both signed checkpoints (``alarms``)

The key and ``logs/`` belong together and are copied together. A witness whose ``logs/`` was lost vouches for
whatever it is shown next, so it must start again with another key.
"""

from __future__ import annotations

from pathlib import Path

from ledger.adapters.alarms import DirectoryAlarms
from ledger.adapters.files import DirectoryPublication
from ledger.adapters.keys import load_signer, new_ml_dsa_key, new_statement_key, save_private
from ledger.core.cosignature import CosignatureSigner, parse_cosigner
from ledger.errors import MalformedError, RefusedError, UsageError
from ledger.ports import Clock

ALGORITHMS = {"ed25519": new_statement_key, "ml-dsa-44": new_ml_dsa_key}


class WitnessHome:
    """The folder, and every path in it."""

    def __init__(self, folder: Path, passphrase: bytes | None) -> None:
        self.folder = folder
        self._passphrase = passphrase

    def create(self, name: str | None, algorithm: str) -> CosignatureSigner:
        """Make the key, unless there is one, and return its signer. The default name is made from the key.

        Raises ``UsageError("witness.key")`` where there is a key of another name or kind, ``key.*``, and
        ``RefusedError("target.not-writable")``.
        """
        if self._vkey.exists():
            signer = self.signer()
            wanted = CosignatureSigner(signer.name, ALGORITHMS[algorithm]()).verifier.type
            if name not in {None, signer.name} or wanted != signer.verifier.type:
                raise UsageError("witness.key", f"{self._vkey} is another key.", name=signer.name)
            return signer
        key = ALGORITHMS[algorithm]()
        signer = CosignatureSigner(name or f"rakkan-witness/{key.keyid[:16]}", key)
        vkey = signer.verifier.vkey
        try:
            # The public half comes last: without it the key was never handed out, and is made again.
            self._key.unlink(missing_ok=True)
            save_private(self._key, key.pem(self._passphrase))
            DirectoryPublication(self.folder).swap(self._vkey.name, None, f"{vkey}\n".encode())
        except OSError as error:
            raise RefusedError(
                "target.not-writable", f"{self.folder} cannot be written: {error.strerror}.", path=self.folder
            ) from error
        return signer

    def signer(self) -> CosignatureSigner:
        """Return the witness's signer. Raises ``key.*``."""
        try:
            verifier = parse_cosigner(self._vkey.read_text("utf-8").removesuffix("\n"))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                "key.missing", f"There is no witness in {self.folder}.", path=self._vkey
            ) from error
        signer = CosignatureSigner(verifier.name, load_signer(self._key, self._passphrase))
        if signer.verifier != verifier:
            raise MalformedError("key.malformed", f"{self._vkey} is not the public half of {self._key}.")
        return signer

    def state(self) -> DirectoryPublication:
        """What was cosigned: laid out as the protocol's monitoring prefix is."""
        return DirectoryPublication(self.folder / "logs")

    def alarms(self, clock: Clock) -> DirectoryAlarms:
        """The forks that were refused."""
        return DirectoryAlarms(self.folder / "alarms", clock)

    @property
    def _key(self) -> Path:
        return self.folder / "witness.pem"

    @property
    def _vkey(self) -> Path:
        return self.folder / "witness.vkey"
