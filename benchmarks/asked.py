"""How many requests streams need that ask for what hangs below each row of another, counted in an account's rows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Protocol

from zendesk_support.simulator.clock import unix

PAGE, EXPORT_PAGE, REVISIONS, BATCH = 100, 1000, 1000, 100


class Simulated(Protocol):
    """A simulated account, in this process or in another."""

    def truth(self, stream: str, columns: list[str] | None = None) -> list[dict[str, Any]]: ...


def moment(value: Any) -> float:
    """A time column as Unix seconds; a row without one counts always."""
    return unix(value) if isinstance(value, str) else math.inf if value is None else value


def pages_of(rows: float, size: float = PAGE) -> int:
    """Pages that some rows fill; the first tells that there are none."""
    return math.ceil(rows / size) or 1


def below(
    account: Simulated,
    since: float,
    parents: str,
    stream: str,
    column: str,
    key: str = "id",
    size: int = PAGE,
    changed: bool = False,
) -> int:
    """Pages of what hangs below each row of a list; below those alone that have changed, where that is asked."""
    rows = Counter(row[column] for row in account.truth(stream, [column]))
    asked = [
        row[key]
        for row in account.truth(parents, [key, "updated_at"])
        if not changed or moment(row["updated_at"]) >= since
    ]
    return sum(pages_of(rows[parent], size) for parent in asked)


def merges(account: Simulated, since: float) -> int:
    """Pages of organizations, and one request for the merges of each; both of its two list one that is under way."""
    organizations = [row["id"] for row in account.truth("organizations", ["id", "deleted_at"]) if not row["deleted_at"]]
    named = account.truth("organization_merges", ["winner_id", "loser_id"])
    rows = Counter(parent for row in named for parent in {row["winner_id"], row["loser_id"]})
    return pages_of(len(organizations)) + sum(pages_of(rows[parent]) for parent in organizations)


def follower_pages(account: Simulated, since: float) -> int:
    """Pages of the followers of each section and topic."""
    of = {"Section": "sections", "Topic": "topics"}
    columns = ["brand_id", "content_type", "content_id"]
    rows = Counter(tuple(row.values()) for row in account.truth("content_subscriptions", columns))
    followed = [
        (row["brand_id"], kind, row["id"])
        for kind, stream in of.items()
        for row in account.truth(stream, ["brand_id", "id"])
    ]
    return sum(pages_of(rows[each]) for each in followed)


def tickets_with_news(account: Simulated, since: float) -> int:
    """Tickets of which the export of side conversations has an event."""
    events = account.truth("side_conversation_events", ["ticket_id", "created_at"])
    return len({event["ticket_id"] for event in events if moment(event["created_at"]) >= since})


def message_pages(account: Simulated, since: float) -> int:
    """Pages of the conversations of messaging tickets that have changed."""
    messages = Counter(row["ticket_id"] for row in account.truth("conversation_log_events", ["ticket_id"]))
    tickets = account.truth("tickets", ["id", "from_messaging_channel", "generated_timestamp", "status"])
    changed = [row for row in tickets if row["generated_timestamp"] >= since and row["status"] != "deleted"]
    return sum(pages_of(messages[row["id"]]) for row in changed if row["from_messaging_channel"])


def survey_pages(account: Simulated, since: float) -> int:
    """The account's language, and the list in it."""
    return 2


def record_pages(account: Simulated, since: float) -> int:
    """Pages of the exports of all custom objects."""
    changed = Counter(
        row["custom_object_key"]
        for row in account.truth("custom_object_records", ["custom_object_key", "updated_at"])
        if moment(row["updated_at"]) >= since
    )
    return sum(pages_of(changed[row["key"]], EXPORT_PAGE) for row in account.truth("custom_objects", ["key"]))


def skill_pages(account: Simulated, since: float) -> int:
    """Pages of agents, and of the skills of each batch of them."""
    agents = [row["id"] for row in account.truth("users", ["id", "role", "active"]) if is_agent(row)]
    skills = Counter(row["agent_id"] for row in account.truth("agent_attribute_values", ["agent_id"]))
    batches = [agents[low : low + BATCH] for low in range(0, len(agents), BATCH)]
    return pages_of(len(agents)) + sum(pages_of(sum_of(skills, batch)) for batch in batches)


def sum_of(counts: Mapping[Any, int], keys: Iterable[Any]) -> int:
    return sum(counts.get(key, 0) for key in keys)


def is_agent(user: Mapping[str, Any]) -> bool:
    """Whether the list of agents has a user."""
    return bool(user["active"]) and user["role"] != "end-user"


Count = Callable[[Simulated, float], int]
ASKED: Mapping[str, Count] = {
    "schedule_holidays": partial(below, parents="schedules", stream="schedule_holidays", column="schedule_id"),
    "custom_object_fields": partial(
        below, parents="custom_objects", stream="custom_object_fields", column="custom_object_key", key="key"
    ),
    "csat_surveys": survey_pages,
    "side_conversations": tickets_with_news,
    "conversation_log_events": message_pages,
    "custom_object_records": record_pages,
    "agent_attribute_values": skill_pages,
    "trigger_revisions": partial(
        below, parents="triggers", stream="trigger_revisions", column="trigger_id", size=REVISIONS, changed=True
    ),
    "webhook_invocations": partial(below, parents="webhooks", stream="webhook_invocations", column="webhook_id"),
    "organization_merges": merges,
    "content_subscriptions": follower_pages,
}
"""Streams that ask below each row of another, and how many requests they need from an account and a second on."""
