"""The Celery application."""

from __future__ import annotations

import os

from celery import Celery
from celery.signals import worker_process_init

from hardness_site.processes import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hardness_site.settings.embedded")

app = Celery("hardness_site")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def _end_with_the_worker(**kwargs: object) -> None:
    """Let no process of the pool outlive a worker that was killed: its job is given to another."""
    die_with_parent()
