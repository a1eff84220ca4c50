"""The pages of the board where it is hard: names that are attacks, 2,000 frames, nothing at all, too much."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

import pytest
from httpx2 import Client

from ledger.adapters.home import Home
from ledger.core.access import Role
from ledger.core.artifact import Artifact
from ledger.core.artifact import Role as Read
from ledger.core.predicates import Step
from ledger.core.predicates.step import Evidence, Place, StepAction, Tool
from ledger.core.statement import Statement
from ledger.render.pages.addresses import shot_address
from ledger.service.reading.clearances import AT_A_TIME, one_of_few
from ledger.wiring import REGISTRAR, open_studio
from tests.support.builders import audit_report, digest
from tests.support.feature import PRODUCTION, Feature
from tests.support.feature_home import AT, append, made
from tests.support.pages import serving

BOARD = f"/productions/{PRODUCTION}"
LIMIT = 150_000
LONG = range(1001, 3001)
NAMES = (
    ("sq666", "<script>alert(1)</script>"),
    ('"><img src=x onerror=alert(1)>', "a/../b"),
    ("..", "%2F"),
    ("-", "."),
    (None, "{{ 7 * 7 }}"),
    ("日本語" * 60, "x" * 900),
)


@dataclass(frozen=True)
class Pages:
    """A browser that keeps nothing but its session, at a server of one home."""

    client: Client
    sessions: dict[Role, str]

    def get(self, path: str, status: int = 200, role: Role = Role.LEGAL) -> str:
        """Return the page at this address; one that is being computed is asked for again."""
        fields = {"accept": "text/html", "cookie": f"rakkan={self.sessions[role]}"}
        for _ in range(100):
            answer = self.client.get(path, headers=fields)
            if answer.status_code != 202:
                break
            assert answer.headers["refresh"]
        assert answer.status_code == status, (path, answer.status_code, answer.text[-2000:])
        assert len(answer.content) < LIMIT, path
        return answer.text


def at(home: Home) -> Iterator[Pages]:
    with serving(home.folder) as site, Client(base_url=site.url, timeout=60) as client:
        yield Pages(client, site.sessions)


@pytest.fixture(scope="module")
def hard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    home = made(tmp_path_factory.mktemp("hard") / "home", Feature(0, 0, 1))
    signer = home.statement_signer("workstation")
    with open_studio(home) as studio:
        append(studio, ((signer, each) for each in work()))
        issued = Statement((Artifact("report.json", digest("report")),), audit_report())
        append(studio, [(home.statement_signer(REGISTRAR), issued)])
    yield from at(home)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    yield from at(made(tmp_path_factory.mktemp("bare") / "home", Feature(0, 0, 1)))


def work() -> Iterator[Statement]:
    """Yield a shot of 2,000 frames, made of a file that no record explains, and a frame of each odd name."""
    stray = Artifact("found.png", digest("found"), role=Read.COMPONENT)
    for start in range(0, len(LONG), 100):
        frames = LONG[start : start + 100]
        yield made_in("sq001", "sh2000", frames, (stray,))
    for sequence, shot in NAMES:
        yield made_in(sequence, shot, range(1, 2), ())


def made_in(sequence: str | None, shot: str, frames: range, read: tuple[Artifact, ...]) -> Statement:
    names = [f"{shot[:40]}.{frame:04}.exr" for frame in frames]
    files = tuple(Artifact(name, digest(f"{sequence} {shot} {name}"), "image/x-exr") for name in names)
    place = Place(PRODUCTION, sequence, shot, "comp", "v001", (frames[0], frames[-1]))
    begun = AT - timedelta(days=1)
    return Statement(
        files,
        Step(
            f"{sequence}-{shot[:40]}-{frames[0]}",
            StepAction.COMPOSITE,
            Evidence.OBSERVED,
            place,
            begun,
            begun,
            "actor:1",
            Tool("<i>t</i>", "1"),
            read,
        ),
    )


def test_a_hostile_name_is_text_and_leads_to_its_own_shot(hard: Pages) -> None:
    board = hard.get(BOARD)
    assert "<script>alert" not in board
    assert "<img src=x" not in board
    assert "{{ 7 * 7 }}" in html.unescape(board)
    for sequence, shot in NAMES:
        address = shot_address(PRODUCTION, Place(PRODUCTION, sequence, shot))
        assert address in html.unescape(board), address
        page = hard.get(address)
        assert re.search(r'<ol class="contact">\s*<li>', page), address
        assert page.count(f"{BOARD}/frames/") == 1


def test_names_that_are_alike_are_two_shots(hard: Pages) -> None:
    hard.get(f"{BOARD}/shots/-/%2525", 404)
    hard.get(f"{BOARD}/shots/sq001/sh", 404)


def test_a_shot_of_2000_frames_comes_in_small_pages_that_are_all_of_it(hard: Pages) -> None:
    path, seen = f"{BOARD}/shots/sq001/sh2000", set[str]()
    address: str | None = path
    pages = 0
    while address:
        page = hard.get(address)
        seen |= set(re.findall(rf"{BOARD}/frames/([0-9a-f]{{64}})", page))
        onward = re.search(r'class="onward"><a href="([^"]+)"', page)
        address = html.unescape(onward[1]) if onward else None
        pages += 1
    assert len(seen) == len(LONG)
    assert pages > 10


def test_what_only_rests_on_unexplained_files_is_undecided_work_for_a_person(hard: Pages) -> None:
    found = hard.get(f"{BOARD}?evidence=unknown&policy=streamer")
    assert "sh2000" in found
    assert "no record explains" in hard.get(f"{BOARD}/findings?policy=streamer")


@pytest.mark.parametrize("place", ["", "/findings", "/changes", "/activity", "/reports", "/verdicts"])
def test_an_empty_production_says_how_to_begin(bare: Pages, place: str) -> None:
    page = bare.get(BOARD + place)
    assert 'class="empty"' in page or "happened" in page


def test_what_was_delivered_is_there_with_what_it_said_then(hard: Pages) -> None:
    issued = audit_report()
    table = hard.get(BOARD).partition('id="delivered"')[2].partition("</table>")[0]
    assert issued.identifier in table
    assert re.search(rf'href="{BOARD}/log/entries/[0-9]+"', table)
    assert issued.policy in table
    assert "Since the last report" in hard.get(f"{BOARD}/changes")


def test_a_question_that_makes_no_sense_is_told_so(hard: Pages) -> None:
    for asked in ("?after=xyz", "?policy=nobodys", "/changes?since=soon", "/findings?start=-1"):
        hard.get(BOARD + asked, 400)
    hard.get(f"{BOARD}/shots/sq001/sh2000?after=xyz", 400)


def test_who_may_not_is_not_told_what_is_there(hard: Pages) -> None:
    for role in (Role.DISTRIBUTOR, Role.RIGHTS_HOLDER, Role.OPERATOR):
        for place in ("", "/findings", "/changes", "/shots/sq001/sh2000", "/shots/no/where"):
            page = hard.get(BOARD + place, 403, role)
            assert "sh2000" not in page.partition("<main")[2].replace("/shots/sq001/sh2000", "")
        hard.get("/productions/elsewhere", 403, role)


def test_too_many_at_once_are_asked_to_come_again(hard: Pages) -> None:
    with ExitStack() as busy:
        for _ in range(AT_A_TIME):
            busy.enter_context(one_of_few())
        page = hard.get(f"{BOARD}/shots/sq001/sh2000", 503)
    assert "Just now there is no room" in page
    hard.get(f"{BOARD}/shots/sq001/sh2000")
