"""The Celery tasks of jobs: run one by its id, find the lost ones."""

from __future__ import annotations

from celery import shared_task

from . import recovery, services
from .sending import RUN_TASK


@shared_task(name=RUN_TASK)
def run_job_task(job_id: int) -> None:
    """Run the job, unless it is over or somebody else has it."""
    services.run_job(job_id)


@shared_task(name="jobs.recover")
def recover_lost_jobs_task() -> None:
    """Find jobs whose worker is gone."""
    recovery.recover_lost_jobs()
