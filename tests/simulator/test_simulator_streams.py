"""Every stream, read through the API, is what `truth` says."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from simulator_client import Client

from zendesk_support.simulator import Simulator
from zendesk_support.simulator.families import FAMILIES
from zendesk_support.simulator.server.routes import Route

Account = tuple[Simulator, Client]
Make = Callable[..., Account]
QUERIES = {
    "access_logs": "?filter[graphql]=true",
    "groups": "?exclude_deleted=false",
    "ticket_fields": "?creator=true",
    "trigger_categories": "?include=rule_counts",
}
"""What a list must be asked to show all rows and columns."""
PARTIAL = {"ticket_metrics"}
"""Streams whose list lacks rows that another path has."""
ALONE = {
    "account_overview",
    "account_settings",
    "chat_account",
    "chat_agent_timeline",
    "chat_agents",
    "chat_bans",
    "chat_departments",
    "chat_goals",
    "chat_roles",
    "chat_shortcuts",
    "chat_skills",
    "chat_triggers",
    "chats",
    "agent_attribute_values",
    "agent_availabilities",
    "agent_statuses",
    "attribute_values",
    "engagements",
    "queue_events",
    "routing_instance_value_events",
    "attribute_definitions",
    "content_subscriptions",
    "call_legs",
    "calls",
    "conversation_log_events",
    "csat_surveys",
    "current_queue_activity",
    "custom_object_fields",
    "custom_object_records",
    "help_center_locales",
    "help_center_votes",
    "permission_groups",
    "redirect_rules",
    "side_conversations",
    "jira_links",
    "ticket_changes",
    "ticket_collaborators",
    "ticket_comments",
    "ticket_field_options",
    "ticket_metrics",
    "ticket_tags",
    "user_identities",
    "organization_merges",
    "webhook_invocations",
    "ticket_audits_all",
    "user_segments",
}
"""Streams that tests of their own read."""
LEFT_OUT = {
    "app_installations": ("settings", "settings_objects"),
    "lines": ("token",),
    "oauth_clients": ("secret",),
    "oauth_tokens": ("refresh_token", "token"),
    "phone_numbers": ("token",),
    "recipient_addresses": ("domain_verification_code",),
    "targets": ("api_token", "password", "secret", "token", "username"),
    "webhooks": ("authentication.data", "custom_headers", "signing_secret"),
    "workspaces": ("selected_macros",),
}
"""What answers carry and a complete load has not."""
KINDS = {kind.name: kind for family in FAMILIES for kind in family.kinds}
EXPORTS = {
    route.stream: route
    for kind in KINDS.values()
    for route in kind.routes[:1]
    if route.export and not route.help_center and route.stream not in ALONE
}
LISTS = {
    name: (route.path + QUERIES.get(name, ""), route.listing.key)
    for name, kind in KINDS.items()
    for route in kind.routes
    if route.listing and route.stream == name and "{" not in route.path and not route.help_center
    if name not in {*EXPORTS, *PARTIAL, *ALONE} and route.name == name
} | {"ticket_audits": ("/api/v2/ticket_audits", "audits"), "oauth_tokens": ("/api/v2/oauth/tokens?all=true", "tokens")}
CHILDREN = {name: kind for name, kind in KINDS.items() if kind.parent}
GUIDE = [name for name, kind in KINDS.items() if kind.content and not kind.content.parent and name not in ALONE]
GUIDE_CHILDREN = [name for name, kind in KINDS.items() if kind.content and kind.content.parent]


def listed(name: str) -> Route:
    """The list of a stream."""
    return next(route for route in KINDS[name].routes if route.listing)


def by_id(rows: list[dict[str, Any]]) -> dict[Any, Any]:
    """Key rows for comparison, whatever order they came in."""
    return {
        (
            row.get("brand_id") if "html_url" in row or "item_id" in row else 0,
            row.get("id", row.get("name", row.get("key"))),
        ): row
        for row in rows
    }


def without(row: dict[str, Any], members: tuple[str, ...]) -> dict[str, Any]:
    """A row without some members, each given by the names that lead to it."""
    row = deepcopy(row)
    for member in members:
        *above, name = member.split(".")
        place = row
        for each in above:
            place = place.get(each, {})
        place.pop(name, None)
    return row


def read_list(client: Client, path: str, key: str, base: str | None = None) -> list[dict[str, Any]]:
    """Read a whole list, paged or not."""
    first = client.get(path, base).json
    if "meta" not in first and first.get("next_page") is None:
        return list(first[key])
    return [row for page in client.pages(path, base) for row in page[key]]


@pytest.mark.parametrize("stream", LISTS)
def test_list_equals_truth(account: Account, stream: str) -> None:
    sim, client = account
    path, key = LISTS[stream]
    rows = [without(row, LEFT_OUT.get(stream, ())) for row in read_list(client, path, key)]
    assert len(rows) == len(sim.truth(stream)) > 0
    assert by_id(rows) == by_id(sim.truth(stream))


@pytest.mark.parametrize("stream", EXPORTS)
def test_export_equals_truth(account: Account, stream: str) -> None:
    sim, client = account
    export, path = EXPORTS[stream].export, EXPORTS[stream].path
    size = max(1, len(sim.truth(stream)) // 4)
    query = f"start_time=0&per_page={size}&support_type_scope=all&include=comment_events"
    pages = list(client.export(f"{path}?{query}"))
    assert len(pages) > 2
    assert export
    assert by_id([row for page in pages for row in page[export.key]]) == by_id(sim.truth(stream))


@pytest.mark.parametrize("stream", GUIDE)
def test_help_centers_together_equal_truth(account: Account, stream: str) -> None:
    sim, client = account
    route, rows = listed(stream), []
    assert route.listing
    for brand in read_list(client, "/api/v2/brands", "brands"):
        if brand["has_help_center"]:
            found = read_list(client, route.path, route.listing.key, brand["brand_url"])
            rows += [{**row, "brand_id": brand["id"]} for row in found]
    assert by_id(rows) == by_id(sim.truth(stream))
    if stream == "articles":
        assert len({row["id"] for row in rows}) < len(rows), "the help centers share an article id"


@pytest.mark.parametrize("stream", GUIDE_CHILDREN)
def test_help_center_children_equal_truth(account: Account, stream: str) -> None:
    sim, client = account
    route, contents = listed(stream), sim.account.help_centers[0].contents
    assert route.listing
    parents = (contents[stream].parent or ("", ""))[0]
    brands = {row["id"]: row["brand_url"] for row in sim.truth("brands")}
    rows = []
    for parent in sim.truth(parents):
        above = contents[parents].parent
        path = route.path
        for rid in ([parent[above[1]]] if above else []) + [parent["id"]]:
            path = path.replace("{id}", str(rid), 1)
        brand = parent["brand_id"]
        rows += [{**row, "brand_id": brand} for row in read_list(client, path, route.listing.key, brands[brand])]
    assert by_id(rows) == by_id(sim.truth(stream))


@pytest.mark.parametrize("stream", CHILDREN)
def test_lists_of_all_parents_together_equal_truth(account: Account, stream: str) -> None:
    sim, client = account
    parents, column = KINDS[stream].parent or ("", "")
    route, rows = listed(stream), []
    assert route.listing
    for parent in sim.truth(parents):
        path = re.sub(r"\{\w+\}", str(parent["id"]), route.path)
        rows += [{**row, column: parent["id"]} for row in read_list(client, path, route.listing.key)]
    assert len(rows) > len(sim.truth(parents))
    assert by_id(rows) == by_id(sim.truth(stream))
    sim.mutate("remove_rows", stream=parents)
    assert {row[column] for row in sim.truth(stream)} == {row["id"] for row in sim.truth(parents)}
    assert client.get(re.sub(r"\{\w+\}", "7", route.path)).status == 404


def test_every_stream_is_read() -> None:
    assert {*LISTS, *EXPORTS, *GUIDE, *GUIDE_CHILDREN, *CHILDREN, *ALONE} == set(KINDS)


def test_incremental_articles_hold_every_article(account: Account) -> None:
    sim, client = account
    rows = [
        {**row, "brand_id": brand["id"]}
        for brand in sim.truth("brands")
        if brand["has_help_center"]
        for page in client.export(
            f"{brand['brand_url']}/api/v2/help_center/incremental/articles?start_time=0&per_page=9"
        )
        for row in page["articles"]
    ]
    assert by_id(rows) == by_id(sim.truth("articles"))


def test_attribute_definitions_stand_in_two_lists(account: Account) -> None:
    sim, client = account
    found = client.get("/api/v2/routing/attributes/definitions").json["definitions"]
    rows = [{**row, "list": name} for name, rows in found.items() for row in rows]
    assert sorted(map(repr, [dict(sorted(row.items())) for row in rows])) == sorted(
        repr(dict(sorted(row.items()))) for row in sim.truth("attribute_definitions")
    )


def test_metric_sets_of_the_export_equal_truth(account: Account) -> None:
    sim, client = account
    path = "/api/v2/incremental/tickets/cursor?start_time=0&include=metric_sets&support_type_scope=all"
    rows = [row for page in client.export(path) for row in page["tickets"]]
    found = [row["metric_set"] for row in rows if row["metric_set"]]
    assert by_id(found) == by_id(sim.truth("ticket_metrics"))
    assert {row["status"] for row in rows if row["metric_set"] is None} == {"deleted"}
    listed = read_list(client, "/api/v2/ticket_metrics", "ticket_metrics")
    assert 0 < len(listed) < len(found), "the list lacks archived tickets"


def test_comments_of_a_ticket_agree_with_the_export(account: Account) -> None:
    sim, client = account
    truth = sim.truth("ticket_comments")
    assert {"Comment", "VoiceComment", "FacebookComment"} == {row["event_type"] for row in truth}
    deleted = {row["id"] for row in sim.truth("tickets") if row["status"] == "deleted"}
    for ticket in sorted({row["ticket_id"] for row in truth}):
        answer = client.get(f"/api/v2/tickets/{ticket}/comments?page[size]=100")
        if ticket in deleted:
            assert answer.status == 404
            continue
        expected = [
            {k: v for k, v in row.items() if k not in ("event_type", "via_reference_id", "ticket_id")}
            for row in truth
            if row["ticket_id"] == ticket
        ]
        assert by_id(answer.json["comments"]) == by_id(expected)


def test_identities_come_as_siblings_of_users_and_by_user(account: Account) -> None:
    sim, client = account
    path = "/api/v2/incremental/users/cursor?start_time=0&per_page=10&include=identities"
    rows = [row for page in client.export(path) for row in page["identities"]]
    assert by_id(rows) == by_id(sim.truth("user_identities"))
    user = rows[0]["user_id"]
    listed = read_list(client, f"/api/v2/users/{user}/identities", "identities")
    assert listed == [row for row in rows if row["user_id"] == user]


def test_ticket_kinds(account: Account) -> None:
    sim, client = account
    exported = {
        row["id"]
        for page in client.export("/api/v2/incremental/tickets/cursor?start_time=0")
        for row in page["tickets"]
    }
    every = {row["id"]: row for row in sim.truth("tickets")}
    ai = {rid for rid, row in every.items() if row["support_type"] == "ai_agent"}
    assert ai
    assert exported == set(every) - ai
    listed = {row["id"] for row in read_list(client, "/api/v2/tickets", "tickets")}
    archived = {rid for rid in exported - listed if every[rid]["status"] != "deleted"}
    assert archived
    assert client.get(f"/api/v2/tickets/{min(archived)}").json["ticket"] == every[min(archived)]
    assert client.get("/api/v2/tickets/count").json["count"]["value"] == len(
        listed | {row["id"] for row in read_list(client, "/api/v2/tickets?support_type_scope=all", "tickets")}
    )
    assert any(row["subject"] == "SCRUBBED" and row["custom_fields"] == [] for row in every.values())
    assert all(row["fields"] == row["custom_fields"] for row in every.values())
    found = client.get("/api/v2/search/export?filter[type]=ticket&query=*&page[size]=1000").json["results"]
    assert {row["id"] for row in found} == {rid for rid, row in every.items() if row["status"] != "deleted"}


def test_ticket_audits_of_a_ticket_and_the_feed_agree(account: Account) -> None:
    sim, client = account
    feed = by_id(sim.truth("ticket_audits"))
    ticket = next(iter(feed.values()))["ticket_id"]
    mine = read_list(client, f"/api/v2/tickets/{ticket}/audits", "audits")
    assert mine
    assert all(feed[(0, row["id"])] == row for row in mine)
    legacy: dict[Any, Any] = {}
    url: str | None = "/api/v2/ticket_audits?limit=40"
    while url:
        page = client.get(url).json
        times = [row["created_at"] for row in page["audits"]]
        assert times == sorted(times, reverse=True)
        legacy |= by_id(page["audits"])
        url = page["before_url"]
    assert legacy == feed


def test_all_votes_of_a_help_center(account: Account) -> None:
    sim, client = account
    rows = read_list(client, "/api/v2/help_center/votes", "votes")
    brand = sim.truth("brands")[0]["id"]
    kinds = ("article_votes", "article_comment_votes", "post_votes", "post_comment_votes")
    assert {row["id"] for row in rows} == {
        row["id"] for kind in kinds for row in sim.truth(kind) if row["brand_id"] == brand
    }


def test_same_seed_and_time_give_the_same_account(make: Make) -> None:
    first, _ = make(seed=5)
    second, _ = make(seed=5)
    third, _ = make(seed=6)
    for stream in first.streams():
        if stream != "brands":
            assert first.truth(stream) == second.truth(stream)
    assert first.truth("tickets") != third.truth("tickets")
    first.mutate("update_tickets", count=5)
    second.mutate("update_tickets", count=5)
    assert [row["id"] for row in first.truth("ticket_events")] == [row["id"] for row in second.truth("ticket_events")]


def test_one_brand_has_one_help_center(make: Make) -> None:
    sim, _client = make(brands=1)
    assert sim.brand_urls == [sim.base_url]
    assert len(sim.truth("brands")) == 1


@pytest.mark.parametrize(
    ("plan", "path", "status"),
    [
        ("professional", "/api/v2/audit_logs", 403),
        ("professional", "/api/v2/custom_roles", 403),
        ("team", "/api/v2/community/posts", 404),
        ("enterprise", "/api/v2/audit_logs", 200),
        ("team", "/api/v2/views", 200),
        ("growth", "/api/v2/business_hours/schedules/1/holidays", 404),
    ],
)
def test_plan_gates(make: Make, plan: str, path: str, status: int) -> None:
    _, client = make(plan=plan)
    assert client.get(path).status == status


def test_gates_can_be_set(make: Make) -> None:
    _, client = make(gates={"ticket_forms": 403})
    answer = client.get("/api/v2/ticket_forms")
    assert (answer.status, answer.json["error"]["title"]) == (403, "Forbidden")
