"""Settings come from flags, the environment and a file, in this order, and anything unknown is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from ledger.adapters.service_settings import ServiceSettings, described, read_service
from ledger.adapters.setting_values import NEW_PLACE
from ledger.core.secret import Secret
from ledger.errors import RakkanError
from ledger.wiring.serving import SECTIONS


@dataclass(frozen=True, slots=True)
class Provider:
    issuer: str
    client_secret: Secret | None = None


@dataclass(frozen=True, slots=True)
class Kitchen:
    cook: Annotated[str, "who cooks"] = "Ume"
    seats: int = 4
    share: float = 0.5
    open: bool = False
    wait: timedelta = timedelta(seconds=30)
    mode: Literal["slow", "fast"] = "slow"
    menu: tuple[str, ...] = ()
    key: Secret | None = None
    lists: tuple[Path, ...] = ()
    spool: Annotated[Path | None, NEW_PLACE] = None
    prices: Mapping[str, int] | None = None
    provider: tuple[Provider, ...] = ()


KINDS: Mapping[str, type] = {"kitchen": Kitchen}


def read(folder: Path, text: str = "", flags: Any = None, **variables: str) -> ServiceSettings:
    (folder / "service.toml").write_text(text)
    environment = {f"RAKKAN_SERVE_KITCHEN_{name}": value for name, value in variables.items()}
    return read_service(folder, KINDS, {"PATH": "/bin", **environment}, flags)


def test_every_type_is_read_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_text("a")
    (tmp_path / "pin").write_text("1234\n")
    (tmp_path / "pin").chmod(0o600)
    text = """[kitchen]
