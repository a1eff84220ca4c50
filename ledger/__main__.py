"""`python3 -m ledger`: the `rakkan` command, from a checkout, with no set-up before it."""

from ledger._bootstrap import enter

enter("run")

from ledger._start import main  # noqa: E402 - it needs the environment

main()
