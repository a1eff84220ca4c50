"""The studio's own time stamp authority, judged by OpenSSL, by the C2PA library and by another one."""

import http.client
import http.server
import os
import subprocess
import threading
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from shutil import which

import pytest
from asn1crypto import parser, tsp

from ledger.adapters.timestamps import MAX_REQUEST, POLICY, LocalTimestampAuthority
from ledger.errors import RakkanError
from ledger.ports import Anchors
from tests.support import media
from tests.support.sealing import FixedClock, RealClock, credential, plan, stranger, workshop

os.environ["ENCYPHER_C2PA_TELEMETRY"] = "off"
DIGEST = sha256(b"a lantern").digest()


def authority(clock: RealClock | FixedClock | None = None) -> LocalTimestampAuthority:
    shop = workshop()
    return LocalTimestampAuthority(shop.tsa.chain_pem, shop.tsa.key_pem(), clock or RealClock())


def request(algorithm: str = "sha256", digest: bytes = DIGEST, **more: object) -> bytes:
    imprint = {"hash_algorithm": {"algorithm": algorithm}, "hashed_message": digest}
    body: bytes = tsp.TimeStampReq(
        {"version": "v1", "message_imprint": imprint, "cert_req": True, **more}
    ).dump()
    return body


def post(url: str, body: bytes) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, data=body)) as answer:
        assert answer.headers["Content-Type"] == "application/timestamp-reply"
        content: bytes = answer.read()
        return content


def test_a_token_says_when_and_for_what() -> None:
    moment = datetime(2026, 11, 22, 3, 4, 5, 600_000, tzinfo=UTC)
    answer = tsp.TimeStampResp.load(authority(FixedClock(moment)).respond(request(nonce=77)), strict=True)
    info = answer["time_stamp_token"]["content"]["encap_content_info"]["content"].parsed
    assert answer["status"]["status"].native == "granted"
    assert info["gen_time"].native == moment.replace(microsecond=0)
    assert info["message_imprint"]["hashed_message"].native == DIGEST
    assert (info["nonce"].native, info["policy"].native) == (77, POLICY)


def test_no_two_tokens_share_a_serial_number() -> None:
    def serial() -> int:
        answer = tsp.TimeStampResp.load(authority().respond(request()))
        number: int = (
            answer["time_stamp_token"]["content"]["encap_content_info"]["content"]
            .parsed["serial_number"]
            .native
        )
        return number

    assert serial() != serial()


REJECTED = {
    "a broken hash": request("sha1", b"x" * 20),
    "a digest of the wrong length": request(digest=b"short"),
    "another policy": request(req_policy="1.2.3"),
    "an extension": request(extensions=[{"extn_id": "1.2.3", "critical": False, "extn_value": b"\x05\x00"}]),
}


