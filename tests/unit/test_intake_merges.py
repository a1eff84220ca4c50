import json
from pathlib import Path

import pytest

from ledger.adapters.intake import read_declared
from ledger.core.predicates.model_v2 import ModelKind, ParentRole
from ledger.core.rights.declared import Declared, DeclaredModel
from ledger.errors import MalformedError
from tests.support.builders import digest
from tests.support.intake import BASE, OTHER, THIRD, lora_metadata, merge_metadata, safetensors


def merged(folder: Path, metadata: dict[str, str]) -> tuple[DeclaredModel, tuple[str, ...]]:
    path = folder / "merged.safetensors"
    path.write_bytes(safetensors(metadata))
    declared = read_declared(path)
    return declared.models[0], declared.notes


def kit(folder: Path, text: str) -> Declared:
    home = folder / "kumo-merge"
    home.mkdir()
    (home / "mergekit_config.yml").write_text(text, encoding="utf-8")
    return read_declared(home / "mergekit_config.yml")


@pytest.mark.parametrize(
    ("method", "weights"),
    [
        ("Weighted sum", {BASE: "0.7", OTHER: "0.3", THIRD: None}),
        ("Add difference", {BASE: "1", OTHER: "0.3", THIRD: "-0.3"}),
        ("Train difference", {BASE: None, OTHER: None, THIRD: None}),
    ],
)
def test_the_weights_follow_the_formula(tmp_path: Path, method: str, weights: dict[str, str | None]) -> None:
    model, notes = merged(tmp_path, merge_metadata(method))
    assert model.kind is ModelKind.MERGE
    assert {parent.sha256: parent.weight for parent in model.parents} == weights
    assert {parent.role for parent in model.parents} == {ParentRole.MERGED}
    assert any("not worked out" in note for note in notes) is (method == "Train difference")


def test_a_parent_is_named_by_the_list_of_models_or_by_its_digest(tmp_path: Path) -> None:
    model, _ = merged(tmp_path, merge_metadata())
    assert [parent.name for parent in model.parents] == [
        "base.safetensors",
        "other.safetensors",
        f"sha256:{THIRD}",
    ]


def test_a_model_that_was_merged_earlier_is_no_parent(tmp_path: Path) -> None:
    model, _ = merged(tmp_path, merge_metadata())
    assert digest("merged earlier") not in {parent.sha256 for parent in model.parents}


def test_a_merge_block_by_block_leaves_the_weights_open(tmp_path: Path) -> None:
    recipe = {
        "model_a": BASE,
        "model_b": OTHER,
        "mode": "Weight sum",
        "mbw": True,
        "weights_alpha": "0,1,0.5",
    }
    model, notes = merged(tmp_path, {"sd_merge_recipe": json.dumps(recipe)})
    assert [(parent.sha256, parent.weight) for parent in model.parents] == [(BASE, None), (OTHER, None)]
    assert any("not worked out" in note for note in notes)
    assert model.facts["sd_merge_recipe.weights_alpha"] == "0,1,0.5"


def test_a_model_merged_with_itself_is_one_parent(tmp_path: Path) -> None:
    model, notes = merged(tmp_path, merge_metadata(secondary_model_hash=BASE))
    assert [parent.sha256 for parent in model.parents] == [BASE, THIRD]
    assert any("second time" in note for note in notes)


@pytest.mark.parametrize("multiplier", ["much", 1e99, None])
def test_a_multiplier_that_is_no_number_leaves_the_weights_open(tmp_path: Path, multiplier: object) -> None:
    metadata = merge_metadata("Weighted sum")
    recipe = json.loads(metadata["sd_merge_recipe"]) | {"multiplier": multiplier}
    model, _ = merged(tmp_path, metadata | {"sd_merge_recipe": json.dumps(recipe)})
    assert {parent.weight for parent in model.parents} == {None}


def test_a_weight_is_a_plain_decimal(tmp_path: Path) -> None:
    model, _ = merged(tmp_path, merge_metadata("Weighted sum", 1e-7))
    assert [parent.weight for parent in model.parents] == ["0.9999999", "0.0000001", None]


def test_a_recipe_that_is_not_json_is_a_note(tmp_path: Path) -> None:
    model, notes = merged(tmp_path, {"sd_merge_recipe": "{"})
    assert model.parents == ()
    assert any(note.startswith("sd_merge_recipe is not JSON") for note in notes)


def test_merged_from_is_names_alone(tmp_path: Path) -> None:
    model, _ = merged(tmp_path, lora_metadata(**{"modelspec.merged_from": "A, B,A"}))
    assert model.kind is ModelKind.MERGE
    assert [(parent.name, parent.role) for parent in model.parents] == [
        ("A", ParentRole.MERGED),
        ("B", ParentRole.MERGED),
        ("anime-base.safetensors", ParentRole.ADAPTER_BASE),
    ]


def test_mergekit_names_models_and_weights(tmp_path: Path) -> None:
    declared = kit(
        tmp_path,
        """
merge_method: linear
models:
  - model: studio/kumo@v2
    parameters:
      weight: 0.60
  - model: studio/sky+studio/sky-lora
    parameters: {weight: [0.1, 0.4]}
dtype: float16
""",
    )
    model = declared.models[0]
    assert (model.name, model.kind) == ("kumo-merge", ModelKind.MERGE)
    assert [(parent.name, parent.weight, parent.blocks) for parent in model.parents] == [
        ("studio/kumo", "0.60", ()),
        ("studio/sky", None, (("gradient 1/2", "0.1"), ("gradient 2/2", "0.4"))),
        ("studio/sky-lora", None, ()),
    ]
    assert any("revision 'v2'" in note for note in declared.notes)


def test_mergekit_keeps_the_ranges_of_layers(tmp_path: Path) -> None:
    model = kit(
        tmp_path,
        """
merge_method: passthrough
slices:
  - sources: [{model: a, layer_range: [0, 16]}]
  - sources: [{model: b, layer_range: [8, 24]}]
  - sources: [{model: a, layer_range: [16, 32]}]
""",
    ).models[0]
    assert [(parent.name, parent.blocks) for parent in model.parents] == [
        ("a", (("layers 0:16", "1"), ("layers 16:32", "1"))),
        ("b", (("layers 8:24", "1"),)),
    ]


def test_mergekit_names_the_parts_that_a_weight_is_for(tmp_path: Path) -> None:
    declared = kit(
        tmp_path,
        """
merge_method: task_arithmetic
base_model: base
models:
  - model: a
    parameters:
      weight:
        - {filter: self_attn, value: 0.2}
        - value: 0.8
  - model: b
    parameters: {weight: heavy}
""",
    )
    parents = {parent.name: parent for parent in declared.models[0].parents}
    assert parents["a"].blocks == (("self_attn", "0.2"), ("rest", "0.8"))
    assert parents["b"].weight is None
    assert "base" in parents
    assert any("weight is not a number" in note for note in declared.notes)


def test_a_weight_that_is_not_said_is_not_made_up(tmp_path: Path) -> None:
    declared = kit(
        tmp_path,
        "merge_method: slerp\nslices: [{sources: [{model: a, layer_range: [0, 9]}]}]\nparameters: {t: 0.5}\n",
    )
    assert declared.models[0].parents[0].blocks == ()
    assert any("layers 0:9 of 'a' have no weight of their own" in note for note in declared.notes)


def test_a_configuration_without_a_method_is_none(tmp_path: Path) -> None:
    path = tmp_path / "mergekit_config.yml"
    path.write_text("models: []\n", encoding="utf-8")
    with pytest.raises(MalformedError, match="has no merge_method"):
        read_declared(path, hint="mergekit")
