"""The forger at work on an evidence bundle: no byte, no part, and no whole of another passes for this one."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from ledger.core import canonical
from ledger.core.audit.bundle import (
    CHECKPOINT,
    DOCUMENT,
    ENTRIES,
    MANIFEST,
    POLICY,
    PROOF,
    README,
    SIGNATURE,
    STORES,
    TRUST,
    payload,
)
from ledger.core.envelope import sign
from ledger.errors import MalformedError
from ledger.testing import SeedSigner
from ledger.verifier import verify as verifying
from ledger.verifier.archive import Archive
from ledger.verifier.outcome import Outcome
from tests.e2e.conftest import Studio, copied, elsewhere, founded, shot_once
from tests.support.bundles import exit_code, forged, judged, opened, said
from tests.support.cleared import policy

__all__ = ["elsewhere", "founded", "shot_once"]

REPORT = ("report", "--production", "nightfall")


@pytest.fixture(scope="module")
def place(shot_once: Studio, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle, one of an hour later, one for the public, and the trust root."""
    studio = copied(shot_once, tmp_path_factory.mktemp("place"))
    for name, view in (("bundle", "studio"), ("public", "public")):
        studio.ok(*REPORT, *policy(studio), "--view", view, "--out", studio.work / name)
    studio.record(studio.png("another.png", 77))
    assert studio(*REPORT, *policy(studio), "--out", studio.work / "later").code == 4  # it has no licence
    (studio.work / "trust.json").write_bytes(studio.trust.read_bytes())
    return studio.work


@pytest.fixture(scope="module")
def trust(place: Path) -> bytes:
    return (place / "trust.json").read_bytes()


@pytest.fixture(scope="module")
def good(place: Path) -> bytes:
    return (place / "bundle" / "bundle.zip").read_bytes()


@pytest.fixture(scope="module")
def small(good: bytes) -> bytes:
    """The same bundle without what is drawn from the report. The signature is of the list of the other."""
    files = opened(good)
    without = ("tables/", "report.html", "report.pdf", "report.xlsx", "report.spdx", "report.cdx", STORES)
    return forged({name: data for name, data in files.items() if not name.startswith(without)})


def test_the_good_one_is_proven(good: bytes, trust: bytes) -> None:
    assert judged(good, trust).exit_code == 0


def flips(data: bytes, places: range, look: Callable[[bytes], Outcome]) -> list[int]:
    """Return where a flipped bit is not found, or is found without the name of its file."""
    files = opened(data)
    missed = []
    for at in places:
        bad = bytearray(data)
        bad[at] ^= 1 << random.Random(at).randrange(8)
        try:
            outcome = look(bytes(bad))
        except MalformedError as error:
            found = error.code == "bundle.malformed"
        else:
            found = outcome.exit_code == 1 and any(name in said(outcome) for name in files)
        if not found:
            missed.append(at)
    return missed


