"""Which addresses the site may call. Whoever manages a project must not reach the network the site stands in.

The name is resolved once, every address it stands for is judged, and the connection goes to a judged address: a name
server that answers differently the second time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST_URL = 500
NAT64 = IPv6Network("64:ff9b::/96")
SIX_TO_FOUR = IPv6Network("2002::/16")
NOT_PUBLIC = (IPv6Network("64:ff9b:1::/48"), IPv6Network("3fff::/20"), IPv6Network("5f00::/16"))
"""Set apart after the table in Python 3.11's ipaddress was made."""


class AddressRefused(Exception):
    """The address cannot or must not be called; the message says why and what to do."""


class AddressForbidden(AddressRefused):
    """The address lies inside a private network; trying again later changes nothing."""


@dataclass(frozen=True)
class Target:
    """An address taken apart: what to connect to, and what to ask there."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        shown = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.scheme == "https" else 80
        return shown if self.port == usual else f"{shown}:{self.port}"


def parse_url(url: str) -> Target:
    """Take an http(s) address apart; raises `AddressRefused` for what is none."""
    if len(url) > LONGEST_URL:
        raise AddressRefused(f"The address is longer than {LONGEST_URL} characters.")
    if any(character <= " " or ord(character) > 126 for character in url):
        raise AddressRefused("The address holds spaces or letters outside ASCII: write it as browsers send it.")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        raise AddressRefused("This is no web address: https://trainer.example.org/hook is one.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise AddressRefused("The address must begin with https:// (or http://) and name a host.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("Leave name and password out of the address: the signature shows who is calling.")
    if parts.fragment:
        raise AddressRefused("Leave out what follows the #: it is never sent.")
    if port == 0:
        raise AddressRefused("Port 0 cannot be called.")
    path = parts.path or "/"
    path = f"{path}?{parts.query}" if parts.query else path
    return Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path)


def parse_networks(texts: Sequence[str]) -> list[Network]:
    """Return networks from texts such as `10.1.0.0/16`, `127.0.0.1` or `::1`.

    What is none allows nothing: `manage.py check` names it, and a message must not fail for it.
    """
    networks: list[Network] = []
    for text in texts:
        with suppress(ValueError):
            networks.append(ip_network(text.strip()))
    return networks


def is_public(address: Address) -> bool:
    """Whether the address belongs to the open internet, also when it wears another one's clothes."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped
        if inner is None and address in NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address in SIX_TO_FOUR or any(address in network for network in NOT_PUBLIC):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def check_address(address: Address, allowed: Sequence[Network]) -> None:
    """Raise `AddressForbidden` for an address that is neither public nor in an allowed network."""
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    candidates = [one for one in (address, inner) if one is not None]
    if is_public(address) or any(one in network for one in candidates for network in allowed):
        return
    raise AddressForbidden(
        f"{address} is inside a private network, which the site does not call. Where that is meant, whoever runs the "
        f"site adds it to HARDNESS_WEBHOOK_NETWORKS, for example HARDNESS_WEBHOOK_NETWORKS={address}."
    )


def literal_address(host: str) -> Address | None:
    """Return the address that a host name spells out, None for a name to be looked up."""
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):
        return IPv4Address("127.0.0.1")
    try:
        return ip_address(host.split("%")[0])
    except ValueError:
        return None


def check_written(url: str, allowed: Sequence[Network]) -> Target:
    """Check an address as it is written, without asking a name server: what forms can say at once."""
    target = parse_url(url)
    address = literal_address(target.host)
    if address is not None:
        check_address(address, allowed)
    return target


def resolve(target: Target, allowed: Sequence[Network]) -> list[Address]:
    """Return the addresses behind the target's name, all of them checked, in the order to try them.

    One that must not be called spoils all: a name that stands for a public and a private address is a trick.
    Raises `AddressRefused`.
    """
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as reason:
        words = getattr(reason, "strerror", None) or reason
        raise AddressRefused(f"The name {target.host} cannot be resolved: {words}.") from None
    addresses: list[Address] = []
    for *_, socket_address in found:
        address = ip_address(str(socket_address[0]).split("%")[0])
        check_address(address, allowed)
        if address not in addresses:
            addresses.append(address)
    if not addresses:
        raise AddressRefused(f"The name {target.host} stands for no address.")
    return addresses
