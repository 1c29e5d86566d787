"""Servers: PostgreSQL, Redis and a key from the environment; nothing is guessed."""

from .base import *  # noqa: F403  settings are built on one another
from .base import database_from, env

SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

DATABASES = {"default": database_from(env.str("DATABASE_URL"))}
REDIS_URL = env.str("REDIS_URL")
EMBEDDED_BROKER = False
CELERY_BROKER_URL = REDIS_URL

# Behind a proxy that ends TLS; HARDNESS_HTTPS=0 is for a trusted network without one.
HTTPS = env.bool("HARDNESS_HTTPS", default=True)
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
