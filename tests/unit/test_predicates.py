"""Each predicate's own rules, by the field that breaks them."""

import pytest

from ledger.core import statement as statements
from ledger.core.artifact import ROLES_V1, Artifact, Role
from ledger.core.predicates import Predicate, read_predicate
from ledger.core.predicates.grant import USES_V1, Use
from ledger.core.predicates.step import Place, Tool
from ledger.errors import MalformedError
from tests.support.builders import (
    USED,
    dataset,
    digest,
    enrolment,
    grant,
    incident,
    model,
    seal,
    statement,
    step,
)
from tests.support.defects import Change, nested, refusal

REQUIRED: dict[str, tuple[Predicate, list[str]]] = {
    "step": (step(), ["stepId", "action", "evidence", "place", "started", "finished", "actor", "tool"]),
    "dataset": (dataset(), ["name", "version", "works", "rightsHolders"]),
    "model": (model(), ["name", "version"]),
    "grant": (grant(), ["grantId", "uses", "validFrom"]),
    "enrolment": (enrolment(), ["device", "role", "publicKey", "validFrom", "validUntil"]),
    "seal": (seal(), ["sealed", "manifests"]),
    "incident": (
        incident(),
        ["log", "reason", "heldSize", "heldRoot", "signedSize", "signedRoot"],
    ),
}


@pytest.mark.parametrize(
    ("predicate", "name"),
    [
        pytest.param(predicate, name, id=f"{kind}.{name}")
        for kind, (predicate, names) in REQUIRED.items()
        for name in names
    ],
)
def test_a_required_field_may_not_be_missing(predicate: Predicate, name: str) -> None:
    code, message = refusal(predicate, lambda d: d.pop(name))
    assert code == "statement.field"
    assert name in message


@pytest.mark.parametrize("kind", REQUIRED)
def test_an_unknown_field_is_refused(kind: str) -> None:
    code, message = refusal(REQUIRED[kind][0], lambda d: d.update(extra=1))
    assert (code, "predicate.extra" in message) == ("statement.field", True)


