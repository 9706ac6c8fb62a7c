"""What surrounds articles and posts of help centers: what it costs, where it is asked for, what a refusal does."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import assert_whole, load, pipeline, rows, source, table, truth, written

from zendesk_support import sync
from zendesk_support.simulator import Simulator
from zendesk_support.simulator.server.messages import Reply, Request, json_reply
from zendesk_support.streams import guide

Simulate = Callable[..., Simulator]
TRANSLATIONS = ("article_translations", "section_translations", "category_translations")
PARENTS = ("articles", "sections", "categories")
VOTES = ("article_votes", "article_comment_votes", "post_votes", "post_comment_votes")


@pytest.fixture
def account(simulate: Simulate) -> Simulator:
    return simulate(tickets=20, articles=6, posts=4)


def asked(account: Simulator) -> Counter[str]:
    """Requests by route since the last look; help centers by the list of brands."""
    found = Counter(request["route"] for request in account.requests() if request["route"] != "oauth_tokens")
    account.reset_requests()
    return found


def spoiled(account: Simulator, route: str, spoil: Callable[[bytes], bytes]) -> None:
    """Have the answers of a route changed on their way."""
    handle = account.api.handle

    def answer(request: Request) -> Reply:
        reply = handle(request)
        if request.route == route:
            reply.body = spoil(reply.body)
        return reply

    account.api.handle = answer  # type: ignore[method-assign]


def test_translations_cost_no_request_more_and_change_nothing_of_what_they_stand_in(
    tmp_path: Path, account: Simulator
) -> None:
    target = pipeline(tmp_path)
    load(target, account, *PARENTS)
    alone = asked(account)
    assert not any("include" in request["query"] for request in account.requests())
    report = load(target, account, *PARENTS, *TRANSLATIONS)
    assert set(written(report)) == set(TRANSLATIONS)
    assert asked(account) == alone
    assert_whole(target, account, *PARENTS, *TRANSLATIONS)
    assert "translations" not in target.default_schema.tables["articles"]["columns"]
    load(target, account, *PARENTS)
    assert not any("include" in request["query"] for request in account.requests())
    assert written(load(target, account, *PARENTS, *TRANSLATIONS)) == {}


def test_translations_alone_read_the_list_that_they_stand_in(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, "article_translations")
    assert asked(account) == {"brands": 1, "articles": 2}
    assert_whole(target, account, "article_translations")


def test_a_translation_that_is_taken_back_goes_and_so_do_those_of_an_archived_article(
    tmp_path: Path, account: Simulator
) -> None:
    target = pipeline(tmp_path)
    load(target, account, "articles", "article_translations")
    (taken,) = account.mutate("remove_rows", stream="article_translations")["ids"]
    (archived,) = account.mutate("archive_articles", brand=1)["ids"]
    account.mutate("update_articles")
    report = load(target, account, "articles", "article_translations")
    assert_whole(target, account, "articles", "article_translations")
    found = {row["id"]: (row["brand_id"], row["source_id"]) for row in rows(target, "article_translations")}
    brand = account.account.help_centers[1].brand_id
    assert (taken in found, (brand, archived) in found.values()) == (False, False)
    assert 2 <= written(report)["article_translations"] <= 5


def test_an_account_that_ignores_the_side_load_is_asked_for_each_article(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, "articles", "article_translations")
    account.fault("without", route="articles", times=None, key="translations")
    asked(account)
    report = load(target, account, "articles", "article_translations")
    assert asked(account)["article_translations"] == len(truth(account, "articles"))
    assert written(report) == {}
    account.mutate("remove_rows", stream="article_translations", count=2)
    account.mutate("update_rows", stream="article_translations", count=2)
    load(target, account, "articles", "article_translations")
    assert_whole(target, account, "articles", "article_translations")


def test_translations_that_are_refused_stay_and_cost_no_article(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, "articles", "article_translations")
    before = table(target, "article_translations")
    account.fault("without", route="articles", times=None, key="translations")
    account.fault("status", route="article_translations", times=None, status=403)
    account.mutate("update_articles")
    report = load(target, account, "articles", "article_translations")
    assert written(report) == {"articles": 1}
    assert table(target, "article_translations") == before
    assert "help_center/articles/{id}/translations" in str(report.streams["article_translations"].message)
    status = {name: (stream.status, bool(stream.message)) for name, stream in report.streams.items()}
    assert status == {"articles": ("loaded", False), "article_translations": ("unavailable", True)}


def refusing(account: Simulator, path: str, status: int) -> None:
    """Have a list refused where it is asked for more than its own rows."""
    handle = account.api.handle

    def answer(request: Request) -> Reply:
        is_refused = request.path.endswith(path) and "include" in request.params
        return json_reply(status, {"error": "no"}) if is_refused else handle(request)

    account.api.handle = answer  # type: ignore[method-assign]


@pytest.mark.parametrize("status", [400, 403, 404, 422, 500])
def test_a_refused_side_load_costs_neither_articles_nor_translations(
    tmp_path: Path, account: Simulator, status: int
) -> None:
    target, quick = pipeline(tmp_path), {"retry_deadline": 2}
    refusing(account, "/articles", status)
    report = load(target, account, "articles", "article_translations", **quick)
    assert_whole(target, account, "articles", "article_translations")
    assert report.streams["articles"].message is None
    assert "asked without include=translations" in str(report.streams["article_translations"].message)
    assert written(load(target, account, "articles", "article_translations", **quick)) == {}


def test_a_side_load_that_is_refused_for_all_is_unavailable_and_the_articles_are_loaded(
    tmp_path: Path, account: Simulator
) -> None:
    target = pipeline(tmp_path)
    refusing(account, "/articles", 403)
    account.fault("status", route="article_translations", times=None, status=403)
    report = load(target, account, "articles", "article_translations")
    assert_whole(target, account, "articles")
    assert report.streams["articles"].message is None
    assert report.streams["article_translations"].status == "unavailable"


def test_an_article_without_translations_whose_list_is_refused_costs_no_other(
    tmp_path: Path, account: Simulator
) -> None:
    target = pipeline(tmp_path)
    load(target, account, "articles", "article_translations")
    before = table(target, "article_translations")
    emptied = re.compile(rb'"translations":\[.*?\](?=[,}])', re.DOTALL)
    spoiled(account, "articles", lambda body: emptied.sub(b'"translations":[]', body, count=1))
    account.fault("status", route="article_translations", times=None, status=403)
    report = load(target, account, "articles", "article_translations")
    status = {name: (stream.status, bool(stream.message)) for name, stream in report.streams.items()}
    assert status == {"articles": ("loaded", False), "article_translations": ("loaded", True)}
    assert table(target, "article_translations") == before


def test_translations_of_another_shape_fail_their_own_stream_and_no_other(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, "articles", "article_translations")
    before = table(target, "article_translations")
    spoiled(account, "articles", lambda body: body.replace(b'"translations":[', b'"translations":["text",'))
    account.mutate("update_articles")
    report = sync(target, source(account).with_resources("articles", "article_translations"))
    assert written(report) == {"articles": 1}
    assert "are no list of objects" in str(report.streams["article_translations"].message)
    assert table(target, "article_translations") == before


def test_pages_that_are_too_heavy_with_translations_become_smaller(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=20, articles=60)
    account.fault("heavy_page", route="articles", times=None, per_page=25)
    target = pipeline(tmp_path)
    load(target, account, "articles", "article_translations")
    assert_whole(target, account, "articles", "article_translations")
    sizes = [request["query"].count("=25") for request in account.requests() if request["status"] == 200]
    assert sum(sizes) == 5


def test_a_brand_that_is_refused_keeps_its_translations(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    streams = ("articles", "article_translations", "redirect_rules")
    load(target, account, *streams)
    before = {name: table(target, name) for name in streams}
    for route in ("articles", "redirect_rules"):
        account.fault("status", route=route, brand=1, times=None, status=404)
    report = load(target, account, *streams)
    assert written(report) == {}
    assert {name: table(target, name) for name in streams} == before
    assert "is left out, its rows stay" in str(report.streams["redirect_rules"].message)


def test_a_bounded_run_asks_for_no_comment_twice(tmp_path: Path, account: Simulator) -> None:
    """Two readers of the list of articles show it to what hangs below once."""
    target = pipeline(tmp_path)
    load(target, account, "articles", "article_translations", "article_comments", end_date="2050-01-01")
    assert asked(account)["article_comments"] == len(truth(account, "articles"))
    assert_whole(target, account, "article_comments", "article_translations")


def test_followers_of_articles_and_posts_are_read_where_they_are_asked_for(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, "content_subscriptions")
    assert asked(account).keys() == {"brands", "sections", "topics", "section_subscriptions", "topic_subscriptions"}
    assert_whole(target, account, "content_subscriptions")
    load(target, account, "content_subscriptions", help_center_followers="all")
    expected = {
        (center.brand_id, content_type, row["id"])
        for center in account.account.help_centers
        for content_type, kind in (("Section", "section"), ("Topic", "topic"), ("Article", "article"), ("Post", "post"))
        for row in center.tables[f"{kind}_subscriptions"]
    }
    assert set(table(target, "content_subscriptions")) == expected
    again = load(target, account, "content_subscriptions", help_center_followers="all")
    assert written(again) == {}
    load(target, account, "content_subscriptions")
    assert_whole(target, account, "content_subscriptions")


def test_without_a_community_followers_of_sections_are_loaded_and_those_of_topics_stay(
    tmp_path: Path, account: Simulator
) -> None:
    target = pipeline(tmp_path)
    load(target, account, "content_subscriptions")
    account.fault("status", route="topics", times=None, status=404)
    account.mutate("remove_rows", stream="content_subscriptions")
    report = load(target, account, "content_subscriptions")
    assert_whole(target, account, "content_subscriptions")
    assert "followers, Topic: left out" in str(report.streams["content_subscriptions"].message)
    account.fault("status", route="sections", times=None, status=403)
    report = sync(target, source(account).with_resources("content_subscriptions"))
    assert report.streams["content_subscriptions"].status == "unavailable"


@pytest.mark.parametrize(
    ("gates", "refused"),
    [
        ({"themes": 401}, {"themes"}),
        ({"content_tags": 404}, {"content_tags"}),
        ({"content_tags": 403, "redirect_rules": 403}, {"content_tags", "redirect_rules"}),
        ({"user_segments": 403, "permission_groups": 403}, {"user_segments", "permission_groups"}),
    ],
)
def test_what_the_plan_or_the_scope_lacks_is_unavailable(
    tmp_path: Path, simulate: Simulate, gates: dict[str, int], refused: set[str]
) -> None:
    account = simulate(tickets=20, articles=6, gates=gates)
    named = ("themes", "content_tags", "redirect_rules", "user_segments", "permission_groups", "article_labels")
    report = sync(pipeline(tmp_path), source(account).with_resources(*named))
    assert {name for name, stream in report.streams.items() if stream.status == "unavailable"} == refused
    assert {stream.status for name, stream in report.streams.items() if name not in refused} == {"loaded"}


def test_an_account_without_gather_has_no_badges(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=20, articles=6, without=("gather",))
    report = sync(pipeline(tmp_path), source(account).with_resources("badges", "badge_assignments", "article_labels"))
    found = {name: stream.status for name, stream in report.streams.items()}
    assert found == {"badges": "unavailable", "badge_assignments": "unavailable", "article_labels": "loaded"}


def test_a_badge_is_given_to_somebody_else(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, "badge_assignments")
    (given,) = account.mutate("update_rows", stream="badge_assignments")["ids"]
    before = table(target, "badge_assignments")[(given,)]["user_id"]
    assert written(load(target, account, "badge_assignments")) == {"badge_assignments": 1}
    assert table(target, "badge_assignments")[(given,)]["user_id"] != before


def test_segments_are_asked_for_at_one_help_center_and_groups_and_themes_at_the_account(
    tmp_path: Path, account: Simulator
) -> None:
    target = pipeline(tmp_path)
    load(target, account, "user_segments", "permission_groups", "themes")
    asked_at = {(request["route"], request["brand"]) for request in account.requests()}
    assert {("user_segments", 0), ("permission_groups", 0), ("themes", 0)} < asked_at
    assert {brand for _, brand in asked_at} == {0}
    (gone,) = account.mutate("remove_rows", stream="user_segments")["ids"]
    load(target, account, "user_segments", "permission_groups", "themes")
    assert (gone,) not in table(target, "user_segments")
    assert_whole(target, account, "user_segments", "permission_groups", "themes")


def test_brands_are_asked_for_their_help_centers_once_a_run(tmp_path: Path, account: Simulator) -> None:
    load(pipeline(tmp_path), account, "user_segments", "article_labels", "sections", "redirect_rules")
    assert asked(account)["brands"] == 1


def test_one_list_has_the_votes_of_four_streams_as_many_as_are_counted(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, "help_center_votes", "articles", *VOTES)
    four = {key: row for name in VOTES for key, row in table(target, name).items()}
    assert table(target, "help_center_votes") == four
    counted = Counter(
        (row["brand_id"], row["item_id"]) for row in rows(target, "help_center_votes") if row["item_type"] == "Article"
    )
    expected = {(row["brand_id"], row["id"]): row["vote_count"] for row in rows(target, "articles")}
    assert counted == {key: count for key, count in expected.items() if count}


def test_another_language_becomes_the_default_one(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, "help_center_locales")
    account.mutate("update_rows", stream="help_center_locales")
    assert written(load(target, account, "help_center_locales")) == {"help_center_locales": 2}
    assert_whole(target, account, "help_center_locales")
    chosen: Counter[Any] = Counter(row["brand_id"] for row in rows(target, "help_center_locales") if row["default"])
    assert set(chosen.values()) == {1}


def test_all_of_them_are_loaded_only_where_they_are_asked_for() -> None:
    assert {(stream.family, stream.default_set) for stream in guide.STREAMS} == {("help_center", None)}
