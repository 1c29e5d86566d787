"""One HTTP request to a checked address: no redirects, no proxy, a limit on time and on what is read."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError
from urllib3.util.ssl_match_hostname import CertificateError

from .addresses import Address, AddressForbidden, AddressRefused, Network, Target, parse_url, resolve

MOST_ANSWER_BYTES = 2048
USER_AGENT = "Hardness-Webhook/1"


@dataclass(frozen=True)
class Answer:
    """What came of one attempt: a status, or an error in words where there was no answer."""

    status: int | None
    error: str
    duration_ms: int
    retry_after: str | None = None
    is_forbidden: bool = False
    """The address must not be called, now or later."""

    @property
    def is_accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    allowed: Sequence[Network],
    connect_seconds: float = 5.0,
    total_seconds: float = 15.0,
) -> Answer:
    """Send `body` by POST and return what came of it; never raises for what the target or the network does.

    At most 2 kB of the answer are read. A redirect is an answer like any other: it is not followed.
    """
    began = time.monotonic()

    def so_far() -> int:
        return round((time.monotonic() - began) * 1000)

    try:
        target = parse_url(url)
        addresses = resolve(target, allowed)
    except AddressRefused as reason:
        return Answer(None, str(reason), so_far(), is_forbidden=isinstance(reason, AddressForbidden))
    answer = Answer(None, "There was no time to connect.", so_far())
    for address in addresses:
        left = total_seconds - (time.monotonic() - began)
        if left <= 0:
            break
        status, error, retry_after, connected = _post_once(
            target, address, body, headers, min(connect_seconds, left), left
        )
        answer = Answer(status, error, so_far(), retry_after)
        if connected:  # from here on the target may have got it: another address would get it twice
            break
    return answer


def _post_once(
    target: Target, address: Address, body: bytes, headers: Mapping[str, str], connect_seconds: float, left: float
) -> tuple[int | None, str, str | None, bool]:
    """Return status, error in words, Retry-After, and whether there was a connection."""
    connection = _connection(target, address, connect_seconds)
    connected = False
    deadline = _Deadline(connection, left)
    with deadline:
        try:
            connection.connect()
            connected = True
            deadline.sock = connection.sock
            connection.timeout = left
            connection.request("POST", target.path, body=body, headers=_all_headers(target, headers),
                               preload_content=False)  # fmt: skip
            response = connection.getresponse()
            with contextlib.suppress(HTTPError, HTTPException, OSError, ValueError):
                # A little, so that the target sees its answer taken; what it says is not kept.
                response.read(MOST_ANSWER_BYTES)
            return response.status, "", response.headers.get("Retry-After"), True
        except NewConnectionError as reason:
            return None, f"{_inner(reason)}.", None, connected
        except ConnectTimeoutError:
            return None, f"No connection to {address} within {connect_seconds:.0f} s.", None, connected
        except (ssl.SSLError, CertificateError) as reason:
            return None, f"No safe connection: {_inner(reason)}.", None, True
        except (HTTPError, HTTPException, OSError, ValueError) as reason:
            late = deadline.is_over or isinstance(reason, TimeoutError | ReadTimeoutError)
            return None, f"No answer within {left:.0f} s." if late else f"{_inner(reason)}.", None, connected
        finally:
            connection.close()


def _all_headers(target: Target, headers: Mapping[str, str]) -> dict[str, str]:
    return {
        "Host": target.host_header, "User-Agent": USER_AGENT, "Content-Type": "application/json",
        "Accept-Encoding": "identity", "Connection": "close", **headers,
    }  # fmt: skip


def _connection(target: Target, address: Address, connect_seconds: float) -> HTTPConnection:
    if target.scheme == "http":
        return HTTPConnection(str(address), target.port, timeout=connect_seconds)
    return HTTPSConnection(
        str(address), target.port, timeout=connect_seconds, server_hostname=target.host, assert_hostname=target.host,
        cert_reqs="CERT_REQUIRED",
    )  # fmt: skip


class _Deadline:
    """Cuts the connection when the time is up: a target that sends a byte a second passes every other limit."""

    def __init__(self, connection: HTTPConnection, seconds: float) -> None:
        self._connection = connection
        self.sock: socket.socket | None = None
        self.is_over = False
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _cut(self) -> None:
        self.is_over = True
        sock = self.sock or self._connection.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                # Not the method of an SSL socket, which another thread may be reading from.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _inner(reason: BaseException) -> str:
    """Return the plainest words for what went wrong."""
    cause: BaseException = reason
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    words = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return str(words).rstrip(".")[:200]
