"""Reads an account with zenpy, inside zenpy's own environment.

Usage: python drive_zenpy.py JOB; the job names the address, the credentials and the file for the result.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

Reads = dict[str, tuple[str, Callable[[], Iterable[Any]]]]


def each(parents: Callable[[], Iterable[Any]], children: Callable[[Any], Iterable[Any]]) -> Iterable[Any]:
    """Yield the children of each parent."""
    for parent in list(parents()):
        yield from children(parent)


def talk_reads(client: Any) -> Reads:
    """Return the reads of Talk."""
    talk = client.talk

    def availabilities() -> Iterable[Any]:
        for agent in list(talk.agents_activity()):
            yield {"agent_id": agent.agent_id, **talk.availability(id=agent.agent_id).to_dict()}

    return {
        "calls": ("calls", lambda: talk.calls.incremental(start_time=0)),
        "call legs": ("call_legs", lambda: talk.legs.incremental(start_time=0)),
        "phone numbers": ("phone_numbers", talk.phone_numbers),
        "agents on the phone": ("agents_activity", talk.agents_activity),
        "availability of each agent": ("agents_activity", availabilities),
        "calls waiting": ("current_queue_activity", lambda: [talk.current_queue_activity()]),
        "calls of the day": ("account_overview", lambda: [talk.account_overview()]),
    }


def chat_reads(client: Any) -> Reads:
    """Return the reads of Chat, and of the work that agents were given."""
    chats = client.chats

    def bans() -> Iterable[Any]:
        found = chats.bans().to_dict()
        return [*found["visitor"], *found["ip_address"]]

    return {
        "chats": ("chats", lambda: chats.incremental(start_time=0)),
        "chats in small pages": ("chats", lambda: chats.incremental(start_time=0, limit=200)),
        "chat account": ("chat_account", lambda: [chats.accounts()]),
        "chat agents": ("chat_agents", chats.agents),
        "chat departments": ("chat_departments", chats.departments),
        "chat shortcuts": ("chat_shortcuts", chats.shortcuts),
        "chat triggers": ("chat_triggers", chats.triggers),
        "chat goals": ("chat_goals", chats.goals),
        "chat bans": ("chat_bans", bans),
        "engagements": ("engagements", client.engagements.fetch_all),
        "webhook invocations": ("webhook_invocations", lambda: each(client.webhooks.list, client.webhooks.invocations)),
    }


def guide_reads(guide: Any) -> Reads:
    """Return the reads of help centers."""
    articles, sections, categories, topics, posts = (
        getattr(guide, name) for name in ("articles", "sections", "categories", "topics", "posts")
    )

    def votes_of(parents: Any, comments: Any) -> Iterable[Any]:
        for parent in list(parents()):
            for comment in list(parents.comments(parent)):
                yield from comments.comment_votes(parent, comment)

    return {
        "articles by time": ("articles", lambda: articles.incremental(start_time=0)),
        "articles listed": ("articles", articles),
        "article comments": ("article_comments", lambda: each(articles, articles.comments)),
        "article votes": ("article_votes", lambda: each(articles, articles.votes)),
        "article comment votes": ("article_comment_votes", lambda: votes_of(articles, articles)),
        "article attachments": ("article_attachments", lambda: each(articles, guide.attachments)),
        "article translations": ("article_translations", lambda: each(articles, articles.translations)),
        "article followers": ("article_subscriptions", lambda: each(articles, articles.subscriptions)),
        "article labels": ("article_labels", guide.labels),
        "categories": ("categories", categories),
        "category translations": ("category_translations", lambda: each(categories, categories.translations)),
        "sections": ("sections", sections),
        "section translations": ("section_translations", lambda: each(sections, sections.translations)),
        "section followers": ("section_subscriptions", lambda: each(sections, sections.subscriptions)),
        "topics": ("topics", topics),
        "topic followers": ("topic_subscriptions", lambda: each(topics, topics.subscriptions)),
        "posts": ("posts", posts),
        "post comments": ("post_comments", lambda: each(posts, posts.comments)),
        "post votes": ("post_votes", lambda: each(posts, posts.votes)),
        "post comment votes": ("post_comment_votes", lambda: votes_of(posts, posts.comments)),
        "post followers": ("post_subscriptions", lambda: each(posts, posts.subscriptions)),
        "user segments": ("user_segments", guide.user_segments),
        "permission groups": ("permission_groups", guide.permission_groups),
        "content tags": ("content_tags", guide.content_tags),
    }


def reads(client: Any) -> Reads:
    """Return for each read the stream it reads and how."""
    tickets, users = client.tickets, client.users

    def comment_events() -> Iterable[Any]:
        for event in tickets.events(start_time=0, include="comment_events"):
            yield from (child for child in event.child_events if child["event_type"] == "Comment")

    return {
        # These come first: zenpy finds the end of exports without a mark only while their last row is young.
        **talk_reads(client),
        "ticket metric events": ("ticket_metric_events", lambda: tickets.metrics_incremental(start_time=0)),
        "tickets by cursor": ("tickets", lambda: tickets.incremental(start_time=0)),
        "tickets by time": ("tickets", lambda: tickets.incremental(start_time=0, paginate_by_time=True)),
        "tickets in small pages": ("tickets", lambda: tickets.incremental(start_time=0, per_page=40)),
        "tickets listed": ("tickets", tickets),
        "tickets listed by offset": ("tickets", lambda: tickets(cursor_pagination=False)),
        "tickets searched": ("tickets", lambda: client.search_export(type="ticket")),
        "deleted tickets": ("deleted_tickets", tickets.deleted),
        "ticket events": ("ticket_events", lambda: tickets.events(start_time=0)),
        "comment events": ("ticket_comments", comment_events),
        "comments of each ticket": ("ticket_comments", lambda: each(tickets, tickets.comments)),
        "audits": ("ticket_audits", tickets.audits),
        "audits by page": ("ticket_audits", lambda: tickets.audits(cursor_pagination=True)),
        "audits of each ticket": ("ticket_audits_all", lambda: each(tickets, tickets.audits)),
        "metrics of each ticket": ("ticket_metrics", lambda: map(tickets.metrics, list(tickets()))),
        "ticket metrics": ("ticket_metrics", client.ticket_metrics),
        "ticket skips": ("ticket_skips", client.skips),
        "satisfaction ratings": ("satisfaction_ratings", client.satisfaction_ratings),
        "activities": ("ticket_activities", client.activities),
        "tags": ("tags", client.tags),
        "users by cursor": ("users", lambda: users.incremental(start_time=0)),
        "users by time": ("users", lambda: users.incremental(start_time=0, paginate_by_time=True)),
        "users listed": ("users", users),
        "users searched": ("users", lambda: client.search_export(type="user")),
        "deleted users": ("users", users.deleted),
        "identities of each user": ("user_identities", lambda: each(users, lambda row: users.identities(id=row.id))),
        "user fields": ("user_fields", client.user_fields),
        "organizations by time": ("organizations", lambda: client.organizations.incremental(start_time=0)),
        "organizations listed": ("organizations", client.organizations),
        "organization fields": ("organization_fields", client.organization_fields),
        "organization memberships": ("organization_memberships", client.organization_memberships),
        "groups": ("groups", client.groups),
        "group memberships": ("group_memberships", client.group_memberships),
        "custom roles": ("custom_roles", client.custom_agent_roles),
        "custom statuses": ("custom_statuses", client.custom_statuses),
        "ticket fields": ("ticket_fields", client.ticket_fields),
        "ticket forms": ("ticket_forms", client.ticket_forms),
        "brands": ("brands", client.brands),
        "macros": ("macros", client.macros),
        "triggers": ("triggers", client.triggers),
        "automations": ("automations", client.automations),
        "sla policies": ("sla_policies", client.sla_policies),
        "views": ("views", client.views),
        "webhooks": ("webhooks", client.webhooks.list),
        "suspended tickets": ("suspended_tickets", client.suspended_tickets),
        "targets": ("targets", client.targets),
        "locales": ("locales", client.locales),
        "support addresses": ("recipient_addresses", client.recipient_addresses),
        "sharing agreements": ("sharing_agreements", client.sharing_agreements),
        "dynamic content": ("dynamic_content_items", client.dynamic_content),
        **chat_reads(client),
        **guide_reads(client.help_center),
    }


def plain(row: Any) -> Any:
    """Return a row as it was in the answer, as far as zenpy keeps it."""
    return row if isinstance(row, dict) else row.to_dict()


def connect(job: dict[str, Any]) -> Any:
    """A client of the job's account."""
    address = urlsplit(job["url"])
    os.environ["ZENPY_FORCE_SCHEME"] = address.scheme
    os.environ["ZENPY_FORCE_NETLOC"] = address.netloc
    from zenpy import Zenpy

    credentials = job["credentials"]
    return Zenpy(subdomain="simulator", email=credentials["email"], token=credentials["api_token"])


def main(job: dict[str, Any]) -> dict[str, Any]:
    """Read everything; return the rows by read, and what went wrong."""
    client = connect(job)
    found: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for label, (stream, read) in reads(client).items():
        if job["only"] and label not in job["only"]:
            continue
        print(label, file=sys.stderr, flush=True)
        try:
            found[label] = {"stream": stream, "rows": [plain(row) for row in read()]}
        except Exception:
            errors[label] = traceback.format_exc()
    return {"reads": found, "errors": errors}


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text())
    Path(given["result"]).write_text(json.dumps(main(given), default=str))
