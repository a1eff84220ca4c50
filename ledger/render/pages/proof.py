"""A proof as a picture: from the leaf at the foot to the root at the top, each node over its two parts.

* The way of the entry stands in the middle; what the proof brings stands left or right, as it is hashed. So
  the picture of any tree is as wide as any other, and as tall as its proof is long.
* The same steps stand in a table beside it. Words come from the page, in its reader's language. Place and
  frame tell what a node is; the style sheet only colours it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from ledger.core.proof_steps import Join
from ledger.render.text import drawing, fitted, markup

_HIGH, _RISE, _GAP, _PAD, _LEAST = 40, 74, 24, 6, 116
_CHARACTER = 6.6
"""Width of a character of a node's label."""
_SHOWN = 12
"""Digits of a hash that a node shows."""


class Words(NamedTuple):
    """What the picture says, in the reader's language. ``start`` is where the way begins."""

    title: str
    description: str
    root: str
    start: str


class _Node(NamedTuple):
    x: int
    y: int
    kind: str
    label: str
    hash: bytes


def path(start: bytes, steps: Sequence[Join], words: Words, name: str = "proof") -> Markup:
    """Return the way from a first hash to the root as an ``<svg>`` element; there is one step at least.

    ``name`` is for one picture on a page, and begins with ``proof``.
    """
    ways = [(words.start, start), *((_range(each.low, each.high), each.result) for each in steps)]
    longest = max(len(label) for label, _ in ways[1:])
    wide = max(_LEAST, int(longest * _CHARACTER) + 18)
    middle, tall = wide + _GAP + _PAD, len(steps) * _RISE + _HIGH + 2 * _PAD
    lines, nodes = [], []
    for number, (label, hashed) in enumerate(ways):
        y = tall - _PAD - _HIGH - number * _RISE
        kind = "leaf" if number == 0 else "way"
        nodes.append(_Node(middle, y, kind, label, hashed))
        if number < len(steps):
            step = steps[number]
            x = _PAD if step.given_left else middle + wide + _GAP
            span = (step.low, step.middle) if step.given_left else (step.middle, step.high)
            nodes.append(_Node(x, y, "given", _range(*span), step.given))
            lines += [f"M{begin + wide // 2} {y}V{y - 17}H{middle + wide // 2}v-17" for begin in (middle, x)]
    nodes[-1] = nodes[-1]._replace(kind="top", label=words.root)
    parts = [f'<path class="join" d="{"".join(lines)}"/>', *(_drawn(node, wide) for node in nodes)]
    return picture(name, (3 * wide + 2 * _GAP + 2 * _PAD, tall), words.title, words.description, parts)


def picture(name: str, size: tuple[int, int], title: str, description: str, parts: Iterable[str]) -> Markup:
    """Return a drawing as an ``<svg>`` element with a name and a description; once for each name on a page.

    ``parts`` are markup: whoever made them has escaped what is in them.
    """
    width, height = size
    return drawing(
        f'<svg class="drawing {name.partition("-")[0]}" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" '
        f'role="img" aria-labelledby="{name}-title {name}-words" direction="ltr">'
        f'<title id="{name}-title">{markup(title)}</title>'
        f'<desc id="{name}-words">{markup(description)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def script(leaf: bytes, steps: Sequence[Join]) -> str:
    """Return a Python program that does these steps, with nothing but Python, and prints the last result."""
    given = "".join(
        f"    ({'left' if step.given_left else 'right'!r}, '{step.given.hex()}'),\n" for step in steps
    )
    return (
        f"from hashlib import sha256\n\nfound = bytes.fromhex('{leaf.hex()}')\n"
        f"for side, other in [\n{given}]:\n"
        "    other = bytes.fromhex(other)\n"
        "    pair = other + found if side == 'left' else found + other\n"
        "    found = sha256(b'\\x01' + pair).digest()\n"
        "print(found.hex())\n"
    )


def _drawn(node: _Node, wide: int) -> str:
    text, x = node.hash.hex(), node.x + wide // 2
    label = markup(fitted(node.label, int((wide - 8) / _CHARACTER)))
    return (
        f'<g class="{node.kind}"><title>{text}</title>'
        f'<rect x="{node.x}" y="{node.y}" width="{wide}" height="{_HIGH}" rx="5"/>'
        f'<text class="label" x="{x}" y="{node.y + 16}">{label}</text>'
        f'<text class="hash" x="{x}" y="{node.y + 32}">{text[:_SHOWN]}…</text></g>'
    )


def _range(low: int, high: int) -> str:
    """Return which entries these are, the last one among them."""
    return f"{low:,}" if high - low == 1 else f"{low:,}–{high - 1:,}"
