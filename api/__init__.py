"""The HTTP face of Rakkan. Thin: no rule lives here."""

import ledger

# Other projects ship a package called `ledger` too, and PYTHONPATH can put one of them first.
if getattr(ledger, "__dist__", None) != "rakkan":
    raise ImportError(
        f"another package named 'ledger' is first on sys.path: {getattr(ledger, '__file__', None)}."
        " Take it off PYTHONPATH, or start Python with -I."
    )