cook = "Sora"
seats = 7
share = 1
open = true
wait = "5m"
mode = "fast"
menu = ["soba", "udon"]
key_file = "pin"
lists = ["a.pem"]
spool = "not/there/yet"
prices = { soba = 900 }
[[kitchen.provider]]
issuer = "https://id.example"
client_secret_file = "pin"
"""
    found = read(tmp_path, text)
    secret = Secret("1234")
    assert found.of(Kitchen) == Kitchen(
        cook="Sora",
        seats=7,
        share=1.0,
        open=True,
        wait=timedelta(minutes=5),
        mode="fast",
        menu=("soba", "udon"),
        key=secret,
        lists=(tmp_path / "a.pem",),
        spool=tmp_path / "not/there/yet",
        prices={"soba": 900},
        provider=(Provider("https://id.example", secret),),
    )
    assert "1234" not in repr(found)
    assert {one.source for one in found.settings} == {str(tmp_path / "service.toml")}


def test_a_flag_wins_over_a_variable_and_that_over_the_file(tmp_path: Path) -> None:
    text = '[kitchen]\ncook = "file"\nseats = 1\nwait = "1d"\n'
    flags = {"kitchen.cook": ("--cook", "flag")}
    found = read(tmp_path, text, flags, COOK="variable", SEATS="2", MENU="soba, udon,", OPEN="true")
    assert found.of(Kitchen) == Kitchen("flag", 2, open=True, wait=timedelta(days=1), menu=("soba", "udon"))
    sources = {one.name: (one.value, one.source) for one in found.settings}
    assert sources["kitchen.cook"] == ("flag", "--cook")
    assert sources["kitchen.seats"] == ("2", "RAKKAN_SERVE_KITCHEN_SEATS")
    assert sources["kitchen.wait"] == ("1d", str(tmp_path / "service.toml"))
    assert sources["kitchen.mode"] == ("slow", "default")


@pytest.mark.parametrize(
    ("text", "variables", "place", "problem"),
    [
        ("[kitchen]\ncooc = 'x'", {}, "kitchen.cooc", "there are: cook, seats"),
        ("[kitchn]\n", {}, "kitchn", "there are: kitchen"),
        ("kitchen = 3", {}, "kitchen", "must be a table"),
        ("[kitchen]\ncook = 3", {}, "kitchen.cook", "must be a text"),
        ("[kitchen]\nseats = true", {}, "kitchen.seats", "must be a number"),
        ("[kitchen]\nseats = 1.5", {}, "kitchen.seats", "must be a number"),
        ("[kitchen]\nopen = 1", {}, "kitchen.open", "must be a true or false"),
        ("[kitchen]\nwait = 30", {}, "kitchen.wait", "must be a duration"),
        ("[kitchen]\nwait = '30 s'", {}, "kitchen.wait", "must be a duration"),
        ("[kitchen]\nmode = 'medium'", {}, "kitchen.mode", "slow, fast"),
        ("[kitchen]\nmenu = 'soba'", {}, "kitchen.menu", "must be a list"),
        ("[kitchen]\nmenu = ['soba', 3]", {}, "kitchen.menu.1", "must be a text"),
        ("[kitchen]\nprices = { soba = 'dear' }", {}, "kitchen.prices.soba", "must be a number"),
        ("[kitchen]\nkey = 'secret itself'", {}, "kitchen.key", "not a setting"),
        ("[kitchen]\nspool = ''", {}, "kitchen.spool", "must be a path"),
        ("[[kitchen.provider]]\n", {}, "kitchen.provider.0.issuer", "no default"),
        ("[[kitchen.provider]]\nissuer = 'x'\nother = 1", {}, "kitchen.provider.0.other", "not a setting"),
        ("[kitchen\n", {}, "service.toml", "line 1"),
        ("", {"SEATS": "four"}, "RAKKAN_SERVE_KITCHEN_SEATS", "must be a number"),
        ("", {"OPEN": "yes"}, "RAKKAN_SERVE_KITCHEN_OPEN", "true or false"),
        ("", {"COOC": "x"}, "RAKKAN_SERVE_KITCHEN_COOC", "not a setting"),
        ("", {"PRICES": "x"}, "RAKKAN_SERVE_KITCHEN_PRICES", "not a setting"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    tmp_path: Path, text: str, variables: dict[str, str], place: str, problem: str
) -> None:
    with pytest.raises(RakkanError) as caught:
        read(tmp_path, text, **variables)
    assert caught.value.code == "settings.malformed"
    assert place in caught.value.message
    assert problem in caught.value.message


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(RakkanError, match=r"kitchen\.lists\.0.*not there") as caught:
        read(tmp_path, "[kitchen]\nlists = ['roots.pem']")
    assert caught.value.code == "settings.missing"


@pytest.mark.parametrize(("content", "mode", "code"), [("x", 0o640, "secret"), ("\n", 0o600, "malformed")])
def test_a_secret_that_others_can_read_is_refused(tmp_path: Path, content: str, mode: int, code: str) -> None:
    (tmp_path / "pin").write_text(content)
    (tmp_path / "pin").chmod(mode)
    with pytest.raises(RakkanError) as caught:
        read(tmp_path, KEY_FILE=str(tmp_path / "pin"))
    assert caught.value.code == f"settings.{code}"


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("listen", "address", '"8321"'),
        ("listen", "address", '"localhost:99999"'),
        ("tls", "certificate", '"service.toml"'),
        ("workers", "count", "0"),
        ("workers", "connections", "0"),
        ("proxy", "root_path", '"rakkan"'),
        ("metrics", "listen", '":9"'),
    ],
)
def test_a_rule_of_a_section_is_held(tmp_path: Path, section: str, key: str, value: str) -> None:
    (tmp_path / "service.toml").write_text(f"[{section}]\n{key} = {value}\n")
    with pytest.raises(RakkanError) as caught:
        read_service(tmp_path, SECTIONS, {})
    assert caught.value.code == "settings.malformed"
    assert section in caught.value.message


def test_every_setting_of_the_service_says_what_it_is() -> None:
    for name, _, form, default, words in described(SECTIONS):
        assert (bool(form), default != "required", len(words) > 10) == (True, True, True), name
