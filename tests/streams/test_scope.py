"""Which rows belong in the tables: kinds, periods, brands."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timezone
from pathlib import Path

import dlt
import pytest
from dlt.pipeline.pipeline import Pipeline
from support import assert_whole, facts, load, pipeline, plain, seconds, source, table, truth, written

from zendesk_support import sync
from zendesk_support.groups import is_dated
from zendesk_support.reading.parents import DAY
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE

Simulate = Callable[..., Simulator]
LISTED_FOR_A_TIME = {"access_logs", "deleted_tickets", "ticket_activities"}
FACTS = [name for name, stream in CATALOGUE.items() if stream.fact and name not in LISTED_FOR_A_TIME]
KEPT_BRIEFLY = {"engagements", "queue_events"}
"""Streams of which Zendesk keeps 90 days."""
LATER = {"csat_survey_responses", *KEPT_BRIEFLY}
"""Streams that simulated accounts have had for half a year only, or for less."""
CHILDREN = {
    "article_attachments": ("articles", "article_id"),
    "article_translations": ("articles", "source_id"),
    "article_comments": ("articles", "source_id"),
    "article_votes": ("articles", "item_id"),
    "article_comment_votes": ("article_comments", "item_id"),
    "post_comments": ("posts", "post_id"),
    "post_votes": ("posts", "item_id"),
    "post_comment_votes": ("post_comments", "item_id"),
}
"""What each stream hangs below, and the column that says of which row."""
BELOW = {name for name, stream in CATALOGUE.items() if is_dated(stream) and not stream.fact}
DIMENSIONS = [name for name, stream in CATALOGUE.items() if not stream.fact and name not in BELOW]


def days_back(account: Simulator, days: int) -> int:
    return int(account.now()) - days * 86_400


def at(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat()


def test_archived_tickets_come_with_their_metrics_and_comments(tmp_path: Path, simulate: Simulate) -> None:
    """L10."""
    account = simulate(tickets=40)
    target = pipeline(tmp_path)
    archived = set(account.mutate("archive_tickets", count=3)["ids"])
    load(target, account, "tickets", "ticket_metrics", "ticket_comments")
    for name, column in (("tickets", "id"), ("ticket_metrics", "ticket_id"), ("ticket_comments", "ticket_id")):
        assert archived - {row[column] for row in table(target, name).values()} == set(), name
    assert_whole(target, account, "tickets", "ticket_metrics", "ticket_comments")


def test_every_kind_of_comment_arrives(tmp_path: Path, simulate: Simulate) -> None:
    """L11."""
    account = simulate(tickets=200)
    target = pipeline(tmp_path)
    load(target, account, "ticket_comments")
    kinds = {row["type"] for row in truth(account, "ticket_comments").values()}
    assert {row["type"] for row in table(target, "ticket_comments").values()} == kinds
    assert kinds >= {"Comment", "VoiceComment", "FacebookComment"}


def test_tickets_that_ai_agents_handled_arrive_with_all_that_hangs_on_them(tmp_path: Path, simulate: Simulate) -> None:
    """L19."""
    account = simulate(tickets=100)
    target = pipeline(tmp_path)
    load(target, account, "tickets", "ticket_events", "ticket_metrics")
    handled = {row["id"] for row in truth(account, "tickets").values() if row["support_type"] == "ai_agent"}
    assert handled
    for name in ("ticket_events", "ticket_metrics"):
        with_rows = {row["ticket_id"] for row in truth(account, name).values()} & handled
        assert {row["ticket_id"] for row in table(target, name).values()} & handled == with_rows != set()


def test_dimensions_load_whole_whatever_the_start_date_and_facts_from_it_on(tmp_path: Path, simulate: Simulate) -> None:
    """L39."""
    account = simulate(tickets=60)
    target = pipeline(tmp_path)
    start = days_back(account, 200)
    load(target, account, *FACTS, *DIMENSIONS, start_date=at(start))
    assert_whole(target, account, *DIMENSIONS)
    for name in FACTS:
        expected = facts(account, name, start)
        assert 0 < len(expected) < len(truth(account, name)) or name in LATER, name
        assert set(table(target, name)) == expected, name
    assert written(load(target, account, *FACTS, *DIMENSIONS, start_date=at(start))) == {}


def test_what_zendesk_lists_or_has_for_a_short_time_loads_from_the_start_date_on(
    tmp_path: Path, simulate: Simulate
) -> None:
    """L39."""
    account = simulate(tickets=20, now=time.time() - 5 * 86_400)
    target = pipeline(tmp_path)
    account.mutate("delete_tickets", count=2)
    account.advance(5 * 86_400)
    account.mutate("delete_tickets", count=2)
    account.mutate("create_rows", stream="access_logs", count=2)
    account.mutate("create_rows", stream="ticket_activities", count=2)
    for name in sorted(LATER):
        account.mutate("create_rows", stream=name, count=2)
    start, streams = days_back(account, 3), LISTED_FOR_A_TIME | LATER
    load(target, account, *streams, start_date=at(start))
    for name in streams:
        expected = facts(account, name, start)
        assert 0 < len(expected) < len(truth(account, name)), name
        assert set(table(target, name)) == expected, name


def test_children_in_help_centers_load_from_the_start_date_on_and_stay_when_it_moves(
    tmp_path: Path, simulate: Simulate
) -> None:
    """L15, L39."""
    assert set(CHILDREN) == BELOW
    account = simulate(tickets=1)
    target = pipeline(tmp_path)
    start = days_back(account, 400)
    load(target, account, *CHILDREN, start_date=at(start))
    expected = {name: facts(account, name, start) for name in ("articles", "posts")}
    for name, (above, parent) in CHILDREN.items():
        shown = {
            key: row for key, row in truth(account, name).items() if (row["brand_id"], row[parent]) in expected[above]
        }
        assert 0 < len(shown) < len(truth(account, name)), name
        assert set(table(target, name)) == set(shown), name
        expected[name] = {key for key, row in shown.items() if seconds(row["updated_at"]) >= start}
    before = {name: table(target, name) for name in CHILDREN}
    assert written(load(target, account, *CHILDREN, start_date=at(days_back(account, 100)))) == {}
    assert {name: table(target, name) for name in CHILDREN} == before


def test_followers_of_articles_and_posts_load_from_the_start_date_on(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=1)
    target, name = pipeline(tmp_path), "content_subscriptions"
    start = days_back(account, 400)
    settings = {"help_center_followers": "all"}
    load(target, account, name, start_date=at(start), **settings)
    loaded = {"Article": facts(account, "articles", start), "Post": facts(account, "posts", start)}
    every = {
        (center.brand_id, content_type, row["id"]): {**row, "brand_id": center.brand_id}
        for center in account.account.help_centers
        for content_type in ("Section", "Topic", "Article", "Post")
        for row in center.tables[f"{content_type.lower()}_subscriptions"]
    }
    shown = {
        key
        for key, row in every.items()
        if (row["brand_id"], row["content_id"]) in loaded.get(row["content_type"], ())
        or row["content_type"] not in loaded
    }
    assert {every[key]["content_type"] for key in shown} == {"Article", "Post", "Section", "Topic"}
    assert {every[key]["content_type"] for key in every.keys() - shown} == {"Article", "Post"}
    assert set(table(target, name)) == shown
    assert written(load(target, account, name, start_date=at(days_back(account, 100)), **settings)) == {}
    assert set(table(target, name)) == shown


def test_an_end_date_bounds_a_run_that_neither_reads_nor_keeps_state(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=60)
    target = pipeline(tmp_path)
    start, end = days_back(account, 300), days_back(account, 150)
    load(target, account, *FACTS, "groups", start_date=at(start), end_date=at(end))
    for name in FACTS:
        expected = facts(account, name, start, end)
        assert expected or name in KEPT_BRIEFLY, name
        assert set(table(target, name)) == expected, name
    assert_whole(target, account, "groups")
    assert target.state.get("sources", {}) == {}
    load(target, account, *FACTS, start_date=at(start))
    for name in FACTS:
        assert set(table(target, name)) == facts(account, name, start), name


@pytest.mark.parametrize("nested", ["json", "tables"])
def test_a_bounded_run_of_another_pipeline_fills_the_tables_of_the_usual_one(
    tmp_path: Path, simulate: Simulate, nested: str
) -> None:
    account = simulate(tickets=20)
    streams = [*FACTS, *CHILDREN] if nested == "json" else ["tickets", "ticket_events", "articles"]
    usual = pipeline(tmp_path)
    backfill = dlt.pipeline("backfill", destination=usual.destination, dataset_name=usual.dataset_name)
    start = days_back(account, 100)
    load(usual, account, *streams, start_date=at(start), nested=nested)
    load(backfill, account, *streams, start_date="2015-01-01", end_date=at(start), nested=nested)
    assert_whole(knowing(backfill, usual), account, *streams)
    assert written(load(usual, account, *streams, start_date=at(start), nested=nested)) == {}
    account.mutate("update_tickets", count=3)
    account.mutate("update_rows", stream="articles")
    load(usual, account, *streams, start_date=at(start), nested=nested)
    assert_whole(knowing(backfill, usual), account, *streams)


def knowing(endpoint: Pipeline, other: Pipeline) -> Pipeline:
    """The pipeline, with the columns of another: each knows only those that it has loaded."""
    for columns in other.default_schema.tables.values():
        endpoint.default_schema.update_table(deepcopy(columns))
    return endpoint


def test_a_bounded_run_removes_no_rows(tmp_path: Path, simulate: Simulate) -> None:
    """L15."""
    account = simulate(tickets=10)
    target = pipeline(tmp_path)
    load(target, account, "articles", "group_memberships")
    before = set(table(target, "articles"))
    account.mutate("archive_articles", count=3)
    end = at(days_back(account, 1))
    load(target, account, "articles", "group_memberships", end_date=end)
    assert set(table(target, "articles")) == before


def test_the_help_center_of_every_brand_is_read(tmp_path: Path, simulate: Simulate) -> None:
    """L18."""
    account = simulate(tickets=1)
    target = pipeline(tmp_path)
    load(target, account, "articles")
    assert {brand for brand, _ in table(target, "articles")} == {brand for brand, _ in truth(account, "articles")}
    assert len({brand for brand, _ in table(target, "articles")}) == 2


def test_rows_of_two_brands_with_one_id_stay_apart(tmp_path: Path, simulate: Simulate) -> None:
    """L18."""
    account = simulate(tickets=1)
    target = pipeline(tmp_path)
    load(target, account, "articles", "article_votes", "article_comments")
    ids = [id for _, id in table(target, "articles")]
    assert len(ids) - len(set(ids)) == 2
    assert_whole(target, account, "articles", "article_votes", "article_comments")
    assert written(load(target, account, "articles", "article_votes", "article_comments")) == {}


def test_a_brand_on_a_host_of_others_gets_no_request_and_the_rest_loads(
    tmp_path: Path, simulate: Simulate, caplog: pytest.LogCaptureFixture
) -> None:
    """L18, L35."""
    account = simulate(tickets=1)
    target = pipeline(tmp_path)
    foreign, kept = list(account.account.brand_urls)[:2]
    account.account.brand_urls[foreign] = "https://elsewhere.example"
    account.account.changed()
    load(target, account, "articles", "article_comments")
    assert {brand for brand, _ in table(target, "articles")} == {kept}
    assert f"brand {foreign}: none of ['https://elsewhere.example', " in caplog.text
    assert "it gets no credentials, and its help center is left out" in caplog.text


def test_one_subject_in_both_lists_of_conditions_is_two_rows(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=1)
    target = pipeline(tmp_path)
    definitions = account.account.tables["attribute_definitions"]
    by_list = {definitions.get(id)["list"]: id for id in definitions.rids}
    for id in by_list.values():
        definitions.change(id)["subject"] = "brand_id"
    account.account.changed()
    load(target, account, "attribute_definitions")
    assert {("all", "brand_id"), ("any", "brand_id")} <= set(table(target, "attribute_definitions"))
    assert_whole(target, account, "attribute_definitions")
    definitions.change(by_list["conditions_any"])["title"] = "Another brand"
    account.account.changed()
    assert written(load(target, account, "attribute_definitions")) == {"attribute_definitions": 1}
    assert_whole(target, account, "attribute_definitions")
    definitions.remove(by_list["conditions_all"])
    account.account.changed()
    load(target, account, "attribute_definitions")
    assert_whole(target, account, "attribute_definitions")


NOT_IN_USE = {"custom_statuses": 404, "ticket_form_statuses": 404, "custom_objects": 403, "jira_links": 404}
"""What an account may lack whatever its plan."""


def test_a_plan_that_lacks_some_streams_loads_the_others(tmp_path: Path, simulate: Simulate) -> None:
    """L20."""
    account = simulate(tickets=10, plan="team", gates=NOT_IN_USE)
    target = pipeline(tmp_path)
    report = sync(target, source(account, streams=list(CATALOGUE)))
    lacking = {name for name, stream in CATALOGUE.items() if stream.plan != "every plan"}
    assert {stream.stream for stream in report.unavailable} == lacking
    assert report.failed == []
    assert_whole(target, account, *(set(CATALOGUE) - lacking))


def test_a_value_of_a_dimension_that_changed_is_the_only_row_written(tmp_path: Path, simulate: Simulate) -> None:
    """L40."""
    account = simulate(tickets=10)
    target = pipeline(tmp_path)
    load(target, account, "groups", "ticket_fields", "article_votes")
    account.mutate("update_rows", stream="ticket_fields", count=1)
    assert written(load(target, account, "groups", "ticket_fields", "article_votes")) == {"ticket_fields": 1}
    assert_whole(target, account, "ticket_fields")


def test_votes_are_asked_for_only_where_they_changed(tmp_path: Path, simulate: Simulate) -> None:
    """L40."""
    noon = int(time.time()) // DAY * DAY + DAY // 2  # votes are read again by the day, and a test takes minutes of it
    account = simulate(tickets=10, now=noon)
    target = pipeline(tmp_path)
    load(target, account, "articles", "article_votes")
    voted = account.mutate("vote_articles", count=2)["ids"]
    account.reset_requests()
    assert written(load(target, account, "articles", "article_votes")) == {"articles": 2, "article_votes": 2}
    asked = {
        int(request["path"].split("/")[-2]) for request in account.requests() if request["route"] == "article_votes"
    }
    assert asked == set(voted)


@pytest.mark.parametrize("name", ["users", "groups"])
def test_times_are_kept_to_the_second_and_in_utc(tmp_path: Path, simulate: Simulate, name: str) -> None:
    account = simulate(tickets=1)
    target = pipeline(tmp_path)
    load(target, account, name)
    with target.sql_client() as client, client.execute_query(f"SELECT id, created_at FROM {name}") as cursor:
        found = {row[0]: plain(row[1], "timestamp") for row in cursor.fetchall()}
    assert found == {row["id"]: row["created_at"] for row in account.truth(name)}
