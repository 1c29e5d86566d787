"""The example trainer's own parts: signature, folds, what it never trains on."""

from __future__ import annotations

import http.client
import importlib.util
import io
import json
import queue
import threading
import time
from http.server import ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

from mining.webhooks.signature import secret_text, signed_headers
from tests.site import ROOT

_spec = importlib.util.spec_from_file_location("example_trainer", ROOT / "examples" / "trainer.py")
trainer = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(trainer)

SECRET = secret_text(b"s" * 32)
BODY = b'{"type":"webhook.test"}'


def test_it_takes_what_the_site_signed_and_nothing_else():
    now = int(time.time())
    good = signed_headers([secret_text(b"o" * 32), SECRET], message_id="msg_1", timestamp=now, body=BODY)
    assert trainer.signature_is_good(SECRET, good, BODY, now + 300)
    assert not trainer.signature_is_good(SECRET, good, BODY, now + 301)
    assert not trainer.signature_is_good(SECRET, good, BODY + b" ", now)
    assert not trainer.signature_is_good(secret_text(b"x" * 32), good, BODY, now)
    assert not trainer.signature_is_good(SECRET, good | {"webhook-id": "msg_2"}, BODY, now)
    assert not trainer.signature_is_good(SECRET, good | {"webhook-timestamp": "²"}, BODY, now)
    assert not trainer.signature_is_good(SECRET, {}, BODY, now)


def rows_of(n: int) -> list[dict]:
    """Return items of two classes in five folds; every seventh is held out, every eleventh has no label."""
    rows = []
    for i in range(n):
        test, labelled = i % 7 == 0, i % 11 != 0
        rows.append({
            "label": ("cat", "dog")[i % 2] if labelled else None, "fold": None if test else i % 5,
            "weight": 0.0 if test or not labelled else 1.0 + i % 2,
        })  # fmt: skip
    return rows


def test_no_item_is_judged_by_a_model_that_was_trained_on_it(monkeypatch):
    rows = rows_of(200)
    x = np.arange(200, dtype=np.float64)[:, None]
    seen = []

    def fit_predict(train, label, weight, ask, n_classes):
        seen.append((set(train[:, 0].astype(int)), set(ask[:, 0].astype(int))))
        assert (weight == [rows[i]["weight"] for i in train[:, 0].astype(int)]).all()
        return np.full((len(ask), n_classes), 1 / n_classes)

    monkeypatch.setattr(trainer, "fit_predict", fit_predict)
    p = trainer.predict_out_of_fold(rows, ["cat", "dog"], x)

    assert p.shape == (200, 2) and np.isfinite(p).all()
    assert sorted(i for _, asked in seen for i in asked) == list(range(200))
    held_out = {i for i, row in enumerate(rows) if row["fold"] is None}
    for trained, asked in seen:
        assert not trained & asked
        assert not trained & held_out
        assert all(rows[i]["label"] for i in trained)
    assert len(seen) == 6


def test_a_fold_that_leaves_one_class_is_named():
    rows = [{"label": ("cat", "dog")[i == 0], "fold": i % 2, "weight": 1.0} for i in range(6)]
    with pytest.raises(SystemExit, match="fewer than two classes"):
        trainer.predict_out_of_fold(rows, ["cat", "dog"], np.ones((6, 3)))


def test_a_class_that_nobody_has_shown_is_unlikely_and_not_impossible():
    x = np.array([[0.0], [1.0], [0.1], [0.9]])
    p = trainer.fit_predict(x, np.array([0, 2, 0, 2]), np.ones(4), x, 3)
    assert np.allclose(p.sum(axis=1), 1) and (p > 0).all() and (p[:, 1] < 1e-5).all()
    assert p.argmax(axis=1).tolist() == [0, 2, 0, 2]


@pytest.fixture
def listener(monkeypatch):
    """Return tell(body, **headers) -> status, and the list of what is to be done."""
    monkeypatch.setattr(trainer.Listener, "secret", SECRET)
    monkeypatch.setattr(trainer.Listener, "strategy", "suspicious")
    monkeypatch.setattr(trainer.Listener, "todo", queue.Queue())
    server = ThreadingHTTPServer(("127.0.0.1", 0), trainer.Listener)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def tell(body: bytes, **headers: str) -> int:
        signed = signed_headers([SECRET], message_id="msg_1", timestamp=int(time.time()), body=body) | headers
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
        connection.request("POST", "/hook", body, signed)
        status = connection.getresponse().status
        connection.close()
        return status

    yield tell
    server.shutdown()
    thread.join()
    server.server_close()


def told(strategy: str = "suspicious", event: str = "hard_set.created") -> bytes:
    data = {"hard_set": 7, "sha256": "a" * 64, "strategy": strategy}
    return json.dumps({"type": event, "data": data}).encode()


def test_it_notes_hard_sets_of_its_strategy_and_answers_at_once(listener):
    assert listener(told()) == 202
    assert listener(told("band")) == listener(told(event="webhook.test")) == 202
    assert trainer.Listener.todo.get_nowait() == (7, "a" * 64)
    assert trainer.Listener.todo.empty()


def test_what_is_not_signed_or_too_large_is_refused(listener):
    assert listener(told(), **{"webhook-signature": "v1,AAAA"}) == 401
    assert listener(told(), **{"webhook-timestamp": "1"}) == 401
    assert listener(told(), **{"Content-Length": str(2 << 20)}) == 413
    assert trainer.Listener.todo.empty()


def test_the_same_content_is_trained_on_once_also_after_a_restart(tmp_path, monkeypatch):
    picture = io.BytesIO()
    Image.new("L", (32, 32), 99).save(picture, "PNG")
    rows = [
        {"label": ("cat", "dog")[i % 2], "fold": i % 5, "weight": 1.0, "box": None, "path": f"{i}.png"}
        for i in range(20)
    ]  # fmt: skip
    sent = []

    class Site:
        def manifest(self, hard_set):
            head = {"strategy": "suspicious", "round": 1, "n_members": 2, "synthetic": True, "classes": ["cat", "dog"]}
            return head, rows

        def image(self, row):
            return picture.getvalue()

        def send_predictions(self, name, rows, classes, p):
            sent.append((name, len(rows), classes, p.shape))

    assert trainer.Trainer(Site(), "mine", tmp_path).train(7, "a" * 64)
    assert not trainer.Trainer(Site(), "mine", tmp_path).train(7, "a" * 64)
    assert trainer.Trainer(Site(), "mine", tmp_path).train(8, "b" * 64)
    assert sent == [("mine", 20, ["cat", "dog"], (20, 2))] * 2


def test_of_two_items_under_one_path_the_first_is_sent(tmp_path, monkeypatch):
    site = trainer.Site("http://127.0.0.1:9", "pets", "t", tmp_path)
    asked = []

    def answer(path, **request):
        asked.append((path, request.get("body")))
        return {"url": "/job", "status": "succeeded", "learner": "file:mine", "n_predicted": 2}

    monkeypatch.setattr(site, "json", answer)
    rows = [{"path": "a.png"}, {"path": "b,c.png"}, {"path": "a.png"}]
    site.send_predictions("mine", rows, ["cat", "dog"], np.array([[0.25, 0.75], [1.0, 0.0], [0.5, 0.5]]))
    assert asked[0][0] == "/api/v1/projects/pets/predictions?name=mine&out_of_fold=true"
    assert sorted(asked[0][1].decode().split()) == ['"b,c.png",1.0,0.0', "a.png,0.25,0.75", "item,cat,dog"]
