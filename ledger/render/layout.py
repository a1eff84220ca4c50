"""Where the cards of a lineage stand: in columns, from raw materials on the left to the finished file.

* A card's column is as far right as what was made from it allows (longest path), so that edges are short;
* within a column cards are ordered by the mean position of their neighbours (barycentre), in a few sweeps;
* links that a hostile record closes to a circle are left out of the ranking, and still drawn;
* the result depends on the input alone: ties are broken by the order in which the cards were given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_SWEEPS = 4

Edges = Sequence[tuple[str, str]]
"""Pairs ``(from, to)``: material, product."""


def columns(keys: Sequence[str], edges: Edges) -> list[list[str]]:
    """Return the keys in columns, left to right, each column ordered top to bottom."""
    rank = _ranks(keys, edges)
    found: list[list[str]] = [[] for _ in range(max(rank.values(), default=0) + 1)]
    for key in keys:
        found[rank[key]].append(key)
    return _untangled(found, edges)


def _ranks(keys: Sequence[str], edges: Edges) -> dict[str, int]:
    """Return each key's column, by Kahn's algorithm from the finished files backwards."""
    makers: dict[str, list[str]] = {key: [] for key in keys}
    open_products = dict.fromkeys(keys, 0)
    for source, target in edges:
        makers[target].append(source)
        open_products[source] += 1
    steps_to_end = dict.fromkeys(keys, 0)
    ready = [key for key in keys if not open_products[key]]
    while ready:
        key = ready.pop()
        for source in makers[key]:
            steps_to_end[source] = max(steps_to_end[source], steps_to_end[key] + 1)
            open_products[source] -= 1
            if not open_products[source]:
                ready.append(source)
    last = max(steps_to_end.values(), default=0)
    return {key: last - steps_to_end[key] for key in keys}


def _untangled(found: list[list[str]], edges: Edges) -> list[list[str]]:
    neighbours: dict[str, list[str]] = {}
    for source, target in edges:
        neighbours.setdefault(source, []).append(target)
        neighbours.setdefault(target, []).append(source)
    order = [list(column) for column in found]
    place = {key: _middle(at, column) for column in order for at, key in enumerate(column)}
    for sweep in range(_SWEEPS):
        numbers = range(len(order)) if sweep % 2 else range(len(order) - 1, -1, -1)
        for number in numbers:
            order[number] = _sorted(order[number], neighbours, place)
            place |= {key: _middle(at, order[number]) for at, key in enumerate(order[number])}
    return order


def _middle(at: int, column: Sequence[str]) -> float:
    """Return a card's height above or below its column's middle: columns are centred on one line."""
    return at - (len(column) - 1) / 2


def _sorted(column: list[str], neighbours: Mapping[str, list[str]], place: Mapping[str, float]) -> list[str]:
    inside = set(column)

    def barycentre(key: str) -> float:
        others = [place[item] for item in neighbours.get(key, ()) if item not in inside]
        return sum(others) / len(others) if others else place[key]

    return sorted(column, key=barycentre)
