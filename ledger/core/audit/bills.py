"""A bill of materials as one reader of a report may see it: what a view hides is a pseudonym, or left out.

* The name of a file, a model or a dataset becomes the beginning of its digest, which every view shows. The
  digest of a service is made from its name, and somebody could guess that: it is made anew with the studio's
  secret, and so is the digest of what a reason is about.
* Where names are hidden, so is what was made from what: a model's parents and its training. Where terms are,
  so are grants and plans.
* A rights holder sees the datasets and the grants that are their own, and what was trained on these.
* The bill says in its note how much it leaves out.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TypeVar

from ledger.core.artifact import Artifact
from ledger.core.audit import Sight
from ledger.core.audit.views import SEES, Reader, View
from ledger.core.predicates import Dataset, DatasetV2, Model, ModelV2
from ledger.core.predicates.answer import Reason
from ledger.core.predicates.model_v2 import Service
from ledger.core.rights.bill import Bill, Judgement, parties_of
from ledger.core.rights.facts import Known
from ledger.core.rights.materials import Materials, Unregistered

HIDDEN = "hidden"
_SHOWN = 16
"""Digits of a digest in a pseudonym."""
Named = TypeVar("Named", bound=Model | Dataset)


def bill_seen_by(bill: Bill, reader: Reader, key: bytes) -> Bill:
    """Return the bill as this reader may see it. ``key`` is of this report, and nobody else's."""
    if reader.view is View.STUDIO:
        return bill
    hider = _Hider(bill, reader, key)
    found = hider.materials(bill.materials)
    sees_work = Sight.WORK in hider.sees
    return replace(
        bill,
        subjects=bill.subjects if sees_work else tuple(map(_file, bill.subjects)),
        unexplained=bill.unexplained if sees_work else tuple(map(_file, bill.unexplained)),
        materials=found,
        judgement=hider.judgement(bill.judgement),
        note=hider.note(found),
    )


@dataclass(frozen=True)
class _Hider:
    bill: Bill
    reader: Reader
    key: bytes

    @property
    def sees(self) -> Collection[Sight]:
        """What this reader sees of what does not concern them alone."""
        return {Sight.OPEN} if self.reader.view is View.RIGHTS_HOLDER else SEES[self.reader.view]

    @property
    def names(self) -> bool:
        """Whether the reader sees what things are called."""
        return Sight.RIGHTS in self.sees

    @property
    def own(self) -> frozenset[str]:
        """The digests of what the reader has granted something about."""
        grants = [item for item in self.bill.materials.grants if self._theirs(parties_of(item)[0])]
        return frozenset(subject.sha256 for grant in grants for subject in grant.stated.subjects)

    def _theirs(self, party: str | None) -> bool:
        return party is not None and party == self.reader.party

    def materials(self, found: Materials) -> Materials:
        """Return what is under the files."""
        own, terms = self.own, Sight.TERMS in self.sees
        grants = tuple(item for item in found.grants if terms or self._theirs(parties_of(item)[0]))
        plans = found.plans if terms else {}
        if self.names:
            return replace(found, grants=grants, plans=plans)
        services = {item.subjects[0].sha256 for item in found.models if _service(item.predicate)}
        services |= {item.sha256 for item in found.unregistered if item.kind == "service"}
        theirs = self.reader.view is not View.RIGHTS_HOLDER
        return Materials(
            models=tuple(self._model(item, own) for item in found.models),
            datasets=tuple(
                item if item.subjects[0].sha256 in own else _dataset(item)
                for item in found.datasets
                if theirs or item.subjects[0].sha256 in own
            ),
            unregistered=tuple(
                self._unregistered(item)
                for item in found.unregistered
                if theirs or item.kind != "dataset" or item.sha256 in own
            ),
            outside=tuple(item._replace(name=pseudonym("picture", item.sha256)) for item in found.outside),
            plans=plans,
            used=frozenset(self._digest(item) if item in services else item for item in found.used),
            grants=grants,
        )

    def judgement(self, judged: Judgement | None) -> Judgement | None:
        """Return the verdict: its reasons stay, what they are about is hidden."""
        if judged is None or self.names:
            return judged
        reasons = tuple(map(self._reason, judged.answer.reasons))
        return replace(judged, answer=replace(judged.answer, reasons=reasons))

    def note(self, found: Materials) -> str:
        """Return what the bill leaves out, in words."""
        party = f" of {self.reader.party}" if self.reader.party else ""
        words = [f"This is the bill for the view {self.reader.view.value}{party}."]
        if not self.names:
            words.append("Names are pseudonyms made from digests; what models were made from is left out.")
        whole = self.bill.materials
        grants, datasets = len(whole.grants) - len(found.grants), len(whole.datasets) - len(found.datasets)
        return " ".join([*words, f"Withheld: {grants} grants, {datasets} datasets."])

    def _reason(self, reason: Reason) -> Reason:
        digest = self._digest(reason.sha256)
        name = pseudonym("thing", digest)
        return replace(reason, name=name, sha256=digest, path=(), detail=None, grants=())

    def _model(self, known: Known[Model], own: Collection[str]) -> Known[Model]:
        model, subject = known.predicate, known.subjects[0]
        training = tuple(item for item in model.training if item.sha256 in own)
        if not isinstance(model, ModelV2):
            return _renamed(known, replace(model, training=training), "model", subject.sha256)
        plain = replace(model, training=training, parents=())
        if model.service is None:
            return _renamed(known, plain, "model", subject.sha256)
        digest = self._digest(subject.sha256)
        service = Service(HIDDEN, pseudonym("service", digest))
        return _renamed(known, replace(plain, service=service), "service", digest)

    def _unregistered(self, item: Unregistered) -> Unregistered:
        digest = self._digest(item.sha256) if item.kind == "service" else item.sha256
        return Unregistered(item.kind, pseudonym(item.kind, digest), digest)

    def _digest(self, sha256: str) -> str:
        return hmac.digest(self.key, sha256.encode(), "sha256").hex()


def pseudonym(kind: str, sha256: str) -> str:
    """Return what stands in place of a name."""
    return f"{kind} {sha256[:_SHOWN]}"


def _file(item: Artifact) -> Artifact:
    return Artifact(pseudonym("file", item.sha256), item.sha256, item.media_type)


def _dataset(known: Known[Dataset]) -> Known[Dataset]:
    dataset = known.predicate
    plain = replace(dataset, composition=()) if isinstance(dataset, DatasetV2) else dataset
    return _renamed(known, plain, "dataset", known.subjects[0].sha256)


def _renamed(known: Known[Named], predicate: Named, kind: str, sha256: str) -> Known[Named]:
    name = pseudonym(kind, sha256)
    hidden = replace(predicate, name=name, version=HIDDEN)
    return Known(known.index, (Artifact(name, sha256),), hidden)


def _service(model: Model) -> Service | None:
    return model.service if isinstance(model, ModelV2) else None
