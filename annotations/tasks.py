"""Background tasks of people's part: as thin as views."""

from __future__ import annotations

from celery import shared_task

from annotations.services.leases import return_leases


@shared_task(name="annotations.return_leases", ignore_result=True)
def return_leases_task() -> int:
    """Give back leases that have run out; the timetable calls it twice a minute."""
    return return_leases()
