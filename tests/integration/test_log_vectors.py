"""The vectors in `tests/vectors/log`: what the generator still gives, judged by another implementation."""

import base64
import json
from pathlib import Path
from typing import Any

import pymerkle
import pytest

from ledger.core.checkpoint import open_checkpoint
from ledger.core.note import parse_vkey
from ledger.core.receipt import parse_receipt, verify_receipt
from ledger.errors import RakkanError
from tests.vectors.log import generate

FOLDER = Path(generate.__file__).parent
VERIFIER = parse_vkey((FOLDER / "vkey.txt").read_text().strip())
ENTRY = (FOLDER / "entry.txt").read_bytes()
FILES = sorted(path for path in FOLDER.iterdir() if path.suffix in {".tlog-proof", ".checkpoint"})


def accept(path: Path) -> None:
    data = path.read_bytes()
    if path.suffix == ".checkpoint":
        open_checkpoint(data, [VERIFIER])
    else:
        verify_receipt(parse_receipt(data), ENTRY, [VERIFIER])


def test_the_generator_gives_these_files() -> None:
    kept = {
        path.name: path.read_bytes() for path in FOLDER.iterdir() if path.suffix not in {".py", ".pyc", ""}
    }
    assert kept == generate.vectors()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_good_is_accepted_and_bad_is_not(path: Path) -> None:
    if path.name.startswith("good"):
        accept(path)
    else:
        with pytest.raises(RakkanError):
            accept(path)


def test_pymerkle_agrees_on_the_roots() -> None:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    tree.append_entries([f"vector {number}".encode() for number in range(300)])
    roots = json.loads((FOLDER / "trees.json").read_text())["roots"]
    assert roots == {size: tree.get_root(int(size)).hex() for size in roots}


def test_aics_agrees_on_checkpoints_proofs_and_tiles() -> None:
    aics: Any = pytest.importorskip("aics_tlog", reason="asks for Python 3.12; see locks/judges.txt")
    key = aics.parse_vkey((FOLDER / "vkey.txt").read_text().strip())
    trees = json.loads((FOLDER / "trees.json").read_text())
    roots = {int(size): bytes.fromhex(digest) for size, digest in trees["roots"].items()}
    for path in FOLDER.glob("good*.checkpoint"):
        result = aics.verify_checkpoint(
            aics.parse_note(path.read_bytes()), key, expected_origin=generate.ORIGIN
        )
        assert (result.ok, result.size, result.root) == (True, 300, roots[300])
    receipt = parse_receipt((FOLDER / "good.tlog-proof").read_bytes())
    assert aics.verify_leaf_inclusion(ENTRY, receipt.index, 300, list(receipt.proof), roots[300])
    for case in trees["consistency"]:
        if case["old"] in roots:
            proof = [bytes.fromhex(item) for item in case["proof"]]
            assert aics.verify_consistency(
                case["old"], case["new"], roots[case["old"]], roots[case["new"]], proof
            )
    reader = Tiles(json.loads((FOLDER / "tiles.json").read_text()), aics)
    assert aics.tree_root_from_tiles(reader, 300) == roots[300]
    assert aics.read_entry(reader, 77, 300) == ENTRY


class Tiles:
    """The tiles of `tiles.json`, as aics-tlog asks for them."""

    def __init__(self, files: dict[str, str], aics: Any) -> None:
        self._files = {path: base64.b64decode(data) for path, data in files.items()}
        self._aics = aics

    def read_tile(self, level: int, index: int, width: int | None) -> bytes | None:
        return self._files.get(self._aics.tiles.tile_path(level, index, width))

    def read_entry_bundle(self, index: int, width: int | None) -> bytes | None:
        return self._files.get(self._aics.tiles.entry_bundle_path(index, width))
