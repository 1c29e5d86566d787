from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Rows that all long work reports to."""

    name = "hardness_site.jobs"
    label = "jobs"
    verbose_name = "Jobs"
