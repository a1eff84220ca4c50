"""What strangers put into addresses is answered in kind: no fault, and nothing of the machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ledger.core.predicates.party import Party, PartyKind
from ledger.core.rights.facts import Facts
from ledger.errors import RefusedError
from ledger.service.clear.question import see
from ledger.service.reading.pages import caught_up
from ledger.service.rights import reading as registry_reading
from ledger.service.rights.reading import facts_of
from tests.e2e.conftest import Studio, copied, founded
from tests.support.bare_studio import say
from tests.support.bases import component, made
from tests.support.builders import NOW
from tests.support.cleared import license_production, shoot
from tests.support.reading import BASE, Reader, digest_of, reading
from tests.support.reading_log import fill, readable

__all__ = ["founded"]
WORDS = (
    "%2e%2e",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "%00",
    "a%00b",
    "%ff%fe",
    "%ed%a0%80",
    quote("\u202egnp.exe"),
    quote("ｓｈ０２０"),
    quote("' OR 1=1 --"),
    quote('"; DROP TABLE entry; --'),
    quote("%%%__!!"),
    "A" * 1025,
    "0" * 63,
    "F" * 64,
    "-1",
    "9" * 30,
    "%7B%7B7*7%7D%7D",
    quote("=cmd|' /C calc'!A0"),
)
PATHS = (
    "/assets/{}",
    "/assets/{}/lineage",
    "/steps/{}",
    "/shots/{}/sh020",
    "/shots/sq010/{}",
    "/registry/{}",
    "/registry/grants/{}",
    "/registry/services/{}/{}",
    "/verdicts/{}",
    "/assets?name={}",
    "/assets?shot={}",
    "/steps?tool={}",
    "/steps?device={}",
    "/steps?since={}",
    "/verdicts?state={}",
    "/verdicts?shot={}",
    "/coverage?shot={}",
    "/assets?limit={}",
    "/shots?after={}",
    "/registry/grants?at={}",
)


@pytest.fixture(scope="module")
def served(founded: Studio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Reader, str]]:
    studio = copied(founded, tmp_path_factory.mktemp("hostile"))
    license_production(studio)
    files = shoot(studio)
    with reading(studio.home) as reader:
        yield reader, digest_of(files["sh020"])


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("word", WORDS)
def test_no_word_in_an_address_breaks_anything(
    served: tuple[Reader, str], tmp_path_factory: pytest.TempPathFactory, path: str, word: str
) -> None:
    reader, _ = served
    answer = reader.client.get(BASE + path.replace("{}", word))
    assert answer.status_code in (200, 400, 404), (answer.status_code, answer.text)
    if answer.status_code == 200:
        found = answer.json()
        assert not any(found.get(name) for name in ("assets", "steps", "verdicts", "files")), path
    else:
        assert answer.headers["Content-Type"] == "application/problem+json"
        for leak in (str(tmp_path_factory.getbasetemp()), "sqlite", "SELECT", "Traceback", ".py"):
            assert leak not in answer.text


def test_parameters_that_nobody_knows_are_refused(served: tuple[Reader, str]) -> None:
    reader, _ = served
    assert reader.get("/steps", code=400, tools="painter")["code"] == "request.malformed"
    for limit in (0, -1, 1001, "x"):
        assert reader.get("/steps", code=400, limit=limit)["code"] == "request.malformed"
    assert reader.post("/clearances", {"targets": ["."], "policy": "house", "record": True}, 400)
    assert reader.post("/clearances", [], 400)["code"] == "request.malformed"


def test_a_cursor_of_another_question_is_refused(served: tuple[Reader, str]) -> None:
    reader, digest = served
    after = reader.get("/steps", limit=1)["next"]
    assert reader.get("/steps", code=400, after=after, tool="grade")["code"] == "page.cursor"
    assert reader.get("/assets", code=400, after=after)["code"] == "page.cursor"
    assert reader.get(f"/assets/{digest}/lineage", code=400, after=after)["code"] == "page.cursor"
    reader.get("/steps", after=after, limit=5)


def test_many_readers_while_the_log_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry and the bases are read by many threads at once: each sees all facts of its own tree."""

    def slowly(*arguments: Any) -> Any:
        found = Facts(*arguments)
        time.sleep(0.002)  # as a large registry takes: others get in between, if they can
        return found

    monkeypatch.setattr(registry_reading, "Facts", slowly)
    with readable(tmp_path) as studio:
        fill(studio, [made("v0", of=[component("p")], step_id="s0")])
        stop = False

        def read() -> list[tuple[int, int]]:
            seen = []
            while not stop:
                before = studio.entries.head().size
                facts = facts_of(studio)
                assert facts.size >= before
                seen.append((facts.size, len(facts.parties)))
                try:
                    found = see(studio)
                except RefusedError as error:  # the log grew faster than it could be read: try again
                    if error.code != "log.busy":
                        raise
                else:
                    seen.append((found.size, len(found.facts.parties)))
                assert caught_up(studio) <= studio.bases.mark().size
            return seen

        with ThreadPoolExecutor(8) as pool:
            readers = [pool.submit(read) for _ in range(8)]
            for number in range(150):
                say(studio, Party(f"p{number}", PartyKind.ORGANISATION, NOW, f"P{number}"))
            stop = True
            pairs = [pair for each in readers for pair in each.result(60)]
        assert pairs
        assert all(parties == max(size - 1, 0) for size, parties in pairs)


def test_answers_are_whole_for_many_clients_at_once(served: tuple[Reader, str]) -> None:
    reader, digest = served
    paths = ["/assets", "/steps", "/shots", f"/assets/{digest}", "/verdicts", "/registry/models", "/coverage"]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda path: (path, reader.get(path)), paths * 12))
    whole = {path: reader.get(path) for path in paths}
    assert all(document == whole[path] for path, document in found)
