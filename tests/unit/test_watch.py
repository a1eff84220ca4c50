"""Names in prompts: found in every spelling that means them, and in no other word."""

from dataclasses import replace

import pytest

from ledger.core.predicates.step import Evidence
from ledger.core.said import Account, ClaimKind, ModelClaim, Prompt, PromptRole, Said
from ledger.core.watch import Asked, WatchKind, WatchList, WatchTerm, find_in, fold

KUMO = WatchTerm("Kumo Tarou", WatchKind.ARTIST, ("雲 太郎", "クモ・タロウ"))
ELODIE = WatchTerm("Élodie Brand", WatchKind.PERFORMER, person="performer-7")
MOON = WatchTerm("The Moon Road", WatchKind.WORK, ("月の道",))
MIX = WatchTerm("スタジオKumo", WatchKind.BRAND)
SHORT = WatchTerm("Ito", WatchKind.ARTIST)
WATCH = WatchList([KUMO, ELODIE, MOON, MIX, SHORT])


def found(prompt: str) -> list[tuple[WatchTerm, Asked]]:
    return [(hit.entry, hit.asked) for hit in WATCH.find(prompt)]


@pytest.mark.parametrize(
    "prompt",
    [
        "in the style of Kumo Tarou, ink",
        "by Kumo  Tarou",
        "(by_kumo_tarou:1.2), 1girl",
        "art by {{kumo-tarou}}",
        "artist:kumo_tarou",
        "KUMO TAROU style, fog",
        "雲太郎風の背景",
        "雲 太郎 の画風",
        "ｸﾓ･ﾀﾛｳっぽい",
        "ＫＵＭＯ　ＴＡＲＯＵ style",
        "inspired by ((kumo tarou))",
    ],
)
def test_a_manner_is_found_in_every_spelling(prompt: str) -> None:
    assert found(prompt) == [(KUMO, Asked.MANNER)]


@pytest.mark.parametrize(
    ("prompt", "entry"),
    [
        ("portrait of elodie brand, smiling", ELODIE),
        ("portrait of E\u0301lodie Brand", ELODIE),
        ("the moon road\\(film\\), night", MOON),
        ("夜、月の道を歩く", MOON),
        ("くもたろう", KUMO),
        ("スタジオkumo, logo", MIX),
        ("ito, ink", SHORT),
    ],
)
def test_a_name_is_found(prompt: str, entry: WatchTerm) -> None:
    assert found(prompt) == [(entry, Asked.NAMED)]


@pytest.mark.parametrize(
    "prompt",
    [
        "kumo tarous lamp",
        "xkumo tarou",
        "kumo",
        "tarou kumo",
        "appetito, bonito",
        "elodie brandy",
        "スタジオkumos",
        "",
    ],
)
def test_no_other_word_is_taken_for_a_name(prompt: str) -> None:
    assert found(prompt) == []


def test_in_the_name_of_a_lora_letters_run_together() -> None:
    assert found("a lamp <lora:KumoTarouStyle_v2:0.8>") == [(KUMO, Asked.MODEL)]
    assert found("<lora:月の道_v1:1>") == [(MOON, Asked.MODEL)]
    assert found("<lora:bonito_v1:1>") == [], "three letters are in too many words"
    assert WATCH.find_model("styles/kumo-tarou.safetensors")[0].entry is KUMO


def test_the_strongest_way_of_asking_counts_and_each_entry_once() -> None:
    assert found("kumo tarou, fog, by kumo tarou, <lora:kumotarou:1>") == [(KUMO, Asked.MANNER)]


def test_an_entry_of_one_letter_is_passed_over() -> None:
    assert (
        WatchList([WatchTerm("雲", WatchKind.STYLE), WatchTerm("( )", WatchKind.STYLE)]).find("雲 ( )") == ()
    )


def test_longer_names_that_begin_alike_are_all_found_up_to_the_texts_end() -> None:
    short, long = WatchTerm("moon", WatchKind.STYLE), WatchTerm("moon road of ink", WatchKind.STYLE)
    watch = WatchList([long, short])
    assert [hit.entry for hit in watch.find("a moon")] == [short]
    assert {hit.entry for hit in watch.find("moon road of ink")} == {short, long}


def test_folding_changes_nothing_that_is_folded() -> None:
    for text in ("雲 太郎", "Élodie  Brand", "ガーデン", "ﾊﾟﾝ", "İstanbul", "Straße"):
        assert fold(fold(text)) == fold(text)


def test_what_is_kept_out_is_not_asked_for_and_models_are_looked_at_too() -> None:
    account = Account(
        convention="a1111",
        where="PNG tEXt parameters",
        evidence=Evidence.DECLARED,
        prompts=(Prompt(PromptRole.POSITIVE, "a lamp by kumo tarou"), Prompt(PromptRole.NEGATIVE, "月の道")),
        models=(ModelClaim("elodie_brand_v3.safetensors", ClaimKind.LORA),),
    )
    other = replace(account, where="EXIF", evidence=Evidence.INFERRED, models=())
    hits = find_in(WATCH, Said("image/png", (account, other)))
    assert [(hit.entry, hit.asked, hit.where, hit.evidence) for hit in hits] == [
        (KUMO, Asked.MANNER, "PNG tEXt parameters", Evidence.DECLARED),
        (ELODIE, Asked.MODEL, "PNG tEXt parameters", Evidence.DECLARED),
        (KUMO, Asked.MANNER, "EXIF", Evidence.INFERRED),
    ]
