"""Bases over the graph of steps: from the makers to what was made of them, and round in circles.

* The basis of a step is its own items and, for each file that it read, the bases of all steps that made it.
* Steps that are under one another have one basis. The bytes that lead round the circle are an item of it.
* Where several steps made the same bytes and their bases differ in more than time (a render that was done
  again), that is an item, unless all but one of them only handed the file on: published it, delivered it. A
  maker within the circle and one outside of it always differ: one says that the bytes are under themselves,
  the other not.
* The answer depends on the records only, and not on their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ledger.core.rights.basis import Item, ItemKind


class Source(NamedTuple):
    """A file that a step read: which steps made it, and the numbers of items that it adds by itself.

    ``handed`` are those of the makers that only handed on what another one made.
    """

    sha256: str
    name: str
    makers: frozenset[int]
    items: frozenset[int]
    handed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Node:
    """A step: the numbers of its own items, and what it read."""

    own: frozenset[int]
    sources: tuple[Source, ...]


class Interned(Protocol):
    """Items and bases by their numbers."""

    def item(self, item: Item) -> int:
        """Return the item's number."""

    def union(self, bases: frozenset[int], items: frozenset[int]) -> int:
        """Return the number of the basis that holds the items, and those of the bases."""

    def essence(self, basis: int) -> frozenset[Item]:
        """Return the items of a basis without their times."""


def settle(nodes: Mapping[int, Node], known: Callable[[int], int], interned: Interned) -> dict[int, int]:
    """Return the number of each node's basis. ``known`` is that of a maker that is no node.

    No such maker may rest on a node.
    """
    settled: dict[int, int] = {}

    def basis(maker: int) -> int:
        return settled[maker] if maker in nodes else known(maker)

    for circle in _circles(nodes):
        bases: set[int] = set()
        items: set[int] = set()
        for index in circle:
            items |= nodes[index].own
            for source in nodes[index].sources:
                outside = {basis(maker) for maker in source.makers if maker not in circle}
                bases |= outside
                items |= source.items
                if len(source.makers) > 1 or not outside:
                    made = {basis(maker) for maker in source.makers - source.handed if maker not in circle}
                    ways = {interned.essence(one) for one in made} if len(made) > 1 else made
                    items.update(map(interned.item, _odd(source, len(ways), circle)))
        settled.update(dict.fromkeys(circle, interned.union(frozenset(bases), frozenset(items))))
    return settled


def fork(sha256: str, name: str) -> Item:
    """Return the item for bytes whose makers disagree."""
    return Item(ItemKind.FORK, sha256, name)


def _odd(source: Source, ways: int, circle: frozenset[int]) -> Iterator[Item]:
    """Yield what is odd about a file that a step of the circle read, and that was made in so many ways."""
    inside = not source.makers.isdisjoint(circle)
    if inside:
        yield Item(ItemKind.CYCLE, source.sha256, source.name)
    if ways + inside > 1:
        yield fork(source.sha256, source.name)


def _circles(nodes: Mapping[int, Node]) -> Iterator[frozenset[int]]:
    """Yield the nodes that are under one another, together; makers before what was made of them.

    Most are alone. These are the strongly connected components, by Tarjan's algorithm without recursion.
    """
    search = _Search(nodes)
    for start in nodes:
        if start not in search.low:
            search.enter(start)
        while search.path:
            index, makers = search.path[-1]
            maker = next(makers, None)
            if maker is None:
                yield from search.leave(index)
            elif maker not in search.low:
                search.enter(maker)
            elif maker in search.open:
                search.low[index] = min(search.low[index], search.low[maker])


class _Search:
    """A depth-first search: where it is, and which nodes are in no finished component yet."""

    def __init__(self, nodes: Mapping[int, Node]) -> None:
        self._nodes = nodes
        self._number: dict[int, int] = {}
        self.low: dict[int, int] = {}
        self.open: dict[int, None] = {}
        self.path: list[tuple[int, Iterator[int]]] = []

    def enter(self, index: int) -> None:
        """Go to a node that was never met."""
        self._number[index] = self.low[index] = len(self._number)
        self.open[index] = None
        sources = self._nodes[index].sources
        makers = (maker for source in sources for maker in source.makers if maker in self._nodes)
        self.path.append((index, makers))

    def leave(self, index: int) -> Iterator[frozenset[int]]:
        """Go back from a node; yield the component that is finished with it, if one is."""
        self.path.pop()
        if self.path:
            above = self.path[-1][0]
            self.low[above] = min(self.low[above], self.low[index])
        if self.low[index] == self._number[index]:
            circle = [self.open.popitem()[0]]
            while circle[-1] != index:
                circle.append(self.open.popitem()[0])
            yield frozenset(circle)
