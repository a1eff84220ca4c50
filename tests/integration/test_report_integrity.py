"""What a report says of witnesses, of devices' own chains and of keys, with real ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger.core.audit import Report
from ledger.core.cosignature import CosignatureSigner
from ledger.core.note import Note, format_note, parse_note
from ledger.core.predicates.capture import Capture, Event, Layer
from ledger.core.statement import Statement
from ledger.service.report.beside import Beside
from ledger.service.report.report import make
from ledger.service.studio import Studio
from ledger.testing import MemoryEntryStore, SeedSigner
from ledger.testing.bases import MemoryBasisStore
from tests.support.bare_studio import opened, say, studio_on
from tests.support.bases import file, made
from tests.support.builders import DEVICE, USED, digest, enrolment
from tests.support.reported import asked
from tests.support.stated import step_v2
from tests.support.witness import cosigner_key, policy_of

SEEN = 1_780_000_000
"""When the witnesses cosign: 2026-05-28 20:26:40 UTC."""
W1, W2 = cosigner_key("w1"), cosigner_key("w2")


@pytest.fixture
def studio() -> Studio:
    entries = MemoryEntryStore()
    found = opened(studio_on(entries, MemoryBasisStore(entries)))
    say(found, made("frame.png"))
    return found


def reported(studio: Studio, beside: Beside | None = None) -> Report:
    return make(studio, *asked(studio), beside or Beside()).report


def check(report: Report, name: str) -> tuple[str, int, int, str]:
    """Return result, looked, failed and the words of a check."""
    (row,) = [row for row in report.tables["checks"].shown if row[0] == name]
    return row[1], row[2], row[3], row[4]


def cosign(studio: Studio, *witnesses: CosignatureSigner, spoilt: bool = False) -> None:
    """Have the newest checkpoint cosigned, and keep it."""
    head = studio.log.head()
    note = parse_note(head.checkpoint)
    lines = [witness.cosign(note.text, SEEN) for witness in witnesses]
    if spoilt:
        last = lines[-1]
        lines[-1] = replace(last, signature=last.signature[:-1] + bytes([last.signature[-1] ^ 1]))
    studio.checkpoints.put(head.size, format_note(Note(note.text, (*note.signatures, *lines))))


def signatures(report: Report) -> list[tuple[Any, ...]]:
    """Return size, signer, role, when and result of each signature."""
    return [(row[1], *row[3:]) for row in report.tables["checkpoints"].shown]


def test_a_quorum_over_every_entry_passes_and_each_witness_has_its_row(studio: Studio) -> None:
    cosign(studio, W1, W2)
    report = reported(studio, Beside(policy_of("all", W1, W2)))
    assert check(report, "witnesses")[:3] == ("passed", 2, 0)
    assert signatures(report) == [
        (3, studio.log.origin, "log", None, "passed"),
        (3, "witness.example/w1", "witness", "2026-05-28T20:26:40Z", "passed"),
        (3, "witness.example/w2", "witness", "2026-05-28T20:26:40Z", "passed"),
    ]


def test_below_the_quorum_or_before_the_newest_entry_is_undecided(studio: Studio) -> None:
    cosign(studio, W1)
    result, _, failed, words = check(reported(studio, Beside(policy_of("all", W1, W2))), "witnesses")
    assert (result, failed) == ("undecided", 0)
    assert "Not by w2" in words
    say(studio, made("other.png"))
    result, _, _, words = check(reported(studio, Beside(policy_of("any", W1, W2))), "witnesses")
    assert result == "undecided"
    assert "1 entries are newer" in words


def test_a_witness_that_no_policy_names_is_unknown_and_not_wrong(studio: Studio) -> None:
    cosign(studio, W1)
    report = reported(studio)
    assert check(report, "witnesses")[0] == "undecided"
    assert (3, "witness.example/w1", "unknown", None, "undecided") in signatures(report)


def test_a_wrong_cosignature_fails_and_is_in_its_row(studio: Studio) -> None:
    cosign(studio, W1, W2, spoilt=True)
    report = reported(studio, Beside(policy_of("any", W1, W2)))
    assert check(report, "witnesses")[0] == "failed"
    assert [row[-1] for row in signatures(report)] == ["passed", "passed", "failed"]


def captured(studio: Studio, word: str, sequence: int, previous: str | None) -> str:
    """Record a file as the device's own record of this number; return the record's digest."""
    capture = Capture(
        sequence=sequence,
        previous=previous,
        layer=Layer.DECLARE,
        hook="hand 1",
        event=Event.SAVE,
        captured=USED,
    )
    step = step_v2(
        capture=capture, step_id=f"018f-{word}", service=None, plan_tier=None, people=(), materials=()
    )
    index = say(studio, Statement((file(word),), step), DEVICE)
    return digest(str(index))


def test_a_record_that_was_never_told_is_undecided_and_counted_with_its_device(studio: Studio) -> None:
    previous = captured(studio, "a.png", 0, None)
    captured(studio, "c.png", 2, previous)
    report = reported(studio)
    result, looked, failed, words = check(report, "devices")
    assert (result, looked, failed) == ("undecided", 1, 0)
    assert words.startswith("1 records were never told")
    devices = report.tables["devices"]
    assert dict(zip(devices.column("device"), devices.column("gaps"), strict=True)) == {
        "registrar": None,
        "ws-01": 1,
    }


def test_a_device_that_tells_two_histories_fails(studio: Studio) -> None:
    captured(studio, "a.png", 0, None)
    captured(studio, "b.png", 0, None)
    assert check(reported(studio), "devices")[:3] == ("failed", 1, 1)


def test_a_chain_without_gaps_passes(studio: Studio) -> None:
    previous = captured(studio, "a.png", 0, None)
    captured(studio, "b.png", 1, previous)
    assert check(reported(studio), "devices")[:3] == ("passed", 1, 0)


def test_an_entry_whose_key_the_log_does_not_explain_is_undecided(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = SeedSigner("stranger")
    say(studio, enrolment(stranger, device="ws-09"))
    index = say(studio, made("late.png"), stranger)
    rows = studio.bases.links

    def forgetting(*asked: Any, **more: Any) -> Any:
        return [row for row in rows(*asked, **more) if row.sha256 != stranger.keyid]

    monkeypatch.setattr(studio.bases, "links", forgetting)
    report = reported(studio)
    assert check(report, "entries")[:3] == ("undecided", 4, 0)
    (row,) = [row for row in report.tables["checks"].shown if row[0] == "open-entries"]
    assert row[5] == (index,)
    assert "key.unknown" in row[4]
    (device,) = [row for row in report.tables["devices"].shown if row[0] == stranger.keyid]
    assert device[1:4] == (None, "unknown", 1)
    assert digest("late.png") in report.tables["frames"].column("sha256")
