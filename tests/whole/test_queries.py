"""Every query of docs/queries.md, in each database, against what Python works out from the account's rows."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime
from itertools import pairwise
from statistics import mean, median
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from repository import ROOT
from support import MakePipeline, load

from zendesk_support.simulator import Simulator
from zendesk_support.simulator.clock import iso

PAGE = (ROOT / "docs" / "queries.md").read_text()
STREAMS = (
    "tickets",
    "ticket_metrics",
    "ticket_metric_events",
    "ticket_changes",
    "ticket_fields",
    "satisfaction_ratings",
    "groups",
    "users",
    "organizations",
    "articles",
    "article_votes",
)
UNSOLVED = ("new", "open", "pending", "hold")
NAMES = {"DuckDB": "duckdb", "Postgres": "postgres", "BigQuery": "bigquery"}
Truth = Callable[["Account"], Iterable[tuple[Any, ...]]]
TRUTHS: dict[str, Truth] = {}


def queries_of(database: str) -> dict[str, str]:
    """The query of each heading that is for a database."""
    found = {}
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        for query in re.findall(r"```sql\n(.*?)```", section, re.DOTALL):
            first, _, rest = query.partition("\n")
            if database in {NAMES[name] for name in first.removeprefix("-- ").split(", ")}:
                title = section.partition("\n")[0]
                assert title not in found, f"{title} has two queries for {database}"
                found[title] = rest
    return found


def answers(title: str) -> Callable[[Truth], Truth]:
    """Say which heading's query a function answers."""

    def keep(function: Truth) -> Truth:
        TRUTHS[title] = function
        return function

    return keep


class Account:
    """The rows of an account, as Zendesk has them."""

    def __init__(self, account: Simulator) -> None:
        self._account = account
        self._rows: dict[str, list[dict[str, Any]]] = {}

    def __getitem__(self, stream: str) -> list[dict[str, Any]]:
        if stream not in self._rows:
            self._rows[stream] = self._account.truth(stream)
        return self._rows[stream]

    def by_id(self, stream: str) -> dict[Any, dict[str, Any]]:
        return {row["id"]: row for row in self[stream]}

    def group_name(self, ticket: dict[str, Any]) -> Any:
        return self.by_id("groups").get(ticket["group_id"], {}).get("name")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def month(text: str) -> date:
    return moment(text).date().replace(day=1)


