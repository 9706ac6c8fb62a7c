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


def reads(client: Any) -> Reads:
    """Return for each read the stream it reads and how."""
    tickets, users, guide = client.tickets, client.users, client.help_center

    def each(parents: Callable[[], Iterable[Any]], children: Callable[[Any], Iterable[Any]]) -> Iterable[Any]:
        for parent in list(parents()):
            yield from children(parent)

    def comment_events() -> Iterable[Any]:
        for event in tickets.events(start_time=0, include="comment_events"):
            yield from (child for child in event.child_events if child["event_type"] == "Comment")

    return {
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
        "ticket metric events": ("ticket_metric_events", lambda: tickets.metrics_incremental(start_time=0)),
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
        "articles by time": ("articles", lambda: guide.articles.incremental(start_time=0)),
        "articles listed": ("articles", guide.articles),
        "article comments": ("article_comments", lambda: each(guide.articles, guide.articles.comments)),
        "article votes": ("article_votes", lambda: each(guide.articles, guide.articles.votes)),
        "article attachments": ("article_attachments", lambda: each(guide.articles, guide.attachments)),
        "categories": ("categories", guide.categories),
        "sections": ("sections", guide.sections),
        "topics": ("topics", guide.topics),
        "posts": ("posts", guide.posts),
        "post comments": ("post_comments", lambda: each(guide.posts, guide.posts.comments)),
        "post votes": ("post_votes", lambda: each(guide.posts, guide.posts.votes)),
    }


def key_of(stream: str, row: Any) -> Any:
    """Return what names a row."""
    name = "name" if stream == "tags" else "id"
    return row[name] if isinstance(row, dict) else getattr(row, name)


def connect(job: dict[str, Any]) -> Any:
    """A client of the job's account."""
    address = urlsplit(job["url"])
    os.environ["ZENPY_FORCE_SCHEME"] = address.scheme
    os.environ["ZENPY_FORCE_NETLOC"] = address.netloc
    from zenpy import Zenpy

    credentials = job["credentials"]
    return Zenpy(subdomain="simulator", email=credentials["email"], token=credentials["api_token"])


def main(job: dict[str, Any]) -> dict[str, Any]:
    """Read everything; return the keys by read, and what went wrong."""
    client = connect(job)
    found: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for label, (stream, read) in reads(client).items():
        if job["only"] and label not in job["only"]:
            continue
        print(label, file=sys.stderr, flush=True)
        try:
            found[label] = {"stream": stream, "keys": [[key_of(stream, row)] for row in read()]}
        except Exception:
            errors[label] = traceback.format_exc()
    return {"reads": found, "errors": errors}


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text())
    Path(given["result"]).write_text(json.dumps(main(given)))
