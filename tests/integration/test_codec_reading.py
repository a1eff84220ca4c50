"""What a reading says of bindings that leave out too much, of sidecars, and of old ingredient assertions."""

import json
import tracemalloc
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from ledger.adapters.c2pa_codec import detached, library, onepass
from ledger.adapters.c2pa_codec.definition import data_hash
from ledger.adapters.c2pa_codec.locate import WALKS
from ledger.adapters.c2pa_codec.reading import _ingredient
from ledger.core.manifest import Reading
from tests.support import media
from tests.support.sealing import plan, stranger, workshop

BINDING = "assertion.dataHash.match"
SIZES = {"one segment": 0, "one segment, nearly two": 54_000, "several segments": 300_000}


def codes(reading: Reading, kind: str) -> set[str]:
    return {finding.code for finding in getattr(reading, kind)}


def read(path: Path, sidecar: bytes | None = None) -> Reading:
    reading = workshop().codec.read(path, sidecar, workshop().anchors)
    assert reading is not None
    return reading


def sealed_loosely(name: str, folder: Path, size: int, before: int, behind: int) -> Path:
    """Seal a file whose data hash leaves out so many bytes ``before`` and ``behind`` the manifest, too."""
    shop, media_type = workshop(), media.FORMATS[name][0]
    data = media.make(name, folder, "source").read_bytes()
    layout = WALKS[media_type](data)
    head, tail = (b"".join(pieces) for pieces in layout.split(data))
    manifest, inputs = shop.codec._prepare(plan(media_type, assertions={"org.rakkan.test": "x" * size}), None)
    assertions = manifest["assertions"]
    bound = sha256(head[: len(head) - before] + tail[behind:]).digest()

    def sign(_digest: bytes, exclusion: tuple[int, int]) -> bytes:
        loose = (exclusion[0] - before, before + exclusion[1] + behind)
        manifest["assertions"] = [*assertions, data_hash(bound, loose)]
        return library.sign_store(manifest, inputs, shop.credential, None)

    path = folder / f"loose.{name}"
    path.write_bytes(b"".join(onepass.seal(data, layout, sign, onepass.Lengths(), "loose").parts))
    return path


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("name", ["png", "jpg"])
def test_a_binding_that_leaves_out_the_manifest_alone_has_a_hash(
    name: str, size: int, tmp_path: Path
) -> None:
    reading = read(sealed_loosely(name, tmp_path, size, 0, 0))
    original = (tmp_path / f"source.{name}").read_bytes()
    assert reading.active_manifest.bound_sha256 == sha256(original).hexdigest()


@pytest.mark.parametrize(("before", "behind"), [(0, 1), (0, 15), (1, 0), (0, 400)])
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("name", ["png", "jpg"])
def test_one_that_leaves_out_more_has_none(
    name: str, size: int, before: int, behind: int, tmp_path: Path
) -> None:
    reading = read(sealed_loosely(name, tmp_path, size, before, behind))
    assert BINDING in codes(reading, "success")  # the library is content
    assert reading.active_manifest.bound_sha256 is None


@pytest.mark.parametrize("name", ["tif", "wav", "webp"])
def test_the_librarys_own_bindings_have_a_hash(name: str, tmp_path: Path) -> None:
    shop, source = workshop(), media.make(name, tmp_path, "source")
    target = tmp_path / f"sealed.{name}"
    shop.codec.seal_file(plan(media.FORMATS[name][0]), source, target, shop.credential)
    assert read(target).active_manifest.bound_sha256 is not None


# --- sidecars ----------------------------------------------------------------------------------------------


def seen_by_the_library(path: Path, store: bytes, monkeypatch: pytest.MonkeyPatch) -> Reading:
    with monkeypatch.context() as patch:
        patch.setattr(detached, "_plain_binding", lambda _: None)
        return read(path, store)


Change = Callable[[bytes, bytes], tuple[bytes, bytes]]
CHANGES: dict[str, Change] = {
    "nothing": lambda asset, store: (asset, store),
    "the asset": lambda asset, store: (asset[:-1] + bytes([asset[-1] ^ 1]), store),
    "an assertion": lambda asset, store: (asset, store.replace(b"allActionsIncluded", b"allActionsInclude!")),
    "both": lambda asset, store: (asset + b"x", store.replace(b"allActionsIncluded", b"allActionsInclude!")),
}


