from django.apps import AppConfig


class SiteConfig(AppConfig):
    """The site itself: its base page, checks, and the `serve` command."""

    name = "hardness_site"
    label = "hardness_site"
    verbose_name = "Site"

    def ready(self) -> None:
        """Say who may see the jobs of a project, and register the checks and what each request begins with."""
        from django.core.signals import request_started

        from hardness_site import checks  # noqa: F401  registers the checks
        from hardness_site.fresh_connections import trust_fresh_connections
        from hardness_site.jobs.access import register_scope
        from hardness_site.scopes import managed_project_by_id

        register_scope("project", managed_project_by_id)
        request_started.connect(trust_fresh_connections)
