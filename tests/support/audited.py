"""A small production in which every table of the audit report about things has rows, each for a reason.

Four shots: ``sh010`` rests on a merge of two models, ``sh020`` on a remote service whose indemnity was
withdrawn since, ``sh030`` was drawn, in part by hand alone, ``sh040`` used weights that nobody registered.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ledger.adapters.profiles import load
from ledger.adapters.sql.basis import SqlBasisStore
from ledger.adapters.sql.reading import SqlReadingStore
from ledger.adapters.sql.store import SqlEntryStore
from ledger.core.artifact import Artifact, Role
from ledger.core.audit import Report
from ledger.core.disclosure import commit
from ledger.core.predicates import Predicate
from ledger.core.predicates.approval import ApprovalKind, Decision
from ledger.core.predicates.finding import FindingKind, FindingState
from ledger.core.predicates.grant import Grant, Use
from ledger.core.predicates.grant_v2 import Afterwards, Exclusivity, LegalBasis
from ledger.core.predicates.model import Model, Training, TrainingStage
from ledger.core.predicates.model_v2 import ModelKind, Parent, ParentRole
from ledger.core.predicates.review import Standing
from ledger.core.predicates.scope import EVERYWHERE, Scope
from ledger.core.predicates.seal import Form, Seal, SealedManifest
from ledger.core.predicates.service_terms import Indemnity, InputTraining
from ledger.core.predicates.step import Evidence, Place, StepAction, Tool
from ledger.core.predicates.step_v2 import StepV2
from ledger.core.statement import Statement
from ledger.service.clear.question import Asked, ask, clearer_over, see
from ledger.service.report.population import Population, of_targets
from ledger.service.report.report import Made, make
from ledger.service.studio import Studio
from tests.support import stated
from tests.support.bare_studio import opened, say, studio_on
from tests.support.builders import DAY, END, INVENTORY, NOW, START, USED, commitment, digest
from tests.support.log import ORIGIN, database

SERVICE = stated.SERVICE
LATER = datetime(2026, 4, 1, tzinfo=UTC)
"""When the service's terms changed."""
CONTRACT = digest("contract of Kiri")
OPENING = commit(b"0123456789abcdef", "contract", f"sha256:{CONTRACT}")
NUKE, COMFY, PEN = Tool("Nuke", "16.0", digest("nuke")), Tool("ComfyUI", "0.3.60"), Tool("Pencil", "2")


def thing(name: str, role: Role | None = None) -> Artifact:
    """Return a model, a dataset or a file whose bytes are named as it is."""
    return Artifact(name, INVENTORY if name == "plates" else digest(name), role=role)


def model(name: str, kind: ModelKind = ModelKind.BASE, **changes: Any) -> Statement:
    """Return the registration of a model."""
    changes.setdefault("training", ())
    changes.setdefault("parents", ())
    return Statement((thing(name),), stated.model_v2(name=name, kind=kind, **changes))


def dataset(name: str, **changes: Any) -> Statement:
    """Return the registration of a dataset."""
    base: dict[str, Any] = {"curation": None, "outputs_of": (), "composition": ()}
    return Statement((thing(name),), stated.dataset_v2(name=name, **(base | changes)))


def grant(grant_id: str, *about: str, **changes: Any) -> Statement:
    """Return a grant without limits about these things."""
    base: dict[str, Any] = {
        "version": 1,
        "valid_from": START,
        "valid_until": None,
        "term": None,
        "scope": EVERYWHERE,
        "exclusivity": Exclusivity.NONE,
        "attribution": None,
    }
    return Statement(tuple(map(thing, about)), stated.grant_v2(grant_id=grant_id, **(base | changes)))


def step(
    action: StepAction, shot: str, *files: str | Artifact, of: tuple[Artifact, ...] = (), **changes: Any
) -> Statement:
    """Return a step that wrote these files in a shot."""
    service = changes.get("service")
    materials = (*of, Artifact(service.name, service.subject.sha256, role=Role.MODEL)) if service else of
    base: dict[str, Any] = {
        "evidence": Evidence.OBSERVED,
        "actor": "actor:mika",
        "tool": NUKE,
        "finished": USED,
    } | changes
    finished = base.pop("finished")
    written = tuple(item if isinstance(item, Artifact) else thing(item) for item in files)
    place = Place("nightfall", "sq010", shot, base.pop("task", "comp"), "v001")
    made = StepV2(
        step_id="-".join(item.name for item in written),
        action=action,
        place=place,
        started=finished - timedelta(minutes=5),
        finished=finished,
        materials=materials,
        **base,
    )
    return Statement(written, made)


def terms(name: str, **changes: Any) -> Statement:
    """Return a snapshot of the service's terms."""
    return Statement((Artifact(f"{name}.html", digest(name)),), stated.service_terms(**changes))


