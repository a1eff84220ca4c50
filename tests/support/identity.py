"""An identity provider that a test can make lie: its keys, its description and its tokens are the test's."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

CLIENT, AUDIENCE = "rakkan", "https://log.studio"


@dataclass
class Liar:
    """``answers`` are by path, and may be bytes; ``asked`` counts. ``redirects`` are by path, too."""

    issuer: str = ""
    keys: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def publish(self, **changes: Any) -> None:
        """Put the description and the keys in their places."""
        self.answers["/.well-known/openid-configuration"] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            **changes,
        }
        self.answers["/jwks"] = {"keys": [_jwk(name, key) for name, key in self.keys.items()]}

    def token(self, kid: str = "rsa", algorithm: str = "RS256", key: Any = None, **changes: Any) -> str:
        """Return an access token with these claims changed, without those that are ``None``."""
        signing: Any = self.keys[kid] if key is None else key
        now = int(time.time())
        headers = {"kid": kid, "typ": changes.pop("typ", "at+jwt")}
        claims = {"iss": self.issuer, "sub": "ann", "aud": AUDIENCE, "iat": now, "exp": now + 60, **changes}
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, signing, algorithm, headers)


@contextmanager
def lying() -> Iterator[Liar]:
    """Serve a provider with an RSA, an EC and an Ed25519 key."""
    liar = Liar(keys=dict(_keys()))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            liar.asked.append(self.path)
            answer = liar.answers.get(self.path)
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(302 if self.path in liar.redirects else 404 if answer is None else 200)
            if self.path in liar.redirects:
                self.send_header("Location", liar.redirects[self.path])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        liar.issuer = f"http://127.0.0.1:{server.server_port}"
        liar.publish()
        yield liar
        server.shutdown()


@cache
def _keys() -> dict[str, Any]:
    return {
        "rsa": rsa.generate_private_key(65537, 2048),
        "ec": ec.generate_private_key(ec.SECP256R1()),
        "ed": ed25519.Ed25519PrivateKey.generate(),
    }


def _jwk(name: str, key: Any) -> dict[str, Any]:
    kinds = {
        rsa.RSAPrivateKey: "RS256",
        ec.EllipticCurvePrivateKey: "ES256",
        ed25519.Ed25519PrivateKey: "EdDSA",
    }
    algorithm = next(name for kind, name in kinds.items() if isinstance(key, kind))
    made: dict[str, Any] = jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True)
    return {**made, "kid": name, "use": "sig"}
