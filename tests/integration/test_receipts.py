"""Receipts for other people, from a log with cosigned checkpoints: which one they lead to, and when not."""

import json
from pathlib import Path

import pytest

from ledger.adapters.sql.checkpoints import SqlCheckpointStore
from ledger.core.checkpoint import parse_checkpoint, sign_checkpoint
from ledger.core.cose_receipt import parse_cose_receipt, verify_cose_consistency, verify_cose_inclusion
from ledger.core.encoding import decode_base64
from ledger.core.merkle import EMPTY_ROOT, leaf_hash
from ledger.core.note import NoteSigner, sign_note
from ledger.core.receipt import Receipt, format_receipt, parse_receipt, verify_receipt
from ledger.core.sigstore_bundle import format_bundle
from ledger.errors import MalformedError, RakkanError, UndecidedError
from ledger.service.log.receipts import cose_consistency, cose_inclusion, held, receipt, signed, tree
from ledger.service.log.sequence import Log
from ledger.testing import MemoryCheckpointStore, SeedSigner
from tests.support.builders import DEVICE, envelope, step
from tests.support.log import KEY, ORIGIN, engine_of, entries, new_log, sqlite_log, tree_hash

WITNESS = NoteSigner("witness.example/mori", SeedSigner("witness"))
OWN = NoteSigner(ORIGIN, KEY)
ENTRIES = entries(20)


@pytest.fixture
def log() -> Log:
    """A log of 20 entries, appended 5 at a time."""
    made = new_log()
    for at in range(0, 20, 5):
        made.append(ENTRIES[at : at + 5])
    return made


def cosigned(log: Log, *sizes: int) -> MemoryCheckpointStore:
    """Return the store that a publisher left: cosigned checkpoints of these sizes."""
    store = MemoryCheckpointStore()
    for size in sizes:
        store.put(size, sign_checkpoint(ORIGIN, size, tree(log, size).root, [OWN, WITNESS]))
    return store


def refused(call: object, *arguments: object) -> str:
    assert callable(call)
    with pytest.raises(RakkanError) as error:
        call(*arguments)
    return error.value.code


@pytest.mark.parametrize(("index", "size"), [(0, 6), (5, 6), (6, 15), (14, 15), (15, 20), (19, 20)])
def test_a_receipt_leads_to_the_first_cosigned_checkpoint_that_covers_it(
    log: Log, index: int, size: int
) -> None:
    found = receipt(log, cosigned(log, 6, 15), index)
    stated = verify_receipt(found, ENTRIES[index], [log.verifier, WITNESS.verifier])
    assert stated.size == size
    assert (b"witness.example/mori" in found.checkpoint) == (size < 20)
    assert parse_receipt(format_receipt(found)) == found


def test_every_size_and_index_has_its_receipt(log: Log) -> None:
    for size in range(1, 21):
        store = cosigned(log, size)
        for index in range(size):
            assert verify_receipt(receipt(log, store, index), ENTRIES[index], [log.verifier]).size == size


def test_a_cosigned_checkpoint_in_the_database_is_taken(tmp_path: Path) -> None:
    with sqlite_log(tmp_path) as log:
        log.append(ENTRIES)
        store = SqlCheckpointStore(engine_of(log), ORIGIN)
        store.put(7, sign_checkpoint(ORIGIN, 7, tree(log, 7).root, [OWN, WITNESS]))
        assert verify_receipt(receipt(log, store, 3), ENTRIES[3], [log.verifier]).size == 7


def test_a_cosigned_checkpoint_of_another_tree_is_a_fork(log: Log) -> None:
    store = MemoryCheckpointStore()
    store.put(6, sign_checkpoint(ORIGIN, 6, bytes(32), [OWN, WITNESS]))
    assert refused(receipt, log, store, 0) == "log.conflict"


def test_a_checkpoint_ahead_of_the_database_is_a_rollback(log: Log) -> None:
    store = MemoryCheckpointStore()
    store.put(21, sign_checkpoint(ORIGIN, 21, bytes(32), [OWN, WITNESS]))
    assert refused(receipt, log, store, 0) == "log.rollback"
    with pytest.raises(UndecidedError):
        held(
            log,
            sign_checkpoint(
                "ledger.example/second", 5, bytes(32), [NoteSigner("ledger.example/second", KEY)]
            ),
        )


