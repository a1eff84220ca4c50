"""XMP: where Adobe's tools, Draw Things and cameras write down rights, origin and descent.

* The XML is read by expat with a refusal of every document type: without one no entity can be declared, so
  nothing expands and nothing is fetched.
* Of RDF only what XMP uses is understood: properties as attributes or elements, lists, structures.
* ``xmpMM:DerivedFrom``, ``Ingredients`` and ``Pantry`` name documents by identifiers that their tools made
  up. Two files that state one ``DocumentID`` were saved from one document, if it is true: no more follows.
* A description may be a prompt: some services write it there. It is treated like one.
* Draw Things writes its settings as JSON into ``exif:UserComment``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from ledger.adapters.said import a1111
from ledger.adapters.said.draft import Draft, Text, Texts, items, loose_object, members
from ledger.core.said import ClaimKind, PromptRole

KEYS = ("xmp", "xml:com.adobe.xmp")
MAX_DEPTH = 40
MAX_PROPERTIES = 2000
MAX_VALUE = 1 << 16

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_PREFIXES = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/xap/1.0/mm/": "xmpMM",
    "http://ns.adobe.com/xap/1.0/rights/": "xmpRights",
    "http://ns.adobe.com/xap/1.0/sType/ResourceRef#": "stRef",
    "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#": "stEvt",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": "Iptc4xmpCore",
    "http://ns.useplus.org/ldf/xmp/1.0/": "plus",
    "http://cipa.jp/exif/1.0/": "exifEX",
}
_FACTS = (
    *(
        "dc:rights",
        "dc:creator",
        "dc:title",
        "photoshop:Credit",
        "photoshop:Source",
        "xmpRights:WebStatement",
    ),
    *("xmpRights:UsageTerms", "xmpRights:Marked", "plus:DataMining", "xmpMM:DocumentID", "xmpMM:InstanceID"),
    *("xmpMM:OriginalDocumentID", "Iptc4xmpExt:AISystemUsed", "Iptc4xmpExt:AISystemVersionUsed"),
    *("Iptc4xmpExt:AIPromptWriterName", "photoshop:Instructions", "xmpRights:WebStatement"),
)
_DESCENT = ("xmpMM:DerivedFrom", "xmpMM:Ingredients", "xmpMM:Pantry", "xmpMM:RenditionOf")
_IDENTIFIERS = ("stRef:documentID", "stRef:instanceID", "stRef:filePath", "xmpMM:DocumentID")


class _RefusedError(Exception):
    """More than an XMP packet has, or something that none has."""


@dataclass(slots=True)
class _Packet:
    """The properties of one packet, by their path of names: ``xmpMM:History/stEvt:action``."""

    found: list[tuple[str, str]] = field(default_factory=list)
    path: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    size: int = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take an element's name and the properties that are attributes of it."""
        if len(self.path) >= MAX_DEPTH:
            raise _RefusedError("nests too deep")
        self.path.append(_short(name))
        self.text.clear()
        self.size = 0
        for key, value in attributes.items():
            if key == f"{_RDF} resource":
                self._keep("", value)
            elif not key.startswith((_RDF, "http://www.w3.org/XML/")):
                self._keep(_short(key), value)

    def end(self, name: str) -> None:
        """Take the text of an element that has some."""
        value = "".join(self.text).strip()
        if value:
            self._keep("", value)
        self.text.clear()
        self.path.pop()

    def data(self, text: str) -> None:
        """Gather text; expat hands it over in pieces."""
        if self.size < MAX_VALUE:
            self.text.append(text[: MAX_VALUE - self.size])
            self.size += len(text)

    def _keep(self, name: str, value: str) -> None:
        if len(self.found) >= MAX_PROPERTIES:
            raise _RefusedError("has too many properties")
        names = [part for part in (*self.path, name) if part]
        self.found.append(("/".join(names), value[:MAX_VALUE]))


