"""Tests: SQLite by default, PostgreSQL where TEST_DATABASE_URL names one; data in a folder of their own."""

import atexit
import os
import shutil
import sys
import tempfile

# Never the folder of a real site, even where the environment names one. Processes started by the tests share it.
if "mypy" in sys.modules:  # it reads the settings, stores nothing, and leaves without cleaning up
    os.environ["HARDNESS_TEST_DATA_DIR"] = os.devnull
elif "HARDNESS_TEST_DATA_DIR" not in os.environ:
    _made = tempfile.mkdtemp(prefix="hardness-test-")
    _maker = os.getpid()
    os.environ["HARDNESS_TEST_DATA_DIR"] = _made

    @atexit.register
    def _remove() -> None:
        if os.getpid() == _maker:  # not in a child of fork()
            shutil.rmtree(_made, ignore_errors=True)


os.environ["HARDNESS_DATA_DIR"] = os.environ["HARDNESS_TEST_DATA_DIR"]

from .base import *  # noqa: F403  settings are built on one another
from .base import DATA_DIR, SQLITE_OPTIONS, STORAGES, database_from, env

SECRET_KEY = "for tests only: it signs nothing that lasts"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "testserver"]

DATABASES = {"default": database_from(env.str("TEST_DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'test.sqlite3'}"))}
if DATABASES["default"]["ENGINE"] == "hardness_site.sqlite":
    # A file, as in real life: threads and other processes meet in it. Only the wait for the disk is left out.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test-database.sqlite3")}
    DATABASES["default"]["OPTIONS"] = {
        **SQLITE_OPTIONS,
        "init_command": str(SQLITE_OPTIONS["init_command"]).replace("synchronous=FULL", "synchronous=OFF"),
    }
DATABASES["default"]["CONN_MAX_AGE"] = 0

REDIS_URL = env.str("REDIS_URL", default="")
EMBEDDED_BROKER = False
CELERY_BROKER_URL = REDIS_URL or "memory://"
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if "mypy" not in sys.modules:
    (DATA_DIR / "static").mkdir(parents=True, exist_ok=True)
