"""Files of facts: any bytes and any tables give facts or one of our errors; days and moments agree."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ledger.core import statement as statements
from ledger.core.statement import Statement
from ledger.errors import MalformedError, RakkanError, UsageError
from ledger.service.rights.days import moment_of, period, read_point
from ledger.service.rights.importing import read_grants_csv, read_toml
from ledger.service.rights.kinds import KINDS, draft_of
from ledger.service.rights.registry import Registry
from ledger.service.rights.tables import Desk
from ledger.testing import FixedClock
from ledger.wiring.rights import readers
from tests.support.rights import KEYS

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
DAYS = st.dates(date(1975, 1, 1), date(2037, 12, 30))
LAX = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.dates()
    | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def desk(folder: Path) -> Desk:
    return Desk(Registry(), FixedClock(), readers(), folder)


@LAX
@given(data=st.binary(max_size=200))
@example(data=b"\xff[[party]]")
@example(data=b"[[party]]\nid = 1")
@example(data=b"a" + b".a" * 2000 + b" = 1")
@example(data=b"a = " + b"[" * 2000)
def test_any_bytes_are_facts_or_malformed(tmp_path: Path, data: bytes) -> None:
    for name, read in (("f.toml", read_toml), ("f.csv", read_grants_csv)):
        path = tmp_path / name
        path.write_bytes(data)
        with suppress(MalformedError):
            assert isinstance(read(path), list)


@LAX
@given(data=st.data())
@pytest.mark.parametrize("kind", KINDS)
def test_any_table_is_a_draft_or_refused(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    likely = st.sampled_from(["base", "organisation", "a:b", "a/b", "2026-01-01", "0" * 64, "001"])
    table = data.draw(
        st.dictionaries(st.sampled_from(KEYS[kind]), VALUES | likely | st.lists(likely), max_size=9)
    )
    with suppress(RakkanError):
        draft = draft_of(desk(tmp_path), kind, table)
        with suppress(RakkanError):
            statements.encode(Statement(draft.subjects, draft.predicate))


@given(DAYS, st.sampled_from(ZONES))
@example(date(2018, 11, 4), "America/Sao_Paulo")  # no midnight on that day
@example(date(2011, 12, 30), "Pacific/Apia")  # no such day at all
@example(date(2026, 11, 1), "America/Havana")  # midnight twice
def test_a_day_begins_when_its_date_does(day: date, zone: str) -> None:
    """From that moment on a clock on the wall shows the day, or a later one if it has none; not before."""
    begins = moment_of(day, zone)
    assert begins.tzinfo is UTC
    assert begins.astimezone(ZoneInfo(zone)).date() >= day
    assert (begins - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date() < day


@given(DAYS, st.integers(0, 400), st.sampled_from(ZONES))
def test_including_the_last_day_is_up_to_the_next(first: date, length: int, zone: str) -> None:
    last = first + timedelta(days=length)
    try:
        found = period(first, last, zone, including=True)
    except UsageError:  # the next day begins as this one does: the clocks left a day out
        assert moment_of(first, zone) == moment_of(last + timedelta(days=1), zone)
        return
    assert found == period(first, last + timedelta(days=1), zone)
    assert found.term is not None
    assert (found.term.first, found.term.end, found.term.zone) == (first, last + timedelta(days=1), zone)


@given(st.text(max_size=30))
@example("2026-02-30")
@example("20260101T0")
@example("2026-W01-1")
def test_any_text_is_a_point_or_refused(text: str) -> None:
    with suppress(UsageError):
        point = read_point(text)
        assert isinstance(point, datetime) == (len(text) != 10)
        assert isinstance(point, datetime) or point.isoformat() == text


@given(st.text(max_size=30))
@example("../../etc/passwd")
@example("Asia")
@example("localtime")
@example("\x00")
def test_any_text_is_a_zone_or_refused(zone: str) -> None:
    if zone in ZONES:
        assert moment_of(date(2026, 1, 1), zone).tzinfo is UTC
        return
    with pytest.raises(UsageError) as caught:
        moment_of(date(2026, 1, 1), zone)
    assert caught.value.code == "registry.time-zone"
