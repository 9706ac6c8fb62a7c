"""Help centers: one crawl per brand that has one."""

from __future__ import annotations

from zendesk_support.api.limits import HELP_CENTER
from zendesk_support.reading.below import Below
from zendesk_support.reading.embedded import Embedded
from zendesk_support.reading.help_centers import HELP_CENTERS
from zendesk_support.reading.lists import Listing
from zendesk_support.streams.base import LISTED, Feed, Stream, columns, feed

KEY = ("brand_id", "id")
HC = (HELP_CENTER,)


def brand_list(path: str, rows: str, embeds: Embedded | None = None) -> Below:
    """A list of each brand's help center."""
    listing = Listing(path, rows, limits=HC, names=("id",), embeds=embeds)
    return Below(HELP_CENTERS, listing, {"brand_id": "id"}, is_long=True)


def translations_of(rows: str) -> Embedded:
    """The translations within rows of a list; those of articles from `start_date` on, as the articles are."""
    path = f"help_center/{rows}/{{id}}/translations"
    return Embedded("translations", path, "source_id", is_dated=rows == "articles")


def below(parents: Below, path: str, rows: str, parent: str, *, counted: bool = False) -> Below:
    """A list below each article, post or comment; `parent` is the column that has its id."""
    child = Listing(path, rows, limits=HC, names=("id",))
    return Below(parents, child, {"brand_id": "brand_id", parent: "id"}, counted=counted, is_dated=True)


CATEGORY_LIST = brand_list("help_center/categories", "categories", translations_of("categories"))
SECTION_LIST = brand_list("help_center/sections", "sections", translations_of("sections"))
TOPIC_LIST = brand_list("community/topics", "topics")
ARTICLE_LIST = brand_list("help_center/articles", "articles", translations_of("articles"))
ARTICLE_COMMENT_LIST = below(ARTICLE_LIST, "help_center/articles/{id}/comments", "comments", "source_id")
POST_LIST = brand_list("community/posts", "posts")
POST_COMMENT_LIST = below(POST_LIST, "community/posts/{id}/comments", "comments", "post_id")

VOTE_COLUMNS = columns(
    bigint="brand_id id item_id user_id value",
    text="item_type url",
    timestamp="created_at updated_at",
)
VOTED_NOTES = {
    "vote_count": "up and down votes together",
    "vote_sum": "up votes minus down votes",
}
EDITOR_NOTES = {"non_author_editor_id": "last editor other than the author; not recorded before May 2021"}
COMMUNITY = "Professional and above"
READER_NOTES = {"user_segment_id": "who may read; null means everyone"}


def votes(parents: Below, path: str) -> tuple[Feed, ...]:
    """The feed of the votes on what a list has."""
    return feed(below(parents, path, "votes", "item_id", counted=True))


def vote_notes(item: str, item_type: str) -> dict[str, str]:
    """What the columns of votes on one kind of item mean."""
    return {
        "item_id": f"the {item} voted on",
        "item_type": f"always {item_type} here",
        "value": "1 up, -1 down",
    }


CATEGORIES = Stream(
    name="categories",
    doc="A help center category, the top level above sections.",
    feeds=feed(CATEGORY_LIST),
    columns=columns(
        bigint="brand_id id position",
        text="description html_url locale name source_locale url",
        timestamp="created_at updated_at",
        bool="outdated",
    ),
    key=KEY,
    deletes=LISTED,
    family="help_center",
)

SECTIONS = Stream(
    name="sections",
    doc="A help center section, which holds articles or further sections.",
    feeds=feed(SECTION_LIST),
    columns=columns(
        bigint="brand_id id category_id parent_section_id position",
        text="description html_url locale name sorting source_locale theme_template url",
        timestamp="created_at updated_at",
        bool="outdated",
    ),
    key=KEY,
    notes={
        "parent_section_id": "null for a section directly below its category",
        "position": "counts only where sorting is manual",
    },
    deletes=LISTED,
    family="help_center",
)

ARTICLES = Stream(
    name="articles",
    doc="A help center article in its source language.",
    feeds=feed(ARTICLE_LIST),
    columns=columns(
        bigint="""
            brand_id id author_id permission_group_id position section_id user_segment_id vote_count vote_sum
        """,
        text="body html_url locale name source_locale title url",
        timestamp="created_at edited_at updated_at",
        bool="comments_disabled draft outdated promoted",
        json="content_tag_ids label_names outdated_locales user_segment_ids",
    ),
    key=KEY,
    fact=True,
    notes={
        "body": "HTML",
        "content_tag_ids": "list of ULIDs",
        "edited_at": "last change of the text; updated_at also moves with metadata",
        "name": "same as title",
        "outdated": "deprecated, always false",
        "outdated_locales": "translations marked as behind the source",
        "permission_group_id": "who may edit and publish",
        **READER_NOTES,
        "user_segment_ids": "who may read; an empty list means everyone",
        **VOTED_NOTES,
    },
    deletes="Archived and deleted articles are no longer listed, and are removed after a complete pass.",
    family="help_center",
)

