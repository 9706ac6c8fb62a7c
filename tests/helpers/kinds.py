"""The kinds of streams, and one stream of each to stand for the others where a sync of all would show no more."""

from __future__ import annotations

from zendesk_support.reading.below import Below
from zendesk_support.reading.lists import Listing
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.base import Stream, all_rows

Kind = tuple[str, bool, bool, bool]


def kind_of(stream: Stream) -> Kind:
    """What decides the state of a stream.

    That is how it is read, in which envelope, and below what; whether its rows are made of another stream's answers;
    whether other answers amend its rows, or the next run removes some; whether its rows stay though Zendesk
    lists them no longer.
    """
    endpoint = stream.feeds[0].endpoint
    read = type(endpoint).__name__
    if isinstance(endpoint, Below):
        read = f"{read} {type(endpoint.parents).__name__}"
        read = f"{read} changed" if endpoint.is_fixed else read
    if isinstance(endpoint, Listing):
        read = f"{read} {type(endpoint.envelope).__name__}"
    if any(feed.refresh is not None and feed.refresh.is_late for feed in stream.feeds):
        read = f"{read} late"
    return read, stream.feeds[0].transform is not all_rows, len(stream.feeds) > 1, stream.keeps


REPRESENTATIVES = {
    "tickets": "a cursor export",
    "ticket_metrics": "made of another stream's cursor export",
    "ticket_tags": "the same, of whose rows the next run removes some",
    "organizations": "a time export",
    "ticket_events": "a time export whose rows are amended",
    "ticket_comments": "made of another stream's time export, and amended",
    "ticket_audits": "a log that is amended",
    "satisfaction_ratings": "a list since a time",
    "deleted_tickets": "a list since a time that is amended, of rows that stay",
    "ticket_activities": "the same, made of what is listed",
    "ticket_skips": "a list read whole that is amended, of rows that stay",
    "group_memberships": "a list read whole",
    "custom_statuses": "a list in one answer",
    "ticket_field_options": "made of another stream's list",
    "attribute_definitions": "several lists in one answer",
    "account_settings": "one object",
    "jira_links": "a list that goes on after the last row's id",
    "phone_numbers": "a list of pages by their number",
    "agents_activity": "how things stand now, added by each sync",
    "schedule_holidays": "below a list",
    "chats": "an export of Chat",
    "chat_departments": "a bare array",
    "chat_bans": "bare arrays from an id on",
    "trigger_revisions": "the same, where a parent has changed",
    "webhook_invocations": "below a list, of rows that stay",
    "articles": "below the help centers",
    "article_translations": "within the rows of that",
    "user_segments": "below the help center of the default brand",
    "content_subscriptions": "several lists, each below another",
    "article_votes": "below a list that is itself below another",
    "side_conversations": "below a time export, compared with the table",
    "conversation_log_events": "below a cursor export, compared with the table",
    "csat_survey_responses": "a list since a time, some days of which are read again",
    "csat_surveys": "below the account's language, of rows that stay",
    "custom_object_records": "an export of each row of a list",
    "agent_statuses": "lists side by side in pages, with their attributes as columns",
    "attribute_values": "made of what stands beside the rows of a list in one answer",
    "agent_attribute_values": "a list in batches of parents",
    "routing_instance_value_events": "an export by a token",
}
"""Of each kind one stream, and what it stands for."""
KINDS = {kind_of(stream) for stream in CATALOGUE.values()}
STANDING = [kind_of(CATALOGUE[name]) for name in REPRESENTATIVES]
