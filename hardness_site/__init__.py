"""How the site is put together and served."""

from hardness_site.celery import app as celery_app

__all__ = ["celery_app"]
