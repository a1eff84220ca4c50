"""Rakkan: a provenance ledger for animation and VFX studios.

Importing this package loads nothing but itself: hooks and the command line pay only for what they use.
"""

# Other projects also ship a package called `ledger`. This mark tells ours apart (see api/__init__.py).
__dist__ = "rakkan"
__version__ = "0.1.0"
