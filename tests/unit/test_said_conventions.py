"""Each convention's own words become an account of it, and of nothing else."""

import json

import pytest

from ledger.adapters.said import accounts_of
from ledger.adapters.said.draft import Text, Texts
from ledger.core.predicates.step import Evidence
from ledger.core.said import Account, ClaimKind, HashKind, ModelClaim, PromptRole, ShortHash
from tests.support import said


def accounts(where: str = "PNG tEXt", /, **texts: str) -> tuple[Account, ...]:
    return accounts_of(Texts(Text(where, key.replace("__", "-"), text) for key, text in texts.items()))


def only(where: str = "PNG tEXt", /, **texts: str) -> Account:
    (found,) = accounts(where, **texts)
    return found


def models(account: Account) -> dict[str, tuple[ClaimKind, str | None, list[str]]]:
    return {
        model.name: (model.kind, model.strength, [str(item) for item in model.hashes])
        for model in account.models
    }


def prompts(account: Account, role: PromptRole) -> list[str]:
    return [prompt.text for prompt in account.prompts if prompt.role is role]


def test_a1111_names_models_with_the_hash_that_each_one_has() -> None:
    account = only(parameters=said.A1111)
    assert (account.convention, account.evidence) == ("a1111", Evidence.DECLARED)
    assert (account.where, account.version) == ("PNG tEXt parameters", "v1.9.4")
    assert models(account) == {
        "fantasticmix_k2": (ClaimKind.CHECKPOINT, None, ["AutoV2 19bbe9faa4"]),
        "vae-ft-mse-840000-ema-pruned.safetensors": (ClaimKind.VAE, None, ["AutoV2 07af11b95c"]),
        "4x-UltraSharp": (ClaimKind.UPSCALER, None, []),
        "face_yolov8n.pt": (ClaimKind.DETECTOR, None, []),
        "MajicNegative_V2": (ClaimKind.EMBEDDING, None, ["AutoV2 a53884ef726b"]),
        "badhandv4": (ClaimKind.EMBEDDING, None, ["AutoV2 5e40d722fc3d"]),
        "LCM_15": (ClaimKind.LORA, "1", ["AutoV3 aaebf6360f7d"]),
        "glow-faceid_plusv2": (ClaimKind.LORA, "0.65", ["AutoV3 a95a0f4bdcb9"]),
    }


def test_a1111_prompts_keep_their_lines_and_never_become_parameters() -> None:
    account = only(parameters=said.A1111)
    positive = prompts(account, PromptRole.POSITIVE)
    assert positive[0].endswith("\nsecond line, with Steps: many of them")
    assert positive[1] == 'a calm face, "lit" from below'
    assert prompts(account, PromptRole.NEGATIVE) == ["MajicNegative_V2,badhandv4,"]
    assert account.parameters["Seed"] == "3748719078"
    assert not any("face" in value for value in (*account.parameters.values(), *account.facts.values()))


def test_an_a1111_template_is_a_prompt_whatever_colons_it_has() -> None:
    text = said.A1111 + "\nTemplate: style: ink, {a|b}\nNegative Template: mood: grim, x"
    account = only(parameters=text)
    assert "style: ink, {a|b}" in prompts(account, PromptRole.POSITIVE)
    assert "mood: grim, x" in prompts(account, PromptRole.NEGATIVE)
    assert {"style", "mood"}.isdisjoint({*account.parameters, *account.facts})


def test_civitais_resources_are_named_by_their_versions() -> None:
    account = only(parameters=said.CIVITAI)
    assert account.models == (
        ModelClaim("DreamShaper", ClaimKind.CHECKPOINT, reference="civitai version 128713"),
        ModelClaim("Detail Tweaker LoRA", ClaimKind.LORA, (), "0.6", "civitai version 62833"),
    )
    assert "again" not in str(account)


@pytest.mark.parametrize(
    "line",
    [
        "Negative prompt: Steps: 23, Sampler: Undefined, Seed: 7",
        "Steps: 23, Seed: 7",
        "x. Steps: 23, Seed: 7",
    ],
)
def test_a1111_settings_are_found_where_upload_forms_have_joined_the_lines(line: str) -> None:
    assert only(parameters=f"fog, a vintage car {line}").parameters["Seed"] == "7"


def test_a_lora_of_strength_zero_is_not_counted_and_a_note_says_so() -> None:
    account = only(parameters="x <lora:ink:0> <lora:fog:-0.0> <lora:sea:0.01>\nSteps: 2, Seed: 1")
    assert list(models(account)) == ["sea"]
    assert len(account.notes) == 2


def test_old_model_hashes_are_told_by_their_length() -> None:
    account = only(parameters="x\nSteps: 2, Seed: 1, Model hash: 38b5677b, Model: old")
    assert account.models[0].hashes == (ShortHash(HashKind.AUTOV1, "38b5677b"),)


