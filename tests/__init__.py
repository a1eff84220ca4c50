"""The tests of Rakkan; `python3 -m tests` runs them all."""
