"""`rakkan dataset`, `model` and `grant`: what a frame rests on."""

from __future__ import annotations

from pathlib import Path

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


def test_an_error_names_the_line(studio: Studio) -> None:
    result = studio.fails(
        "registry.inventory", "dataset", "add", "x", inventory(studio, HEAD + ROW + "b,no,Kawa\n")
    )
    assert "Line 3" in result.err


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
    production.ok(*GRANT, "--covers", "sky", "--covers", "sky")


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