DEFECTS: dict[str, tuple[Predicate, Change, str]] = {
    "step that ends before it starts": (
        step(),
        nested("finished", value="2025-01-01T00:00:00Z"),
        "statement.field",
    ),
    "step with an action of its own": (step(), nested("action", value="paint"), "statement.field"),
    "step with unknown evidence": (step(), nested("evidence", value="guessed"), "statement.field"),
    "step without a production": (step(), nested("place", "production"), "statement.field"),
    "step in an unknown place": (step(), nested("place", "studio", value="x"), "statement.field"),
    "frames out of order": (step(), nested("place", "frames", "last", value=1), "statement.field"),
    "frames as floats": (step(), nested("place", "frames", "last", value=2000.0), "statement.field"),
    "frames as booleans": (step(), nested("place", "frames", "last", value=True), "statement.field"),
    "frames as text": (step(), nested("place", "frames", "last", value="1001"), "statement.field"),
    "half a frame range": (step(), nested("place", "frames", "last"), "statement.field"),
    "tool without a version": (step(), nested("tool", "version"), "statement.field"),
    "tool with a short digest": (step(), nested("tool", "sha256", value="00"), "digest.malformed"),
    "material without a role": (step(), nested("materials", 0, "annotations"), "statement.field"),
    "material in an unknown role": (
        step(),
        nested("materials", 0, "annotations", "role", value="muse"),
        "statement.field",
    ),
    **{
        f"material in the later role {role}": (
            step(),
            nested("materials", 0, "annotations", "role", value=role.value),
            "statement.field",
        )
        for role in Role
        if role not in ROLES_V1
    },
    "material with only pixels": (
        step(),
        nested("materials", 0, "annotations", value={"pixels": "0" * 64}),
        "statement.field",
    ),
    "parameter that is a number": (step(), nested("parameters", "seed", value=12345), "statement.field"),
    "parameter with a hostile name": (step(), nested("parameters", "\x1b", value="1"), "statement.field"),
    "empty parameters": (step(), nested("parameters", value={}), "statement.field"),
    "secret in the open": (step(), nested("_sd", value=["a secret prompt"]), "statement.field"),
    "dataset of no works": (dataset(), nested("works", value=0), "statement.field"),
    "dataset of -1 works": (dataset(), nested("works", value=-1), "statement.field"),
    "dataset of no rights holders": (dataset(), nested("rightsHolders", value=0), "statement.field"),
    "more rights holders than works": (dataset(), nested("rightsHolders", value=4), "statement.field"),
    "works as a boolean": (dataset(), nested("works", value=True), "statement.field"),
    "training in an unknown stage": (
        model(),
        nested("training", 0, "stage", value="pre"),
        "statement.field",
    ),
    "training on a short digest": (model(), nested("training", 0, "sha256", value="0"), "digest.malformed"),
    "training with a note": (model(), nested("training", 0, "note", value="x"), "statement.field"),
    "empty training": (model(), nested("training", value=[]), "statement.field"),
    "grant of nothing": (grant(), nested("uses", value=[]), "statement.field"),
    "grant of an unknown use": (grant(), nested("uses", value=["everything"]), "statement.field"),
    **{
        f"grant of the later use {use}": (grant(), nested("uses", value=[use.value]), "statement.field")
        for use in Use
        if use not in USES_V1
    },
    "grant of a number": (grant(), nested("uses", value=[1]), "statement.field"),
    "grant that ends as it begins": (
        grant(),
        nested("validUntil", value="2026-01-01T00:00:00Z"),
        "statement.field",
    ),
    "grant to the licensor's name": (grant(), nested("_sd", value=["Ghibli"]), "statement.field"),
    "enrolment in an unknown role": (enrolment(), nested("role", value="root"), "statement.field"),
    "enrolment of a key in hex": (enrolment(), nested("publicKey", value="00ff0"), "statement.field"),
    "enrolment that ends as it begins": (
        enrolment(),
        nested("validUntil", value="2026-01-01T00:00:00Z"),
        "statement.field",
    ),
    "enrolment with a short certificate digest": (
        enrolment(),
        nested("certificate", value="00"),
        "digest.malformed",
    ),
    "incident that lost less than nothing": (
        incident(),
        nested("heldSize", value=-1),
        "statement.field",
    ),
    "incident of an empty log": (incident(), nested("signedSize", value=0), "statement.field"),
    "incident with a size in words": (incident(), nested("signedSize", value="7"), "statement.field"),
    "incident with a short root": (incident(), nested("heldRoot", value="00"), "digest.malformed"),
    "seal of nothing": (seal(), nested("manifests", value=[]), "statement.field"),
    "seal in an unknown form": (seal(), nested("manifests", 0, "form", value="ink"), "statement.field"),
    "seal of a short digest": (seal(), nested("manifests", 0, "store", value="0"), "digest.malformed"),
    "seal without a source": (seal(), nested("manifests", 0, "source"), "statement.field"),
    "seal with a note": (seal(), nested("manifests", 0, "note", value="x"), "statement.field"),
}


@pytest.mark.parametrize(("predicate", "change", "code"), DEFECTS.values(), ids=DEFECTS)
def test_defect(predicate: Predicate, change: Change, code: str) -> None:
    assert refusal(predicate, change)[0] == code


def test_an_unknown_type_has_no_reader() -> None:
    with pytest.raises(MalformedError) as error:
        read_predicate("https://rakkan.org/step/v9", {})
    assert error.value.code == "statement.predicate-type"


VALID: dict[str, Predicate] = {
    "bare step": step(
        place=Place("nightfall"), tool=Tool("x", "1"), materials=(), parameters={}, commitments=()
    ),
    "step in an instant": step(started=USED),
    "negative frames": step(place=Place("nightfall", frames=(-10, -1))),
    "tool by digest": step(tool=Tool("x", "1", digest("x"))),
    "every role": step(materials=tuple(Artifact(role, digest(role), role=role) for role in ROLES_V1)),
    "material with pixels": step(
        materials=(Artifact("a", digest("a"), "image/png", digest("p"), Role.PARENT),)
    ),
    "perpetual grant": grant(valid_until=None),
    "model of unknown training": model(training=()),
    "device without a certificate": enrolment(certificate=None),
    "other language": step(actor="actor:落款", parameters={"スタイル": "水彩 😀"}),
}


@pytest.mark.parametrize("predicate", VALID.values(), ids=VALID)
def test_what_may_be_left_out_may_be_left_out(predicate: Predicate) -> None:
    payload = statements.encode(statement(predicate))
    assert statements.decode(payload).predicate == predicate


def test_times_keep_whole_seconds_only() -> None:
    stated = statement(step(finished=USED.replace(microsecond=1)))
    assert statements.decode(statements.encode(stated)).predicate == step()
