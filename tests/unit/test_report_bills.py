"""A bill of materials for somebody's eyes: valid in each form, and without what the view hides."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_python_model import v3_0_1 as spdx

from ledger.core.artifact import Artifact
from ledger.core.audit.bills import bill_seen_by
from ledger.core.audit.views import Reader, View
from ledger.core.rights.bill import Bill
from ledger.core.rights.materials import materials
from ledger.render.cyclonedx import to_cyclonedx
from ledger.render.spdx import to_spdx
from tests.support.bills import SERVICE, bill, facts
from tests.support.builders import digest

KEY = bytes(32)
READERS = {
    "studio": Reader(View.STUDIO),
    "distributor": Reader(View.DISTRIBUTOR),
    "insurer": Reader(View.INSURER),
    "the licensor": Reader(View.RIGHTS_HOLDER, "mori"),
    "another holder": Reader(View.RIGHTS_HOLDER, "kawa"),
    "public": Reader(View.PUBLIC),
}
WORK = ("frame.1001.png", "frame.1002.png", "lost.png")
TERMS = ("G 1/ü", "2026-12-26")
HIDDEN = (*WORK, *TERMS, "plates", "Vendor", "Video", "<script", "origin: JP")
"""What files, things and parties are called, what is in them, and what was agreed."""


def whole() -> Bill:
    """Return a bill with a file that no record explains."""
    lost = Artifact("lost.png", digest("lost"))
    return replace(bill(), unexplained=(lost,))


def documents(made: Bill) -> list[dict[str, Any]]:
    """Return both forms, after their standards' own readers have taken them."""
    linked, listed = to_spdx(made, "1"), to_cyclonedx(made, "1")
    found = spdx.SHACLObjectSet()
    spdx.JSONLDDeserializer().read(io.BytesIO(json.dumps(linked).encode()), found)
    assert found.missing_ids == set()
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(json.dumps(listed)) is None
    return [linked, listed]


def texts(reader: str) -> list[str]:
    """Return both forms as this reader gets them."""
    made = documents(bill_seen_by(whole(), READERS[reader], KEY))
    return [json.dumps(document, ensure_ascii=False) for document in made]


def strings(value: Any) -> set[str]:
    """Return every text in a document."""
    if isinstance(value, dict):
        return set().union(*map(strings, value.values()))
    if isinstance(value, list):
        return set().union(*map(strings, value))
    return {value} if isinstance(value, str) else set()


@pytest.mark.parametrize("reader", READERS)
def test_every_view_of_a_bill_is_read_by_its_standards_own_library(reader: str) -> None:
    assert all(texts(reader))


def test_the_studio_gets_the_bill_as_it_is() -> None:
    made = whole()
    assert bill_seen_by(made, READERS["studio"], KEY) is made


@pytest.mark.parametrize("reader", ["public", "another holder"])
def test_a_public_bill_names_nothing_and_no_party(reader: str) -> None:
    for text in texts(reader):
        assert not [word for word in HIDDEN if word in text]
        assert "mix" not in strings(json.loads(text))
        assert SERVICE.subject.sha256 not in text
        assert "pseudonyms made from digests" in text
        assert "Withheld: 1 grants" in text


def test_a_hidden_service_cannot_be_guessed_by_its_name_without_the_key() -> None:
    """Its digest is that of its name: under another key it is another one, in every place."""
    one, other = (
        bill_seen_by(whole(), READERS["public"], key).materials.models[-1].subjects[0].sha256
        for key in (KEY, bytes([1]) * 32)
    )
    assert len({one, other, SERVICE.subject.sha256}) == 3
    assert one in bill_seen_by(whole(), READERS["public"], KEY).materials.used


def test_counts_are_the_same_in_every_view_of_what_is_not_somebody_elses() -> None:
    full = whole().materials
    for reader in ("distributor", "insurer", "public"):
        made = bill_seen_by(whole(), READERS[reader], KEY).materials
        assert (len(made.models), len(made.datasets)) == (len(full.models), len(full.datasets))
        assert len(made.unregistered) == len(full.unregistered)


def test_a_distributor_sees_names_and_lineage_but_no_contract() -> None:
    for text in texts("distributor"):
        assert {"mix", "plates", "frame.1001.png"} <= strings(json.loads(text))
        assert not [word for word in TERMS if word in text]
    made = bill_seen_by(whole(), READERS["distributor"], KEY).materials
    assert (made.grants, made.plans) == ((), {})


def test_an_insurer_sees_the_terms() -> None:
    assert bill_seen_by(whole(), READERS["insurer"], KEY).materials == whole().materials


def test_a_rights_holder_sees_their_own_grants_and_no_other_name() -> None:
    """`mori` granted something about the model `base`: its licence is theirs to see, its name is not."""
    made = bill_seen_by(whole(), READERS["the licensor"], KEY).materials
    assert [item.grant.grant_id for item in made.grants] == ["G 1/ü"]
    assert made.datasets == ()
    for text in texts("the licensor"):
        assert "G 1/ü" in text
        assert not strings(json.loads(text)) & {"mix", "plates", "Vendor", *WORK}
        assert "1 datasets" in text


def test_each_view_is_another_document_and_the_same_one_every_time() -> None:
    found = [bill_seen_by(whole(), reader, KEY).identifier for reader in READERS.values()]
    assert len(set(found)) == len(READERS)
    assert texts("public") == texts("public")


def test_a_delivery_of_which_nothing_is_on_record_has_a_bill() -> None:
    empty = replace(whole(), subjects=(), materials=materials(facts(), ()), judgement=None)
    for document in documents(empty):
        assert "lost.png" in json.dumps(document)
