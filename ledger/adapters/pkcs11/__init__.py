"""Keys that stay in a token: a smart card, a USB key, a network HSM, SoftHSM2 (PKCS#11 2.40 and 3.0)."""

from ledger.adapters.pkcs11.signer import Pkcs11Signer, find_or_make
from ledger.adapters.pkcs11.uri import Pkcs11Uri, parse_uri

__all__ = ["Pkcs11Signer", "Pkcs11Uri", "find_or_make", "parse_uri"]
