"""What surrounds a help center's articles and posts: translations, readers, labels, followers, badges, themes."""

from __future__ import annotations

from functools import partial

from zendesk_support.api.limits import GUIDE
from zendesk_support.reading.below import Below
from zendesk_support.reading.embedded import Embedded
from zendesk_support.reading.envelopes import ONE_ANSWER, Pages, Words
from zendesk_support.reading.help_centers import HELP_CENTERS, ONE_HELP_CENTER
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.together import Together
from zendesk_support.streams.base import HOURLY, LISTED, Feed, Stream, columns, feed
from zendesk_support.streams.derived import embedded, with_iso_times
from zendesk_support.streams.help_center import (
    ARTICLE_LIST,
    CATEGORY_LIST,
    COMMUNITY,
    HC,
    KEY,
    POST_LIST,
    SECTION_LIST,
    TOPIC_LIST,
    VOTE_COLUMNS,
    translations_of,
)

GUIDE_PAGE = Pages(30)
"""The size that lists of the guide family have by themselves; no larger one is documented for them."""
GATHER = "Gather (community) of Professional"
TRANSLATED = "Goes with what it translates, or when a complete pass no longer shows it there."
on_demand = partial(Stream, family="help_center", default_set=None)
"""A stream of this family, which is loaded only where somebody asks for it."""


def translations(of: str, parent: str, parents: Below) -> Stream:
    """The stream of the translations within rows of a list."""
    within: Embedded = translations_of(of)
    return on_demand(
        name=f"{parent}_translations",
        doc=f"The text of a help center {parent} in one language, its own language among them.",
        feeds=(Feed(parents, embedded, embedded=within),),
        columns=columns(
            bigint="brand_id id created_by_id source_id updated_by_id",
            text="body html_url locale source_type title url",
            timestamp="created_at updated_at",
            bool="draft hidden outdated",
        ),
        key=KEY,
        notes={
            "body": "HTML" if of == "articles" else "the description",
            "draft": "not published yet",
            "locale": "language, such as en-us",
            "outdated": "marked as behind the source language",
            "source_id": f"{of}.id",
            "source_type": f"always {parent.title()} here",
        },
        links={"source_id": of, "created_by_id": "users"},
        deletes=TRANSLATED,
    )


def followers(parents: Below, path: str, *, is_since_start: bool = False) -> Below:
    """The followers of each row of a list."""
    child = Listing(f"{path}/{{id}}/subscriptions", "subscriptions", limits=HC)
    return Below(parents, child, {"brand_id": "brand_id", "content_id": "id"}, is_since_start=is_since_start)


CATEGORY_TRANSLATIONS = translations("categories", "category", CATEGORY_LIST)
SECTION_TRANSLATIONS = translations("sections", "section", SECTION_LIST)
ARTICLE_TRANSLATIONS = translations("articles", "article", ARTICLE_LIST)

ARTICLE_LABELS = on_demand(
    name="article_labels",
    doc="A label that articles of a help center may bear.",
    feeds=feed(
        Below(
            HELP_CENTERS,
            Listing("help_center/articles/labels", "labels", limits=HC),
            {"brand_id": "id"},
            is_long=True,
        )
    ),
    columns=columns(
        bigint="brand_id id",
        text="name url",
        timestamp="created_at updated_at",
    ),
    key=KEY,
    plan=COMMUNITY,
    notes={"name": "as in articles.label_names, which says what bears it"},
    deletes=LISTED,
)

USER_SEGMENTS = on_demand(
    name="user_segments",
    doc="A group of readers: those who may read an article, or see a topic.",
    feeds=feed(Below(ONE_HELP_CENTER, Listing("help_center/user_segments", "user_segments", limits=HC), {})),
    columns=columns(
        bigint="id",
        text="name user_type",
        timestamp="created_at updated_at",
        bool="built_in",
        json="added_user_ids group_ids or_tags organization_ids tags",
    ),
    plan=COMMUNITY,
    notes={
        "added_user_ids": "users who belong to it whatever their groups and tags",
        "built_in": "Zendesk's own; its name is in the language of who asks",
        "or_tags": "a reader needs one of them; an empty list means no limit, as in the other lists",
        "tags": "a reader needs all of them",
        "user_type": "signed_in_users, or staff: agents and managers only",
    },
    deletes=LISTED,
)

PERMISSION_GROUPS = on_demand(
    name="permission_groups",
    doc="Who may edit and publish articles: articles.permission_group_id.",
    feeds=feed(
        Listing("guide/permission_groups", "permission_groups", envelope=ONE_ANSWER, limits=(GUIDE,)), with_iso_times
    ),
    columns=columns(
        bigint="id",
        text="name",
        timestamp="created_at updated_at",
        bool="built_in",
        json="edit publish",
    ),
    plan=COMMUNITY,
    notes={
        "built_in": "Zendesk's own",
        "edit": "user_segments.id of those who may edit",
        "publish": "user_segments.id of those who may publish",
    },
    deletes=LISTED,
)

CONTENT_TAGS = on_demand(
    name="content_tags",
    doc="A tag of articles and posts: what their content_tag_ids name.",
    feeds=feed(Listing("guide/content_tags", "records", envelope=GUIDE_PAGE, params={"sort": "id"}, limits=(GUIDE,))),
    columns=columns(text="id name", timestamp="created_at updated_at"),
    plan=COMMUNITY,
    notes={"id": "ULID"},
    deletes=LISTED,
)

OF_FEW = {
    "Section": followers(SECTION_LIST, "help_center/sections"),
    "Topic": followers(TOPIC_LIST, "community/topics"),
}
OF_ALL = {
    **OF_FEW,
    "Article": followers(ARTICLE_LIST, "help_center/articles", is_since_start=True),
    "Post": followers(POST_LIST, "community/posts", is_since_start=True),
}

