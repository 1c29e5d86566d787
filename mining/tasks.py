"""Celery tasks of mining, as thin as views."""

from __future__ import annotations

import threading
from typing import Any

from celery import shared_task
from celery.signals import worker_init, worker_process_init

from mining.preload import load_arithmetic, load_stages
from mining.services import people_now
from mining.services.queue_ranking import projects_to_rank, rank_queue
from mining.services.rounds import advance_all_rounds
from mining.services.schedules import start_due_rounds

RANK_EVERY_SECONDS = 10
_sending = threading.Lock()


@worker_init.connect
def preload(sender: Any, **kwargs: object) -> None:
    """Make the worker of long jobs ready for them before it forks; one process alone shares its memory with nobody,
    and loads what it needs when it needs it. The housekeeper never computes.
    """
    if "prefork" in str(sender.pool_cls) and sender.concurrency > 1:
        load_arithmetic()
        worker_process_init.connect(preload_process)


def preload_process(**kwargs: object) -> None:
    """Make each process that was forked ready."""
    load_stages()


@shared_task(name="mining.advance_rounds")
def advance_rounds_task() -> None:
    """Find rounds that stand still between two stages."""
    advance_all_rounds()


@shared_task(name="mining.rank_queues", ignore_result=True)
def rank_queues_task() -> None:
    """Find projects whose order follows response times and have new ones; the timetable calls it every ten seconds."""
    for project_id in projects_to_rank():
        # Behind a long job a request to rank grows old: the next call brings another one.
        rank_queue_task.apply_async([project_id], expires=RANK_EVERY_SECONDS)


@shared_task(name="mining.rank_queue", ignore_result=True)
def rank_queue_task(project_id: int) -> None:
    """Work out the ranking of one project."""
    rank_queue(project_id=project_id)


@shared_task(name="mining.queue_people")
def queue_people_task() -> None:
    """Queue the jobs of projects in which new trials have come."""
    people_now.queue_due()


@shared_task(name="mining.send_webhooks", ignore_result=True)
def send_webhooks_task() -> None:
    """Send the webhook messages that are due.

    One thread of a process at a time: targets that hang must not take the threads that keep the house.
    """
    from mining.services.webhook_sending import send_due

    if _sending.acquire(blocking=False):
        try:
            send_due()
        finally:
            _sending.release()


@shared_task(name="mining.start_due_rounds", ignore_result=True)
def start_due_rounds_task() -> None:
    """Start the rounds that are due by their projects' schedules; the timetable calls it every minute."""
    start_due_rounds()
