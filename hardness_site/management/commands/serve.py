"""Serve the whole site from one command: web, worker, beat and, unless REDIS_URL names one, an embedded broker."""

from __future__ import annotations

import os
import signal
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from contextlib import suppress
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, OperationalError, connection

from hardness_site.jobs.recovery import release_orphaned_jobs, send_waiting_jobs
from hardness_site.serve import broker, children
from hardness_site.serve.preflight import (
    CannotStart,
    check_port,
    claim_folder,
    port_number,
    prepare_folder,
    sign_folder,
)
from hardness_site.serve.static_files import collect_when_changed
from hardness_site.serve.supervisor import Supervisor
from hardness_site.serve.welcome import Demo, sign_in_lines

WEB_SECONDS = 30


class Command(BaseCommand):
    """Serve the site until Ctrl-C."""

    help = "Serve the whole site: web server, worker, beat and an embedded broker. Ctrl-C stops them all."
    # The checks ask the broker, which this command starts.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the address; everything else is in the environment."""
        parser.add_argument("--host", default="127.0.0.1", help="Address to listen on (default: %(default)s).")
        parser.add_argument("--port", default=os.environ.get("PORT") or "8000", help="Default: PORT, else 8000.")
        parser.add_argument("--workers", type=int, default=children.n_cores(), help="Worker processes for jobs.")
        parser.add_argument("--no-demo", action="store_true", help="Do not make the demo at the first start.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start everything, watch it, stop it."""
        self._stops = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_stop)
        try:
            port = port_number(options["port"])
            prepare_folder(settings.DATA_DIR)
            lock = claim_folder(settings.DATA_DIR)
            with lock:
                check_port(options["host"], port)
                shown = f"[{options['host']}]" if ":" in options["host"] else options["host"]
                sign_folder(lock, f"http://{shown}:{port}")
                self._serve(f"http://{shown}:{port}", **{**options, "port": port})
        except CannotStart as error:
            raise CommandError(str(error)) from None

    def _serve(self, address: str, **options: Any) -> None:
        supervisor = Supervisor(settings.DATA_DIR, say=self._say)
        try:
            self._start(supervisor, **options)
            if not self._stops and self._wait_for_web(supervisor, address):
                self._welcome_and_watch(supervisor, address, no_demo=options["no_demo"])
        finally:
            self._stop(supervisor)

    def _start(self, supervisor: Supervisor, **options: Any) -> None:
        supervisor.end_orphans(spare=[broker.NAME] if settings.EMBEDDED_BROKER else [])
        if settings.EMBEDDED_BROKER:
            broker.start_or_adopt(supervisor)
        try:
            call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
        except OperationalError as error:
            raise CannotStart(f"The database cannot be used: {error}") from None
        if collect_when_changed():
            self._say("Prepared the static files.")
        if settings.EMBEDDED_BROKER:
            broker.wait(supervisor)
            # Only one site works on this data folder: a job that no live process holds has been left behind.
            release_orphaned_jobs()
        send_waiting_jobs()
        connection.close()
        supervisor.start(children.web(options["host"], options["port"]))
        supervisor.start(children.worker(options["workers"]))
        supervisor.start(children.housekeeper())
        supervisor.start(children.beat(settings.DATA_DIR / "run" / "beat-schedule"))

    def _wait_for_web(self, supervisor: Supervisor, address: str) -> bool:
        until = time.monotonic() + WEB_SECONDS
        while not self._stops:
            try:
                with urllib.request.urlopen(f"{address}/healthz", timeout=2):
                    return True
            except urllib.error.HTTPError:
                return True
            except OSError:
                time.sleep(0.05)
            supervisor.watch()
            if time.monotonic() > until:
                raise CannotStart(f"The web server does not answer: see {settings.DATA_DIR / 'log' / 'web.log'}.")
        return False

    def _welcome_and_watch(self, supervisor: Supervisor, address: str, *, no_demo: bool) -> None:
        self._say(f"The site is at {address} (data in {settings.DATA_DIR}). Ctrl-C stops it.")
        demo = Demo(supervisor, say=self._say)
        if not no_demo and demo.is_wanted():
            demo.begin()
        else:
            self._say(*sign_in_lines(address))
        while not self._stops:
            supervisor.watch()
            if demo.has_just_ended():
                self._say(*sign_in_lines(address))
            time.sleep(0.2)

    def _stop(self, supervisor: Supervisor) -> None:
        names = [name for name in supervisor.names() if name != broker.NAME]
        if names:
            self._say("Stopping. (Ctrl-C again: at once.)")
        supervisor.stop(names, hurry=lambda: self._stops > 1)
        if settings.EMBEDDED_BROKER and names:
            self._release_jobs()
        # Last: the others still have something to tell it. Never hurried: it writes its file.
        supervisor.stop()
        if names:
            self._say("Stopped.")

    def _release_jobs(self) -> None:
        try:
            n_released = release_orphaned_jobs(by_wish=True)
        except DatabaseError as error:
            self._say(f"The running jobs could not be put back now ({error}); the next start does it.")
            return
        if n_released:
            self._say(f"Interrupted, to run again at the next start: {n_released} running jobs.")

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        self._stops += 1

    def _say(self, *lines: str) -> None:
        with suppress(OSError):  # the terminal was closed: stopping goes on without it
            for line in lines:
                self.stdout.write(line)
            self.stdout.flush()
