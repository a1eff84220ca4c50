"""The record of a command: what is spooled when it has ended."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ledger.hooks import rakkan_capture
from ledger.hooks.trace import meaning
from ledger.hooks.trace.files import Files, stamp_of
from ledger.hooks.trace.options import frames
from ledger.hooks.trace.roots import Roots

HASHED_AT_ONCE = 32 << 20
"""Bytes of outputs that are hashed here, while the user waits. The agent hashes the others."""
MOST_INPUTS = 5000
"""How many inputs stand in the record itself. More go into a list of their own."""
ROOM = 1 << 20
"""Bytes that the outputs, and the inputs, of one record may take. A command that wrote more makes several."""
PLACE = ("episode", "sequence", "shot", "task", "version")


def spool(
    files: Files, roots: Roots, base: dict[str, Any], chosen: Mapping[str, str], *, always: bool = False
) -> None:
    """Spool what a command did; nothing where it wrote nothing that counts, unless ``always``.

    ``base`` has what is known without its files. Raises only ``CaptureRefusedError``.
    """
    outputs = [path for path in files.outputs() if roots.hold(path)]
    if not outputs and not always:
        return
    seen = list(files.inputs())
    inputs = [path for path, _, _ in seen]
    base["action"] = chosen.get("action") or meaning.action(base["tool"]["name"], inputs, outputs)
    roles = meaning.roles(base["action"], inputs, outputs)
    base["inputs"] = _listed([{"path": path, "role": roles[path], "stamp": stamp} for path, stamp, _ in seen])
    base["place"] = _place(chosen, outputs)
    base["parameters"].update(
        {
            "inputs": str(len(inputs)),
            "outputs": str(len(outputs)),
            "inputChanged": str(sum(c for *_, c in seen)),
        }
    )
    if meaning.is_training(inputs, outputs):
        base["parameters"]["training"] = "1"
    parts = list(_parts(_outputs(outputs))) or [[]]
    for number, part in enumerate(parts, 1):
        if len(parts) > 1:
            base["parameters"]["part"] = "%d/%d" % (number, len(parts))
        rakkan_capture.spool({**base, "outputs": part})


def _place(chosen: Mapping[str, str], outputs: Sequence[str]) -> dict[str, Any]:
    place: dict[str, Any] = {name: chosen[name] for name in PLACE if name in chosen}
    if "frames" in chosen:
        place["frames"] = frames(chosen["frames"])
    production = rakkan_capture.production_of(outputs[0] if outputs else os.getcwd())
    if production is not None:
        place["production"] = production["name"]
    return place


def _outputs(paths: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield each output as records name it, the first ones with their digest."""
    left = HASHED_AT_ONCE
    for path in paths:
        stamp = stamp_of(path)
        if stamp is None:
            continue
        left -= stamp[2]
        yield rakkan_capture.file(path) if left > 0 else {"path": path, "stamp": stamp}


def _parts(items: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    part: list[dict[str, Any]] = []
    size = 0
    for item in items:
        length = len(json.dumps(item))
        if size + length > ROOM:
            yield part
            part, size = [], 0
        part.append(item)
        size += length
    if part:
        yield part


def _listed(inputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the inputs, or where they are too many a single one: the list of them, in the spool."""
    lines = [json.dumps(item) + "\n" for item in inputs]
    if len(lines) <= MOST_INPUTS and sum(map(len, lines)) <= ROOM:
        return inputs
    folder = os.path.join(rakkan_capture.folder(), "lists")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    path = os.path.join(folder, os.urandom(16).hex() + ".ndjson")
    with open(path, "w", encoding="ascii") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    role = "dataset" if any(item["role"] == "dataset" for item in inputs) else "component"
    return [rakkan_capture.file(path, role)]
