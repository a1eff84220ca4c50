"""Reading what files say, and finding names in prompts.

`python -m pytest -m bench -s tests/bench/test_bench_said.py` prints it. The bare pass of the prompts is one
regular expression with all names in it, over texts that are folded already; that of the picture reads it.
"""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ledger.adapters.said import read_said
from ledger.core.watch import WatchKind, WatchList, WatchTerm, fold
from tests.bench.table import best_ms, print_table
from tests.support import said

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]
SYLLABLES = [a + b for a in "kstnmr" for b in "aiueo"]
HAN = "雲月山川田中村太郎花子道光空海風"


def names(chance: random.Random, count: int) -> list[WatchTerm]:
    """Return entries of two words, each with an alias of four letters."""

    def word() -> str:
        return "".join(chance.choices(SYLLABLES, k=3)).title()

    aliases = ("".join(chance.choices(HAN, k=4)) for _ in range(count))
    return [WatchTerm(f"{word()} {word()}", WatchKind.ARTIST, (alias,)) for alias in aliases]


def prompts(chance: random.Random, terms: list[WatchTerm]) -> list[str]:
    """Return 100 prompts of 40 tags, half of which name somebody."""

    def tag() -> str:
        term = chance.choice(terms)
        plain = ["a paper lake", "soft light (mist:1.2)"]
        return chance.choice([*plain, f"by {term.term}", f"{term.aliases[0]}風"])

    return [", ".join(tag() for _ in range(40)) for _ in range(100)]


def test_ten_thousand_names_in_a_hundred_prompts() -> None:
    chance = random.Random(5)
    terms = names(chance, 10_000)
    asked = prompts(chance, terms)
    watch = WatchList(terms)
    folded = [fold(prompt) for prompt in asked]
    every = [re.escape(fold(name)) for term in terms for name in (term.term, *term.aliases)]
    pattern = re.compile("|".join(sorted(every, key=len, reverse=True)))
    found = sum(len(watch.find(prompt)) for prompt in asked)
    rows = [
        (
            f"{len(terms):,} names, 100 prompts, {found:,} hits",
            best_ms(lambda: [watch.find(prompt) for prompt in asked], 5),
            best_ms(lambda: [pattern.findall(text) for text in folded], 1),
            1.0,
        ),
        ("building the list", (built := best_ms(lambda: WatchList(terms), 3)), built, None),
    ]
    print_table("names in prompts", rows)
    assert rows[0][1] / rows[0][2] < 1.0


def test_a_picture_with_a_workflow(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    info = PngInfo()
    for key, text in {"parameters": said.A1111, "prompt": json.dumps(said.COMFY_RUN)}.items():
        info.add_text(key, text)
    pixels = np.random.default_rng(1).integers(0, 256, (1080, 1920, 3), "uint8")
    Image.fromarray(pixels).save(path, pnginfo=info, compress_level=1)
    rows = [
        (
            f"a PNG of {path.stat().st_size / 1e6:.1f} MB with A1111 and ComfyUI",
            best_ms(lambda: read_said(path)),
            best_ms(path.read_bytes),
            None,
        )
    ]
    print_table("reading what files say", rows)
