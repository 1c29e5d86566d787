"""One attempt against a real server process in each of its moods."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mining.webhooks.addresses import parse_networks
from mining.webhooks.sending import post
from tests.site import free_port
from tests.webhook_target import Target

LOOPBACK = parse_networks(["127.0.0.1"])


@pytest.fixture
def target(tmp_path):
    with Target(tmp_path) as running:
        yield running


def send(url, *, total_seconds=10.0, allowed=LOOPBACK, body=b"{}"):
    return post(url, body=body, headers={"webhook-id": "msg_1"}, allowed=allowed, total_seconds=total_seconds)


def test_the_body_arrives_as_it_was_sent(target):
    answer = send(target.url("/200?x=y"), body='{"name":"Zoë"}'.encode())

    assert (answer.status, answer.error, answer.is_accepted) == (200, "", True)
    (request,) = target.requests()
    assert (request["path"], request["body"]) == ("/200?x=y", '{"name":"Zoë"}')
    headers = request["headers"]
    assert headers["host"] == f"127.0.0.1:{target.port}"
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"] == "Hardness-Webhook/1"
    assert headers["webhook-id"] == "msg_1"


@pytest.mark.parametrize("status", [204, 404, 410, 500, 503])
def test_every_status_is_told(target, status):
    answer = send(target.url(f"/{status}"))
    assert (answer.status, answer.is_accepted) == (status, status == 204)


def test_a_redirect_is_not_followed(target):
    assert send(target.url("/302")).status == 302
    assert [one["path"] for one in target.requests()] == ["/302"]


def test_what_the_target_wishes_is_told(target):
    assert send(target.url("/429")).retry_after == "77"


@pytest.mark.parametrize("mood", ["/slow", "/drip"])
def test_a_slow_target_costs_no_more_than_the_limit(target, mood):
    began = time.monotonic()
    answer = send(target.url(mood), total_seconds=1.0)

    assert (answer.status, answer.error) == (None, "No answer within 1 s.")
    # /slow would take 60 s and /drip 100 s.
    assert time.monotonic() - began < 30
    assert len(target.requests()) == 1


def test_an_endless_answer_is_not_read_to_its_end(target):
    began = time.monotonic()
    assert send(target.url("/large")).status == 200
    assert time.monotonic() - began < 8  # a gigabyte would take longer than the limit of 10 s


def test_a_target_that_is_down_is_named(tmp_path):
    answer = send(f"http://127.0.0.1:{free_port()}/")
    assert (answer.status, answer.error) == (None, "Connection refused.")


def test_a_target_that_speaks_no_http_is_an_error_in_words():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def speak():
            connection, _ = server.accept()
            connection.recv(4096)
            connection.sendall(b"220 mail.example.org ESMTP\r\n")
            connection.close()

        thread = threading.Thread(target=speak)
        thread.start()
        answer = send(f"http://127.0.0.1:{server.getsockname()[1]}/")
        thread.join()
    assert answer.status is None and "220 mail" in answer.error


def test_https_to_a_server_without_it_is_an_error_in_words(target):
    answer = send(f"https://127.0.0.1:{target.port}/")
    assert answer.status is None and answer.error.startswith("No safe connection: ")
    assert target.requests() == []


@pytest.fixture
def safe_server(tmp_path):
    """Return the port of a server with a certificate for trainer.test, and that certificate's file."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-keyout", str(key), "-out",
         str(certificate), "-subj", "/CN=trainer.test", "-addext", "subjectAltName=DNS:trainer.test"],
        check=True, capture_output=True,
    )  # fmt: skip

    class Quiet(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200 if self.headers["Host"].startswith("trainer.test:") else 400)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, certificate
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_certificate_must_be_trusted_and_the_names_own(safe_server, monkeypatch):
    """The connection goes to a checked address, and still the certificate must fit the name."""
    port, certificate = safe_server
    real = socket.getaddrinfo

    def named(host, *words, **more):
        return real("127.0.0.1" if host.endswith(".test") else host, *words, **more)

    monkeypatch.setattr(socket, "getaddrinfo", named)
    stranger = send(f"https://trainer.test:{port}/")
    assert stranger.status is None and stranger.error.startswith("No safe connection: ")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert send(f"https://trainer.test:{port}/").status == 200
    other = send(f"https://other.test:{port}/")
    assert other.status is None and "No safe connection: " in other.error and "other.test" in other.error


def test_a_private_address_is_not_even_connected_to(target):
    answer = send(target.url(), allowed=[])
    assert answer.is_forbidden and "127.0.0.1 is inside a private network" in answer.error
    assert target.requests() == []


def test_a_name_that_changes_its_mind_gains_nothing(target, monkeypatch):
    """DNS rebinding: the first look-up gives a public address, any further one this machine."""
    asked = []

    def changing(host, port, *_, **__):
        asked.append(host)
        address = "192.0.2.1" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo",
        lambda host, port, *a, **k: changing(host, port) if host == "evil.example.org" else real(host, port, *a, **k),
    )  # fmt: skip
    answer = post(
        f"http://evil.example.org:{target.port}/200", body=b"{}", headers={}, allowed=parse_networks(["192.0.2.0/24"]),
        connect_seconds=0.5, total_seconds=1.0,
    )  # fmt: skip

    assert answer.status is None
    assert asked == ["evil.example.org"]
    assert target.requests() == []
