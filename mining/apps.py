from django.apps import AppConfig


class MiningConfig(AppConfig):
    """Machines: what is hard, do the signals agree, what to do about it."""

    name = "mining"
    verbose_name = "Mining"

    def ready(self) -> None:
        from . import jobs, source_jobs  # noqa: F401  they register the handlers
        from .services import rounds

        rounds.connect()
