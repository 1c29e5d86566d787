"""The example trainer's own parts: signature, folds, what it never trains on."""

from __future__ import annotations

import importlib.util
import time

import numpy as np
import pytest

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
