"""Which views there are, and what of a row's nested values each gives a column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    """One view, `<stream>_wide`.

    Attributes:
        stream: whose rows it shows.
        scalars: by the name of their column.
        lists: JSON columns that are lists, with whether they hold ids; else they hold texts.
        custom: the custom fields, where there are any.
    """

    stream: str
    scalars: Mapping[str, Scalar] = field(default_factory=dict)
    lists: Mapping[str, bool] = field(default_factory=dict)
    custom: CustomFields | None = None

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
SUFFIX = "_wide"
