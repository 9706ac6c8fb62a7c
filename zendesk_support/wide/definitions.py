"""Which views there are, and what of a row's nested values each gives a column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zlib import crc32

from zendesk_support.wide.fields import slug

SUFFIX = "_wide"
LONGEST = 30
"""Of a custom object's key in a view's name, where that needs a number besides: Postgres takes names of 63 bytes."""
MINUTES = (
    "agent_wait_time_in_minutes",
    "first_resolution_time_in_minutes",
    "full_resolution_time_in_minutes",
    "on_hold_time_in_minutes",
    "reply_time_in_minutes",
    "requester_wait_time_in_minutes",
)


@dataclass(frozen=True)
class CustomFields:
    """Where the custom fields of a table are listed, and where its rows have their values.

    Attributes:
        stream: that lists the fields.
        column: of the row with the values.
        by_id: whether that is a list of {id, value}; else it is an object, by the fields' keys.
    """

    stream: str
    column: str
    by_id: bool = False


@dataclass(frozen=True)
class Scalar:
    """A value inside a JSON column that gets a column of its own.

    Attributes:
        column: the JSON column.
        key: of the value in it.
        is_integer: whether it is a number without fraction; else it is a text.
    """

    column: str
    key: str
    is_integer: bool = False


@dataclass(frozen=True)
class WideView:
    """One view: `<stream>_wide`, or `custom_object_<key>_wide` for the records of one custom object.

    Attributes:
        stream: whose rows it shows.
        scalars: by the name of their column.
        lists: JSON columns that are lists, with whether they hold ids; else they hold texts.
        custom: the custom fields, where there are any.
        of: the custom object's key.
    """

    stream: str
    scalars: Mapping[str, Scalar] = field(default_factory=dict)
    lists: Mapping[str, bool] = field(default_factory=dict)
    custom: CustomFields | None = None
    of: str = ""

    @property
    def kept_as(self) -> str:
        """What names its custom fields in the tables that remember them."""
        return f"{self.stream}/{self.of}" if self.of else self.stream

    def name(self, table: str) -> str:
        """Its name, by that of the table below; keys that no plain name can hold get a number of their own."""
        if not self.of:
            return f"{table}{SUFFIX}"
        plain = slug(self.of)
        own = plain if plain == self.of else f"{plain[:LONGEST]}_{crc32(self.of.encode()):08x}"
        return f"custom_object_{own}{SUFFIX}"

    @property
    def made_of(self) -> frozenset[str]:
        """The streams that it has its rows and columns of."""
        return frozenset({self.stream, *({self.custom.stream} if self.custom else ())})


VIEWS = (
    WideView(
        "tickets",
        scalars={
            "channel": Scalar("via", "channel"),
            "satisfaction_score": Scalar("satisfaction_rating", "score"),
        },
        lists={"tags": False, "collaborator_ids": True, "follower_ids": True, "email_cc_ids": True},
        custom=CustomFields("ticket_fields", "custom_fields", by_id=True),
    ),
    WideView("users", lists={"tags": False}, custom=CustomFields("user_fields", "user_fields")),
    WideView(
        "organizations",
        lists={"tags": False, "domain_names": False},
        custom=CustomFields("organization_fields", "organization_fields"),
    ),
    WideView(
        "ticket_metrics",
        scalars={
            **{f"{name}__{clock}": Scalar(name, clock, True) for name in MINUTES for clock in ("business", "calendar")},
            "reply_time_in_seconds__calendar": Scalar("reply_time_in_seconds", "calendar", True),
        },
    ),
)
OF_OBJECT = WideView("custom_object_records", custom=CustomFields("custom_object_fields", "custom_object_fields"))
"""The view of each custom object, without its key."""