def properties(text: str) -> list[tuple[str, str]]:
    """Return the properties, each with its path, in their order. Raises ``ValueError`` for no or bad XML."""
    packet = _Packet()
    parser = expat.ParserCreate("utf-8", " ")
    parser.StartElementHandler = packet.start
    parser.EndElementHandler = packet.end
    parser.CharacterDataHandler = packet.data
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(text.strip("\x00 \r\n\t\ufeff").encode(errors="replace"), True)
    except (expat.ExpatError, _RefusedError) as error:
        raise ValueError(f"is no XMP: {error}") from error
    return packet.found


def _refuse(*_: object) -> None:
    raise _RefusedError("declares a document type, which XMP never does")


def _short(name: str) -> str:
    """Return the name with its usual prefix; nothing for the containers of RDF, which are no names."""
    space, _, local = name.rpartition(" ")
    if space in (_RDF, "adobe:ns:meta/"):
        return ""
    return f"{_PREFIXES[space]}:{local}" if space in _PREFIXES else local


def read(texts: Texts) -> Iterator[Draft]:
    """Yield an account of each packet, and one of Draw Things where it wrote the packet."""
    for text in texts.of(*KEYS):
        draft = Draft("xmp", text.place)
        try:
            found = properties(text.text)
        except ValueError as error:
            draft.notes.add(f"the packet {error}")
            yield draft
            continue
        said = dict(reversed(found))
        drawn = said.get("xmp:CreatorTool") == "Draw Things"
        if not drawn:
            draft.prompt(PromptRole.UNKNOWN, said.get("dc:description"))
        yield _account(draft, found)
        if drawn:
            yield _draw_things(text, said)


def _account(draft: Draft, found: list[tuple[str, str]]) -> Draft:
    events: list[str] = []
    for path, value in found:
        first, _, last = path.rpartition("/")
        if path == "xmp:CreatorTool":
            draft.tool(value)
        elif path == "Iptc4xmpExt:DigitalSourceType":
            draft.source_type(value)
        elif path == "Iptc4xmpExt:AIPromptInformation":
            draft.prompt(PromptRole.UNKNOWN, value)
        elif path.split("/")[0] in _DESCENT and last in (*_IDENTIFIERS, *_DESCENT):
            draft.derived_from(value)
        elif first == "xmpMM:History" and last in ("stEvt:action", "stEvt:softwareAgent"):
            events.append(value)
        elif path in _FACTS:
            draft.facts.put(path, value)
    if events:
        draft.facts.put("xmpMM:History", ", ".join(events[:100]))
    return draft


def _draw_things(text: Text, said: dict[str, str]) -> Draft:
    draft = Draft("drawthings", text.place)
    settings = loose_object(said.get("exif:UserComment", ""))
    if not settings:
        # Its older versions wrote only the text: the negative prompt begins with a dash.
        a1111.fill(draft, said.get("dc:description", ""), "-")
        draft.tool("Draw Things")
        return draft
    draft.tool("Draw Things")
    draft.prompt(PromptRole.POSITIVE, settings.get("c"))
    draft.prompt(PromptRole.NEGATIVE, settings.get("uc"))
    draft.model(settings.get("model"), ClaimKind.CHECKPOINT)
    newer = members(settings.get("v2"))
    draft.model(newer.get("refinerModel"), ClaimKind.CHECKPOINT)
    draft.model(newer.get("upscaler"), ClaimKind.UPSCALER)
    for lora in map(members, items(newer.get("loras")) or items(settings.get("lora"))):
        draft.model(lora.get("file") or lora.get("model"), ClaimKind.LORA, (), lora.get("weight"))
    for control in map(members, items(newer.get("controls"))):
        draft.model(control.get("file"), ClaimKind.CONTROLNET, (), control.get("weight"))
    for name in ("seed", "steps", "scale", "sampler", "size", "strength", "seed_mode", "shift"):
        draft.parameters.put(name, settings.get(name))
    return draft
