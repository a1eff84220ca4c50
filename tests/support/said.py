"""What generators write into their files: the forms are real, the prompts are made up for these tests.

Each sample follows one that was found in a public test or document of its convention, field by field.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

A1111 = (
    "a paper lantern, (mist:1.3), <lora:LCM_15:1>, <lora:glow-faceid_plusv2:0.65>\n"
    "second line, with Steps: many of them\n"
    "Negative prompt: MajicNegative_V2,badhandv4,\n"
    "Steps: 6, Sampler: LCM, Schedule type: Automatic, CFG scale: 1.5, Seed: 3748719078, Size: 768x1024, "
    "Model hash: 19bbe9faa4, Model: fantasticmix_k2, VAE hash: 07af11b95c, "
    "VAE: vae-ft-mse-840000-ema-pruned.safetensors, Denoising strength: 0.4, Clip skip: 2, "
    'ADetailer model: face_yolov8n.pt, ADetailer prompt: "a calm face, \\"lit\\" from below", '
    "Hires upscale: 1.5, Hires upscaler: 4x-UltraSharp, "
    'Lora hashes: "LCM_15: aaebf6360f7d, glow-faceid_plusv2: a95a0f4bdcb9", '
    'TI hashes: "MajicNegative_V2: a53884ef726b, badhandv4: 5e40d722fc3d", Version: v1.9.4'
)
CIVITAI = (
    "a knight of paper\n"
    "Negative prompt: blurry\n"
    "Steps: 28, Sampler: DPM++ 2M Karras, CFG scale: 6.5, Seed: 1234567, Size: 512x768, Clip skip: 2, "
    "Created Date: 2026-02-25T22:09:08.8166925Z, "
    'Civitai resources: [{"type":"checkpoint","modelVersionId":128713,"modelName":"DreamShaper",'
    '"modelVersionName":"8"},{"type":"lora","weight":0.6,"modelVersionId":62833,'
    '"modelName":"Detail Tweaker LoRA"}], '
    'Civitai metadata: {"workflow":"txt2img","prompt":"a knight of paper, again"}'
)
FOOOCUS: dict[str, Any] = {
    "adm_guidance": "(1.5, 0.8, 0.3)",
    "base_model": "juggernautXL_v8Rundiffusion",
    "base_model_hash": "aeb7e9e689",
    "full_negative_prompt": ["(worst quality:1.3)", "text, painting"],
    "full_prompt": ["cinematic still a paper field . film grain", "a paper field, soft"],
    "guidance_scale": 4,
    "lora_combined_1": "sd_xl_offset_example-lora_1.0 : 0.1",
    "loras": [["sd_xl_offset_example-lora_1.0", 0.1, "4852686128"]],
    "metadata_scheme": "fooocus",
    "negative_prompt": "",
    "performance": "Speed",
    "prompt": "a paper field",
    "refiner_model": "None",
    "refiner_switch": 0.5,
    "resolution": "(512, 512)",
    "sampler": "dpmpp_2m_sde_gpu",
    "scheduler": "karras",
    "seed": "127589946317439009",
    "sharpness": 2,
    "steps": 30,
    "styles": "['Fooocus V2', 'Fooocus Sharp']",
    "vae": "Default (model)",
    "version": "Fooocus v2.5.5",
}
SWARMUI: dict[str, Any] = {
    "sui_image_params": {
        "prompt": "a paper train",
        "negativeprompt": "rain",
        "model": "realDream_animaV2",
        "seed": 1755497345,
        "steps": 16,
        "cfgscale": 2.0,
        "width": 1248,
        "height": 1824,
        "sampler": "er_sde",
        "scheduler": "beta_1_1",
        "swarm_version": "0.9.8.1",
        "loras": ["styleA", "turbo-v0.2"],
        "loraweights": ["0.4", "0"],
    },
    "sui_extra_data": {"initimage_filename": "raw/x.png", "date": "2026-07-18"},
    "sui_models": [
        {"name": "realDream_animaV2.safetensors", "param": "model", "hash": "0x" + "84fc41ea" * 8},
        {"name": "styleA.safetensors", "param": "loras", "hash": "0x" + "e8055d97" * 8},
        {"name": "turbo-v0.2.safetensors", "param": "loras", "hash": "0x" + "11055d97" * 8},
    ],
}
NOVELAI: dict[str, Any] = {
    "prompt": "a fox of paper, {{tall}}, [small]",
    "steps": 28,
    "height": 1216,
    "width": 832,
    "scale": 5.0,
    "uncond_scale": 1.0,
    "cfg_rescale": 0.4,
    "seed": 3816166865,
    "n_samples": 1,
    "noise_schedule": "karras",
    "reference_strength_multiple": [0.6],
    "v4_prompt": {
        "caption": {
            "base_caption": "a fox of paper, {{tall}}, [small]",
            "char_captions": [{"char_caption": "a second fox, red"}],
        }
    },
    "v4_negative_prompt": {"caption": {"base_caption": "lowres", "char_captions": [{"char_caption": ""}]}},
    "sampler": "k_euler_ancestral",
    "controlnet_model": None,
    "sm": False,
    "uc": "lowres",
    "request_type": "PromptGenerateRequest",
    "signed_hash": "nM6vZLFGJWW7SH2xc4lpRY9sJGbPQKXaUzhUVX",
}
NOVELAI_TEXTS = {
    "Title": "AI generated image",
    "Description": "a fox of paper, {{tall}}, [small]",
    "Software": "NovelAI",
    "Source": "NovelAI Diffusion V4.5 4BDE2A90",
    "Comment": json.dumps(NOVELAI),
}
INVOKEAI: dict[str, Any] = {
    "app_version": "5.4.2",
    "generation_mode": "txt2img",
    "positive_prompt": "a paper moon",
    "negative_prompt": "stars",
    "positive_style_prompt": "",
    "width": 1024,
    "height": 1024,
    "seed": 4046817327,
    "rand_device": "cpu",
    "cfg_scale": 7.5,
    "steps": 30,
    "scheduler": "dpmpp_3m_k",
    "model": {
        "key": "d180f224-e290-473a-b866-d3e574ff02fa",
        "hash": "blake3:8e532c2cb80971c1fc56074e63adcfcaba7b2e1c7c79afda98a459aafd4f4b87",
        "name": "Juggernaut XL v9",
        "base": "sdxl",
        "type": "main",
    },
    "loras": [
        {
            "model": {
                "key": "f1",
                "hash": "blake3:12f3f5d4856e684c627c0b5c403ace83a8e8baaf0fa6518cd230b5ec1c519107",
                "name": "paper-cut",
                "base": "sdxl",
                "type": "lora",
            },
            "weight": 0.75,
        }
    ],
    "ipAdapters": [
        {
            "image": {"image_name": "6ec6b0a1.png"},
            "ip_adapter_model": {
                "key": "a",
                "hash": "blake3:" + "ab" * 32,
                "name": "ip_adapter_sdxl",
                "base": "sdxl",
                "type": "ip_adapter",
            },
            "weight": 0.5,
        }
    ],
}
INVOKEAI_OLD: dict[str, Any] = {
    "model": "stable diffusion",
    "model_weights": "stable-diffusion-1.5",
    "model_hash": "cc6cb27103417325ff94f52b7a5d2dde45a7515b25c255d8e396c90014281516",
    "app_id": "invoke-ai/InvokeAI",
    "app_version": "v2.2.0",
    "image": {
        "prompt": [{"prompt": "a ((dog)) of paper [fur]", "weight": 1.0}],
        "steps": 50,
        "cfg_scale": 7.5,
        "height": 512,
        "width": 512,
        "seed": 3561693215,
        "type": "txt2img",
        "postprocessing": None,
        "sampler": "k_lms",
        "variations": [],
    },
}
DREAM = '"a paper owl" -s 30 -S 1234 -W 512 -H 512 -C 7.5 -A k_lms'
DRAW_THINGS_SETTINGS: dict[str, Any] = {
    "c": "a paper cube",
    "uc": "blue",
    "model": "model.ckpt",
    "sampler": "Euler A",
    "scale": 4.5,
    "seed": 2441935286,
    "size": "64x32",
    "steps": 8,
    "strength": 1,
    "v2": {"loras": [{"file": "detail.ckpt", "weight": 0.8, "mode": "all"}]},
}
COMFY_RUN: dict[str, Any] = {
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "xl/base.safetensors"}},
    "10": {
        "class_type": "LoraLoader",
        "inputs": {
            "lora_name": "ink.safetensors",
            "strength_model": 0.8,
            "strength_clip": 0,
            "model": ["4", 0],
            "clip": ["4", 1],
        },
        "_meta": {"title": "Load LoRA"},
    },
    "11": {
        "class_type": "LoraLoader",
        "inputs": {
            "lora_name": "unused-zero.safetensors",
            "strength_model": 0.0,
            "strength_clip": 0,
            "model": ["10", 0],
            "clip": ["10", 1],
        },
    },
    "12": {"class_type": "LoraLoader", "inputs": {"lora_name": "hangs-in-the-air.safetensors"}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["30", 0], "clip": ["11", 1]}},
    "30": {"class_type": "PrimitiveString", "inputs": {"value": "a paper lake, embedding:easy-ink"}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blur", "clip": ["11", 1]}},
    "14": {"class_type": "ControlNetLoader", "inputs": {"control_net_name": "depth.safetensors"}},
    "15": {"class_type": "LoadImage", "inputs": {"image": "layout_c012.png", "upload": "image"}},
    "16": {
        "class_type": "ControlNetApplyAdvanced",
        "inputs": {
            "positive": ["6", 0],
            "negative": ["7", 0],
            "control_net": ["14", 0],
            "image": ["15", 0],
            "strength": 0.6,
        },
    },
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 987654321012345678901,
            "steps": 20,
            "cfg": 3.5,
            "sampler_name": "euler",
            "scheduler": "normal",
            "denoise": 1,
            "model": ["11", 0],
            "positive": ["16", 0],
            "negative": ["16", 1],
            "latent_image": ["5", 0],
        },
        "is_changed": [float("nan")],
    },
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 1024, "height": 576, "batch_size": 1}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "c012", "images": ["8", 0]}},
}
COMFY_DRAWN: dict[str, Any] = {
    "version": 0.4,
    "nodes": [
        {
            "id": 4,
            "type": "CheckpointLoaderSimple",
            "mode": 0,
            "widgets_values": ["xl/base.safetensors"],
        },
        {"id": 10, "type": "LoraLoader", "mode": 4, "widgets_values": ["bypassed.safetensors", 1, 1]},
        {"id": 11, "type": "LoraLoader", "mode": 0, "widgets_values": ["ink.safetensors", 0.8, 0.8]},
        {"id": 12, "type": "LoraLoader", "mode": 2, "widgets_values": ["muted.safetensors", 1, 1]},
        {
            "id": 13,
            "type": "Power Lora Loader (rgthree)",
            "mode": 0,
            "widgets_values": [
                {},
                {"type": "header"},
                {"on": True, "lora": "fog.safetensors", "strength": 0.5},
                {"on": False, "lora": "off.safetensors", "strength": 0.5},
            ],
        },
        {"id": 6, "type": "CLIPTextEncode", "mode": 0, "widgets_values": ["a paper lake"]},
    ],
    "links": [],
}
_NAMESPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
    'xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/" xmlns:exif="http://ns.adobe.com/exif/1.0/" '
    'xmlns:stRef="http://ns.adobe.com/xap/1.0/sType/ResourceRef#" '
    'xmlns:stEvt="http://ns.adobe.com/xap/1.0/sType/ResourceEvent#" '
    'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
)


def xmp(inner: str, attributes: str = "") -> str:
    """Return an XMP packet with these properties."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {_NAMESPACES} {attributes}>{inner}</rdf:Description>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    )


