"""What the codec refuses, under which code, and what is on disk then."""

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import FileIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ledger.adapters import pki
from ledger.adapters.c2pa_codec import C2paCodec, files
from ledger.core.containers import jpeg, png
from ledger.core.manifest import ClaimCredential
from ledger.errors import RakkanError, UndecidedError
from ledger.ports import Anchors
from tests.support import media
from tests.support.sealing import FixedClock, credential, key_pem, plan, spki, stranger, workshop

DIGEST = "ab" * 32
GOOD = workshop().credential
OTHER = credential(workshop().issuing)
RSA = rsa.generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
LATER = datetime.now(UTC) + timedelta(days=2 * 366)
EARLIER = datetime.now(UTC) - timedelta(days=1)

CREDENTIALS = {
    "another key": (replace(GOOD, key_pem=OTHER.key_pem), None, "key.certificate-mismatch"),
    "an expired certificate": (GOOD, LATER, "certificate.expired"),
    "a certificate of the future": (GOOD, EARLIER, "certificate.not-yet-valid"),
    "no key": (replace(GOOD, key_pem=b""), None, "key.malformed"),
    "no certificate": (replace(GOOD, chain_pem=b""), None, "key.malformed"),
    "another kind of key": (replace(GOOD, key_pem=RSA), None, "key.malformed"),
    "an authority's certificate": (
        ClaimCredential(workshop().issuing.key_pem(), workshop().issuing.chain_pem),
        None,
        "seal.sign",
    ),
}


@pytest.mark.parametrize(("bad", "now", "code"), CREDENTIALS.values(), ids=CREDENTIALS.keys())
def test_credentials(bad: ClaimCredential, now: datetime | None, code: str, tmp_path: Path) -> None:
    codec = workshop().codec if now is None else C2paCodec(FixedClock(now), workshop().anchors)
    source = media.make("png", tmp_path, "source")
    with pytest.raises(RakkanError) as caught:
        codec.seal_file(plan(), source, tmp_path / "sealed.png", bad)
    assert caught.value.code == code
    assert not (tmp_path / "sealed.png").exists()
    with pytest.raises(RakkanError) as caught:
        codec.seal_digest(plan(), DIGEST, bad)
    assert caught.value.code == code


def test_the_message_shows_no_key(tmp_path: Path) -> None:
    with pytest.raises(RakkanError) as caught:
        workshop().codec.seal_digest(plan(), DIGEST, replace(GOOD, key_pem=OTHER.key_pem))
    assert "PRIVATE" not in str(caught.value) + str(caught.value.evidence) + repr(GOOD)


# --- files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["media_type", "store", "read", "seal_file"])
def test_a_source_that_is_no_file(method: str, tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "loop.png").symlink_to("loop.png")
    os.mkfifo(tmp_path / "pipe.png")
    shop = workshop()
    calls: dict[str, Callable[[Path], object]] = {
        "media_type": shop.codec.media_type,
        "store": shop.codec.store,
        "read": lambda path: shop.codec.read(path, None, shop.anchors),
        "seal_file": lambda path: shop.codec.seal_file(plan(), path, tmp_path / "out.png", GOOD),
    }
    for name, code in (
        ("nothing.png", "file.missing"),
        ("empty.png", "file.empty"),
        (".", "file.not-a-file"),
        ("loop.png", "file.not-a-file"),
        ("pipe.png", "file.not-a-file"),
    ):
        with pytest.raises(RakkanError) as caught:
            calls[method](tmp_path / name)
        assert caught.value.code == code
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("name", ["png", "tif"])
def test_a_target_that_is_there_is_left_alone(name: str, tmp_path: Path) -> None:
    source = media.make(name, tmp_path, "source")
    (tmp_path / "taken").write_bytes(b"somebody's work")
    with pytest.raises(RakkanError) as caught:
        workshop().codec.seal_file(plan(), source, tmp_path / "taken", GOOD)
    assert caught.value.code == "target.exists"
    assert (tmp_path / "taken").read_bytes() == b"somebody's work"


