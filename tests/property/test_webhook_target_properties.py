"""Whatever is given as the URL of a webhook: it is refused with a code, or it is a plain public place."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import RakkanError
from ledger.service.events.target import Target, WebhookSettings, check_addresses, is_public, parse_target

OPEN = WebhookSettings()
ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))
SCHEMES = ("https://", "http://", "//", "https:/")
HOSTS = ("::1", "::ffff:", "127.0.0.1", "0x7f", "1", "hooks.example", "localhost", "xn--a", "ⅰ", "a", "-")
SIGNS = ("@", ":", ":443", ":8443", "[", "]", ".", "/", "?", "#", "\\", "%", "\0", "\x7f")
PARTS = st.sampled_from((*SCHEMES, *HOSTS, *SIGNS))
URLS = st.one_of(
    st.text(max_size=60),
    st.lists(PARTS, max_size=10).map("".join),
    st.lists(PARTS, max_size=6).map(lambda parts: "https://" + "".join(parts)),
    ADDRESSES.map(lambda item: f"https://[{item}]/" if item.version == 6 else f"https://{item}/"),
)


def parsed(url: str) -> Target | None:
    try:
        return parse_target(url, OPEN)
    except RakkanError as error:
        if error.code in {"webhook.url", "webhook.address"}:
            return None
        raise


@given(URLS)
def test_what_is_taken_is_plain_and_read_alike_by_others(url: str) -> None:
    target = parsed(url)
    if target is None:
        return
    theirs = urlsplit(url)
    assert (theirs.scheme, theirs.username, theirs.password, theirs.fragment) == ("https", None, None, "")
    assert theirs.hostname == target.host
    assert (theirs.port or 443) == target.port
    assert target.port in OPEN.ports
    assert target.path.startswith("/")
    again = parse_target(f"https://{target.authority}{target.path}", OPEN)
    assert again == target
    try:
        address = ipaddress.ip_address(target.host)
    except ValueError:
        assert "." in target.host
        assert not target.host.rpartition(".")[2].isdigit()
    else:
        assert is_public(address)


@given(ADDRESSES)
def test_no_address_that_python_calls_private_is_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if is_public(address) and address not in ipaddress.ip_network("64:ff9b::/96"):
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        inner = mapped or address
        assert not any([inner.is_private, inner.is_loopback, inner.is_link_local, inner.is_multicast])


@given(st.lists(ADDRESSES, max_size=4))
def test_one_address_that_is_not_public_refuses_all(
    addresses: list[ipaddress.IPv4Address | ipaddress.IPv6Address],
) -> None:
    try:
        check_addresses(list(map(str, addresses)), "hooks.example", OPEN)
    except RakkanError:
        assert not all(map(is_public, addresses))
    else:
        assert all(map(is_public, addresses))
