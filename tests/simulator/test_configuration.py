"""The account's configuration: envelopes of its lists, ids that are texts, planted secrets, and what names what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from simulator_client import Client

from zendesk_support.simulator import Simulator
from zendesk_support.simulator.clock import unix
from zendesk_support.simulator.data.ulid import ulid
from zendesk_support.simulator.families.configuration.secrets import PLANTED
from zendesk_support.simulator.server.messages import Request

Account = tuple[Simulator, Client]
Make = Callable[..., Account]
ULIDS = ("brand_agents", "group_sla_policies", "ticket_form_statuses", "webhooks")
SECRET = {
    "targets": "/api/v2/targets",
    "webhooks": "/api/v2/webhooks",
    "app_installations": "/api/v2/apps/installations",
    "recipient_addresses": "/api/v2/recipient_addresses",
}
WHOLE = {
    "custom_statuses": ("custom_statuses", "custom_statuses", True),
    "satisfaction_reasons": ("satisfaction_reasons", "reasons", False),
    "deletion_schedules": ("deletion_schedules", "deletion_schedules", False),
    "group_sla_policies": ("group_slas/policies", "group_sla_policies", True),
    "locales": ("locales", "locales", True),
    "sharing_agreements": ("sharing_agreements", "sharing_agreements", True),
    "targets": ("targets", "targets", True),
    "ticket_form_statuses": ("ticket_form_statuses", "ticket_form_statuses", False),
    "app_installations": ("apps/installations", "installations", False),
    "time_zones": ("time_zones", "time_zones", False),
}


def ids(sim: Simulator, stream: str) -> set[Any]:
    """The ids of a stream's rows."""
    return {row["id"] for row in sim.truth(stream)}


def test_jira_links_come_by_the_last_id_and_name_no_address_but_in_the_cursor(make: Make) -> None:
    sim, client = make(jira_links=25)
    truth = sim.truth("jira_links")
    assert client.get("/api/v2/jira/links").json["meta"]["has_more"] is False
    rows: list[dict[str, Any]] = []
    after = "0"
    while True:
        page = client.get(f"/api/v2/jira/links?page[size]=10&page[after]={after}").json
        assert set(page) == {"links", "meta"}
        rows += page["links"]
        after = rows[-1]["id"]
        assert page["meta"]["after_cursor"].endswith(f"/api/v2/jira/links?page[size]=10&page[after]={after}")
        if not page["meta"]["has_more"]:
            break
    assert client.get(page["meta"]["after_cursor"]).json == {"links": [], "meta": {"has_more": False}}
    assert [row["id"] for row in rows] == [row["id"] for row in truth]
    assert {type(row[name]) for row in rows for name in ("ticket_id", "issue_id")} == {str}
    assert all(row["created_at"].endswith(".000Z") for row in rows)
    assert [unix(row["created_at"]) for row in rows] == [unix(row["created_at"]) for row in truth]
    living = {str(row["id"]): row for row in sim.truth("tickets") if row["status"] != "deleted"}
    assert all(living[row["ticket_id"]]["created_at"] <= row["created_at"] for row in truth)
    assert client.get("/api/v2/jira/links?page[after]=x").status == 400


def test_a_page_of_jira_links_has_up_to_1000(make: Make) -> None:
    _, client = make(jira_links=1100)
    pages = [client.get(f"/api/v2/jira/links{query}").json for query in ("", "?page[size]=2000", "?page[size]=100")]
    assert [len(page["links"]) for page in pages] == [1000, 1000, 100]


@pytest.mark.parametrize(("how", "whole"), [("small", True), ("reverse", True), ("shuffle", True), ("early", False)])
def test_a_contrary_server_pages_jira_links_by_the_last_id_too(make: Make, how: str, whole: bool) -> None:
    sim, client = make(jira_links=25)
    sim.fault("contrary", route="jira_links", times=None, how=how, size=10)
    rows: list[dict[str, Any]] = []
    for _ in range(3):
        after = f"?page[after]={rows[-1]['id']}" if rows else ""
        rows += client.get(f"/api/v2/jira/links{after}").json["links"]
    assert len(rows) == (25 if whole else 10)
    assert {row["id"] for row in rows} <= ids(sim, "jira_links")
    assert "meta" not in client.get(f"/api/v2/jira/links?page[after]={rows[-1]['id']}").json or whole


def test_faults_leave_the_row_list_of_jira_links_a_list(account: Account) -> None:
    sim, client = account
    sim.fault("emptied", route="jira_links")
    assert client.get("/api/v2/jira/links").json == {"links": [], "meta": {"has_more": False}}


