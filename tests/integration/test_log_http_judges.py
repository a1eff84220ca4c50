"""What strangers say of a log that they read over HTTP while it grows, and our own monitor with them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import scitt_cose

from ledger.core.checkpoint import Checkpoint, open_checkpoint
from ledger.core.merkle import EMPTY_ROOT, verify_consistency
from ledger.core.receipt import parse_receipt, verify_receipt
from ledger.service.log.monitor_entries import read_entries
from ledger.wiring.outside import open_monitor
from tests.integration.test_log_judges import WHY
from tests.integration.test_receipt_judges import pem
from tests.support.log import KEY, ORIGIN, entries
from tests.support.log_server import LogServer, log_server

SIZES = [1, 2, 255, 256, 257, 700, 65_535, 65_536, 65_537, 65_800]
MADE = entries(SIZES[-1])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LogServer]:
    with log_server(tmp_path) as opened:
        yield opened


@pytest.fixture
def aics() -> Any:
    return pytest.importorskip("aics_tlog", reason=WHY)


def grow(server: LogServer, size: int) -> None:
    """Bring the log to this size, as fast as it goes."""
    for first in range(server.log.store.head().size, size, 1000):
        server.log.append(MADE[first : min(first + 1000, size)])


def stated(server: LogServer) -> Checkpoint:
    return open_checkpoint(server.ok("checkpoint"), server.log.verifiers)


def test_aics_and_scitt_cose_follow_a_growing_log(server: LogServer, aics: Any, tmp_path: Path) -> None:
    """At each size: checkpoint, tree, inclusion and consistency, by three programs that share no code."""
    key = aics.parse_vkey(server.log.verifier.vkey)
    reader = aics.HttpTileReader(server.url, tmp_path / "cache", proxies={})
    roots = {0: EMPTY_ROOT}
    for size in SIZES:
        grow(server, size)
        result = aics.verify_checkpoint(aics.parse_note(server.ok("checkpoint")), key, expected_origin=ORIGIN)
        assert (result.ok, result.size) == (True, size)
        root = roots[size] = result.root
        verified = aics.VerifiedTileReader(reader, size, root)
        assert aics.tree_root_from_tiles(verified, size) == root
        for old, old_root in roots.items():
            lines = server.ok(f"consistency?old={old}&new={size}").decode().splitlines()
            proof = [base64.b64decode(line) for line in lines]
            assert aics.verify_consistency(old, size, old_root, root, proof)
            verify_consistency(old, size, proof, old_root, root)
        for index in sorted({0, size // 2, size - 1}):
            assert aics.read_entry(verified, index, size) == MADE[index]
            receipt = parse_receipt(server.ok(f"entries/{index}/receipt"))
            assert verify_receipt(receipt, MADE[index], server.log.verifiers).size == size
            assert aics.verify_leaf_inclusion(MADE[index], index, size, list(receipt.proof), root)
            judged = scitt_cose.verify_receipt(
                server.ok(f"entries/{index}/receipt", Accept="application/cose"),
                leaf_entry_hex=MADE[index].hex(),
                log_public_key_pem=pem(KEY),
            )
            assert (judged.ok, judged.leaf_index, judged.tree_size) == (True, index, size), judged.errors
            assert judged.root == root.hex()


def test_aics_audits_every_entry_over_http(server: LogServer, aics: Any) -> None:
    grow(server, 700)
    reader = aics.HttpTileReader(server.url, proxies={})
    report = aics.audit_tiles(reader, 700, stated(server).root)
    assert (report.size, report.bundles) == (700, 3)


def test_the_tiles_of_every_checkpoint_stay(server: LogServer, aics: Any) -> None:
    """A client that was away reads the tree of its old checkpoint: also partial tiles that filled since."""
    roots = {}
    for size in (1, 2, 255, 256, 257, 300):
        grow(server, size)
        roots[size] = stated(server).root
    grow(server, 1000)
    reader = aics.HttpTileReader(server.url, proxies={})
    for size, root in roots.items():
        assert aics.tree_root_from_tiles(reader, size) == root
        assert aics.read_entry(reader, size - 1, size) == MADE[size - 1]


@pytest.mark.slow
def test_our_monitor_follows_it_and_reads_every_entry(server: LogServer, tmp_path: Path) -> None:
    monitor = open_monitor(server.url, tmp_path / "seen", [server.log.verifier.vkey], None)
    for number, size in enumerate(SIZES[:7]):
        grow(server, size)
        sighting = monitor.look()
        assert (sighting.finding, sighting.seen.size) == ("grown" if number else "first", size)
        assert sighting.unproven == 0
    assert read_entries(monitor.log, monitor.state, sighting.newest, lambda: False) == SIZES[6]
    assert monitor.look().finding == "same"