@dataclass
class Audited:
    """The production. ``at`` has the entry of each statement, by the name that it was given."""

    studio: Studio
    at: dict[str, int] = field(default_factory=dict)

    def say(self, name: str, statement: Statement | Predicate) -> None:
        """Append a statement under a name."""
        self.at[name] = say(self.studio, statement)

    def made(self, moment: datetime = NOW, *targets: str) -> Made:
        """Return the report of these targets, else of everything, at a moment."""
        question = ask(self.studio, load("broadcast-jp"), Asked(at=moment))
        clearer = clearer_over(see(self.studio), question)
        return make(self.studio, clearer, self.population(*targets))

    def population(self, *targets: str) -> Population:
        """Return the files of these targets, else all."""
        return of_targets(self.studio, targets or (".",))

    def entries(self, *names: str) -> tuple[int, ...]:
        """Return the entries of these statements, ascending."""
        return tuple(sorted(self.at[name] for name in names))


def rows(report: Report, table: str, *keys: str) -> dict[Any, dict[str, Any]]:
    """Return the rows of a table as objects, by their cells in these columns."""
    found = report.tables[table]
    names = [column.key for column in found.schema.columns]
    objects = [dict(zip(names, row, strict=True)) for row in found.shown]
    return {tuple(item[key] for key in keys) if keys[1:] else item[keys[0]]: item for item in objects}


@contextmanager
def production(folder: Path) -> Iterator[Audited]:
    """Open the production on a database in an empty folder."""
    with database(folder) as engine:
        entries, bases = SqlEntryStore(engine, ORIGIN), SqlBasisStore(engine, ORIGIN)
        audited = Audited(opened(studio_on(entries, bases, rows=SqlReadingStore(engine, ORIGIN))))
        for tell in (_registry, _rights, _people, _decisions, _work):
            tell(audited)
        audited.studio.openings.put({OPENING.digest: OPENING.text})
        yield audited


def _registry(audited: Audited) -> None:
    audited.say("title", stated.title())
    audited.say("kiri", stated.party())
    audited.say("person", stated.person())
    audited.say("plates", dataset("plates", composition=(("origin: JP", 3),)))
    audited.say("sketches", dataset("sketches", inventory=None, works=10, rights_holders=4, licence=None))
    trained = (Training("plates", INVENTORY, TrainingStage.FOCUSED),)
    founded = (Training("sketches", digest("sketches"), TrainingStage.FOUNDATION),)
    audited.say("kiri-lora", model("kiri-lora", ModelKind.LORA, training=trained))
    audited.say("run", Statement((thing("kiri-lora"),), stated.training_run(training=trained)))
    audited.say("open-base", model("open-base", training=founded, licence=None))
    parents = (
        Parent("kiri-lora", digest("kiri-lora"), ParentRole.MERGED, "0.25"),
        Parent("open-base", digest("open-base"), ParentRole.MERGED, "0.75"),
    )
    audited.say("studio-xl", model("studio-xl", ModelKind.MERGE, parents=parents))
    audited.say("inker", Statement((thing("inker"),), Model("inker", "1")))
    audited.say("service", stated.service_model())
    offered = Indemnity(("filters are on",), ("filters are on",))
    begun, until = START, LATER
    audited.say("terms", terms("terms", indemnity=offered, effective_from=begun, effective_until=until))
    worse = {"indemnity": None, "input_training": InputTraining.DISABLED, "retention": "90 days"}
    later: dict[str, Any] = {
        "effective_from": LATER,
        "effective_until": None,
        "fetched": LATER,
        "recorded": LATER,
    }
    audited.say("terms later", terms("terms later", **worse, **later))


def _rights(audited: Audited) -> None:
    secrets = (commitment("licensor"), OPENING.digest)
    audited.say(
        "LIC-7",
        grant(
            "LIC-7", "plates", "kiri-lora", version=3, commitments=secrets,
            scope=Scope(("NF-S1",), (), ("001",), ("CN",)), valid_until=END,
            on_expiry=Afterwards.OUTPUTS_SURVIVE,
        ),
    )  # fmt: skip
    audited.say("LIC-8", grant("LIC-8", "sketches", uses=(Use.FOUNDATION_TRAINING,), assigner="party:7c1e"))
    ended = stated.grant_revocation(grant_id="LIC-8", effective=USED + 30 * DAY)
    audited.say("LIC-8 ends", Statement((thing("sketches"),), ended))
    first = Grant("LIC-9", (Use.INFERENCE_RUN, Use.OUTPUT_FINAL), START, USED, (commitment("licensor"),))
    audited.say("LIC-9", Statement((thing("studio-xl"),), first))
    own = {"legal_basis": LegalBasis.OWN_WORK, "assigner": "party:kumo", "document": False}
    audited.say("OWN-1", grant("OWN-1", "sh030.1001.exr", valid_from=END, **own))
    law = {"legal_basis": LegalBasis.STATUTORY_EXCEPTION, "statute": "JP-30-4", "document": False}
    audited.say("LAW-1", grant("LAW-1", "open-base", uses=(Use.INFERENCE_RUN,), assigner=None, **law))
    audited.say("LIC-0", grant("LIC-0", "elsewhere"))


