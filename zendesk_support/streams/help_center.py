"""Help centers: one crawl per brand that has one."""

from __future__ import annotations

from zendesk_support.budget import HELP_CENTER
from zendesk_support.kinds import HelpCenterChildren, HelpCenterListing, Listing
from zendesk_support.streams.base import LISTED, Stream, columns, feed

KEY = ("brand_id", "id")
ARTICLE_LIST = HelpCenterListing(Listing("help_center/articles", "articles", buckets=(HELP_CENTER,)))


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
        "user_segment_id": "who may read; null means everyone",
        "user_segment_ids": "who may read; an empty list means everyone",
        "vote_count": "up and down votes together",
        "vote_sum": "up votes minus down votes",
    },
    deletes="Archived and deleted articles are no longer listed, and are removed after a complete pass.",
)

ARTICLE_COMMENTS = Stream(
    name="article_comments",
    doc="A reader's comment under a help center article.",
    feeds=feed(HelpCenterChildren(ARTICLE_LIST, "help_center/articles/{id}/comments", "comments", parent="source_id")),
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
        "non_author_editor_id": "last editor other than the author; not recorded before May 2021",
        "vote_count": "up and down votes together",
        "vote_sum": "up votes minus down votes",
    },
    deletes=LISTED,
)

ARTICLE_VOTES = Stream(
    name="article_votes",
    doc="One user's vote on a help center article.",
    feeds=feed(
        HelpCenterChildren(ARTICLE_LIST, "help_center/articles/{id}/votes", "votes", parent="item_id", counted=True)
    ),
    columns=columns(
        bigint="brand_id id item_id user_id value",
        text="item_type url",
        timestamp="created_at updated_at",
    ),
    key=KEY,
    notes={
        "item_id": "the article voted on",
        "item_type": "always Article here",
        "value": "1 up, -1 down",
    },
    deletes=LISTED,
)

STREAMS = (
    ARTICLES,
    ARTICLE_COMMENTS,
    ARTICLE_VOTES,
)
