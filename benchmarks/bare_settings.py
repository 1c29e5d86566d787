"""The embedded site with one more address: the bare view that `label_server` measures itself against."""

from hardness_site.settings.embedded import *  # noqa: F403

ROOT_URLCONF = "benchmarks.bare_urls"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "artifacts": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
