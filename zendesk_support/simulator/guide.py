"""The help centers: one per brand that has one, each with its own articles and community."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.table import Row, Table
from zendesk_support.simulator.world import FIRST_ID, HOST, STEP, World

KINDS = (
    "categories",
    "sections",
    "articles",
    "article_comments",
    "article_votes",
    "article_comment_votes",
    "article_attachments",
    "topics",
    "posts",
    "post_comments",
    "post_votes",
    "post_comment_votes",
)
PARENTS = {
    "article_comments": ("articles", "source_id"),
    "article_votes": ("articles", "item_id"),
    "article_comment_votes": ("article_comments", "item_id"),
    "article_attachments": ("articles", "article_id"),
    "post_comments": ("posts", "post_id"),
    "post_votes": ("posts", "item_id"),
    "post_comment_votes": ("post_comments", "item_id"),
}
"""Where a kind's parents live, and which column names the parent."""
_BRAND_STRIDE = 1_000_000_000


class HelpCenter:
    """One brand's help center."""

    def __init__(self, world: World, brand_number: int) -> None:
        self.world = world
        self.brand_number = brand_number
        self.brand_id = world.rid("brands", brand_number)
        self.offset = brand_number * _BRAND_STRIDE
        self.sizes = {kind: max(1, world.sizes[kind] // (1 + brand_number)) for kind in KINDS}
        self._makers: dict[str, Callable[[int], Row]] = {
            "categories": self._category,
            "sections": self._section,
            "articles": self._article,
            "article_comments": self._article_comment,
            "article_attachments": self._attachment,
            "topics": self._topic,
            "posts": self._post,
            "post_comments": self._post_comment,
        }
        self.tables = {kind: self._table(kind) for kind in KINDS}
        self._children: dict[str, dict[int, list[int]]] = {}

    def parent(self, kind: str, row: Row) -> int:
        """Return the parent's id of a row."""
        return int(row[PARENTS[kind][1]])

    def children(self, kind: str, parent: int) -> list[int]:
        """Return the ids of a parent's rows."""
        known = self._children.get(kind)
        if known is None:
            known = {}
            for rid in self.tables[kind].rids:
                known.setdefault(self.parent(kind, self.tables[kind].get(rid)), []).append(rid)
            self._children[kind] = known
        return known.get(parent, [])

    def forget_children(self, kind: str) -> None:
        """Have the children of a kind looked up again."""
        self._children.pop(kind, None)

    def rid(self, kind: str, number: int) -> int:
        """Return the id of the n-th row; the help centers share their first article ids."""
        shared = kind == "articles" and number < 2
        return FIRST_ID[kind] + (0 if shared else self.offset) + (number + 1) * STEP

    def _number(self, kind: str, rid: int) -> int:
        number = (rid - FIRST_ID[kind]) // STEP - 1
        return number if kind == "articles" and number < 2 else (rid - FIRST_ID[kind] - self.offset) // STEP - 1

    def _table(self, kind: str) -> Table:
        rids = [self.rid(kind, number) for number in range(self.sizes[kind])]

        def make(rid: int) -> Row:
            if kind.endswith("votes"):
                return self._vote(rid, kind)
            return self._makers[kind](rid)

        return Table(kind, rids, make, stamp=lambda rid: self._times(kind, rid)[1], base=FIRST_ID[kind])

    def _seed(self, kind: str, rid: int) -> int:
        return self.world.mix(rid + self.brand_number * 7_777_777, 70)

    def _times(self, kind: str, rid: int) -> tuple[int, int]:
        number = self._number(kind, rid)
        if kind in ("categories", "sections", "topics"):
            created = self.world.first + number * 600
        else:
            created = self.world.spread(number + self.brand_number * 13, self.sizes[kind] + 26)
        return created, self.world.later(number + self.brand_number * 1009, created, 60 * 86400)

    def _base(self, kind: str, rid: int, path: str) -> tuple[int, int, Row]:
        created, updated = self._times(kind, rid)
        row: Row = {
            "id": rid,
            "url": f"{HOST}/api/v2/{path}/{rid}.json",
            "html_url": f"{HOST}/hc/en-us/{path.rsplit('/', 1)[-1]}/{rid}",
            **self.world.stamps(created, updated),
        }
        return self._number(kind, rid), self._seed(kind, rid), row

    def _category(self, rid: int) -> Row:
        number, value, row = self._base("categories", rid, "help_center/en-us/categories")
        return {
            **row,
            "position": number,
            "name": self.world.words(value, 71, 2).title(),
            "description": "",
            "locale": "en-us",
            "source_locale": "en-us",
            "outdated": False,
        }

    def _section(self, rid: int) -> Row:
        number, value, row = self._base("sections", rid, "help_center/en-us/sections")
        return {
            **row,
            "category_id": self.rid("categories", number % self.sizes["categories"]),
            "position": number,
            "sorting": "manual",
            "name": self.world.words(value, 72, 3).title(),
            "description": None if number % 2 else "Tricks & tips",
            "locale": "en-us",
            "source_locale": "en-us",
            "outdated": False,
            "parent_section_id": None,
            "theme_template": "section_page",
        }

    def _article(self, rid: int) -> Row:
        number, value, row = self._base("articles", rid, "help_center/en-us/articles")
        title = f"{self.world.words(value, 73, 5).capitalize()} ({self.brand_number}-{number})"
        return {
            **row,
            "author_id": self.world.agent(value, 74),
            "comments_disabled": value % 9 == 0,
            "draft": value % 10 == 0,
            "promoted": value % 7 == 0,
            "position": 0,
            "vote_sum": 0,
            "vote_count": 0,
            "section_id": self.rid("sections", number % self.sizes["sections"]),
            "name": title,
            "title": title,
            "source_locale": "en-us",
            "locale": "en-us",
            "outdated": False,
            "outdated_locales": [],
            "edited_at": row["updated_at"],
            "user_segment_id": None if value % 3 else value % 1000,
            "user_segment_ids": [] if value % 3 else [value % 1000],
            "permission_group_id": value % 100,
            "content_tag_ids": [] if value % 2 else ["01GT23D51Y"],
            "label_names": [] if value % 2 else ["setup", "größe"],
            "body": f"<h1>{title}</h1><p>{self.world.texts[value % len(self.world.texts)]}</p>",
        }

    def _comment(self, kind: str, rid: int, path: str) -> tuple[int, Row]:
        number, value, row = self._base(kind, rid, path)
        row |= {
            "body": f"<p>{self.world.notes[value % len(self.world.notes)]}</p>",
            "author_id": self.world.end_user(value, 75),
            "vote_sum": 0,
            "vote_count": 0,
            "non_author_editor_id": None,
            "non_author_updated_at": None,
        }
        return number, row

    def _article_comment(self, rid: int) -> Row:
        number, row = self._comment("article_comments", rid, "help_center/comments")
        parent = self.rid("articles", self.world.mix(number, 76) % self.sizes["articles"])
        return {**row, "source_id": parent, "source_type": "Article", "locale": "en-us"}

    def _post_comment(self, rid: int) -> Row:
        number, row = self._comment("post_comments", rid, "community/comments")
        parent = self.rid("posts", self.world.mix(number, 76) % self.sizes["posts"])
        return {**row, "post_id": parent, "official": number % 5 == 0}

    def _vote(self, rid: int, kind: str) -> Row:
        number = self._number(kind, rid)
        value = self._seed(kind, rid)
        parent_kind = PARENTS[kind][0]
        item = self.rid(parent_kind, self.world.mix(number, 77) % self.sizes[parent_kind])
        created, updated = self._times(kind, rid)
        return {
            "id": rid,
            "url": f"{HOST}/api/v2/help_center/votes/{rid}.json",
            "user_id": self.world.end_user(value, 78),
            "value": -1 if value % 4 == 0 else 1,
            "item_id": item,
            "item_type": {
                "articles": "Article",
                "posts": "Post",
                "article_comments": "Comment",
                "post_comments": "PostComment",
            }[parent_kind],
            **self.world.stamps(created, updated),
        }

    def _attachment(self, rid: int) -> Row:
        number, value, row = self._base("article_attachments", rid, "help_center/articles/attachments")
        del row["html_url"]
        return {
            **row,
            "article_id": self.rid("articles", self.world.mix(number, 79) % self.sizes["articles"]),
            "file_name": f"manual & guide {number}.pdf",
            "content_type": "application/pdf",
            "content_url": f"{HOST}/hc/article_attachments/{rid}",
            "size": value % 1_000_000,
            "inline": False,
            "display_file_name": f"manual & guide {number}.pdf",
            "guide_media_id": None,
            "locale": "en-us",
        }

    def _topic(self, rid: int) -> Row:
        number, value, row = self._base("topics", rid, "community/topics")
        return {
            **row,
            "name": self.world.words(value, 80, 2).title(),
            "description": "",
            "position": number,
            "follower_count": value % 50,
            "manageable_by": "managers",
            "user_segment_id": None,
        }

    def _post(self, rid: int) -> Row:
        number, value, row = self._base("posts", rid, "community/posts")
        return {
            **row,
            "title": f"{self.world.words(value, 81, 4).capitalize()} ({self.brand_number}-{number})",
            "details": f"<p>{self.world.notes[value % len(self.world.notes)]}</p>",
            "author_id": self.world.end_user(value, 82),
            "vote_sum": 0,
            "vote_count": 0,
            "comment_count": 0,
            "follower_count": value % 9,
            "topic_id": self.rid("topics", number % self.sizes["topics"]),
            "pinned": value % 11 == 0,
            "featured": value % 5 == 0,
            "closed": False,
            "frozen": False,
            "status": "none",
            "non_author_editor_id": None,
            "non_author_updated_at": None,
            "content_tag_ids": [],
        }

    def present(self, kind: str, rid: int) -> Row:
        """Return a row as the API gives it, with its votes and comments counted."""
        row = self.tables[kind].get(rid)
        counted: dict[str, Any] = {}
        votes = {
            "articles": "article_votes",
            "article_comments": "article_comment_votes",
            "posts": "post_votes",
            "post_comments": "post_comment_votes",
        }.get(kind)
        if votes:
            values = [self.tables[votes].get(vote)["value"] for vote in self.children(votes, rid)]
            counted = {"vote_sum": sum(values), "vote_count": len(values)}
        if kind == "posts":
            counted["comment_count"] = len(self.children("post_comments", rid))
        return {**row, **counted} if counted else row

    def last_moment(self, kind: str, rid: int) -> str:
        """Return when a row was last updated."""
        return iso(self.tables[kind].stamp(rid))
