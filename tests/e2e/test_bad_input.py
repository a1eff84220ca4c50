"""Bad input: each kind has its own code and sentence, and leaves the original and the log as they were.

``Studio.fails`` compares every byte at work, and every entry of the log, before and after.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import ledger.wiring
from ledger.adapters.home import Home
from ledger.errors import CODES
from tests.e2e.conftest import ROOT, Studio, checks, codes, sidecar, snapshot
from tests.support.media import EMBED, make, picture_bytes

RECORD = ("--action", "generate", "--tool", "painter 1.0")
Made = Callable[[Path], Path]


# --- what is no file, or cannot be read --------------------------------------------------------------------


def _missing(folder: Path) -> Path:
    return folder / "missing.png"


def _folder(folder: Path) -> Path:
    path = folder / "folder.png"
    path.mkdir()
    return path


def _loop(folder: Path) -> Path:
    path = folder / "loop.png"
    path.symlink_to("loop2.png")
    (folder / "loop2.png").symlink_to("loop.png")
    return path


def _dangling(folder: Path) -> Path:
    path = folder / "dangling.png"
    path.symlink_to("gone.png")
    return path


def _pipe(folder: Path) -> Path:
    path = folder / "pipe.png"
    os.mkfifo(path)
    return path


def _device(folder: Path) -> Path:
    path = folder / "zero.png"
    path.symlink_to("/dev/zero")
    return path


def _empty(folder: Path) -> Path:
    path = folder / "empty.png"
    path.touch()
    return path


def _under_a_file(folder: Path) -> Path:
    (folder / "file.png").write_bytes(b"x")
    return folder / "file.png" / "below.png"


def _long_name(folder: Path) -> Path:
    return folder / ("n" * 300 + ".png")


NOT_FILES: dict[str, tuple[Made, str]] = {
    "missing": (_missing, "file.missing"),
    "folder": (_folder, "file.not-a-file"),
    "symlink loop": (_loop, "file.not-a-file"),
    "dangling symlink": (_dangling, "file.missing"),
    "pipe": (_pipe, "file.not-a-file"),
    "device": (_device, "file.not-a-file"),
    "empty": (_empty, "file.empty"),
    "under a file": (_under_a_file, "file.unreadable"),
    "name too long": (_long_name, "file.unreadable"),
}
USES: dict[str, tuple[str, ...]] = {
    "record": ("record", "{}", *RECORD),
    "seal": ("seal", "{}"),
    "verify": ("verify", "{}"),
    "verify offline": ("verify", "{}", "--offline"),
    "parent": ("record", "good.png", *RECORD, "--parent", "{}"),
    "sidecar": ("verify", "good.png", "--sidecar", "{}"),
    "trust root": ("verify", "good.png", "--trust", "{}"),
    "dataset": ("dataset", "add", "plates", "{}"),
    "model": ("model", "add", "sky", "{}"),
    "contract": (
        *("grant", "add", "G", "--covers", "x", "--use", "output-final", "--from", "2026-01-01"),
        *("--licensor", "L", "--contract", "{}"),
    ),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("kind", NOT_FILES)
@pytest.mark.timeout(20)
def test_what_is_no_file(founded: Studio, tmp_path: Path, kind: str, use: str) -> None:
    maker, code = NOT_FILES[kind]
    # One studio for all of them: each must leave it as it was.
    studio = Studio(founded.home, tmp_path)
    good = studio.png("good.png")
    path = maker(tmp_path)
    if kind == "empty" and use in {"sidecar", "trust root", "dataset"}:
        code = {"sidecar": "", "trust root": "trust.malformed", "dataset": "file.empty"}[use]
    arguments = [
        str(path) if item == "{}" else str(good) if item == "good.png" else item for item in USES[use]
    ]
    if not code:
        result = studio(*arguments)
        assert (result.code, result.err) == (3, "")
        return
    result = studio.fails(code, *arguments)
    assert path.name in result.err


@contextmanager
def unreadable(path: Path) -> Iterator[None]:
    """Make a file that nobody may read; for root, who may read everything, by refusing the system call."""
    if os.geteuid() != 0:
        path.chmod(0)
        yield
        path.chmod(0o644)
        return
    real = os.open

    def refuse(name: Any, *arguments: Any, **options: Any) -> int:
        if os.fspath(name) == str(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(name, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", refuse)
        yield


@pytest.mark.parametrize("use", ["record", "seal", "verify", "verify offline", "parent"])
def test_unreadable(studio: Studio, use: str) -> None:
    studio.png("good.png")
    path = studio.png("secret.png", 2)
    names = {"{}": str(path), "good.png": str(studio.work / "good.png")}
    before = studio.state()
    with unreadable(path):
        result = studio(*(names.get(item, item) for item in USES[use]))
    assert (result.code, result.error) == (2, "file.unreadable"), result
    assert "Permission denied" in result.err
    assert studio.state() == before


def test_a_file_that_changes_while_it_is_read(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    path = studio.png()
    reads = 0
    real = os.fstat

    def touched(handle: int) -> os.stat_result:
        nonlocal reads
        found = real(handle)
        if found.st_ino == path.stat().st_ino:
            reads += 1
            os.utime(path, ns=(reads, reads))
            found = real(handle)
        return found

    monkeypatch.setattr(os, "fstat", touched)
    result = studio("record", path, *RECORD)
    assert (result.code, result.error) == (2, "file.changed")
    assert studio.size() == 2


@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "mp4", "exr"])
def test_a_file_that_changes_while_it_is_sealed(
    studio: Studio, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program renames a new version into place between the reading and the signing."""
    from ledger.adapters.c2pa_codec import C2paCodec

    path = studio.record(make(kind, studio.work))
    newer = studio.work / "newer"
    newer.write_bytes(path.read_bytes() + b"newer")
    size = studio.size()
    for name in ("seal_file", "seal_digest"):
        monkeypatch.setattr(C2paCodec, name, _first(getattr(C2paCodec, name), path, newer))
    result = studio("seal", path)
    assert (result.code, result.error) == (2, "file.changed"), result
    assert studio.size() == size
    assert [item.name for item in studio.work.iterdir()] == [path.name]
    assert path.read_bytes().endswith(b"newer")


