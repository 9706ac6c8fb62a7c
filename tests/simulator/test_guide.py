"""What surrounds help centers: envelopes, hosts and refusals of its lists, and how one row follows from another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from simulator_client import Client

from zendesk_support.simulator import Simulator
from zendesk_support.simulator.data.ulid import ulid

Account = tuple[Simulator, Client]
Make = Callable[..., Account]
ULIDS = ("content_tags", "badges", "badge_categories", "badge_assignments", "redirect_rules")


def walked(client: Client, path: str, base: str | None = None) -> list[dict[str, Any]]:
    """All rows of a list that says no more of its pages than `meta`."""
    rows: list[dict[str, Any]] = []
    more, after, pages = True, "", 0
    while more:
        answer = client.get(f"{path}?page[size]=30{after}", base).json
        assert set(answer) == {"records", "meta"}
        rows += answer["records"]
        more, after, pages = answer["meta"]["has_more"], f"&page[after]={answer['meta']['after_cursor']}", pages + 1
        assert answer["meta"]["after_cursor"]
    assert pages >= 3
    return rows


def by_id(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows in the order of their ids."""
    return sorted(rows, key=lambda row: str(row["id"]))


def test_lists_of_the_guide_say_in_meta_alone_what_follows_and_refuse_large_pages(make: Make) -> None:
    sim, client = make(redirect_rules=140)
    assert by_id(walked(client, "/api/v2/guide/content_tags")) == by_id(sim.truth("content_tags"))
    assert client.get("/api/v2/guide/content_tags?page[size]=31").status == 400
    rules = [rule for url in sim.brand_urls[:1] for rule in walked(client, "/api/v2/guide/redirect_rules", url)]
    other = client.get("/api/v2/guide/redirect_rules?page[size]=30", sim.brand_urls[1]).json["records"]
    brands = {str(center.brand_id) for center in sim.account.help_centers}
    assert {rule["brand_id"] for rule in (*rules, *other)} == brands
    assert by_id(rules) == by_id(
        [rule for rule in sim.truth("redirect_rules") if rule["brand_id"] == rules[0]["brand_id"]]
    )


def test_what_the_account_has_once_leads_brands_to_its_own_host_or_is_not_there(account: Account) -> None:
    sim, client = account
    here = client.get("/api/v2/guide/permission_groups").json
    assert [row["created_at"][10:11] + row["created_at"][19:] for row in here["permission_groups"]][:1] == ["  +0000"]
    assert {row["id"] for row in here["permission_groups"]} == {row["id"] for row in sim.truth("permission_groups")}
    elsewhere = client.get("/api/v2/guide/permission_groups", sim.brand_urls[1])
    assert elsewhere.status == 302
    assert elsewhere.headers["location"] == f"{sim.base_url}/api/v2/guide/permission_groups"
    assert client.get("/api/v2/guide/theming/themes", sim.brand_urls[1]).status == 404
    theme = client.get("/api/v2/guide/theming/themes").json["themes"][0]
    of_brand = client.get(f"/api/v2/guide/theming/themes?brand_id={theme['brand_id']}").json["themes"]
    assert {row["brand_id"] for row in of_brand} == {theme["brand_id"]}
    at_both = [client.get("/api/v2/help_center/user_segments", url).json["user_segments"] for url in sim.brand_urls]
    assert at_both[0] == at_both[1] == by_id(sim.truth("user_segments"))


@pytest.mark.parametrize("stream", ULIDS)
def test_ids_of_texts_tell_when_a_row_was_made(account: Account, stream: str) -> None:
    row = account[0].truth(stream)[0]
    second = ulid(account[0].account.world.start * 1000, 0)
    assert (len(row["id"]), row["id"] < second, row["created_at"].endswith("Z")) == (26, True, True)


