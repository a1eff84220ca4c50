"""A time stamp authority (RFC 3161) that the studio runs itself, over HTTP on the loopback interface.

A claim signed by a short-lived certificate is worth nothing once that certificate has expired, unless a time
stamp says that it was signed before. A studio without network access still needs one.

Rules:

* it listens on 127.0.0.1 only, on a port the system picks, for as long as a block runs;
* a request is at most ``MAX_REQUEST`` bytes and brings a SHA-256, SHA-384 or SHA-512 imprint; anything else
  gets a rejection in RFC 3161's own form, or an HTTP error where it is no request at all;
* the token states the clock's time to the second, repeats the nonce, names the signing certificate by SHA-256
  (ESSCertIDv2, RFC 5816) and carries the chain;
* serial numbers are random, 128 bits: two authorities with one key would not repeat one another.

What the stamp proves is the studio's own clock. For a third party's word, give the URL of a public authority
to ``seal`` instead.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from asn1crypto import cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from ledger.errors import MalformedError
from ledger.ports import Clock

POLICY = "2.5.29.32.0"
"""anyPolicy: no written policy is claimed. A name of our own would have to come from the arc of UUIDs, and
verifiers that read 64-bit numbers only then lose the whole token."""
MAX_REQUEST = 64 * 1024
_IMPRINTS = {"sha256": 32, "sha384": 48, "sha512": 64}
_TIMEOUT = 10.0


class LocalTimestampAuthority:
    """Answers time stamp requests with one P-256 key (``key_pem``: PKCS#8, not encrypted).

    ``chain_pem`` is the authority's certificate first (extended key usage timeStamping, critical), then its
    issuers without the root.
    """

    def __init__(self, chain_pem: bytes, key_pem: bytes, clock: Clock) -> None:
        key = load_pem_private_key(key_pem, None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise MalformedError("key.malformed", "The time stamp authority's key is not a P-256 key.")
        self._key = key
        self._chain = [
            asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
            for certificate in x509.load_pem_x509_certificates(chain_pem)
        ]
        self._clock = clock

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Answer for as long as the block runs; yields the URL."""
        server = _Server(("127.0.0.1", 0), self._handler())
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def respond(self, body: bytes) -> bytes:
        """Return the DER response to a DER request. Raises ``ValueError`` for what is no request."""
        request = tsp.TimeStampReq.load(body, strict=True)
        imprint = request["message_imprint"]
        algorithm = imprint["hash_algorithm"]["algorithm"].native
        digest = imprint["hashed_message"].native
        nonce = request["nonce"].native  # forces the lazy parser through the whole request
        if request["version"].native != "v1" or _IMPRINTS.get(algorithm) != len(digest):
            return _rejection("bad_alg")
        if request["req_policy"].native not in {None, POLICY}:
            return _rejection("unaccepted_policy")
        if request["extensions"].native:
            return _rejection("unaccepted_extensions")
        token = self._token(imprint, nonce)
        status = tsp.PKIStatusInfo({"status": "granted"})
        response: bytes = tsp.TimeStampResp({"status": status, "time_stamp_token": token}).dump()
        return response

    def _token(self, imprint: tsp.MessageImprint, nonce: int | None) -> cms.ContentInfo:
        now = self._clock.now().astimezone(UTC).replace(microsecond=0)
        fields = {
            "version": "v1",
            "policy": POLICY,
            "message_imprint": imprint,
            "serial_number": secrets.randbits(128),
            "gen_time": now,
            "accuracy": {"seconds": 1},
        }
        if nonce is not None:
            fields["nonce"] = nonce
        info = tsp.TSTInfo(fields).dump()
        content = {"content_type": "tst_info", "content": cms.ParsableOctetString(info)}
        signed = {
            "version": "v3",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": content,
            "certificates": self._chain,
            "signer_infos": [self._signer_info(info, now)],
        }
        return cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed)})

    def _signer_info(self, info: bytes, now: datetime) -> cms.SignerInfo:
        mine = self._chain[0]
        attributes = cms.CMSAttributes(
            [
                {"type": "content_type", "values": ["tst_info"]},
                {"type": "signing_time", "values": [cms.Time({"utc_time": now})]},
                {"type": "signing_certificate_v2", "values": [_named_by_hash(mine)]},
                {"type": "message_digest", "values": [sha256(info).digest()]},
            ]
        )
        return cms.SignerInfo(
            {
                "version": "v1",
                "sid": {
                    "issuer_and_serial_number": {"issuer": mine.issuer, "serial_number": mine.serial_number}
                },
                "digest_algorithm": {"algorithm": "sha256"},
                "signed_attrs": attributes,
                "signature_algorithm": {"algorithm": "sha256_ecdsa"},
                "signature": self._key.sign(attributes.dump(), ec.ECDSA(SHA256())),
            }
        )

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        authority = self

        class Handler(BaseHTTPRequestHandler):
            """One request: a POST of application/timestamp-query (RFC 3161 §3.4)."""

            timeout = _TIMEOUT  # a client that sends nothing must not hold the authority

            def do_POST(self) -> None:
                try:
                    length = int(self.headers.get("Content-Length") or 0)
                    if length > MAX_REQUEST:
                        self.send_error(413)
                        return
                    response = authority.respond(self.rfile.read(max(length, 0)))
                except (TypeError, ValueError):
                    self.send_error(400)
                    return
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(response)))
                self.end_headers()
                self.wfile.write(response)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- http.server's name
                """Stay silent: a command's output belongs to the command."""

        return Handler


class _Refusal(core.Sequence):  # type: ignore[misc] # asn1crypto has no types
    """A response without a token (RFC 3161 §2.4.2): the library's own class insists on one."""

    _fields = [("status", tsp.PKIStatusInfo)]  # noqa: RUF012 -- asn1crypto rewrites this list


class _Server(HTTPServer):
    """Serves on when a client goes away in the middle of its request."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: the next client gets its answer all the same."""


def _named_by_hash(certificate: asn1_x509.Certificate) -> tsp.SigningCertificateV2:
    """Return the attribute that ties a token to one certificate (RFC 5816 §2.2.1; SHA-256 by default)."""
    identifier = {"cert_hash": sha256(certificate.dump()).digest()}
    return tsp.SigningCertificateV2({"certs": [tsp.ESSCertIDv2(identifier)]})


def _rejection(reason: str) -> bytes:
    status = tsp.PKIStatusInfo({"status": "rejection", "fail_info": {reason}})
    response: bytes = _Refusal({"status": status}).dump()
    return response
