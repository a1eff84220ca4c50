"""Pictures of recorded files over HTTP: of what is on record, for who may see the work, of nothing else."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from ledger.adapters.kept_pictures import KeptPictures
from ledger.adapters.picture_folders import PictureFolders
from ledger.adapters.scratch import Scratch
from ledger.core.artifact import Artifact
from ledger.core.encoding import encode_base64
from ledger.errors import UndecidedError
from ledger.service.reading.pictures import Pictures
from ledger.wiring import home_at, open_studio
from ledger.wiring.serving import PageSettings
from tests.e2e.conftest import Studio
from tests.support.builders import step
from tests.support.http import UNLIMITED, answering


def role(studio: Studio, name: str) -> dict[str, str]:
    made = studio.ok("token", "create", name, "--role", name, "--json").json
    return {"Authorization": f"Bearer {made['token']}"}


def address(path: Path) -> str:
    return f"/productions/nightfall/pictures/{sha256(path.read_bytes()).hexdigest()}.jpg"


def test_a_recorded_file_is_shown_and_nothing_else_is(studio: Studio) -> None:
    studio.license()
    sealed = studio.sealed("frame.png")
    before = studio.record(studio.png("before.png", seed=2))
    asked = address(before)
    studio.ok("seal", before)
    no_picture = studio.work / "notes.txt"
    no_picture.write_text("a studio's notes")
    studio.record(no_picture)
    never = studio.png("never-recorded.png", seed=4)
    weights = studio.work / "sky.safetensors"
    outside = studio.record(studio.png("outside.png", seed=5))
    artist, auditor, distributor = (role(studio, name) for name in ("artist", "auditor", "distributor"))
    there, first = address(outside), address(sealed)
    outside.rename(studio.home / outside.name)
    (studio.work / "outside.png").symlink_to(studio.home / outside.name)
    with answering(studio.home, settings=(PageSettings(pictures=(studio.work,)), UNLIMITED)) as client:
        got = client.get(address(sealed), headers=artist)
        assert (got.status_code, got.headers["content-type"]) == (200, "image/jpeg")
        assert got.headers["cache-control"].startswith("private")
        with Image.open(sealed) as image:
            assert Image.open(io.BytesIO(got.content)).size == image.size
        again = client.get(address(sealed), headers={**artist, "If-None-Match": got.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        # By the digest that it had before it was sealed, too: the picture is the same.
        assert client.get(asked, headers=artist).status_code == 200
        for path in (address(no_picture), address(never), address(weights), there):
            none = client.get(path, headers=artist)
            assert (none.status_code, none.headers["content-type"]) == (404, "image/gif"), path
            assert Image.open(io.BytesIO(none.content)).size == (1, 1)
        assert client.get(address(sealed), headers=distributor).status_code == 403
        assert client.get(address(sealed)).status_code == 401
        elsewhere = address(sealed).replace("nightfall", "unknown")
        assert client.get(elsewhere, headers=auditor).status_code == 403
        for wrong in ("?w=100000", "?w=-1"):
            assert client.get(address(sealed) + wrong, headers=artist).status_code == 400
    # What was made is kept, and shown although the file is gone.
    sealed.unlink()
    with answering(studio.home, settings=(PageSettings(pictures=(studio.work,)), UNLIMITED)) as client:
        assert client.get(first, headers=artist).content == got.content


def test_a_recorded_name_leads_nowhere(studio: Studio) -> None:
    secret = studio.png("secret.png")
    digest = sha256(secret.read_bytes()).hexdigest()
    names = ("../secret.png", str(secret), "..", "x/", "a\\..\\secret.png")
    home, now = home_at(studio.home), datetime.now(UTC).replace(microsecond=0)
    with open_studio(home) as opened:
        said = step(started=now, finished=now, materials=(), commitments=())
        work = tuple(Artifact(name, digest) for name in names)
        opened.state(home.statement_signer("workstation"), work, said)
    (studio.work / "files").mkdir()
    with answering(studio.home, settings=(PageSettings(pictures=(studio.work / "files",)),)) as client:
        assert client.get(address(secret), headers=role(studio, "artist")).status_code == 404


class Said:
    """A process that answers what a decoder that was taken over might."""

    def __init__(self, said: object) -> None:
        self.said = said

    def run(self, *_: object) -> dict[str, Any]:
        if isinstance(self.said, Exception):
            raise self.said
        return {"picture": self.said}


@pytest.mark.parametrize(
    "said",
    [
        None,
        7,
        "no base64",
        encode_base64(b"<script>alert(1)</script>"),
        encode_base64(b"\xff\xd8\xff" + bytes(1 << 20)),
        UndecidedError("verify.crashed", "It broke down."),
    ],
)
def test_a_decoder_that_lies_or_dies_shows_nothing(studio: Studio, tmp_path: Path, said: object) -> None:
    digest = sha256(studio.record(studio.png()).read_bytes()).hexdigest()
    with Scratch(tmp_path / "room") as room, open_studio(home_at(studio.home)) as opened:
        kept = KeptPictures(tmp_path / "kept")
        pictures = Pictures(PictureFolders([studio.work]), kept, room, Said(said))
        assert pictures.made(opened, digest, 320) is None
        assert kept.get(digest, 320) is None


def test_no_folder_no_picture(studio: Studio) -> None:
    path = studio.record(studio.png())
    with answering(studio.home) as client:
        assert client.get(address(path), headers=role(studio, "artist")).status_code == 404


def test_many_at_once_wait_their_turn_while_files_are_verified(studio: Studio) -> None:
    paths = [studio.record(studio.png(f"{seed}.png", seed)) for seed in range(6)]
    artist = role(studio, "artist")
    with answering(studio.home, settings=(PageSettings(pictures=(studio.work,)), UNLIMITED)) as client:

        def ask(path: Path) -> int:
            return client.get(address(path), headers=artist).status_code

        with ThreadPoolExecutor(7) as pool:
            verified = pool.submit(verify, client, paths[0])
            assert list(pool.map(ask, paths)) == [200] * 6
            assert verified.result() == 200


def verify(client: TestClient, path: Path) -> int:
    return client.post("/v1/verify", content=path.read_bytes()).status_code
