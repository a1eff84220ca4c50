"""`rakkan dataset`, `model` and `grant`: what a frame rests on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import GRANT, Studio, checks, sidecar

ROW = f"a,{'0' * 64},Mori\n"
HEAD = "work,sha256,rights_holder\n"


def inventory(studio: Studio, text: str = HEAD + ROW, name: str = "plates.csv") -> Path:
    path = studio.work / name
    path.write_text(text)
    return path


def weights(studio: Studio, data: bytes = b"weights") -> Path:
    path = studio.work / "sky.bin"
    path.write_bytes(data)
    return path


def fact(studio: Studio, index: int) -> Any:
    """The fact of an entry, as the registry lists it."""
    return next(item for item in studio.ok("rights", "list", "--json").json if item["index"] == index)


def test_a_dataset_and_a_model_get_manifests_of_their_own(studio: Studio) -> None:
    plates, sky = inventory(studio), weights(studio)
    assert "its manifest is" in studio.ok("dataset", "add", "plates", plates).out
    studio.ok("model", "add", "sky", sky, "--trained-on", "plates:focused")
    for path in (plates, sky):
        result = studio.verify(path)
        assert (result.code, checks(result)["grants"]) == (3, "undecided")
        assert "failed" not in checks(result).values()
    studio.ok(*GRANT, "--covers", "plates", "--covers", "sky")
    assert studio("verify", sky).code == 0  # the ledger knows the grant; the older sidecar does not


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        HEAD,
        "work,sha256\na," + "0" * 64 + "\n",
        HEAD + "a,xyz,Mori\n",
        HEAD + f"a,{'0' * 64},\n",
        HEAD + f",{'0' * 64},Mori\n",
        HEAD + ROW + ROW,
        HEAD + f"a,{'A' * 64},Mori\n",
        HEAD + f"a,{'0' * 64}\n",
        HEAD + '"unclosed',
        "\x00",
    ],
)
def test_inventories_that_are_none(studio: Studio, text: str) -> None:
    code = "registry.inventory" if text else "file.empty"
    studio.fails(code, "dataset", "add", "plates", inventory(studio, text))


def test_an_inventory_in_another_encoding(studio: Studio) -> None:
    path = inventory(studio)
    path.write_bytes(path.read_text().replace("Mori", "森").encode("shift-jis"))
    result = studio.fails("registry.inventory", "dataset", "add", "plates", path)
    assert "UTF-8" in result.err


@pytest.mark.parametrize(
    "text",
    ["\ufeff" + HEAD + ROW, (HEAD + ROW).replace("\n", "\r\n"), HEAD + f'"a, b",{"0" * 64},"森, Inc."\n'],
)
def test_inventories_as_spreadsheets_write_them(studio: Studio, text: str) -> None:
    path = inventory(studio)
    path.write_bytes(text.encode())
    studio.ok("dataset", "add", "plates", path)


def test_an_error_names_the_row(studio: Studio) -> None:
    result = studio.fails(
        "registry.inventory", "dataset", "add", "x", inventory(studio, HEAD + ROW + "b,no,Kawa\n")
    )
    assert "Row 3" in result.err


def test_a_name_that_is_taken(studio: Studio) -> None:
    studio.ok("dataset", "add", "plates", inventory(studio))
    other = inventory(studio, HEAD + f"a,{'1' * 64},Mori\n", "other.csv")
    studio.fails("registry.exists", "dataset", "add", "plates", other)
    studio.ok("model", "add", "plates", weights(studio))  # another kind, another name


def test_adding_the_same_again_is_no_second_entry(studio: Studio) -> None:
    path = inventory(studio)
    first = studio.ok("dataset", "add", "plates", path).out
    before = studio.state()
    assert studio.ok("dataset", "add", "plates", path).out.split(";")[0] == first.split(";")[0]
    assert studio.state() == before


def test_a_registration_whose_sealing_failed_is_finished_by_a_retry(studio: Studio) -> None:
    path = inventory(studio)
    studio.ok("dataset", "add", "plates", path)
    sidecar(path).unlink()
    studio.ok("dataset", "add", "plates", path)
    assert sidecar(path).is_file()


@pytest.mark.parametrize("trained", ["plates", "plates:", "plates:final", ":focused"])
def test_how_training_is_written(studio: Studio, trained: str) -> None:
    studio.ok("dataset", "add", "plates", inventory(studio))
    path = weights(studio)
    before = studio.state()
    result = studio("model", "add", "sky", path, "--trained-on", trained)
    assert result.code == 2
    assert studio.state() == before


def test_a_model_trained_on_what_nobody_registered(studio: Studio) -> None:
    studio.fails(
        "record.unknown-dataset", "model", "add", "sky", weights(studio), "--trained-on", "plates:focused"
    )


def test_a_grant_about_nothing_known(studio: Studio) -> None:
    result = studio.fails("record.unknown-dataset", *GRANT, "--covers", "sky")
    assert "No dataset or model named 'sky'" in result.err


@pytest.mark.parametrize(
    "options",
    [("--until", "2025-01-01"), ("--until", "2026-01-01"), ("--use", "anything"), ("--from", "soon")],
)
def test_terms_that_make_no_sense(production: Studio, options: tuple[str, str]) -> None:
    before = production.state()
    result = production(*GRANT, "--covers", "sky", *options)
    assert (result.code, result.out) == (2, "")
    assert production.state() == before


def test_a_grant_covers_a_thing_named_twice_once(production: Studio) -> None:
    grant = ("grant", "add", "G-2", *GRANT[3:], "--covers", "sky", "--covers", "sky", "--json")
    index = production.ok(*grant).json["index"]
    assert [item["name"] for item in fact(production, index)["subjects"]] == ["sky"]


@pytest.mark.parametrize(("term", "expected"), [
    (("--from", "2020-01-01", "--until", "2021-01-01"), 3),
    (("--from", "2099-01-01"), 3),
    (("--from", "2020-01-01", "--until", "2099-01-01"), 0),
    (("--from", "2020-01-01"), 0),
])  # fmt: skip
def test_only_a_grant_in_term_counts(studio: Studio, term: tuple[str, ...], expected: int) -> None:
    studio.ok("model", "add", "sky", weights(studio))
    studio.ok("grant", "add", "G", "--covers", "sky", "--use", "output-final", "--licensor", "L", *term)
    path = studio.sealed("a.png", "--action", "generate", "--model", "sky")
    result = studio.verify(path)
    assert (result.code, checks(result)["grants"]) == (expected, "passed" if expected == 0 else "undecided")
    assert "failed" not in checks(result).values()


def test_a_grant_that_ends_later_rewrites_nothing(studio: Studio) -> None:
    """A second, ended grant beside the good one takes nothing away."""
    studio.ok("model", "add", "sky", weights(studio))
    grant = ("--covers", "sky", "--use", "output-final", "--licensor", "L")
    studio.ok("grant", "add", "G-good", *grant, "--from", "2020-01-01")
    studio.ok("grant", "add", "G-old", *grant, "--from", "2020-01-01", "--until", "2021-01-01")
    path = studio.sealed("a.png", "--action", "generate", "--model", "sky")
    assert studio.verify(path).code == 0


def test_a_grant_made_after_sealing_is_found_online(studio: Studio) -> None:
    studio.ok("model", "add", "sky", weights(studio))
    path = studio.sealed("a.png", "--action", "generate", "--model", "sky")
    assert (studio.verify(path).code, studio("verify", path).code) == (3, 3)
    studio.ok(*GRANT, "--covers", "sky")
    assert (studio.verify(path).code, studio("verify", path).code) == (3, 0)


# --- what a model was made from ----------------------------------------------------------------------------


def test_the_tree_of_a_model_shows_weights_licences_reviews_and_grants(production: Studio) -> None:
    mix = production.work / "mix.bin"
    mix.write_bytes(b"mixed weights")
    parents = ("--kind", "merge", "--parent", "sky:merged:0.6", "--parent", f"{'1' * 64}:merged:0.4")
    added = production.ok("model", "add", "mix", mix, *parents, "--licence", "mit")
    assert "of unknown origin" in added.err
    production.ok("rights", "review", "sky", "accepted", "--reviewer", "actor:legal-2")
    tree = production.ok("model", "show", "mix").out
    assert "mix (merge, declared, MIT, not reviewed)" in tree
    assert "├─ merged × 0.6: sky (base, declared, no licence named, accepted)" in tree
    assert "└─ focused training: plates (dataset, declared, no licence named, not reviewed)" in tree
    assert "└─ merged × 0.4: 1111" in tree
    assert "not registered: of unknown origin" in tree
    assert "grant G-1: output-final; in force, from 2026-01-01 (UTC), without an end" in tree
    found = production.ok("model", "show", "mix", "--json").json
    assert [child["name"] for child in found["children"]] == ["sky", "1" * 64]
    assert found["children"][0]["grants"][0]["state"] == "in force"


def test_a_model_that_is_among_its_own_parents_is_refused(production: Studio) -> None:
    mix, sea = production.work / "mix.bin", production.work / "sea.bin"
    mix.write_bytes(b"mixed")
    sea.write_bytes(b"sea")
    production.ok("model", "add", "mix", mix, "--kind", "merge", "--parent", sea)
    production.fails("registry.cycle", "model", "add", "sea", sea, "--kind", "merge", "--parent", "mix")


def test_a_weight_is_a_decimal(production: Studio) -> None:
    path = weights(production, b"other")
    parent = ("--kind", "merge", "--parent", "sky:merged:half")
    production.fails("registry.weight", "model", "add", "mix", path, *parent)


def test_a_service_is_registered_without_weights(production: Studio) -> None:
    production.ok("model", "add", "gpt-image", "--service", "openai/gpt-image/2026-04-21")
    assert "nobody outside its vendor can look inside it" in production.ok("model", "show", "gpt-image").out
    covers = ("--covers", "gpt-image", "--covers", "service:openai/gpt-image/2026-04-21")
    production.ok("grant", "add", "G-2", *GRANT[3:], *covers)  # one thing by two names
    production.fails("rights.file", "model", "add", "x", "--service", "openai")
    assert production("model", "add", "neither").code == 2


def test_a_hostile_name_is_shown_escaped(production: Studio) -> None:
    path = weights(production, b"other")
    result = production("model", "add", "sky\x1b[2K", path)
    assert (result.code, "\x1b" in result.err) == (2, False)
    parent = ("--kind", "merge", "--parent", "sky\u2066")
    result = production("model", "add", "mix", path, *parent)
    assert "\u2066" not in result.err + result.out


# --- grants ------------------------------------------------------------------------------------------------


def test_the_days_of_a_grant_are_days_in_its_zone(production: Studio) -> None:
    term = ("--from", "2026-04-01", "--until-including", "2026-12-31", "--zone", "Asia/Tokyo")
    grant = ("grant", "add", "G-2", "--covers", "sky", "--use", "output-final", *term)
    index = production.ok(*grant, "--json").json["index"]
    said = fact(production, index)["predicate"]
    assert (said["validFrom"], said["validUntil"]) == ("2026-03-31T15:00:00Z", "2026-12-31T15:00:00Z")
    assert said["term"] == {"first": "2026-04-01", "end": "2027-01-01", "zone": "Asia/Tokyo"}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--until", "2025-12-31"), "registry.term"),
        (("--until", "tomorrow"), "registry.day"),
        (("--until", "2027-01-01", "--until-including", "2027-01-01"), "rights.file"),
        (("--until", "2027-01-01", "--zone", "Asia/Tokio"), "registry.time-zone"),
        (("--zone", "localtime"), "registry.time-zone"),
        (("--territory", "XX"), "rights.territory"),
        (("--territory", "JP", "--except-territory", "030"), "rights.territory"),
        (("--title", "nightfal"), "registry.unknown-title"),
        (("--assignee", "kumo"), "registry.unknown-party"),
        (("--statute", "JP-30-4"), "statement.field"),
        (("--version", "1"), "registry.version"),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused(
    production: Studio, options: tuple[str, ...], code: str
) -> None:
    production.fails(code, *GRANT, "--covers", "sky", *options)


def test_an_unknown_name_says_what_may_have_been_meant(production: Studio) -> None:
    result = production.fails("record.unknown-dataset", "grant", "add", "G-2", *GRANT[3:], "--covers", "skyy")
    assert "Did you mean 'sky'?" in result.err
    result = production.fails("registry.time-zone", *GRANT, "--covers", "sky", "--zone", "Asia/Tokio")
    assert "Asia/Tokyo" in result.err


@pytest.mark.parametrize("name", ["x" * 300, "file", "../" * 50, "\u68ee"])
def test_a_name_that_no_file_can_have_is_unknown(production: Studio, name: str) -> None:
    production.fails("record.unknown-dataset", "grant", "add", "G-2", *GRANT[3:], "--covers", name)
    parent = ("--kind", "fine-tune", "--parent", name)
    assert (
        "is not registered" in production.ok("model", "add", "mix", weights(production, b"mix"), *parent).err
    )


def test_a_grant_changes_by_its_next_version(production: Studio) -> None:
    production.ok(*GRANT, "--covers", "plates", "--covers", "sky")  # the same again: nothing happens
    before = production.state()
    production.fails("registry.version", *GRANT, "--covers", "sky")
    assert production.state() == before
    production.ok(*GRANT, "--covers", "sky", "--version", "2")
    assert [item["grant"]["version"] for item in production.ok("grant", "list", "--json").json] == [2]


def test_a_grant_ends_once(production: Studio) -> None:
    done = production.ok("grant", "revoke", "G-1", "--effective", "2026-02-01", "--reason", "sold")
    assert "judged anew" in done.err
    production.fails("registry.revoked", "grant", "revoke", "G-1", "--effective", "2026-03-01")
    production.fails("registry.unknown-grant", "grant", "revoke", "G-9", "--effective", "2026-03-01")
    assert "revoked" in production.ok("grant", "list").out
    assert "sold" not in production.ok("rights", "list").out


def test_the_grants_that_end_soon(production: Studio) -> None:
    today = datetime.now(UTC).date()
    for name, days in (("soon", 30), ("later", 200), ("over", -5)):
        term = ("--from", "2020-01-01", "--until", str(today + timedelta(days=days)))
        production.ok("grant", "add", name, "--covers", "sky", "--use", "output-temp", *term)
    found = production.ok("grant", "list", "--expiring", "90d", "--json").json
    assert [item["grant"]["grantId"] for item in found] == ["soon"]
    assert production.ok("grant", "list", "--expiring", "10d").out == "No grant ends within 10 days.\n"
    assert production("grant", "list", "--expiring", "soon").error == "registry.day"


# --- decisions ---------------------------------------------------------------------------------------------


def test_a_file_is_reviewed_approved_and_overridden(production: Studio) -> None:
    png = production.record(production.png())
    production.ok(
        "rights", "review", png, "contested", "--reviewer", "actor:1", "--source", "https://a.example"
    )
    production.fails("registry.unknown-party", "rights", "approve", png, "--kind", "final-output",
                     "--by", "mori", "--from", "2026-01-01")  # fmt: skip
    accept = ("--approver", "actor:1", "--expires", "2099-01-01", "--reason", "seen")
    production.ok("rights", "override", png, "CHAIN_GAP", *accept)
    production.fails("registry.reason", "rights", "override", png, "CHAIN_GAPS", *accept)
    over = ("--approver", "actor:1", "--expires", "2020-01-01", "--reason", "seen")
    production.fails("statement.field", "rights", "override", png, "CHAIN_GAP", *over)
    assert "frame.png; standing contested" in production.ok("rights", "list", "review").out
