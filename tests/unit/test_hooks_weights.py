"""Which files of a folder are a model's weights: the names that diffusers and transformers give them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ledger.hooks import diffusers_weights
from ledger.hooks.diffusers_weights import Memory

PLAIN = "diffusion_pytorch_model.safetensors"
HALF = "diffusion_pytorch_model.fp16.safetensors"
PICKLED = "diffusion_pytorch_model.bin"
SHARDS = [f"model-0000{n}-of-00002.safetensors" for n in (1, 2)]
HALF_SHARDS = [f"model.fp16-0000{n}-of-00002.safetensors" for n in (1, 2)]


class Thing(SimpleNamespace):
    """What has attributes, and can be referred to weakly, as a torch module can."""


@pytest.fixture(autouse=True)
def nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffusers_weights, "loaded", Memory())


@pytest.mark.parametrize(
    ("there", "options", "read"),
    [
        ([PLAIN, "config.json"], {}, [PLAIN]),
        ([PLAIN, PICKLED], {}, [PLAIN]),
        ([PLAIN, PICKLED], {"use_safetensors": False}, [PICKLED]),
        ([PICKLED], {}, [PICKLED]),
        ([PLAIN, HALF], {}, [PLAIN]),
        ([PLAIN, HALF], {"variant": "fp16"}, [HALF]),
        ([PLAIN], {"variant": "fp16"}, [PLAIN]),
        ([HALF], {}, [HALF]),
        ([*SHARDS, "model.safetensors.index.json"], {}, SHARDS),
        ([*SHARDS, *HALF_SHARDS], {"variant": "fp16"}, HALF_SHARDS),
        ([*SHARDS, *HALF_SHARDS], {}, SHARDS),
        (["config.json"], {}, []),
    ],
)
def test_the_files_that_were_read(
    tmp_path: Path, there: list[str], options: dict[str, Any], read: list[str]
) -> None:
    for name in there:
        (tmp_path / name).touch()
    model = Thing(config=Thing(_name_or_path=str(tmp_path)))
    diffusers_weights.loaded[model] = options
    assert diffusers_weights.files_of(model) == [str(tmp_path / name) for name in read]


@pytest.mark.parametrize("named", ["studio/night-painter", "", None])
def test_a_model_without_a_folder_names_no_file(named: str | None) -> None:
    assert diffusers_weights.files_of(Thing(config=Thing(_name_or_path=named))) == []


def test_a_single_checkpoint_is_the_file_of_all_that_was_read_from_it(tmp_path: Path) -> None:
    checkpoint = tmp_path / "night.safetensors"
    read, given = (Thing(state_dict=None, config=None) for _ in range(2))
    pipe = Thing(components={"unet": read, "vae": given, "scheduler": object()})
    diffusers_weights.LOADERS["from_single_file"](pipe, {}, checkpoint, vae=given)
    assert diffusers_weights.files_of(read) == [str(checkpoint)]
    assert diffusers_weights.files_of(given) == []


def test_what_is_known_of_an_object_ends_with_it() -> None:
    memory = Memory()
    one, other = Thing(), Thing()
    memory[one] = "known"
    assert (memory.get(one), memory.get(other, "nothing")) == ("known", "nothing")
    del one
    assert memory._known == {}
