"""What goes into an evidence bundle, for one reader: docs/spec/evidence-bundle.md.

* Every entry that the report rests on is in it: as its envelope where the reader may see all that it says,
  else as its leaf hash. One proof leads from all of them to one signed checkpoint.
* A bundle holds what is on record. What the studio keeps elsewhere (contracts, texts of terms) is there by
  digest alone.
* Each file carries its own manifest. The bundle has those of the frames that stand for the shots.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ledger.core import canonical
from ledger.core import envelope as dsse
from ledger.core.audit import Sight
from ledger.core.audit import bundle as form
from ledger.core.audit.views import SEES, Reader, openings
from ledger.core.checkpoint import Checkpoint, parse_checkpoint
from ledger.core.merkle import consistency_proof
from ledger.core.multiproof import multiproof
from ledger.core.predicates import PREDICATES
from ledger.core.rights import profile as profiles
from ledger.core.tiles import TileNodes
from ledger.core.trust import format_trust
from ledger.errors import RakkanError, UsageError
from ledger.ports import Signer
from ledger.service.log.nodes import stored
from ledger.service.report.entries import PIECE
from ledger.service.report.report import Made
from ledger.service.studio import Studio

_OF_ENTRY = "entry/"


@dataclass(slots=True)
class _Counted:
    shown: int = 0
    withheld: int = 0


@dataclass(frozen=True)
class Contents:
    """The contents of one bundle.

    ``signer`` is a registrar's, ``witnesses`` the log's witness policy, ``names`` what to disclose.
    """

    studio: Studio
    made: Made
    reader: Reader
    secret: bytes
    signer: Signer | None = None
    witnesses: bytes | None = None
    names: Collection[str] = ()
    _counted: _Counted = field(default_factory=_Counted)

    @cached_property
    def checkpoint(self) -> bytes:
        """The checkpoint that all entries are proven under: a cosigned one where there is one."""
        head = self.made.report.head
        return self.studio.checkpoints.covering(head.size) or self.studio.log.head().checkpoint

    @cached_property
    def tree(self) -> Checkpoint:
        """What the checkpoint states."""
        return parse_checkpoint(self.checkpoint)

    def parts(
        self, files: Sequence[form.File], readme: bytes, report: Iterable[form.Part]
    ) -> Iterator[form.Part]:
        """Yield every file by path, and then what lists them. ``files`` are those that were taken so far.

        ``report`` are the report's own files. Raises ``UsageError("report.no-such-part")`` for a name that
        nothing has, and what the signer raises.
        """
        yield form.README, (readme,)
        yield from sorted(self._evidence(), key=lambda part: part[0])
        yield from sorted(report, key=lambda part: part[0])
        yield form.SUMS, (form.sums(files),)
        manifest = self._manifest(files)
        yield form.MANIFEST, (manifest,)
        if self.signer is not None:
            payload = form.payload(manifest, self.made.report.head.identifier)
            yield form.SIGNATURE, (dsse.sign(payload, self.signer),)

    def _manifest(self, files: Sequence[form.File]) -> bytes:
        head, counted = self.made.report.head, self._counted
        listed = form.Manifest(
            report=head.identifier,
            view=self.reader.view.value,
            origin=head.origin,
            size=self.tree.size,
            root=self.tree.root.hex(),
            shown=counted.shown,
            withheld=counted.withheld,
            files=tuple(files),
        )
        return canonical.encode(listed.to_json())

    def _evidence(self) -> Iterator[form.Part]:
        sees = SEES[self.reader.view]
        node = self._nodes()
        yield form.CHECKPOINT, (self.checkpoint,)
        yield form.CONSISTENCY, consistency_proof(self.made.report.head.size, self.tree.size, node)
        yield form.ENTRIES, self._lines()
        yield form.PROOF, multiproof(self.made.rests.entries, self.tree.size, node)
        yield form.TRUST, (format_trust(self.studio.trust),)
        if self.witnesses is not None:
            yield form.WITNESSES, (self.witnesses,)
        if sees >= form.POLICY_REVEALS:
            yield (
                form.POLICY,
                (canonical.encode(profiles.to_json(self.made.cleared.clearer.question.profile)),),
            )
        if self.names:
            opened, disclosed = self._opened()
            yield form.OPENINGS, opened
            yield form.DISCLOSURES, disclosed
        if sees >= form.STORE_REVEALS:
            yield from self._stores()

    def _nodes(self) -> TileNodes:
        return TileNodes(self.studio.log.store.head().size, stored(self.studio.log.store.tile))

    def _lines(self) -> Iterator[bytes]:
        sees, node = SEES[self.reader.view], self._nodes()
        indices = self.made.rests.entries
        for at in range(0, len(indices), PIECE):
            piece = indices[at : at + PIECE]
            envelopes = self.studio.entries.envelopes_at(piece)
            for index in piece:
                envelope = envelopes.get(index)
                shown = envelope if envelope is not None and _may_show(envelope, sees) else None
                self._counted.shown += shown is not None
                self._counted.withheld += shown is None
                yield form.format_line(form.Line(index, node(0, index), shown))

    def _opened(self) -> tuple[list[bytes], list[bytes]]:
        """Return the openings of hidden parts of the report, and those of commitments in the log."""
        cells = {name for name in self.names if not name.startswith(_OF_ENTRY)}
        opened = [f"{text}\n".encode() for text in openings(self.made.report, self.secret, cells)]
        if len(opened) != len(cells):
            raise UsageError(
                "report.no-such-part", "The report has no such cell or row.", names=sorted(cells)
            )
        entries = sorted(set(self.names) - cells)
        return opened, [f"{text}\n".encode() for name in entries for text in self._disclosed(name)]

    def _disclosed(self, name: str) -> list[str]:
        index = name.removeprefix(_OF_ENTRY)
        if not index.isdecimal() or int(index) not in self.made.rests.entries:
            raise UsageError("report.no-such-part", "The report rests on no such entry.", name=name)
        digests = getattr(self.studio.statement(int(index)).predicate, "commitments", ())
        kept = [text for text in map(self.studio.openings.get, digests) if text is not None]
        if not kept:
            raise UsageError("report.no-such-part", "No opening of this entry is kept.", name=name)
        return kept

    def _stores(self) -> Iterator[form.Part]:
        files = {sha256 for sha256 in self.made.report.tables["shots"].column("picture") if sha256}
        get: Callable[[str], bytes | None] = self.studio.manifests.get
        for sha256 in sorted(files):
            if (store := get(sha256)) is not None:
                yield f"{form.STORES}{sha256}.c2pa", (store,)


def _may_show(envelope: bytes, sees: Collection[Sight]) -> bool:
    """Whether this reader may have the envelope. What nobody can read is for whoever sees everything."""
    try:
        statement = canonical.load(dsse.decode(envelope).payload)
        kind = PREDICATES.get(statement["predicateType"])
    except (RakkanError, KeyError, TypeError):
        kind = None
    return form.shows(kind, sees)
