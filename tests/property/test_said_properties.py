"""Anything at all in a file: an account in printable lines or none, in time that its size explains."""

import json
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ledger.adapters.said import a1111, accounts_of, exif, iptc, read_said, stills, xmp
from ledger.adapters.said.carried import Carried
from ledger.adapters.said.draft import Text, Texts, loose_json
from ledger.core.fields import Fields
from ledger.core.said import Account, Said
from ledger.core.watch import WatchKind, WatchList, WatchTerm, find_in, fold
from tests.support import said
from tests.support.media import chunk, picture_bytes

KEYS = st.sampled_from(
    [
        *(
            "parameters",
            "UserComment",
            "Comment",
            "prompt",
            "workflow",
            "invokeai_metadata",
            "invokeai_graph",
        ),
        *(
            "sd-metadata",
            "Dream",
            "XMP",
            "XML:com.adobe.xmp",
            "Software",
            "Source",
            "Description",
            "Model",
            "Scene",
        ),
        *("Frame", "fooocus_scheme", "Note"),
    ]
)
NAMES = st.sampled_from(
    [
        *("class_type", "inputs", "ckpt_name", "lora_name", "strength_model", "text", "positive", "negative"),
        *(
            "nodes",
            "mode",
            "type",
            "widgets_values",
            "definitions",
            "subgraphs",
            "lora_1",
            "lora",
            "on",
            "strength",
        ),
        *(
            "sui_image_params",
            "sui_models",
            "loras",
            "loraweights",
            "param",
            "hash",
            "name",
            "model",
            "prompt",
        ),
        *(
            "base_model",
            "performance",
            "version",
            "full_prompt",
            "v4_prompt",
            "caption",
            "char_captions",
            "uc",
        ),
        *(
            "signed_hash",
            "Comment",
            "image",
            "positive_prompt",
            "weight",
            "base",
            "init_image",
            "1",
            "2",
            "image",
        ),
    ]
)
WILD = st.characters(exclude_categories=())
"""Any character at all, halves of surrogate pairs included: JSON can spell them."""
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(WILD, max_size=20)
    | st.sampled_from(
        [
            "LoraLoader",
            "SaveImage",
            "KSampler",
            "LoadImage",
            4,
            2,
            ["1", 0],
            ["2", 1],
            "None",
            "0x" + "a" * 64,
        ]
    )
)
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=30,
)
INFOTEXT = st.lists(
    st.sampled_from(
        [
            *("Steps: 20", ", ", "\n", "Negative prompt:", "Model: x", "Model hash: 6ce0161689", "Seed: 1"),
            *(
                'Lora hashes: "a: 12"',
                "<lora:a:0.5>",
                "<lora:",
                ":",
                '"',
                "\\",
                "{",
                "}",
                "[",
                "]",
                "Template: ",
            ),
            *("Hashes: {", "Civitai resources: [", "\ud800", "\r\n", "雲", "ControlNet 0: "),
        ]
    )
    | st.text(max_size=8),
    max_size=30,
).map("".join)
XML = st.lists(
    st.sampled_from(
        [
            "<a>",
            "</a>",
            "<rdf:li>",
            "x='1'",
            "&amp;",
            "&x;",
            "<!DOCTYPE x>",
            "<![CDATA[",
            "]]>",
            "<?xpacket?>",
            "text",
        ]
    ),
    max_size=15,
).map("".join)
ANY_TEXT = (
    st.text(WILD, max_size=60)
    | JSON.map(json.dumps)
    | INFOTEXT
    | XML.map(said.xmp)
    | JSON.map(json.dumps).map("prompt:{}".format)
)
ANY_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def check(account: Account) -> None:
    """Everything but prompts is what an entry could hold; prompts are text that UTF-8 can hold."""
    lines = [account.convention, account.where, account.tool, account.version, account.service]
    lines += [*account.parameters, *account.parameters.values(), *account.facts, *account.facts.values()]
    lines += [*account.source_types, *account.derived_from, *account.notes]
    for model in account.models:
        lines += [model.name, model.strength, model.reference]
    for line in lines:
        if line is not None:
            Fields({"text": line}).text("text")
    for prompt in account.prompts:
        prompt.text.encode()
    assert account.where
    json.dumps(account.to_json())


