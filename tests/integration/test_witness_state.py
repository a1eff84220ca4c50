"""The witness's folder under many writers at once, and after its process was killed."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ledger.adapters.files import DirectoryPublication
from ledger.core.cosignature import open_cosigned
from ledger.core.witness import SIZE_TYPE, Request, format_request
from ledger.service.log.witness import Answer
from tests.support.log import ORIGIN, entries, new_log
from tests.support.witness import LOG, cosigner_key, new_witness

SIZES = [1, 2, 3, 5, 8, 13, 21]
ROOT = Path(__file__).resolve().parents[2]


def requests() -> dict[tuple[int, int], bytes]:
    """Return the request from each size to each larger one, of one honest log."""
    log, notes = new_log(), {}
    for size in SIZES:
        log.append(entries(size))
        notes[size] = log.head().checkpoint
    return {
        (old, new): format_request(Request(old, log.consistency(old, new), notes[new]))
        for new in SIZES
        for old in [0, *SIZES]
        if old <= new
    }


def climb(folder: Path, asked: dict[tuple[int, int], bytes]) -> list[tuple[int, int]]:
    """Have every size cosigned by a witness of its own over the folder; return what it granted, in order."""
    witness, granted, old = new_witness("w", DirectoryPublication(folder)), [], 0
    for new in SIZES:
        answer = Answer(409, SIZE_TYPE, b"0\n")
        while answer.status == 409 and old <= new:
            answer = witness.add_checkpoint(asked[old, new])
            if answer.status == 409:
                old = int(answer.body)
        if answer.status == 200:
            granted.append((old, new))
            old = new
    return granted


def test_many_witnesses_over_one_folder_never_go_back(tmp_path: Path) -> None:
    asked = requests()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: climb(tmp_path, asked), range(8)))
    for granted in found:
        assert all(old <= new for old, new in granted)
    steps = [step for granted in found for step in granted if step[0] < step[1]]
    assert sorted(steps) == sorted(set(steps)), "two of them took the same step: one did not see the other"
    assert max(new for _, new in steps) == SIZES[-1]
    (file,) = [path for path in tmp_path.rglob("checkpoint") if path.is_file()]
    checkpoint, signed = open_cosigned(file.read_bytes(), [LOG], [cosigner_key("w").verifier])
    assert (checkpoint.origin, checkpoint.size, len(signed)) == (ORIGIN, SIZES[-1], 1)


WORKER = """
import sys
from pathlib import Path
from tests.integration.test_witness_state import DirectoryPublication, new_witness, requests
witness = new_witness("w", DirectoryPublication(Path(sys.argv[1])))
asked = requests()
assert witness.add_checkpoint(asked[0, 1]).status == 200
print("ready", flush=True)
while True:
    witness.add_checkpoint(asked[1, 1])
"""


def test_a_killed_witness_goes_on_where_it_was(tmp_path: Path) -> None:
    """Killed in the middle of its writes; the lock it held and the half-written file are in nobody's way."""
    for _ in range(3):
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(tmp_path)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
        assert new_witness("w", DirectoryPublication(tmp_path)).add_checkpoint(requests()[1, 1]).status == 200
        for path in tmp_path.rglob("checkpoint"):
            path.unlink()
    assert climb(tmp_path, requests())
