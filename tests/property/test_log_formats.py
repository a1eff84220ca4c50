"""Each text format reads back what it wrote, and whatever else it reads, it would write the same."""

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.core import checkpoint, note, receipt, tiles
from ledger.errors import MalformedError, RakkanError
from ledger.testing import SeedSigner
from tests.support.log import ORIGIN, entries, new_log

SIGNERS = [note.NoteSigner(name, SeedSigner(name)) for name in (ORIGIN, "witness.example/東京")]
VERIFIERS = [signer.verifier for signer in SIGNERS]
LOG = new_log()
RECEIPT = receipt.format_receipt(LOG.append(entries(300))[77].receipt)
CHECKPOINT = checkpoint.sign_checkpoint(ORIGIN, 1234, bytes(range(32)), SIGNERS)
BUNDLE = tiles.encode_bundle([b"first", b"", b"third"])

TEXTS = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]) | st.just("\n")).map(
    lambda t: t + "\n"
)
ORIGINS = st.text(
    st.characters(min_codepoint=33, exclude_categories=["Cs", "Z", "Cc"], exclude_characters="+"), min_size=1
)
HASHES = st.binary(min_size=32, max_size=32)


@given(text=TEXTS, signers=st.lists(st.sampled_from(SIGNERS), min_size=1, max_size=3))
def test_a_note_reads_back(text: str, signers: list[note.NoteSigner]) -> None:
    data = note.sign_note(text, signers)
    parsed = note.parse_note(data)
    assert (parsed.text, note.format_note(parsed)) == (text, data)
    assert note.open_note(data, VERIFIERS)[0] == text


@given(origin=ORIGINS, size=st.integers(1, checkpoint.MAX_SIZE), root=HASHES)
def test_a_checkpoint_reads_back(origin: str, size: int, root: bytes) -> None:
    signer = note.NoteSigner(origin, SeedSigner("any"))
    data = checkpoint.sign_checkpoint(origin, size, root, [signer])
    opened = checkpoint.open_checkpoint(data, [signer.verifier])
    assert opened == checkpoint.Checkpoint(origin, size, root)
    assert checkpoint.format_body(opened) == note.parse_note(data).text


@given(origin=ORIGINS, seed=st.text(max_size=5))
def test_a_vkey_reads_back(origin: str, seed: str) -> None:
    verifier = note.NoteSigner(origin, SeedSigner(seed)).verifier
    assert note.parse_vkey(verifier.vkey) == verifier


@given(index=st.integers(0, checkpoint.MAX_SIZE), proof=st.lists(HASHES, max_size=63).map(tuple))
def test_a_receipt_reads_back(index: int, proof: tuple[bytes, ...]) -> None:
    value = receipt.Receipt(index, proof, CHECKPOINT)
    assert receipt.parse_receipt(receipt.format_receipt(value)) == value


@given(found=st.lists(st.binary(max_size=300), min_size=1, max_size=256).map(tuple))
def test_a_bundle_reads_back(found: tuple[bytes, ...]) -> None:
    assert tiles.decode_bundle(tiles.encode_bundle(found)) == found


@given(
    level=st.integers(0, 63),
    index=st.integers(0, 2**63 - 1),
    width=st.integers(1, 256),
    entries=st.booleans(),
)
def test_a_path_reads_back(level: int, index: int, width: int, entries: bool) -> None:
    tile = tiles.Tile(0 if entries else level, index, width)
    path = tile.bundle_path if entries else tile.path
    assert tiles.parse_path(path) == tiles.TilePath(tile, entries)


def read_note(data: bytes) -> bytes:
    return note.format_note(note.parse_note(data))


def read_receipt(data: bytes) -> bytes:
    return receipt.format_receipt(receipt.parse_receipt(data))


def read_body(data: bytes) -> bytes:
    parsed = checkpoint.parse_body(data.decode(errors="surrogateescape"))
    return checkpoint.format_body(parsed).encode(errors="surrogateescape")


def read_vkey(data: bytes) -> bytes:
    return note.parse_vkey(data.decode(errors="surrogateescape")).vkey.encode()


def read_bundle(data: bytes) -> bytes:
    return tiles.encode_bundle(tiles.decode_bundle(data))


def read_path(data: bytes) -> bytes:
    found = tiles.parse_path(data.decode(errors="surrogateescape"))
    return (found.tile.bundle_path if found.entries else found.tile.path).encode()


FORMATS: dict[str, tuple[Callable[[bytes], bytes], bytes]] = {
    "note": (read_note, CHECKPOINT),
    "receipt": (read_receipt, RECEIPT),
    "checkpoint": (read_body, note.parse_note(CHECKPOINT).text.encode()),
    "vkey": (read_vkey, VERIFIERS[1].vkey.encode()),
    "bundle": (read_bundle, BUNDLE),
    "path": (read_path, b"tile/0/x001/x234/067.p/89"),
}


def mutants(data: bytes) -> st.SearchStrategy[bytes]:
    """Draw the data with a few bytes replaced, removed, repeated or put in between."""
    piece = st.sampled_from(
        [b"\n", b" ", b"=", b"0", b"+", b"/", b"A", b"B", b"\r", b"\0", "—".encode()]
    ) | st.binary(max_size=3)
    edit = st.tuples(st.integers(0, len(data)), st.integers(0, 3), piece)
    return st.lists(edit, min_size=1, max_size=3).map(lambda edits: _edited(data, edits))


def _edited(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for at, removed, put in edits:
        data = data[:at] + put + data[at + removed :]
    return data


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.data())
def test_what_is_read_would_be_written_the_same(name: str, data: st.DataObject) -> None:
    read, good = FORMATS[name]
    assert read(good) == good
    mutant = data.draw(mutants(good))
    try:
        written = read(mutant)
    except MalformedError:
        return
    assert written == mutant


@given(mutant=mutants(RECEIPT))
@example(mutant=RECEIPT + b"\n")
def test_a_changed_receipt_never_verifies(mutant: bytes) -> None:
    """But for added lines by unknown keys, which mean nothing."""
    if mutant == RECEIPT:
        return
    try:
        parsed = receipt.parse_receipt(mutant)
        receipt.verify_receipt(parsed, b"entry 77", [LOG.verifier])
    except RakkanError:
        return
    kept = note.parse_note(parsed.checkpoint)
    assert kept.text == note.parse_note(receipt.parse_receipt(RECEIPT).checkpoint).text
    assert parsed.index == 77