def test_there_is_no_receipt_for_what_is_not_there(log: Log) -> None:
    assert refused(receipt, log, cosigned(log, 6), 20) == "log.no-such-entry"
    assert refused(receipt, log, cosigned(log, 6), -1) == "log.no-such-entry"
    assert refused(tree, log, 21) == "log.no-such-entry"
    assert refused(receipt, new_log(), MemoryCheckpointStore(), 0) == "log.empty"


def test_the_log_had_each_of_its_trees(log: Log) -> None:
    leaves = [leaf_hash(entry) for entry in ENTRIES]
    assert [tree(log, size).root for size in range(21)] == [tree_hash(leaves[:size]) for size in range(21)]
    assert tree(log, 0).root == EMPTY_ROOT


def test_a_signed_checkpoint_is_the_kept_one_or_the_present_one(log: Log) -> None:
    store = cosigned(log, 6)
    assert signed(log, store, 6) == store.covering(6)
    assert signed(log, store, 20) == log.head().checkpoint
    assert refused(signed, log, store, 5) == "checkpoint.missing"


@pytest.mark.parametrize("sizes", [(), (6,)])
def test_a_cose_receipt_leads_where_the_receipt_leads(log: Log, sizes: tuple[int, ...]) -> None:
    found = receipt(log, cosigned(log, *sizes), 3)
    root = verify_cose_inclusion(parse_cose_receipt(cose_inclusion(log, found)), ENTRIES[3], [log.verifier])
    assert root == parse_checkpoint(found.checkpoint).root


def test_a_cose_receipt_is_never_signed_over_a_root_that_the_log_has_not(log: Log) -> None:
    other = new_log()
    other.append(entries(20, "other"))
    assert refused(cose_inclusion, log, other.receipt(3)) == "log.conflict"
    longer = new_log()
    longer.append([*ENTRIES, b"one more"])
    assert refused(cose_inclusion, log, longer.receipt(3)) == "log.rollback"
    stranger = sign_checkpoint(ORIGIN, 20, tree(log, 20).root, [NoteSigner(ORIGIN, SeedSigner("stranger"))])
    assert refused(cose_inclusion, log, Receipt(3, log.receipt(3).proof, stranger)) == "key.unknown"


@pytest.mark.parametrize(("old", "new"), [(1, 20), (5, 6), (16, 20), (20, 20), (0, 7)])
def test_consistency_between_any_two_sizes(log: Log, old: int, new: int) -> None:
    found = parse_cose_receipt(cose_consistency(log, old, new))
    verify_cose_consistency(found, tree(log, old), tree(log, new), [log.verifier])


def test_a_bundle_holds_what_the_receipt_holds() -> None:
    log, entry = new_log(), envelope(step(), DEVICE)
    log.append([*ENTRIES, entry])
    found = log.receipt(20)
    bundle = json.loads(format_bundle(entry, found))
    (made,) = bundle["verificationMaterial"]["tlogEntries"]
    assert bundle["dsseEnvelope"] == json.loads(entry)
    assert decode_base64(made["canonicalizedBody"]) == entry
    proof = made["inclusionProof"]
    again = Receipt(
        int(made["logIndex"]),
        tuple(decode_base64(item) or b"" for item in proof["hashes"]),
        proof["checkpoint"]["envelope"].encode(),
    )
    assert again == found
    assert (proof["logIndex"], proof["treeSize"]) == ("20", "21")
    assert decode_base64(proof["rootHash"]) == tree(log, 21).root
    assert decode_base64(made["logId"]["keyId"]) == log.verifier.key_id


def test_a_bundle_of_two_signatures_shows_the_first_and_keeps_both() -> None:
    """Sigstore allows one in a bundle."""
    log, entry = new_log(), envelope(step(), DEVICE, KEY)
    log.append([entry])
    bundle = json.loads(format_bundle(entry, log.receipt(0)))
    assert [item["keyid"] for item in bundle["dsseEnvelope"]["signatures"]] == [DEVICE.keyid]
    assert decode_base64(bundle["verificationMaterial"]["tlogEntries"][0]["canonicalizedBody"]) == entry


def test_a_bundle_needs_the_log_s_own_signature() -> None:
    log, entry = new_log(), envelope(step(), DEVICE)
    log.append([entry])
    text, _, _ = log.head().checkpoint.partition(b"\n\n")
    alone = sign_note(text.decode() + "\n", [WITNESS])
    with pytest.raises(MalformedError) as error:
        format_bundle(entry, Receipt(0, (), alone))
    assert error.value.code == "checkpoint.origin"
