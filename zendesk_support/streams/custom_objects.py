"""Custom objects: what the account keeps besides tickets, users and organizations."""

from __future__ import annotations

from zendesk_support.reading.below import Below
from zendesk_support.reading.each_export import EachExport
from zendesk_support.reading.envelopes import ONE_ANSWER
from zendesk_support.reading.exports import CursorExport
from zendesk_support.reading.lists import Listing
from zendesk_support.streams.base import LISTED, Stream, columns, feed
from zendesk_support.streams.configuration import CUSTOM_FIELD_COLUMNS, CUSTOM_FIELD_NOTES
from zendesk_support.streams.derived import REMOVE_RECORDS, present_records
from zendesk_support.streams.ticket_setup import RAW

OBJECT_LIST = Listing("custom_objects", "custom_objects", envelope=ONE_ANSWER, names=("key",))
FIELD_LIST = Listing("custom_objects/{key}/fields", "custom_object_fields")
RECORD_EXPORT = CursorExport(
    "incremental/custom_objects/{key}/cursor", "custom_object_records", time="updated_at", ends_by_meta=True
)
EACH_OBJECT = EachExport(OBJECT_LIST, RECORD_EXPORT, {"custom_object_key": "key"}, days=30)
PLAN = "Suite, or Support Enterprise"


CUSTOM_OBJECTS = Stream(
    name="custom_objects",
    doc="A kind of record that the account keeps, such as cars or contracts.",
    feeds=feed(OBJECT_LIST),
    columns=columns(
        text="""
            key created_by_user_id description raw_description raw_title raw_title_pluralized title title_pluralized
            updated_by_user_id url
        """,
        timestamp="created_at updated_at",
        bool="allows_attachments allows_photos include_in_list_view",
    ),
    key=("key",),
    plan=PLAN,
    notes={
        "allows_attachments": "files can be attached to its records",
        "allows_photos": "its records can have a picture",
        "created_by_user_id": "a string in Zendesk",
        "include_in_list_view": "false: only admins see its list of records",
        "key": "what paths, lookup fields and custom_object_fields name it by",
        **dict.fromkeys(("raw_description", "raw_title", "raw_title_pluralized"), RAW),
        "updated_by_user_id": "a string in Zendesk",
    },
    deletes=LISTED,
    family="custom_objects",
    default_set=2,
)

CUSTOM_OBJECT_FIELDS = Stream(
    name="custom_object_fields",
    doc="A field that records of a custom object have besides name and external id.",
    feeds=feed(Below(OBJECT_LIST, FIELD_LIST, {"custom_object_key": "key"})),
    columns={
        **columns(text="custom_object_key", bool="readonly required", json="properties"),
        **CUSTOM_FIELD_COLUMNS,
    },
    key=("custom_object_key", "id"),
    plan=PLAN,
    notes={
        **CUSTOM_FIELD_NOTES,
        "custom_object_key": "custom_objects.key of the object it belongs to",
        "key": "name of the field in a record's custom_object_fields",
        "properties": "{allowed_currencies, is_unique, rollup_aggregation_type and others}, by the field's type",
        "readonly": "Zendesk works the value out, as in roll-ups",
        "required": "a record must have a value",
    },
    deletes=LISTED,
    family="custom_objects",
    default_set=None,
)

CUSTOM_OBJECT_RECORDS = Stream(
    name="custom_object_records",
    doc="A record of a custom object.",
    feeds=feed(EACH_OBJECT, present_records, REMOVE_RECORDS),
    columns=columns(
        text="custom_object_key id created_by_user_id external_id name updated_by_user_id url",
        timestamp="created_at updated_at",
        json="custom_object_fields",
    ),
    key=("custom_object_key", "id"),
    cursor="updated_at",
    version="updated_at",
    dropped=frozenset({"photo"}),
    plan=PLAN,
    notes={
        "created_by_user_id": "a string in Zendesk",
        "custom_object_fields": "{key of a field: value}; types depend on the field",
        "custom_object_key": "custom_objects.key of the object it belongs to",
        "external_id": "id in your own system",
        "id": "ULID",
        "updated_by_user_id": "a string in Zendesk",
    },
    deletes="Removed once it is deleted, and with its object.",
    counts=("custom_objects/{part}/records/count",),
    months_of="created_at",
    family="custom_objects",
    default_set=None,
)

STREAMS = (
    CUSTOM_OBJECTS,
    CUSTOM_OBJECT_FIELDS,
    CUSTOM_OBJECT_RECORDS,
)