def _first(real: Callable[..., Any], path: Path, newer: Path) -> Callable[..., Any]:
    def swapped(*arguments: Any, **options: Any) -> Any:
        newer.replace(path)
        return real(*arguments, **options)

    return swapped


# --- damaged bytes -----------------------------------------------------------------------------------------

TELLS_AT_RECORD = ["png", "jpg", "webp", "gif", "tif", "mp4", "mov", "avif", "exr", "dpx", "mkv"]
TELLS_TRUNCATED = [*TELLS_AT_RECORD, "wav", "svg"]


@pytest.mark.parametrize("kind", TELLS_TRUNCATED)
def test_truncated_before_sealing(studio: Studio, kind: str) -> None:
    path = make(kind, studio.work)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    if kind in TELLS_AT_RECORD:
        studio.fails("file.malformed", "record", path, *RECORD)
        return
    studio.record(path)
    studio.fails("file.malformed", "seal", path)


@pytest.mark.parametrize("kind", ["png", "tif", "mp4", "exr"])
def test_a_truncated_parent_was_used_all_the_same(studio: Studio, kind: str) -> None:
    parent = make(kind, studio.work, "parent")
    parent.write_bytes(parent.read_bytes()[: parent.stat().st_size * 2 // 3])
    studio.record(studio.png(), "--action", "edit", "--parent", parent)


@pytest.mark.parametrize("kind", [name for name in EMBED if "-" not in name])
def test_truncated_after_sealing_is_never_proven(studio: Studio, kind: str) -> None:
    path = studio.record(make(kind, studio.work))
    studio.ok("seal", path)
    whole = path.read_bytes()
    for share in (0.98, 0.6, 0.2):
        path.write_bytes(whole[: int(len(whole) * share)])
        result = studio.verify(path)
        assert result.code in {1, 3}, (kind, share, result.out)


@pytest.mark.parametrize("kind", ["exr", "dpx", "txt", "safetensors"])
def test_truncated_after_a_sidecar(studio: Studio, kind: str) -> None:
    path = studio.record(make(kind, studio.work))
    studio.ok("seal", path)
    path.write_bytes(path.read_bytes()[:-1])
    result = studio.verify(path)
    assert (result.code, "✕ The bytes are unchanged" in studio("verify", path).out) == (1, True)


@pytest.mark.parametrize("share", [0.999, 0.7, 0.3])
def test_a_damaged_exr_prints_nothing_but_the_report(studio: Studio, share: float) -> None:
    """OpenEXR writes its complaints to standard output."""
    path = studio.record(make("exr", studio.work))
    studio.ok("seal", path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    ran = studio.process("verify", str(path), "--offline", "--json", stdout=subprocess.PIPE)
    assert (ran.returncode, json.loads(ran.stdout)["outcome"]) == (1, "altered")


@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_garbage_under_a_good_name(studio: Studio, kind: str) -> None:
    path = studio.work / f"garbage.{kind}"
    path.write_bytes(b"not a picture at all" * 50)
    studio.record(path)
    studio.fails("file.malformed", "seal", path)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("jpg", "a.png"), ("png", "a.exr"), ("tif", "a.jpg"), ("exr", "a.dpx"), ("mp4", "a.wav")],
)
def test_wrong_extension(studio: Studio, kind: str, name: str, tmp_path: Path) -> None:
    path = make(kind, tmp_path).rename(studio.work / name)
    result = studio.fails("file.wrong-extension", "record", path, *RECORD)
    assert f"is named .{name.partition('.')[2]}, but its bytes are" in result.err


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("jpg", "a.JPEG"),
        ("mp4", "a.mov"),
        ("png", "a"),
        ("png", "a.v001"),
        ("tif", "A.TIFF"),
        ("txt", "a.bin"),
    ],
)
def test_names_that_contradict_nothing(studio: Studio, kind: str, name: str, tmp_path: Path) -> None:
    path = make(kind, tmp_path).rename(studio.work / name)
    studio.record(path)
    studio.ok("seal", path)
    assert studio.verify(path).code == 0


