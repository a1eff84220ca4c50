"""What goes into a manifest about the things a file was made from, and what of it can be read again."""

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.core.containers import png
from ledger.core.manifest import (
    Action,
    Finding,
    Ingredient,
    ManifestFacts,
    ManifestPlan,
    Reading,
    Relationship,
)
from ledger.errors import RakkanError
from tests.support import media
from tests.support.sealing import IPTC, Workshop, plan, stranger, workshop

WHEN = datetime(2026, 11, 20, 12, tzinfo=UTC)
WEIGHTS = sha256(b"weights").hexdigest()
DATASET = sha256(b"a list of works").hexdigest()
OPENED = Action("c2pa.opened", WHEN, ingredient_labels=("parent-1",))
EDITED = Action("c2pa.edited", WHEN, f"{IPTC}humanEdits", "Krita", "5.2")


def sidecar(shop: Workshop, digest: str, *inputs: Ingredient) -> bytes:
    return shop.codec.seal_digest(plan("application/octet-stream", inputs), digest, shop.credential)


def model(
    store: bytes | None, digest: str | None = WEIGHTS, relationship: Relationship = Relationship.INPUT
) -> Ingredient:
    return Ingredient(
        "model-1",
        "lantern-xl 2.1",
        relationship,
        "application/octet-stream",
        "c2pa.types.model",
        store,
        digest,
    )


def read_sidecar(store: bytes, folder: Path) -> Reading:
    """Read a store against a file whose bytes are `folder`'s own: only ancestry is looked at."""
    (folder / "any.txt").write_bytes(b"weights")
    reading = workshop().codec.read(folder / "any.txt", store, workshop().anchors)
    assert reading is not None
    return reading


def seal_frame(folder: Path, *inputs: Ingredient, name: str = "png") -> Reading:
    shop = workshop()
    source = media.make(name, folder, "source")
    target = folder / f"sealed{source.suffix}"
    shop.codec.seal_file(plan(media.FORMATS[name][0], inputs), source, target, shop.credential)
    reading = shop.codec.read(target, None, shop.anchors)
    assert reading is not None
    return reading


def codes(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.code for finding in findings}


def recorded(manifest: ManifestFacts, name: str = "c2pa.ingredient.v3") -> set[str]:
    """Every success code that was recorded about an ingredient."""
    results = manifest.assertions[name]["validationResults"]["activeManifest"]
    return {item["code"] for item in results["success"]}


@pytest.mark.parametrize("name", ["png", "jpg", "tif", "mp4"])
def test_a_frame_shows_its_model_and_the_models_dataset(name: str, tmp_path: Path) -> None:
    shop = workshop()
    listing = Ingredient(
        "dataset-1",
        "plates 2025",
        Relationship.INPUT,
        "text/csv",
        "c2pa.types.dataset",
        sidecar(shop, DATASET),
        DATASET,
    )
    prompt = Ingredient(
        "prompt-1",
        "prompt",
        Relationship.INPUT,
        "application/json",
        "c2pa.types.generator.prompt",
        data=b'{"_sd":[]}',
    )
    reading = seal_frame(tmp_path, model(sidecar(shop, WEIGHTS, listing)), prompt, name=name)
    assert (reading.state, reading.failure, reading.deltas, len(reading.manifests)) == ("Trusted", (), (), 3)
    by_title = {item.title: item for item in reading.active_manifest.ingredients}
    assert by_title["prompt"].manifest is None
    assert (by_title["prompt"].validated, by_title["prompt"].data_types) == (
        False,
        ("c2pa.types.generator.prompt",),
    )
    assert by_title["lantern-xl 2.1"].data_types == ("c2pa.types.model",)
    weights = reading.manifests[by_title["lantern-xl 2.1"].manifest or ""]
    assert weights.bound_sha256 == WEIGHTS
    (below,) = weights.ingredients
    assert (below.title, below.relationship, below.failures) == ("plates 2025", "inputTo", ())
    assert reading.manifests[below.manifest or ""].bound_sha256 == DATASET


def test_a_known_digest_settles_the_binding(tmp_path: Path) -> None:
    reading = seal_frame(tmp_path, model(sidecar(workshop(), WEIGHTS)))
    assert reading.active_manifest.ingredients[0].failures == ()
    assert "assertion.dataHash.match" in recorded(reading.active_manifest)