ARTICLE_ATTACHMENTS = Stream(
    name="article_attachments",
    doc="A file attached to a help center article.",
    feeds=feed(below(ARTICLE_LIST, "help_center/articles/{id}/attachments", "article_attachments", "article_id")),
    columns=columns(
        bigint="brand_id id article_id size",
        text="content_type content_url display_file_name file_name locale relative_path url",
        timestamp="created_at updated_at",
        bool="inline",
    ),
    key=KEY,
    notes={
        "size": "bytes",
        "inline": "shown within the article body instead of listed below it",
        "locale": "translation the file belongs to; only inline files have one",
    },
    deletes=LISTED,
    family="help_center",
)

ARTICLE_COMMENTS = Stream(
    name="article_comments",
    doc="A reader's comment under a help center article.",
    feeds=feed(ARTICLE_COMMENT_LIST),
    columns=columns(
        bigint="brand_id id author_id non_author_editor_id source_id vote_count vote_sum",
        text="body html_url locale source_type url",
        timestamp="created_at non_author_updated_at updated_at",
    ),
    key=KEY,
    notes={
        "body": "HTML",
        "source_id": "the article commented on",
        "source_type": "always Article here",
        **EDITOR_NOTES,
        **VOTED_NOTES,
    },
    deletes=LISTED,
    family="help_center",
)

ARTICLE_VOTES = Stream(
    name="article_votes",
    doc="One user's vote on a help center article.",
    feeds=votes(ARTICLE_LIST, "help_center/articles/{id}/votes"),
    columns=VOTE_COLUMNS,
    links={"item_id": "articles"},
    key=KEY,
    notes=vote_notes("article", "Article"),
    deletes=LISTED,
    family="help_center",
)

ARTICLE_COMMENT_VOTES = Stream(
    name="article_comment_votes",
    doc="One user's vote on a comment of an article.",
    feeds=votes(ARTICLE_COMMENT_LIST, "help_center/articles/{source_id}/comments/{id}/votes"),
    columns=VOTE_COLUMNS,
    links={"item_id": "article_comments"},
    key=KEY,
    notes=vote_notes("comment", "Comment"),
    deletes=LISTED,
    family="help_center",
)

TOPICS = Stream(
    name="topics",
    doc="A topic that groups the posts of a brand's community.",
    feeds=feed(TOPIC_LIST),
    columns=columns(
        bigint="brand_id id community_id follower_count position user_segment_id",
        text="description html_url manageable_by name url",
        timestamp="created_at updated_at",
    ),
    key=KEY,
    notes={
        "manageable_by": "who may manage it: staff or managers",
        **READER_NOTES,
    },
    plan=COMMUNITY,
    deletes=LISTED,
    family="help_center",
)

POSTS = Stream(
    name="posts",
    doc="A post in a brand's community.",
    feeds=feed(POST_LIST),
    columns=columns(
        bigint="""
            brand_id id author_id comment_count follower_count non_author_editor_id topic_id vote_count vote_sum
        """,
        text="details html_url status title url",
        timestamp="created_at non_author_updated_at updated_at",
        bool="closed featured frozen pinned",
        json="content_tag_ids",
    ),
    key=KEY,
    fact=True,
    notes={
        "closed": "no further comments",
        "content_tag_ids": "list of ULIDs",
        "details": "HTML",
        "frozen": "undocumented flag, as Zendesk returns it",
        **EDITOR_NOTES,
        "status": "none, planned, not_planned, answered or completed",
        **VOTED_NOTES,
    },
    plan=COMMUNITY,
    deletes=LISTED,
    family="help_center",
)

POST_COMMENTS = Stream(
    name="post_comments",
    doc="A comment under a community post.",
    feeds=feed(POST_COMMENT_LIST),
    columns=columns(
        bigint="brand_id id author_id non_author_editor_id post_id vote_count vote_sum",
        text="body html_url url",
        timestamp="created_at non_author_updated_at updated_at",
        bool="official",
    ),
    key=KEY,
    notes={
        "body": "HTML",
        **EDITOR_NOTES,
        "official": "marked as the official answer",
        **VOTED_NOTES,
    },
    plan=COMMUNITY,
    deletes=LISTED,
    family="help_center",
)

POST_VOTES = Stream(
    name="post_votes",
    doc="One user's vote on a community post.",
    feeds=votes(POST_LIST, "community/posts/{id}/votes"),
    columns=VOTE_COLUMNS,
    links={"item_id": "posts"},
    key=KEY,
    notes=vote_notes("post", "Post"),
    plan=COMMUNITY,
    deletes=LISTED,
    family="help_center",
)

POST_COMMENT_VOTES = Stream(
    name="post_comment_votes",
    doc="One user's vote on a comment of a community post.",
    feeds=votes(POST_COMMENT_LIST, "community/posts/{post_id}/comments/{id}/votes"),
    columns=VOTE_COLUMNS,
    links={"item_id": "post_comments"},
    key=KEY,
    notes=vote_notes("post comment", "PostComment"),
    plan=COMMUNITY,
    deletes=LISTED,
    family="help_center",
)

STREAMS = (
    CATEGORIES,
    SECTIONS,
    ARTICLES,
    ARTICLE_ATTACHMENTS,
    ARTICLE_COMMENTS,
    ARTICLE_VOTES,
    ARTICLE_COMMENT_VOTES,
    TOPICS,
    POSTS,
    POST_COMMENTS,
    POST_VOTES,
    POST_COMMENT_VOTES,
)
