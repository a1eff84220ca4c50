"""A bundle made by a stranger: whatever stands in its report, the verifier answers and never breaks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.core.audit.bundle import DOCUMENT, ENTRIES, MANIFEST, PROOF, SIGNATURE, TRUST
from tests.e2e.conftest import Studio, copied, founded, shot_once
from tests.support.bundles import forged, judged, opened
from tests.support.cleared import policy

__all__ = ["founded", "shot_once"]

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**60) | st.text(max_size=5) | st.just({"_sd": "x"}),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def place(shot_once: Studio, tmp_path_factory: pytest.TempPathFactory) -> Path:
    studio = copied(shot_once, tmp_path_factory.mktemp("stranger"))
    command = ("report", "--production", "nightfall")
    studio.ok(*command, *policy(studio), "--out", studio.work / "bundle")
    (studio.work / "trust.json").write_bytes(studio.trust.read_bytes())
    return studio.work


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return every path into a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in inner for found in places(item, (*path, key)))]


def put(document: Any, path: tuple[Any, ...], junk: Any) -> None:
    for key in path[:-1]:
        document = document[key]
    document[path[-1]] = junk


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), junk=JUNK, name=st.sampled_from([DOCUMENT, MANIFEST, TRUST, SIGNATURE]))
def test_junk_in_a_document_is_answered(place: Path, data: st.DataObject, junk: Any, name: str) -> None:
    files = opened((place / "bundle" / "bundle.zip").read_bytes())
    document = json.loads(files[name])
    put(document, data.draw(st.sampled_from(places(document)[1:])), junk)
    files[name] = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode(
        "utf-8", "replace"
    )
    outcome = judged(forged(files) if name != MANIFEST else stored_again(files), None)
    assert outcome.exit_code in (1, 3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), junk=st.binary(max_size=100), name=st.sampled_from([ENTRIES, PROOF, DOCUMENT, TRUST]))
def test_junk_in_a_file_is_answered(place: Path, data: st.DataObject, junk: bytes, name: str) -> None:
    files = opened((place / "bundle" / "bundle.zip").read_bytes())
    at = data.draw(st.integers(0, len(files[name])))
    files[name] = files[name][:at] + junk + files[name][at + data.draw(st.integers(0, 50)) :]
    assert judged(forged(files), None).exit_code in (1, 3)


def stored_again(files: dict[str, bytes]) -> bytes:
    from ledger.adapters.bundles import stored

    return stored(files.items())