def _people(audited: Audited) -> None:
    anywhere = {"scope": EVERYWHERE, "valid_until": None}
    for name, person, begins, recorded in (
        ("late", "person:late", USED + DAY, USED),
        ("good", "person:good", START, START),
        ("told late", "person:told-late", START, USED + DAY),
    ):
        said = stated.consent(
            consent_id=name, person=person, valid_from=begins, recorded=recorded, **anywhere
        )
        audited.say(f"consent {name}", said)
    finding = stated.finding(person="person:named", kind=FindingKind.PERFORMER_NAME, state=FindingState.OPEN)
    audited.say("finding", Statement((thing("sh020.1002.exr"),), finding))


def _decisions(audited: Audited) -> None:
    contested = stated.review()
    accepted = stated.review(standing=Standing.ACCEPTED, since=START, source=None)
    audited.say("accepted", Statement((thing("plates"), thing("kiri-lora")), accepted))
    audited.say("contested", Statement((thing("stray"),), contested))
    audited.say("tool", Statement((SERVICE.subject,), stated.approval()))
    refused = stated.approval(kind=ApprovalKind.FINAL_OUTPUT, decision=Decision.REFUSED, reference=None)
    audited.say("refused", Statement((thing("studio-xl"),), refused))
    shown = stated.approval(kind=ApprovalKind.FINAL_OUTPUT, by="party:kiri", titles=())
    audited.say("shown", Statement((thing("sh030.1001.exr"), thing("elsewhere")), shown))
    audited.say("override", Statement((thing("studio-xl"),), stated.override()))
    audited.say("of another", Statement((thing("elsewhere"),), contested))


def _work(audited: Audited) -> None:
    by = StepAction
    uses = (thing("studio-xl", Role.MODEL),)
    painted: dict[str, Any] = {"actor": "actor:aoi", "task": "bg", "tool": COMFY, "finished": USED - DAY}
    audited.say("bg", step(by.GENERATE, "sh010", "bg.1001.png", of=uses, **painted))
    parent = (thing("bg.1001.png", Role.PARENT),)
    audited.say("grade", step(by.EDIT, "sh010", "sh010.1001.exr", "sh010.1002.exr", of=parent))
    sealed = SealedManifest(digest("store"), digest("sh010.1002.exr"), Form.EMBEDDED)
    audited.say("seal", Statement((thing("sh010.1002.sealed.exr"),), Seal(USED + DAY, (sealed,))))
    remote: dict[str, Any] = {
        "service": SERVICE,
        "plan_tier": "enterprise",
        "tool": COMFY,
        "actor": "actor:aoi",
    }
    people: dict[str, Any] = {"people": ("person:good", "person:late", "person:told-late")}
    audited.say("remote", step(by.GENERATE, "sh020", "sh020.1001.exr", **remote, **people))
    later: dict[str, Any] = {"finished": LATER + 9 * DAY}
    audited.say("remote later", step(by.GENERATE, "sh020", "sh020.1002.exr", **remote, **later))
    audited.say("remote free", step(by.GENERATE, "sh020", "sh020.1003.exr", **remote | {"plan_tier": "free"}))
    hand: dict[str, Any] = {"tool": PEN, "task": "key", "evidence": Evidence.DECLARED}
    audited.say("draw", step(by.DRAW, "sh030", "sh030.1001.exr", **hand))
    inked = (thing("inker", Role.MODEL), thing("plates", Role.DATASET))
    audited.say("ink", step(by.EDIT, "sh030", "sh030.1002.exr", of=inked, **hand | later))
    stray = (thing("stray", Role.MODEL),)
    audited.say("stray", step(by.GENERATE, "sh040", "sh040.1001.exr", of=stray, tool=COMFY))
    audited.say("scrap", step(by.DRAW, "sh050", "sh050.1001.exr", tool=PEN, actor="actor:rin"))


def holds(row: dict[str, Any], /, **expected: Any) -> None:
    """Assert every cell that is named; the others must be empty, or say that nothing was counted."""
    empty = {key: value for key, value in row.items() if key not in expected}
    assert {key: row[key] for key in expected} == expected
    assert all(value in (None, (), 0) for value in empty.values()), empty