@pytest.mark.parametrize("name", ["png", "tif"])
def test_a_folder_that_is_not_there(name: str, tmp_path: Path) -> None:
    source = media.make(name, tmp_path, "source")
    with pytest.raises(RakkanError) as caught:
        workshop().codec.seal_file(plan(), source, tmp_path / "no" / "folder", GOOD)
    assert caught.value.code == "target.not-writable"


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    source = media.make("png", tmp_path, "source")
    full = Path("/dev/full")
    if not full.exists() or not stat.S_ISCHR(full.stat().st_mode):
        pytest.skip("no /dev/full here")

    def fill() -> None:
        with files.target(tmp_path / "sealed") as out:
            with full.open("r+b", buffering=0) as device:
                os.dup2(device.fileno(), out.fileno())
            files.write(out, (source.read_bytes(),))

    with pytest.raises(RakkanError) as caught:
        fill()
    assert caught.value.code == "target.no-space"
    assert not (tmp_path / "sealed").exists()


@pytest.mark.parametrize("name", ["png", "tif"])
def test_a_file_that_changes_meanwhile(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = media.make(name, tmp_path, "source")
    real = files.write

    def slow(out: FileIO, parts: Sequence[files.Part]) -> None:
        with source.open("ab") as file:
            file.write(b"more")
        real(out, parts)

    monkeypatch.setattr(files, "write", slow)
    with pytest.raises(RakkanError) as caught:
        workshop().codec.seal_file(plan(), source, tmp_path / "sealed", GOOD)
    assert caught.value.code == "file.changed"
    assert not (tmp_path / "sealed").exists()


# --- stores -------------------------------------------------------------------------------------------------


def read(path: Path, sidecar: bytes | None = None) -> str:
    """The code that reading this raises."""
    with pytest.raises(RakkanError) as caught:
        workshop().codec.read(path, sidecar, workshop().anchors)
    return caught.value.code


def many_assertions(count: int) -> bytes:
    from ledger.core.containers import jumbf

    limit, jumbf.MAX_ASSERTIONS = jumbf.MAX_ASSERTIONS, 10**6
    try:
        extra = {f"org.rakkan.n{number}": {"n": number} for number in range(count)}
        return workshop().codec.seal_digest(plan(assertions=extra), DIGEST, GOOD)
    finally:
        jumbf.MAX_ASSERTIONS = limit


def test_a_store_fuller_or_larger_than_any_real_one(tmp_path: Path) -> None:
    plain = media.make("png", tmp_path)
    full = many_assertions(600)
    huge = (3 * 2**20).to_bytes(
        4, "big"
    ) + b"jumb\x00\x00\x00\x26jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71\x03c2pa\x00"
    huge += bytes(3 * 2**20 - len(huge))
    for store in (full, huge):
        assert read(plain, store) == "manifest.too-large"
        for name, module in (("png", png), ("jpg", jpeg)):
            path = media.make(name, tmp_path)
            layout = module.layout(path.read_bytes())
            head, tail = layout.split(path.read_bytes())
            path.write_bytes(b"".join([*head, layout.frame(store), *tail]))
            assert read(path) == "manifest.too-large"
            with pytest.raises(RakkanError):
                workshop().codec.seal_file(plan(), path, tmp_path / "sealed", GOOD)
            assert not (tmp_path / "sealed").exists()
        path = media.make("wav", tmp_path)
        path.write_bytes(path.read_bytes() + b"C2PA" + len(store).to_bytes(4, "little") + store)
        assert read(path) == "manifest.too-large"


def test_a_store_that_promises_more_than_the_file_has(tmp_path: Path) -> None:
    path = media.make("wav", tmp_path)
    head = b"\xff\xff\xff\xf0jumb\x00\x00\x00\x26jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
    path.write_bytes(path.read_bytes() + b"C2PA" + len(head).to_bytes(4, "little") + head)
    assert read(path) == "manifest.too-large"


@pytest.mark.parametrize("store", [b"x", bytes(100), b"\x00\x00\x00\x08jumb", b"{}"])
def test_a_sidecar_that_is_none(store: bytes, tmp_path: Path) -> None:
    assert read(media.make("txt", tmp_path), store) == "manifest.malformed"


def test_an_empty_sidecar_is_damaged_and_not_absent(tmp_path: Path) -> None:
    assert read(media.make("txt", tmp_path), b"") == "manifest.malformed"


@pytest.mark.parametrize("name", ["png", "jpg"])
def test_two_stores(name: str, tmp_path: Path) -> None:
    source = media.make(name, tmp_path, "source")
    store = workshop().codec.seal_file(plan(), source, tmp_path / "one", GOOD).store
    framed = png.frame(store) if name == "png" else jpeg.frame(store, instance=77)
    data = (tmp_path / "one").read_bytes()
    at = 33 if name == "png" else jpeg.layout(data).removed[-1][1]
    twice = tmp_path / f"twice.{name}"
    twice.write_bytes(data[:at] + framed + data[at:])
    assert read(twice) == "manifest.malformed"


def test_a_manifest_that_lies_elsewhere_is_never_fetched(tmp_path: Path) -> None:
    import http.server
    import io
    import threading

    from c2pa import Builder

    from ledger.adapters.c2pa_codec import library

    asked: list[str] = []

    class Listening(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Listening)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/a.c2pa"
        definition = {
            "claim_generator_info": [{"name": "elsewhere", "version": "1"}],
            "title": "x",
            "assertions": [],
        }
        source = media.make("jpg", tmp_path, "source")
        out = io.BytesIO()
        with Builder(definition, context=library._signing_context()) as builder:
            builder.set_remote_url(url)
            builder.set_no_embed()
            builder.sign(
                library.identity(GOOD, None).signer, "image/jpeg", io.BytesIO(source.read_bytes()), out
            )
        path = tmp_path / "remote.jpg"
        path.write_bytes(out.getvalue())
        with pytest.raises(UndecidedError) as caught:
            workshop().codec.read(path, None, workshop().anchors)
        assert (caught.value.code, caught.value.evidence["remote_url"]) == ("verify.no-manifest", url)
        assert workshop().codec.store(path) is None
        sealed = workshop().codec.seal_file(plan("image/jpeg"), path, tmp_path / "sealed.jpg", GOOD)
        assert sealed.bound_sha256 is not None
        assert url.encode() in (tmp_path / "sealed.jpg").read_bytes()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert asked == []


# --- trust --------------------------------------------------------------------------------------------------


def test_anchors_decide() -> None:
    shop, other = workshop(), stranger()
    path = Path(__file__)
    from hashlib import sha256

    store = shop.codec.seal_digest(plan(), sha256(path.read_bytes()).hexdigest(), GOOD)
    for anchors, state in (
        (shop.anchors, "Trusted"),
        (other.anchors, "Valid"),
        (Anchors("", ""), "Valid"),
        (Anchors("", shop.anchors.timestamp_pem), "Valid"),
        (Anchors(other.anchors.manifest_pem + shop.anchors.manifest_pem, ""), "Trusted"),
    ):
        reading = shop.codec.read(path, store, anchors)
        assert reading is not None
        untrusted = "signingCredential.untrusted" in {finding.code for finding in reading.failure}
        assert (reading.state, untrusted, reading.trust_list is not None) == (
            state,
            state != "Trusted",
            state == "Trusted",
        )


def test_the_list_is_named_the_same_every_time() -> None:
    from ledger.adapters.c2pa_codec import library

    shop, path = workshop(), Path(__file__)
    store = shop.codec.seal_digest(plan(), DIGEST, GOOD)
    names = set()
    for _ in range(20):
        library._reading_context.cache_clear()
        reading = shop.codec.read(path, store, shop.anchors)
        assert reading is not None
        names.add(reading.trust_list)
    assert names == {"urn:rakkan:trust:manifest"}


def test_a_time_stamp_certificate_cannot_vouch_for_claims() -> None:
    shop = workshop()
    forged = ClaimCredential(shop.tsa.key_pem(), shop.tsa.chain_pem)
    store = shop.codec.seal_digest(plan(), DIGEST, forged)
    reading = shop.codec.read(Path(__file__), store, shop.anchors)
    assert reading is not None
    assert "signingCredential.untrusted" in {finding.code for finding in reading.failure}
    assert "signingCredential.trusted" not in {finding.code for finding in reading.success}
    assert reading.trust_list is None


@pytest.mark.parametrize(
    "pem", ["no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "x" * 2**21]
)
def test_damaged_anchors(pem: str, tmp_path: Path) -> None:
    path = media.make("png", tmp_path)
    with pytest.raises(RakkanError) as caught:
        workshop().codec.read(path, None, Anchors(pem, ""))
    assert caught.value.code == "trust.malformed"


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()]
)
def test_the_signer_is_read_from_the_certificate(key: ec.EllipticCurvePrivateKey, tmp_path: Path) -> None:
    from hashlib import sha256

    from cryptography import x509

    shop = workshop()
    chain = pki.make_leaf(shop.issuing, "Studio Lantern", "ink-02", spki(key), datetime.now(UTC))
    leaf = x509.load_pem_x509_certificates(chain)[0]
    source = media.make("tif", tmp_path, "source")
    shop.codec.seal_file(plan(), source, tmp_path / "sealed.tif", ClaimCredential(key_pem(key), chain))
    reading = shop.codec.read(tmp_path / "sealed.tif", None, shop.anchors)
    assert reading is not None
    signer = reading.active_manifest.signer
    assert signer is not None
    assert (signer.common_name, signer.organization) == ("ink-02", "Studio Lantern")
    assert signer.certificate_sha256 == sha256(leaf.public_bytes(Encoding.DER)).hexdigest()
    assert signer.serial == str(leaf.serial_number)
    assert (signer.not_before, signer.not_after) == (leaf.not_valid_before_utc, leaf.not_valid_after_utc)
    assert signer.ekus == ("1.3.6.1.4.1.62558.2.1", "1.3.6.1.5.5.7.3.4")


