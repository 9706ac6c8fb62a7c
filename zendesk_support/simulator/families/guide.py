"""What help centers and communities have in common: lists by brand, comments, votes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.help_center import Content, HelpCenter
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import HOST
from zendesk_support.simulator.kinds import Gate, Kind, Mutation, Size
from zendesk_support.simulator.server.lists import Listing
from zendesk_support.simulator.server.messages import Request, no_page, not_found
from zendesk_support.simulator.server.routes import Args, Route
from zendesk_support.simulator.server.sideloads import Sideload

_SORTS = ("created_at", "updated_at", "edited_at", "position", "title")


def center_of(store: Store, request: Request) -> HelpCenter:
    """Return the help center of the brand that was asked."""
    if request.brand >= len(store.help_centers):
        raise no_page()
    return store.help_centers[request.brand]


def guide_list(
    kind: str,
    path: str,
    key: str = "",
    parent: tuple[str, int] | None = None,
    order: str = "id",
    sideloads: Mapping[str, Sideload] | None = None,
    translated: str = "",
) -> Route:
    """Return the route of a help center's list.

    Args:
        kind: The stream's name.
        path: Below /api/v2.
        key: Name of the array in the reply, if it is not the stream's.
        parent: The kind of the parent that the path names, and its place among the names.
        order: As in `Listing`.
        sideloads: What may come along.
        translated: The kind of the translations that stand within rows where they are asked for.
    """

    def row(store: Store, request: Request, rid: int) -> Row:
        center = center_of(store, request)
        shown = center.present(kind, rid)
        if not translated or "translations" not in request.includes:
            return shown
        return {
            **shown,
            "translations": [center.present(translated, each) for each in center.children(translated, rid)],
        }

    def rids(store: Store, request: Request, args: Args) -> Sequence[int]:
        center = center_of(store, request)
        if parent is None:
            return center.tables[kind].rids
        text = args[parent[1]]
        if not text.isdigit() or int(text) not in center.tables[parent[0]]:
            raise not_found()
        return sorted(center.children(kind, int(text)))

    listing = Listing(
        key or kind,
        rids,
        row,
        order=order,
        sorts=_SORTS,
        guide=True,
        sideloads=sideloads or {},
    )
    params = ("label_names", "start_time", "filter_by") if parent is None else ()
    return Route(kind, f"/api/v2/{path}", listing=listing, params=params, stream=kind)


def guide_kind(
    name: str,
    row: Callable[[HelpCenter, int], Row],
    size: Size,
    *routes: Route,
    gate: Gate | None = None,
    altered: Callable[[Change, Row], None] | None = None,
    cloned: Callable[[Change, Row], None] | None = None,
    **content: Any,
) -> Kind:
    """Return a stream of help centers; `content` is anything else of its `Content`."""
    hooks = {"altered": altered, "cloned": cloned}
    more: dict[str, Any] = {name: hook for name, hook in hooks.items() if hook}
    return Kind(name, content=Content(name, row, **content), size=size, routes=routes, gate=gate, **more)


def vote_kind(name: str, parent: str, size: Size, path: str, place: int, gate: Gate | None = None) -> Kind:
    """Return a stream of votes; `place` is that of the parent among the names of the path."""
    route = guide_list(name, path, "votes", (parent, place))
    return guide_kind(name, partial(vote, kind=name), size, route, gate=gate, altered=_turn, parent=(parent, "item_id"))


# Rows


def comment(center: HelpCenter, kind: str, rid: int, path: str) -> tuple[int, Row]:
    """Return the position of a comment, and the columns that all comments have."""
    number, value, row = center.base(kind, rid, path)
    row |= {
        "body": f"<p>{center.world.notes[value % len(center.world.notes)]}</p>",
        "author_id": center.world.end_user(value, 75),
        "vote_sum": 0,
        "vote_count": 0,
        "non_author_editor_id": None,
        "non_author_updated_at": None,
    }
    return number, row


def vote(center: HelpCenter, rid: int, kind: str) -> Row:
    """Make a vote."""
    number = center.number(kind, rid)
    value = center.seed(rid)
    parent_kind = center.parents_of(kind)
    item = center.rid(parent_kind, center.world.mix(number, 77) % center.sizes[parent_kind])
    created, updated = center.times(kind, rid)
    return {
        "id": rid,
        "url": f"{HOST}/api/v2/help_center/votes/{rid}.json",
        "user_id": center.world.end_user(value, 78),
        "value": -1 if value % 4 == 0 else 1,
        "item_id": item,
        "item_type": {
            "articles": "Article",
            "posts": "Post",
            "article_comments": "Comment",
            "post_comments": "PostComment",
        }[parent_kind],
        **center.world.stamps(created, updated),
    }


# Side-loads


def authors(store: Store, request: Request, page: list[Row]) -> list[Row]:
    """Return the authors of a page."""
    users = store.tables["users"]
    wanted = sorted({row["author_id"] for row in page if "author_id" in row})
    return [users.get(rid) for rid in wanted if rid in users]


def nothing(store: Store, request: Request, page: list[Row]) -> list[Row]:
    """Return the empty array that a help center gives for what does not belong to a page."""
    return []


def guide_rows(kind: str, column: str) -> Sideload:
    """Return the side-load of the rows of a kind that a column names."""

    def find(store: Store, request: Request, page: list[Row]) -> list[Row]:
        table = center_of(store, request).tables[kind]
        return [table.get(rid) for rid in sorted({row[column] for row in page}) if rid in table]

    return find


# Changes


def _turn(change: Change, row: Row) -> None:
    row["value"] = -row["value"]


def voted(kind: str) -> Mutation:
    """Return the change that adds votes."""

    def change_votes(change: Change, count: int = 1, brand: int = 0) -> dict[str, Any]:
        center = change.store.help_centers[brand]
        parents = change.sample(center.tables[center.parents_of(kind)].rids, count)
        votes = []
        for parent in parents:
            row = change.clone(center.tables[kind])
            row |= {"item_id": parent, "value": 1}
            votes.append(row["id"])
        center.forget_children(kind)
        return {"ids": parents, "vote_ids": votes}

    return change_votes


def unvoted(kind: str) -> Mutation:
    """Return the change that takes votes back."""

    def change_votes(change: Change, count: int = 1, brand: int = 0) -> dict[str, Any]:
        center = change.store.help_centers[brand]
        table = center.tables[kind]
        votes = change.sample(table.rids, count)
        parents = [center.parent(kind, table.get(vote)) for vote in votes]
        for vote in votes:
            table.remove(vote)
        center.forget_children(kind)
        return {"ids": parents, "vote_ids": votes}

    return change_votes
