from django.apps import AppConfig


class MiningConfig(AppConfig):
    """Machines: what is hard, do the signals agree, what to do about it."""

    name = "mining"
    verbose_name = "Mining"

    def ready(self) -> None:
        from annotations.selectors.consensus import register_consensus

        from . import jobs, source_jobs  # noqa: F401  they register the handlers
        from .selectors.consensus import consensus_labels
        from .services import rounds, webhooks

        rounds.connect()
        webhooks.connect()
        register_consensus(consensus_labels)
