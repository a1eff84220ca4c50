"""What every measurement shares: the best of several runs, and one way to print it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence


def best_ms(action: Callable[[], object], runs: int = 15) -> float:
    """Return the shortest of several runs, in milliseconds: what the machine can do when left alone."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def print_table(title: str, rows: Sequence[tuple[str, float, float, float | None]]) -> None:
    """Print ``(what, ours in ms, the measure in ms, the limit of the ratio)`` rows."""
    lines = [f"\n{title}", f"{'':44} {'ours ms':>9} {'bare ms':>9} {'ratio':>6} {'limit':>6}"]
    for what, ours, bare, limit in rows:
        shown = "" if limit is None else f"{limit:.2f}"
        lines.append(f"{what:44} {ours:9.2f} {bare:9.2f} {ours / bare:6.2f} {shown:>6}")
    sys.stdout.write("\n".join(lines) + "\n")