def test_another_digest_is_recorded_as_a_mismatch(tmp_path: Path) -> None:
    reading = seal_frame(tmp_path, model(sidecar(workshop(), WEIGHTS), DATASET))
    assert codes(reading.active_manifest.ingredients[0].failures) == {"assertion.dataHash.mismatch"}
    assert "assertion.dataHash.match" not in recorded(reading.active_manifest)
    assert reading.state == "Trusted"  # fact 3: the state alone would hide it


@pytest.mark.parametrize("name", ["png", "jpg", "webp", "mp4", "gif"])
def test_without_the_bytes_no_match_is_claimed(name: str, tmp_path: Path) -> None:
    shop = workshop()
    source = media.make(name, tmp_path, "parent")
    target = tmp_path / f"sealed-parent{source.suffix}"
    sealed = shop.codec.seal_file(plan(), source, target, shop.credential)
    digest = sha256(target.read_bytes()).hexdigest()
    parent = replace(model(sealed.store, digest, Relationship.PARENT), label="parent-1")
    store = shop.codec.seal_digest(
        plan(ingredients=(parent,), actions=(OPENED, EDITED)), WEIGHTS, shop.credential
    )
    reading = read_sidecar(store, tmp_path)
    assert reading.active_manifest.ingredients[0].failures == ()
    assert "claimSignature.validated" in recorded(reading.active_manifest)
    assert not {
        code for code in recorded(reading.active_manifest) if "Hash." in code and "hashedURI" not in code
    }


def test_a_digest_that_nobody_knows_claims_no_match(tmp_path: Path) -> None:
    reading = seal_frame(tmp_path, model(sidecar(workshop(), WEIGHTS), None))
    assert reading.active_manifest.ingredients[0].failures == ()
    assert "assertion.dataHash.match" not in recorded(reading.active_manifest)


def test_a_tampered_ingredient_keeps_its_failure(tmp_path: Path) -> None:
    store = bytearray(sidecar(workshop(), WEIGHTS))
    at = store.find(b"an entry with its receipt")
    store[at : at + 2] = b"AN"
    reading = seal_frame(tmp_path, model(bytes(store)))
    assert "assertion.hashedURI.mismatch" in codes(reading.active_manifest.ingredients[0].failures)


def test_an_ingredient_by_a_stranger_keeps_its_failure(tmp_path: Path) -> None:
    reading = seal_frame(tmp_path, model(sidecar(stranger(), WEIGHTS)))
    assert codes(reading.active_manifest.ingredients[0].failures) == {"signingCredential.untrusted"}


def test_a_bad_ancestor_of_an_ingredient_shows(tmp_path: Path) -> None:
    shop = workshop()
    listing = Ingredient(
        "dataset-1",
        "plates",
        Relationship.INPUT,
        "text/csv",
        "c2pa.types.dataset",
        sidecar(stranger(), DATASET),
        DATASET,
    )
    reading = seal_frame(tmp_path, model(sidecar(shop, WEIGHTS, listing)))
    weights = reading.manifests[reading.active_manifest.ingredients[0].manifest or ""]
    assert codes(weights.ingredients[0].failures) == {"signingCredential.untrusted"}


@pytest.mark.parametrize("damage", [b"", b"no store", b"\x00\x00\x00\x10jumb\x00\x00\x00\x08jumd"])
def test_an_ingredient_that_cannot_be_read_is_refused(damage: bytes, tmp_path: Path) -> None:
    with pytest.raises(RakkanError) as caught:
        workshop().codec.seal_digest(plan(ingredients=(model(damage),)), WEIGHTS, workshop().credential)
    assert caught.value.code == "manifest.malformed"


# --- the manifest that a file came with ---------------------------------------------------------------------


def inbound_file(folder: Path, name: str = "png") -> tuple[Path, bytes, str]:
    """A file that somebody sealed before: path, store, active label."""
    shop = workshop()
    source = media.make(name, folder, "original")
    target = folder / f"inbound{source.suffix}"
    sealed = shop.codec.seal_file(plan(media.FORMATS[name][0]), source, target, shop.credential)
    reading = shop.codec.read(target, None, shop.anchors)
    assert reading is not None
    return target, sealed.store, reading.active


def again(path: Path, *inputs: Ingredient, actions: tuple[Action, ...]) -> Reading:
    shop = workshop()
    target = path.with_name(f"again{path.suffix}")
    shop.codec.seal_file(plan(ingredients=inputs, actions=actions), path, target, shop.credential)
    reading = shop.codec.read(target, None, shop.anchors)
    assert reading is not None
    assert (reading.state, reading.failure) == ("Trusted", ())
    return reading


