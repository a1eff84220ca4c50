"""What comes in over HTTP, and what a reader says that nobody trusts: read or refused, never worse."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api.multipart import Parts
from ledger.adapters.scratch import Sink
from ledger.core.report import Check, NamedGrant, NamedStep, NamedThing, Status, VerificationReport
from ledger.core.report_reading import MAX_TEXT, read_report, shown
from ledger.core.verify.public import for_anybody
from ledger.errors import MalformedError, RakkanError
from ledger.service.verifying import suffix_of

TEXT = st.text(max_size=40)
PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def parsed(body: bytes, cuts: list[int]) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        parts = Parts(b"b", ("file", "sidecar"), lambda part, _: Sink(Path(folder) / part, 10_000))
        try:
            start = 0
            for stop in [*sorted(cut for cut in cuts if cut <= len(body)), len(body)]:
                parts.write(body[start:stop])
                start = stop
            parts.finish()
        finally:
            parts.close()
        return {name: sink.path.read_bytes() for name, sink in parts.sinks.items()}


def form(**parts: bytes) -> bytes:
    body = b""
    for name, data in parts.items():
        head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="x"\r\n\r\n'
        body += head.encode() + data + b"\r\n"
    return body + b"--b--\r\n"


@given(st.binary(max_size=300), st.binary(max_size=100), st.lists(st.integers(0, 600), max_size=8))
def test_a_form_comes_out_as_it_went_in_however_it_is_cut(
    file: bytes, sidecar: bytes, cuts: list[int]
) -> None:
    if b"\r\n--b" in file + b"|" + sidecar:
        return
    assert parsed(form(file=file, sidecar=sidecar), cuts) == {"file": file, "sidecar": sidecar}


@given(st.binary(max_size=300), st.integers(0, 300), st.integers(0, 255))
def test_a_damaged_form_is_refused_or_read(data: bytes, at: int, value: int) -> None:
    body = bytearray(form(file=data))
    body[at % len(body)] = value
    for damaged in (bytes(body), data, bytes(body)[: at % len(body)]):
        try:
            found = parsed(damaged, [at])
        except RakkanError as error:
            assert error.code.startswith("request.")  # noqa: PT017 - it need not raise
        else:
            assert set(found) <= {"file", "sidecar"}


@given(st.text(max_size=60))
def test_a_suffix_is_short_and_plain(name: str) -> None:
    suffix = suffix_of(name)
    assert suffix == "" or (
        suffix[0] == "." and suffix[1:].isalnum() and suffix.isascii() and len(suffix) < 10
    )


@given(JSON)
def test_any_json_is_a_report_or_refused(value: Any) -> None:
    try:
        found = read_report(value)
    except MalformedError as error:
        assert error.code == "verify.crashed"  # noqa: PT017 - it need not raise
    else:
        assert json.dumps(found.to_json())


CHECKS = st.builds(
    Check, PLAIN, PLAIN, st.sampled_from(Status), PLAIN, st.lists(PLAIN, max_size=3).map(tuple), PLAIN
)
GRANTS = st.builds(
    NamedGrant, PLAIN, st.lists(PLAIN, max_size=2).map(tuple), st.integers(0, 9), st.booleans()
)
THINGS = st.builds(
    NamedThing,
    PLAIN,
    PLAIN,
    PLAIN,
    st.none() | st.integers(0, 9),
    st.lists(GRANTS, max_size=2).map(tuple),
    st.just(()),
    st.booleans(),
)
STEPS = st.builds(NamedStep, st.integers(0, 9), PLAIN, PLAIN, PLAIN, PLAIN, PLAIN)
REPORTS = st.builds(
    VerificationReport,
    PLAIN,
    PLAIN,
    st.lists(CHECKS, min_size=1, max_size=4).map(tuple),
    st.lists(THINGS, max_size=3).map(tuple),
    st.lists(STEPS, max_size=3).map(tuple),
    st.none() | PLAIN,
    st.none() | PLAIN,
    st.dictionaries(PLAIN, PLAIN, max_size=3),
)


@given(REPORTS)
def test_a_report_comes_back_as_it_was(report: VerificationReport) -> None:
    assert read_report(report.to_json()).to_json() == report.to_json()


@given(REPORTS)
def test_nobody_learns_a_name_that_the_file_does_not_hold(report: VerificationReport) -> None:
    nothing = replace(report, checks=(), things=(), steps=())
    public = for_anybody(report, nothing)
    assert public.outcome is report.outcome
    assert not public.steps
    assert all(not thing.name and not thing.sha256 for thing in public.things)
    assert all(not grant.grant_id and not grant.uses for thing in public.things for grant in thing.grants)
    assert [check.words for check in public.checks] == [check.plain or check.words for check in report.checks]
    assert [thing.licensed for thing in public.things] == [thing.licensed for thing in report.things]


@given(st.text(max_size=5_000))
def test_what_is_shown_is_bounded_and_plain(text: str) -> None:
    found = shown(text)
    assert len(found) <= 6 * MAX_TEXT + 1
    assert found.isprintable() or not set(found) & {"\x00", "\x1b", "\n", "\u202e", "\ud800"}
