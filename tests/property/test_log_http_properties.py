"""Over HTTP, each tile of a log has one address, nothing else has any, and it is the tile of the tree."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.merkle import leaf_hash
from ledger.core.tiles import WIDTH, Tile, encode_bundle, fold, parse_path, tiles_of
from ledger.errors import MalformedError
from tests.support.log import entries
from tests.support.log_server import PREFIX, LogServer, log_server

SIZE = 66_000
ENTRIES = entries(SIZE)
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
LEVELS = [LEAVES]
"""The hashes of each level, as the specification defines them: a full tile folds into one hash above."""
while len(LEVELS[-1]) >= WIDTH:
    below = LEVELS[-1]
    LEVELS.append(
        [fold(b"".join(below[at : at + WIDTH])) for at in range(0, len(below) // WIDTH * WIDTH, WIDTH)]
    )

tiles = st.builds(
    Tile,
    st.integers(0, 4) | st.integers(0, 63),
    st.integers(0, 300) | st.integers(0, 2**63 - 1),
    st.integers(1, WIDTH),
)
paths = st.builds(lambda tile, entries: tile.bundle_path if entries else tile.path, tiles, st.booleans())
pieces = st.sampled_from([*"x./p0123456789-+%", "%30", "%2F", "%2e", "..", "//", "entries", ".p/", "x000/"])


@st.composite
def nearly_paths(draw: st.DrawFn) -> str:
    """A path with something put in, or taken out."""
    path: str = draw(paths)
    at = draw(st.integers(0, len(path)))
    return path[:at] + draw(pieces | st.just("")) + path[at + draw(st.integers(0, 2)) :]


class Asked:
    """A server, and one connection that is kept."""

    def __init__(self, server: LogServer) -> None:
        self.connection = HTTPConnection(server.host, server.port, timeout=30)

    def __call__(self, path: str) -> tuple[int, bytes]:
        self.connection.request("GET", f"{PREFIX}/{path}")
        answer = self.connection.getresponse()
        return answer.status, answer.read()


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with log_server(tmp_path_factory.mktemp("log")) as server:
        for first in range(0, SIZE, 1000):
            server.log.append(ENTRIES[first : first + 1000])
        asked = Asked(server)
        yield asked
        asked.connection.close()


def expected(path: str) -> bytes | None:
    """What lies under a path by the specification alone; ``None`` for nothing."""
    try:
        named = parse_path(path)
    except MalformedError:
        return None
    tile = named.tile
    first = tile.index * WIDTH
    level = LEVELS[tile.level] if tile.level < len(LEVELS) else []
    if first + tile.width > len(level):
        return None
    stop = first + tile.width
    return encode_bundle(ENTRIES[first:stop]) if named.entries else b"".join(level[first:stop])


@given(path=paths | nearly_paths())
def test_a_path_names_one_file_or_none(ask: Asked, path: str) -> None:
    status, body = ask(path)
    found = expected(path)
    assert status == (404 if found is None else 200), path
    assert found in {None, body}


@given(size=st.integers(1, SIZE))
def test_every_tile_that_a_checkpoint_of_any_size_needs_is_there(ask: Asked, size: int) -> None:
    """The right edge, where the partial tiles are; full tiles are the same for every size."""
    edge = [tile for tile in tiles_of(0, size) if tile.width < WIDTH]
    for tile in edge:
        assert ask(tile.path) == (200, expected(tile.path))
        if tile.level == 0:
            assert ask(tile.bundle_path) == (200, expected(tile.bundle_path))
