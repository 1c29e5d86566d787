"""What `manage.py check` says of a site that cannot work as it is configured."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from .health import check_broker


@register(Tags.files)
def data_folder_can_be_written(**kwargs: Any) -> list[CheckMessage]:
    """Check that images and tables can be stored."""
    folder = Path(settings.DATA_DIR)
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        return [
            Error(
                f"The data folder {folder} cannot be written ({error.strerror}).",
                hint="Make it writable, or name another in HARDNESS_DATA_DIR.",
                id="hardness_site.E001",
            )
        ]
    return []


@register(Tags.security)
def secret_key_is_a_secret(**kwargs: Any) -> list[CheckMessage]:
    """Check that the key which signs sessions and sign-in links cannot be guessed."""
    key = settings.SECRET_KEY
    if len(key) >= 32 and len(set(key)) >= 8:
        return []
    return [
        Error(
            "SECRET_KEY is too short or too simple: with it anybody could sign in as anybody.",
            hint="Set it to a long random text, for example from: openssl rand -hex 32",
            id="hardness_site.E002",
        )
    ]


@register("broker", deploy=True)
def broker_answers(**kwargs: Any) -> list[CheckMessage]:
    """Check that jobs can be handed to workers. Only with --deploy: commands work without workers."""
    try:
        check_broker()
    except Exception as error:
        return [
            Warning(
                f"The broker does not answer ({type(error).__name__}): jobs wait until it does.",
                hint="Start the site with `manage.py serve`, or look at REDIS_URL.",
                id="hardness_site.W001",
            )
        ]
    return []


@register(Tags.security)
def webhook_settings_can_be_read(**kwargs: Any) -> list[CheckMessage]:
    """Check the networks that webhooks may call, and the pauses between attempts."""
    problems: list[CheckMessage] = []
    for text in settings.WEBHOOK_NETWORKS:
        try:
            ip_network(text.strip() or "0.0.0.0")
        except ValueError as error:
            problems.append(
                Error(
                    f"HARDNESS_WEBHOOK_NETWORKS: {error}.",
                    hint="Addresses or networks with commas between, for example 127.0.0.1,10.1.0.0/16.",
                    id="hardness_site.E003",
                )
            )
    if any(not 0 < pause < 31 * 24 * 3600 for pause in settings.WEBHOOK_RETRY_SECONDS):
        problems.append(
            Error("HARDNESS_WEBHOOK_RETRY_SECONDS: each pause is above 0 and below a month.", id="hardness_site.E004")
        )
    return problems
