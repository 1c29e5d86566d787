"""The whole loop with the trainer of examples/ as a program of its own: real site, worker, webhook, HTTP."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.integration.conftest import wait_until
from tests.mining.small_project import CLASSES, stripes
from tests.site import ROOT, Site, free_port, rows_of
from tests.webhook_target import Target

SETTINGS = [f"--set={one}" for one in ("n_resamples=100", "retraining_seeds=2", "n_folds=3")]
PREPARE = """
import json
from django.contrib.auth.models import User
from annotations.models import ApiToken, Membership, Project
from annotations.services.tokens import create_token
from mining.services.webhooks import create_webhook
project = Project.objects.get(slug="stripes")
user = User.objects.create_user("mona")
Membership.objects.create(project=project, user=user, role="manager")
_, token = create_token(project=project, user=user, name="trainer", scopes=["read", "predictions"])
_, secret = create_webhook(project=project, url={url!r}, events={events!r}, created_by=user)
print(json.dumps([token, secret]))
"""
ROUND = """
from mining.models import Round
from mining.artifacts import Folder
import json
round_ = Round.objects.order_by("-number").first()
facts = Folder(round_.folder).read_json("predictions.json")["learners"] if round_.status == "succeeded" else []
print(json.dumps([round_.number, round_.status, facts]))
"""
DELIVERIES = """
from mining.models import WebhookDelivery
import json
print(json.dumps(list(WebhookDelivery.objects.order_by("pk").values("key", "event", "status", "attempts", "error"))))
"""


class TrainerProcess:
    """examples/trainer.py, as its README says it is started."""

    def __init__(self, site: Site, folder: Path, *words: str, token: str, secret: str = "") -> None:
        self.log = folder / "trainer.log"
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "examples" / "trainer.py"), "--site", site.url, "--project", "stripes",
                 "--folder", str(folder / "trainer"), *words],
                env={**kept, "HARDNESS_TOKEN": token, "HARDNESS_WEBHOOK_SECRET": secret, "OMP_NUM_THREADS": "1"},
                stdout=log, stderr=log, cwd=folder,
            )  # fmt: skip

    def says(self, words: str) -> bool:
        return words in self.log.read_text()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture
def trainer_site(tmp_path, migrated_database):
    """Return a running site that may call this machine, with a project of 36 striped pictures and people's trials."""
    site = Site(
        tmp_path / "data", HARDNESS_WEBHOOK_NETWORKS="127.0.0.1", HARDNESS_WEBHOOK_RETRY_SECONDS="0.5,1,2,4,8,8,8,8,8"
    )
    site.data_dir.mkdir()
    shutil.copy(migrated_database, site.data_dir)
    site.start()
    generator = np.random.default_rng(0)
    rows = ["item,annotator,label,response_ms,position"]
    for i in range(36):
        folder = tmp_path / "images" / CLASSES[i % 3]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{i:02d}.png").write_bytes(stripes(i % 3, 10 + 100 * generator.uniform(), generator))
    for person in range(3):
        for position, i in enumerate(generator.permutation(36), start=1):
            name = CLASSES[i % 3]
            rows.append(f"{name}/{i:02d}.png,p{person},{name},{1000 + 20 * i + generator.integers(0, 300)},{position}")
    (tmp_path / "trials.csv").write_text("\n".join(rows) + "\n")
    site.manage("create_project", "Stripes", "--classes", ",".join(CLASSES), "--overlap", "3")
    site.manage("import_images", "stripes", str(tmp_path / "images"), "--labels-from-folders")
    site.manage("import_trials", "stripes", str(tmp_path / "trials.csv"))
    yield site
    site.close()


def asked(site: Site, code: str):
    return json.loads(site.python(code).splitlines()[-1])


def prepared(site: Site, url: str, events=("hard_set.created",)) -> tuple[str, str]:
    """Return the secrets of a token and of a webhook to `url`."""
    token, secret = asked(site, PREPARE.format(url=url, events=list(events)))
    return token, secret


def run_round(site: Site) -> list:
    """Have the worker do a round; return its number, its status, and the facts of its learners."""
    site.manage("run_round", "stripes", *SETTINGS, "--strategy", "class_balanced")
    latest = "SELECT status FROM mining_round ORDER BY number DESC LIMIT 1"
    over = ("succeeded", "failed", "cancelled")
    wait_until(lambda: rows_of(site.data_dir, latest)[0]["status"] in over, seconds=240, what="the round")
    return asked(site, ROUND)


