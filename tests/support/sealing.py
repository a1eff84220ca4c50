"""A studio's keys, a codec and manifest plans, for tests that seal."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from ledger.adapters import pki
from ledger.adapters.c2pa_codec import C2paCodec
from ledger.core.manifest import LEDGER_ENTRY, Action, ClaimCredential, Ingredient, ManifestPlan
from ledger.ports import Anchors

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


class RealClock:
    """The time of day: the C2PA library has no other."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class FixedClock:
    """One moment for ever."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


@dataclass(frozen=True)
class Workshop:
    """One studio: its authorities, one device, and a codec that trusts the studio."""

    root: pki.Authority
    issuing: pki.Authority
    tsa: pki.Authority
    credential: ClaimCredential
    anchors: Anchors
    codec: C2paCodec


def spki(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def credential(
    issuing: pki.Authority,
    *,
    key: PrivateKey | None = None,
    now: datetime | None = None,
    life: timedelta = pki.LEAF_LIFE,
) -> ClaimCredential:
    """A device's claim key with its certificate."""
    made = key or ec.generate_private_key(ec.SECP256R1())
    chain = pki.make_leaf(issuing, "Studio Lantern", "paint-01", spki(made), now or datetime.now(UTC), life)
    return ClaimCredential(key_pem(made), chain)


def make_workshop(studio: str = "Studio Lantern") -> Workshop:
    """A new studio with new keys."""
    now = datetime.now(UTC)
    root = pki.make_root(studio, now)
    issuing, tsa = pki.make_issuing(root, studio, now), pki.make_tsa(root, studio, now)
    anchors = Anchors(root.chain_pem.decode(), root.chain_pem.decode())
    return Workshop(root, issuing, tsa, credential(issuing), anchors, C2paCodec(RealClock(), anchors))


@cache
def workshop() -> Workshop:
    """The studio that most tests share."""
    return make_workshop()


@cache
def stranger() -> Workshop:
    """Another studio, whose root nobody here trusts."""
    return make_workshop("Studio Elsewhere")


def plan(
    media_type: str = "image/png",
    ingredients: tuple[Ingredient, ...] = (),
    actions: tuple[Action, ...] = (),
    assertions: Mapping[str, Any] | None = None,
) -> ManifestPlan:
    """A plan as the service makes them: one creation with all ingredients as inputs by default."""
    labels = tuple(item.label for item in ingredients)
    when = datetime(2026, 11, 20, 12, tzinfo=UTC)
    created = Action("c2pa.created", when, f"{IPTC}trainedAlgorithmicMedia", "ComfyUI", "0.3.60", labels)
    return ManifestPlan(
        title="sq010_sh0020_comp_v003.1001",
        media_type=media_type,
        actions=actions or (created,),
        ingredients=ingredients,
        assertions=dict(assertions or {LEDGER_ENTRY: {"entries": ["an entry with its receipt"]}}),
    )
