"""Standard Webhooks signatures: HMAC-SHA256 over "id.timestamp.body", under a secret written "whsec_…".

While a secret is being replaced a message bears two signatures; whoever receives it needs one that fits. A secret
without that beginning is taken as it is written, for gateways whose secret somebody typed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from connectors.outcome import BadSignature

PREFIX = "whsec_"
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
WINDOW = timedelta(minutes=5)
"""How far a message's time may lie from ours; older ones may be repeats of somebody who listened."""
LONGEST_ID = 100
LONGEST_STAMP = 11
"""Digits: enough for the year 5138, and never more than a calendar holds."""


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(keys: Iterable[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a message."""
    stamp = str(int(at.timestamp()))
    return {
        ID: message_id,
        TIMESTAMP: stamp,
        SIGNATURE: " ".join(f"v1,{_digest(key, message_id, stamp, body)}" for key in keys),
    }


def verify(keys: Iterable[str], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The message's id, when one of the secrets made one of its signatures and it is of now. Raises BadSignature."""
    given = {name.lower(): value for name, value in headers.items()}
    message_id, stamp, signatures = (given.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not message_id or len(message_id) > LONGEST_ID or not message_id.isascii() or not message_id.isprintable():
        raise BadSignature("The header webhook-id is missing or cannot be read.")
    if not stamp.isdecimal() or not stamp.isascii() or len(stamp) > LONGEST_STAMP:
        raise BadSignature("The header webhook-timestamp is missing or cannot be read.")
    theirs = [one.partition(",")[2] for one in signatures.split()[:10] if one.startswith("v1,")]
    ours = [_digest(key, message_id, stamp, body) for key in keys]
    fits = [hmac.compare_digest(mine.encode(), one.encode()) for mine in ours for one in theirs]
    if not any(fits):
        raise BadSignature("No signature of this message is right.")
    if abs(now - datetime.fromtimestamp(int(stamp), UTC)) > WINDOW:
        raise BadSignature("The call was signed too long ago, or one of the clocks is wrong.")
    return message_id


def _digest(key: str, message_id: str, stamp: str, body: bytes) -> str:
    signed = f"{message_id}.{stamp}.".encode() + body
    return base64.b64encode(hmac.new(_raw(key), signed, hashlib.sha256).digest()).decode()


def _raw(key: str) -> bytes:
    if not key.startswith(PREFIX):
        return key.encode()
    try:
        return base64.b64decode(key.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise BadSignature("The secret behind whsec_ is not base64.") from None
