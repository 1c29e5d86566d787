"""What holds for every way of running the site. Deployments differ only in the modules beside this one."""

import os
from pathlib import Path

import environ
from csp.constants import NONE, SELF

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parents[2]
DATA_DIR = Path(env.str("HARDNESS_DATA_DIR", default=str(BASE_DIR / "var"))).expanduser().resolve()
# Compiled numeric code is kept beside its source. Where that may not be written (the image, a shared machine), numba
# finds no other place by itself and refuses to compile at all.
if not os.access(BASE_DIR / "mining" / "hardness", os.W_OK):
    os.environ.setdefault("NUMBA_CACHE_DIR", str(DATA_DIR / "compiled"))

DEBUG = False
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "hardness_site.urls"
WSGI_APPLICATION = "hardness_site.wsgi.application"

INSTALLED_APPS = [
    "hardness_site",  # first: its templates go before Django's
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "ninja",
    "hardness_site.jobs",
    "annotations",
    "mining",
]

MIDDLEWARE = [
    "hardness_site.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "hardness_site.middleware.SignInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# People
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "sesame.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
SESAME_ONE_TIME = True
SESAME_MAX_AGE = 7 * 24 * 3600
# A session row would cost every submit a query, a third of its time: the signed cookie costs none.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True

# Files: images by their sha256 in `default`, computed tables in `artifacts`.
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("HARDNESS_STATIC_DIR", default=str(DATA_DIR / "static"))).expanduser().resolve()
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(DATA_DIR / "media"), "base_url": None},
    },
    "artifacts": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(DATA_DIR / "artifacts"), "base_url": None},
    },
    "staticfiles": {"BACKEND": "hardness_site.static_files.StaticFiles"},
}
FILE_UPLOAD_TEMP_DIR = None
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
WHITENOISE_MAX_AGE = 3600

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "style-src": [SELF],
        "script-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# Background work: JSON only, delivered at least once, so every job claims its row before it starts.
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A process that has forked loads the stages of a round before it says that it is up; after four seconds, Celery's own
# patience, it would be killed on a busy machine.
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 60.0
CELERY_TIMEZONE = TIME_ZONE
# Short regular tasks have a worker of their own, for they must not wait behind jobs of an hour. A tick that could not
# be worked off before the next one is worth nothing: it expires instead of piling up.
CELERY_BEAT_SCHEDULE = {
    "recover lost jobs": {"task": "jobs.recover", "schedule": 20.0, "options": {"expires": 20.0}},
    "return abandoned leases": {"task": "annotations.return_leases", "schedule": 30.0, "options": {"expires": 30.0}},
    "rank queues": {"task": "mining.rank_queues", "schedule": 10.0, "options": {"expires": 10.0}},
    "follow new trials": {"task": "mining.queue_people", "schedule": 2.0, "options": {"expires": 2.0}},
    "send webhooks": {"task": "mining.send_webhooks", "schedule": 5.0, "options": {"expires": 5.0}},
    "start due rounds": {"task": "mining.start_due_rounds", "schedule": 60.0, "options": {"expires": 60.0}},
    "continue rounds": {"task": "mining.advance_rounds", "schedule": 30.0, "options": {"expires": 30.0}},
}
CELERY_TASK_ROUTES = {entry["task"]: {"queue": "housekeeping"} for entry in CELERY_BEAT_SCHEDULE.values()}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A broker that hangs must not hang a request with it: the job waits in its row, and is sent when the broker is back.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "socket_timeout": 5, "socket_connect_timeout": 3}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.2, "interval_max": 0.2}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "run" / "beat-schedule")

JOB_HEARTBEAT_SECONDS = 5
JOB_LOST_AFTER_SECONDS = 60
JOB_MAX_ATTEMPTS = 3

# Webhooks: which addresses inside private networks may be called (none by default), how long an attempt may take, and
# the pauses between attempts: nine of them over some eighteen hours.
WEBHOOK_NETWORKS = env.list("HARDNESS_WEBHOOK_NETWORKS", default=[])
WEBHOOK_CONNECT_SECONDS = 5.0
WEBHOOK_TOTAL_SECONDS = 15.0
WEBHOOK_RETRY_SECONDS = env.list(
    "HARDNESS_WEBHOOK_RETRY_SECONDS", cast=float, default=[5.0, 30.0, 120.0, 600.0, 1800.0, 7200.0, 18_000.0, 36_000.0]
)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}

# SQLite as a multi-writer database: WAL so that readers never wait, IMMEDIATE so that a transaction that will
# write takes its lock first instead of failing half-way, FULL so that what was acknowledged survives a power cut.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; "
    "PRAGMA cache_size=-32000; PRAGMA wal_autocheckpoint=4000;",
}


def database_from(url: str) -> dict:
    """Return Django's settings for the database at `url`, with the options its kind needs."""
    database = env.db_url_config(url)
    if database["ENGINE"].endswith("sqlite3"):
        database["ENGINE"] = "hardness_site.sqlite"
        database["OPTIONS"] = SQLITE_OPTIONS
        database["CONN_MAX_AGE"] = None
    else:
        database["CONN_MAX_AGE"] = 60
        database["CONN_HEALTH_CHECKS"] = True
        # Statements that bind their values on the server (annotations.services.statements.fetch_prepared) are planned
        # once for a connection, from the fifth time on. The ORM's are not: it binds them here.
        database["OPTIONS"] = {"prepare_threshold": 5, **database.get("OPTIONS", {})}
    return database
