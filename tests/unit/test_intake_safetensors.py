import json
from pathlib import Path
from typing import Any

import pytest

from ledger.adapters.intake import read_declared
from ledger.adapters.intake.safetensors import MAX_HEADER
from ledger.core.digest import sha256_hex
from ledger.core.predicates.model_v2 import ModelKind, ParentRole
from ledger.core.rights.declared import Declared, DeclaredParent
from ledger.errors import MalformedError
from tests.support.builders import digest
from tests.support.intake import BASE, lora_metadata, safetensors, safetensors_of


def read(folder: Path, data: bytes, name: str = "kumo.safetensors") -> Declared:
    path = folder / name
    path.write_bytes(data)
    return read_declared(path)


def test_a_lora_names_its_base_by_the_digest_of_the_whole_file(tmp_path: Path) -> None:
    model = read(tmp_path, safetensors(lora_metadata())).models[0]
    assert (model.name, model.kind) == ("Kumo, third", ModelKind.LORA)
    assert model.parents == (DeclaredParent("anime-base.safetensors", BASE, ParentRole.ADAPTER_BASE),)
    assert model.licence is not None
    assert model.licence.expression == "LicenseRef-studio-kumo-12"


def test_each_folder_it_was_trained_on_is_a_dataset(tmp_path: Path) -> None:
    declared = read(tmp_path, safetensors(lora_metadata()))
    assert [(item.name, item.works) for item in declared.datasets] == [("10_kumo", 40), ("1_sky", 200)]
    assert [(item.dataset, item.stage) for item in declared.models[0].training] == [
        ("10_kumo", None),
        ("1_sky", None),
    ]
    assert declared.datasets[0].composition["tag 1girl"] == "40"
    assert declared.datasets[1].composition["is_reg"] == "true"


def test_an_older_trainer_names_only_folders(tmp_path: Path) -> None:
    metadata = lora_metadata(
        ss_dataset_dirs='{"5_umbrella": {"n_repeats": 5, "img_count": 9}}',
        ss_tag_frequency='{"5_umbrella": {"umbrella": 9}}',
    )
    del metadata["ss_datasets"]
    dataset = read(tmp_path, safetensors(metadata)).datasets[0]
    assert (dataset.name, dataset.works) == ("5_umbrella", 9)
    assert dataset.composition == {"n_repeats": "5", "tag umbrella": "9"}


def test_a_hash_of_the_tensors_alone_identifies_nothing(tmp_path: Path) -> None:
    model = read(tmp_path, safetensors(lora_metadata())).models[0]
    assert model.sha256 is None
    assert model.facts["sshs_model_hash"] == digest("the tensors alone")
    assert model.facts["modelspec.hash_sha256"] == f"0x{digest('the tensors alone')}"
    assert model.facts["ss_sd_model_hash"] == "e6e8e1fc"


def test_a_trained_checkpoint_is_a_fine_tune(tmp_path: Path) -> None:
    metadata = {"ss_sd_model_name": "base.safetensors", "ss_new_sd_model_hash": BASE.upper()}
    model = read(tmp_path, safetensors(metadata)).models[0]
    assert model.kind is ModelKind.FINE_TUNE
    assert model.parents == (DeclaredParent("base.safetensors", BASE, ParentRole.BASE),)


def test_a_base_without_a_name_goes_by_its_digest(tmp_path: Path) -> None:
    model = read(tmp_path, safetensors({"ss_new_sd_model_hash": BASE})).models[0]
    assert model.parents[0].name == f"sha256:{BASE}"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("lora_unet_down_blocks_0.lora_down.weight", ModelKind.LORA),
        ("transformer.blocks.0.lora_A.weight", ModelKind.LORA),
        ("control_model.input_blocks.0.0.bias", ModelKind.CONTROLNET),
        ("controlnet_cond_embedding.conv_in.bias", ModelKind.CONTROLNET),
        ("first_stage_model.decoder.conv_in.bias", ModelKind.VAE),
        ("decoder.conv_in.bias", ModelKind.VAE),
        ("model.1.sub.0.RDB1.conv1.0.bias", ModelKind.UPSCALER),
        ("model.diffusion_model.time_embed.0.bias", None),
    ],
)
def test_the_tensors_tell_the_kind_where_nothing_else_does(
    tmp_path: Path, name: str, kind: ModelKind | None
) -> None:
    declared = read(tmp_path, safetensors(None, (name,)))
    assert declared.models[0].kind is kind
    assert any("inferred" in note for note in declared.notes) is (kind is not None)


