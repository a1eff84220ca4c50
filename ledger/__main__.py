"""`python3 -m ledger`: the `rakkan` command, from a checkout, with no set-up before it."""

import sys

from ledger._bootstrap import enter

enter("run")

from ledger.cli import main  # noqa: E402 - it needs the environment

sys.exit(main())
