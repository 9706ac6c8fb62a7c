"""What happens to an account between two syncs."""

from __future__ import annotations

from typing import Any

from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE

TICKETS = ("tickets", "ticket_metrics", "ticket_events", "ticket_comments", "ticket_audits", "ticket_skips")

TICKET_CHANGES: dict[str, dict[str, Any]] = {
    "update_tickets": {"count": 5},
    "system_update_tickets": {"count": 4},
    "create_tickets": {"count": 4},
    "delete_tickets": {"count": 3},
    "scrub_tickets": {"count": 2},
    "redact_comments": {"count": 3},
    "make_comments_private": {"count": 2},
    "bulk_update": {"count": 2500},
    "archive_tickets": {"count": 2},
}

CHANGES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("update_tickets", {"count": 3}),
    ("update_users", {"count": 4}),
    ("create_users", {"count": 2}),
    ("deactivate_users", {"count": 2}),
    ("permanently_delete_users", {}),
    ("update_organizations", {"count": 2}),
    ("delete_organizations", {}),
    ("delete_groups", {}),
    ("vote_articles", {"count": 2}),
    ("unvote_articles", {"brand": 1}),
    ("vote_posts", {"count": 2}),
    ("archive_articles", {"brand": 1}),
    ("log_audits", {}),
    ("late_row", {"stream": "organizations"}),
    ("delete_tickets", {}),
    ("create_rows", {"stream": "ticket_activities"}),
    ("create_rows", {"stream": "ticket_skips"}),
    ("update_rows", {"stream": "ticket_skips"}),
    ("create_rows", {"stream": "ticket_collaborators"}),
    ("create_rows", {"stream": "satisfaction_ratings"}),
    ("update_rows", {"stream": "satisfaction_ratings", "count": 2}),
    ("create_rows", {"stream": "user_identities"}),
    ("update_rows", {"stream": "user_identities"}),
    ("remove_rows", {"stream": "user_identities"}),
    ("remove_rows", {"stream": "ticket_collaborators"}),
    ("create_rows", {"stream": "side_conversation_events"}),
    ("create_rows", {"stream": "side_conversations"}),
    ("update_rows", {"stream": "side_conversations"}),
    ("remove_rows", {"stream": "side_conversations"}),
    ("create_rows", {"stream": "conversation_log_events"}),
    ("update_rows", {"stream": "conversation_log_events"}),
    ("create_rows", {"stream": "csat_survey_responses", "count": 2}),
    ("update_rows", {"stream": "csat_survey_responses"}),
    ("remove_rows", {"stream": "csat_survey_responses"}),
    ("create_rows", {"stream": "csat_surveys"}),
    ("update_rows", {"stream": "csat_surveys"}),
    ("create_rows", {"stream": "access_logs", "count": 2}),
    ("create_rows", {"stream": "webhook_invocations", "count": 2}),
    ("update_rows", {"stream": "webhook_invocations"}),
    ("create_rows", {"stream": "organization_merges"}),
    ("update_rows", {"stream": "organization_merges"}),
    ("create_rows", {"stream": "chats", "count": 2}),
    ("update_rows", {"stream": "chats"}),
    ("remove_rows", {"stream": "chats"}),
    ("create_rows", {"stream": "chat_agent_timeline", "count": 2}),
    ("create_rows", {"stream": "custom_object_records"}),
    ("update_rows", {"stream": "custom_object_records"}),
    ("remove_rows", {"stream": "custom_object_records"}),
    ("create_rows", {"stream": "engagements", "count": 2}),
    ("update_rows", {"stream": "engagements"}),
    ("remove_rows", {"stream": "engagements"}),
    ("create_rows", {"stream": "queue_events"}),
    ("create_rows", {"stream": "routing_instance_value_events"}),
    ("create_calls", {"count": 2}),
    ("create_calls", {"age": 3000}),
    ("update_rows", {"stream": "calls"}),
    ("update_rows", {"stream": "call_legs"}),
)

LISTED = tuple(name for name, stream in CATALOGUE.items() if stream.snapshot and not stream.keeps)


def change_all(account: Simulator) -> None:
    """Change what is not listed whole, and some of what is."""
    for kind, parameters in CHANGES:
        account.mutate(kind, **parameters)


def change_lists(account: Simulator) -> None:
    """Create, update and remove rows of every list."""
    for name in LISTED:
        made = account.mutate("create_rows", stream=name, count=2)["ids"]
        account.mutate("update_rows", stream=name, count=1)
        of_votes = {"ids": [lone_vote(account, name, made)]} if name.endswith("_votes") else {}
        account.mutate("remove_rows", stream=name, count=1, **of_votes)


def lone_vote(account: Simulator, name: str, made: list[int]) -> int:
    """A vote of the first brand on something that got no vote: one for another leaves count and sum as they were."""
    votes = [row for row in account.truth(name) if row["brand_id"] == account.account.help_centers[0].brand_id]
    voted_on = {row["item_id"] for row in votes if row["id"] in made or row["created_at"] == row["updated_at"]}
    return next(row["id"] for row in votes if row["item_id"] not in voted_on)
