"""One machine, no servers installed: SQLite and an embedded Valkey, unless the environment names others."""

import os
import sys
from contextlib import suppress

from django.core.management.utils import get_random_secret_key

from .base import *  # noqa: F403  settings are built on one another
from .base import DATA_DIR, database_from, env


def _kept_secret() -> str:
    """Return the key kept beside the data, made at the first start: sign-ins survive a restart."""
    path = DATA_DIR / "secret_key"
    try:
        if not path.exists():
            DATA_DIR.mkdir(parents=True, exist_ok=True)
            draft = DATA_DIR / f"secret_key.{os.getpid()}"
            draft.touch(mode=0o600)
            draft.write_text(get_random_secret_key())
            with suppress(FileExistsError):  # two first starts at once: one key
                os.link(draft, path)
            draft.unlink()
        return path.read_text().strip()
    except OSError as error:
        sys.exit(
            f"The data folder {DATA_DIR} cannot be used ({error.strerror}): "
            "make it writable, or name another in HARDNESS_DATA_DIR."
        )


SECRET_KEY = env.str("SECRET_KEY", default="") or _kept_secret()
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

DATABASES = {"default": database_from(env.str("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'hardness.sqlite3'}"))}

REDIS_URL = env.str("REDIS_URL", default="")
EMBEDDED_BROKER = not REDIS_URL
# The folder of the socket is chosen by hardness_site.embedded: a socket's path must stay under 108 bytes.
if EMBEDDED_BROKER:
    from hardness_site.embedded import socket_path

    CELERY_BROKER_URL = f"redis+socket://{socket_path(DATA_DIR)}"
else:
    CELERY_BROKER_URL = REDIS_URL
