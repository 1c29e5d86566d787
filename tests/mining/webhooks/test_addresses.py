"""Which addresses may be called."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mining.webhooks.addresses import (
    AddressForbidden,
    AddressRefused,
    check_written,
    is_public,
    parse_networks,
    parse_url,
    resolve,
)

PRIVATE = [
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1", "240.0.0.1", "::1", "::", "fe80::1", "fc00::1",
    "fd12:3456::1", "ff02::1", "2001:db8::1", "2002:7f00:1::", "2001:0:1::1", "64:ff9b::10.0.0.1", "64:ff9b:1::1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]


@pytest.mark.parametrize("text", PRIVATE)
def test_private_addresses_are_refused(text):
    assert not is_public(ip_address(text))
    shown = f"[{text}]" if ":" in text else text
    with pytest.raises(AddressForbidden, match="HARDNESS_WEBHOOK_NETWORKS"):
        check_written(f"https://{shown}/hook", [])


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_called(text):
    assert is_public(ip_address(text))


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_an_address_is_judged_the_same_in_every_dress(address):
    mapped = IPv6Address(f"::ffff:{address}")
    translated = IPv6Address(int(IPv6Address("64:ff9b::")) + int(address))
    assert is_public(mapped) == is_public(address) == is_public(translated)
    if is_public(address):
        assert not address.is_private and not address.is_loopback and not address.is_link_local


def test_an_allowed_network_may_be_called_and_its_neighbour_may_not():
    allowed = parse_networks(["10.1.0.0/16", " ::1 ", "", "gpu-7", "10.2.0.1/16"])
    assert len(allowed) == 2
    assert check_written("http://10.1.2.3:9000/x?y=1", allowed).path == "/x?y=1"
    check_written("http://[::ffff:10.1.2.3]/", allowed)
    check_written("http://[::1]/", allowed)
    for url in ("http://10.2.0.1/", "http://localhost/", "http://me.localhost/", "http://127.0.0.1./"):
        with pytest.raises(AddressForbidden):
            check_written(url, allowed)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://example.org/", "begin with https"),
        ("https://", "name a host"),
        ("https:///hook", "name a host"),
        ("example.org/hook", "begin with https"),
        ("https://me:secret@example.org/", "Leave name and password out"),
        ("https://example.org/#top", "follows the #"),
        ("https://example.org:99999/", "no web address"),
        ("https://example.org:0/", "Port 0"),
        ("https://[::1/", "no web address"),
        ("https://exa mple.org/", "spaces"),
        ("https://example.org/\r\nX: y", "spaces"),
        ("https://bücher.example/", "ASCII"),
        ("https://example.org/" + "x" * 500, "longer than 500"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(url, words):
    with pytest.raises(AddressRefused, match=words):
        parse_url(url)


@given(st.text(max_size=60))
@example(".")
def test_any_text_is_an_address_or_refused(text):
    for url in (text, f"https://{text}", f"http://example.org:{text}/"):
        try:
            target = parse_url(url)
        except AddressRefused:
            continue
        assert target.host and 0 < target.port < 65536 and target.path.startswith(("/", "?"))


def test_parts_of_an_address():
    target = parse_url("https://Trainer.Example.org:8443/hook?a=b")
    assert (target.host, target.port, target.path) == ("trainer.example.org", 8443, "/hook?a=b")
    assert target.host_header == "trainer.example.org:8443"
    assert parse_url("http://[2606:4700::1]").host_header == "[2606:4700::1]"


def names(monkeypatch, *addresses):
    """Let every name stand for these addresses."""
    rows = [
        (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in addresses
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)


def test_a_name_is_judged_by_what_it_stands_for(monkeypatch):
    target = parse_url("https://trainer.example.org/")
    names(monkeypatch, "8.8.8.8", "2606:4700::1", "8.8.8.8")
    assert [str(one) for one in resolve(target, [])] == ["8.8.8.8", "2606:4700::1"]
    names(monkeypatch, "8.8.8.8", "127.0.0.1")
    with pytest.raises(AddressForbidden, match=r"127\.0\.0\.1 is inside a private network"):
        resolve(target, [])
    names(monkeypatch, "fe80::1%eth0")
    with pytest.raises(AddressForbidden):
        resolve(target, [])


def test_a_name_that_stands_for_nothing_is_no_policy_but_a_fault(monkeypatch):
    def fail(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(AddressRefused, match=r"trainer\.example\.org cannot be resolved") as reason:
        resolve(parse_url("https://trainer.example.org/"), [])
    assert not isinstance(reason.value, AddressForbidden)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
def test_other_spellings_of_this_machine_are_found_when_they_are_resolved(host):
    with pytest.raises(AddressRefused):
        resolve(parse_url(f"http://{host}/"), [])
