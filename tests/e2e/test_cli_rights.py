"""`rakkan rights`: facts from files, as a producer brings them in."""

from __future__ import annotations

import json
import re
import shlex
import sqlite3
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ledger.cli.rights import KINDS
from ledger.core.artifact import named
from ledger.service.rights.registry import TABLES
from tests.e2e.conftest import ROOT, Studio
from tests.support.intake import croissant, lora_metadata, offer, rule, safetensors
from tests.support.rights import KEYS

PAGE = (ROOT / "docs" / "spec" / "rights-import.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)[0]
SECRETS = ("The Moon Road", "Hana Sato", "only for the animatic", "the archive was sold")

PARTIES = """
[[party]]
id = "mori"
kind = "organisation"

[[party]]
id = "kumo"
kind = "organisation"
"""


@pytest.fixture
def desk(studio: Studio) -> Studio:
    """A studio with the files that the documented example names."""
    works = f"work,sha256,rights_holder\na,{'0' * 64},Mori\nb,{'1' * 64},Kawa\n"
    (studio.work / "plates.csv").write_text(works)
    for name in ("sky.safetensors", "dusk.safetensors", "contract.txt", "terms.html", "consent.pdf"):
        (studio.work / name).write_text(f"the bytes of {name}")
    studio.png("moon-road.png")
    return studio


def write(studio: Studio, text: str, name: str = "rights.toml") -> Path:
    path = studio.work / name
    path.write_text(text, encoding="utf-8")
    return path


def facts(studio: Studio, kind: str) -> list[dict[str, Any]]:
    """What is on record of a kind."""
    found: list[dict[str, Any]] = studio.ok("rights", "list", kind, "--json").json
    return [item["predicate"] for item in found]


def test_the_documented_file_can_be_imported_as_it_stands(desk: Studio) -> None:
    path = write(desk, EXAMPLE)
    before = desk.state()
    dry = desk.ok("rights", "import", path)
    assert desk.state() == before, "a dry run signs nothing, and leaves no file"
    count = EXAMPLE.count("\n[[")
    assert f"{count} of {count} facts would be signed" in dry.out
    assert "note: The parent 'found-on-the-web' is not registered" in dry.out
    done = desk.ok("rights", "import", path, "--apply", "--json").json
    assert done["applied"]
    assert {item["state"] for item in done["facts"]} == {"new"}
    assert {item["kind"] for item in done["facts"]} == set(TABLES.values()), "every kind of fact is shown"
    assert (desk.work / "plates.inventory").is_file()
    assert (desk.work / "sky.safetensors.c2pa").is_file()


def test_the_page_lists_every_key_that_its_example_uses() -> None:
    assert tuple(KEYS) == KINDS == tuple(TABLES.values())
    for kind, tables in tomllib.loads(EXAMPLE, parse_float=str).items():
        if kind != "zone":
            assert {key for table in tables for key in table} <= set(KEYS[kind])


def test_importing_twice_changes_nothing(desk: Studio) -> None:
    path = write(desk, EXAMPLE)
    desk.ok("rights", "import", path, "--apply")
    before = desk.state()
    again = desk.ok("rights", "import", path, "--apply").out
    assert again.endswith("Nothing is to be signed: everything is on record.\n")
    assert desk.state() == before


def test_secrets_reach_the_log_only_as_digests(desk: Studio) -> None:
    out = desk.ok("rights", "import", write(desk, EXAMPLE), "--apply").out
    assert "as salted digests only: licensor, contract" in out
    with sqlite3.connect(desk.home / "ledger.sqlite") as connection:
        entries = b"".join(row[0] for row in connection.execute("SELECT envelope FROM entry"))
    connection.close()
    payloads = entries + b"".join(_decoded(entries))
    assert b"nightfall" in payloads
    for secret in SECRETS:
        assert secret.encode() not in payloads
        assert secret not in out


def test_a_day_in_tokyo_ends_in_tokyo(desk: Studio) -> None:
    desk.ok("rights", "import", write(desk, EXAMPLE), "--apply")
    grant = facts(desk, "grant")[0]
    assert (grant["validFrom"], grant["validUntil"]) == ("2025-12-31T15:00:00Z", "2026-12-31T15:00:00Z")
    assert grant["term"] == {"first": "2026-01-01", "end": "2027-01-01", "zone": "Asia/Tokyo"}


def test_all_or_nothing_and_every_reason_at_once(desk: Studio) -> None:
    text = """
[[title]]
id = "nightfall"
name = "Nightfall"

[[grant]]
id = "A"
covers = ["nothing"]
uses = ["output-final"]
from = 2026-01-01

[[grant]]
id = "B"
covers = ["title:nightfall"]
uses = ["output-final"]
from = 2026-01-01
until = 2025-01-01
"""
    path, before = write(desk, text), desk.state()
    for options in ((), ("--apply",)):
        result = desk("rights", "import", path, *options)
        assert (result.code, result.error) == (2, "rights.refused")
        assert "would sign  rights.toml: title[1]" in result.out
        assert re.search(r"refused  rights.toml: grant\[1\]: .* \[record.unknown-dataset\]", result.out)
        assert re.search(r"refused  rights.toml: grant\[2\]: .* \[registry.term\]", result.out)
        assert "2 of 3 facts cannot be stated" in result.err
        assert desk.state() == before
    shown = desk("rights", "import", path, "--json")
    states = [item["state"] for item in json.loads(shown.out)["facts"]]
    assert states == ["new", "refused", "refused"]


@pytest.mark.parametrize(
    "text",
    [
        "[[party]\n",
        "[party]\nid = 'a'\n",
        "party = 3\n",
        "[[parties]]\nid = 'a'\n",
        "zone = 9\n",
        "\udce9".encode("utf-8", "surrogateescape").decode("latin-1"),
    ],
)
def test_files_that_are_no_file_of_facts(desk: Studio, text: str) -> None:
    desk.fails("rights.file", "rights", "import", write(desk, text))


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ('[[party]]\nid = "a"\nkind = "company"', "rights.file"),
        ('[[party]]\nid = "a"\nkind = "organisation"\nname = 3', "rights.file"),
        ('[[party]]\nid = "a"\nkind = "organisation"\nnmae = "A"', "rights.file"),
        ('[[party]]\nid = "a"\nkind = "organisation"\nname = "A\\u202eB"', "rights.file"),
        ('[[title]]\nid = "t"\nname = "T"\ncredits = ["G-1"]', "registry.unknown-grant"),
        ('[[work]]\nid = "w"\nfile = "moon-road.png"\nshares = { nobody = 1 }', "registry.unknown-party"),
        ('[[dataset]]\nname = "d"\ninventory = "missing.csv"', "file.missing"),
        ('[[dataset]]\nname = "d"\ninventory = "plates.csv"\nlicence = "like MIT"', "rights.file"),
        ('[[model]]\nname = "m"\nweights = "sky.safetensors"\nparents = ["x"]', "rights.file"),
        ('[[model]]\nname = "m"\nsha256 = "12"', "digest.malformed"),
        ('[[training]]\nmodel = "m"\ntrainer = "a"', "record.unknown-model"),
        ('[[revocation]]\ngrant = "G"\neffective = 2026-01-01', "registry.unknown-grant"),
        ('[[finding]]\nid = "F"\nkind = "style-reference"\nstate = "dismissed"', "registry.unknown-finding"),
        (
            '[[override]]\nabout = ["sky.safetensors"]\ncode = "CHAIN_GAP"\napprovers = ["a"]\nreason = "r"',
            "rights.file",
        ),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(desk: Studio, table: str, code: str) -> None:
    before = desk.state()
    result = desk("rights", "import", write(desk, table), "--json")
    assert result.code == 2
    errors = [item["error"]["code"] for item in json.loads(result.out)["facts"] if item["state"] == "refused"]
    assert errors == [code]
    assert desk.state()["log"] == before["log"]


def test_a_thing_is_stated_once_in_a_file(desk: Studio) -> None:
    text = "".join(f'[[title]]\nid = "t"\nname = "{name}"\n' for name in ("Old", "Old", "New"))
    result = desk("rights", "import", write(desk, text))
    assert "would sign  rights.toml: title[1]" in result.out
    assert "as above  rights.toml: title[2]" in result.out
    assert "refused  rights.toml: title[3]: It is stated a second time" in result.out


def test_models_under_one_another_are_refused(desk: Studio) -> None:
    text = "".join(
        f'[[model]]\nname = "{name}"\nkind = "fine-tune"\nsha256 = "{digit * 64}"\nparents = ["{parent}"]\n'
        for name, digit, parent in (("a", "a", "b"), ("b", "b", "a"))
    )
    result = desk("rights", "import", write(desk, text))
    assert result.error == "rights.refused"
    assert "[registry.cycle]" in result.out


def test_two_exclusive_grants_to_different_people_conflict(desk: Studio) -> None:
    grant = 'covers = ["moon-road.png"]\nuses = ["reference-input"]\nfrom = 2026-01-01\nexclusive = true\n'
    one = f'{PARTIES}[[grant]]\nid = "A"\nassignee = "mori"\nterritories = ["JP"]\n{grant}'
    desk.ok("rights", "import", write(desk, one), "--apply")
    other = f'[[grant]]\nid = "B"\nassignee = "kumo"\n{grant}'
    elsewhere = write(desk, other.replace('"B"', '"C"') + 'territories = ["FR"]\n', "elsewhere.toml")
    path = write(desk, other + 'territories = ["030"]\n', "other.toml")
    assert "[registry.exclusive]" in desk("rights", "import", path).out
    desk.ok("rights", "import", elsewhere, "--apply")  # France is not in Eastern Asia
    assert (
        "note: moon-road.png is exclusively mori's already"
        in desk.ok("rights", "import", path, "--apply", "--anyway").out
    )


def test_what_was_erased_is_not_brought_back(desk: Studio) -> None:
    path = write(desk, EXAMPLE)
    desk.ok("rights", "import", path, "--apply")
    grants: list[dict[str, Any]] = desk.ok("rights", "list", "grant", "--json").json
    desk.ok("erase", grants[0]["index"], "--why", "contract-end", "--field", "licensor")
    before = desk.state()
    desk.ok("rights", "import", path, "--apply")
    assert desk.state() == before


# --- grants as CSV -----------------------------------------------------------------------------------------

HEAD = "id,covers,uses,from,until_including,zone,licensor,exclusive,territories\n"


def test_grants_come_in_rows(desk: Studio) -> None:
    desk.ok("dataset", "add", "plates", desk.work / "plates.csv")
    rows = (
        'A,plates,focused-training; output-as-training,2026-01-01,2026-12-31,Asia/Tokyo,"森, 1",no,JP; KR\n'
    )
    path = write(desk, HEAD + rows + "B,plates,foundation-training,2026-01-01,,,,,\n", "grants.csv")
    assert "2 of 2 facts were signed." in desk.ok("rights", "import", path, "--apply").out
    first, second = facts(desk, "grant")
    assert first["uses"] == ["focused-training", "output-as-training"]
    assert (first["scope"], first["exclusivity"]) == ({"territories": ["JP", "KR"]}, "non-exclusive")
    assert "validUntil" not in second
    assert "森" not in desk.ok("rights", "list", "grant").out


@pytest.mark.parametrize("row", ["A,plates\n", f"A{',' * 12}\n", '"A\n'])
def test_rows_of_another_length_are_refused(desk: Studio, row: str) -> None:
    desk.fails("rights.file", "rights", "import", write(desk, HEAD + row, "grants.csv"))


def test_a_table_of_another_encoding_is_refused(desk: Studio) -> None:
    path = desk.work / "grants.csv"
    path.write_bytes((HEAD + "A,森,x,2026-01-01,,,,,\n").encode("shift-jis"))
    assert "UTF-8" in desk.fails("rights.file", "rights", "import", path).err


# --- what other tools wrote --------------------------------------------------------------------------------

CARD = """---
license: apache-2.0
base_model: found/base
base_model_relation: finetune
datasets:
- laion/huge
---
# A model
"""


def test_a_model_card_comes_in_as_declared(desk: Studio) -> None:
    path = write(desk, CARD, "README.md")
    weights = desk.work / "sky.safetensors"
    out = desk.ok("rights", "import", path, "--weights", weights).out
    assert "note: The parent 'found/base' is not registered" in out
    assert "note: The dataset 'laion/huge' is not registered" in out
    desk.ok("rights", "import", path, "--weights", weights, "--apply")
    model = facts(desk, "model")[0]
    assert (model["evidence"], model["licence"]["expression"]) == ("declared", "Apache-2.0")
    assert [parent["name"] for parent in model["parents"]] == ["found/base"]
    assert [item["dataset"] for item in model["training"]] == ["laion/huge"]
    assert facts(desk, "dataset") == facts(desk, "grant") == []
    before = desk.state()
    desk.ok("rights", "import", path, "--weights", weights, "--apply")
    assert desk.state() == before


def test_a_name_in_somebodys_file_is_not_the_studios_own_thing(desk: Studio) -> None:
    """Else a file from the web would be covered by the grants of whatever it calls its base."""
    desk.ok("model", "add", "sky", desk.work / "sky.safetensors")
    card = write(desk, CARD.replace("found/base", "sky"), "README.md")
    out = desk.ok("rights", "import", card, "--weights", desk.work / "dusk.safetensors", "--apply").out
    assert "note: The parent 'sky' is not registered" in out
    parent = next(item for item in facts(desk, "model") if "parents" in item)["parents"][0]
    assert parent["sha256"] == named("model", "sky").sha256


def test_the_studio_gives_a_model_its_own_name(desk: Studio) -> None:
    path = write(desk, CARD, "README.md")
    weights = desk.work / "sky.safetensors"
    desk.ok("rights", "import", path, "--weights", weights, "--name", "sky", "--apply")
    assert facts(desk, "model")[0]["name"] == "sky"
    desk.fails("rights.weights", "rights", "import", write(desk, EXAMPLE), "--name", "sky")


def test_a_card_without_weights_says_what_is_missing(desk: Studio) -> None:
    result = desk("rights", "import", write(desk, CARD, "README.md"))
    assert result.error == "rights.refused"
    assert "[rights.weights]" in result.out


def test_the_header_of_weights_comes_in_as_declared(desk: Studio) -> None:
    metadata = {"ss_network_module": "networks.lora", "modelspec.title": "Dusk"}
    header = json.dumps({"__metadata__": metadata}).encode()
    path = desk.work / "dusk.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    desk.ok("rights", "import", path, "--apply")
    assert [(item["kind"], item["evidence"]) for item in facts(desk, "model")] == [("lora", "declared")]
    assert path.with_name("dusk.safetensors.c2pa").is_file()


def test_a_file_does_not_replace_what_somebody_stated(desk: Studio) -> None:
    weights = desk.work / "sky.safetensors"
    desk.ok("model", "add", "sky", weights, "--licence", "MIT")
    result = desk("rights", "import", write(desk, CARD, "README.md"), "--weights", weights)
    assert "[registry.declared]" in result.out
    assert facts(desk, "model")[0]["licence"]["expression"] == "MIT"


def test_a_dataset_card_states_nothing_and_says_so(desk: Studio) -> None:
    card = croissant(usage=offer(permission=[rule("use")]))
    out = desk.ok("rights", "import", write(desk, json.dumps(card), "card.json"), "--apply").out
    assert "register it with its list of works" in out
    assert "record what was agreed as a grant" in out
    assert out.endswith("There is no fact in it that could be signed.\n")


def test_what_nobody_knows_is_no_format(desk: Studio) -> None:
    desk.fails("intake.unknown-format", "rights", "import", write(desk, "hello", "notes.txt"))
    desk.fails("file.missing", "rights", "import", desk.work / "missing.json")


# --- the how-to --------------------------------------------------------------------------------------------

HOWTO = (ROOT / "docs" / "howto" / "register-rights.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", HOWTO, re.DOTALL)


@pytest.mark.parametrize("blocks", [[0], [1, 3], [2]], ids=["one file", "one by one", "from elsewhere"])
def test_the_commands_of_the_how_to_run(
    desk: Studio, blocks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk.work)
    write(desk, EXAMPLE)
    write(desk, CARD, "README.md")
    write(desk, "misty weights", "mist.safetensors")
    (desk.work / "rain.safetensors").write_bytes(safetensors(lora_metadata()))
    for number in blocks:
        for line in BLOCKS[number].replace("\\\n", " ").splitlines():
            program, *arguments = shlex.split(line, comments=True)
            assert program == "rakkan"
            desk.ok(*arguments)


# --- what is on record -------------------------------------------------------------------------------------


def test_nothing_on_record_says_so(studio: Studio) -> None:
    assert studio.ok("rights", "list").out == "Nothing is on record.\n"
    assert studio.ok("grant", "list").out == "No grant is on record.\n"


def _decoded(entries: bytes) -> list[bytes]:
    """The payloads of envelopes, out of their base64."""
    from base64 import b64decode

    return [b64decode(text) for text in re.findall(rb'"payload":"([A-Za-z0-9+/=]+)"', entries)]


def test_whoever_reviews_has_a_pseudonym(desk: Studio) -> None:
    desk.ok("model", "add", "sky", desk.work / "sky.safetensors")
    desk.fails("rights.name", "rights", "review", "sky", "accepted", "--reviewer", "hana@example.org")
