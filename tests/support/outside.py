"""Programs that are not ours, driven as somebody without a line of our code drives them: curl and openssl."""

from __future__ import annotations

import json
import subprocess
import time
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from shutil import which
from typing import Any

import pytest

DSSE = "application/vnd.dsse.envelope.v1+json"
IN_TOTO = "application/vnd.in-toto+json"


def need_programs() -> None:
    """Skip the test where curl or openssl is not there."""
    for program in ("curl", "openssl"):
        if which(program) is None:
            pytest.skip(f"{program} is not here")


@dataclass(frozen=True)
class Answer:
    """What curl got: the status, the header fields by lower-case name, and the body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> tuple[int, str]:
        """The status and the code of a problem."""
        return self.status, self.json["code"]


@dataclass(frozen=True)
class Curl:
    """curl against one production of a server, as who holds the token, or as nobody."""

    url: str
    folder: Path
    token: str | None = None

    @property
    def about(self) -> str:
        return f"{self.url}/v1/productions/nightfall"

    def __call__(self, address: str, *options: object) -> Answer:
        """Ask; an address that begins with a slash is one of the server, any other one of the production."""
        head, body = self.folder / "curl-head", self.folder / "curl-body"
        body.unlink(missing_ok=True)
        target = self.url + address if address.startswith("/") else f"{self.about}/{address}"
        shown = ["-H", f"Authorization: Bearer {self.token}"] if self.token else []
        command = ["curl", "-sS", "--max-time", "60", "-D", head, "-o", body, *shown, *options, target]
        subprocess.run(list(map(str, command)), check=True, capture_output=True)
        first, *lines = head.read_bytes().decode("latin-1").rstrip().rpartition("\r\n\r\n")[2].splitlines()
        fields = [line.partition(":") for line in lines]
        return Answer(
            int(first.split()[1]),
            {name.lower(): value.strip() for name, _, value in fields},
            body.read_bytes() if body.exists() else b"",
        )

    def post(self, address: str, document: Any) -> Answer:
        return self(address, "--json", json.dumps(document))

    def verify(self, path: Path) -> Any:
        """Upload a file, as anybody."""
        answer = self("/v1/verify", "-F", f"file=@{path}")
        assert answer.status == 200, answer.body
        return answer.json

    def following(self, output: Path, types: str, *options: object) -> subprocess.Popen[bytes]:
        """Follow the events of these types into a file, until it is killed."""
        command = ["curl", "-sS", "-N", "-o", output, "-H", f"Authorization: Bearer {self.token}", *options]
        target = f"{self.about}/events?types={types}"
        return subprocess.Popen([*map(str, command), target], stderr=subprocess.DEVNULL)


def openssl(*arguments: object, given: bytes = b"") -> bytes:
    command = ["openssl", *map(str, arguments)]
    return subprocess.run(command, input=given, capture_output=True, check=True).stdout


class Key:
    """A device's private key in a PEM file, in openssl's hands."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path, self._folder = path, folder
        public = openssl("pkey", "-in", path, "-pubout", "-outform", "DER")
        self.keyid = openssl("dgst", "-sha256", "-r", given=public).split()[0].decode()

    def sign(self, data: bytes) -> bytes:
        (self._folder / "to-sign").write_bytes(data)
        return openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.path, "-in", self._folder / "to-sign")

    def envelope(self, statement: Any) -> bytes:
        """Return the DSSE envelope of docs/spec/entry.md."""
        payload = _canonical(statement)
        sig = self.sign(b"DSSEv1 %d %s %d %s" % (len(IN_TOTO), IN_TOTO.encode(), len(payload), payload))
        signature = {"keyid": self.keyid, "sig": b64encode(sig).decode()}
        return _canonical(
            {"payload": b64encode(payload).decode(), "payloadType": IN_TOTO, "signatures": [signature]}
        )

    def fields(self, curl: Curl, path: str) -> list[str]:
        """Return curl's options for a GET that the key signs: docs/spec/http-access.md."""
        params = (
            '("@method" "@authority" "@path" "@query");'
            f'created={int(time.time())};keyid="{self.keyid}";nonce="{token_urlsafe(16)}";tag="rakkan"'
        )
        base = (
            f'"@method": GET\n"@authority": {curl.url.removeprefix("http://")}\n"@path": {path}\n'
            f'"@query": ?\n'
            f'"@signature-params": {params}'
        )
        sig = b64encode(self.sign(base.encode())).decode()
        return ["-H", f"Signature-Input: rakkan={params}", "-H", f"Signature: rakkan=:{sig}:"]


def _canonical(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
