"""The text of AUTOMATIC1111's web UI, written by Forge, SD.Next, Civitai and many others, too.

    prompt, on any number of lines, with <lora:name:0.8>
    Negative prompt: the same
    Steps: 20, Sampler: Euler a, Seed: 1, Size: 512x768, Model hash: 6ce0161689, Model: v1-5-pruned-emaonly

* PNG key ``parameters``; EXIF ``UserComment`` in JPEG and WebP; some use ``Comment`` or ``Description``.
* The settings are the last line that begins with ``Steps: ``, and all that follows. A prompt may hold such a
  line as well: whoever typed it decides what this reader sees.
* A value is bare up to the next comma, or quoted as in JSON, or JSON itself in brackets. However long the
  text, it is walked over once.
* ``Model hash`` of 8 digits is AutoV1, of 10 AutoV2. ``Lora hashes`` are AutoV3, ``TI hashes`` the beginning
  of the file's SHA-256, ``Hashes`` AutoV2.
* ``Model``, ``VAE`` and the rest are names that anybody may give a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ledger.adapters.said.draft import (
    MAX_PROMPT,
    Draft,
    Texts,
    items,
    loose_json,
    loose_object,
    members,
    short_hash,
)
from ledger.core.said import ClaimKind, HashKind, PromptRole

KEYS = ("parameters", "usercomment", "comment", "description", "imagedescription", "postprocessing")
NEGATIVE = "Negative prompt:"

_SETTINGS = re.compile(r"(?:^|\n|(?<=[ ,.]))Steps: ?[0-9]")
_TAG = re.compile(r"<(lora|lyco|hypernet):([^:<>\n]{1,200})(?::([^:<>\n]{0,40}))?[^<>\n]{0,100}>")
_TEMPLATES = re.compile(r"\n(Negative Template|Template): ")
_NESTING = re.compile(r'["\[\]{}]')
_NAME = re.compile(r"[^\W\d_][\w ./()+\-]{0,60}")
_MAX_PAIRS = 300
_MAX_SETTINGS = 1 << 18
_MAX_VALUE = 1 << 16

_MODELS = {
    "model": (ClaimKind.CHECKPOINT, "model hash"),
    "vae": (ClaimKind.VAE, "vae hash"),
    "refiner": (ClaimKind.CHECKPOINT, ""),
    "hires checkpoint": (ClaimKind.CHECKPOINT, ""),
    "hires upscaler": (ClaimKind.UPSCALER, ""),
    "postprocess upscaler": (ClaimKind.UPSCALER, ""),
    "postprocess upscaler 2": (ClaimKind.UPSCALER, ""),
}
_TAKEN = frozenset((*_MODELS, "model hash", "vae hash", "lora hashes", "ti hashes", "version"))
_WITH_HASH = re.compile(r"(.{1,200}) \[([0-9a-fA-F]{8,64})\]")
_DETECTOR = re.compile(r"adetailer model(?: [0-9a-z]{1,4})?")
_CONTROLNET = re.compile(r"Model: ([^,\[]{1,200}) \[([0-9a-fA-F]{8})\]")
_PROMPTS = {
    "Template": PromptRole.POSITIVE,
    "Negative Template": PromptRole.NEGATIVE,
}
_PARAMETERS = frozenset(
    (
        *(
            "steps",
            "sampler",
            "schedule type",
            "cfg scale",
            "distilled cfg scale",
            "seed",
            "size",
            "clip skip",
        ),
        *(
            "denoising strength",
            "hires upscale",
            "hires steps",
            "hires resize",
            "hires cfg scale",
            "ensd",
            "rng",
        ),
        *(
            "eta",
            "variation seed",
            "variation seed strength",
            "seed resize from",
            "mask blur",
            "face restoration",
        ),
        *("refiner switch at", "token merging ratio", "guidance scale", "strength", "shift", "seed mode"),
    )
)
"""The settings that hold numbers and names of methods. Any other may hold a part of a prompt."""
_RESOURCES = {
    "checkpoint": ClaimKind.CHECKPOINT,
    "lora": ClaimKind.LORA,
    "lycoris": ClaimKind.LORA,
    "embed": ClaimKind.EMBEDDING,
    "textualinversion": ClaimKind.EMBEDDING,
    "vae": ClaimKind.VAE,
    "controlnet": ClaimKind.CONTROLNET,
    "upscaler": ClaimKind.UPSCALER,
}


def read(texts: Texts) -> Iterator[Draft]:
    """Yield an account for each text that has the form."""
    for text in texts.of(*KEYS):
        if not text.text.startswith("{") and is_infotext(text.text):
            draft = Draft("a1111", text.place)
            fill(draft, text.text, NEGATIVE)
            yield draft


def is_infotext(text: str) -> bool:
    """Whether there is a line of settings: steps, and one of the things that come with them."""
    at = _settings_at(text)
    return at is not None and any(word in text[at:] for word in ("Sampler:", "CFG scale:", "Seed:", "Size:"))


def fill(draft: Draft, text: str, negative: str) -> None:
    """Take the prompts and the settings. ``negative`` is what the line of the negative prompt begins with."""
    at = _settings_at(text)
    asked, rest = (text, "") if at is None else (text[:at], text[at : at + _MAX_SETTINGS].lstrip())
    wanted, unwanted = _parted(asked, negative)
    draft.prompt(PromptRole.POSITIVE, wanted)
    draft.prompt(PromptRole.NEGATIVE, unwanted)
    listed, *templates = _TEMPLATES.split(rest)
    for name, template in zip(templates[::2], templates[1::2], strict=True):
        draft.prompt(_PROMPTS[name], template)
    pairs = dict(settings(listed))
    lower = {name.lower(): value for name, value in pairs.items()}
    draft.tool(None, lower.get("version"))
    hashes = _hashes(lower)
    _take_models(draft, lower)
    _take_tags(draft, wanted, hashes)
    _take_resources(draft, lower)
    for name, value in pairs.items():
        _take_setting(draft, name, value)


def settings(text: str) -> Iterator[tuple[str, str]]:
    """Yield the names and values of ``a: 1, b: "x, y", c: {"d": [1, 2]}``, at most ``300``.

    Takes time in proportion to the text, and stops where it is no such list.
    """
    at = 0
    for _ in range(_MAX_PAIRS):
        colon = text.find(":", at, at + 200)
        if colon < 0:
            return
        name = re.split(r"[,\n]", text[at:colon])[-1].strip()
        start = colon + 1 + text.startswith(" ", colon + 1)
        end = _value_end(text, start)
        if _NAME.fullmatch(name):
            yield name, _unquoted(text[start:end].strip())
        at = end + 1


def _settings_at(text: str) -> int | None:
    return max((found.start() for found in _SETTINGS.finditer(text)), default=None)


def _parted(text: str, negative: str) -> tuple[str, str]:
    """Return the prompt and the negative prompt."""
    at = 0 if text.startswith(negative) else text.find(f"\n{negative}")
    if at < 0:
        # Some upload forms join the lines.
        at = text.find(negative) if negative == NEGATIVE else -1
    if at < 0:
        return text, ""
    return text[:at], text[at:].lstrip("\n")[len(negative) :]


def _value_end(text: str, start: int) -> int:
    """Return where the value ends: at the comma or line end behind it, or at the end of the text."""
    first = text[start : start + 1]
    if first == '"':
        end = _string_end(text, start)
    elif first in ("[", "{"):
        end = _nested_end(text, start)
    else:
        end = start
    comma, newline = text.find(",", end), text.find("\n", end)
    ends = [place for place in (comma, newline) if place >= 0]
    return min(ends) if ends else len(text)


def _string_end(text: str, start: int) -> int:
    """Return where a quoted value ends, behind its quote; ``start`` where it is never closed."""
    at = start + 1
    while (quote := text.find('"', at, start + _MAX_VALUE)) >= 0:
        slashes = quote - at - len(text[at:quote].rstrip("\\"))
        if slashes % 2 == 0:
            return quote + 1
        at = quote + 1
    return start


def _nested_end(text: str, start: int) -> int:
    """Return where a value in brackets ends; ``start`` where its bracket is never closed."""
    depth, at = 0, start
    while found := _NESTING.search(text, at, start + _MAX_VALUE):
        at = found.end()
        if found[0] == '"':
            at = _string_end(text, found.start())
            if at == found.start():
                return start
            continue
        depth += 1 if found[0] in "[{" else -1
        if depth == 0:
            return at
    return start


def _unquoted(value: str) -> str:
    if value.startswith('"') and value.endswith('"') and len(value) > 1:
        found = loose_json(f"[{value}]")
        return found[0] if found and isinstance(found[0], str) else value[1:-1]
    return value


def _take_models(draft: Draft, lower: dict[str, str]) -> None:
    for name, (kind, hash_name) in _MODELS.items():
        value = lower.get(name, "")
        # Of these, some are written with their hash behind them: `name [6ce0161689]`.
        match = _WITH_HASH.fullmatch(value)
        found = short_hash(match[2] if match else lower.get(hash_name))
        draft.model(match[1] if match else value, kind, found)
    if "model" not in lower and "model hash" in lower:
        draft.model("(not named)", ClaimKind.CHECKPOINT, short_hash(lower["model hash"]))
    for name, value in lower.items():
        if name.startswith("controlnet ") and (match := _CONTROLNET.search(value[:2000])):
            draft.model(match[1].strip(), ClaimKind.CONTROLNET, short_hash(match[2], HashKind.OTHER))
        elif _DETECTOR.fullmatch(name):
            draft.model(value, ClaimKind.DETECTOR)
    for name, digits in _named_hashes(lower.get("ti hashes", "")):
        draft.model(name, ClaimKind.EMBEDDING, short_hash(digits, HashKind.AUTOV2))


def _hashes(lower: dict[str, str]) -> dict[str, str]:
    """Return the AutoV3 hashes of the LoRAs, by their names."""
    return dict(_named_hashes(lower.get("lora hashes", "")))


def _named_hashes(value: str) -> Iterator[tuple[str, str]]:
    for item in value.split(",")[:200]:
        name, colon, digits = item.rpartition(":")
        if colon and name.strip():
            yield name.strip(), digits.strip()


def _take_tags(draft: Draft, wanted: str, hashes: dict[str, str]) -> None:
    """Take the tags in the prompt, and the LoRAs that have a hash and no tag."""
    tagged = set()
    for kind, name, strength in _TAG.findall(wanted[:MAX_PROMPT]):
        of = ClaimKind.HYPERNETWORK if kind == "hypernet" else ClaimKind.LORA
        found = short_hash(hashes.get(name), HashKind.AUTOV3)
        draft.model(name, of, found, strength or "1")
        tagged.add(name)
    for name, digits in hashes.items():
        if name not in tagged:
            draft.model(name, ClaimKind.LORA, short_hash(digits, HashKind.AUTOV3))


def _take_resources(draft: Draft, lower: dict[str, str]) -> None:
    """Take what Civitai adds: version numbers of its catalogue, and its own list of hashes."""
    for item in items(loose_json(lower.get("civitai resources", ""))):
        resource = members(item)
        kind = _RESOURCES.get(str(resource.get("type")).lower(), ClaimKind.OTHER)
        version = resource.get("modelVersionId")
        reference = resource.get("air") or (f"civitai version {version}" if version else None)
        draft.model(resource.get("modelName") or reference, kind, (), resource.get("weight"), reference)
    for name, digits in loose_object(lower.get("hashes", "")).items():
        what, _, which = name.partition(":")
        if which:
            kind = _RESOURCES.get(what.lower(), ClaimKind.OTHER)
            draft.model(which, kind, short_hash(digits, HashKind.AUTOV2))


def _take_setting(draft: Draft, name: str, value: str) -> None:
    lower = name.lower()
    if lower in _PARAMETERS:
        draft.parameters.put(name, value)
    elif "prompt" in lower:
        draft.prompt(PromptRole.NEGATIVE if "negative" in lower else PromptRole.POSITIVE, value)
    elif lower not in _TAKEN and not _DETECTOR.fullmatch(lower) and not loose_json(value):
        draft.facts.put(name, value)