def actions_of(reading: Reading) -> list[str]:
    return [item["action"] for item in reading.active_manifest.assertions["c2pa.actions.v2"]["actions"]]


def test_it_becomes_the_opened_parent(tmp_path: Path) -> None:
    path, _, label = inbound_file(tmp_path)
    reading = again(path, actions=(EDITED,))
    (parent,) = reading.active_manifest.ingredients
    assert (parent.relationship, parent.manifest, parent.failures) == ("parentOf", label, ())
    assert actions_of(reading) == ["c2pa.opened", "c2pa.edited"]
    assert "assertion.dataHash.match" in recorded(reading.active_manifest)


def test_it_is_placed_where_the_plan_has_another_parent(tmp_path: Path) -> None:
    path, _, label = inbound_file(tmp_path)
    other = replace(model(sidecar(workshop(), WEIGHTS), relationship=Relationship.PARENT), label="parent-1")
    reading = again(path, other, actions=(OPENED, EDITED))
    kinds = {item.manifest: item.relationship for item in reading.active_manifest.ingredients}
    assert (kinds[label], sorted(kinds.values())) == ("componentOf", ["componentOf", "parentOf"])
    assert actions_of(reading) == ["c2pa.opened", "c2pa.placed", "c2pa.edited"]


def test_it_is_placed_where_the_plan_says_created(tmp_path: Path) -> None:
    path, _, label = inbound_file(tmp_path, "jpg")
    reading = again(path, actions=())
    assert [(item.relationship, item.manifest) for item in reading.active_manifest.ingredients] == [
        ("componentOf", label)
    ]
    assert actions_of(reading) == ["c2pa.created", "c2pa.placed"]


@pytest.mark.parametrize(
    ("name", "digest", "expected"),
    [
        ("exr", "its own", {"assertion.dataHash.match"}),
        ("exr", "another", {"assertion.dataHash.mismatch"}),
        ("png", "its own", set()),
    ],
)
def test_the_plans_parent_is_judged_by_its_own_digest(
    name: str, digest: str, expected: set[str], tmp_path: Path
) -> None:
    """A tool has carried the parent's manifest into the edited file: it is about the parent all the same."""
    shop, parent = workshop(), media.make(name, tmp_path, "parent")
    own = sha256(parent.read_bytes()).hexdigest()
    store = shop.codec.seal_digest(plan(), own, shop.credential)
    if name == "png":
        sealed = shop.codec.seal_file(plan("image/png"), parent, tmp_path / "sealed.png", shop.credential)
        store, own = sealed.store, sha256((tmp_path / "sealed.png").read_bytes()).hexdigest()
    data = media.make("png", tmp_path, "edited").read_bytes()
    edited = tmp_path / "carried.png"
    edited.write_bytes(data[:33] + png.frame(store) + data[33:])
    known = own if digest == "its own" else "ab" * 32
    item = Ingredient("p", "parent", Relationship.PARENT, "image/png", store=store, sha256=known)
    opened = Action("c2pa.opened", WHEN, ingredient_labels=("p",))
    reading = again(edited, item, actions=(opened,))
    (found,) = reading.active_manifest.ingredients
    said = recorded(reading.active_manifest) | codes(found.failures)
    assert {code for code in said if ".dataHash." in code} == expected


def test_it_is_not_taken_twice(tmp_path: Path) -> None:
    path, store, label = inbound_file(tmp_path)
    same = replace(model(store, None, Relationship.PARENT), label="parent-1", title="named by the plan")
    reading = again(path, same, actions=(OPENED,))
    (parent,) = reading.active_manifest.ingredients
    assert (parent.title, parent.manifest) == ("named by the plan", label)
    assert "assertion.dataHash.match" in recorded(reading.active_manifest)  # the bytes were there


