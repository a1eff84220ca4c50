"""A studio whose every name is what an attacker would choose: of shots, files, tools, parties, grants."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any
from zlib import crc32

from ledger.adapters.home import Home
from ledger.adapters.settings import Settings
from ledger.core.artifact import Artifact
from ledger.core.predicates import Consent, Party, Title
from ledger.core.statement import Statement
from ledger.testing import FixedClock
from ledger.wiring import REGISTRAR, open_studio
from ledger.wiring.enrolment import enrol_device, found_studio
from tests.support.feature import OPENED, PRODUCTION, SERVICES, Feature
from tests.support.feature_home import AT, append
from tests.support.feature_rights import later, rights

TRICKS = (
    "<script>window.hacked=1</script>",
    "\"'><img src=x onerror=window.hacked=1>",
    "</title></textarea></svg><svg onload=window.hacked=1>",
    "' autofocus onfocus=window.hacked=1 x='",
    "{{ 7*7 }}{% raise %}%(x)s%s%%",
    "javascript:window.hacked=1",
    "a/b?c=d&e#f%2e%2e/../..;g",
    "שלום بحر ليل",
    "z\u200bw\u200d\ufeff\u00ad",
    "👩\u200d👩\u200d👧🌊" * 5,
    "W" * 980,
    "夜" * 400,
)
_NAMES = {
    "Artifact": {"name"},
    "Title": {"title_id", "name"},
    "Party": {"party_id", "name"},
    "Consent": {"consent_id", "person", "covers"},
    "DatasetV2": {"name", "version"},
    "ModelV2": {"name", "version"},
    "Parent": {"name"},
    "Training": {"dataset"},
    "TrainingRun": {"trainer"},
    "GrantV2": {"grant_id", "assigner"},
    "GrantRevocation": {"grant_id"},
    "Review": {"reviewer"},
    "Approval": {"by"},
    "Override": {"approvers"},
    "Service": {"vendor", "product", "snapshot"},
    "ServiceTerms": {"vendor", "product", "plan_tier", "retention"},
    "Indemnity": {"conditions", "met"},
    "Place": {"episode", "sequence", "shot", "task", "version"},
    "Tool": {"name", "version"},
    "StepV2": {"actor", "people", "plan_tier"},
}
_SERVICES = {each.subject.sha256: each for each in SERVICES}


def hostile(name: str) -> str:
    """Return the name that stands for this one: always the same, and nobody else's."""
    return f"{name} {TRICKS[crc32(name.encode()) % len(TRICKS)]}"


def hostile_home(folder: Path, feature: Feature) -> Home:
    """Found a studio in a new folder, with such a feature in its log."""
    home, clock = Home(folder, None), FixedClock(OPENED)
    name = "Studio <b>Kumo</b> " + TRICKS[0]
    found_studio(
        home, Settings(name, PRODUCTION, f"ledger.kumo.example/{PRODUCTION}", "public"), "workstation", clock
    )
    enrol_device(home, "stolen", clock)
    clock.moment = AT
    with open_studio(home, clock) as studio:
        registrar = home.statement_signer(REGISTRAR)
        devices = {each: home.statement_signer(each) for each in ("workstation", "stolen")}
        append(studio, ((registrar, renamed(each)) for each in rights(feature)))
        append(studio, ((devices[who], renamed(each)) for who, each in feature.statements()))
        append(studio, ((registrar, renamed(each)) for each in later(feature)))
    return home


def renamed(statement: Statement) -> Statement:
    """Return the statement with every name in it a hostile one; what names the same thing still does."""
    made: Statement = _renamed(statement)
    if isinstance(made.predicate, Title | Party | Consent):
        return replace(made, subjects=(made.predicate.subject,))
    return made


def _renamed(value: Any, name: bool = False) -> Any:
    if isinstance(value, tuple):
        return tuple(_renamed(each, name) for each in value)
    if isinstance(value, Artifact) and value.sha256 in _SERVICES:
        bought = _renamed(_SERVICES[value.sha256]).subject
        return replace(value, name=bought.name, sha256=bought.sha256)
    if is_dataclass(value) and not isinstance(value, type):
        kind = type(value).__name__
        names = _NAMES.get(kind, set())
        had = {each.name: getattr(value, each.name) for each in fields(value)}
        made = {field: _renamed(each, field in names) for field, each in had.items()}
        if kind.startswith("Service"):  # three of its names make one, parted by slashes
            made |= {
                field: made[field].replace("/", "-")[:300]
                for field in names & {"vendor", "product", "snapshot"}
            }
        return replace(value, **made)
    return hostile(value) if name and isinstance(value, str) else value