def test_a_material_may_be_named_as_its_maker_liked(studio: Studio, tmp_path: Path) -> None:
    parent = make("jpg", tmp_path).rename(tmp_path / "reference.png")
    studio.record(studio.png(), "--action", "edit", "--parent", parent)


@pytest.mark.parametrize(
    "name", ["line\nbreak.png", "\x1b[2Jclear.png", "\u202egnp.exe.png", b"\xff\xfe.png"]
)
def test_names_that_no_statement_can_carry(studio: Studio, name: str | bytes) -> None:
    path = Path(os.fsdecode(os.fsencode(studio.work) + b"/" + os.fsencode(name)))
    path.write_bytes(picture_bytes("PNG"))
    before = studio.size()
    result = studio("record", path, *RECORD)
    assert result.code == 2, result
    assert result.error in {"statement.field", "json.malformed"}
    assert not set("\x1b\u202e") & set(result.err)
    assert studio.size() == before


@pytest.mark.parametrize("name", ["夜空 (最終).png", "a b'c\"d.png", "-rf.png", "%s.png"])
def test_names_that_are_only_unusual(studio: Studio, name: str) -> None:
    path = studio.png(name)
    studio.record(path)
    studio.ok("seal", path)
    assert studio.verify(path).code == 0


# --- giants ------------------------------------------------------------------------------------------------

LIMITED = """
import resource, sys, time
resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
import ledger.cli
try:
    ledger.cli.main(sys.argv[1:])
except SystemExit as end:
    # Not getrusage: its peak begins with what the parent had.
    status = open("/proc/self/status").read()
    print("peak", status.partition("VmHWM:")[2].split()[0], file=sys.stderr)
    sys.exit(end.code)
"""


def _limited(studio: Studio, megabytes: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    program = LIMITED.format(memory=megabytes << 20)
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=studio.environment(),
    )


@pytest.mark.slow
@pytest.mark.sample
def test_a_giant_with_a_sidecar_needs_little_memory(studio: Studio) -> None:
    path = make("exr", studio.work, "giant")
    with path.open("r+b") as file:
        file.truncate(600 << 20)
    for arguments, megabytes in (
        (("record", path, *RECORD), 200),
        (("seal", path), 200),
        (("verify", path, "--offline"), 200),
    ):
        ran = _limited(studio, 1500, *arguments)
        assert ran.returncode == 0, ran.stderr
        assert int(ran.stderr.rpartition("peak ")[2]) < megabytes * 1024, ran.stderr


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["png", "tif", "wav"])
def test_a_giant_to_embed_is_sealed_or_refused_but_no_bug(studio: Studio, kind: str) -> None:
    path = make(kind, studio.work, "giant")
    with path.open("r+b") as file:
        file.truncate(700 << 20)
    before = snapshot(studio.work)
    ran = _limited(studio, 4000, "record", path, *RECORD)
    assert ran.returncode == 0, ran.stderr
    ran = _limited(studio, 4000, "seal", path)
    assert ran.returncode in {0, 2}, ran.stderr
    if ran.returncode == 2:
        assert snapshot(studio.work) == before


