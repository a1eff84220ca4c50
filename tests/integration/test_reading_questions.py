"""A client's questions over HTTP: the answers of the command, page by page, less what is not the reader's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from api.shapes.reports import CoverageBy, IfEnded, UnknownOrigin, Used
from ledger.core.access import Role
from ledger.errors import RefusedError
from ledger.service.questions.origin import OUTSIDE
from ledger.service.reading.clearances import AT_A_TIME, one_of_few
from tests.e2e.conftest import Studio, copied, founded, shot_once
from tests.support.cleared import place
from tests.support.reading import Reader, reading, viewer

__all__ = ["founded", "shot_once"]
BOUGHT = """
[[dataset]]
name = "skies"
inventory = "skies.csv"

[[party]]
id = "kawa"
kind = "organisation"
name = "Kawa"

[[grant]]
id = "G-9"
covers = ["skies"]
uses = ["output-final"]
from = 2026-01-01
assigner = "kawa"
contract = "contract.txt"
"""


@pytest.fixture(scope="module")
def studio(shot_once: Studio, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """Three painted shots; a plate out of a bought dataset; one that came in from nowhere."""
    found = copied(shot_once, tmp_path_factory.mktemp("questions"))
    (found.work / "skies.csv").write_text(f"work,sha256,rights_holder\na,{'7' * 64},Kawa\n")
    (found.work / "bought.toml").write_text(BOUGHT)
    found.ok("rights", "import", found.work / "bought.toml", "--apply")
    bought = ("--action", "import", "--dataset", "skies")
    found.record(found.png("sky.1001.png", 31), *bought, *place("sh040"))
    found.record(found.png("matte.1001.png", 32), "--action", "import", *place("sh050"))
    return found


@pytest.fixture(scope="module")
def served(studio: Studio) -> Iterator[Reader]:
    with reading(studio.home) as found:
        yield found


@pytest.fixture
def read(served: Reader) -> Reader:
    served.viewer = viewer(Role.AUDITOR)
    return served


def log_of(found: Any) -> Any:
    return {name: value for name, value in found.items() if name not in {"log", "next"}}


def test_the_answers_are_those_of_the_command(studio: Studio, read: Reader) -> None:
    same = {
        ("unknown-origin", ""): studio("ask", "unknown-origin", "--limit", 100, "--json").json,
        ("used", "thing"): studio.ok("ask", "used", "sky", "--limit", 100, "--json").json,
        ("coverage", "by"): studio.ok("ask", "coverage", "--by", "shot", "--json").json,
    }
    values = {"thing": "sky", "by": "shot"}
    for (question, name), told in same.items():
        query: dict[str, Any] = {name: values[name]} if name else {}
        assert log_of(read.get(f"/questions/{question}", **query)) == log_of(told), question


def test_an_answer_has_the_members_that_are_described(read: Reader) -> None:
    UnknownOrigin.model_validate(read.get("/questions/unknown-origin"), by_alias=True)
    Used.model_validate(read.get("/questions/used", thing="sky"), by_alias=True)
    for axis in ("vendor", "device", "task", "shot"):
        CoverageBy.model_validate(read.get("/questions/coverage", by=axis), by_alias=True)
    ended = {"grant": "G-7", "on": "2026-02-01T00:00:00Z", "policy": "broadcast-jp"}
    IfEnded.model_validate(read.post("/questions/if-ended", ended), by_alias=True)


def test_pages_hold_each_file_once(read: Reader) -> None:
    for path, name in (("/questions/unknown-origin", "files"), ("/questions/coverage", "groups")):
        whole = read.get(path)[name]
        assert len(whole) > 2
        assert list(read.pages(path, name, limit=1)) == whole
        assert read.get(path, code=400, after="x")["code"] == "page.cursor"
    whole = read.get("/questions/used", thing="sky")["files"]
    assert list(read.pages("/questions/used", "files", thing="sky", limit=1)) == whole
    first = read.get("/questions/used", thing="sky", limit=1)
    assert read.get("/questions/used", code=400, thing="plates", after=first["next"])["code"] == "page.cursor"
    asked = {"grant": "G-7", "on": "2026-02-01T00:00:00Z", "policy": "broadcast-jp", "limit": 1}
    ends = read.post("/questions/if-ended", asked)
    rest = read.post("/questions/if-ended", {**asked, "after": ends["next"]})
    both = read.post("/questions/if-ended", {**asked, "limit": 9})
    assert [*ends["files"], *rest["files"]] == both["files"]
    assert (rest["next"], both["next"]) == (None, None)


def test_who_brought_a_file_is_the_registrys_to_say(read: Reader) -> None:
    named = {item["name"] for item in read.get("/questions/coverage", by="vendor")["groups"]}
    assert named == {"kawa", OUTSIDE, "workstation"}
    read.viewer = viewer(Role.ARTIST)
    assert {item["name"] for item in read.get("/questions/coverage", by="vendor")["groups"]} == {
        OUTSIDE,
        "workstation",
    }
    assert "kawa" not in str(read.get("/questions/unknown-origin"))
    assert read.get("/questions/used", code=403, thing="sky")["code"] == "access.denied"


@pytest.mark.parametrize("role", [Role.DISTRIBUTOR, Role.RIGHTS_HOLDER, Role.OPERATOR])
def test_who_does_not_read_the_work_is_not_answered(read: Reader, role: Role) -> None:
    read.viewer = viewer(role, party="mori" if role is Role.RIGHTS_HOLDER else None)
    for path in ("unknown-origin", "used", "coverage"):
        assert read.get(f"/questions/{path}", code=403, thing="sky")["code"] == "access.denied"
    asked = {"grant": "G-7", "on": "2026-02-01T00:00:00Z", "policy": "broadcast-jp"}
    assert read.post("/questions/if-ended", asked, 403)["code"] == "access.denied"


def test_a_place_bounds_the_question(read: Reader) -> None:
    found = read.get("/questions/unknown-origin", shot="sh050")
    assert (found["asked"], found["origins"]) == (1, {"unknown": 0, "imported": 1, "declared": 0})
    assert read.get("/questions/unknown-origin", sequence="sq999")["asked"] == 0
    assert read.get("/questions/coverage", by="shot", shot="sh040")["declared"] == 1
    assert read.get("/questions/coverage", code=400, by="colour")["code"] == "request.malformed"
    assert read.get("/questions/used", code=400, thing="sky", since="then")["code"] == "request.malformed"
    assert read.get("/questions/used", code=400, thing="no-such")["code"] == "clear.unknown-thing"


def test_an_answer_that_is_there_already_is_not_computed_again(read: Reader) -> None:
    path = "/v1/productions/nightfall/questions/coverage?by=device"
    tag = read.client.get(path).headers["etag"]
    assert read.client.get(path, headers={"If-None-Match": tag}).status_code == 304


def test_few_are_worked_on_at_a_time(read: Reader) -> None:
    held = [one_of_few() for _ in range(AT_A_TIME)]
    for one in held:
        one.__enter__()
    try:
        with pytest.raises(RefusedError), one_of_few():
            pass
        assert read.get("/questions/coverage", code=503)["code"] == "clear.busy"
    finally:
        for one in held:
            one.__exit__(None, None, None)
