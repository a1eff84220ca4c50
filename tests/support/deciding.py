"""The rights desk of the demo with decisions turned on, and what its forms take."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from ledger.adapters.service_settings import in_code
from ledger.core.predicates.disclosure_access import SERVER
from ledger.service.events.target import WebhookSettings
from ledger.service.log.publishing import PublishSettings
from ledger.wiring import home_at
from ledger.wiring.enrolment import enrol_device
from ledger.wiring.serving import PageSettings
from tests.support.demo import Demo
from tests.support.http import UNLIMITED
from tests.support.pages import Site, Visit, serving

DESK = "/productions/moonrise/rights"
FINDING = f"{DESK}/decisions/override?code=MODEL_OPAQUE&thing=dreamweft-xl"
HOSTILE = "</textarea><script>alert(1)</script> \u202etxt.exe & “quoted” \u200b"
DECIDES = in_code(
    PublishSettings(enabled=False), WebhookSettings(enabled=False), UNLIMITED, PageSettings(decisions=True)
)


@pytest.fixture(scope="module")
def site(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    root = tmp_path_factory.mktemp("desk") / "demo"
    shutil.copytree(demo.untouched, root)
    enrol_device(home_at(root / "home"), SERVER)
    with serving(root / "home", settings=DECIDES) as running:
        yield running


def fill(page: Page, **typed: str) -> None:
    for name, value in typed.items():
        page.fill(f"#{name}", value)


def override(page: Page, **typed: str) -> None:
    """Fill the form, and look at what will be signed."""
    fill(
        page, **{"expires": "2099-01-01", "zone": "Asia/Tokyo", "reason": "accepted for the trailer", **typed}
    )
    page.click("button[value=look]")
    assert page.inner_text("h1") == "What will be signed"


def entry_of(page: Page) -> int:
    found = re.search(r"done=(\d+)", page.url)
    assert found, page.inner_text("main")
    return int(found[1])


def size(site: Site) -> int:
    from ledger.wiring import open_studio

    with open_studio(home_at(site.home)) as studio:
        return studio.entries.head().size


def whole(window: Visit) -> None:
    assert window.audit() == []
    assert not window.overflows()
