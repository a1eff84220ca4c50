"""A tiny Stable Diffusion pipeline, two LoRAs and a learned word for it. Runs in the tool's own Python.

    python tiny_diffusion.py FOLDER

Its weights are random: what is tested is who reads which file, and not the picture.
"""

import json
import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

BLOCKS = (32, 64)


def tokenizer(folder: Path) -> CLIPTokenizer:
    """Return one that knows letters, and no words."""
    letters = [chr(code) for code in range(33, 127)]
    words = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True)
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=77)


def pipeline(folder: Path) -> StableDiffusionPipeline:
    """Return the whole, with weights that are the same in every run."""
    torch.manual_seed(1)
    words = tokenizer(folder / "words")
    text = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
    )
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=BLOCKS,
        layers_per_block=1,
        cross_attention_dim=32,
        attention_head_dim=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )
    vae = AutoencoderKL(
        block_out_channels=BLOCKS,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4,
    )
    parts = {"unet": unet, "vae": vae, "text_encoder": CLIPTextModel(text), "tokenizer": words}
    return StableDiffusionPipeline(
        **parts, scheduler=DDIMScheduler(), safety_checker=None, feature_extractor=None
    )


if __name__ == "__main__":
    target = Path(sys.argv[1])
    made = pipeline(target)
    made.save_pretrained(target / "model")
    made.unet.save_pretrained(target / "model" / "unet", variant="other")
    made.unet.add_adapter(
        LoraConfig(r=2, lora_alpha=2, target_modules=["to_q", "to_v"], init_lora_weights=False)
    )
    save_file({"emb_params": torch.ones(1, 32)}, target / "word.safetensors")
    for name in ("ink", "wash"):
        made.save_lora_weights(
            target / "loras",
            unet_lora_layers=get_peft_model_state_dict(made.unet),
            weight_name=f"{name}.safetensors",
        )
