"""Where a webhook may be posted to, trick by trick."""

import ipaddress

import pytest

from ledger.errors import RakkanError
from ledger.service.events.target import WebhookSettings, check_addresses, is_public, parse_target

OPEN = WebhookSettings()
STUDIO = WebhookSettings(allowed=("hooks.studio.lan", "receiver", "10.1.0.0/16", "fd00:5::/32"), http=True)


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://hooks.example/", "hooks.example", "/"),
        ("https://hooks.example", "hooks.example", "/"),
        ("https://hooks.example?x=1", "hooks.example", "/?x=1"),
        ("HTTPS://Hooks.Example/Path", "hooks.example", "/Path"),
        ("https://hooks.example:443/a?b=c&d", "hooks.example", "/a?b=c&d"),
        ("https://hooks.example:8443/a", "hooks.example:8443", "/a"),
        ("https://xn--fsq.example/", "xn--fsq.example", "/"),
        ("https://93.184.216.34/", "93.184.216.34", "/"),
        ("https://[2606:2800:220:1::1]/", "[2606:2800:220:1::1]", "/"),
        ("https://1.example.com/", "1.example.com", "/"),
    ],
)
def test_plain_places_are_taken(url: str, authority: str, path: str) -> None:
    target = parse_target(url, OPEN)
    assert (target.authority, target.path, target.scheme) == (authority, path, "https")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example",
        "ftp://hooks.example/",
        "file:///etc/passwd",
        "gopher://hooks.example/",
        "https:/hooks.example/",
        "https:///x",
        "http://hooks.example/",
        "https://user@hooks.example/",
        "https://user:pw@hooks.example/",
        "https://hooks.example@127.0.0.1/",
        "https://hooks.example\\@127.0.0.1/",
        "https://hooks.example/#fragment",
        "https://hooks.example/a b",
        "https://hooks.example/\r\nHost: x",
        "https://hooks.example/\x00",
        "https://hooks.example./",
        "https://.example/",
        "https://hooks..example/",
        "https://-hooks.example/",
        "https://hooks_.example/",
        "https://høøks.example/",
        "https://127.0.0。1/",
        "https://①27.0.0.1/",
        "https://hooks.example:22/",
        "https://hooks.example:80/",
        "https://hooks.example:0/",
        "https://hooks.example:99999/",
        "https://hooks.example:/",
        "https://hooks.example:443:443/",
        "https://hooks.%65xample/",
        "https://" + "a" * 64 + ".example/",
        "https://" + "a." * 127 + "example/",
        "https://hooks.example/" + "a" * 2048,
        # numbers that some resolvers take for an address
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://0x7f.0.0.1/",
        "https://127.0.0.0x1/",
        "https://127.0.0.01/",
        "https://256.0.0.1/",
        "https://[fe80::1%25eth0]/",
        "https://[::1/",
        "https://[1.2.3.4]/",
        "https://hooks.123/",
    ],
)
def test_what_is_no_plain_place_is_no_url(url: str) -> None:
    with pytest.raises(RakkanError, match=r"webhook\.url"):
        parse_target(url, OPEN)


PRIVATE = [
    "0.0.0.0",  # noqa: S104 - refused
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "169.254.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:5db8:d822::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "93.184.216.34",
    "172.32.0.1",
    "2606:4700::1111",
    "2001:4860:4860::8888",
    "::ffff:93.184.216.34",
    "64:ff9b::5db8:d822",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_of_our_own_network_is_refused_as_a_literal_and_behind_a_name(address: str) -> None:
    literal = f"[{address}]" if ":" in address else address
    with pytest.raises(RakkanError, match=r"webhook\.address"):
        parse_target(f"https://{literal}/", OPEN)
    with pytest.raises(RakkanError, match=r"webhook\.address"):
        check_addresses(["93.184.216.34", address], "hooks.example", OPEN)
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_taken(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))
    check_addresses([address], "hooks.example", OPEN)


def test_an_address_with_a_zone_is_refused() -> None:
    with pytest.raises(RakkanError, match=r"webhook\.address"):
        check_addresses(["fe80::1%eth0"], "hooks.example", STUDIO)


@pytest.mark.parametrize("host", ["localhost", "intranet", "metadata"])
def test_a_name_without_a_dot_is_of_our_own_network(host: str) -> None:
    with pytest.raises(RakkanError, match=r"webhook\.address"):
        parse_target(f"https://{host}/", OPEN)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.studio.lan/",
        "http://hooks.studio.lan:8080/",
        "http://receiver:9000/",
        "https://10.1.2.3:9000/",
        "http://10.1.2.3/",
        "https://[fd00:5::1]/",
    ],
)
def test_what_the_operator_names_may_be_anything(url: str) -> None:
    target = parse_target(url, STUDIO)
    check_addresses(["10.1.2.3"], target.host, STUDIO)


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("https://hooks.example/", ["10.2.0.1"]),
        ("https://10.2.0.1/", []),
        ("https://sub.hooks.studio.lan/", ["10.2.0.1"]),
        ("http://hooks.example/", []),
        ("https://hooks.example:9000/", []),
    ],
)
def test_what_the_operator_names_opens_nothing_else(url: str, addresses: list[str]) -> None:
    with pytest.raises(RakkanError, match=r"webhook\."):
        check_addresses(addresses, parse_target(url, STUDIO).host, STUDIO)


def test_a_name_in_a_network_that_the_operator_names_is_taken() -> None:
    check_addresses(["10.1.2.3", "fd00:5::9"], parse_target("https://hooks.example/", STUDIO).host, STUDIO)


def test_the_error_does_not_say_which_address_it_was() -> None:
    with pytest.raises(RakkanError) as refused:
        check_addresses(["10.99.1.7"], "hooks.example", OPEN)
    assert "10.99" not in str(refused.value.to_json())
