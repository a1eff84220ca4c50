"""`rakkan read`: what files say, the registry's word on their models, and names to look at."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio
from tests.support import said

PEOPLE = """
[[party]]
id = "kumo"
kind = "person"
name = "Kumo Tarou"

[[party]]
id = "mori"
kind = "organisation"
name = "Mori Studio"

[[title]]
id = "T-9"
name = "The Other Show"
productions = ["other"]

[[title]]
id = "T-1"
name = "Nightfall"
productions = ["nightfall"]

[[work]]
id = "W-1"
name = "月の道"
sha256 = "{work}"
shares = {{ mori = 1 }}

[[consent]]
id = "C-1"
person = "performer-7"
name = "Hana Sato"
covers = "face in crowd shots"
from = 2026-01-01
"""


def weights(path: Path) -> str:
    """Write a small real safetensors file and return its SHA-256."""
    header = json.dumps({"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"ink!")
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def inked(studio: Studio) -> Studio:
    """A studio with a LoRA `ink` and with people in its registry."""
    weights(studio.work / "ink.safetensors")
    studio.ok("model", "add", "base", studio.png("base.safetensors", 7))
    studio.ok("model", "add", "ink", studio.work / "ink.safetensors", "--kind", "lora", "--parent", "base")
    facts = studio.work / "people.toml"
    facts.write_text(PEOPLE.format(work="7" * 64))
    studio.ok("rights", "import", facts, "--apply")
    return studio


def prompted(studio: Studio, prompt: str, more: str = "") -> Path:
    return said.png(studio.work / "a.png", {"parameters": f"{prompt}\nSteps: 2, Seed: 1, Size: 8x8{more}"})


def test_what_a_file_says_is_printed_with_its_class_and_never_as_true(studio: Studio) -> None:
    shown = studio.ok("read", said.png(studio.work / "a.png", {"parameters": said.A1111})).out
    assert "PNG tEXt parameters [declared, a1111] v1.9.4" in shown
    assert "lora: glow-faceid_plusv2 (AutoV3 a95a0f4bdcb9, strength 0.65)" in shown
    assert "not registered: checkpoint “fantasticmix_k2”. Ask who made the file" in shown
    assert shown.endswith("This is what the file says. Nobody has checked it.\n")


def test_without_a_ledger_the_file_speaks_alone(studio: Studio, tmp_path: Path) -> None:
    path = said.png(tmp_path / "a.png", {"parameters": said.A1111})
    elsewhere = Studio(tmp_path / "no-home", tmp_path)
    assert "No ledger was asked" in elsewhere.ok("read", path).out
    assert "models" not in elsewhere.ok("read", path, "--json").json


def test_a_file_without_a_word_proves_nothing(studio: Studio) -> None:
    assert "It says nothing of how it was made. That proves nothing" in studio.ok("read", studio.png()).out


def test_a_short_hash_gives_a_candidate_and_a_full_one_the_model(inked: Studio) -> None:
    sha256 = hashlib.sha256((inked.work / "ink.safetensors").read_bytes()).hexdigest()
    tensors = hashlib.sha256(b"ink!").hexdigest()[:12]
    picture = prompted(inked, "a lamp", f', Hashes: {{"lora:x": "{sha256[:10]}"}}')
    (found,) = inked.ok("read", picture, "--json").json["models"]
    assert (found["certainty"], found["candidates"]) == ("short-hash", [{"name": "ink", "sha256": sha256}])

    picture = prompted(inked, "a lamp <lora:y:1>", f', Lora hashes: "y: {tensors}"')
    assert "certainty" not in inked.ok("read", picture, "--json").json["models"][0]
    at_hand = inked.ok("read", picture, "--json", "--weights", inked.work / "ink.safetensors").json["models"][
        0
    ]
    assert (at_hand["certainty"], at_hand["candidates"][0]["sha256"]) == ("short-hash", sha256)

    old = {"model_weights": "z", "model_hash": sha256, "image": {"prompt": "x"}}
    picture = said.png(inked.work / "b.png", {"sd-metadata": json.dumps(old)})
    (found,) = inked.ok("read", picture, "--json").json["models"]
    assert "candidates" not in found, "what InvokeAI 2 hashed is not known to be the file"

    picture = prompted(inked, "a lamp", f", Model hash: {sha256}, Model: z")
    (found,) = inked.ok("read", picture, "--json").json["models"]
    assert (found["certainty"], found["candidates"][0]["name"]) == ("digest", "ink")


def test_a_name_is_a_candidate_and_another_hash_under_it_a_contradiction(inked: Studio) -> None:
    picture = prompted(inked, "a lamp <lora:INK:0.5>")
    (found,) = inked.ok("read", picture, "--json").json["models"]
    assert (found["certainty"], "contradicted" in found) == ("name", False)
    picture = prompted(inked, "a lamp", ", Model hash: 0123456789, Model: ink.safetensors")
    (found,) = inked.ok("read", picture, "--json").json["models"]
    assert (found["certainty"], found["contradicted"]) == ("name", True)
    assert "no registered model of this name has" in inked.ok("read", picture).out


def test_names_of_the_registry_and_of_the_studios_own_list_are_found(inked: Studio) -> None:
    own = inked.work / "names.csv"
    own.write_text(
        "term,kind,aliases,note\nInk Fox,character,墨狐|インクフォックス,ask legal\n", encoding="utf-8"
    )
    prompt = "by kumo tarou, 月の道, mori_studio, the other show, nightfall, hana sato, 墨狐"
    names = inked.ok("read", prompted(inked, prompt), "--watch", own, "--json").json["names"]
    assert {(item["term"], item["kind"], item["asked"]) for item in names} == {
        ("Kumo Tarou", "artist", "manner"),
        ("月の道", "work", "named"),
        ("Mori Studio", "brand", "named"),
        ("The Other Show", "work", "named"),
        ("Hana Sato", "performer", "named"),
        ("Ink Fox", "character", "named"),
    }
    assert (
        "to look at: character “Ink Fox” (named); ask legal"
        in inked.ok("read", prompted(inked, prompt), "--watch", own).out
    )


def test_a_sealed_file_says_what_its_manifest_says(production: Studio) -> None:
    path = production.record(
        production.png("night.png"), "--action", "generate", "--tool", "p 1", "--model", "sky"
    )
    production.ok("seal", path)
    account = production.ok("read", path, "--json").json["accounts"][0]
    assert (account["convention"], account["evidence"]) == ("c2pa", "declared")
    assert account["digitalSourceTypes"] == [
        "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    ]
    assert "sky" in [model["name"] for model in account["models"]]
    assert "rakkan verify does that" in account["notes"][0]


def test_hostile_text_writes_nothing_of_its_own_on_the_terminal(studio: Studio) -> None:
    text = "x\x1b[2J\u202e\r\nNobody has checked it: verified ✓\nSteps: 1, Seed: 1\x1b]0;a\x07, Size: 1"
    path = said.png(studio.work / "a.png", {"parameters": text, "Software": "\x1b[31mevil\nPASSED"})
    for out in (studio.ok("read", path).out, studio.ok("read", path, "--json").out):
        assert not set(out) & set("\x1b\x07\r\u202e")
    lines = studio.ok("read", path).out.splitlines()
    assert not [line for line in lines if line.startswith(("Nobody", "PASSED"))]


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("a.csv", "term,what\nx,y\n", "first row"),
        ("a.csv", "term,kind\nKumo,painter\n", "row 2"),
        ("a.csv", "term,kind\nx,artist\n", "row 2"),
        ("a.csv", 'term,kind\n"x,artist\n', "CSV"),
        ("a.toml", "term = 3\n", "[[term]]"),
        ("a.toml", '[[term]]\nterm = "Kumo"\nkind = "artist"\nalias = "x"\n', "entry 1"),
        ("a.toml", '[[term]]\nterm = "Kumo"\nkind = "artist"\naliases = [3]\n', "entry 1"),
        ("a.toml", "[[", "TOML"),
        ("a.csv", b"\xff\xfe", "UTF-8"),
    ],
)
def test_a_bad_watch_list_is_refused_by_its_row(
    studio: Studio, name: str, text: str | bytes, where: str
) -> None:
    own = studio.work / name
    own.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert where in studio.fails("watch.malformed", "read", studio.png(), "--watch", own).err


def test_a_toml_list_is_read_like_a_csv(studio: Studio) -> None:
    own = studio.work / "a.toml"
    own.write_text(
        '[[term]]\nterm = "Kumo Tarou"\nkind = "artist"\naliases = ["雲太郎"]\nnote = "x"\n', encoding="utf-8"
    )
    (found,) = studio.ok("read", prompted(studio, "雲太郎風"), "--watch", own, "--json").json["names"]
    assert (found["term"], found["asked"], found["evidence"]) == ("Kumo Tarou", "manner", "declared")


def test_what_cannot_be_read_is_an_error_with_a_code(studio: Studio) -> None:
    studio.fails("file.missing", "read", studio.work / "none.png")
    studio.fails("file.not-a-file", "read", studio.work)
