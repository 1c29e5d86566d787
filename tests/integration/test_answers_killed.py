"""`kill -9` of the web server while people answer: whoever was told "saved" has their answer, once, and goes on."""

from __future__ import annotations

import http.client
import json
import threading
import time
import uuid

PEOPLE = 6
ROUNDS = 3
MAKE = f"""
import json
from django.conf import settings
from django.test import Client
from annotations.models import Membership
from tests import factories
users = [factories.make_user(f"person-{{number}}") for number in range({PEOPLE})]
project = factories.make_project("Killed", annotators=users, classes=["a", "b"])
project.overlap = {PEOPLE}
project.save()
factories.make_items(project, 300)
cookies = []
for user in users:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    cookies.append(client.cookies[settings.SESSION_COOKIE_NAME].output(header="", attrs=[]).strip())
print(json.dumps([project.slug, cookies]))
"""
LOOK = """
import json
from collections import Counter
from annotations.models import Annotation, Annotator, EventBatch, Item, Trial
trials = list(Trial.objects.filter(project__slug=SLUG).values_list("pk", "annotator", "item", "state"))
answered = {pk for pk, _, _, state in trials if state == "answered"}
print(json.dumps({
    "keys": list(Annotation.objects.filter(trial__project__slug=SLUG).values_list("client_key", flat=True)),
    "twice": [key for key, n in Counter((who, item) for _, who, item, _ in trials).items() if n > 1],
    "annotated": sorted(Annotation.objects.filter(trial__project__slug=SLUG).values_list("trial", flat=True)),
    "events": sorted(EventBatch.objects.filter(trial__project__slug=SLUG).values_list("trial", flat=True)),
    "answered": sorted(answered),
    "counted": sum(Annotator.objects.filter(project__slug=SLUG).values_list("n_answered", flat=True)),
    "items": sum(Item.objects.filter(project__slug=SLUG).values_list("answered", flat=True)),
    "taken": sum(Item.objects.filter(project__slug=SLUG).values_list("taken", flat=True)),
    "held": sum(state == "issued" for *_, state in trials),
}))
"""


class Person:
    """Answers until told to stop. What was not said to be saved is sent again, as the browser's outbox does."""

    def __init__(self, port: int, slug: str, cookie: str, stop: threading.Event) -> None:
        self.port, self.stop = port, stop
        self.base = f"/api/v1/projects/{slug}/trials/"
        self.headers = {
            "Cookie": f"{cookie}; csrftoken={'a' * 32}", "X-CSRFToken": "a" * 32, "Content-Type": "application/json",
        }  # fmt: skip
        self.session = str(uuid.uuid4())
        self.waiting: list[int] = []
        self.saved: list[str] = []
        self.sent_again = 0
        self.connection: http.client.HTTPConnection | None = None

    def post(self, path: str, body: dict) -> dict:
        until = time.monotonic() + 60
        while True:
            try:
                self.connection = self.connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
                self.connection.request("POST", self.base + path, json.dumps(body), self.headers)
                reply = self.connection.getresponse()
                data = reply.read()
            except (OSError, http.client.HTTPException):
                assert time.monotonic() < until, "the server did not come back"
                self.connection = None
                self.sent_again += 1
                time.sleep(0.05)
                continue
            assert reply.status == 200, data
            return json.loads(data)

    def work(self) -> None:
        self.take(self.post("next", {"session": {"key": self.session}, "want": 4}))
        while not self.stop.is_set() and self.waiting:
            trial = self.waiting.pop(0)
            body = {
                "client_key": str(uuid.uuid4()), "session": self.session, "label": 0,
                "events": [{"t": 0, "kind": "onset"}, {"t": 500, "kind": "decision"}],
                "holding": self.waiting, "want": 4 - len(self.waiting),
            }  # fmt: skip
            self.take(self.post(f"{trial}/answer", body))
            self.saved.append(body["client_key"])

    def take(self, reply: dict) -> None:
        self.waiting += [lease["trial"] for lease in reply["next"]]


def test_nothing_that_was_said_to_be_saved_is_lost_and_nothing_is_there_twice(site):
    slug, cookies = json.loads(site.python(MAKE).splitlines()[-1])
    stop = threading.Event()
    people = [Person(site.port, slug, cookie, stop) for cookie in cookies]
    threads = [threading.Thread(target=person.work) for person in people]
    for thread in threads:
        thread.start()
    for _ in range(ROUNDS):
        before = sum(len(person.saved) for person in people)
        until = time.monotonic() + 60
        while sum(len(person.saved) for person in people) < before + 60:
            assert time.monotonic() < until, site.output()
            time.sleep(0.01)
        site.kill("web")
    stop.set()
    for thread in threads:
        thread.join(90)
    saved = [key for person in people for key in person.saved]
    assert len(saved) >= 60 * ROUNDS
    assert sum(person.sent_again for person in people) > 0, "the server was away at no request"
    found = json.loads(site.python(f"SLUG = {slug!r}\n{LOOK}").splitlines()[-1])
    assert sorted(found["keys"]) == sorted(saved), "each answer is there, once, and no other"
    assert found["twice"] == []
    assert found["annotated"] == found["events"] == found["answered"]
    assert found["counted"] == found["items"] == len(saved)
    assert found["taken"] == len(saved) + found["held"]
