"""The command line of the verifier."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from ledger.core.audit.bundle import ISSUED, RECEIPT
from ledger.errors import RakkanError
from ledger.verifier.anchors import Given, Issued
from ledger.verifier.archive import Archive
from ledger.verifier.extract import extract
from ledger.verifier.verify import verify

_ABOUT = "Check an evidence bundle alone: no network, no server, no Rakkan."
_CODES = "Exit code: 0 proven, 1 altered, 3 cannot decide, 2 called wrongly, or no bundle at all."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, print what was checked, and return the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        given = Given(
            trust=asked.trust.read_bytes() if asked.trust else None,
            log_keys=tuple(asked.log_key),
            trust_sha256=asked.trust_sha256,
            policy=asked.policy.read_bytes() if asked.policy else None,
            issued=_issued(asked.bundle.parent),
        )
        with asked.bundle.open("rb") as file:
            archive = Archive(file)
            if asked.extract is not None:
                return _say([str(path) for path in extract(archive, asked.extract, asked.out)], 0)
            outcome = verify(archive, given)
    except (OSError, RakkanError) as error:
        return _refused(error, as_json=asked.json)
    if asked.json:
        return _say([json.dumps(outcome.to_json(), indent=1, ensure_ascii=False)], outcome.exit_code)
    return _say(list(outcome.lines()), outcome.exit_code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("verify.pyz", description=_ABOUT, epilog=_CODES)
    parser.add_argument("bundle", type=Path, help="bundle.zip")
    parser.add_argument(
        "--trust", type=Path, metavar="FILE", help="the studio's trust.json, got on another way"
    )
    parser.add_argument(
        "--log-key", action="append", default=[], metavar="VKEY", help="or the log's key alone"
    )
    parser.add_argument(
        "--trust-sha256", metavar="HEX", help="or the SHA-256 of trust.json, as you were told it"
    )
    parser.add_argument(
        "--policy", type=Path, metavar="FILE", help="your own witness policy (C2SP tlog-policy)"
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
    parser.add_argument(
        "--extract", type=int, metavar="INDEX", help="write an entry and its receipt, for other programs"
    )
    parser.add_argument(
        "--out", type=Path, default=Path(), metavar="FOLDER", help="where --extract writes to"
    )
    return parser


def _issued(folder: Path) -> Issued | None:
    """Return the entry about the report, if one lies beside the bundle."""
    entry, receipt = folder / ISSUED, folder / RECEIPT
    if not entry.is_file():
        return None
    return Issued(entry.read_bytes(), receipt.read_bytes() if receipt.is_file() else None)


def _refused(error: Exception, *, as_json: bool) -> int:
    code = error.code if isinstance(error, RakkanError) else "file.unreadable"
    status = 3 if isinstance(error, RakkanError) and error.exit_code == 3 else 2
    if as_json:
        document = {"outcome": "no bundle", "exitCode": status, "codes": [code], "said": [str(error)]}
        return _say([json.dumps(document, indent=1, ensure_ascii=False)], status)
    _write(sys.stderr.buffer, [str(error)])
    return status


def _say(lines: Sequence[str], status: int) -> int:
    _write(sys.stdout.buffer, lines)
    return status


def _write(stream: BinaryIO, lines: Sequence[str]) -> None:
    """Write lines of strangers' words to a terminal: nothing in them moves its cursor."""
    shown = (
        "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in line) for line in lines
    )
    stream.write("".join(f"{line}\n" for line in shown).encode("utf-8", "backslashreplace"))
    stream.flush()