@pytest.mark.parametrize("name", ["png", "jpg", "tif"])
def test_what_was_wrong_with_it_stays_visible(name: str, tmp_path: Path) -> None:
    path, store, _ = inbound_file(tmp_path, name)
    data = bytearray(path.read_bytes())
    at = data.find(store[:40])
    data[len(data) - 30 if at < len(data) // 2 else at // 2] ^= 1
    path.write_bytes(data)
    (parent,) = again(path, actions=(EDITED,)).active_manifest.ingredients
    assert codes(parent.failures) == {"assertion.dataHash.mismatch"}


def test_a_strangers_seal_stays_a_strangers(tmp_path: Path) -> None:
    other = stranger()
    source = media.make("png", tmp_path, "original")
    other.codec.seal_file(plan(), source, tmp_path / "theirs.png", other.credential)
    (parent,) = again(tmp_path / "theirs.png", actions=(EDITED,)).active_manifest.ingredients
    assert codes(parent.failures) == {"signingCredential.untrusted"}


@pytest.mark.parametrize("name", ["png", "jpg", "webp"])
def test_one_that_cannot_be_read_is_refused_and_not_dropped(name: str, tmp_path: Path) -> None:
    path, store, _ = inbound_file(tmp_path, name)
    data = path.read_bytes()
    at = data.find(store[:40]) + 40
    path.write_bytes(data[:at] + bytes(400) + data[at + 400 :])
    with pytest.raises(RakkanError) as caught:
        again(path, actions=(EDITED,))
    assert caught.value.code == "manifest.malformed"
    assert not path.with_name(f"again{path.suffix}").exists()


# --- plans that would make an invalid manifest --------------------------------------------------------------

PARENT = replace(model(None, None, Relationship.PARENT), label="parent-1")
CREATED = Action("c2pa.created", WHEN, f"{IPTC}digitalCreation")
RULES = {
    "no inception": plan(actions=(EDITED,)),
    "two inceptions": plan(actions=(CREATED, CREATED)),
    "an inception in second place": plan(actions=(EDITED, CREATED)),
    "created without a source": plan(actions=(Action("c2pa.created", WHEN),)),
    "opened without a parent": plan(actions=(Action("c2pa.opened", WHEN),)),
    "opened with a source": plan(ingredients=(PARENT,), actions=(replace(OPENED, digital_source_type=IPTC),)),
    "opened what is no parent": plan(
        ingredients=(replace(model(None), label="parent-1"),), actions=(OPENED,)
    ),
    "two parents": plan(ingredients=(PARENT, replace(PARENT, label="parent-2")), actions=(OPENED,)),
    "two ingredients of one label": plan(ingredients=(model(None), model(None)), actions=(CREATED,)),
    "an unknown ingredient": plan(actions=(replace(CREATED, ingredient_labels=("nobody",)),)),
    "no action": replace(plan(), actions=()),
}


@pytest.mark.parametrize("bad", RULES.values(), ids=RULES.keys())
def test_the_rules_that_the_library_does_not_check(bad: ManifestPlan, tmp_path: Path) -> None:
    shop = workshop()
    with pytest.raises(RakkanError) as caught:
        shop.codec.seal_digest(bad, WEIGHTS, shop.credential)
    assert caught.value.code == "seal.sign"


def test_a_plain_resave_includes_all_actions_and_nothing_else_does(tmp_path: Path) -> None:
    path, _, _ = inbound_file(tmp_path)
    resaved = again(path, replace(model(None), label="unused"), actions=(EDITED,))
    assert resaved.active_manifest.assertions["c2pa.actions.v2"]["allActionsIncluded"] is False
    shop = workshop()
    store = shop.codec.seal_digest(plan(ingredients=(PARENT,), actions=(OPENED,)), WEIGHTS, shop.credential)
    assert (
        read_sidecar(store, tmp_path).active_manifest.assertions["c2pa.actions.v2"]["allActionsIncluded"]
        is True
    )


def test_every_assertion_is_a_created_one(tmp_path: Path) -> None:
    labels = {
        "c2pa.ai-disclosure": {"modelType": "c2pa.types.model"},
        "c2pa.asset-type.v2": {"types": [{"type": "c2pa.types.model"}]},
        "cawg.training-mining": {"entries": {"cawg.ai_training": {"use": "notAllowed"}}},
        "cawg.metadata": {"@context": {"dc": "http://purl.org/dc/elements/1.1/"}, "dc:rights": "LIC-7"},
        "org.rakkan.ledger-entry": {"entries": []},
    }
    shop = workshop()
    prompt = Ingredient("p", "prompt", Relationship.INPUT, "text/plain", data=b"a lantern")
    inputs = (model(sidecar(shop, WEIGHTS)), prompt)
    store = shop.codec.seal_digest(plan(ingredients=inputs, assertions=labels), WEIGHTS, shop.credential)
    assert b"gathered_assertions" not in store
    manifest = read_sidecar(store, tmp_path).active_manifest
    assert {label.removesuffix(".v2") for label in labels} <= {
        label.removesuffix(".v2") for label in manifest.assertions
    }
    assert manifest.assertions["cawg.metadata"]["dc:rights"] == "LIC-7"
    assert manifest.generator.startswith("rakkan ")