def test_a_comfyui_run_counts_what_leads_to_an_output_and_acts() -> None:
    account = only(prompt=json.dumps(said.COMFY_RUN), workflow=json.dumps(said.COMFY_DRAWN))
    assert (account.tool, account.evidence) == ("ComfyUI", Evidence.INFERRED)
    assert models(account) == {
        "xl/base.safetensors": (ClaimKind.CHECKPOINT, None, []),
        "ink.safetensors": (ClaimKind.LORA, "0.8", []),
        "easy-ink": (ClaimKind.EMBEDDING, None, []),
        "depth.safetensors": (ClaimKind.CONTROLNET, None, []),
    }
    assert prompts(account, PromptRole.POSITIVE) == ["a paper lake, embedding:easy-ink"]
    assert prompts(account, PromptRole.NEGATIVE) == ["blur"]
    assert account.derived_from == ("layout_c012.png",)
    assert account.parameters["seed (KSampler 3)"] == "987654321012345678901"
    assert account.notes == (
        "1 nodes lead to no output and are not counted",
        "lora unused-zero.safetensors has strength 0 and is not counted",
        "2 nodes of the workflow were switched off and are not counted",
    )


def test_a_comfyui_drawing_speaks_where_there_is_no_run_without_what_is_switched_off() -> None:
    account = only(workflow=json.dumps(said.COMFY_DRAWN))
    assert models(account) == {
        "xl/base.safetensors": (ClaimKind.CHECKPOINT, None, []),
        "ink.safetensors": (ClaimKind.LORA, "0.8", []),
        "fog.safetensors": (ClaimKind.LORA, "0.5", []),
    }
    assert prompts(account, PromptRole.UNKNOWN) == ["a paper lake"]


def test_comfyui_is_found_in_exif_and_in_a_films_comment() -> None:
    run = json.dumps(said.COMFY_RUN)
    assert only("WebP EXIF", Model=f"prompt:{run}").where == "WebP EXIF Model"
    both = json.dumps({"prompt": run, "workflow": said.COMFY_DRAWN})
    assert "ink.safetensors" in models(only("film", comment=both))


def test_a_comfyui_node_may_stack_loras_with_switches() -> None:
    stack = {
        "1": {
            "class_type": "LoRA Stacker",
            "inputs": {
                "lora_name_1": "a",
                "lora_wt_1": 0.5,
                "lora_name_2": "b",
                "lora_wt_2": 0,
                "switch_3": "Off",
                "lora_name_3": "c",
                "lora_name_4": "None",
            },
        },
        "2": {
            "class_type": "Power Lora Loader (rgthree)",
            "inputs": {
                "lora_1": {"on": True, "lora": "d", "strength": 1},
                "lora_2": {"on": False, "lora": "e"},
            },
        },
    }
    assert list(models(only(prompt=json.dumps(stack)))) == ["a", "d"]


def test_invokeai_names_each_model_with_its_blake3() -> None:
    account = only(invokeai_metadata=json.dumps(said.INVOKEAI), invokeai_graph="{}")
    assert (account.tool, account.version) == ("InvokeAI", "5.4.2")
    found = models(account)
    assert found["Juggernaut XL v9"][0] is ClaimKind.CHECKPOINT
    assert found["Juggernaut XL v9"][2] == [f"blake3 {said.INVOKEAI['model']['hash'][7:]}"]
    assert found["paper-cut"][:2] == (ClaimKind.LORA, "0.75")
    assert found["ip_adapter_sdxl"][:2] == (ClaimKind.ADAPTER, "0.5")
    assert account.derived_from == ("6ec6b0a1.png",)
    assert prompts(account, PromptRole.NEGATIVE) == ["stars"]


def test_invokeais_graph_speaks_alone_where_the_metadata_are_gone() -> None:
    graph = {"nodes": {"m": {"type": "sdxl_model_loader", "model": said.INVOKEAI["model"]}}}
    account = only(invokeai_graph=json.dumps(graph))
    assert (account.evidence, account.models[0].name) == (Evidence.INFERRED, "Juggernaut XL v9")


def test_invokeais_older_forms() -> None:
    account = only(sd__metadata=json.dumps(said.INVOKEAI_OLD))
    assert account.models[0].name == "stable-diffusion-1.5"
    assert prompts(account, PromptRole.POSITIVE) == ["a ((dog)) of paper"]
    assert prompts(account, PromptRole.NEGATIVE) == ["fur"]
    dream = only(Dream=said.DREAM)
    assert dict(dream.parameters) == {
        "steps": "30",
        "seed": "1234",
        "width": "512",
        "height": "512",
        "cfg_scale": "7.5",
        "sampler": "k_lms",
    }


