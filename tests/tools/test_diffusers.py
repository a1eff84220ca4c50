"""The hook in real diffusers with a tiny pipeline, put there by ``rakkan hooks install diffusers``."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.cli import main
from ledger.core.spooled import Spooled
from tests.support.spooled import digest, names, records, roles
from tests.support.tools import tool_python

pytestmark = pytest.mark.tools

PROMPT = "a lantern that nobody may read about"

# What a user's own script does, without a word of ours.
SESSION = f"""
import os, sys
os.chdir(sys.argv[1])
import diffusers
print("lazy" if "diffusers.pipelines.pipeline_utils" not in sys.modules else "eager")
import numpy, torch
from PIL import Image
from diffusers import DDIMScheduler, DiffusionPipeline, StableDiffusionImg2ImgPipeline
from diffusers import StableDiffusionInpaintPipeline, StableDiffusionPipeline
from diffusers.utils import export_to_gif, load_image, make_image_grid

PROMPT = {PROMPT!r}
pipe = DiffusionPipeline.from_pretrained("model")
pipe.set_progress_bar_config(disable=True)

def paint(pipe=pipe, seed=5, **more):
    made = torch.Generator("cpu").manual_seed(seed)
    size = {{}} if "image" in more and "mask_image" not in more else dict(height=16, width=16)
    return pipe(PROMPT, num_inference_steps=2, generator=made, **{{**size, **more}}).images[0]

first = paint()
first.save("plain.png")                                                                       # 0
first.resize((8, 8)).convert("L").save("small.png")                                           # 1
paint()  # never saved
Image.new("RGB", (4, 4)).save("blank.png")  # not of a pipeline

pipe.load_lora_weights("loras", weight_name="ink.safetensors", adapter_name="ink")
pipe.load_lora_weights("loras/wash.safetensors", adapter_name="wash")
pipe.set_adapters(["ink", "wash"], [0.5, 0.0])
paint().save("inked.png")                                                                     # 2
paint(cross_attention_kwargs={{"scale": 0.0}}).save("scaled.png")                               # 3
pipe.disable_lora()
paint().save("disabled.png")                                                                  # 4
pipe.enable_lora()
pipe.set_adapters(["wash"], [1.0])
pipe.fuse_lora(adapter_names=["wash"])
pipe.unload_lora_weights()
paint().save("fused.png")                                                                     # 5

pipe = DiffusionPipeline.from_pretrained("model", variant="other")
pipe.set_progress_bar_config(disable=True)
again = StableDiffusionImg2ImgPipeline.from_pipe(pipe)
again.set_progress_bar_config(disable=True)
sketch = load_image("blank.png").resize((16, 16))
paint(again, image=sketch, strength=0.9, negative_prompt="rain").save("painted.png")          # 6
paint(again, image=first, strength=0.9).save("onward.png")                                    # 7
paint(again, image=paint(pipe, seed=8), strength=0.9).save("chained.png")                     # 8
paint(again, image=numpy.zeros((1, 16, 16, 3), "float32"), strength=0.9).save("unknown.png")  # 9

fill = StableDiffusionInpaintPipeline.from_pipe(pipe)
fill.set_progress_bar_config(disable=True)
mask = Image.open("blank.png").convert("L").resize((16, 16))
paint(fill, image=sketch, mask_image=mask).save("filled.png")                                 # 10

export_to_gif([paint(pipe, seed=1), paint(pipe, seed=2)], "film.gif")                         # 11
make_image_grid([paint(pipe, seed=1), sketch], rows=1, cols=2).save("grid.png")               # 12

class Mine(StableDiffusionPipeline):
    def __call__(self, *given, **named):
        return super().__call__(*given, **named)

mine = Mine(**pipe.components)
mine.set_progress_bar_config(disable=True)
mine.unet = type(pipe.unet)(**{{k: v for k, v in pipe.unet.config.items() if not k.startswith("_")}})
paint(mine).save("mine.png")                                                                  # 13

pipe.load_textual_inversion("word.safetensors", token="<lantern>")
paint(pipe).save("word.png")                                                                  # 14
pipe.unload_textual_inversion()
paint(pipe).save("again.png")                                                                 # 15
try:
    pipe()
except (TypeError, ValueError):
    print("still an error")
"""


class Session:
    """A folder with a model and two LoRAs, and a Python that has diffusers and the hook."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = tool_python("diffusers")
        self.spool = folder / "spool"

    def run(self, *arguments: object, **more: str) -> str:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RAKKAN_")}
        environment = {**kept, "RAKKAN_SPOOL": str(self.spool), **more}
        command = [str(self.python), *map(str, arguments)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    made = Session(tmp_path_factory.mktemp("diffusers"))
    _hooks("remove", made.python)  # an interrupted run may have left it
    made.run(Path(__file__).with_name("tiny_diffusion.py"), made.folder)
    _hooks("install", made.python)
    yield made
    _hooks("remove", made.python)


def _hooks(verb: str, python: Path) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["hooks", verb, "diffusers", "--python", str(python)])


@pytest.fixture(scope="module")
def made(session: Session) -> list[Spooled]:
    assert session.run("-c", SESSION, session.folder) == "lazy\nstill an error\n"
    return records(session.spool)


SAVED = ["plain", "small", "inked", "scaled", "disabled", "fused", "painted", "onward", "chained", "unknown"]
SAVED += ["filled", "film", "grid", "mine", "word", "again"]
MODEL = {
    "model/unet/diffusion_pytorch_model.safetensors",
    "model/vae/diffusion_pytorch_model.safetensors",
    "model/text_encoder/model.safetensors",
}
OTHER = MODEL - {"model/unet/diffusion_pytorch_model.safetensors"} | {
    "model/unet/diffusion_pytorch_model.other.safetensors"
}


