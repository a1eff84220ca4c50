"""safetensors: 8 bytes of length (little-endian), that many bytes of JSON, then the tensors.

* Only the header is read, whatever the file's size; the format caps it at 100 MB. Every byte behind it must
  belong to one tensor: a file that was cut off or has something hidden in it is refused.
* ``__metadata__`` is what trainers and merging tools write there; read here: ModelSpec (``modelspec.*``).
  ``kohya`` and ``merges`` read the others.
* What the file is (LoRA, ControlNet, VAE, upscaler) is taken from the metadata. Where that is silent, it is
  inferred from the tensors' names, and a note says so.
* ``modelspec.hash_sha256``, ``sshs_model_hash`` (tensors alone) and ``ss_sd_model_hash`` (AutoV1) find a file
  in a catalogue. None of them identifies it: the caller computes its SHA-256.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from ledger.adapters.intake import kohya, merges
from ledger.adapters.intake.json_text import load_json
from ledger.adapters.intake.licences import licence
from ledger.adapters.intake.values import Facts, Members, Notes, malformed
from ledger.core.digest import sha256_hex
from ledger.core.predicates.model_v2 import ModelKind
from ledger.core.rights.declared import Declared, DeclaredDataset, DeclaredModel, DeclaredParent

FORMAT = "safetensors"
MAX_HEADER = 100_000_000
METADATA = "__metadata__"

_ADAPTERS = {
    "lora": ModelKind.LORA,
    "locon": ModelKind.LORA,
    "lycoris": ModelKind.LORA,
    "controlnet": ModelKind.CONTROLNET,
    "control-lora": ModelKind.CONTROLNET,
    "vae": ModelKind.VAE,
}
_LORA = (".lora_down.", ".lora_up.", ".lora_A.", ".lora_B.", ".hada_w1_a", ".lokr_w1", ".oft_blocks")
_CONTROLNET = ("control_model.", "controlnet_", "input_hint_block.", "zero_convs.")
_VAE = ("encoder.", "decoder.", "quant_conv.", "post_quant_conv.")
_UPSCALER = (".RDB1.", ".rdb1.", "conv_up1.", "upconv1.", "model.1.sub.")
# A picture, and what `kohya` and `merges` read.
_NOT_FACTS = frozenset(f"modelspec.{name}" for name in ("thumbnail", "license", "title", "merged_from"))


def is_safetensors(start: bytes) -> bool:
    """Whether a file that begins so can only be meant as one: a plausible length, then an object."""
    return len(start) > 8 and start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= MAX_HEADER


def read_safetensors(path: Path) -> Declared:
    """Return what the header says. Raises ``MalformedError("intake.malformed")`` and ``OSError``."""
    with path.open("rb") as file:
        raw, size = _read_header(file)
    header = load_json(raw[8:], "the header")
    if not isinstance(header, dict):
        raise malformed("the header", "is not an object")
    metadata = header.pop(METADATA, {})
    if not isinstance(metadata, dict):
        raise malformed(METADATA, "is not an object")
    _check_tensors(header, size - len(raw))
    notes = Notes()
    members = Members({name: _text(name, metadata[name], notes) for name in metadata}, "", notes)
    model, datasets = _model(members, header, path.stem)
    return Declared(FORMAT, sha256_hex(raw), (model,), datasets, notes.lines())


def _read_header(file: BinaryIO) -> tuple[bytes, int]:
    """Return the header with its length in front, and the size of the file."""
    size = file.seek(0, 2)
    file.seek(0)
    start = file.read(8)
    length = int.from_bytes(start, "little")
    if len(start) < 8 or length > min(MAX_HEADER, size - 8):
        raise malformed("the header's length", f"is {length:,}, in a file of {size:,} bytes")
    raw = start + file.read(length)
    if len(raw) != 8 + length:
        raise malformed("the header", "ended while it was being read")
    return raw, size


def _check_tensors(tensors: dict[str, Any], size: int) -> None:
    """Refuse tensors that overlap, leave a gap, or do not end where the file does."""
    end = 0
    for start, stop, name in sorted(_span(name, tensor) for name, tensor in tensors.items()):
        if start != end or stop < start:
            raise malformed(f"data_offsets of {name[:80]!r}", "leave a gap, or overlap")
        end = stop
    if end != size:
        raise malformed("the tensors", f"take {end:,} bytes, and the file has {size:,} for them")


def _span(name: str, tensor: object) -> tuple[int, int, str]:
    offsets = tensor.get("data_offsets") if isinstance(tensor, dict) else None
    match offsets:
        case [int(start), int(stop)]:
            return start, stop, name
    raise malformed(f"data_offsets of {name[:80]!r}", "are not two numbers")


def _text(name: str, value: object, notes: Notes) -> str:
    if isinstance(value, str):
        return value
    notes.add(f"{METADATA}.{name} is not a text")
    return ""


def _model(
    members: Members, names: Iterable[str], stem: str
) -> tuple[DeclaredModel, tuple[DeclaredDataset, ...]]:
    run = kohya.read_kohya(members)
    merged = merges.read_merges(members)
    kind = ModelKind.MERGE if merged.parents else _declared_kind(members) or run.kind
    kind = kind or _inferred_kind(list(names), members.notes)
    title = members.text("modelspec.title") or run.name
    if title is None:
        members.notes.add("the file does not name the model: its file name is taken")
    facts = Facts()
    for name, value in members.values.items():
        if name.startswith("modelspec.") and name not in _NOT_FACTS:
            facts.put(name, value)
    for name, value in [*merged.facts.items(), *run.facts.items()]:
        facts.put(name, value)
    written = members.text("modelspec.license")
    model = DeclaredModel(
        title or Members({"stem": stem}, "the file name", members.notes).text("stem") or "unnamed",
        kind=kind,
        parents=_parents(merged.parents, run, kind),
        training=run.training,
        licence=licence((written,), "modelspec.license", members.notes) if written else None,
        facts=facts,
    )
    return model, run.datasets


def _parents(
    merged: tuple[DeclaredParent, ...], run: kohya.Run, kind: ModelKind | None
) -> tuple[DeclaredParent, ...]:
    base = run.parent(adapter=kind is ModelKind.LORA or run.kind is ModelKind.LORA)
    return (*merged, *((base,) if base else ()))


def _declared_kind(members: Members) -> ModelKind | None:
    architecture = members.text("modelspec.architecture") or ""
    return _ADAPTERS.get(architecture.rpartition("/")[2].lower())


def _inferred_kind(names: list[str], notes: Notes) -> ModelKind | None:
    found = None
    if any(part in name for name in names for part in _LORA):
        found = ModelKind.LORA
    elif any(name.startswith(_CONTROLNET) for name in names):
        found = ModelKind.CONTROLNET
    elif names and all(name.removeprefix("first_stage_model.").startswith(_VAE) for name in names):
        found = ModelKind.VAE
    elif any(part in name for name in names for part in _UPSCALER):
        found = ModelKind.UPSCALER
    if found:
        notes.add(f"the kind {found.value} is inferred from the names of the tensors")
    return found