def average(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return mean(known) if known else None


def score(rating: dict[str, Any]) -> float | None:
    return {"good": 1.0, "bad": 0.0}.get(rating["score"])


@answers("Tickets by a custom field")
def by_field(account: Account) -> Iterable[tuple[Any, ...]]:
    [field] = (row for row in account["ticket_fields"] if row["title"] == "Product area")
    labels = {option["value"]: option["name"] for option in field["custom_field_options"]}
    count: Counter[Any] = Counter()
    for row in account["tickets"]:
        if row["status"] != "deleted":
            value = next((pair["value"] for pair in row["custom_fields"] if pair["id"] == field["id"]), None)
            count[labels.get(value, value), row["priority"]] += 1
    return [(*key, number) for key, number in count.items()]


@answers("First reply, by group")
def first_reply(account: Account) -> Iterable[tuple[Any, ...]]:
    tickets, minutes = account.by_id("tickets"), defaultdict(list)
    for row in account["ticket_metrics"]:
        value = row["reply_time_in_minutes"]["business"]
        if value is not None:
            minutes[account.group_name(tickets[row["ticket_id"]])].append(value)
    return [(name, len(values), mean(values), median(values)) for name, values in minutes.items()]


@answers("Resolution and reopens, by month")
def resolution(account: Account) -> Iterable[tuple[Any, ...]]:
    solved = defaultdict(list)
    for row in account["ticket_metrics"]:
        if row["solved_at"]:
            solved[month(row["solved_at"])].append(row)
    for key, rows in solved.items():
        hours = average(row["full_resolution_time_in_minutes"]["calendar"] for row in rows)
        yield key, len(rows), hours and hours / 60, sum(row["reopens"] > 0 for row in rows)


@answers("Satisfaction, by month")
def satisfaction(account: Account) -> Iterable[tuple[Any, ...]]:
    rated = defaultdict(list)
    for row in account["satisfaction_ratings"]:
        rated[month(row["created_at"])].append(row)
    for key, rows in rated.items():
        count = Counter(row["score"] for row in rows)
        yield key, count["good"], count["bad"], average(map(score, rows))


@answers("SLA kept, by policy and group")
def sla(account: Account) -> Iterable[tuple[Any, ...]]:
    policies: dict[Any, Any] = {}
    ends: dict[Any, bool] = {}
    for row in sorted(account["ticket_metric_events"], key=lambda row: (row["time"], row["id"])):
        if row.get("deleted"):
            continue
        key = row["ticket_id"], row["metric"], row["instance_id"]
        if row["type"] == "apply_sla":
            policies[key] = (row["sla"].get("policy") or {}).get("title")
        if row["type"] in ("breach", "fulfill"):
            ends[key] = ends.get(key, False) or row["type"] == "breach"
    tickets, count, kept = account.by_id("tickets"), Counter(), Counter()
    for key, policy in policies.items():
        if policy is not None and key in ends and key[0] in tickets:
            group = policy, account.group_name(tickets[key[0]])
            count[group] += 1
            kept[group] += not ends[key]
    return [(*group, number, kept[group]) for group, number in count.items()]


@answers("Time in each status")
def status_time(account: Account) -> Iterable[tuple[Any, ...]]:
    by_ticket = defaultdict(list)
    for row in account["ticket_changes"]:
        if row["field"] == "status":
            by_ticket[row["ticket_id"]].append(row)
    spells: dict[str, list[float]] = defaultdict(list)
    for rows in by_ticket.values():
        rows.sort(key=lambda row: (row["created_at"], row["event_id"], row["position"]))
        for row, following in pairwise(rows):
            spent = moment(following["created_at"]) - moment(row["created_at"])
            spells[row["value"]].append(spent.total_seconds() / 3600)
    return [(status, len(hours), sum(hours)) for status, hours in spells.items()]


@answers("Created, solved, and what is left, by day")
def backlog(account: Account) -> Iterable[tuple[Any, ...]]:
    rows = account["ticket_metrics"]
    created = Counter(moment(row["created_at"]).date() for row in rows)
    solved = Counter(moment(row["solved_at"]).date() for row in rows if row["solved_at"])
    left = 0
    for day in sorted({*created, *solved}):
        left += created[day] - solved[day]
        yield day, created[day], solved[day], left


@answers("What agents have on their desks")
def desks(account: Account) -> Iterable[tuple[Any, ...]]:
    users, rows = account.by_id("users"), defaultdict(list)
    for row in account["tickets"]:
        if row["status"] in UNSOLVED and row["assignee_id"] in users:
            rows[row["assignee_id"]].append(row)
    for user, own in rows.items():
        urgent = sum(row["priority"] == "urgent" for row in own)
        yield users[user]["name"], len(own), urgent, min(moment(row["created_at"]) for row in own)


@answers("Most used tags")
def tags(account: Account) -> Iterable[tuple[Any, ...]]:
    count = Counter(tag for row in account["tickets"] for tag in row["tags"])
    return sorted(count.items(), key=lambda pair: (-pair[1], pair[0]))[:20]


@answers("Busiest hours")
def hours(account: Account) -> Iterable[tuple[Any, ...]]:
    local = (moment(row["created_at"]).astimezone(ZoneInfo("Europe/Copenhagen")) for row in account["tickets"])
    count = Counter((at.isoweekday(), at.hour) for at in local)
    return [(*key, number) for key, number in count.items()]


@answers("How organizations fare")
def organizations(account: Account) -> Iterable[tuple[Any, ...]]:
    minutes = {
        row["ticket_id"]: row["full_resolution_time_in_minutes"]["calendar"] for row in account["ticket_metrics"]
    }
    ratings = defaultdict(list)
    for row in account["satisfaction_ratings"]:
        ratings[row["ticket_id"]].append(score(row))
    known, rows = account.by_id("organizations"), defaultdict(list)
    for row in account["tickets"]:
        if row["status"] != "deleted" and row["organization_id"] in known:
            rows[row["organization_id"]].append(row)
    for organization, own in rows.items():
        unsolved = sum(row["status"] in UNSOLVED for row in own)
        resolved = average(minutes.get(row["id"]) for row in own)
        rated = average(average(ratings[row["id"]]) for row in own)
        yield known[organization]["name"], len(own), unsolved, resolved, rated


@answers("Articles that do not help")
def articles(account: Account) -> Iterable[tuple[Any, ...]]:
    votes = defaultdict(list)
    for row in account["article_votes"]:
        votes[row["brand_id"], row["item_id"]].append(row["value"])
    for row in account["articles"]:
        own = votes[row["brand_id"], row["id"]]
        if own:
            yield row["brand_id"], row["id"], row["title"], len(own), sum(value < 0 for value in own)


@answers("What happened to one ticket")
def one_ticket(account: Account) -> Iterable[tuple[Any, ...]]:
    users = account.by_id("users")
    for row in account["ticket_changes"]:
        if row["ticket_id"] == 7:
            who = users.get(row["updater_id"], {}).get("name")
            values = (json.dumps(row[name]) for name in ("previous_value", "value"))
            yield moment(row["created_at"]), who, row["field"], *values


def plain(value: Any) -> Any:
    """A value in the one form that all databases' values are compared in."""
    if isinstance(value, (int, float)) or type(value).__name__ == "Decimal":
        return round(float(value), 6)
    if isinstance(value, datetime):
        return value.timestamp()
    return value


def compared(rows: Iterable[Iterable[Any]], title: str, is_decoded: bool = False) -> list[tuple[Any, ...]]:
    """Rows in an order of their own; JSON without regard to how it is written, or decoded by the client already."""
    json_from = 3 if title == "What happened to one ticket" else 99
    listed = []
    for row in map(tuple, rows):
        values = row[json_from:] if is_decoded else map(as_json, row[json_from:])
        listed.append((*map(plain, row[:json_from]), *(json.dumps(value, sort_keys=True) for value in values)))
    return sorted(listed, key=repr)


def as_json(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def take_back(account: Simulator) -> None:
    """Have every third breach deleted, and every fifth policy taken from its target once it has ended."""
    table = account.account.tables["ticket_metric_events"]
    with account.account.lock:
        rows = [table.get(rid) for rid in table.rids]
        for rid in [row["id"] for row in rows if row["type"] == "breach"][::3]:
            table.change(rid)["deleted"] = True
        for row in [row for row in rows if row["type"] == "apply_sla"][::5]:
            rid = table.new_rid()
            sla = {"target": None, "business_hours": False, "policy": None}
            table.add({**row, "id": rid, "sla": sla}, table.stamp(row["id"]) + 1, rid)
            table.get(rid)["time"] = iso(table.stamp(rid))
        account.account.changed()


def test_each_query_answers_its_question(
    make_pipeline: MakePipeline, simulate: Callable[..., Simulator], request: pytest.FixtureRequest
) -> None:
    account, target = simulate(tickets=150), make_pipeline()
    take_back(account)
    load(target, account, *STREAMS, views="on")
    database = request.node.callspec.params["make_pipeline"]
    queries = queries_of(database)
    assert queries.keys() == TRUTHS.keys()
    truths = Account(account)
    with target.sql_client() as client:
        if database != "bigquery":
            client.execute_sql("SET TimeZone = 'Australia/Sydney'")
        for title, query in queries.items():
            rows = client.execute_sql(query.replace("zendesk_support.", f"{target.dataset_name}."))
            expected = compared(TRUTHS[title](truths), title)
            assert compared(rows or (), title, database == "postgres") == expected, title
            assert expected, f"{title} has nothing to answer with"


def test_every_query_is_there_for_each_database() -> None:
    titles = [*queries_of("duckdb")]
    assert len(titles) >= 12
    assert titles == [*queries_of("postgres")] == [*queries_of("bigquery")]