def weights(session: Session, record: Spooled) -> set[str]:
    found = [Path(file.path) for file in record.inputs if file.role == "model"]
    return {str(path.relative_to(session.folder)) for path in found}


def others(record: Spooled) -> dict[str, str]:
    return {name: role for name, role in roles(record).items() if role != "model"}


def test_each_saved_picture_is_one_record_and_nothing_else_is(session: Session, made: list[Spooled]) -> None:
    assert [Path(name).stem for record in made for name in names(record.outputs)] == SAVED
    assert {(record.action, record.tool.name, record.tool.version) for record in made} == {
        ("generate", "diffusers", "0.35.2")
    }
    for record in made:
        (file,) = record.outputs
        assert file.sha256 == digest(Path(file.path))
    assert not (session.spool / "faults.log").exists()


def test_a_picture_names_the_weights_that_were_read(session: Session, made: list[Spooled]) -> None:
    assert weights(session, made[0]) == MODEL
    assert weights(session, made[6]) == OTHER  # variant="other"
    assert all(file.stamp for file in made[0].inputs)


def test_prompts_are_secrets_and_numbers_are_parameters(made: list[Spooled]) -> None:
    assert made[0].secrets == {"prompt": PROMPT}
    assert made[6].secrets == {"prompt": PROMPT, "negative_prompt": "rain"}
    said = made[0].parameters
    assert {name: said[name] for name in ("seed", "num_inference_steps", "guidance_scale", "height")} == {
        "seed": "5",
        "num_inference_steps": "2",
        "guidance_scale": "7.5",
        "height": "16",
    }
    assert (said["pipeline"], said["scheduler"]) == ("StableDiffusionPipeline", "DDIMScheduler")
    assert made[6].parameters["strength"] == "0.9"
    assert PROMPT not in str([record.parameters for record in made])


def test_a_picture_that_was_changed_in_memory_is_still_known(session: Session, made: list[Spooled]) -> None:
    assert weights(session, made[1]) == MODEL
    assert made[1].secrets == made[0].secrets


@pytest.mark.parametrize(
    ("number", "loras", "said"),
    [
        (2, {"loras/ink.safetensors"}, {"lora ink": "0.5"}),
        (3, set(), {}),
        (4, set(), {}),
        (5, {"loras/wash.safetensors"}, {"lora wash": "fused"}),
    ],
    ids=["one active, one of weight 0", "a scale of 0", "disabled", "fused, then unloaded"],
)
def test_a_lora_counts_when_it_has_a_part(
    session: Session, made: list[Spooled], number: int, loras: set[str], said: dict[str, str]
) -> None:
    assert weights(session, made[number]) == MODEL | loras
    assert {key: value for key, value in made[number].parameters.items() if "lora" in key} == said


def test_a_learned_word_counts_while_it_is_loaded(session: Session, made: list[Spooled]) -> None:
    assert weights(session, made[14]) == OTHER | {"word.safetensors"}
    assert weights(session, made[15]) == OTHER


def test_a_picture_that_goes_in_is_an_input_by_its_part(made: list[Spooled]) -> None:
    assert others(made[6]) == {"blank.png": "parent"}  # through load_image and resize
    assert others(made[7]) == {"plain.png": "parent"}  # never opened: it was saved before
    assert sorted(str(file.role) for file in made[10].inputs if "blank" in file.path) == ["inpaint", "parent"]


def test_a_picture_that_was_never_saved_hands_on_what_it_was_made_with(made: list[Spooled]) -> None:
    assert (made[8].parameters["1 seed"], made[8].parameters["seed"]) == ("8", "5")
    assert made[8].secrets == {"prompt": PROMPT, "1 prompt": PROMPT}
    assert others(made[8]) == {}
    assert "unresolved" not in made[8].parameters


def test_what_cannot_be_traced_to_a_file_is_said(session: Session, made: list[Spooled]) -> None:
    assert made[9].parameters["unresolved"] == "image"
    assert made[13].parameters["unresolved"] == "unet"
    assert weights(session, made[13]) == OTHER - {"model/unet/diffusion_pytorch_model.other.safetensors"}


def test_films_and_grids_name_every_call(session: Session, made: list[Spooled]) -> None:
    film, grid = made[11:13]
    assert (film.parameters["1 seed"], film.parameters["seed"]) == ("1", "2")
    assert weights(session, film) == OTHER
    assert others(grid) == {"blank.png": "component"}
    assert grid.parameters["seed"] == "1"


def test_a_production_that_refuses_gets_no_picture_without_a_record(session: Session, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    production = f'{{"name": "nightfall", "roots": ["{tmp_path}"], "policy": "refuse"}}'
    (spool / "settings.json").write_text(f'{{"productions": [{production}]}}')
    script = """
import os, sys
from diffusers import DiffusionPipeline
pipe = DiffusionPipeline.from_pretrained(os.path.join(sys.argv[1], "model"))
made = pipe("a", num_inference_steps=1, height=16, width=16).images[0]
try:
    made.save(os.path.join(sys.argv[2], "a.png"))
except RuntimeError as error:
    print(type(error).__name__)
"""
    out = session.run("-c", script, session.folder, tmp_path, RAKKAN_SPOOL=str(spool))
    assert out == "CaptureRefusedError\n"
    assert not (tmp_path / "a.png").exists()