# --- targets -----------------------------------------------------------------------------------------------


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A small file system of its own over a folder; skips where that is not allowed."""
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip("needs the right to mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("kind", ["png", "tif", "exr"])
def test_a_read_only_folder(studio: Studio, kind: str) -> None:
    folder = studio.work / "mount"
    folder.mkdir()
    with mounted(folder, "size=8m"):
        path = studio.record(make(kind, folder))
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        studio.fails("target.not-writable", "seal", path)
        result = studio.fails("target.not-writable", "seal", path, "--out", folder / "below")
        assert "Read-only file system" in result.err


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(bytes(4096))


@pytest.mark.parametrize("kind", ["png", "tif", "exr"])
def test_a_full_disk(studio: Studio, kind: str) -> None:
    folder = studio.work / "mount"
    folder.mkdir()
    with mounted(folder, "size=256k"):
        path = studio.record(make(kind, folder))
        _fill(folder / "ballast")
        studio.fails("target.no-space", "seal", path)
        (folder / "ballast").unlink()
        studio.ok("seal", path)
        assert studio.verify(path).code == 0


@pytest.mark.parametrize("kind", ["png", "tif", "exr"])
def test_a_file_size_limit(studio: Studio, kind: str) -> None:
    """What a full disk looks like without a mount: the limit of ``ulimit -f``."""
    path = studio.record(make(kind, studio.work))
    limit = 3000
    before = studio.state()
    program = f"""
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
import ledger.service.seal, ledger.service.files, ledger.wiring
real = ledger.service.seal._Sealing.write
def write(self, ready):
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
    return real(self, ready)
ledger.service.seal._Sealing.write = write
import ledger.cli
ledger.cli.main(["seal", {str(path)!r}])
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=studio.environment()
    )
    assert (ran.returncode, "[target.no-space]" in ran.stderr) == (2, True), ran.stderr
    assert studio.state() == before


@pytest.mark.parametrize("command", ["seal", "export"])
def test_out_is_a_file(studio: Studio, command: str) -> None:
    path = studio.record(studio.png())
    (studio.work / "taken").write_text("a file")
    studio.fails("target.not-writable", command, path, "--out", studio.work / "taken")


# --- already sealed, or by somebody else -------------------------------------------------------------------


def test_not_recorded(studio: Studio) -> None:
    result = studio.fails("seal.not-recorded", "seal", studio.png())
    assert "rakkan record" in result.err


def test_changed_after_recording(studio: Studio) -> None:
    path = studio.record(studio.png())
    path.write_bytes(path.read_bytes() + b"x")
    studio.fails("seal.not-recorded", "seal", path)


def test_sealed_by_somebody_else_needs_a_record_first(
    studio: Studio, elsewhere: Studio, tmp_path: Path
) -> None:
    foreign = studio.png("foreign.png", 77)
    elsewhere.record(foreign)
    elsewhere.ok("seal", foreign)
    studio.fails("seal.not-recorded", "seal", foreign)


