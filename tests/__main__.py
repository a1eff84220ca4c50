"""`python3 -m tests [pytest options]`: the whole gate, from a checkout, with no set-up before it."""

from ledger._bootstrap import enter

enter("test")

import os
import sys
from pathlib import Path

import pytest

os.chdir(Path(__file__).resolve().parent.parent)
sys.exit(pytest.main(sys.argv[1:]))
