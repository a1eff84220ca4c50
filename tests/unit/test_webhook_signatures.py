"""Signatures as Standard Webhooks 1.0.0 has them, judged by its own published example."""

import base64

from ledger.core.webhook import format_secret, signed_headers

# From the specification's reference libraries: they all test with this message.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_published_example_comes_out() -> None:
    assert signed_headers(MESSAGE, 1614265330, BODY, [SECRET]) == {
        "webhook-id": MESSAGE,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }


def test_two_secrets_sign_side_by_side() -> None:
    other = format_secret(b"\xff" * 32)
    both = signed_headers(MESSAGE, 1, BODY, [other, SECRET])["webhook-signature"].split(" ")
    assert both == [
        signed_headers(MESSAGE, 1, BODY, [secret])["webhook-signature"] for secret in (other, SECRET)
    ]
    assert base64.b64decode(other.removeprefix("whsec_")) == b"\xff" * 32
