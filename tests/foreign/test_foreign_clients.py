"""Whether clients written by others read the simulator whole: `pytest -m foreign`.

Each client gets an environment of its own, made once under `ZENDESK_FOREIGN_CLIENTS` or in pytest's cache.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
from environments import environment, kept_in
from foreign_clients import CLIENTS, Account, Client, Row, interpreter
from repository import ROOT

from zendesk_support.simulator import Simulator

pytestmark = pytest.mark.foreign

EXPLAINED = ROOT / "docs" / "foreign_clients.md"
BUCKETS = (
    "account",
    "help_center",
    "guide",
    "incremental_exports",
    "incremental_exports_cursor",
    "deleted_tickets",
    "search_export",
    "tickets_index",
    "ticket_audits",
    "webhooks",
    "chat",
    "talk_exports",
)
SIZES = {"tickets": 300, "chats": 1100, "content_tags": 30}
CHANGES: tuple[tuple[str, Row], ...] = (
    ("archive_tickets", {"count": 6}),
    ("delete_tickets", {"count": 4}),
    ("scrub_tickets", {"count": 2}),
    ("delete_groups", {}),
    ("delete_organizations", {}),
    ("deactivate_users", {"count": 2}),
    ("archive_articles", {"count": 2}),
    ("update_tickets", {"count": 5, "settle": False}),
    ("create_calls", {"settle": False}),
)
BEFORE = 120
"""Seconds that the account's clock moves before a change, and, where it may settle, after it."""
KEYS = {
    "tags": ("name",),
    "engagements": ("engagement_id",),
    "agents_activity": ("agent_id",),
    "current_queue_activity": (),
    "account_overview": (),
    "chat_account": ("account_key",),
    "chat_shortcuts": ("name",),
    "chat_agent_timeline": ("agent_id", "start_time"),
}
"""What names a row, where that is not its id; nothing names the only row."""


def key_of(stream: str, row: Row) -> tuple[Any, ...]:
    if stream == "attribute_definitions":
        return row["title"], row["condition"] if "condition" in row else row["list"].removeprefix("conditions_")
    # Airbyte cuts what is below a second.
    return tuple(row[name][:19] if name == "start_time" else row[name] for name in KEYS.get(stream, ("id",)))


def simulated(client: Client) -> Simulator:
    """An account that has seen changes, the last of them now."""
    steps = sum(2 if params.get("settle", True) else 1 for _, params in (*CHANGES, *client.changes))
    sim = Simulator(
        now=time.time() - BEFORE * steps,
        limits=dict.fromkeys(BUCKETS, 100_000),
        token_lifetime=86_400,
        chat_host=True,
        **{**SIZES, **client.sizes},
    )
    for change, params in (*CHANGES, *client.changes):
        sim.mutate(change, **params)
    return sim


def driven(client: str, python: Path, sim: Simulator, folder: Path) -> dict[str, Any]:
    """What a client reads, by its driver."""
    job, result = folder / "job.json", folder / "result.json"
    addresses = {"url": sim.base_url, "chat_url": sim.chat_url.removesuffix("/api/v2")}
    given = {"client": client, **addresses, "credentials": sim.credentials, "result": str(result), "only": []}
    job.write_text(json.dumps(given))
    driver = Path(__file__).with_name(f"drive_{CLIENTS[client].driver}.py")
    done = subprocess.run([str(python), str(driver), str(job)], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(result.read_text())
    assert found["errors"] == {}
    refused = [(asked["path"], asked["status"]) for asked in sim.requests() if asked["status"] != 200]
    assert refused == []
    return found["reads"]


def plain(value: Any) -> Any:
    """A value in one spelling: a time without zone and empty fraction, nothing for an empty text."""
    return re.sub(r"(?<=T\d\d:\d\d:\d\d)(\.0+)?Z?$", "", value) or None if isinstance(value, str) else value


def values(stream: str, rows: list[Row], truth: list[Row], changed: Collection[str]) -> Iterator[tuple[Any, ...]]:
    """Yield what a client has beside what the truth has, but for keys, lists, objects and what it does not tell."""
    known, left_out = {key_of(stream, row): row for row in truth}, {*KEYS.get(stream, ("id",)), *changed}
    for row in rows:
        key = key_of(stream, row)
        for column, value in known.get(key, {}).items():
            got = plain(row.get(column))
            if got is not None and column not in left_out and not isinstance(value, (dict, list)):
                yield key, column, got, plain(value)


@pytest.mark.parametrize("name", CLIENTS)
def test_a_foreign_client_reads_what_it_can_see(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """L10, L11, L18 and L19 are what these clients miss; the simulator answers them without one error."""
    client = CLIENTS[name]
    place = kept_in(request.config, "foreign_clients") / name
    python = environment(place, client.packages, interpreter(), client.alone)
    with simulated(client) as sim:
        reads = driven(name, python, sim, tmp_path)
        account, unseen, named = Account(sim), client.unseen, {*client.unseen, *client.changed}
        assert len(reads) == client.reads
        assert named <= set(reads)
        explained = EXPLAINED.read_text()
        assert [label for label in named if f"`{label}`" not in explained] == []
        differences: list[tuple[Any, ...]] = []
        for label, read in reads.items():
            stream, rows = read["stream"], read["rows"]
            truth = sim.truth(stream)
            rule = unseen.get(label)
            seen = [row for row in truth if not (rule and rule(account, row))]
            keys, got = ({key_of(stream, row) for row in each} for each in (seen, rows))
            if got != keys:
                differences.append((label, "missing", len(keys - got), "beyond", len(got - keys)))
            if rule and len(seen) == len(truth):
                differences.append((label, "declared, but there is no difference"))
            changed = client.changed.get(label, ())
            compared = list(values(stream, rows, seen, changed))
            if len(compared) < len(seen):
                differences.append((label, "values were compared", len(compared)))
            differences += [(label, *value) for value in compared if value[2] != value[3]]
        assert differences == []