def test_the_sidecar_counts_where_there_are_two(tmp_path: Path) -> None:
    from hashlib import sha256

    shop = workshop()
    source = media.make("png", tmp_path, "source")
    shop.codec.seal_file(plan(), source, tmp_path / "sealed.png", GOOD)
    digest = sha256((tmp_path / "sealed.png").read_bytes()).hexdigest()
    store = shop.codec.seal_digest(plan(), digest, GOOD)
    reading = shop.codec.read(tmp_path / "sealed.png", store, shop.anchors)
    assert reading is not None
    assert (reading.state, reading.embedded, reading.active_manifest.bound_sha256) == (
        "Trusted",
        False,
        digest,
    )


SNIFFED = {
    b"\x89PNG\r\n\x1a\n" + bytes(20): "image/png",
    b"\xff\xd8\xff\xe0": "image/jpeg",
    b"RIFF\x00\x00\x00\x00WAVEfmt ": "audio/wav",
    b"RIFF\x00\x00\x00\x00WEBPVP8 ": "image/webp",
    b"RIFF\x00\x00\x00\x00????": "application/octet-stream",
    b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00avifmif1": "image/avif",
    b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00heicmif1": "image/heic",
    b"\x00\x00\x00\x14ftypmif1\x00\x00\x00\x00mif1": "image/heif",
    b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  ": "video/quicktime",
    b"\x00\x00\x00\x14ftypisom\x00\x00\x00\x00isom": "video/mp4",
    b"\x00\x00\x00\x08wide\x00\x00\x00\x08mdat": "video/quicktime",
    b"\xff\xfb\x90\x00": "audio/mpeg",
    b"FORM\x00\x00\x00\x00AIFF": "audio/aiff",
    b"FORM\x00\x00\x00\x00ILBM": "image/png",
    b"BM\x00\x00\x00\x00\x00\x00\x00\x00": "image/bmp",
    b"BMW drives past": "image/png",
    b"<?xml version='1.0'?>\n<!-- x --><svg/>": "image/svg+xml",
    b"<html>": "image/png",
    b"anything at all": "image/png",
}


@pytest.mark.parametrize(("head", "media_type"), SNIFFED.items(), ids=[repr(head[:24]) for head in SNIFFED])
def test_the_first_bytes_count_and_then_the_name(head: bytes, media_type: str, tmp_path: Path) -> None:
    (tmp_path / "a.PNG").write_bytes(head)
    assert workshop().codec.media_type(tmp_path / "a.PNG") == media_type
    (tmp_path / "a").write_bytes(b"anything at all")
    assert workshop().codec.media_type(tmp_path / "a") == "application/octet-stream"
