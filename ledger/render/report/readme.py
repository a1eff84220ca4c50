"""README.txt of an evidence bundle: what is in it, and how to check it with and without our program."""

from __future__ import annotations

from ledger.core.audit import Head

_TEXT = """\
{title}
{line}

This is the evidence behind the audit report {identifier}, made by {studio}.
It says what the log {origin} held at {size:,} entries.

CHECK ALL OF IT

    python3 verify.pyz bundle.zip --trust trust.json

Python 3.11 or later with the package "cryptography"; no network, no server, no Rakkan. The exit code is 0 for
proven, 1 for altered, 3 for "cannot decide".

Get trust.json from the studio on another way than this bundle: whoever forges the one would forge the other.
The copy under evidence/ only shows which one it was. Compare verify.pyz as well; the one of this Rakkan has
the SHA-256

    {verifier}

and so does yours: rakkan reports verifier --out verify.pyz

CHECK PARTS OF IT WITH OTHER PROGRAMS

    sha256sum -c SHA256SUMS                          every file is the one that is listed
    python3 verify.pyz bundle.zip --extract 7        entry 7 and its receipt, as files of their own
    grep '^7 ' evidence/entries.txt                  the same entry, by hand

How to check a signature, a receipt, a manifest and the PDF with programs that are not ours:
docs/howto/check-a-bundle.md of Rakkan's sources.

WHAT IS WHERE

    report.json and the other files of the report    as they were written
    MANIFEST.json, MANIFEST.dsse.json                every file by SHA-256, and the studio's signature
    evidence/entries.txt                             entries: index, leaf hash, envelope (DSSE) or "-"
    evidence/proof, evidence/checkpoint              they lead to this tree, which the log signed
    evidence/consistency                             the tree of the report is the beginning of it
    evidence/trust.json                              the studio's keys, by its own word
    evidence/manifests/                              C2PA manifest stores, by the SHA-256 of their files

"-" stands for an entry that would show what this view hides. It is in the log: its leaf hash is proven.
"""


def readme(head: Head, verifier: str) -> str:
    """Return the text. ``verifier`` is the SHA-256 (hex) of the program that checks the bundle."""
    title = f"{head.title or head.production}: evidence"
    return _TEXT.format(
        title=title,
        line="=" * len(title),
        identifier=head.identifier,
        studio=head.studio,
        origin=head.origin,
        size=head.size,
        verifier=verifier,
    )
