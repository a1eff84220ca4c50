"""What reading needs from outside: one port, every question of which is answered in bounded work.

* A question about a million rows is answered piece by piece: each answer says where the next piece begins.
* The store lies in the same database as the log, and reads its projections.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from ledger.ports import ArtifactRow, StatementRow
from ledger.service.clear.store import Where

PIECE = 1_000
"""Rows that one question reads at most. No entry has so many: it holds 65,535 bytes."""


class Place(NamedTuple):
    """Where in the log a row stands: its entry, and its number within the entry's subjects."""

    index: int  # type: ignore[assignment]  # nobody asks a place for tuple.index
    position: int = -1


class ShotRow(NamedTuple):
    """A shot: its name, its sequence, its episode, its steps, their final files, the newest step's entry."""

    shot: str
    sequence: str | None
    steps: int
    finals: int
    newest: int
    episode: str | None = None


class Uses(NamedTuple):
    """A piece of the rows about what used a file. ``after`` is where the next one begins; ``None``: all."""

    rows: Sequence[ArtifactRow]
    after: int | None


class ReadingStore(Protocol):
    """The projections of one log, to be read in pieces. May be used from several threads and processes."""

    def made(self, sha256: str, stop: int) -> Sequence[ArtifactRow]:
        """Return the newest rows with these bytes as a subject before ``stop``, newest entry first."""

    def seen(self, pixels: str, stop: int) -> Sequence[ArtifactRow]:
        """Return the newest rows with these pixels as a subject before ``stop``, newest entry first."""

    def uses(self, sha256: str, after: int, stop: int) -> Uses:
        """Return the rows with these bytes in another role in entries ``after < index < stop``, in order.

        An entry's rows are all in one piece.
        """

    def subjects(
        self, types: Collection[str], after: Place, stop: int, name: str | None
    ) -> Sequence[ArtifactRow]:
        """Return the first subjects after that place, of entries of these types before ``stop``, in order.

        With ``name`` only those whose names hold it; letters of ASCII in either case.
        """

    def statements(
        self, types: Collection[str], after: int, stop: int, keyid: str | None = None
    ) -> Sequence[StatementRow]:
        """Return the first entries of these types with ``after < index < stop``, in order.

        With ``keyid`` only those that this key signed.
        """

    def steps(self, where: Where, after: int, stop: int) -> Sequence[int]:
        """Return the first steps at this place with ``after < index < stop``, in order: of all frames."""

    def shots(self, after: str | None, limit: int) -> Sequence[ShotRow]:
        """Return every row of the first ``limit`` names of shots after this one, in the order of names."""

    def final_bases(self, where: Where) -> Mapping[int, int]:
        """Return how many final files of the steps at this place rest on each basis, by its number."""

    def types(self, indices: Collection[int]) -> Mapping[int, str]:
        """Return the predicate types of those of these entries that exist."""

    def keyids(self, indices: Collection[int]) -> Mapping[int, str]:
        """Return the keys that signed those of these entries that exist."""

    def steps_using(
        self, digests: Sequence[str], first: int, last: int, limit: int
    ) -> tuple[int, Sequence[int]]:
        """Return how many steps read one of these files, and the first ones, in order.

        Those of the quarters of an hour ``first`` to ``last``, both among them.
        """

    def first_since(self, moment: datetime) -> int:
        """Return the first entry that the log took in at this moment or later; the log's size if none.

        Takes the log's clock to run forward.
        """

    def firsts_since(self, moments: Sequence[datetime]) -> Sequence[int]:
        """Return the same for each of these moments."""

    def received(self, index: int) -> datetime | None:
        """Return when the log took an entry in, in UTC; ``None`` for no entry."""
