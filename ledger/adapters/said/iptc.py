"""IPTC's older form (IIM), and Photoshop's image resources, which carry it, EXIF and XMP.

* Only record 2 is read, the texts that say who made a picture and who holds it. It has no place for a digital
  source type: that is in XMP.
"""

from __future__ import annotations

from collections.abc import Iterator

from ledger.adapters.said.carried import Carried, decoded

WHERE = "IPTC"
FIELDS = {
    5: "Title",
    40: "Instructions",
    65: "Program",
    70: "Program version",
    80: "By-line",
    105: "Headline",
    110: "Credit",
    115: "Source",
    116: "Copyright",
    120: "Caption",
}
_MAX_RECORDS = 2000


def take(data: bytes, carried: Carried, where: str) -> None:
    """Take the texts of record 2."""
    place = where if where == WHERE else f"{where} {WHERE}"
    for record, field, value in _records(data):
        if record == 2 and field in FIELDS:
            carried.add(place, FIELDS[field], decoded(value))


def _records(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    start = 0
    for _ in range(_MAX_RECORDS):
        size = int.from_bytes(data[start + 3 : start + 5], "big")
        # Bit 15 says that the length itself is longer; no text of record 2 needs that.
        if data[start : start + 1] != b"\x1c" or size >= 0x8000:
            return
        yield data[start + 1], data[start + 2], data[start + 5 : start + 5 + size]
        start += 5 + size


def take_resources(data: bytes, carried: Carried, where: str) -> None:
    """Take IPTC and XMP out of Photoshop's resources (``8BIM``)."""
    start = 0
    for _ in range(_MAX_RECORDS):
        if data[start : start + 4] != b"8BIM" or len(data) < start + 12:
            return
        number = int.from_bytes(data[start + 4 : start + 6], "big")
        begin = start + 6 + (data[start + 6] + 2) // 2 * 2
        size = int.from_bytes(data[begin : begin + 4], "big")
        value = data[begin + 4 : begin + 4 + size]
        if number == 0x0404:
            take(value, carried, where)
        elif number == 0x0424:
            carried.add(where, "XMP", decoded(value))
        start = begin + 4 + (size + 1) // 2 * 2