def test_webhooks_have_links_only_where_they_lead_somewhere(account: Account) -> None:
    sim, client = account
    whole = client.get("/api/v2/webhooks?page[size]=100")
    assert set(whole.json) == {"meta", "webhooks"}
    assert whole.json["meta"] == {"has_more": False}
    assert whole.headers["x-rate-limit"] == "100"
    assert not {name for name in whole.headers if "ratelimit" in name or name == "x-rate-limit-remaining"}
    assert sim.requests()[-1]["buckets"] == ["webhooks"]
    first = client.get("/api/v2/webhooks?page[size]=5").json
    assert first["links"]["prev"] is None
    assert first["links"]["next"].startswith(f"{sim.base_url}/api/v2/webhooks?page[size]=5&page[after]=")
    second = client.get(first["links"]["next"]).json
    last = client.get(second["links"]["next"]).json
    assert [len(page["webhooks"]) for page in (first, second, last)] == [5, 5, 2]
    assert last["links"]["next"] is None
    assert client.get(last["links"]["prev"]).json["webhooks"] == second["webhooks"]
    rows = [row for page in (first, second, last) for row in page["webhooks"]]
    assert rows == whole.json["webhooks"]
    assert {type(row["created_by"]) for row in rows} == {str}
    assert {"updated_at" in row for row in rows} == {True, False}


def test_webhooks_are_counted_apart(account: Account) -> None:
    sim, client = account
    sim.use_quota("webhooks", 100)
    refused = client.get("/api/v2/webhooks")
    assert (refused.status, refused.headers["x-rate-limit"]) == (429, "100")
    assert client.get("/api/v2/targets").headers["x-rate-limit-remaining"] == "9999"


def test_a_plain_link_keeps_brackets_and_hides_what_a_value_may_not_hold() -> None:
    asked = Request(
        "GET", "/api/v2/webhooks", "page%5Bsize%5D=5&page%5Bafter%5D=x", {}, b"", 0, "https://a.example:443"
    )
    assert asked.plain_link({"page[after]": "b+="}) == (
        "https://a.example:443/api/v2/webhooks?page[size]=5&page[after]=b%2B%3D"
    )


def test_settings_are_one_object(account: Account) -> None:
    sim, client = account
    (row,) = sim.truth("account_settings")
    assert client.get("/api/v2/account/settings.json").json == {"settings": {k: v for k, v in row.items() if k != "id"}}
    assert (row["id"], row["localization"]["locale_ids"]) == (1, [each["id"] for each in sim.truth("locales")])
    sim.mutate("change_settings")
    assert sim.truth("account_settings")[0]["branding"] != row["branding"]


@pytest.mark.parametrize("stream", WHOLE)
def test_lists_that_come_whole_say_what_their_documentation_says(account: Account, stream: str) -> None:
    sim, client = account
    path, key, with_links = WHOLE[stream]
    answer = client.get(f"/api/v2/{path}?page[size]=2").json
    count = len(sim.truth(stream))
    assert len(answer.pop(key)) == count
    assert answer == ({"next_page": None, "previous_page": None, "count": count} if with_links else {})


@pytest.mark.parametrize("stream", ["workspaces", "resource_collections"])
def test_some_lists_know_offsets_alone(account: Account, stream: str) -> None:
    sim, client = account
    found, url = [], f"/api/v2/{stream}?per_page=2&page[size]=2"
    while url:
        page = client.get(url).json
        assert set(page) == {stream, "count", "next_page", "previous_page"}
        found += page[stream]
        url = page["next_page"]
    assert {row["id"] for row in found} == ids(sim, stream)


def test_time_zones_need_no_credentials(account: Account) -> None:
    sim, client = account
    assert client.get("/api/v2/time_zones.json", auth=None).json == {"time_zones": sim.truth("time_zones")}
    used = {row["time_zone"] for row in [*sim.truth("users"), *sim.truth("schedules")]}
    assert used <= {row["name"] for row in sim.truth("time_zones")}


@pytest.mark.parametrize("stream", ULIDS)
def test_ids_that_are_texts_order_as_their_times(account: Account, stream: str) -> None:
    sim, _ = account
    before = [row["id"] for row in sim.truth(stream)]
    assert before == sorted(before)
    assert {len(each) for each in before} == {26}
    made = sim.mutate("create_rows", stream=stream, count=2)["ids"]
    after = [row["id"] for row in sim.truth(stream)]
    assert after == [*before, *made]
    assert after == sorted(after)
    assert int(sim.now()) * 1000 > int(_decoded(made[0][:10])) > int(sim.now() - 600) * 1000
    sim.mutate("remove_rows", stream=stream, count=1)
    assert len(ids(sim, stream)) == len(after) - 1


def _decoded(text: str) -> int:
    value = 0
    for each in text:
        value = value * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(each)
    return value


