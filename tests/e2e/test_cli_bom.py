"""`rakkan bom`: the bill of materials as other people's tools read it, from a real studio."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_python_model import v3_0_1 as spdx

from tests.e2e.conftest import Studio


@pytest.fixture
def frame(production: Studio) -> Path:
    """A frame made with the registered model, at a place."""
    return production.record(
        production.png("night.png", 7), "--action", "generate", "--model", "sky", "--shot", "sh020"
    )


def bill(studio: Studio, *arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(studio.ok("bom", *arguments).out)
    return found


@pytest.mark.parametrize("target", ["night.png", "sh020", "."])
def test_a_frame_a_shot_and_a_production_have_one(production: Studio, frame: Path, target: str) -> None:
    found = bill(production, frame if target == "night.png" else target)
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(json.dumps(found)) is None
    assert {"sky", "plates"} <= {item["name"] for item in found["components"]}


def test_with_a_policy_it_carries_the_verdict(production: Studio, frame: Path) -> None:
    found = bill(production, frame, "--policy", "strict-authorised-only")
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(json.dumps(found)) is None
    assert "by the policy strict-authorised-only" in found["declarations"]["claims"][0]["predicate"]


def test_spdx_is_written_to_a_file(production: Studio, frame: Path, tmp_path: Path) -> None:
    out = tmp_path / "night.spdx.json"
    said = production.ok("bom", frame, "--format", "spdx", "--out", out)
    assert (said.out, "models: 1" in said.err) == ("", True)
    found = spdx.SHACLObjectSet()
    spdx.JSONLDDeserializer().read(io.BytesIO(out.read_bytes()), found)
    packages: list[Any] = list(found.foreach_type("ai_AIPackage"))
    assert [item.name for item in packages] == ["sky"]


def test_odrl_has_an_agreement_for_each_grant(production: Studio, frame: Path) -> None:
    graph = bill(production, frame, "--format", "odrl")["@graph"]
    assert {item["type"] for item in graph} == {"Agreement"}


def test_a_file_that_no_record_explains_has_none(production: Studio) -> None:
    production.fails("log.no-such-entry", "bom", production.png("stranger.png", 99))


@pytest.mark.parametrize("form", ["cyclonedx", "spdx"])
def test_what_no_record_explains_is_in_the_bill_and_ends_every_claim(
    production: Studio, frame: Path, form: str
) -> None:
    stranger = production.png("stranger.png", 99)
    said = production.ok("bom", frame, stranger, "--format", form, "--policy", "broadcast-jp")
    assert "no record explains stranger.png" in said.err
    found = json.loads(said.out)
    assert "stranger.png" in said.out
    assert "declarations" not in found


def test_hostile_names_do_not_reach_the_terminal(production: Studio) -> None:
    name = "a\u202egnp.png"
    path = production.png(name, 55)
    if production("record", path, "--action", "draw").code == 0:
        assert "\u202e" not in production.ok("bom", path).out
