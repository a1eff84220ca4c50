"""What strangers say of our log: two independent implementations read what we wrote.

Neither is ours and neither shares code with us: pymerkle has its own tree, aics-tlog its own C2SP reader.
"""

from pathlib import Path
from typing import Any

import pymerkle
import pytest

from ledger.adapters.files import DirectoryPublication as DirectoryState
from ledger.core import merkle
from ledger.core.receipt import format_receipt
from ledger.core.tiles import TileNodes, grow
from ledger.service.log.publish import publish
from ledger.service.log.sequence import Log
from tests.support.log import ORIGIN, entries, new_log, publication, sqlite_log
from tests.support.witness import Direct, cosigner_key, new_witness, policy_of, witnessing

SIZES = [1, 2, 3, 7, 8, 255, 256, 257, 511, 600]
WHY = "aics-tlog asks for Python 3.12; it is installed with --ignore-requires-python (locks/judges.txt)"


@pytest.fixture(scope="module")
def aics() -> Any:
    return pytest.importorskip("aics_tlog", reason=WHY)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[int, bytes], list[bytes], Log]:
    """Return a published folder that grew through `SIZES`, its checkpoints, entries, and the log."""
    folder = tmp_path_factory.mktemp("log")
    receipts = []
    checkpoints: dict[int, bytes] = {}
    with sqlite_log(folder) as log:
        for size in SIZES:
            receipts = [format_receipt(found.receipt) for found in log.append(entries(size))]
            checkpoints[size] = publish(log, publication(folder)).checkpoint
    (folder / "public" / "checkpoint").read_bytes()
    memory = new_log()
    memory.append(entries(SIZES[-1]))
    assert [format_receipt(memory.receipt(index)) for index in (0, 599)] == [receipts[0], receipts[599]]
    return folder / "public", checkpoints, entries(SIZES[-1]), memory


def test_pymerkle_builds_the_same_trees() -> None:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    peaks: merkle.Peaks = ()
    for size, entry in enumerate(entries(300)):
        tree.append_entry(entry)
        peaks = merkle.extend(size, peaks, [merkle.leaf_hash(entry)])
        assert tree.get_root() == merkle.root(peaks)


@pytest.mark.parametrize("size", [1, 2, 7, 8, 100, 256, 257, 300])
def test_pymerkle_proves_with_the_same_hashes(size: int) -> None:
    """Its proofs also hold the leaf itself, and are ordered from left to right."""
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    tree.append_entries(entries(size))
    leaves = [merkle.leaf_hash(entry) for entry in entries(size)]
    stored = grow(0, lambda tile: b"", leaves)
    nodes = TileNodes(size, lambda tile: stored[tile.level, tile.index])
    for index, proof in enumerate(merkle.inclusion_proofs(0, size, size, nodes)):
        theirs = tree.prove_inclusion(index + 1, size)
        pymerkle.verify_inclusion(leaves[index], tree.get_root(), theirs)
        assert sorted(theirs.path) == sorted([leaves[index], *proof])


def test_aics_accepts_every_checkpoint(aics: Any, published: Any) -> None:
    _, checkpoints, _, log = published
    key = aics.parse_vkey(log.verifier.vkey)
    for size, data in checkpoints.items():
        result = aics.verify_checkpoint(aics.parse_note(data), key, expected_origin=ORIGIN)
        assert (result.ok, result.size, result.error) == (True, size, None)


def test_aics_reads_the_published_folder(aics: Any, published: Any) -> None:
    folder, checkpoints, found, _ = published
    reader = aics.FileSystemTileReader(folder)
    for size, data in checkpoints.items():
        checkpoint = aics.parse_checkpoint(aics.parse_note(data).text)
        assert aics.tree_root_from_tiles(reader, size) == checkpoint.root
        for index in {0, size // 2, size - 1}:
            assert aics.read_entry(reader, index, size) == found[index]


def test_aics_accepts_every_inclusion_proof(aics: Any, published: Any) -> None:
    folder, checkpoints, found, log = published
    root = aics.parse_checkpoint(aics.parse_note(checkpoints[600]).text).root
    reader = aics.FileSystemTileReader(folder)
    for index in range(600):
        proof = list(log.receipt(index).proof)
        assert aics.verify_leaf_inclusion(found[index], index, 600, proof, root)
        assert not aics.verify_leaf_inclusion(found[index - 1], index, 600, proof, root)
        assert aics.inclusion_proof_from_tiles(reader, index, 600) == proof


def test_aics_accepts_every_consistency_proof(aics: Any, published: Any) -> None:
    folder, checkpoints, _, log = published
    roots = {
        size: aics.parse_checkpoint(aics.parse_note(data).text).root for size, data in checkpoints.items()
    }
    reader = aics.FileSystemTileReader(folder)
    for old in SIZES:
        for new in [size for size in SIZES if size >= old]:
            proof = list(log.consistency(old, new))
            assert aics.verify_consistency(old, new, roots[old], roots[new], proof)
            assert aics.consistency_proof_from_tiles(reader, old, new, tile_size=600) == proof
    assert aics.verify_consistency(0, 600, merkle.EMPTY_ROOT, roots[600], list(log.consistency(0, 600)))


def test_aics_does_not_accept_everything(aics: Any, published: Any) -> None:
    _, checkpoints, _, log = published
    key = aics.parse_vkey(log.verifier.vkey)
    changed = checkpoints[600].replace(b"\n600\n", b"\n601\n")
    assert not aics.verify_checkpoint(aics.parse_note(changed), key, expected_origin=ORIGIN).ok


def test_aics_audits_the_published_log_with_its_witness_quorum(aics: Any, tmp_path: Path) -> None:
    """Two of three witnesses answer: aics-tlog takes a quorum of two of them and not of three."""
    names = ("a", "b", "c")
    keys = [cosigner_key(name) for name in names]
    with sqlite_log(tmp_path) as log:
        for size in SIZES:
            log.append(entries(size))
            asked = [Direct(name, new_witness(name, DirectoryState(tmp_path / name))) for name in names[:2]]
            done = publish(log, publication(tmp_path), witnessing=witnessing(policy_of("2", *keys), *asked))
        assert done.quorum is not None
        assert done.quorum.missing == ("c",)
        log_key = aics.parse_vkey(log.verifier.vkey)
    note = aics.parse_note((tmp_path / "public" / "checkpoint").read_bytes())
    theirs = tuple(aics.parse_vkey(key.verifier.vkey) for key in keys)
    result = aics.verify_checkpoint(
        note, log_key, policy=aics.WitnessPolicy(2, theirs), expected_origin=ORIGIN
    )
    assert (result.ok, result.size, sorted(result.witnesses)) == (True, 600, [key.name for key in keys[:2]])
    report = aics.audit_tiles(aics.FileSystemTileReader(tmp_path / "public"), result.size, result.root)
    assert (report.size, report.bundles) == (600, 3)
    assert not aics.verify_checkpoint(note, log_key, policy=aics.WitnessPolicy(3, theirs)).ok