def test_translations_stand_within_rows_that_are_asked_for_them(account: Account) -> None:
    sim, client = account
    truth = sim.truth("article_translations")
    plain = client.get("/api/v2/help_center/articles").json["articles"]
    rows = client.get("/api/v2/help_center/articles?include=translations").json["articles"]
    assert [{**row, "translations": None} for row in rows] == [{**row, "translations": None} for row in plain]
    for row in rows:
        own = {each["locale"]: each for each in row["translations"]}
        assert (own["en-us"]["title"], own["en-us"]["body"]) == (row["title"], row["body"])
        assert {each["source_id"] for each in own.values()} == {row["id"]}
    assert {row["locale"] for row in truth} == {"en-us", "de"}
    sim.fault("without", route="articles", key="translations")
    bare = client.get("/api/v2/help_center/articles?include=translations").json["articles"]
    assert bare == plain


def test_a_translation_of_the_own_language_is_the_text_of_its_article(account: Account) -> None:
    sim, _ = account
    (article,) = sim.mutate("update_articles")["ids"]
    (made,) = sim.mutate("create_rows", stream="articles")["ids"]
    brand = sim.account.help_centers[0].brand_id
    articles = {row["id"]: row for row in sim.truth("articles") if row["brand_id"] == brand}
    told = {
        row["source_id"]: row
        for row in sim.truth("article_translations")
        if row["brand_id"] == brand and row["locale"] == "en-us"
    }
    assert told.keys() == articles.keys()
    for id in (article, made):
        assert (told[id]["title"], told[id]["updated_at"]) == (articles[id]["title"], articles[id]["edited_at"])


def test_articles_name_segments_groups_and_tags_that_there_are(account: Account) -> None:
    sim, _ = account
    known = {name: {row["id"] for row in sim.truth(name)} for name in ("user_segments", "permission_groups")}
    tags = {row["id"] for row in sim.truth("content_tags")}
    articles = sim.truth("articles")
    assert {row["permission_group_id"] for row in articles} <= known["permission_groups"]
    assert {id for row in articles for id in row["user_segment_ids"]} <= known["user_segments"]
    assert {id for row in articles for id in row["content_tag_ids"]} <= tags
    assert any(row["content_tag_ids"] for row in articles)


def test_badges_go_with_those_who_have_them_and_are_put_into_another_category(account: Account) -> None:
    sim, client = account
    (badge,) = sim.mutate("remove_rows", stream="badges")["ids"]
    (category,) = sim.mutate("remove_rows", stream="badge_categories")["ids"]
    assert badge not in {row["badge_id"] for row in sim.truth("badge_assignments")}
    assert category not in {row["badge_category_id"] for row in sim.truth("badges")}
    given = client.get("/api/v2/gather/badge_assignments").json
    assert set(given) == {"badge_assignments"}
    user = given["badge_assignments"][0]["user_id"]
    of_user = client.get(f"/api/v2/gather/badge_assignments?user_id={user}").json["badge_assignments"]
    assert {row["user_id"] for row in of_user} == {user}


def test_what_a_plan_lacks_is_refused_in_the_words_of_its_family(make: Make) -> None:
    sim, client = make(plan="growth", gates={"themes": 401})
    tags, groups, badges = (
        client.get(f"/api/v2/{path}") for path in ("guide/content_tags", "guide/permission_groups", "gather/badges")
    )
    assert (tags.status, tags.raw) == (404, b"")
    assert (groups.status, groups.json["errors"][0]["code"]) == (403, "Forbidden")
    assert (badges.status, badges.json["error"]) == (404, "InvalidEndpoint")
    themes = client.get("/api/v2/guide/theming/themes")
    assert (themes.status, themes.json["errors"][0]["code"]) == (401, "InvalidOAuthScopes")
    assert client.get("/api/v2/community/topics/1/subscriptions").status == 404
    assert sim.truth("badges")


def test_languages_of_a_help_center_come_with_the_default_one(account: Account) -> None:
    sim, client = account
    for center, url in zip(sim.account.help_centers, sim.brand_urls):
        answer = client.get("/api/v2/help_center/locales", url).json
        rows = [row for row in sim.truth("help_center_locales") if row["brand_id"] == center.brand_id]
        assert answer["locales"] == [row["locale"] for row in rows]
        assert [answer["default_locale"]] == [row["locale"] for row in rows if row["default"]]