@pytest.mark.parametrize("damage", ["cut", "flipped", "giant"])
def test_a_damaged_inbound_sidecar(studio: Studio, damage: str) -> None:
    path = studio.record(make("exr", studio.work))
    studio.ok("seal", path)
    store = sidecar(path).read_bytes()
    exr_again = studio.work / "again.exr"
    exr_again.write_bytes(path.read_bytes() + b" ")
    bad = {"cut": store[: len(store) // 2], "flipped": b"\xff" + store[1:], "giant": store + bytes(3 << 20)}
    sidecar(exr_again).write_bytes(bad[damage])
    studio.record(exr_again)
    code = "manifest.too-large" if damage == "giant" else "manifest.malformed"
    studio.fails(code, "seal", exr_again)


# --- keys, certificates, clocks ----------------------------------------------------------------------------


def _new_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _key(studio: Studio, name: str) -> Path:
    return studio.home / "keys" / f"{name}.pem"


def test_a_key_that_does_not_match_its_certificate(studio: Studio) -> None:
    paths = [studio.record(make(kind, studio.work)) for kind in ("png", "tif", "exr")]
    _key(studio, "devices/workstation/claim").write_bytes(_new_key())
    for path in paths:
        studio.fails("key.certificate-mismatch", "seal", path)


@pytest.mark.parametrize("kind", ["png", "tif", "exr"])
def test_an_expired_certificate(tmp_path: Path, founded: Studio, kind: str) -> None:
    studio = _founded_at(tmp_path, datetime.now(UTC) - timedelta(days=400))
    path = make(kind, studio.work)
    result = studio("record", path, *RECORD)
    assert (result.code, result.error) == (2, "key.not-valid")
    result = studio("seal", path)
    assert (result.code, result.error) == (2, "key.not-valid")


def test_the_certificate_alone_has_expired(studio: Studio) -> None:
    """The enrolment still holds, but somebody put an old certificate back."""
    from cryptography.hazmat.primitives.serialization import PublicFormat, load_pem_private_key

    from ledger.adapters import pki

    path = studio.record(studio.png())
    home = Home(studio.home, None)
    claim = load_pem_private_key(_key(studio, "devices/workstation/claim").read_bytes(), None)
    spki = claim.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    issuing = pki.parse_authority(
        _key(studio, "issuing").read_bytes(), (studio.home / "certificates/issuing.pem").read_bytes()
    )
    old = datetime.now(UTC) - timedelta(days=30)
    chain = pki.make_leaf(issuing, "Studio Kumo", "workstation", spki, old, timedelta(days=10))
    (home.folder / "certificates/devices/workstation.pem").write_bytes(chain)
    studio.fails("certificate.expired", "seal", path)


@contextmanager
def clock_at(moment: datetime) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger.wiring.SystemClock, "now", lambda _self: moment)
        yield


def _founded_at(folder: Path, moment: datetime) -> Studio:
    from tests.e2e.conftest import found

    with clock_at(moment):
        return found(folder / "past")


def test_a_clock_before_the_enrolment(studio: Studio) -> None:
    recorded, fresh = studio.record(studio.png("a.png")), studio.png("b.png", 2)
    (studio.work / "i.csv").write_text(f"work,sha256,rights_holder\na,{'0' * 64},Mori\n")
    with clock_at(datetime.now(UTC) - timedelta(days=2)):
        for arguments in (
            ("record", fresh, *RECORD),
            ("seal", recorded),
            ("dataset", "add", "plates", studio.work / "i.csv"),
            ("model", "add", "sky", fresh),
        ):
            result = studio.fails("clock.before-enrolment", *arguments)
            assert "clock" in result.err


def test_a_clock_before_the_certificate(studio: Studio) -> None:
    path = studio.record(studio.png())
    document = studio.home / "certificates/devices/workstation.json"
    document.write_text(document.read_text().replace('"validFrom": "20', '"validFrom": "19', 1))
    with clock_at(datetime.now(UTC) - timedelta(days=2)):
        studio.fails("certificate.not-yet-valid", "seal", path)


def test_an_enrolment_that_ended_is_renewed(tmp_path: Path) -> None:
    studio = _founded_at(tmp_path, datetime.now(UTC) - timedelta(days=400))
    path = studio.png()
    studio.fails("key.not-valid", "record", path, *RECORD)
    studio.ok("enrol", "registrar")
    studio.ok("enrol", "workstation")
    studio.ok("record", path, *RECORD)
    studio.ok("seal", path)
    assert studio.verify(path).code == 0


@pytest.mark.parametrize("name", ["devices/workstation/statement", "devices/workstation/claim", "log"])
def test_a_missing_key_file(studio: Studio, name: str) -> None:
    path = studio.record(studio.png())
    _key(studio, name).unlink()
    studio.fails("key.missing", "seal", path)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_key_that_others_can_read(studio: Studio, mode: int) -> None:
    path = studio.record(studio.png())
    _key(studio, "devices/workstation/claim").chmod(mode)
    result = studio.fails("key.permissions", "seal", path)
    assert "chmod 600" in result.err


@pytest.mark.parametrize(
    "content", [b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_key_file_that_is_no_key(studio: Studio, content: bytes) -> None:
    path = studio.record(studio.png())
    _key(studio, "devices/workstation/claim").write_bytes(content)
    studio.fails("key.malformed", "seal", path)


def test_a_passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.e2e.conftest import found

    monkeypatch.setenv("RAKKAN_PASSPHRASE", "correct horse")
    studio = found(tmp_path / "locked")
    path = studio.record(studio.png())
    keys = list((studio.home / "keys").rglob("*.pem"))
    assert keys
    assert all(b"ENCRYPTED" in key.read_bytes() for key in keys)
    for wrong in ("wrong", None):
        if wrong is None:
            monkeypatch.delenv("RAKKAN_PASSPHRASE")
        else:
            monkeypatch.setenv("RAKKAN_PASSPHRASE", wrong)
        result = studio.fails("key.passphrase", "seal", path)
        assert "correct horse" not in result.err
    assert studio.verify(path).code == 3  # offline, no key is asked for
    monkeypatch.setenv("RAKKAN_PASSPHRASE", "correct horse")
    studio.ok("seal", path)
    assert studio.verify(path).code == 0


@pytest.mark.parametrize("command", [("record", "{}", *RECORD), ("seal", "{}")])
def test_a_device_that_nobody_enrolled(studio: Studio, command: tuple[str, ...]) -> None:
    path = studio.png()
    arguments = [str(path) if item == "{}" else item for item in command]
    result = studio.fails("key.missing", *arguments, "--device", "laptop")
    assert "Known: registrar, workstation" in result.err
    studio.fails("key.missing", *arguments, "--device", "../../etc/passwd")


# --- the studio's home -------------------------------------------------------------------------------------

NEED_A_HOME = [
    ("record", "x.png"),
    ("seal", "x.png"),
    ("show", "0"),
    ("export", "0"),
    ("publish",),
    ("rebuild",),
    ("enrol", "laptop"),
    ("init", "--upgrade"),
    ("dataset", "add", "x", "x.csv"),
    ("model", "add", "x", "x.bin"),
]


@pytest.mark.parametrize("arguments", NEED_A_HOME, ids=" ".join)
def test_no_home(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    nobody = Studio(tmp_path / "nowhere", tmp_path)
    result = nobody.fails("home.missing", *arguments)
    assert "rakkan init" in result.err
    assert not (tmp_path / "nowhere").exists()


def test_a_database_of_another_schema(studio: Studio) -> None:
    with sqlite3.connect(studio.home / "ledger.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.close()
    studio.fails("home.schema", "record", studio.png(), *RECORD)
    studio.fails("home.schema", "verify", studio.png())


def test_a_database_that_is_none(studio: Studio) -> None:
    (studio.home / "ledger.sqlite").write_bytes(b"this is no database, but it is long enough to be one" * 40)
    result = studio("record", studio.png(), *RECORD)
    assert (result.code, result.error) == (1, "log.corrupt")


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("studio.json", b"{", "home.malformed"),
        ("studio.json", b"{}", "home.malformed"),
        ("studio.json", b"\xff", "home.malformed"),
        ("trust.json", b"{", "trust.malformed"),
        ("trust.json", b"[]", "trust.malformed"),
    ],
)
def test_a_damaged_home(studio: Studio, name: str, content: bytes, code: str) -> None:
    (studio.home / name).write_bytes(content)
    result = studio.fails(code, "record", studio.png(), *RECORD)
    assert name in result.err


# --- trust roots -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: "{",
        lambda text: "[1, 2]",
        lambda text: "null",
        lambda text: text.replace('"logs"', '"log"'),
        lambda text: text.replace("trust-root/v1", "trust-root/v9"),
        lambda text: text.replace('"registrars": [', '"registrars": ["AAAA",'),
        lambda text: text.replace("+", "*", 1),
        lambda text: text.replace("BEGIN CERTIFICATE", "BEGIN CERTIFICAT"),
        lambda text: text.replace("{", '{"studio": "twice",', 1),
        lambda text: text + "x" * 2_000_000,
    ],
)
def test_a_malformed_trust_root(studio: Studio, change: Callable[[str], str]) -> None:
    path = studio.sealed()
    trust = studio.work / "trust.json"
    trust.write_text(change(studio.trust.read_text()))
    studio.fails("trust.malformed", "verify", path, "--offline", "--trust", trust)


# --- at the same time, and interrupted ---------------------------------------------------------------------


def test_two_processes_record_at_once(studio: Studio) -> None:
    paths = [studio.png(f"{number}.png", number) for number in range(4)]
    command = [sys.executable, "-m", "ledger", "record"]
    running = [
        subprocess.Popen(
            [*command, str(path), *RECORD],
            env=studio.environment(),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for path in paths
    ]
    ended = [(process.communicate(timeout=60), process.returncode) for process in running]
    kept = sum(code == 0 for _, code in ended)
    assert all(code == 0 or "[log.busy]" in err for (_, err), code in ended), ended
    assert kept >= 1
    assert studio.size() == 2 + kept
    studio.ok("rebuild")
    studio.ok("publish")


def test_a_log_that_somebody_holds(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    from ledger.adapters.sql import engine

    monkeypatch.setattr(engine.open_database, "__defaults__", (0.1,))
    holder = sqlite3.connect(studio.home / "ledger.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        result = studio("record", studio.png(), *RECORD)
    finally:
        holder.rollback()
        holder.close()
    assert (result.code, result.error) == (2, "log.busy")
    assert studio.size() == 2


def test_ctrl_c(studio: Studio) -> None:
    path = studio.record(studio.png())
    before = studio.state()
    program = f"""
import signal, sys
import ledger.service.seal as seal
real = seal._log
def log(*_): signal.raise_signal(signal.SIGINT)
seal._log = log
import ledger.cli
ledger.cli.main(["seal", {str(path)!r}])
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=studio.environment()
    )
    assert (ran.returncode, ran.stdout, ran.stderr.strip()) == (130, "", "Stopped.")
    assert studio.state() == before


@pytest.mark.slow
@pytest.mark.sample
def test_killed_at_any_moment(studio: Studio) -> None:
    """Whatever is left: the original or the sealed file, whole; and a log that goes on."""
    path = studio.record(make("tif", studio.work))
    original = path.read_bytes()
    for delay in (0.15, 0.25, 0.3, 0.35, 0.4, 0.5):
        process = subprocess.Popen(
            [sys.executable, "-m", "ledger", "seal", str(path)],
            env=studio.environment(),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if path.read_bytes() != original:
            break
    studio("seal", path)
    assert studio.verify(path).code == 0
    studio.ok("rebuild")


@pytest.mark.parametrize(
    "arguments", [("--help",), ("verify", "{}"), ("verify", "{}", "--json"), ("show", "0")]
)
def test_a_closed_pipe_is_never_taken_for_a_verdict(studio: Studio, arguments: tuple[str, ...]) -> None:
    path = studio.sealed()
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ran = studio.process(
            *(str(path) if item == "{}" else item for item in arguments),
            stdout=writing,
        )
    finally:
        os.close(writing)
    assert (ran.returncode, ran.stderr) == (141, "")


# --- the catalogue -----------------------------------------------------------------------------------------


def test_every_code_of_the_issue_has_its_own_sentence() -> None:
    wanted = (
        "file.unreadable file.malformed file.empty file.not-a-file file.wrong-extension file.changed "
        "seal.already-sealed seal.not-recorded target.not-writable target.no-space key.certificate-mismatch "
        "certificate.expired clock.before-enrolment manifest.malformed trust.malformed key.missing "
        "key.permissions key.passphrase home.missing home.schema log.busy"
    )
    sentences = [CODES[code] for code in wanted.split(" ")]
    assert len(set(sentences)) == len(sentences)


def test_a_manifest_from_an_unknown_signer_is_undecided(studio: Studio, elsewhere: Studio) -> None:
    foreign = studio.png("foreign.png", 78)
    elsewhere.record(foreign)
    elsewhere.ok("seal", foreign)
    result = studio.verify(foreign)
    assert (result.code, checks(result)["signer"], checks(result)["claim"]) == (3, "undecided", "passed")
    assert "signingCredential.untrusted" in codes(result)
