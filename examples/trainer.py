"""A small trainer outside Hardness: told of a hard set it fetches images and weights, trains, sends predictions back.

    HARDNESS_TOKEN=hardness_… HARDNESS_WEBHOOK_SECRET=whsec_… \\
        python examples/trainer.py --site https://label.example.org --project birds --listen 0.0.0.0:9009

Without --listen it asks the site now and then (--poll SECONDS), or trains once on the newest hard set (--once). It
needs numpy, scikit-learn and Pillow, and nothing of Hardness. README.md says how to put your own model in.
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import hmac
import io
import json
import logging
import os
import queue
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

log = logging.getLogger("trainer")
SIDE = 32  # pixels: images are brought to this size
MOST_BODY_BYTES = 1 << 20
PAUSES = (2, 10, 60)  # seconds before the site is asked again when it does not answer


def signature_is_good(secret: str, headers: Any, body: bytes, now: float) -> bool:
    """Whether a webhook was signed with the secret, at most five minutes ago (Standard Webhooks)."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit()) or abs(now - int(timestamp)) > 300:
        return False
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(one.encode(), expected.encode()) for one in given)


# --- the site -------------------------------------------------------------------------------------------------------


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """The token must not travel to another address."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Site:
    """One project of a Hardness site, seen through its API."""

    def __init__(self, url: str, project: str, token: str, folder: Path) -> None:
        self.url, self.token, self.images = url.rstrip("/"), token, folder / "images"
        self.api = f"/api/v1/projects/{project}"
        self.opener = urllib.request.build_opener(NoRedirect)

    def open(self, path: str, *, body: bytes | None = None, kind: str = "", accept: str = "*/*") -> Any:
        """Send one request. A site that is away or busy is asked again; a refusal is raised with the site's words."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": accept}
        if kind:
            headers["Content-Type"] = kind
        for pause in (*PAUSES, None):
            try:
                return self.opener.open(urllib.request.Request(self.url + path, body, headers), timeout=60)
            except urllib.error.HTTPError as error:
                if error.code not in (429, 502, 503, 504) or pause is None:
                    raise SystemExit(f"{path}: {error.code}: {error.read(2000).decode(errors='replace')}") from None
                wish = error.headers.get("Retry-After", "")
                pause, why = int(wish) if wish.isdigit() else pause, str(error.code)
            except OSError as error:
                if pause is None:
                    raise SystemExit(f"{self.url} does not answer: {error}") from None
                why = str(error)
            log.warning("the site does not answer (%s): again in %d s", why, pause)
            time.sleep(pause)
        raise AssertionError

    def json(self, path: str, **request: Any) -> Any:
        with self.open(path, **request) as response:
            return json.load(response)

    def hard_sets(self, strategy: str) -> list[dict[str, Any]]:
        """Return the newest hard sets that have members, newest first."""
        page = self.json(f"{self.api}/hard-sets/?strategy={strategy}")
        return [one for one in page["hard_sets"] if one["n_members"]]

    def manifest(self, hard_set: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return the head and every item, read line by line; a stream that was cut off is refused."""
        with self.open(f"{self.api}/hard-sets/{hard_set}/manifest", accept="application/x-ndjson") as response:
            head = json.loads(next(response))["manifest"]
            rows = [json.loads(line) for line in response]
        end = rows.pop().get("end") if rows else None
        if end is None or end["n_items"] != len(rows):
            raise SystemExit("The manifest was cut off on its way.")
        return head, rows

    def image(self, row: dict[str, Any]) -> bytes:
        """Return an image, from disk where it is there already; its name is its sha256, which is checked."""
        sha256 = row["sha256"]
        path = self.images / sha256[:2] / sha256
        if path.exists():
            return path.read_bytes()
        with self.open(f"{self.api}/images/{sha256}") as response:
            data = response.read()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise SystemExit(f"{row['path']} did not arrive whole.")
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{threading.get_ident()}")
        draft.write_bytes(data)
        draft.replace(path)
        return data

    def send_predictions(self, name: str, rows: list[dict[str, Any]], classes: list[str], p: np.ndarray) -> None:
        """Send probabilities (items, classes), all out of fold, and wait until the site has checked and stored them."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["item", *classes])
        # Two files may have come under one path: the first is the item that the path names.
        first = {row["path"]: values for row, values in reversed(list(zip(rows, p.tolist(), strict=True)))}
        writer.writerows([path, *map(repr, values)] for path, values in first.items())
        query = f"?name={name}&out_of_fold=true"
        sent = self.json(f"{self.api}/predictions{query}", body=text.getvalue().encode(), kind="text/csv")
        while (state := self.json(sent["url"]))["status"] in ("queued", "running"):
            time.sleep(0.5)
        if state["status"] != "succeeded":
            raise SystemExit(f"The site refused the predictions: {state['error']} {state['problems'][:5]}")
        log.info("stored as %s: %d items predicted", state["learner"], state["n_predicted"])


# --- the model: put your own here -----------------------------------------------------------------------------------


def features_of(data: bytes, box: list[float] | None) -> np.ndarray:
    """Return an image, or the object in its box, as directions of edges: 9 in each of 4 x 4 cells."""
    with Image.open(io.BytesIO(data)) as picture:
        grey = picture.convert("L")
        if box is not None:
            x, y, width, height = box
            corners = (x * grey.width, y * grey.height, (x + width) * grey.width, (y + height) * grey.height)
            grey = grey.crop(tuple(round(one) for one in corners))
        down, across = np.gradient(np.asarray(grey.resize((SIDE, SIDE)), dtype=np.float32))
    direction = np.arctan2(down, across) % np.pi * 9 / np.pi
    place = np.arange(SIDE) * 4 // SIDE
    where = (place[:, None] * 4 + place) * 9 + direction.astype(int) % 9
    edges = np.bincount(where.ravel(), np.hypot(down, across).ravel(), minlength=144)
    return np.sqrt(edges / (edges.sum() + 1e-6)).astype(np.float32)


def fit_predict(x: np.ndarray, y: np.ndarray, weight: np.ndarray, ask: np.ndarray, n_classes: int) -> np.ndarray:
    """Train on (x, y) with sample weights; return probabilities (len(ask), n_classes)."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300))
    model.fit(x, y, logisticregression__sample_weight=weight)
    p = np.full((len(ask), n_classes), 1e-6)  # a class nobody has shown it is unlikely, not impossible
    p[:, model.classes_] += model.predict_proba(ask)
    return p / p.sum(axis=1, keepdims=True)


def predict_out_of_fold(rows: list[dict[str, Any]], classes: list[str], x: np.ndarray) -> np.ndarray:
    """Return probabilities of every item by a model that was not trained on it.

    Items of fold f are judged by a model of the other folds; held-out items (no fold) by one of all folds: they are
    trained on by none, since their weight is 0.
    """
    code = {name: number for number, name in enumerate(classes)}
    label = np.array([code.get(row["label"], -1) for row in rows])
    weight = np.array([row["weight"] for row in rows])
    fold = np.array([-1 if row["fold"] is None else row["fold"] for row in rows])
    p = np.empty((len(rows), len(classes)))
    for number in np.unique(fold):
        train = (weight > 0) & (fold != number) & (fold >= 0)
        judged = fold == number
        if len(np.unique(label[train])) < 2:
            raise SystemExit(f"Without fold {number} fewer than two classes are left: label more items.")
        p[judged] = fit_predict(x[train], label[train], weight[train], x[judged], len(classes))
        log.info("fold %s: trained on %d items, judged %d", "test" if number < 0 else number, train.sum(), judged.sum())
    known = (label >= 0) & (fold >= 0)
    log.info("accuracy out of fold: %.3f", (p[known].argmax(axis=1) == label[known]).mean())
    return p


# --- the loop -------------------------------------------------------------------------------------------------------


class Trainer:
    """Trains on hard sets, each content once, however often it is told of it or started again."""

    def __init__(self, site: Site, name: str, folder: Path) -> None:
        self.site, self.name, self.done_file = site, name, folder / "done.txt"

    def train(self, hard_set: int, sha256: str) -> bool:
        if self.done_file.exists() and sha256 in self.done_file.read_text().split():
            log.info("hard set %d was trained on before", hard_set)
            return False
        head, rows = self.site.manifest(hard_set)
        log.info("hard set %d (%s, round %d): %d items, %d of them hard%s", hard_set, head["strategy"], head["round"],
                 len(rows), head["n_members"], ", synthetic" if head["synthetic"] else "")  # fmt: skip
        with ThreadPoolExecutor(8) as pool:
            x = np.stack(list(pool.map(lambda row: features_of(self.site.image(row), row["box"]), rows)))
        p = predict_out_of_fold(rows, head["classes"], x)
        self.site.send_predictions(self.name, rows, head["classes"], p)
        with self.done_file.open("a") as file:
            file.write(f"{sha256}\n")
        return True


class Listener(BaseHTTPRequestHandler):
    """Takes webhooks: checks the signature, notes what is to be done, and answers at once."""

    secret, strategy = "", ""
    todo: queue.Queue[tuple[int, str]] = queue.Queue()
    timeout = 10  # seconds for a caller to say what it has to say

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MOST_BODY_BYTES:
            return self.send_error(413)
        body = self.rfile.read(int(length))
        if not signature_is_good(self.secret, self.headers, body, time.time()):
            log.warning("refused a message with a wrong or old signature")
            return self.send_error(401)
        message = json.loads(body)
        log.info("%s (%s)", message["type"], self.headers["webhook-id"])
        data = message["data"]
        if message["type"] == "hard_set.created" and self.strategy in ("", data["strategy"]):
            self.todo.put((data["hard_set"], data["sha256"]))
        self.send_response(202)
        self.end_headers()
        return None

    def log_message(self, *_: Any) -> None:
        pass  # what matters is said above


def listen(trainer: Trainer, address: str, secret: str, strategy: str) -> None:
    Listener.secret, Listener.strategy = secret, strategy
    host, _, port = address.rpartition(":")
    server = ThreadingHTTPServer((host, int(port)), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    log.info("listening on %s:%d", host, server.server_port)
    while True:
        hard_set, sha256 = Listener.todo.get()
        try:
            trainer.train(hard_set, sha256)
        except SystemExit as reason:  # one bad hard set must not end the service
            log.error("hard set %d: %s", hard_set, reason)
        except Exception:
            log.exception("hard set %d", hard_set)


def poll(trainer: Trainer, seconds: float, strategy: str, *, once: bool) -> None:
    while True:
        sets = trainer.site.hard_sets(strategy)
        if sets:
            trainer.train(sets[0]["hard_set"], sets[0]["sha256"])
        else:
            log.info("no hard set yet")
        if once:
            return
        time.sleep(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train on hard sets of a Hardness site and send predictions back.")
    parser.add_argument("--site", required=True, help="address of the site")
    parser.add_argument("--project", required=True, help="slug of the project")
    parser.add_argument("--listen", metavar="HOST:PORT", help="wait for webhooks here (port 0: any free one)")
    parser.add_argument("--poll", type=float, default=30, metavar="SECONDS", help="how often to ask (default: 30)")
    parser.add_argument("--once", action="store_true", help="train on the newest hard set, then end")
    parser.add_argument("--strategy", default="", help="only hard sets of this strategy")
    parser.add_argument("--name", default="outside", help="name of the predictions (default: outside)")
    parser.add_argument("--folder", type=Path, default=Path("trainer-data"), help="where images and notes are kept")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    token, secret = os.environ.get("HARDNESS_TOKEN", ""), os.environ.get("HARDNESS_WEBHOOK_SECRET", "")
    if not token or (given.listen and not secret):
        parser.error("set HARDNESS_TOKEN, and with --listen HARDNESS_WEBHOOK_SECRET, in the environment")
    given.folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(Site(given.site, given.project, token, given.folder), given.name, given.folder)
    if given.listen:
        listen(trainer, given.listen, secret, given.strategy)
    else:
        poll(trainer, given.poll, given.strategy, once=given.once)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