def test_a_flipped_byte_is_found_and_named_here_and_there(good: bytes, trust: bytes) -> None:
    assert flips(good, range(0, len(good), len(good) // 60), lambda bad: judged(bad, trust)) == []


def first_check(data: bytes) -> Outcome:
    """The check that finds every change of a byte: what comes after it need not run for each of them."""
    outcome = Outcome()
    archive = Archive(BytesIO(data))
    outcome.run("files", "", lambda check: verifying._files(archive, check))
    return outcome


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(16))
def test_a_flipped_byte_is_found_and_named_anywhere(small: bytes, chunk: int) -> None:
    assert flips(small, range(chunk, len(small), 16), first_check) == []


def test_every_byte_outside_of_the_files_counts(small: bytes, trust: bytes) -> None:
    """Headers, directory and end: a tenth of the whole, and what zip programs look at the least."""
    inside = Archive(BytesIO(small)).members.values()
    bodies = {at for item in inside for at in range(item.start, item.stop)}
    outside = [at for at in range(len(small)) if at not in bodies]
    assert len(outside) > 1000
    for at in outside[::7]:
        assert flips(small, range(at, at + 1), lambda bad: judged(bad, trust)) == []


@pytest.mark.parametrize("cut", [1, 21, 22, 100, 1000, 100_000])
def test_a_bundle_that_was_cut_short_is_none(good: bytes, trust: bytes, cut: int) -> None:
    for bad in (good[:-cut], good[cut:], good[:cut]):
        assert exit_code(bad, trust) == 2


def changed_report(files: dict[str, bytes]) -> dict[str, bytes]:
    """Another verdict on every frame, shot and basis."""
    document = json.loads(files[DOCUMENT])
    for table in document["tables"].values():
        for row in table["rows"]:
            row[:] = ["blocked" if cell == "cleared" else cell for cell in row]
    return {**files, DOCUMENT: json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()}


def changed_step(files: dict[str, bytes]) -> dict[str, bytes]:
    """An entry with another payload under the signature that it had."""
    from ledger.core.audit.bundle import Line, format_line, read_line
    from ledger.core.encoding import decode_base64, encode_base64
    from ledger.core.merkle import leaf_hash

    lines = [read_line(line) for line in files[ENTRIES].splitlines(keepends=True)]
    last = lines[-1]
    assert last.envelope is not None
    envelope = json.loads(last.envelope)
    statement = decode_base64(envelope["payload"])
    assert statement is not None
    envelope["payload"] = encode_base64(statement.replace(b"1001", b"1002"))
    data = canonical.encode(envelope)
    lines[-1] = Line(last.index, leaf_hash(data), data)
    return {**files, ENTRIES: b"".join(map(format_line, lines))}


def withheld_step(files: dict[str, bytes]) -> dict[str, bytes]:
    """An entry that is said to be withheld."""
    lines = files[ENTRIES].splitlines(keepends=True)
    index, leaf, _ = lines[-1].split(b" ", 2)
    return {**files, ENTRIES: b"".join([*lines[:-1], b"%s %s -\n" % (index, leaf)])}


def fewer_entries(files: dict[str, bytes]) -> dict[str, bytes]:
    lines = files[ENTRIES].splitlines(keepends=True)
    return {**files, ENTRIES: b"".join(lines[:-1])}


def swapped_entries(files: dict[str, bytes]) -> dict[str, bytes]:
    lines = files[ENTRIES].splitlines(keepends=True)
    return {**files, ENTRIES: b"".join([*lines[:-2], lines[-1], lines[-2]])}


FORGERIES: dict[str, Callable[[dict[str, bytes]], dict[str, bytes]]] = {
    "another verdict": changed_report,
    "another step": changed_step,
    "a step less": fewer_entries,
    "a step withheld": withheld_step,
    "two steps in another order": swapped_entries,
    "a file less": lambda files: {name: data for name, data in files.items() if name != POLICY},
    "a file more": lambda files: {**files, f"{STORES}{'0' * 64}.c2pa": b"a store"},
    "another readme": lambda files: {**files, README: files[README] + b"All is well.\n"},
    "another proof": lambda files: {**files, PROOF: files[PROOF] + bytes(32)},
    "another table": lambda files: {**files, "tables/frames.csv": b"row,shot\r\n"},
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_what_is_put_together_again_is_not_what_the_registrar_signed(
    good: bytes, trust: bytes, forgery: str
) -> None:
    outcome = judged(forged(FORGERIES[forgery](opened(good))), trust)
    assert outcome.exit_code == 1
    found = {check.key for check in outcome.checks if check.result == "failed"}
    assert found & {"signature", "entries"}  # without the entries there is nobody to ask about signatures


def test_without_a_signature_nobody_vouches_for_the_whole(good: bytes, trust: bytes) -> None:
    outcome = judged(forged({**opened(good), SIGNATURE: None}), trust)
    assert outcome.exit_code == 3
    assert "bundle.unsigned" in said(outcome)


def test_another_key_s_signature_vouches_for_nothing(good: bytes, trust: bytes) -> None:
    files = opened(forged(FORGERIES["another readme"](opened(good))))
    identifier = canonical.decode(files[MANIFEST])["report"]
    files[SIGNATURE] = sign(payload(files[MANIFEST], identifier), SeedSigner("forger"))
    outcome = judged(forged(files), trust)
    assert outcome.exit_code == 3
    assert "key.unknown" in said(outcome)


def test_another_trust_root_in_it_is_not_looked_at(good: bytes, trust: bytes, elsewhere: Studio) -> None:
    files = {**opened(good), TRUST: elsewhere.trust.read_bytes()}
    assert judged(forged(files), trust).exit_code == 1


@pytest.mark.parametrize("part", [CHECKPOINT, ENTRIES, DOCUMENT, SIGNATURE])
def test_no_part_of_another_bundle_of_the_studio_passes(
    place: Path, good: bytes, trust: bytes, part: str
) -> None:
    later = opened((place / "later" / "bundle.zip").read_bytes())
    assert judged(stored_again({**opened(good), part: later[part]}), trust).exit_code == 1
    assert judged(forged({**opened(good), part: later[part]}), trust).exit_code == 1


def stored_again(files: dict[str, bytes]) -> bytes:
    from ledger.adapters.bundles import stored

    return stored(files.items())


def test_the_public_s_bundle_passes_for_no_other(place: Path, trust: bytes) -> None:
    files = opened((place / "public" / "bundle.zip").read_bytes())
    document = files[DOCUMENT].replace(b'"view":"public"', b'"view":"studio"', 1)
    manifest = files[MANIFEST].replace(b'"view":"public"', b'"view":"studio"', 1)
    assert judged(forged({**files, DOCUMENT: document, MANIFEST: manifest}), trust).exit_code == 1


def test_a_verdict_that_is_no_entry_is_found(good: bytes, trust: bytes) -> None:
    files = opened(good)
    document = json.loads(files["verdicts.svr.json"])
    document["envelopes"].append({"payload": "AAAA", "payloadType": "x", "signatures": []})
    outcome = judged(forged({**files, "verdicts.svr.json": json.dumps(document).encode()}), trust)
    assert "verdicts.svr.json was altered: it holds a verdict" in said(outcome)