@given(
    st.lists(st.builds(Text, st.sampled_from(["PNG tEXt", "WebP EXIF", "film"]), KEYS, ANY_TEXT), max_size=5)
)
@example([Text("PNG tEXt", "parameters", "x\nSteps: 1, Seed: \ud800, Size: 1\r\nSet-Cookie: a")])
@example([Text("PNG tEXt", "parameters", "half of \ud800 a pair\nSteps: 1, Seed: 1")])
@example([Text("PNG tEXt", "prompt", "[" * 200_000)])
@example(
    [
        Text(
            "PNG tEXt",
            "prompt",
            '{"1":{"class_type":"x","inputs":' + '{"a":' * 5000 + "1" + "}" * 5000 + "}}",
        )
    ]
)
@example([Text("PNG tEXt", "prompt", '{"1": {"class_type": "x", "inputs": {"seed": ' + "9" * 9000 + "}}}")])
@example([Text("PNG tEXt", "prompt", '{"1": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}}}')])
def test_any_texts_become_printable_accounts(texts: list[Text]) -> None:
    found = accounts_of(Texts(texts))
    for account in found:
        check(account)
    watch = WatchList([WatchTerm("x", WatchKind.STYLE), WatchTerm("lora loader", WatchKind.STYLE, ("雲雲",))])
    find_in(watch, Said("image/png", found))


@given(st.binary(max_size=400))
@example(b"II*\x00\x08\x00\x00\x00\xff\xff" + b"\x86\x92\x07\x00\xff\xff\xff\xff\xff\xff\xff\xff" * 20)
@example(b"MM\x00*\x00\x00\x00\x08\x00\x01\x87\x69\x00\x04\x00\x00\x00\x01\x00\x00\x00\x08")
@example(b"8BIM\x04\x04\xff\x00" + b"\xff" * 300)
@example(b"\x1c\x02\x6e\x00\x05")
def test_any_bytes_in_exif_iptc_and_resources(data: bytes) -> None:
    carried = Carried()
    for order in (b"", b"II*\x00\x08\x00\x00\x00", b"MM\x00*\x00\x00\x00\x08"):
        exif.take(BytesIO(order + data), carried, "EXIF")
    iptc.take(data, carried, "IPTC")
    iptc.take_resources(b"8BIM" + data, carried, "PSD")
    iptc.take_resources(data, carried, "PSD")
    for account in accounts_of(carried.texts):
        check(account)


@pytest.mark.parametrize(
    ("take", "start"),
    [
        (stills.take_png, b"\x89PNG\r\n\x1a\n"),
        (stills.take_jpeg, b"\xff\xd8"),
        (stills.take_webp, b"RIFF\x00\x00\x00\x00WEBP"),
        (stills.take_psd, b"8BPS" + bytes(26)),
    ],
)
@given(
    parts=st.lists(
        st.binary(max_size=60)
        | st.builds(
            chunk, st.sampled_from([b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"IDAT"]), st.binary(max_size=60)
        )
        | st.sampled_from(
            [b"\xff\xe1\x00\x10Exif\x00\x00II*\x00", b"\xff\xed\x00\x12Photoshop 3.0\x00", b"\xff" * 9]
        ),
        max_size=6,
    )
)
def test_any_parts_of_a_still(take: Callable[..., None], start: bytes, parts: list[bytes]) -> None:
    carried = Carried()
    take(BytesIO(start + b"".join(parts)), carried)
    for account in accounts_of(carried.texts):
        check(account)


@ANY_FOLDER
@given(place=st.integers(0, 2000), value=st.integers(0, 255))
def test_one_changed_byte_of_a_real_png_is_only_another_text(tmp_path: Path, place: int, value: int) -> None:
    path = said.png(
        tmp_path / "a.png", {"parameters": said.A1111, "prompt": json.dumps(said.COMFY_RUN)}, zipped=True
    )
    data = bytearray(path.read_bytes())
    data[8 + place % (len(data) - 8)] = value
    path.write_bytes(data)
    for account in read_said(path).accounts:
        check(account)


def quoted(value: str) -> str:
    """Write a value as A1111 does: quoted where it has a comma, a colon, a quote or a line end."""
    return json.dumps(value, ensure_ascii=False) if set(value) & set(',:\n"') else value


@given(INFOTEXT.map(str.strip).filter(lambda text: "\r" not in text and text[:1] not in ("[", "{")))
def test_settings_are_read_back_as_a1111_writes_them(text: str) -> None:
    pairs = {"Steps": "20", "Extra": text, "Seed": "1"}
    written = ", ".join(f"{name}: {quoted(value)}" for name, value in pairs.items())
    assert dict(a1111.settings(written)) == pairs


