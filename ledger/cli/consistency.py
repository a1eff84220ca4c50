"""`rakkan consistency`: was anything before this point changed or taken away since?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.cli.common import examples, home, json_option, print_json, printable

if TYPE_CHECKING:
    from ledger.core.checkpoint import Checkpoint
    from ledger.service.studio import Studio

FILE = click.Path(path_type=Path)
COSE = ".cose"
_DIGITS = len(str(2**63))


@dataclass(frozen=True, slots=True)
class _Shown:
    """Two states of a log, and the hashes that lead from one to the other."""

    old: Checkpoint
    new: Checkpoint
    proof: tuple[bytes, ...]


@click.command(
    epilog=examples(
        "rakkan consistency handover/entry-7.tlog-proof log/checkpoint --out proof.txt",
        "rakkan consistency old.checkpoint new.checkpoint --proof proof.txt --key VKEY",
    )
)
@click.argument("old")
@click.argument("new")
@click.option("--out", type=FILE, help="Also write the proof: as C2SP text, or FILE.cose as a COSE Receipt.")
@click.option("--key", "keys", metavar="VKEY", multiple=True, help="The log's key: check without a studio.")
@click.option("--proof", "proof_file", type=FILE, help="With --key: the proof, as --out wrote it.")
@json_option
def consistency(
    old: str, new: str, out: Path | None, keys: tuple[str, ...], proof_file: Path | None, *, as_json: bool
) -> None:
    """Prove that the log at NEW begins with all of the log at OLD, unchanged.

    OLD and NEW are each a tree size, a checkpoint file, or a receipt (.tlog-proof), which ends with its
    checkpoint. The studio's log makes the proof; with --key, anybody checks it, without the studio.

    Exit code: 0 proven, 1 the log was changed or the proof is wrong, 2 usage, 3 cannot decide.
    """
    if (keys and out) or (proof_file and not keys):
        raise click.UsageError("--key and --proof check a proof, --out has the studio make one.")
    shown = _check(old, new, keys, proof_file) if keys else _prove(old, new, out)
    _print_as_json(shown) if as_json else _print(shown)


def _check(old: str, new: str, keys: tuple[str, ...], proof_file: Path | None) -> _Shown:
    """Judge two given checkpoints with nothing but the log's keys and a proof."""
    from ledger.core.checkpoint import open_checkpoint
    from ledger.core.consistency import compare
    from ledger.core.note import parse_vkey
    from ledger.core.witness import MAX_REQUEST
    from ledger.service.files import read_whole

    if _size(old) is not None or _size(new) is not None:
        raise click.UsageError("With --key, OLD and NEW are files: a size says nothing about the tree.")
    verifiers = [parse_vkey(key) for key in keys]
    before, after = (open_checkpoint(_checkpoint(name), verifiers) for name in (old, new))
    proof = read_whole(proof_file, MAX_REQUEST + 1) if proof_file else None
    return _Shown(before, after, compare(before, after, proof, verifiers))


def _prove(old: str, new: str, out: Path | None) -> _Shown:
    """Have the studio's log prove it."""
    from ledger.service.files import write_new
    from ledger.wiring import open_studio

    with open_studio(home()) as studio:
        before, after = _state(studio, old), _state(studio, new)
        proof = studio.log.consistency(before.size, after.size)
        shown = _Shown(before, after, proof)
        if out is not None:
            write_new(out, _cose(studio, shown) if out.suffix == COSE else _text(studio, shown, new))
    return shown


def _state(studio: Studio, what: str) -> Checkpoint:
    from ledger.service.log.receipts import held, tree

    size = _size(what)
    return held(studio.log, _checkpoint(what)) if size is None else tree(studio.log, size)


def _cose(studio: Studio, shown: _Shown) -> bytes:
    from ledger.service.log.receipts import cose_consistency

    return cose_consistency(studio.log, shown.old.size, shown.new.size)


def _text(studio: Studio, shown: _Shown, new: str) -> bytes:
    """Return the proof with the newer checkpoint: what a C2SP witness is sent."""
    from ledger.core.witness import Request, format_request
    from ledger.service.log.receipts import signed

    given = _size(new) is None
    note = _checkpoint(new) if given else signed(studio.log, studio.checkpoints, shown.new.size)
    return format_request(Request(shown.old.size, shown.proof, note))


def _size(what: str) -> int | None:
    """Return the tree size that an argument gives, or ``None`` for the name of a file."""
    return int(what) if what.isascii() and what.isdigit() and len(what) <= _DIGITS else None


def _checkpoint(name: str) -> bytes:
    """Return the checkpoint in a file, which may be a receipt."""
    from ledger.core.note import MAX_NOTE
    from ledger.core.receipt import HEADER, parse_receipt
    from ledger.service.files import read_whole

    data = read_whole(Path(name), MAX_NOTE + 1)
    return parse_receipt(data).checkpoint if data.startswith(HEADER.encode()) else data


def _print(shown: _Shown) -> None:
    from ledger.core.encoding import encode_base64

    old, new = shown.old, shown.new
    click.echo(
        printable(f"Proven: {new.origin} with {new.size} entries begins with all {old.size}, unchanged.")
    )
    click.echo(f"  old root  {encode_base64(old.root)}")
    click.echo(f"  new root  {encode_base64(new.root)}")
    for number, item in enumerate(shown.proof):
        click.echo(f"  {'' if number else 'proof':<9} {encode_base64(item)}")


def _print_as_json(shown: _Shown) -> None:
    from ledger.core.encoding import encode_base64

    print_json(
        {
            "origin": shown.new.origin,
            "old": {"size": shown.old.size, "root": encode_base64(shown.old.root)},
            "new": {"size": shown.new.size, "root": encode_base64(shown.new.root)},
            "proof": [encode_base64(item) for item in shown.proof],
        }
    )