ADOBE = xmp(
    "<dc:rights><rdf:Alt><rdf:li xml:lang='x-default'>© Studio Kumo</rdf:li></rdf:Alt></dc:rights>"
    "<xmpMM:DerivedFrom stRef:documentID='xmp.did:base-1' stRef:instanceID='xmp.iid:base-2'/>"
    "<xmpMM:History><rdf:Seq><rdf:li stEvt:action='created' stEvt:softwareAgent='Adobe Photoshop 26.1'/>"
    "<rdf:li rdf:parseType='Resource'><stEvt:action>saved</stEvt:action></rdf:li></rdf:Seq></xmpMM:History>"
    "<Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/"
    "compositeWithTrainedAlgorithmicMedia</Iptc4xmpExt:DigitalSourceType>",
    "xmp:CreatorTool='Adobe Photoshop 26.1 (Windows)' xmpMM:DocumentID='xmp.did:1'"
    " xmpMM:InstanceID='xmp.iid:1' photoshop:Credit='Kumo'",
)
DRAW_THINGS = xmp(
    "<xmp:CreatorTool>Draw Things</xmp:CreatorTool><exif:UserComment><rdf:Alt><rdf:li xml:lang='x-default'>"
    + json.dumps(DRAW_THINGS_SETTINGS)
    + "</rdf:li></rdf:Alt></exif:UserComment>"
)
DRAW_THINGS_OLD = xmp(
    "<dc:description><rdf:Alt><rdf:li xml:lang='x-default'>draw prompt&#xA;-draw negative&#xA;Steps: 20, "
    "Sampler: Euler Ancestral, Guidance Scale: 4.0, Seed: 4279116933, Model: draw_model.ckpt"
    "</rdf:li></rdf:Alt></dc:description><xmp:CreatorTool>Draw Things</xmp:CreatorTool>"
)


def png(path: Path, texts: dict[str, str], *, zipped: bool = False, itxt: bool = False) -> Path:
    """Write a PNG that carries these texts, as Pillow writes them, and return its path."""
    info = PngInfo()
    for key, text in texts.items():
        if itxt:
            info.add_itxt(key, text, zip=zipped)
        else:
            info.add_text(key, text, zip=zipped)
    Image.new("RGB", (8, 8), "teal").save(path, pnginfo=info)
    return path
