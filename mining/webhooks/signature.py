"""Signatures after the Standard Webhooks scheme: HMAC-SHA256 over id, time stamp and body.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, version 1.0.0. Libraries of
that name check these headers in many languages; docs/outside-trainers.md shows it in ten lines.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence

SECRET_PREFIX = "whsec_"
TOLERANCE_SECONDS = 300
"""Receivers refuse what was signed longer ago (or later) than this: the replay window."""


class SignatureRefused(Exception):
    """The message is not what it says it is; the message says why."""


def secret_text(key: bytes) -> str:
    """Return a key as people copy it: `whsec_` and base64."""
    return SECRET_PREFIX + base64.b64encode(key).decode()


def secret_key(secret: str) -> bytes:
    """Return the key behind a `whsec_…` text; raises `SignatureRefused` for anything else."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise SignatureRefused("The secret is not whsec_ followed by base64.") from None
    if not key:
        raise SignatureRefused("The secret is empty.")
    return key


def sign(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """Return `v1,<base64>` for one message."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret_key(secret), signed, hashlib.sha256).digest()).decode()


def signed_headers(secrets: Sequence[str], *, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the three headers. While a secret is being replaced there are two secrets: either signature is enough."""
    signatures = (sign(secret, message_id=message_id, timestamp=timestamp, body=body) for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def verify(secret: str, *, headers: Mapping[str, str], body: bytes, now: float) -> None:
    """Raise `SignatureRefused` unless the message was signed with the secret and not too long ago."""
    given = {name.lower(): value for name, value in headers.items()}
    missing = [name for name in ("webhook-id", "webhook-timestamp", "webhook-signature") if not given.get(name)]
    if missing:
        raise SignatureRefused(f"There is no header {missing[0]}.")
    try:
        timestamp = int(given["webhook-timestamp"])
    except ValueError:
        raise SignatureRefused("webhook-timestamp is no whole number of seconds.") from None
    if abs(now - timestamp) > TOLERANCE_SECONDS:
        raise SignatureRefused("It was signed too long ago, or one of the two clocks is wrong.")
    expected = sign(secret, message_id=given["webhook-id"], timestamp=timestamp, body=body)
    if not any(hmac.compare_digest(one.encode(), expected.encode()) for one in given["webhook-signature"].split(" ")):
        raise SignatureRefused("The signature does not fit: another secret, or the body was changed.")
