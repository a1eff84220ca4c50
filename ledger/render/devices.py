"""What the log knows of its devices' chains, as lines for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ledger.service.capture.devices import DeviceChain


def devices_page(found: Sequence[DeviceChain]) -> Iterator[str]:
    """Yield the lines."""
    if not found:
        yield "No device has recorded anything by itself yet: rakkan agent install."
    for chain in found:
        records = "1 record" if chain.records == 1 else f"{chain.records} records"
        mark = "✓" if chain.sound else "✕"
        yield f"{mark} {chain.device} ({chain.keyid[:16]}): {records}, newest {chain.captured}"
        yield from (f"    {line}" for line in _faults(chain))


def _faults(chain: DeviceChain) -> Iterator[str]:
    for first, last in chain.missing:
        numbers = f"number {first}" if first == last else f"numbers {first} to {last}"
        yield f"missing: {numbers}. Not sent yet, or taken away: rakkan doctor on the device tells."
    for number in chain.forks:
        yield f"told twice: number {number}. A copied key, or a lost folder: end the key and enrol anew."
    for index in chain.broken:
        yield f"out of joint: entry {index} does not name the record before it. Look at both."
    for index in chain.lost:
        yield f"lost on the device: entry {index} says which records (rakkan show {index})."
    if chain.late:
        hours = chain.late_by.total_seconds() / 3600
        yield f"late: {chain.late}, by {hours:.0f} h at most. Nothing is wrong with them."
