"""The command ``rakkan``. What has to be quick is decided here, before anything is loaded.

``rakkan run`` stands in front of commands that take a moment themselves: it goes to its own code at once,
unless there is something to say about its options. Everything else is ``ledger.cli``.
"""

import gc
import sys

_GARBAGE = (50_000, 20, 20)
"""How many new objects, and how many looks at the young, before the collector looks again."""


def main() -> None:
    """Run the command that was typed, and exit with its code."""
    if sys.argv[1:2] == ["run"]:
        from ledger.hooks.trace import options

        parsed = options.parse(sys.argv[2:])
        if parsed is not None:
            from ledger.hooks.trace.run import run

            chosen, command = parsed
            sys.exit(run(command, chosen))
    # What is imported stays: looking through it for garbage takes a sixth of what a command takes.
    gc.set_threshold(*_GARBAGE)
    from ledger.cli import main as all_commands

    sys.exit(all_commands())
