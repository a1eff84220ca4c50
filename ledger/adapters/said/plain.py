"""What no convention has taken: Blender's stamp, our own marks, IPTC's credits, ``Software`` and the like.

* Each carrier gets one account, with its short texts as facts under their own names.
* ``Exif:ImageHistory`` is what oiiotool and maketx write: a command line, with the paths of whoever ran it.
* ``rakkan:step`` and a note ``rakkan:…`` are marks that a hook of ours may have left. Anybody can copy one.
* A description or a comment may be a prompt: some services write it there. It is treated like one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ledger.adapters.said import xmp
from ledger.adapters.said.draft import Draft, Text, Texts
from ledger.core.said import PromptRole

MAX_FACT = 4000
"""Characters of a text that is shown. A longer one is data, not a word about the making."""

_TAKEN = frozenset(("workflow", "fooocus_scheme", "invokeai_graph", "invokeai_workflow", *xmp.KEYS))
"""Keys of conventions whose texts are for machines."""
_GRAPH = re.compile(r"(?:prompt|workflow):\s*\{", re.IGNORECASE)
"""How ComfyUI's texts begin in EXIF."""
_TECHNICAL = frozenset(
    (
        *("type", "compression", "lineorder", "major_brand", "minor_version", "compatible_brands"),
        *("handler_name", "vendor_id", "language"),
    )
)
_BLENDER = frozenset(("scene", "frame", "camera", "rendertime", "cycles.viewlayer.render_time"))
_PROMPTS = frozenset(
    (
        *("comment", "usercomment", "description", "imagedescription", "caption"),
        *("parameters", "prompt", "dream"),
    )
)


def read(texts: Texts, shown: frozenset[str], prompts: frozenset[str]) -> Iterator[Draft]:
    """Yield an account of each carrier, without the places and prompts that other readers have taken."""
    carriers: dict[str, list[Text]] = {}
    for text in texts:
        taken = text.place in shown or text.text.strip() in prompts or _GRAPH.match(text.text)
        if not taken and text.key.lower() not in _TAKEN | _TECHNICAL:
            carriers.setdefault(text.where, []).append(text)
    for where, found in carriers.items():
        keys = {text.key.lower() for text in found}
        blender = len(keys & _BLENDER) > 1
        draft = Draft("blender" if blender else "text", where)
        if blender:
            draft.tool("Blender")
        for text in found:
            _take(draft, text)
        yield draft


def _take(draft: Draft, text: Text) -> None:
    key, start = text.key.lower(), text.text.lstrip()[:1]
    if len(text.text) > MAX_FACT or start in ("{", "["):
        draft.notes.add(f"{text.key[:80]} holds {len(text.text):,} characters of data and is not shown")
    elif key in _PROMPTS:
        draft.prompt(PromptRole.UNKNOWN, text.text)
    elif key in ("software", "encoder", "program"):
        draft.tool(text.text)
    else:
        draft.facts.put(text.key, text.text)
