"""Whether clients written by others read the simulator whole: `pytest -m foreign`.

Each client gets an environment of its own, made once under `ZENDESK_FOREIGN_CLIENTS` or in pytest's cache.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from environments import environment, kept_in
from repository import ROOT

from zendesk_support.simulator import Simulator
from zendesk_support.simulator.families.tickets.book import Tickets

pytestmark = pytest.mark.foreign

EXPLAINED = ROOT / "docs" / "foreign_clients.md"
CLIENTS = {
    "zenpy": ["zenpy==2.0.57"],
    "tap_zendesk": ["tap-zendesk==2.8.2"],
    "airbyte": ["airbyte-source-zendesk-support==4.9.1", "airbyte-cdk==6.48.10"],
}
BUCKETS = (
    "account",
    "help_center",
    "incremental_exports",
    "incremental_exports_cursor",
    "deleted_tickets",
    "search_export",
    "tickets_index",
    "ticket_audits",
)
CHANGES = {
    "archive_tickets": 6,
    "delete_tickets": 4,
    "scrub_tickets": 2,
    "delete_groups": 1,
    "delete_organizations": 1,
    "deactivate_users": 2,
    "archive_articles": 2,
    "update_tickets": 5,
}
PER_CHANGE = 240
"""Seconds of the account's time that one change takes."""

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
                "article attachments",
                "categories",
                "sections",
                "topics",
                "posts",
                "post comments",
                "post votes",
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
}
READS = {"zenpy": 61, "tap_zendesk": 15, "airbyte": 41}


def key_of(stream: str, row: Row) -> tuple[Any, ...]:
    if stream == "attribute_definitions":
        return row["title"], row["list"].removeprefix("conditions_")
    return (row["name"] if stream == "tags" else row["id"],)


def interpreter() -> str:
    """Return a Python that every client can be installed for: Airbyte's source takes none from 3.12 on."""
    if sys.version_info < (3, 12):
        return sys.executable
    for name in ("python3.11", "python3.10"):
        found = shutil.which(name)
        if found and subprocess.run([found, "--version"], capture_output=True).returncode == 0:
            return found
    pytest.skip("needs Python 3.10 or 3.11")


@pytest.mark.parametrize("client", CLIENTS)
def test_a_foreign_client_reads_what_it_can_see(client: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """L10, L11, L18 and L19 are what these clients miss; the simulator answers them without one error."""
    place = kept_in(request.config, "foreign_clients") / client
    python = environment(place, CLIENTS[client], interpreter())
    with Simulator(
        tickets=300,
        now=time.time() - PER_CHANGE * len(CHANGES),
        limits=dict.fromkeys(BUCKETS, 100_000),
        token_lifetime=86_400,
    ) as sim:
        for change, count in CHANGES.items():
            sim.mutate(change, count=count)
        job, result = tmp_path / "job.json", tmp_path / "result.json"
        job.write_text(
            json.dumps({"url": sim.base_url, "credentials": sim.credentials, "result": str(result), "only": []})
        )
        driver = Path(__file__).with_name(f"drive_{client}.py")
        done = subprocess.run([str(python), str(driver), str(job)], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-4000:]
        found = json.loads(result.read_text())
        assert found["errors"] == {}
        refused = [(asked["path"], asked["status"]) for asked in sim.requests() if asked["status"] != 200]
        assert refused == []

        account, unseen = Account(sim), UNSEEN[client]
        assert len(found["reads"]) == READS[client]
        assert set(unseen) <= set(found["reads"])
        explained = EXPLAINED.read_text()
        assert [label for label in unseen if f"`{label}`" not in explained] == []
        differences = []
        for label, read in found["reads"].items():
            stream = read["stream"]
            truth = sim.truth(stream)
            rule = unseen.get(label)
            seen = {key_of(stream, row) for row in truth if not (rule and rule(account, row))}
            got = {tuple(key) for key in read["keys"]}
            if got != seen:
                differences.append((label, "missing", len(seen - got), "beyond", len(got - seen)))
            if rule and len(seen) == len(truth):
                differences.append((label, "declared, but there is no difference"))
        assert differences == []
