"""`python3 -m tests [pytest options]`: the whole gate, from a checkout, with no set-up before it."""

from ledger._bootstrap import enter

enter("test")

import os
import sys
from pathlib import Path

import pytest

os.chdir(Path(__file__).resolve().parent.parent)
# The tests start thousands of processes: what they import is compiled once, whatever the caller's shell says.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
given = sys.argv[1:]
if set(given) <= {"-q", "-v"}:
    # The whole suite, on several cores and one process more: tests wait for the servers that they start.
    # Whoever asks for a part of it, or measures, gets one process.
    # In the order of the files: by their number of tests, the longest ones would come last, one by one.
    spread = ["--dist", "loadfile", "--no-loadscope-reorder"]
    given = ["-n", str(min(4, 1 + (os.cpu_count() or 1))), *spread, *given]
sys.exit(pytest.main(given))
