"""What a person who starts the site is told: the address, the demo, the links that sign them in."""

from __future__ import annotations

import sys
from collections.abc import Callable

from django.contrib.auth import get_user_model
from django.db import connection

from annotations.models import Project
from hardness_site.sign_in import sign_in_link, user_named

from .children import Child, ChildSpec
from .supervisor import Supervisor

DEMO_USERS = {"manager": "demo-manager", "annotator": "demo-annotator"}


class Demo:
    """The demo of the first start: made in the background, once, finished at the next start where it was cut short."""

    def __init__(self, supervisor: Supervisor, *, say: Callable[[str], None]) -> None:
        self.supervisor = supervisor
        self.say = say
        self._state = supervisor.data_dir / "demo"
        self._child: Child | None = None

    def is_wanted(self) -> bool:
        """Whether it has to be made: nothing is there yet, or an earlier start was stopped while it made it."""
        if self._state.is_file():
            return self._state.read_text().strip() == "begun"
        return not Project.objects.exists() and not get_user_model()._default_manager.exists()

    def begin(self) -> None:
        """Make it in the background."""
        self._state.write_text("begun\n")
        self._child = self.supervisor.run_once(ChildSpec("demo", lambda: [sys.executable, "-m", "django", "demo"]))
        self.say("Making the demo from real pictures (digits and faces). This takes a minute, once.")

    def has_just_ended(self) -> bool:
        """Whether it ended since the last call; says how."""
        child = self._child
        if child is None or not child.has_ended():
            return False
        self._child = None
        self.supervisor.forget("demo")
        if child.process.returncode == 0:
            self._state.write_text("made\n")
            self.say("The demo is ready.")
        else:
            self.say(f"The demo could not be made: {child.last_line()} See {child.log_path}. The site works without.")
            self._state.write_text("begun\n")
        return True


def sign_in_lines(address: str) -> list[str]:
    """Return lines with one-time sign-in links of the demo's people; without them, how to make the first user."""
    lines = []
    for role, username in DEMO_USERS.items():
        user = user_named(username)
        if user is not None:
            lines.append(f"  as the demo {role + ':':<11}{address}{sign_in_link(user)}")
    has_users = get_user_model()._default_manager.exists()
    connection.close()
    if lines:
        return ["Sign in with one of these links; each works once:", *lines]
    if not has_users:
        return ["Nobody can sign in yet. Make the first user: .venv/bin/python manage.py createsuperuser"]
    return [f"Sign in at {address}/"]