@given(st.text(max_size=200))
def test_folding_is_stable_and_finds_a_name_in_itself(text: str) -> None:
    assert fold(fold(text)) == fold(text)


# --- time and memory: what is nothing must not take long ---------------------------------------------------

LONG = 1 << 20
HOSTILE = {
    "tags": "<lora:" * (LONG // 6),
    "tag without end": "<lora:" + "a" * LONG,
    "open brackets": "Steps: 1, Seed: 1, " + "a: [" * (LONG // 4),
    "open quotes": "Steps: 1, Seed: 1, " + 'a: "' * (LONG // 4),
    "escapes": 'Steps: 1, Seed: 1, a: "' + '\\"' * (LONG // 2),
    "nests": "Steps: 1, Seed: 1, a: " + "[" * LONG,
    "steps": "Steps: 1" * (LONG // 8),
    "negatives": "\nNegative prompt:" * (LONG // 17),
    "templates": "Steps: 1, Seed: 1" + "\nTemplate: " * (LONG // 11),
    "spaces": "Steps: 1, Seed: 1" + " " * LONG,
    "commas": "Steps: 1, Seed: 1" + "," * LONG,
    "colons": "Steps: 1, Seed: 1, ControlNet 0: " + "Model: a [" * (LONG // 10),
    "dream": '"' + "[" * LONG,
    "brackets in a dream": '"' + "[" * 30_000 + '" -s',
    "switches": '"a"' + " -s" * (LONG // 3),
    "underscores": "_" * LONG,
    "name begun": "moon " * (LONG // 5),
    "json": '{"a":' * (LONG // 5),
    "xml": "<a>" * (LONG // 3),
    "xml attributes": "<a " + "b='c' " * 50 + ">" + "x" * LONG,
}
NAMES_THAT_BEGIN_ALIKE = WatchList(
    WatchTerm(f"moon {number} road", WatchKind.STYLE) for number in range(10_000)
)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("key", ["parameters", "prompt", "dream", "xmp", "sd-metadata"])
def test_a_long_text_that_means_harm_takes_no_longer_than_a_long_text(name: str, key: str) -> None:
    began = time.process_time()
    find_in(NAMES_THAT_BEGIN_ALIKE, Said("image/png", accounts_of(Texts([Text("PNG", key, HOSTILE[name])]))))
    assert time.process_time() - began < 10


@pytest.mark.parametrize("name", HOSTILE)
def test_a_long_text_is_looked_through_for_names_in_time(name: str) -> None:
    began = time.process_time()
    NAMES_THAT_BEGIN_ALIKE.find(HOSTILE[name])
    assert time.process_time() - began < 10


def test_a_billion_laughs_are_refused_before_the_first() -> None:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "ha"}">' for n in range(20))
    packet = f"<!DOCTYPE x [{entities}]><x:xmpmeta xmlns:x='adobe:ns:meta/'>&a19;</x:xmpmeta>"
    with pytest.raises(ValueError, match="document type"):
        xmp.properties(packet)
    (account,) = accounts_of(Texts([Text("PNG iTXt", "XML:com.adobe.xmp", packet)]))
    assert account.notes == ("the packet is no XMP: declares a document type, which XMP never does",)


def test_an_outside_entity_is_never_asked_for(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("never to be read")
    packet = f"<!DOCTYPE x SYSTEM '{secret.as_uri()}'><x>&e;</x>"
    assert "never to be read" not in str(accounts_of(Texts([Text("PNG iTXt", "XMP", packet)])))


@pytest.mark.parametrize(
    "text", ["NaN", "[1e400]", '{"a": 1, "a": 2}', '{"a": ' + "9" * 10_000 + "}", "\ud800{", ""]
)
def test_json_as_nobody_should_write_it_is_read_or_passed_over(text: str) -> None:
    json.dumps(loose_json(text))


def test_pictures_without_a_word_say_nothing(tmp_path: Path) -> None:
    for kind in ("PNG", "JPEG", "WEBP", "TIFF"):
        path = tmp_path / f"a.{kind.lower()}"
        path.write_bytes(picture_bytes(kind))
        assert [account.convention for account in read_said(path).accounts] in ([], ["text"])
