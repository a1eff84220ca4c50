"""`rakkan webhook`: the same rules as over HTTP, for who sits at the studio's machine."""

import json

import pytest

from tests.e2e.conftest import Studio
from tests.support.receiver import receiving

URL = "https://hooks.example/rakkan"


def test_a_webhook_comes_into_being_and_its_secret_is_shown_once(studio: Studio) -> None:
    made = studio.ok(
        "webhook", "add", URL, "--type", "verdict.changed", "--role", "distributor", "--json"
    ).json
    assert made["secret"].startswith("whsec_")
    assert made["position"] == studio.size()
    assert made["createdBy"] == "command line"
    listed = studio.ok("webhook", "list").out
    assert URL in listed
    assert made["secret"] not in listed + studio.ok("webhook", "list", "--json").out
    renewed = studio.ok("webhook", "secret", made["id"]).out
    assert "whsec_" in renewed
    assert made["secret"] not in renewed
    studio.ok("webhook", "remove", made["id"])
    assert studio.ok("webhook", "list").out == "There are no webhooks.\n"
    assert studio.ok("webhook", "list", "--json").json == {"webhooks": []}


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        ("webhook.address", ("add", "https://169.254.169.254/")),
        ("webhook.url", ("add", "http://hooks.example/")),
        ("events.type", ("add", URL, "--type", "nonsense")),
        ("webhook.role", ("add", URL, "--role", "king")),
        ("webhook.unknown", ("remove", "0" * 16)),
        ("webhook.unknown", ("test", "0" * 16)),
        ("webhook.unknown", ("secret", "0" * 16)),
        ("webhook.unknown", ("resume", "0" * 16)),
    ],
)
def test_what_cannot_be_done_is_said_with_a_code(
    studio: Studio, code: str, arguments: tuple[str, ...]
) -> None:
    studio.fails(code, "webhook", *arguments)


def test_a_receiver_of_ones_own_is_tried_as_the_settings_allow(studio: Studio) -> None:
    with receiving() as receiver:
        url = f"http://127.0.0.1:{receiver.port}/"
        studio.fails("webhook.address", "webhook", "add", url)
        (studio.home / "service.toml").write_text('[webhooks]\nallowed = ["127.0.0.1/32"]\nhttp = true\n')
        made = studio.ok("webhook", "add", url, "--json").json
        assert "It answered 204, and takes events." in studio.ok("webhook", "test", made["id"]).out
        receiver.mood = "500"
        assert "It answered 500: a refusal." in studio.ok("webhook", "test", made["id"]).out
        assert json.loads(receiver.got[0][1])["data"] == {"production": "nightfall"}
        assert studio.ok("webhook", "resume", made["id"]).out == f"It goes on at entry {studio.size()}.\n"