CONTENT_SUBSCRIPTIONS = on_demand(
    name="content_subscriptions",
    doc="A user who follows a section or a topic; or an article or a post, where `help_center_followers` is `all`.",
    feeds=feed(Together("followers", "content_type", OF_FEW)),
    option="help_center_followers",
    variants={"all": feed(Together("followers", "content_type", OF_ALL))},
    columns=columns(
        bigint="brand_id id content_id user_id",
        text="content_type locale source_locale url",
        timestamp="created_at updated_at",
        bool="include_comments",
    ),
    key=("brand_id", "content_type", "id"),
    notes={
        "content_id": "what is followed: sections.id, topics.id, articles.id or posts.id",
        "content_type": "Section, Topic, Article or Post",
        "include_comments": "told of comments too; sections and topics only",
    },
    deletes="Removed after a complete pass in which Zendesk no longer lists it below what is followed.",
)

BADGES = on_demand(
    name="badges",
    doc="A badge that members of the community can have.",
    feeds=feed(Listing("gather/badges", "badges", envelope=ONE_ANSWER, limits=(GUIDE,))),
    columns=columns(
        text="id badge_category_id description icon_url name",
        timestamp="created_at updated_at",
    ),
    plan=GATHER,
    notes={"id": "ULID"},
    links={"badge_category_id": "badge_categories"},
    deletes=LISTED,
)

BADGE_CATEGORIES = on_demand(
    name="badge_categories",
    doc="A category of badges, such as titles and achievements.",
    feeds=feed(Listing("gather/badge_categories", "badge_categories", envelope=ONE_ANSWER, limits=(GUIDE,))),
    columns=columns(
        text="id brand_id name slug",
        timestamp="created_at updated_at",
    ),
    plan=GATHER,
    notes={"id": "ULID", "brand_id": "a string in Zendesk, unlike in other streams"},
    deletes=LISTED,
)

BADGE_ASSIGNMENTS = on_demand(
    name="badge_assignments",
    doc="A badge that a member of the community has.",
    feeds=feed(Listing("gather/badge_assignments", "badge_assignments", envelope=ONE_ANSWER, limits=(GUIDE,))),
    columns=columns(text="id badge_id user_id", timestamp="created_at"),
    plan=GATHER,
    notes={"id": "ULID", "user_id": "a string in Zendesk, unlike in other streams"},
    links={"badge_id": "badges"},
    deletes=LISTED,
    every=HOURLY,
)

REDIRECT_RULES = on_demand(
    name="redirect_rules",
    doc="A path of a help center that leads to another one.",
    feeds=feed(
        Below(
            HELP_CENTERS,
            Listing("guide/redirect_rules", "records", envelope=GUIDE_PAGE, params={"sort": "id"}, limits=(GUIDE,)),
            {"brand_id": "brand"},
            is_long=True,
        )
    ),
    columns=columns(
        text="id brand_id redirect_from redirect_status redirect_to",
        timestamp="created_at updated_at",
    ),
    notes={
        "id": "ULID",
        "brand_id": "a string in Zendesk, unlike in other streams",
        "redirect_from": "path, without what follows an id in it",
        "redirect_status": "301 or 302, a string",
    },
    deletes=LISTED,
)

THEMES = on_demand(
    name="themes",
    doc="A theme of a brand's help center; its files are not read.",
    feeds=feed(Listing("guide/theming/themes", "themes", envelope=ONE_ANSWER, limits=(GUIDE,))),
    columns=columns(
        text="id author brand_id name version",
        timestamp="created_at updated_at",
        bool="live",
    ),
    notes={
        "id": "UUID",
        "brand_id": "a string in Zendesk, unlike in other streams",
        "live": "the one that readers see",
    },
    deletes=LISTED,
)

HELP_CENTER_LOCALES = on_demand(
    name="help_center_locales",
    doc="A language that a brand's help center is kept in.",
    feeds=feed(
        Below(
            HELP_CENTERS,
            Listing("help_center/locales", "locales", envelope=Words("locale", "default_locale", "default"), limits=HC),
            {"brand_id": "id"},
            is_long=True,
        )
    ),
    columns=columns(bigint="brand_id", text="locale", bool="default"),
    key=("brand_id", "locale"),
    notes={"default": "the language of who has chosen none", "locale": "such as en-us; as in the translations"},
    deletes=LISTED,
)

HELP_CENTER_VOTES = on_demand(
    name="help_center_votes",
    doc="One user's vote on anything of a help center. It could replace article_votes, article_comment_votes, "
    "post_votes and post_comment_votes, and does not yet.",
    feeds=feed(Below(HELP_CENTERS, Listing("help_center/votes", "votes", limits=HC), {"brand_id": "id"}, is_long=True)),
    columns=VOTE_COLUMNS,
    key=KEY,
    notes={
        "item_id": "what was voted on: id of articles, article_comments, posts or post_comments",
        "item_type": "Article, Comment, Post or PostComment",
        "value": "1 up, -1 down",
    },
    deletes=LISTED,
    is_trial=True,
)

STREAMS = (
    CATEGORY_TRANSLATIONS,
    SECTION_TRANSLATIONS,
    ARTICLE_TRANSLATIONS,
    ARTICLE_LABELS,
    USER_SEGMENTS,
    PERMISSION_GROUPS,
    CONTENT_TAGS,
    CONTENT_SUBSCRIPTIONS,
    BADGES,
    BADGE_CATEGORIES,
    BADGE_ASSIGNMENTS,
    REDIRECT_RULES,
    THEMES,
    HELP_CENTER_LOCALES,
    HELP_CENTER_VOTES,
)
