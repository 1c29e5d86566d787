"""The production settings, with a kind of job that tests can watch."""

from hardness_site.settings import base
from hardness_site.settings.production import *  # noqa: F403

INSTALLED_APPS = [*base.INSTALLED_APPS, "tests.integration.slow_jobs.SlowJobs"]
