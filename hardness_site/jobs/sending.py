"""How a job reaches the workers: a message with its id, by the name of the task that runs it.

By its name, so that whoever sends a job need not know the code that runs it.
"""

from __future__ import annotations

import logging

from celery import current_app
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

RUN_TASK = "jobs.run"


def send_job(job_id: int) -> None:
    """Send one job to the workers. Where the broker is away the job stays in the queue, and `recovery` sends it."""
    try:
        current_app.send_task(RUN_TASK, [job_id])
    except (OperationalError, OSError) as error:
        logger.warning("Job %s waits until the broker is back: %s", job_id, error)


def backlog() -> int:
    """Return how many messages wait at the broker; 0 where it cannot say."""
    try:
        with current_app.connection_for_read() as connection:
            return int(connection.default_channel.client.llen(current_app.conf.task_default_queue))
    except Exception:  # another transport, or no broker: sending says what is wrong
        return 0
