"""Clients written by others: how each is installed, what it reads, and which rows it cannot see."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from zendesk_support.simulator import Simulator
from zendesk_support.simulator.families.tickets.book import Tickets

Row = dict[str, Any]


class Account:
    """What decides whether a client sees a row."""

    def __init__(self, sim: Simulator) -> None:
        tickets = sim.truth("tickets", columns=["id", "status", "support_type"])
        self.ai = {row["id"] for row in tickets if row["support_type"] == "ai_agent"}
        self.deleted = {row["id"] for row in tickets if row["status"] == "deleted"}
        self.archived = {row["id"] for row in tickets if sim.account.part(Tickets).is_archived(row["id"])}
        self.inactive = {row["id"] for row in sim.truth("users", columns=["id", "active"]) if not row["active"]}
        self.first_brand = sim.truth("brands", columns=["id"])[0]["id"]


Unseen = Callable[[Account, Row], bool]


def ticket(row: Row) -> int:
    return int(row.get("ticket_id", row["id"]))


def ai(account: Account, row: Row) -> bool:
    return ticket(row) in account.ai


def archived(account: Account, row: Row) -> bool:
    return ticket(row) in account.archived


def deleted(account: Account, row: Row) -> bool:
    return ticket(row) in account.deleted


def not_typed(account: Account, row: Row) -> bool:
    return row["type"] != "Comment"


def removed(account: Account, row: Row) -> bool:
    return bool(row.get("deleted") or row.get("deleted_at"))


def inactive(account: Account, row: Row) -> bool:
    return row.get("user_id", row["id"]) in account.inactive


def active(account: Account, row: Row) -> bool:
    return not inactive(account, row)


def other_brand(account: Account, row: Row) -> bool:
    return row["brand_id"] != account.first_brand


def either(*rules: Unseen) -> Unseen:
    return lambda account, row: any(rule(account, row) for rule in rules)


GUIDE = dict.fromkeys(
    (
        "categories",
        "sections",
        "articles",
        "article_attachments",
        "article_comments",
        "article_votes",
        "article_comment_votes",
        "topics",
        "posts",
        "post_comments",
        "post_votes",
        "post_comment_votes",
    ),
    other_brand,
)

# The rows of the truth that a read does not give; docs/foreign_clients.md says why. No entry: it gives all.
UNSEEN: dict[str, dict[str, Unseen]] = {
    "zenpy": {
        "tickets by cursor": ai,
        "tickets by time": ai,
        "tickets in small pages": ai,
        "tickets listed": either(ai, archived, deleted),
        "tickets listed by offset": either(ai, archived, deleted),
        "tickets searched": deleted,
        "ticket events": ai,
        "comment events": either(ai, not_typed),
        "comments of each ticket": either(ai, archived, deleted),
        "audits of each ticket": either(ai, archived, deleted),
        "metrics of each ticket": either(ai, archived, deleted),
        "ticket metrics": archived,
        "users listed": inactive,
        "deleted users": active,
        "identities of each user": inactive,
        "organizations listed": removed,
        "groups": removed,
        **dict.fromkeys(
            (
                "articles by time",
                "articles listed",
                "article comments",
                "article votes",
                "article comment votes",
                "article attachments",
                "article translations",
                "article followers",
                "article labels",
                "categories",
                "category translations",
                "sections",
                "section translations",
                "section followers",
                "topics",
                "topic followers",
                "posts",
                "post comments",
                "post votes",
                "post comment votes",
                "post followers",
            ),
            other_brand,
        ),
    },
    "tap_zendesk": {
        "tickets": ai,
        "ticket_audits": either(ai, deleted),
        "ticket_comments": either(ai, deleted, not_typed),
        "ticket_metrics": ai,
        "groups": removed,
    },
    "airbyte": {
        "tickets": ai,
        "ticket_comments": either(ai, not_typed),
        "ticket_metrics": archived,
        "groups": removed,
        **GUIDE,
    },
    "ingestr": {
        "tickets": ai,
        "ticket_events": ai,
        "ticket_metrics": archived,
        "users": inactive,
        "organizations": removed,
        "groups": removed,
    },
}


@dataclass(frozen=True)
class Client:
    """One client.

    Attributes:
        driver: The file beside this one that drives it, without `drive_`.
        packages: What its environment has.
        reads: How many reads its driver makes.
        unseen: The rows of the truth that a read does not give, if any; docs/foreign_clients.md says why.
        changed: The columns that a read spells otherwise than a complete load; the same page says why.
        alone: Packages installed without what they ask for.
        sizes: Of its account, besides those of all.
        changes: Of its account, after those of all.
    """

    driver: str
    packages: tuple[str, ...]
    reads: int
    unseen: Mapping[str, Unseen] = field(default_factory=dict)
    changed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    alone: tuple[str, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    changes: tuple[tuple[str, Row], ...] = ()


# Airbyte's source reads on until a second has no more than one row; several legs that share the last would have no end.
LAST_LEG = (("update_rows", {"stream": "call_legs", "settle": False}),)
CDK = "airbyte-cdk==6.48.10"
CLIENTS = {
    "zenpy": Client(
        "zenpy",
        ("zenpy==2.0.57",),
        92,
        UNSEEN["zenpy"],
        {"deleted users": ("url",), "permission groups": ("created_at", "updated_at")},
    ),
    "tap_zendesk": Client(
        "tap_zendesk",
        ("tap-zendesk==2.8.2",),
        16,
        UNSEEN["tap_zendesk"],
        {"users": ("shared_phone_number", "two_factor_auth_enabled")},
    ),
    "airbyte": Client(
        "airbyte",
        ("airbyte-source-zendesk-support==4.9.1", CDK),
        41,
        UNSEEN["airbyte"],
        {"categories": ("outdated",), "sections": ("outdated",)},
    ),
    "airbyte_talk": Client(
        "airbyte", (CDK,), 10, alone=("airbyte-source-zendesk-talk==1.0.21",), sizes={"tickets": 4000}, changes=LAST_LEG
    ),
    "airbyte_chat": Client(
        "airbyte",
        ("airbyte-source-zendesk-chat==1.1.1", CDK),
        11,
        changed={"agent_timeline": ("start_time",)},
        sizes={"agents": 230, "users": 400, "chat_bans": 250, "chat_agent_timeline": 1500},
    ),
    "ingestr": Client(
        "ingestr",
        ("dlt==1.21.0",),
        27,
        UNSEEN["ingestr"],
        {"tickets": ("created_at", "updated_at", "due_at")},
        alone=("ingestr==0.14.155",),
        sizes={"tickets": 1500},
    ),
}


def interpreter() -> str:
    """Return a Python that every client can be installed for: Airbyte's source takes none from 3.12 on."""
    if sys.version_info < (3, 12):
        return sys.executable
    for name in ("python3.11", "python3.10"):
        found = shutil.which(name)
        if found and subprocess.run([found, "--version"], capture_output=True).returncode == 0:
            return found
    pytest.skip("needs Python 3.10 or 3.11")
