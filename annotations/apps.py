from django.apps import AppConfig


class AnnotationsConfig(AppConfig):
    """People: what they are asked, what they answered, how long it took."""

    name = "annotations"
    verbose_name = "Annotations"

    def ready(self) -> None:
        """Register what jobs of this app do."""
        from annotations import jobs  # noqa: F401  registers the handlers