def test_a_ulid_is_48_bits_of_time_and_80_more() -> None:
    assert ulid(0, 0) == "0" * 26
    assert ulid((1 << 48) - 1, (1 << 80) - 1) == "7" + "Z" * 25
    assert ulid(1_469_918_176_385, 1 << 80)[:10] == "01ARYZ6S41"
    assert _decoded(ulid(1_790_000_000_123, 77)[:10]) == 1_790_000_000_123


@pytest.mark.parametrize("stream", SECRET)
def test_answers_carry_planted_secrets_and_the_truth_has_none(account: Account, stream: str) -> None:
    sim, client = account
    assert PLANTED.encode() in client.get(SECRET[stream]).raw
    assert PLANTED not in str(sim.truth(stream))
    sim.mutate("create_rows", stream=stream)
    sim.mutate("update_rows", stream=stream)
    assert PLANTED not in str(sim.truth(stream))


def test_what_names_rows_of_the_configuration_names_some_that_are_there(make: Make) -> None:
    sim, _ = make(tickets=200, satisfaction_ratings=150)
    statuses, forms, locales = (ids(sim, name) for name in ("custom_statuses", "ticket_forms", "locales"))
    users = {row["id"]: row for row in sim.truth("users")}
    brands, organizations, reasons = (ids(sim, name) for name in ("brands", "organizations", "satisfaction_reasons"))
    assert {row["custom_status_id"] for row in sim.truth("tickets")} <= statuses
    offers = {(row["ticket_form_id"], row["custom_status_id"]) for row in sim.truth("ticket_form_statuses")}
    assert offers == {(form, status) for form in forms for status in statuses}
    assert {row["locale_id"] for row in users.values()} <= locales
    variants = [each for row in sim.truth("dynamic_content_items") for each in row["variants"]]
    assert {each["locale_id"] for each in variants} <= locales
    assert len({each["id"] for each in variants}) == len(variants)
    assert {row["category_id"] for row in sim.truth("triggers")} <= ids(sim, "trigger_categories")
    staff = {rid for rid, row in users.items() if row["role"] != "end-user"}
    pairs = {(row["user_id"], row["brand_id"]) for row in sim.truth("brand_agents")}
    assert pairs == {(agent, brand) for agent in staff for brand in brands}
    subscriptions = sim.truth("organization_subscriptions")
    assert {row["user_id"] for row in subscriptions} <= set(users)
    assert {row["organization_id"] for row in subscriptions} <= organizations
    addresses = sim.truth("recipient_addresses")
    assert {row["brand_id"] for row in addresses} == brands
    assert [row["default"] for row in addresses] == [True, *[None] * (len(addresses) - 1)]
    assert {row["recipient"] for row in sim.truth("tickets")} - {None} <= {row["email"] for row in addresses}
    chosen = {row["reason_id"]: row["reason"] for row in sim.truth("satisfaction_ratings") if row["score"] == "bad"}
    assert chosen.pop(0) == "No reason provided"
    assert chosen
    assert chosen.items() <= {row["id"]: row["value"] for row in sim.truth("satisfaction_reasons")}.items()
    assert set(chosen) <= reasons


def test_rules_count_by_category_and_move_when_it_goes(account: Account) -> None:
    sim, client = account
    (first, *_) = client.get("/api/v2/trigger_categories?include=rule_counts&sort=position&page[size]=1").json[
        "trigger_categories"
    ]
    triggers = [row for row in sim.truth("triggers") if row["category_id"] == first["id"]]
    assert first["active_count"] == sum(row["active"] for row in triggers) > 0
    assert first["inactive_count"] == sum(not row["active"] for row in triggers)
    bare = client.get("/api/v2/trigger_categories?page[size]=1").json["trigger_categories"][0]
    assert first.items() - bare.items() == {("active_count", first["active_count"]), ("inactive_count", 0)}
    sim.mutate("remove_rows", stream="trigger_categories", ids=[int(first["id"])])
    assert first["id"] not in ids(sim, "trigger_categories")
    assert {row["category_id"] for row in sim.truth("triggers")} <= ids(sim, "trigger_categories")


def test_a_status_and_a_form_take_their_offers_along(account: Account) -> None:
    sim, _ = account
    before = len(sim.truth("ticket_form_statuses"))
    gone = sim.mutate("remove_rows", stream="custom_statuses")["ids"]
    assert gone[0] not in {row["custom_status_id"] for row in sim.truth("ticket_form_statuses")}
    assert {row["custom_status_id"] for row in sim.truth("tickets")} <= ids(sim, "custom_statuses")
    sim.mutate("remove_rows", stream="ticket_forms")
    assert len(sim.truth("ticket_form_statuses")) == before // 54 * 40


def test_a_brand_takes_its_agents_and_addresses_along(account: Account) -> None:
    sim, _ = account
    (gone,) = sim.mutate("remove_rows", stream="brands")["ids"]
    left = {row["brand_id"] for name in ("brand_agents", "recipient_addresses") for row in sim.truth(name)}
    assert left == ids(sim, "brands")
    assert gone not in left


