"""Help centers: categories, sections, articles, and their comments, votes and attachments."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.help_center import HelpCenter
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import HOST
from zendesk_support.simulator.families.gather import content_tag_id
from zendesk_support.simulator.families.guide import (
    authors,
    center_of,
    comment,
    guide_kind,
    guide_list,
    guide_rows,
    nothing,
    unvoted,
    vote_kind,
    voted,
)
from zendesk_support.simulator.families.translations import translate
from zendesk_support.simulator.kinds import Family
from zendesk_support.simulator.server.exports import Export
from zendesk_support.simulator.server.lists import Listing
from zendesk_support.simulator.server.messages import Request
from zendesk_support.simulator.server.routes import Args, Route

_LOCALE = r"help_center/[a-z]{2}(?:-[a-z]{2})?"


def _category(center: HelpCenter, rid: int) -> Row:
    number, value, row = center.base("categories", rid, "help_center/en-us/categories")
    return {
        **row,
        "position": number,
        "name": center.world.words(value, 71, 2).title(),
        "description": "",
        "locale": "en-us",
        "source_locale": "en-us",
        "outdated": False,
    }


def _section(center: HelpCenter, rid: int) -> Row:
    number, value, row = center.base("sections", rid, "help_center/en-us/sections")
    return {
        **row,
        "category_id": center.rid("categories", number % center.sizes["categories"]),
        "position": number,
        "sorting": "manual",
        "name": center.world.words(value, 72, 3).title(),
        "description": None if number % 2 else "Tricks & tips",
        "locale": "en-us",
        "source_locale": "en-us",
        "outdated": False,
        "parent_section_id": None,
        "theme_template": "section_page",
    }


def _article(center: HelpCenter, rid: int) -> Row:
    number, value, row = center.base("articles", rid, "help_center/en-us/articles")
    title = f"{center.world.words(value, 73, 5).capitalize()} ({center.brand_number}-{number})"
    segment = center.world.pick(value, 83, "user_segments")
    return {
        **row,
        "author_id": center.world.agent(value, 74),
        "comments_disabled": value % 9 == 0,
        "draft": value % 10 == 0,
        "promoted": value % 7 == 0,
        "position": 0,
        "vote_sum": 0,
        "vote_count": 0,
        "section_id": center.rid("sections", number % center.sizes["sections"]),
        "name": title,
        "title": title,
        "source_locale": "en-us",
        "locale": "en-us",
        "outdated": False,
        "outdated_locales": [],
        "edited_at": row["updated_at"],
        "user_segment_id": None if value % 3 else segment,
        "user_segment_ids": [] if value % 3 else [segment],
        "permission_group_id": center.world.pick(value, 84, "permission_groups"),
        "content_tag_ids": [] if value % 2 else [content_tag_id(center.world, value // 2)],
        "label_names": [] if value % 2 else ["setup", "größe"],
        "body": f"<h1>{title}</h1><p>{center.world.texts[value % len(center.world.texts)]}</p>",
    }


def _article_comment(center: HelpCenter, rid: int) -> Row:
    number, row = comment(center, "article_comments", rid, "help_center/comments")
    parent = center.rid("articles", center.world.mix(number, 76) % center.sizes["articles"])
    return {**row, "source_id": parent, "source_type": "Article", "locale": "en-us"}


def _attachment(center: HelpCenter, rid: int) -> Row:
    number, value, row = center.base("article_attachments", rid, "help_center/articles/attachments")
    del row["html_url"]
    return {
        **row,
        "article_id": center.rid("articles", center.world.mix(number, 79) % center.sizes["articles"]),
        "file_name": f"manual & guide {number}.pdf",
        "content_type": "application/pdf",
        "content_url": f"{HOST}/hc/article_attachments/{rid}",
        "size": value % 1_000_000,
        "inline": False,
        "display_file_name": f"manual & guide {number}.pdf",
        "guide_media_id": None,
        "locale": "en-us",
    }


# Answers


def _categories_of_articles(store: Store, request: Request, page: list[Row]) -> list[Row]:
    tables = center_of(store, request).tables
    sections = [tables["sections"].find(row["section_id"]) for row in page]
    wanted = {section["category_id"] for section in sections if section}
    return [tables["categories"].get(rid) for rid in sorted(wanted) if rid in tables["categories"]]


def _votes(store: Store, request: Request, args: Args) -> Sequence[int]:
    """Return every vote in a help center."""
    tables = center_of(store, request).tables
    return sorted(rid for kind in tables if kind.endswith("votes") for rid in tables[kind].rids)


def _vote(store: Store, request: Request, rid: int) -> Row:
    """Return a vote of any kind."""
    tables = center_of(store, request).tables
    return next(tables[kind].get(rid) for kind in tables if kind.endswith("votes") and rid in tables[kind])


_ARTICLE_SIDELOADS = {
    "users": authors,
    "sections": guide_rows("sections", "section_id"),
    "categories": _categories_of_articles,
    "topics": nothing,
}
_SECTION_SIDELOADS = {
    "users": authors,
    "sections": nothing,
    "categories": guide_rows("categories", "category_id"),
    "topics": nothing,
}
_ARTICLES = Export(
    "articles",
    lambda store, request: store.help_centers[request.brand].tables["articles"],
    rows=lambda store, request, rids: [store.help_centers[request.brand].present("articles", rid) for rid in rids],
    sideloads=_ARTICLE_SIDELOADS,
    ends=False,
    null_end=True,
    refuses_recent=False,
    needs_start=False,
)


# Changes


def _update_articles(change: Change, count: int = 1, brand: int = 0) -> dict[str, Any]:
    table = change.store.help_centers[brand].tables["articles"]
    chosen = change.sample(table.rids, count)
    for rid in chosen:
        row = table.change(rid, change.now)
        change.alter_text(row)
        row["updated_at"] = row["edited_at"] = iso(change.now)
    return {"ids": chosen}


def _archive_articles(change: Change, count: int = 1, brand: int = 0) -> dict[str, Any]:
    center = change.store.help_centers[brand]
    chosen = change.sample(center.tables["articles"].rids, count)
    for rid in chosen:
        center.remove("articles", rid)
    return {"ids": chosen}


_ARTICLE = "help_center/articles/{id}"
_BY_PLACE = "position,title,id"

FAMILY = Family(
    "help_center",
    (
        guide_kind(
            "categories",
            _category,
            4,
            guide_list("categories", "help_center/categories", order="position,id", translated="category_translations"),
            guide_list("categories", f"{_LOCALE}/categories", order="position,id"),
            early=True,
            cloned=partial(translate, of="categories"),
        ),
        guide_kind(
            "sections",
            _section,
            8,
            *(
                guide_list(
                    "sections",
                    f"{place}/sections",
                    order="position,id",
                    sideloads=_SECTION_SIDELOADS,
                    translated="section_translations",
                )
                for place in ("help_center", _LOCALE)
            ),
            early=True,
            cloned=partial(translate, of="sections"),
        ),
        guide_kind(
            "articles",
            _article,
            lambda of: max(24, min(2000, of["tickets"] // 10)),
            Route(
                "incremental_articles",
                "/api/v2/help_center/incremental/articles",
                export=_ARTICLES,
                stream="articles",
                kind="incremental",
            ),
            guide_list(
                "articles",
                "help_center/articles",
                order=_BY_PLACE,
                sideloads=_ARTICLE_SIDELOADS,
                translated="article_translations",
            ),
            guide_list("articles", f"{_LOCALE}/articles", order=_BY_PLACE, sideloads=_ARTICLE_SIDELOADS),
            votes="article_votes",
            shared=2,
            cloned=partial(translate, of="articles"),
        ),
        guide_kind(
            "article_comments",
            _article_comment,
            lambda of: 2 * of["articles"],
            guide_list("article_comments", f"{_ARTICLE}/comments", "comments", ("articles", 0)),
            parent=("articles", "source_id"),
            votes="article_comment_votes",
        ),
        vote_kind("article_votes", "articles", lambda of: 3 * of["articles"], f"{_ARTICLE}/votes", 0),
        vote_kind(
            "article_comment_votes",
            "article_comments",
            lambda of: of["articles"],
            f"{_ARTICLE}/comments/{{id}}/votes",
            1,
        ),
        guide_kind(
            "article_attachments",
            _attachment,
            lambda of: max(4, of["articles"] // 2),
            guide_list("article_attachments", f"{_ARTICLE}/attachments", parent=("articles", 0)),
            parent=("articles", "article_id"),
        ),
    ),
    routes=(
        Route(
            "help_center_votes",
            "/api/v2/help_center/votes",
            listing=Listing("votes", _votes, _vote, guide=True),
        ),
    ),
    sizes={"help_centers": lambda of: 1 if of["brands"] == 1 else 2},
    mutations={
        "update_articles": _update_articles,
        "archive_articles": _archive_articles,
        "vote_articles": voted("article_votes"),
        "unvote_articles": unvoted("article_votes"),
    },
)
