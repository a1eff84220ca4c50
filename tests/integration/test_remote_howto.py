"""docs/howto/record-remote-services.md: the code that stands there is run as it stands there."""

import json
import re
from pathlib import Path

import pytest

from ledger.core.fields import Fields
from ledger.core.predicates.service_call import read_run
from tests.architecture.project import ROOT
from tests.support.provider import Provider, sealed_png, serving
from tests.support.remote import HOOKS, KEY, Spool, rakkan_remote, words

PAGE = (ROOT / "docs" / "howto" / "record-remote-services.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_film_is_made_as_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAKKAN_SPOOL", str(tmp_path / "spool"))
    monkeypatch.chdir(tmp_path)
    with serving(Provider(["throttle:0", "job"], sealed_png())) as provider:
        code = BLOCKS[1].replace("https://api.orbit.example", provider.url)
        exec(code, {"key": KEY})  # noqa: S102 - the page's own code
    record, found = Spool(tmp_path / "spool").one()
    assert (words(found), found.job, record.parameters["seconds"]) == (
        ["throttled", "accepted"],
        "job_7",
        "4",
    )
    assert (tmp_path / "sh0020.mp4").read_bytes() == provider.picture


def test_every_file_is_named() -> None:
    assert all((HOOKS / name).exists() for name in re.findall(r"`(rakkan_\w+\.py)`", PAGE))
    needed = re.findall(r"^    import (rakkan_\w+)$", (HOOKS / "rakkan_remote.py").read_text(), re.MULTILINE)
    assert {f"{name}.py" for name in needed} <= set(re.findall(r"rakkan_\w+\.py", PAGE))


def test_the_bounds_are_those_of_the_code() -> None:
    known = rakkan_remote.Provider("Orbit", "film")
    assert f"up to {known.attempts} attempts and {known.patience:.0f} seconds" in " ".join(PAGE.split())


def test_the_throttled_example_is_part_of_a_statement() -> None:
    (example,) = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    document = json.loads(example)
    (run,) = document["runs"]
    assert read_run(Fields(run)).count == document["attempts"]["throttled"]
