"""A studio tells its story, and the story can be cleared: small verbs, each one entry in the order of a log.

- `on` sets the day; what is told from then on was recorded on that day (noon in Japan).
- A thing is called by one name: a dataset or a model by its own, a grant by its identifier, a file by one
  with a suffix. Digests come from the names, so they are the same in every run.
- Whatever is told goes through the statement's own reader first: no story that a log would refuse.
- `suppose` changes what was told ("suppose the contract had named another title"), `forget` takes it out.
- `basis` is the naive definition of what a file rests on, by recursion over the steps.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from ledger.core import statement as statements
from ledger.core.artifact import Artifact, Role, named
from ledger.core.digest import sha256_hex
from ledger.core.predicates import (
    Approval,
    Consent,
    DatasetV2,
    Finding,
    GrantRevocation,
    GrantV2,
    ModelV2,
    Override,
    Party,
    Predicate,
    Review,
    ServiceTerms,
    StepV2,
    Title,
    TrainingRun,
)
from ledger.core.predicates.approval import ApprovalKind, Decision
from ledger.core.predicates.dataset_v2 import InventoryRoot, Source
from ledger.core.predicates.delivery import Delivery
from ledger.core.predicates.finding import FindingKind, FindingState
from ledger.core.predicates.grant import Use
from ledger.core.predicates.licence import Licence
from ledger.core.predicates.model import Training, TrainingStage
from ledger.core.predicates.model_v2 import ModelKind, Parent, ParentRole, Service
from ledger.core.predicates.party import PartyKind
from ledger.core.predicates.reasons import Code
from ledger.core.predicates.review import Standing
from ledger.core.predicates.scope import Scope
from ledger.core.predicates.service_terms import InputTraining, Ownership
from ledger.core.predicates.step import Evidence, Place, StepAction, Tool
from ledger.core.rights.basis import Item, ItemKind, finding_item, is_lineage, own_items, unexplained
from ledger.core.rights.clearance import Clearance, Engine
from ledger.core.rights.facts import FactRecord, Facts
from ledger.core.rights.profile import Profile
from ledger.core.statement import Statement
from tests.support.builders import commitment

JST = timezone(timedelta(hours=9))
OBSERVED, DECLARED = Evidence.OBSERVED, Evidence.DECLARED


def day(text: str, hour: int = 0, minute: int = 0) -> datetime:
    """Return a moment of a day in Japan, by default its beginning: `day("2026-06-01")`."""
    year, month, date = map(int, text.split("-"))
    return datetime(year, month, date, hour, minute, tzinfo=JST)


def digest(kind: str, name: str) -> str:
    return sha256_hex(f"{kind} {name}".encode())


def weights(name: str) -> Artifact:
    return Artifact(name, digest("weights", name))


def inventory(name: str) -> Artifact:
    return Artifact(name, digest("inventory", name))


def file(name: str) -> Artifact:
    return Artifact(name, digest("file", name))


@dataclass
class Story:
    """`log` holds what was told, in order; `suspect` the files whose record cannot be relied on."""

    today: datetime = datetime(2025, 11, 1, 12, tzinfo=JST)
    log: list[FactRecord] = field(default_factory=list)
    told: dict[str, int] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    suspect: dict[str, str] = field(default_factory=dict)

    def copy(self) -> "Story":
        """Return a story that goes on from here by itself."""
        return Story(self.today, [*self.log], {**self.told}, {**self.services}, {**self.suspect})

    # The telling

    def on(self, text: str) -> None:
        self.today = day(text, 12)

    def tell(self, name: str, predicate: Predicate, *subjects: Artifact, by_registrar: bool = True) -> int:
        """Add an entry; return its index. The name is what `suppose` and `forget` call it by."""
        index = self.told[name] = self.log[-1].index + 1 if self.log else 0
        self.log.append(FactRecord(index, readable(Statement(subjects, predicate)), by_registrar))
        return index

    def suppose(self, name: str, **changes: Any) -> None:
        """Change what was told under this name, as if it had been told so."""
        place = self._place(name)
        stated = self.log[place].statement
        predicate = replace(stated.predicate, **changes)
        subjects = (predicate.subject,) if isinstance(predicate, Title | Party) else stated.subjects
        self.log[place] = replace(self.log[place], statement=readable(Statement(subjects, predicate)))

    def forget(self, name: str) -> None:
        """Take out what was told under this name. Indices stay: a log has no holes, a set of facts may."""
        del self.log[self._place(name)]
        del self.told[name]

    def _place(self, name: str) -> int:
        return bisect_left(self.log, self.told[name], key=lambda record: record.index)

    def thing(self, name: str) -> Artifact:
        """Return what a name stands for: `photo.jpg` a file, `title:…` a title, else as it was registered."""
        if name in self.services:
            return self.services[name].subject
        if name.startswith("title:"):
            return named("title", name)
        registered = self.log[self._place(name)].statement if name in self.told else None
        if registered is not None and isinstance(registered.predicate, DatasetV2):
            return inventory(name)
        return file(name) if "." in name else weights(name)

    # The registry

    def party(self, name: str, public: str | None = None) -> None:
        kind = PartyKind.ORGANISATION if public else PartyKind.PERSON
        secrets = () if public else (commitment(name),)
        told = Party(f"party:{name}", kind, self.today, public, commitments=secrets)
        self.tell(f"party:{name}", told, told.subject)

    def title(self, title_id: str, public: str, *productions: str, **more: Any) -> None:
        told = Title(title_id, public, productions, self.today, **more)
        self.tell(title_id, told, told.subject)

    def dataset(self, name: str, works: int = 1200, holders: int = 3, **more: Any) -> None:
        base = DatasetV2(
            name,
            "1",
            works,
            holders,
            recorded=self.today,
            evidence=OBSERVED,
            inventory=InventoryRoot(works, digest("root", name)),
        )
        self.tell(name, replace(base, **more), inventory(name))

    def model(
        self,
        name: str,
        kind: ModelKind = ModelKind.BASE,
        on: Sequence[tuple[str, TrainingStage]] = (),
        parents: Sequence[tuple[str, ParentRole]] = (),
        **more: Any,
    ) -> None:
        base = ModelV2(
            name,
            "1",
            tuple(Training(data, inventory(data).sha256, stage) for data, stage in on),
            recorded=self.today,
            kind=kind,
            evidence=OBSERVED,
            parents=tuple(Parent(item, self.thing(item).sha256, role) for item, role in parents),
            licence=Licence("LicenseRef-kumo-models", digest("licence", name)),
        )
        self.tell(name, replace(base, **more), weights(name))

    def trained(self, name: str, began: datetime, ended: datetime, **more: Any) -> None:
        """Whoever ran it attests the run of a model, on what the model is registered with."""
        stated = self.log[self._place(name)].statement.predicate
        assert isinstance(stated, ModelV2)
        run = replace(TrainingRun("party:tsuki", began, ended, OBSERVED, stated.training), **more)
        self.tell(f"run of {name}", run, weights(name), by_registrar=False)

    def grant(self, grant_id: str, about: Iterable[str], *uses: Use, since: datetime, **more: Any) -> None:
        secrets = (commitment(grant_id),)
        base = GrantV2(grant_id, uses, since, None, secrets, recorded=self.today, document=True)
        self.tell(grant_id, replace(base, **more), *(self.thing(name) for name in about))

    def revoke(self, grant_id: str, effective: datetime) -> None:
        about = self.log[self._place(grant_id)].statement.subjects
        self.tell(f"end of {grant_id}", GrantRevocation(grant_id, effective, self.today), *about)

    def service(self, vendor: str, product: str, snapshot: str) -> str:
        found = Service(vendor, product, snapshot)
        self.services[found.name] = found
        base = ModelV2(
            found.name,
            snapshot,
            recorded=self.today,
            kind=ModelKind.SERVICE,
            service=found,
            evidence=OBSERVED,
        )
        self.tell(found.name, base, found.subject)
        return found.name

    def terms(self, service: str, plan: str, since: datetime, **more: Any) -> None:
        vendor, product = self.services[service].vendor, self.services[service].product
        base = ServiceTerms(
            vendor,
            product,
            plan,
            since,
            self.today,
            self.today,
            Ownership.USER,
            InputTraining.DISABLED,
            output_as_training=False,
        )
        name = f"terms of {service} for {plan}"
        self.tell(name, replace(base, **more), file(f"{name}, {self.today:%Y-%m-%d}"))

    # What people decide

    def review(self, name: str, standing: Standing = Standing.ACCEPTED, **more: Any) -> None:
        told = Review(standing, "actor:legal", self.today, self.today)
        self.tell(f"review of {name}", replace(told, **more), self.thing(name))

    def consent(self, person: str, covers: str, since: datetime, **more: Any) -> None:
        told = replace(Consent(f"CONSENT-{person}", person, covers, since, self.today), **more)
        self.tell(f"consent of {person}", told, told.subject)

    def approve(self, kind: ApprovalKind, name: str, by: str, **more: Any) -> None:
        told = Approval(kind, Decision.APPROVED, by, self.today, self.today)
        self.tell(f"approval of {name}", replace(told, **more), self.thing(name))

    def accept(self, code: Code, name: str, *approvers: str, until: datetime, **more: Any) -> None:
        told = Override(code, approvers, self.today, until, commitments=(commitment(code.value),))
        self.tell(f"override of {name}", replace(told, **more), self.thing(name))

    def finds(self, finding_id: str, kind: FindingKind, picture: str, **more: Any) -> None:
        """A linter or a search finds something about a picture, and leaves it open."""
        told = Finding(finding_id, kind, FindingState.OPEN, "linter/1", OBSERVED, self.today)
        self.tell(finding_id, replace(told, **more), file(picture), by_registrar=False)

    def closes(self, finding_id: str, state: FindingState) -> None:
        stated = self.log[self._place(finding_id)].statement
        assert isinstance(stated.predicate, Finding)
        told = replace(stated.predicate, state=state, evaluator="actor:director", recorded=self.today)
        self.tell(finding_id, told, *stated.subjects)

    # The work

    def makes(self, picture: str, *used: tuple[str, Role], at: datetime | None = None, **more: Any) -> str:
        """A tool runs and writes a picture from what it used; return the picture's name."""
        finished = at or self.today
        step = StepV2(
            f"step {len(self.log)}",
            more.pop("action", StepAction.GENERATE),
            more.pop("evidence", OBSERVED),
            Place("nightfall", "sq010", "sh020", "paint", "v001"),
            finished - timedelta(minutes=5),
            finished,
            "actor:9f3b6c52",
            Tool("ComfyUI", "0.3.60"),
            materials=tuple(replace(self.thing(name), role=role) for name, role in used),
            service=self.services.get(more.get("service", "")),
            plan_tier=more.get("plan"),
            people=more.get("people", ()),
        )
        self.tell(f"making of {picture}, {len(self.log)}", step, file(picture), by_registrar=False)
        return picture

    def basis(self, picture: str, seen: tuple[str, ...] = ()) -> frozenset[Item]:
        """Return what a picture rests on."""
        about = file(picture)
        if picture in seen:
            return frozenset((Item(ItemKind.CYCLE, about.sha256, picture),))
        ways = [
            own_items(record.statement.subjects, step) | self._inputs(step, (*seen, picture))
            for record in self.log
            if isinstance(step := record.statement.predicate, StepV2) and about in record.statement.subjects
        ]
        found = frozenset[Item]().union(*ways, self._findings(about))
        if len(set(ways)) > 1:
            found |= {Item(ItemKind.FORK, about.sha256, picture)}
        if picture in self.suspect:
            found |= {Item(ItemKind.INVALID, about.sha256, picture, self.suspect[picture])}
        return found

    def _inputs(self, step: StepV2, seen: tuple[str, ...]) -> frozenset[Item]:
        inputs = filter(is_lineage, step.materials)
        return frozenset[Item]().union(
            *(
                self.basis(item.name, seen) if self._knows_maker(item) else {unexplained(item, step)}
                for item in inputs
            )
        )

    def _knows_maker(self, item: Artifact) -> bool:
        made = replace(item, role=None)
        return any(
            isinstance(record.statement.predicate, StepV2) and made in record.statement.subjects
            for record in self.log
        )

    def _findings(self, about: Artifact) -> Iterable[Item]:
        for record in self.log:
            told = record.statement
            if isinstance(told.predicate, Finding) and about in told.subjects:
                yield finding_item(about, told.predicate)

    # The question

    def facts(self, known: datetime | None = None) -> Facts:
        return Facts(self.log, max((record.index for record in self.log), default=0) + 1, known)

    def clear(
        self,
        picture: str,
        profile: Profile,
        delivery: Delivery,
        at: datetime,
        known: datetime | None = None,
    ) -> Clearance:
        return Engine(self.facts(known), profile, delivery, at).clear(self.basis(picture))


def readable(statement: Statement) -> Statement:
    """Return the statement as a reader finds it in the log. Raises as the reader would."""
    return statements.decode(statements.encode(statement))


def scope(**limits: Any) -> Scope:
    return Scope(**{name: tuple(items) for name, items in limits.items()})


def sources(*models: str) -> tuple[Source, ...]:
    return tuple(Source(name, weights(name).sha256) for name in models)
