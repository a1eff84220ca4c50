"""How states look, in every format that is looked at: a mark, a word, a colour, in this order of weight.

* A state is always told by its mark and its word, or by its shape; colour repeats it. The colours differ in
  lightness as well, for readers who do not tell red from green.
* Drawings carry the colours of paper as attributes; ``DARK`` is what a page adds for a dark screen.
"""

from __future__ import annotations

from typing import NamedTuple


class Look(NamedTuple):
    """``key`` is a class, ``mark`` a character, ``word`` what stands beside it, ``colour`` that on paper."""

    key: str
    mark: str
    word: str
    colour: str


VERDICTS = {
    "blocked": Look("b", "✕", "Blocked", "#9b1c12"),
    "needs_review": Look("r", "!", "Needs review", "#e0a100"),
    "undecided": Look("u", "?", "Undecided", "#77748a"),
    "cleared": Look("c", "✓", "Cleared", "#86bcc4"),
}
"""The verdicts, the worst first."""

GRADES = {
    "L4": Look("g4", "", "Authorised and inventoried", "#1f5a66"),
    "L3": Look("g3", "", "Licensed", "#4d8b95"),
    "L2": Look("g2", "", "Documented", "#86bcc4"),
    "L1": Look("g1", "", "Recorded", "#e0a100"),
    "L0": Look("g0", "", "Unknown origin", "#77748a"),
}

EVIDENCE = {
    "observed": Look("c", "", "Observed in every step", "#86bcc4"),
    "inferred": Look("g3", "", "With an inferred step", "#4d8b95"),
    "declared": Look("r", "", "With a declared step", "#e0a100"),
    "unknown": Look("u", "", "Unexplained", "#77748a"),
    "absent": Look("n", "", "Absent", "#ffffff"),
}
"""How well what was asked for is known, by the keys of the figures."""

INK, SOFT, LINE, PAPER = "#1d1b26", "#57546a", "#cfccd8", "#ffffff"

DARK = """
.drawing .ink{fill:#f1eff7}.drawing .soft{fill:#b4b0c4}.drawing .line{stroke:#3d3b4d}
.drawing .rule{stroke:#f1eff7}
.drawing .b{fill:#ff6f5e}.drawing .r{fill:#f0b866}.drawing .u{fill:#9d99b0}.drawing .c{fill:#3d7480}
.drawing .g4{fill:#9fd6df}.drawing .g3{fill:#5f9aa5}.drawing .g2{fill:#3d7480}.drawing .g1{fill:#f0b866}
.drawing .g0{fill:#9d99b0}.drawing .n{fill:#13121a}
""".strip()
"""The same classes on a dark screen."""
