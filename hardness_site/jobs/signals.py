"""What the site says about jobs."""

from django.dispatch import Signal

# Sent with `job` after a job reached a final status, whichever way.
job_finished = Signal()
