"""Manifest stores that are damaged, too large or elsewhere: refused, and never fetched."""

from pathlib import Path

import pytest

from ledger.core.containers import jpeg, png
from ledger.errors import RakkanError, UndecidedError
from tests.support import media
from tests.support.codec import DIGEST, GOOD
from tests.support.sealing import plan, workshop


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