@pytest.mark.parametrize("body", REJECTED.values(), ids=REJECTED.keys())
def test_rejected_in_the_protocols_own_form(body: bytes) -> None:
    # asn1crypto insists on a token where RFC 3161 §2.4.2 makes it optional: read the one field by hand.
    content = parser.parse(authority().respond(body), strict=True)[4]
    assert tsp.PKIStatusInfo.load(content, strict=True)["status"].native == "rejection"


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_openssl_accepts_the_token(algorithm: str, tmp_path: Path) -> None:
    if which("openssl") is None:
        pytest.skip("openssl is not installed")
    (tmp_path / "data").write_bytes(b"a lantern")
    (tmp_path / "root.pem").write_bytes(workshop().root.chain_pem)

    def openssl(*arguments: str) -> str:
        done = subprocess.run(
            ["openssl", "ts", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    openssl("-query", "-data", "data", f"-{algorithm}", "-cert", "-out", "query")
    with authority().serving() as url:
        (tmp_path / "reply").write_bytes(post(url, (tmp_path / "query").read_bytes()))
    # OpenSSL looks at a leaf's purpose by itself: no option turns that off.
    said = openssl("-verify", "-in", "reply", "-queryfile", "query", "-CAfile", "root.pem")
    assert "Verification: OK" in said
    (tmp_path / "other.pem").write_bytes(stranger().root.chain_pem)
    wrong = subprocess.run(
        ["openssl", "ts", "-verify", "-in", "reply", "-queryfile", "query", "-CAfile", "other.pem"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert wrong.returncode != 0


def test_two_implementations_trust_the_stamp(tmp_path: Path) -> None:
    from encypher_c2pa import verify

    shop = workshop()
    source = media.make("png", tmp_path, "source")
    before = datetime.now(UTC).replace(microsecond=0)
    with authority().serving() as url:
        shop.codec.seal_file(plan(), source, tmp_path / "sealed.png", shop.credential, url)
    reading = shop.codec.read(tmp_path / "sealed.png", None, shop.anchors)
    assert reading is not None
    assert reading.state == "Trusted"
    assert {"timeStamp.validated", "timeStamp.trusted"} <= {finding.code for finding in reading.success}
    assert reading.active_manifest.signed_at is not None
    assert before <= reading.active_manifest.signed_at <= datetime.now(UTC)
    root = shop.root.chain_pem.decode()
    data = (tmp_path / "sealed.png").read_bytes()
    report = verify(data, "image/png", trust_pem=root, tsa_trust_pem=root, no_default_trust=True)
    assert report["validation_state"] == "Trusted"
    assert "timeStamp.trusted" in {item["code"] for item in report["validation_results"]["success"]}


def test_a_strangers_stamp_is_reported_as_untrusted(tmp_path: Path) -> None:
    shop, other = workshop(), stranger()
    source = media.make("png", tmp_path, "source")
    with LocalTimestampAuthority(other.tsa.chain_pem, other.tsa.key_pem(), RealClock()).serving() as url:
        shop.codec.seal_file(plan(), source, tmp_path / "sealed.png", shop.credential, url)
    alone = shop.codec.read(tmp_path / "sealed.png", None, shop.anchors)
    both = Anchors(shop.anchors.manifest_pem, other.anchors.timestamp_pem)
    known = shop.codec.read(tmp_path / "sealed.png", None, both)
    assert alone is not None
    assert known is not None
    assert "timeStamp.untrusted" in {finding.code for finding in alone.informational}
    assert "timeStamp.trusted" in {finding.code for finding in known.success}


def test_a_stamped_seal_outlives_its_certificate(tmp_path: Path) -> None:
    shop = workshop()
    short = credential(shop.issuing, now=datetime.now(UTC), life=timedelta(seconds=3))
    source = media.make("png", tmp_path, "source")
    with authority().serving() as url:
        shop.codec.seal_file(plan(), source, tmp_path / "stamped.png", short, url)
    shop.codec.seal_file(plan(), source, tmp_path / "plain.png", short)
    time.sleep(4.1)
    stamped = shop.codec.read(tmp_path / "stamped.png", None, shop.anchors)
    plain = shop.codec.read(tmp_path / "plain.png", None, shop.anchors)
    assert stamped is not None
    assert plain is not None
    assert (stamped.state, stamped.failure) == ("Trusted", ())
    assert plain.state == "Invalid"
    assert "signingCredential.expired" in {finding.code for finding in plain.failure}
    with pytest.raises(RakkanError) as caught:
        shop.codec.seal_file(plan(), source, tmp_path / "late.png", short)
    assert caught.value.code == "certificate.expired"


def test_the_length_settles_at_once_with_a_stamp(tmp_path: Path) -> None:
    shop = workshop()
    source = media.make("jpg", tmp_path, "source")
    with authority().serving() as url:
        targets = [tmp_path / f"{number}.jpg" for number in range(4)]
        for target in targets:
            shop.codec.seal_file(plan("image/jpeg"), source, target, shop.credential, url)
    assert len({target.stat().st_size for target in targets}) == 1


class _Garbage(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.end_headers()
        self.wfile.write(b"no token")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        pass


def test_no_authority_and_a_broken_one(tmp_path: Path) -> None:
    shop = workshop()
    source = media.make("png", tmp_path, "source")
    with authority().serving() as url:
        gone = url
    server = http.server.HTTPServer(("127.0.0.1", 0), _Garbage)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        for bad in (gone, f"http://127.0.0.1:{server.server_port}/"):
            with pytest.raises(RakkanError) as caught:
                shop.codec.seal_file(plan(), source, tmp_path / "sealed.png", shop.credential, bad)
            assert caught.value.code == "timestamp.unavailable"
            assert not (tmp_path / "sealed.png").exists()
            with pytest.raises(RakkanError) as caught:
                shop.codec.seal_digest(plan(), DIGEST.hex(), shop.credential, bad)
            assert caught.value.code == "timestamp.unavailable"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_what_is_no_request_gets_an_http_error() -> None:
    with authority().serving() as url:
        host = url.removeprefix("http://").removesuffix("/")
        for method, body, length, status in (
            ("POST", b"not DER at all", None, 400),
            ("POST", b"", None, 400),
            ("POST", b"x", MAX_REQUEST + 1, 413),
            ("POST", b"x", "many", 400),
            ("GET", None, None, 501),
        ):
            connection = http.client.HTTPConnection(host, timeout=5)
            headers = {} if length is None else {"Content-Length": str(length)}
            connection.request(method, "/", body=body, headers=headers)
            assert connection.getresponse().status == status, (method, body, length)
            connection.close()
        assert url.startswith("http://127.0.0.1:")
