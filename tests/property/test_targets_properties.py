"""Targets and cut lists come from anywhere: whatever is in them, the answer is targets or a coded error."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.errors import MalformedError, RakkanError
from ledger.service.clear.store import Final, Where
from ledger.service.clear.targets import resolve
from ledger.service.studio import Studio

LINES = st.text(st.characters(exclude_characters="\r\n#@\ufeff", exclude_categories=("Cs", "Zl", "Zp", "Cc")))
SHOTS = ("sh010", "sh020")


class Places:
    """The bases of a production with two shots of three frames each, and nothing under them."""

    def mark(self) -> Any:
        return SimpleNamespace(size=0)

    def finals_at(self, where: Where) -> Iterator[Final]:
        for number, shot in enumerate(SHOTS):
            fits = where.episode is None and where.sequence in (None, "sq010") and where.shot in (None, shot)
            for frame in (1001, 1002, 1003) if fits else ():
                first, last = where.frames or (frame, frame)
                if first <= frame <= last:
                    name = f"{shot}.{frame}.exr"
                    yield Final(
                        number,
                        frame,
                        f"{number:063}{frame % 10}",
                        name,
                        0,
                        "sq010",
                        shot,
                        None,
                        None,
                        frame,
                        frame,
                    )

    def members(self, numbers: Any) -> dict[int, bytes]:
        return dict.fromkeys(numbers, b"")

    def items(self, numbers: Any) -> dict[int, Any]:
        return {}


STUDIO = cast("Studio", SimpleNamespace(production="nightfall", bases=Places()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lists")


def files(*targets: str) -> list[int]:
    return [len(target.files) for target in resolve(STUDIO, targets)]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (".", 6),
        ("nightfall", 6),
        ("sq010", 6),
        ("sh010", 3),
        ("sq010/sh020", 3),
        ("sq010/sh020/", 3),
        ("sh020/1002", 1),
        ("sq010/sh020/1002-1009", 2),
        ("nightfall/sq010/sh010/1001", 1),
    ],
)
def test_a_place_is_read_from_the_left(text: str, count: int) -> None:
    assert files(text) == [count]


def outcome(*targets: str) -> str:
    """Return `targets`, or the code of the error."""
    try:
        resolve(STUDIO, targets)
    except RakkanError as error:
        return error.code
    return "targets"


@given(st.text().filter(lambda text: not text.startswith("@")))
def test_any_text_is_a_place_or_unknown(text: str) -> None:
    assert outcome(text) in ("targets", "clear.unknown-target")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.sampled_from(["cut.txt", "cut.csv"]))
def test_any_bytes_are_a_list_or_a_coded_error(folder: Path, data: bytes, name: str) -> None:
    path = folder / name
    path.write_bytes(data)
    assert outcome(f"@{path}") in ("targets", "clear.cut-list", "clear.unknown-target")


@given(
    st.lists(st.sampled_from([*SHOTS, "sq010", "sh010/1001"]), min_size=1, max_size=5),
    st.lists(LINES, max_size=5),
)
def test_a_list_holds_its_lines_in_order_and_no_comment(
    folder: Path, targets: list[str], comments: list[str]
) -> None:
    path = folder / "cut.txt"
    path.write_text("\n".join([f"# {text}" for text in comments] + targets), encoding="utf-8")
    assert [target.text for target in resolve(STUDIO, [f"@{path}"])] == targets


@pytest.mark.parametrize("content", ["", "# nothing yet\n\n"])
def test_an_empty_list_is_refused_for_nothing_is_cleared_by_it(folder: Path, content: str) -> None:
    path = folder / "cut.txt"
    path.write_text(content)
    with pytest.raises(MalformedError, match="empty"):
        resolve(STUDIO, [f"@{path}"])


def test_a_list_names_its_broken_line(folder: Path) -> None:
    path = folder / "cut.txt"
    path.write_text("sh010\n@more.txt\n")
    with pytest.raises(MalformedError) as raised:
        resolve(STUDIO, [f"@{path}"])
    assert "line 2" in raised.value.message
