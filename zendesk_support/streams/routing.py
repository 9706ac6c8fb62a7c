"""Rows of omnichannel routing and skills, as their tables have them."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from zendesk_support.errors import UnavailableError
from zendesk_support.reading.embedded import Embedded
from zendesk_support.reading.envelopes import OneAnswer
from zendesk_support.reading.lists import Listing
from zendesk_support.records.json_rows import NULL, Row, Rows, raw, seconds
from zendesk_support.streams.base import RowContext
from zendesk_support.streams.transforms import needed

ATTRIBUTE_LIST = Listing(
    "routing/attributes",
    "attributes",
    envelope=OneAnswer(side="attribute_values"),
    beside="attribute_values",
)
"""The attributes, with the values of all of them beside where a stream takes them."""
VALUES_BESIDE = Embedded("attribute_values", "routing/attributes/{id}/values", "attribute_id")
VALUES_OF_ATTRIBUTE = Listing("routing/attributes/{id}/values", "attribute_values", envelope=OneAnswer())
ENGAGED = ("engagement_start_time", "engagement_end_time")
QUEUED = ("event_occurred_at", "start_queue_time", "end_queue_time")
NO_ZONE = re.compile(rb'"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?"')
BESIDE_ATTRIBUTES = frozenset({"type", "links", "attributes", "relationships"})
"""What an object of JSON:API has besides its id and its attributes."""

_object: msgspec.json.Decoder[Any] = msgspec.json.Decoder(dict[str, msgspec.Raw])


def in_utc(rows: Rows, *names: str) -> Rows:
    """Rows whose times without a zone are UTC."""
    return [{**row, **{name: zoned(row[name]) for name in names if name in row}} for row in rows]


def zoned(value: msgspec.Raw) -> msgspec.Raw:
    """A time with Z where it has no zone; all else as it is."""
    text = bytes(value)
    return msgspec.Raw(text[:-1] + b'Z"') if NO_ZONE.fullmatch(text) else value


def began_at(rows: Rows) -> Any:
    """When engagements began, Unix seconds."""
    return seconds(in_utc(rows, ENGAGED[0]), ENGAGED[0])


def occurred_at(rows: Rows) -> Any:
    """When events of queues occurred, Unix seconds."""
    return seconds(in_utc(rows, QUEUED[0]), QUEUED[0])


def engagements(rows: Rows, context: RowContext) -> Rows:
    """Engagements with times in UTC."""
    return in_utc(rows, *ENGAGED)


def queue_events(rows: Rows, context: RowContext) -> Rows:
    """Events of queues with times in UTC, and a digest of all their values as id: any of them may be null."""
    return [{**row, "id": raw(digest(row))} for row in in_utc(rows, *QUEUED)]


def digest(row: Row) -> str:
    """What tells a row from every other: 24 characters that follow from its values, in whatever order they come."""
    made = blake2b(digest_size=18)
    for name in sorted(row):
        if (text := bytes(row[name])) != b"null":
            made.update(name.encode() + b"\x1f" + text + b"\x1e")
    return base64.urlsafe_b64encode(made.digest()).decode()


def agent_statuses(rows: Rows, context: RowContext) -> Rows:
    """Statuses with their attributes as columns."""
    return [spread_attributes(row) for row in rows]


def spread_attributes(row: Row) -> Row:
    """An object of JSON:API with its attributes as members of its own."""
    own = {name: value for name, value in row.items() if name not in BESIDE_ATTRIBUTES}
    return {**own, **members(row, "attributes")}


def members(row: Row, name: str) -> dict[str, msgspec.Raw]:
    """The members of an object in a row; none of what is no object."""
    try:
        return dict(_object.decode(row.get(name, NULL)))
    except msgspec.ValidationError:
        return {}


def availabilities(rows: Rows, context: RowContext) -> Rows:
    """Agents with their status as columns, and with the channels and the work that the answer includes."""
    included = {identity(row): row for row in context.side}
    found: Rows = []
    for row in rows:
        attributes = members(row, "attributes")
        status = _status(attributes.pop("agent_status", NULL))
        channels = related(row, "channels", included)
        if channels is None or any(set(channel) <= {"id"} for channel in channels):
            context.job.note("agent_availabilities: answers do not include channels that they name")
        found.append({**attributes, **status, "channels": raw(channels)})
    return found


def _status(value: msgspec.Raw) -> Row:
    of = msgspec.json.decode(value)
    names = ("id", "name", "reason", "updated_at")
    return {f"agent_status_{name}": raw(of.get(name) if isinstance(of, dict) else None) for name in names}


def identity(row: Mapping[str, msgspec.Raw]) -> tuple[bytes, bytes]:
    """What an object of JSON:API is known by."""
    return bytes(row.get("type", NULL)), bytes(row.get("id", NULL))


def related(
    row: Mapping[str, msgspec.Raw], name: str, included: Mapping[tuple[bytes, bytes], Row], depth: int = 2
) -> list[Row] | None:
    """The objects that one of JSON:API relates to, with what these relate to; None where it does not say it.

    Args:
        row: the object.
        name: of the relationship.
        included: the objects of the answer.
        depth: how many relationships are followed one after the other.
    """
    try:
        named = _references.decode(members(members(dict(row), "relationships"), name).get("data", NULL))
    except msgspec.ValidationError:
        return None
    found: list[Row] = []
    for reference in named if isinstance(named, list) else [named]:
        other = included.get(identity(reference), {})
        below = {
            each: raw(objects)
            for each in (members(dict(other), "relationships") if depth > 1 else ())
            if (objects := related(other, each, included, depth - 1)) is not None
        }
        found.append({"id": reference.get("id", NULL), **members(dict(other), "attributes"), **below})
    return found


_references: msgspec.json.Decoder[Any] = msgspec.json.Decoder(list[Row] | Row)


def attribute_values(rows: Rows, context: RowContext) -> Rows:
    """The values beside the attributes; where there are none, or they do not say whose they are, each attribute's own.

    Raises:
        UnavailableError: they are refused, of an attribute that is there.
    """
    if context.side and all("attribute_id" in row for row in context.side):
        return context.side
    return [value for row in rows for value in _values_of(needed(row, "id", context), context)]


def _values_of(attribute: msgspec.Raw, context: RowContext) -> Rows:
    path = VALUES_OF_ATTRIBUTE.path.format(id=msgspec.json.decode(attribute))
    try:
        pages = VALUES_OF_ATTRIBUTE.pages(context.job, path, confirm_refusal=True)
        return [{"attribute_id": attribute, **row} for page, _ in pages for row in page.rows]
    except UnavailableError as error:
        if error.is_gone:
            return []
        raise
