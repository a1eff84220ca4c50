"""A credential that is good, and the digest of nothing in particular."""

from tests.support.sealing import workshop

DIGEST = "ab" * 32


GOOD = workshop().credential
