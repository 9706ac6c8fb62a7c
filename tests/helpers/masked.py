"""Masks for streams of every kind, and what they leave of a row, worked out value by value."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import msgspec

SALT = "a salt for tests, and for nothing else"
MASKS: dict[str, dict[str, list[str]]] = {
    "users": {
        "exclude": ["phone", "photo", "notes", "details", "signature", "user_fields.birthday"],
        "hash": ["email", "name", "user_fields.loyalty_no"],
    },
    "user_identities": {"exclude": ["url"], "hash": ["value"]},
    "tickets": {
        "exclude": ["description", "raw_subject", "via.source.from.name"],
        "hash": ["subject", "requester_id", "via.source.from.address", "custom_fields.value", "tags"],
    },
    "ticket_comments": {
        "exclude": ["html_body", "plain_body", "metadata.system.ip_address"],
        "hash": ["body", "via.source.from.address", "attachments.file_name"],
    },
    "ticket_events": {
        "exclude": ["system", "child_events.html_body", "child_events.plain_body", "metadata.system"],
        "hash": ["child_events.body", "child_events.value", "child_events.via.source.from.address"],
    },
    "ticket_changes": {"hash": ["value", "previous_value"]},
    "ticket_audits": {
        "exclude": ["metadata", "events.html_body", "events.plain_body"],
        "hash": ["events.body", "events.value"],
    },
    "ticket_activities": {
        "exclude": ["actor", "user.name", "title"],
        "hash": ["object.comment.value", "target.ticket.subject"],
    },
    "ticket_skips": {"exclude": ["ticket.description", "ticket.raw_subject"], "hash": ["reason", "ticket.subject"]},
    "groups": {"exclude": ["description"], "hash": ["name"]},
    "group_memberships": {"hash": ["url"]},
    "articles": {"exclude": ["title", "name"], "hash": ["body"]},
}
SETTINGS: dict[str, Any] = {"streams": MASKS, "hash_salt": SALT}


def hashed(value: Any) -> Any:
    """A value's hash, 32 characters of HMAC-SHA-256; null and the empty text as they are."""
    if value in (None, ""):
        return value
    text = value.encode() if isinstance(value, str) else msgspec.json.encode(value)
    return hmac.new(SALT.encode(), text, hashlib.sha256).hexdigest()[:32]


def masked(name: str, row: dict[str, Any]) -> dict[str, Any]:
    """What is left of a row of the API."""
    for path in MASKS.get(name, {}).get("exclude", ()):
        row = changed(row, path.split("."), None)
    for path in MASKS.get(name, {}).get("hash", ()):
        row = changed(row, path.split("."), hashed if "." not in path else each)
    return row


def each(value: Any) -> Any:
    """The hash of a nested value, of a list the hashes of its elements."""
    return [each(item) for item in value] if isinstance(value, list) else hashed(value)


def changed(value: Any, path: list[str], how: Any) -> Any:
    """A value with what a path leads to changed, or taken out."""
    if isinstance(value, list):
        return [changed(item, path, how) for item in value]
    if not isinstance(value, dict) or path[0] not in value:
        return value
    rest = {name: item for name, item in value.items() if name != path[0]}
    if len(path) > 1:
        return {**rest, path[0]: changed(value[path[0]], path[1:], how)}
    return {**rest, path[0]: how(value[path[0]])} if how else rest