def test_suspended_tickets_go_after_14_days(account: Account) -> None:
    sim, client = account
    (rid,) = sim.mutate("create_rows", stream="suspended_tickets")["ids"]
    before = ids(sim, "suspended_tickets")
    sim.advance(7 * 86_400)
    assert {rid} < ids(sim, "suspended_tickets") < before
    sim.advance(8 * 86_400)
    answer = client.get("/api/v2/suspended_tickets").json
    assert answer["suspended_tickets"] == sim.truth("suspended_tickets") == []
    assert answer["meta"]["has_more"] is False


def test_users_who_are_erased_are_listed_without_their_data(account: Account) -> None:
    sim, client = account
    (gone,) = sim.mutate("permanently_delete_users")["ids"]
    (idle,) = sim.mutate("deactivate_users")["ids"]
    rows = {row["id"]: row for row in client.get("/api/v2/deleted_users").json["deleted_users"]}
    assert set(rows) == {row["id"] for row in sim.truth("users") if not row["active"]}
    erased = (rows[gone]["name"], rows[gone]["email"], rows[gone]["phone"])
    assert erased == ("Permanently Deleted User", None, None)
    assert rows[idle]["email"]
    assert rows[idle]["url"].endswith(f"/api/v2/deleted_users/{idle}.json")


def test_options_tags_and_people_of_tickets_make_rows_of_their_own(account: Account) -> None:
    sim, _ = account
    for field in sim.truth("ticket_fields"):
        own = [row for row in sim.truth("ticket_field_options") if row["ticket_field_id"] == field["id"]]
        assert [row["position"] for row in own] == list(range(len(own)))
        added = ("ticket_field_id", "position")
        bare = [{name: value for name, value in row.items() if name not in added} for row in own]
        assert bare == field.get("custom_field_options", [])
    (deleted,) = sim.mutate("delete_tickets")["ids"]
    tickets = {row["id"]: row for row in sim.truth("tickets") if row["status"] != "deleted"}
    tags, people = sim.truth("ticket_tags"), sim.truth("ticket_collaborators")
    assert deleted not in {row["ticket_id"] for row in [*tags, *people]}
    assert {(row["ticket_id"], row["tag"]) for row in tags} == {
        (rid, tag) for rid, row in tickets.items() for tag in row["tags"]
    }
    assert {(row["ticket_id"], row["user_id"], row["kind"]) for row in people} == {
        (rid, user, kind)
        for rid, row in tickets.items()
        for kind in ("collaborator", "follower", "email_cc")
        for user in row[f"{kind}_ids"]
    }
    assert all(row["generated_timestamp"] == tickets[row["ticket_id"]]["generated_timestamp"] for row in tags + people)


@pytest.mark.parametrize(
    "stream", ["account_settings", "deleted_users", "ticket_collaborators", "ticket_field_options", "ticket_tags"]
)
def test_rows_that_are_made_of_others_can_be_made_changed_and_removed(account: Account, stream: str) -> None:
    sim, _ = account
    counts = []
    for kind in ("create_rows", "update_rows", "remove_rows"):
        before = sim.truth(stream)
        sim.mutate(kind, stream=stream)
        assert sim.truth(stream) != before
        counts.append(len(sim.truth(stream)) - len(before))
    assert counts == ([0, 0, 0] if stream == "account_settings" else [1, 0, -1])


@pytest.mark.parametrize(
    ("options", "path", "status"),
    [
        ({"plan": "professional"}, "workspaces", 403),
        ({"plan": "growth"}, "satisfaction_reasons", 403),
        ({"plan": "growth"}, "group_slas/policies", 404),
        ({"plan": "team"}, "deletion_schedules", 403),
        ({"plan": "team"}, "dynamic_content/items", 403),
        ({"plan": "team"}, "brand_agents", 403),
        ({"plan": "team"}, "custom_statuses", 200),
        ({"role": "agent"}, "webhooks", 403),
        ({"role": "agent"}, "jira/links", 403),
        ({"role": "agent"}, "locales", 200),
        ({"gates": {"jira_links": 404}}, "jira/links", 404),
        ({"without": ("configuration",)}, "webhooks", 404),
    ],
)
def test_who_has_what(make: Make, options: dict[str, Any], path: str, status: int) -> None:
    _, client = make(**options)
    assert client.get(f"/api/v2/{path}").status == status


def test_trigger_categories_are_refused_in_a_list_of_errors(make: Make) -> None:
    _, client = make(gates={"trigger_categories": 403})
    answer = client.get("/api/v2/trigger_categories")
    assert (answer.status, [each["code"] for each in answer.json["errors"]]) == (403, ["Forbidden"])