def test_what_the_metadata_says_is_not_inferred(tmp_path: Path) -> None:
    declared = read(
        tmp_path, safetensors({"modelspec.architecture": "flux-1-dev/controlnet"}, ("a.lora_A.b",))
    )
    assert declared.models[0].kind is ModelKind.CONTROLNET
    assert not any("inferred" in note for note in declared.notes)


def test_a_silent_file_goes_by_its_own_name(tmp_path: Path) -> None:
    declared = read(tmp_path, safetensors())
    assert declared.models[0].name == "kumo"
    assert "the file does not name the model: its file name is taken" in declared.notes


def test_the_digest_is_of_the_header_with_its_length(tmp_path: Path) -> None:
    data = safetensors({"a": "b"}, ("x", "y"))
    assert read(tmp_path, data).source_sha256 == sha256_hex(data[:-8])


def test_only_the_header_is_read(tmp_path: Path) -> None:
    size = 1 << 40
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    path = tmp_path / "sparse.safetensors"
    path.write_bytes(safetensors_of(header))
    with path.open("r+b") as file:
        file.truncate(8 + len(header) + size)
    assert read_declared(path).models[0].name == "sparse"


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"ss_num_train_images": "many"}, "ss_num_train_images is not a number"),
        ({"ss_new_sd_model_hash": "e6e8e1fc"}, "ss_new_sd_model_hash is not a SHA-256"),
        ({"ss_datasets": "[{"}, "ss_datasets is not JSON at character 2"),
        ({"ss_datasets": '[{"subsets": [{"img_count": 1}]}]'}, "ss_datasets[0].subsets[0] names no folder"),
        ({"ss_datasets": '[{"subsets": 5}]'}, "ss_datasets[0].subsets[0] is not an object"),
        ({"modelspec.title": "a\u202eb"}, "modelspec.title is not 1 to 1024 printable characters"),
        ({"modelspec.license": "do what you like"}, "is not a licence expression"),
    ],
)
def test_a_bad_value_is_a_note(tmp_path: Path, changes: dict[str, str], note: str) -> None:
    declared = read(tmp_path, safetensors(lora_metadata(**changes)))
    assert [found for found in declared.notes if note in found]


def test_a_picture_in_the_metadata_is_not_a_fact(tmp_path: Path) -> None:
    metadata = lora_metadata(**{"modelspec.thumbnail": "data:image/jpeg;base64,AAAA"})
    assert "modelspec.thumbnail" not in read(tmp_path, safetensors(metadata)).models[0].facts


ONE: dict[str, Any] = {"w": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}


@pytest.mark.parametrize(
    ("data", "place"),
    [
        pytest.param(safetensors()[:-1], "the tensors", id="cut off"),
        pytest.param(safetensors() + b"x", "the tensors", id="something behind the last tensor"),
        pytest.param(safetensors_of(b'{"a":1,"a":2}'), "the header", id="a member twice"),
        pytest.param(safetensors_of(b'{"__metadata__":7}'), "__metadata__", id="metadata that is a number"),
        pytest.param(safetensors_of(b'{"w":{}}'), "data_offsets of 'w'", id="no offsets"),
        pytest.param(
            safetensors_of(json.dumps({**ONE, "v": ONE["w"]}).encode(), bytes(4)),
            "data_offsets",
            id="overlap",
        ),
        pytest.param(safetensors_of(b"{" + b" " * 20), "the header", id="no end of the object"),
        pytest.param((200).to_bytes(8, "little") + b"{}", "the header's length", id="longer than the file"),
        pytest.param(safetensors_of(b'{"\xff":1}'), "the header", id="not UTF-8"),
        pytest.param(safetensors_of(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"), "the header", id="deep"),
    ],
)
def test_a_broken_file_is_refused_and_the_place_named(tmp_path: Path, data: bytes, place: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read(tmp_path, data)
    assert caught.value.code == "intake.malformed"
    assert str(caught.value.evidence["place"]).startswith(place)


def test_a_header_beyond_the_formats_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.safetensors"
    path.write_bytes((MAX_HEADER + 1).to_bytes(8, "little") + b"{}")
    with path.open("r+b") as file:
        file.truncate(2 * MAX_HEADER)
    with pytest.raises(MalformedError, match="header's length"):
        read_declared(path, hint="safetensors")
