"""An uploaded network, run in a process of its own: no files, no libraries, bounded memory and time."""

from __future__ import annotations

import json
import select
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

MOST_NETWORK_BYTES = 512 * 1024**2
MEMORY_BYTES = 6 * 1024**3
"""Address space of the process: onnxruntime itself takes about one of these."""
CHECK_SECONDS = 60
SECONDS_AN_IMAGE = 20
IMAGES_AT_ONCE = 16
MOST_NUMBERS = 8192
NORMALISATIONS = {
    "imagenet": "ImageNet: pixels from 0 to 1, less (.485, .456, .406), divided by (.229, .224, .225)",
    "unit": "Pixels from 0 to 1",
    "minus_one_to_one": "Pixels from -1 to 1",
    "raw": "Pixels from 0 to 255",
    "model": "As the network's own metadata say (mean and std)",
}
CHILD = Path(__file__).with_name("child.py")


class NetworkRefused(ValueError):
    """The network cannot be used; the message says why and what to do."""


class NetworkProcess:
    """A running network. Use as a context manager: the process ends with it.

    `declared` holds `normalisation` and, where given, `width`, `height` and `output`. After opening, `facts` says
    what the network is: input, layout, channels, width, height, output, mean, sd, dimension.
    """

    def __init__(
        self,
        data: bytes,
        declared: dict[str, Any],
        *,
        memory_bytes: int = MEMORY_BYTES,
        check_seconds: float = CHECK_SECONDS,
        seconds_an_image: float = SECONDS_AN_IMAGE,
    ) -> None:
        self.data, self.declared = data, {**declared, "most_numbers": MOST_NUMBERS}
        self.memory_bytes, self.check_seconds, self.seconds_an_image = memory_bytes, check_seconds, seconds_an_image
        self.facts: dict[str, Any] = {}

    def __enter__(self) -> NetworkProcess:
        if len(self.data) > MOST_NETWORK_BYTES:
            raise NetworkRefused(f"It has more than {MOST_NETWORK_BYTES // 1024**2} MB.")
        self._folder = tempfile.TemporaryDirectory(prefix="network-")
        # Isolated from the environment: no settings, no keys, no paths of the site, an empty folder to be in.
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(CHILD), str(self.memory_bytes), "0"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=self._folder.name,
            env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "LANG": "C.UTF-8"}, close_fds=True,
        )  # fmt: skip
        try:
            answer, _ = self._ask({"declared": self.declared}, self.data, self.check_seconds)
        except BaseException:
            self.__exit__()
            raise
        self.data = b""
        self.facts = answer["facts"]
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        with suppress(OSError):
            self._process.communicate()
        self._folder.cleanup()

    def embed(self, images: np.ndarray) -> np.ndarray:
        """Return (n, d) float32 of (n, height, width, channels) 8-bit images."""
        rows = []
        for start in range(0, len(images), IMAGES_AT_ONCE):
            some = np.ascontiguousarray(images[start : start + IMAGES_AT_ONCE])
            answer, data = self._ask({"n": len(some)}, some.tobytes(), self.seconds_an_image * len(some))
            rows.append(np.frombuffer(data, dtype="<f4").reshape(answer["n"], -1))
        return np.concatenate(rows)

    def _ask(self, message: dict[str, Any], data: bytes, seconds: float) -> tuple[dict[str, Any], bytes]:
        assert self._process.stdin is not None
        until = time.monotonic() + seconds
        text = json.dumps({**message, "n_bytes": len(data)}).encode()
        try:
            # The child reads all of it before it works, and has nothing else to do: this waits for no computation.
            self._process.stdin.write(struct.pack(">I", len(text)) + text + data)
            self._process.stdin.flush()
        except OSError:
            raise NetworkRefused(self._how_it_ended()) from None
        length = struct.unpack(">I", self._read(4, until, seconds))[0]
        answer = json.loads(self._read(length, until, seconds))
        if "refused" in answer:
            raise NetworkRefused(answer["refused"])
        return answer, self._read(answer["n_bytes"], until, seconds)

    def _read(self, count: int, until: float, seconds: float) -> bytes:
        assert self._process.stdout is not None
        parts = []
        while count > 0:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self._process.stdout], [], [], left)[0]:
                raise NetworkRefused(f"It took more than {seconds:.0f} seconds.")
            # A pipe is a BufferedReader, which Popen's types do not say; read1 gives what is there and does not wait.
            part = self._process.stdout.read1(count)  # type: ignore[attr-defined]
            if not part:
                raise NetworkRefused(self._how_it_ended())
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _how_it_ended(self) -> str:
        return (
            f"Its process ended by itself: it may need more than {self.memory_bytes / 1024**3:.0f} GB of memory, or be "
            "damaged."
        )