@pytest.mark.parametrize("known", [True, False], ids=["ours", "a stranger's"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["exr", "txt", "png", "mp4"])
def test_a_sidecar_is_read_as_the_library_reads_it(
    name: str, change: str, known: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = workshop() if known else stranger()
    path = media.make(name, tmp_path)
    store = shop.codec.seal_digest(plan(), sha256(path.read_bytes()).hexdigest(), shop.credential)
    asset, store = CHANGES[change](path.read_bytes(), store)
    path.write_bytes(asset)
    ours, theirs = read(path, store), seen_by_the_library(path, store, monkeypatch)
    for kind in ("success", "informational", "failure"):
        assert codes(ours, kind) == codes(theirs, kind)
    assert (ours.state, ours.embedded, ours.trust_list) == (theirs.state, False, theirs.trust_list)
    assert ours.manifests == theirs.manifests
    assert (BINDING in codes(ours, "success")) is (change in {"nothing", "an assertion"})


def test_a_sidecar_whose_binding_leaves_something_out_is_the_librarys(tmp_path: Path) -> None:
    shop, path = workshop(), media.make("txt", tmp_path)
    manifest, inputs = shop.codec._prepare(plan(), None)
    data = path.read_bytes()
    manifest["assertions"].append(data_hash(sha256(data[5:]).digest(), (0, 5)))
    store = library.sign_store(manifest, inputs, shop.credential, None)
    reading = read(path, store)
    assert BINDING in codes(reading, "success")
    assert reading.active_manifest.bound_sha256 is None


def test_a_sidecar_of_a_large_file_takes_little_memory(tmp_path: Path) -> None:
    shop, path = workshop(), tmp_path / "giant.exr"
    path.write_bytes(b"\x76\x2f\x31\x01")
    with path.open("r+b") as file:
        file.truncate(64 << 20)
    store = shop.codec.seal_digest(plan(), sha256(path.read_bytes()).hexdigest(), shop.credential)
    tracemalloc.start()
    try:
        assert read(path, store).state == "Trusted"
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


# --- ingredient assertions of version 1 and 2 --------------------------------------------------------------

FLAT: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "all went well": ([{"code": "claimSignature.validated"}, {"code": BINDING}], []),
    "a failure without a word": (
        [{"code": "assertion.dataHash.mismatch"}, {"code": "claimSignature.validated"}],
        ["assertion.dataHash.mismatch"],
    ),
    "a failure that calls itself a success": (
        [{"code": "claimSignature.mismatch", "success": True}],
        ["claimSignature.mismatch"],
    ),
    "a success that calls itself a failure": ([{"code": BINDING, "success": False}], [BINDING]),
    "an untrusted signer": ([{"code": "signingCredential.untrusted"}], ["signingCredential.untrusted"]),
    "a code that nobody knows": ([{"code": "com.example.matched"}], ["com.example.matched"]),
    "all that succeeds": (
        [
            {"code": code}
            for code in (
                "claimSignature.insideValidity",
                "signingCredential.trusted",
                "timeStamp.validated",
                "assertion.accessible",
                "signingCredential.ocsp.notRevoked",
            )
        ],
        [],
    ),
    "nothing": ([], []),
}


@pytest.mark.parametrize("name", FLAT)
@pytest.mark.parametrize("version", [1, 2])
def test_flat_validation_lists(version: int, name: str) -> None:
    status, failures = FLAT[name]
    value = {
        "dc:title": "parent.jpg",
        "dc:format": "image/jpeg",
        "instanceID": "xmp:iid:1",
        "relationship": "parentOf",
        "c2pa_manifest": {"url": f"self#jumbf=/c2pa/urn:uuid:{version}", "hash": "AA=="},
        "validationStatus": status,
    }
    facts = _ingredient(json.loads(json.dumps(value)))
    assert [finding.code for finding in facts.failures] == failures
    assert (facts.validated, facts.manifest) == (True, f"urn:uuid:{version}")