def test_novelai_is_a_service_and_its_description_is_a_prompt() -> None:
    account, rest = accounts(**said.NOVELAI_TEXTS)
    assert (account.service, account.models[0].name) == ("NovelAI", "NovelAI Diffusion V4.5 4BDE2A90")
    assert prompts(account, PromptRole.POSITIVE) == [said.NOVELAI["prompt"], "a second fox, red"]
    assert account.notes == ("reference pictures went in, and the file does not name them",)
    assert rest.convention == "text"
    assert "fox" not in str(rest)


def test_novelai_in_one_exif_comment() -> None:
    account = only("WebP EXIF", UserComment=json.dumps(said.NOVELAI_TEXTS))
    assert (account.convention, account.parameters["seed"]) == ("novelai", "3816166865")


def test_fooocus_has_the_beginning_of_each_files_digest() -> None:
    account = only(parameters=json.dumps(said.FOOOCUS), fooocus_scheme="fooocus")
    assert (account.tool, account.version) == ("Fooocus", "v2.5.5")
    assert models(account) == {
        "juggernautXL_v8Rundiffusion": (ClaimKind.CHECKPOINT, None, ["AutoV2 aeb7e9e689"]),
        "sd_xl_offset_example-lora_1.0": (ClaimKind.LORA, "0.1", ["AutoV2 4852686128"]),
    }
    assert len(prompts(account, PromptRole.POSITIVE)) == 3


def test_swarmui_has_digests_of_the_tensors() -> None:
    account = only(parameters=json.dumps(said.SWARMUI))
    found = models(account)
    assert found["realDream_animaV2.safetensors"][2] == ["tensors " + "84fc41ea" * 8]
    assert found["styleA.safetensors"][1] == "0.4"
    assert "turbo-v0.2.safetensors" not in found
    assert account.derived_from == ("raw/x.png",)


@pytest.mark.parametrize(
    ("packet", "model"), [(said.DRAW_THINGS, "model.ckpt"), (said.DRAW_THINGS_OLD, "draw_model.ckpt")]
)
def test_draw_things_in_both_its_forms(packet: str, model: str) -> None:
    _, account = accounts(XMP=packet)
    assert (account.convention, account.tool) == ("drawthings", "Draw Things")
    assert model in models(account)
    assert len(prompts(account, PromptRole.NEGATIVE)) == 1


def test_xmp_says_origin_descent_and_rights() -> None:
    account = only(XMP=said.ADOBE)
    assert account.tool == "Adobe Photoshop 26.1 (Windows)"
    assert account.source_types == (
        "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia",
    )
    assert account.derived_from == ("xmp.did:base-1", "xmp.iid:base-2")
    assert account.facts["dc:rights"] == "© Studio Kumo"
    assert account.facts["xmpMM:History"] == "created, Adobe Photoshop 26.1, saved"


def test_a_description_in_xmp_may_be_a_prompt() -> None:
    packet = said.xmp(
        "<dc:description><rdf:Alt><rdf:li>a paper sea --v 6</rdf:li></rdf:Alt></dc:description>"
    )
    assert prompts(only(XMP=packet), PromptRole.UNKNOWN) == ["a paper sea --v 6"]


def test_an_a1111_controlnet_is_a_model() -> None:
    unit = 'ControlNet 0: "Module: canny, Model: control_v11p_sd15_canny [d14c016b], Weight: 0.8"'
    account = only(parameters=f"x\nSteps: 2, Seed: 1, {unit}, Version: v1.9.4")
    assert models(account) == {"control_v11p_sd15_canny": (ClaimKind.CONTROLNET, None, ["other d14c016b"])}


def test_blenders_stamp_is_told_by_its_fields() -> None:
    stamp = {
        "File": "//shot.blend",
        "Scene": "Scene",
        "Frame": "012",
        "RenderTime": "00:01.02",
        "Note": "rakkan:42",
    }
    account = only(**stamp)
    assert (account.convention, account.tool) == ("blender", "Blender")
    assert account.facts["Note"] == "rakkan:42"


@pytest.mark.parametrize(
    "texts",
    [
        {"parameters": "a note without settings"},
        {"prompt": "a plain sentence"},
        {"workflow": "[]"},
        {"prompt": "{}"},
        {"invokeai_metadata": "not json"},
        {"Comment": '{"prompt": "nobody says whose"}'},
    ],
)
def test_what_only_looks_like_a_convention_is_none(texts: dict[str, str]) -> None:
    assert {account.convention for account in accounts(**texts)} <= {"text"}


def test_two_texts_of_one_name_both_speak() -> None:
    texts = Texts([Text("PNG tEXt", "parameters", said.A1111), Text("PNG iTXt", "parameters", said.CIVITAI)])
    assert [account.where for account in accounts_of(texts)] == [
        "PNG tEXt parameters",
        "PNG iTXt parameters",
    ]
