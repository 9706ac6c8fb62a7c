"""Communities: topics, posts, and their comments and votes."""

from __future__ import annotations

from zendesk_support.simulator.data.help_center import HelpCenter
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.families.guide import (
    authors,
    comment,
    guide_kind,
    guide_list,
    guide_rows,
    nothing,
    unvoted,
    vote_kind,
    voted,
)
from zendesk_support.simulator.kinds import Family, Gate

_GATE = Gate("professional", 404)
_POST = "community/posts/{id}"


def _topic(center: HelpCenter, rid: int) -> Row:
    number, value, row = center.base("topics", rid, "community/topics")
    return {
        **row,
        "name": center.world.words(value, 80, 2).title(),
        "description": "",
        "position": number,
        "follower_count": value % 50,
        "manageable_by": "managers",
        "user_segment_id": None,
    }


def _post(center: HelpCenter, rid: int) -> Row:
    number, value, row = center.base("posts", rid, "community/posts")
    return {
        **row,
        "title": f"{center.world.words(value, 81, 4).capitalize()} ({center.brand_number}-{number})",
        "details": f"<p>{center.world.notes[value % len(center.world.notes)]}</p>",
        "author_id": center.world.end_user(value, 82),
        "vote_sum": 0,
        "vote_count": 0,
        "comment_count": 0,
        "follower_count": value % 9,
        "topic_id": center.rid("topics", number % center.sizes["topics"]),
        "pinned": value % 11 == 0,
        "featured": value % 5 == 0,
        "closed": False,
        "frozen": False,
        "status": "none",
        "non_author_editor_id": None,
        "non_author_updated_at": None,
        "content_tag_ids": [],
    }


def _post_comment(center: HelpCenter, rid: int) -> Row:
    number, row = comment(center, "post_comments", rid, "community/comments")
    parent = center.rid("posts", center.world.mix(number, 76) % center.sizes["posts"])
    return {**row, "post_id": parent, "official": number % 5 == 0}


FAMILY = Family(
    "community",
    (
        guide_kind(
            "topics",
            _topic,
            5,
            guide_list("topics", "community/topics", order="position,id"),
            gate=_GATE,
            early=True,
        ),
        guide_kind(
            "posts",
            _post,
            lambda of: max(16, min(1000, of["tickets"] // 20)),
            guide_list(
                "posts",
                "community/posts",
                order="-created_at,id",
                sideloads={
                    "users": authors,
                    "sections": nothing,
                    "categories": nothing,
                    "topics": guide_rows("topics", "topic_id"),
                },
            ),
            gate=_GATE,
            votes="post_votes",
            comments="post_comments",
        ),
        guide_kind(
            "post_comments",
            _post_comment,
            lambda of: 2 * of["posts"],
            guide_list("post_comments", f"{_POST}/comments", "comments", ("posts", 0)),
            gate=_GATE,
            parent=("posts", "post_id"),
            votes="post_comment_votes",
        ),
        vote_kind("post_votes", "posts", lambda of: 2 * of["posts"], f"{_POST}/votes", 0, _GATE),
        vote_kind(
            "post_comment_votes",
            "post_comments",
            lambda of: of["posts"],
            f"{_POST}/comments/{{id}}/votes",
            1,
            _GATE,
        ),
    ),
    mutations={"vote_posts": voted("post_votes"), "unvote_posts": unvoted("post_votes")},
)