@pytest.mark.long(seconds=35)
def test_the_loop_closes(trainer_site, tmp_path):
    """Round 1 announces its hard set, the trainer trains on it, and round 2 uses what it sent back."""
    port = free_port()
    token, secret = prepared(trainer_site, f"http://127.0.0.1:{port}/hook")
    trainer = TrainerProcess(
        trainer_site, tmp_path, "--listen", f"127.0.0.1:{port}", "--strategy", "class_balanced", token=token,
        secret=secret,
    )  # fmt: skip
    try:
        wait_until(lambda: trainer.says("listening on"), seconds=60, what="the trainer")
        number, status, facts = run_round(trainer_site)
        assert (number, status) == (1, "succeeded")
        assert [one["name"] for one in facts] == ["hog_svm"]
        wait_until(lambda: trainer.says("stored as file:outside: 36 items predicted"), seconds=120,
                   what=trainer.log.read_text() + trainer_site.output())  # fmt: skip
        (told,) = asked(trainer_site, DELIVERIES)
        assert (told["event"], told["status"], told["attempts"]) == ("hard_set.created", "succeeded", 1)

        number, status, facts = run_round(trainer_site)

        assert (number, status) == (2, "succeeded")
        mine = next(one for one in facts if one["name"] == "file:outside")
        assert (mine["kind"], mine["out_of_fold"], mine["n_scored"]) == ("imported", True, 36)
        # Three classes of stripes that any model can tell apart: chance is a third.
        assert mine["accuracy"] > 0.6
        # The second round has a hard set of its own, and the loop goes on.
        wait_until(lambda: trainer.log.read_text().count("stored as file:outside") == 2, seconds=120,
                   what=trainer.log.read_text())  # fmt: skip
    finally:
        trainer.stop()


@pytest.mark.long(seconds=35)
def test_without_a_webhook_it_asks_and_trains_once(trainer_site, tmp_path):
    token, _ = prepared(trainer_site, "http://127.0.0.1:9/nobody")
    assert run_round(trainer_site)[1] == "succeeded"
    first = TrainerProcess(trainer_site, tmp_path, "--once", token=token)
    assert first.process.wait(120) == 0, first.log.read_text()
    assert first.says("stored as file:outside: 36 items predicted")
    again = TrainerProcess(trainer_site, tmp_path, "--once", token=token)
    assert again.process.wait(120) == 0
    assert again.says("was trained on before")
    assert again.log.read_text().count("stored as") == 1
    # The target is down all the while: the round was over all the same, and the message waits with its reason.
    (told,) = asked(trainer_site, DELIVERIES)
    assert told["status"] in ("queued", "running", "failed") and told["attempts"] >= 1
    assert told["error"] == "Connection refused."
    wrong = TrainerProcess(trainer_site, tmp_path, "--once", token="hardness_wrong")
    assert wrong.process.wait(120) == 1
    assert wrong.says("There is no such token")


def test_a_sender_killed_in_mid_delivery_leaves_nothing_out(trainer_site, tmp_path):
    """`kill -9` of the housekeeper while the target keeps it waiting: the message comes again with the same id."""
    with Target(tmp_path) as target:
        prepared(trainer_site, target.url("/slow"))
        code = """
from mining.models import Webhook
from mining.services.webhooks import send_test, change_webhook, announce_round
from mining.models import Round
from annotations.models import Project
project = Project.objects.get(slug="stripes")
webhook = Webhook.objects.get()
change_webhook(webhook=webhook, url=webhook.url, events=["round.finished"], is_active=True)
announce_round(round_=Round.objects.create(project=project, number=1, status="succeeded", folder="rounds/x/1"))
"""
        trainer_site.python(code)
        wait_until(lambda: len(target.requests()) == 1, seconds=60, what="the first attempt")
        trainer_site.kill("housekeeper")
        trainer_site.python(
            "from mining.models import Webhook\n"
            f"Webhook.objects.update(url={target.url('/200')!r})"
        )  # fmt: skip
        wait_until(lambda: len(target.requests()) >= 2, seconds=90, what="the attempt after the kill")
        sent = "SELECT status FROM mining_webhookdelivery ORDER BY id"
        wait_until(lambda: rows_of(trainer_site.data_dir, sent)[0]["status"] == "succeeded", what="the delivery")
        first, second = target.requests()[:2]
        assert first["headers"]["webhook-id"] == second["headers"]["webhook-id"]
        assert first["body"] == second["body"]
        (told,) = asked(trainer_site, DELIVERIES)
        assert told["attempts"] == 2
