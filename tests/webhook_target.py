"""A program that webhooks are sent to, as a process of its own: good, down, slow, dripping, or answering what is asked.

`python tests/webhook_target.py FILE PORT` prints its port and writes each request as a line of JSON into FILE. The path
says how it answers: /200, /500, …; /slow keeps silent; /drip sends a byte now and then; /once answers 500
first and 200 to everything after; /large sends an endless body.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Target:
    """The process, between `with` and its end."""

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        self.path = folder / "requests.jsonl"
        self.path.touch()
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(self.path), str(port)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def url(self, path: str = "/200") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def requests(self) -> list[dict]:
        """Return what has come so far: path, headers (names in small letters), body."""
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def __enter__(self) -> Target:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Handler(BaseHTTPRequestHandler):
    seen = 0
    log: Path

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        entry = {"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}, "body": body}
        with self.log.open("a") as file:
            file.write(json.dumps(entry) + "\n")
        type(self).seen += 1
        with contextlib.suppress(OSError):
            self.answer(self.path.strip("/").partition("?")[0])

    def answer(self, how: str) -> None:
        if how == "slow":
            time.sleep(60)
        elif how == "drip":
            for letter in "HTTP/1.1 200 OK\r\nX-Long: " + "x" * 1000:
                self.wfile.write(letter.encode())
                time.sleep(0.1)
        elif how == "large":
            self.send_response(200)
            self.end_headers()
            for _ in range(100_000):
                self.wfile.write(b"x" * 10_000)
        else:
            status = int(how) if how.isdigit() else (500 if self.seen == 1 else 200)
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", "/200")
            if status == 429:
                self.send_header("Retry-After", "77")
            self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    Handler.log = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
