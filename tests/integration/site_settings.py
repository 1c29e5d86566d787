"""The embedded settings, with a kind of job that tests can watch and a recovery that does not let them wait."""

import copy

from hardness_site.settings import base
from hardness_site.settings.embedded import *  # noqa: F403

INSTALLED_APPS = [*base.INSTALLED_APPS, "tests.integration.slow_jobs.SlowJobs"]
CELERY_BEAT_SCHEDULE = copy.deepcopy(base.CELERY_BEAT_SCHEDULE)
CELERY_BEAT_SCHEDULE["recover lost jobs"]["schedule"] = 1.0
JOB_LOST_AFTER_SECONDS = 3
JOB_HEARTBEAT_SECONDS = 1
