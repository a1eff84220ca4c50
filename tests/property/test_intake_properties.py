"""Intake and anything at all: what comes out is a reading or an error of ours, in entries' own words."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ledger.adapters.intake import FORMATS, read_declared
from ledger.adapters.intake.json_text import load_json
from ledger.adapters.intake.licences import from_url, normalise, reference
from ledger.adapters.intake.yaml_text import load_yaml
from ledger.core.fields import MAX_TEXT, Fields
from ledger.core.rights.declared import Declared
from ledger.errors import MalformedError
from tests.support import intake

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)
ODRL = st.sampled_from(["odrl:use", "cc:Distribution", "https://rakkan.org/odrl#inference-run", "odrl:Offer"])
# One name, or a few of one format, on a line.
NAMES = st.sampled_from(
    [
        *("@type", "@id", "@value", "@context", "@graph", "name", "version", "type", "ref", "value"),
        *("license", "licenses", "license_link", "base_model", "datasets", "model-index"),
        *("usageInfo", "odrl:permission", "odrl:prohibition", "odrl:action", "odrl:constraint"),
        *("distribution", "sha256", "prov:wasAttributedTo", "rai:dataCollection", "creator"),
        *("components", "modelCard", "modelParameters", "pedigree", "ancestors", "bom-ref", "hashes"),
        *("alg", "content", "text", "licensing", "licensor", "organization", "data", "governance", "owners"),
        *("spdxId", "from", "to", "relationshipType", "verifiedUsing", "algorithm", "hashValue"),
        *("simplelicensing_licenseExpression", "simplelicensing_licenseText"),
        *("models", "slices", "sources", "model", "parameters", "weight", "layer_range", "merge_method"),
        *("filter", "subsets", "image_dir", "img_count", "tag_frequency"),
        *("primary_model_hash", "multiplier", "interp_method"),
        *("dsseEnvelope", "payload", "signatures", "verificationMaterial", "publicKey"),
    ]
)
WORDS = st.sampled_from(
    [
        *("machine-learning-model", "data", "dataset", "SHA-256", "sha256", "MIT", "other", "merge", "urn:a"),
        *("ai_AIPackage", "dataset_DatasetPackage", "Relationship"),
        *("trainedOn", "descendantOf", "hasDeclaredLicense", "prov:SoftwareAgent"),
    ]
)
JSON = st.recursive(
    LEAVES | WORDS | ODRL,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=25,
)
OBJECTS = st.dictionaries(NAMES, JSON, max_size=8)
HEADS: dict[str, dict[str, Any]] = {
    "cyclonedx": {"bomFormat": "CycloneDX", "specVersion": "1.6"},
    "spdx": {"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"},
    "croissant": {"conformsTo": "http://mlcommons.org/croissant/1.1", "name": "frames"},
    "model-signing": {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"},
}
ANY_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(data: bytes, folder: Path, hint: str | None = None) -> Declared | None:
    path = folder / "README.md"
    path.write_bytes(data)
    try:
        declared = read_declared(path, hint=hint)
    except MalformedError as error:
        refused = error
    else:
        check(declared)
        return declared
    assert refused.code in {"intake.malformed", "intake.unknown-format"}
    assert_printable(refused.message)
    return None


def check(declared: Declared) -> None:
    """Every text can stand in an entry, and nothing grows without bound."""
    assert declared.format in FORMATS
    waiting: list[Any] = [asdict(declared)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            assert_printable(value)
        elif isinstance(value, dict):
            assert len(value) <= 500
            waiting += [*value, *value.values()]
        elif isinstance(value, list | tuple):
            waiting += value


def assert_printable(text: str) -> None:
    for start in range(0, len(text), MAX_TEXT):
        Fields({"text": text[start : start + MAX_TEXT]}).text("text")


@ANY_FOLDER
@given(st.binary(max_size=300), st.sampled_from([None, *FORMATS]))
@example(b"---\nlicense: mit\n---\n", None)
@example(b"merge_method: \xff", None)
def test_any_bytes_are_a_reading_or_an_error_of_ours(tmp_path: Path, data: bytes, hint: str | None) -> None:
    read(data, tmp_path, hint)


@ANY_FOLDER
@given(st.sampled_from(sorted(HEADS)), OBJECTS)
def test_any_object_under_a_formats_head(tmp_path: Path, name: str, members: dict[str, Any]) -> None:
    declared = read(json.dumps(members | HEADS[name]).encode(), tmp_path)
    assert declared is None or declared.format == name


@ANY_FOLDER
@given(st.lists(OBJECTS, max_size=5))
def test_any_graph_of_spdx(tmp_path: Path, elements: list[dict[str, Any]]) -> None:
    read(json.dumps(HEADS["spdx"] | {"@graph": elements}).encode(), tmp_path)


@ANY_FOLDER
@given(JSON)
def test_any_terms_of_use(tmp_path: Path, usage: Any) -> None:
    declared = read(json.dumps(intake.croissant(usage)).encode(), tmp_path)
    assert declared is not None
    found = declared.datasets[0].usage
    assert not set(found.permitted) & set(found.prohibited)


@ANY_FOLDER
@given(OBJECTS, st.sampled_from(["---\n{}\n---\n", "{}"]))
def test_any_yaml(tmp_path: Path, members: dict[str, Any], frame: str) -> None:
    text = json.dumps({"merge_method": "slerp", **members})
    read(frame.replace("{}", text).encode(), tmp_path, None if "---" in frame else "mergekit")


@ANY_FOLDER
@given(
    st.dictionaries(
        st.sampled_from(
            [
                *intake.lora_metadata(),
                *intake.merge_metadata(),
                "ss_dataset_dirs",
                "ss_tag_frequency",
                "modelspec.merged_from",
            ]
        ),
        JSON | st.text(max_size=20) | JSON.map(json.dumps),
        max_size=8,
    )
)
def test_any_metadata_of_weights(tmp_path: Path, metadata: dict[str, Any]) -> None:
    declared = read(intake.safetensors(metadata), tmp_path)
    assert declared is not None
    assert declared.format == "safetensors"


@pytest.mark.parametrize("name", ["lora", "cyclonedx", "croissant", "bundle"])
@ANY_FOLDER
@given(st.integers(0, 10**6), st.binary(max_size=3), st.integers(0, 3))
def test_any_damage_to_a_real_file(tmp_path: Path, name: str, place: int, inside: bytes, cut: int) -> None:
    statement = intake.signature_statement({"a": b"a"})
    documents: dict[str, bytes] = {
        "lora": intake.safetensors(intake.lora_metadata()),
        "cyclonedx": json.dumps(intake.cyclonedx()).encode(),
        "croissant": json.dumps(intake.croissant(intake.offer(permission=intake.rule("odrl:use")))).encode(),
        "bundle": json.dumps({**HEADS["model-signing"], "dsseEnvelope": statement}).encode(),
    }
    data = documents[name]
    at = place % len(data)
    read(data[:at] + inside + data[at + cut :], tmp_path)


@given(JSON)
def test_json_comes_back_as_it_was(value: Any) -> None:
    assert load_json(json.dumps(value), "it") == _as_read(value)


@given(st.text(max_size=200))
def test_yaml_is_texts_lists_and_mappings(text: str) -> None:
    try:
        value = load_yaml(text, "it")
    except MalformedError:
        return
    assert _kinds(value) <= {str, list, dict, type(None)}


@given(st.text(max_size=60) | st.from_regex(r"(MIT|LicenseRef-[a-z0-9.-]{1,9}|AND|OR|WITH|\(|\)| ){1,12}"))
@example("()")
def test_a_normal_expression_is_its_own_normal_form(text: str) -> None:
    normal = normalise(text)
    assert normal is None or normalise(normal) == normal


@given(st.text(max_size=60))
def test_a_reference_is_an_expression(text: str) -> None:
    assert normalise(reference("studio", text)) == reference("studio", text)
    assert from_url(text) is None


def _as_read(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_read(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_as_read(item) for item in value]
    if isinstance(value, float) or (type(value) is int and len(str(value)) > 18):
        return json.dumps(value)
    return value


def _kinds(value: Any) -> set[type]:
    inner: list[Any] = []
    if isinstance(value, dict):
        inner = [*value, *value.values()]
    elif isinstance(value, list):
        inner = value
    return {type(value)}.union(*map(_kinds, inner))
