"""What the account has once for all its help centers: readers, editors, tags, themes, badges; and redirects."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from zendesk_support.simulator.clock import iso, iso_ms, unix
from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.help_center import Content, HelpCenter
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import World
from zendesk_support.simulator.families.guide import center_of
from zendesk_support.simulator.kinds import Family, Gate, Kind, plain
from zendesk_support.simulator.server.limits import GUIDE
from zendesk_support.simulator.server.lists import Listing
from zendesk_support.simulator.server.messages import HTML, Refusal, Request, error, no_endpoint, refused_guide
from zendesk_support.simulator.server.routes import Args, Route

_GATE = Gate("professional", 404)
_KNOWLEDGE = Gate("professional", 403)
Make = Callable[[World, int], Row]


def _times(kind: str, world: World, rid: int) -> dict[str, str]:
    """Return the times of a row, with thousandths."""
    stamps = world.setting(kind, rid, "")[2]
    return {name: iso_ms(unix(stamps[name]) * 1000) for name in ("created_at", "updated_at")}


def _named(kind: str, world: World, rid: int) -> str:
    return world.ulid(rid, unix(world.setting(kind, rid, "")[2]["created_at"]))


def content_tag_id(world: World, number: int) -> str:
    """Return the id of one of the first content tags."""
    return _named("content_tags", world, world.rid("content_tags", number % world.sizes["content_tags"]))


# Readers, editors, tags


def _segment(world: World, rid: int) -> Row:
    number, value, row = world.setting("user_segments", rid, "help_center/user_segments")
    del row["url"]
    built_in = ("Agents and managers", "Signed-in users")
    return {
        **row,
        "name": built_in[number] if number < len(built_in) else f"{world.words(number, 51, 2).title()} {number}",
        "user_type": "staff" if number == 0 else "signed_in_users",
        "built_in": number < len(built_in),
        "group_ids": [world.pick(number, 52, "groups")] if number == 2 else [],
        "organization_ids": [world.pick(number, 53, "organizations")] if number > 2 else [],
        "tags": ["vip"] if value % 2 else [],
        "or_tags": [],
        "added_user_ids": [world.end_user(number, 54)] if number > 2 else [],
    }


def _permission_group(world: World, rid: int) -> Row:
    number, _, row = world.setting("permission_groups", rid, "guide/permission_groups")
    del row["url"]
    return {
        **row,
        "name": "Managers" if number == 0 else f"Editors {number}",
        "built_in": number == 0,
        "edit": [world.rid("user_segments", 0)] if number else [],
        "publish": [world.rid("user_segments", 0)] if number else [],
    }


def _shown_group(store: Store, request: Request, rid: int) -> Row:
    """Return a permission group with its times as this list writes them."""
    row = store.tables["permission_groups"].get(rid)
    return {**row, **{name: f"{row[name][:10]} {row[name][11:19]} +0000" for name in ("created_at", "updated_at")}}


def _of_account(store: Store, request: Request, args: Args) -> Sequence[int]:
    """Return the permission groups; on a brand's host, lead to the account's."""
    if request.brand:
        account = store.brand_urls[store.world.rid("brands", 0)]
        raise Refusal(302, "", HTML, [("Location", f"{account}{request.path}")])
    return store.tables["permission_groups"].rids


def _content_tag(world: World, rid: int) -> Row:
    number = world.number("content_tags", rid)
    name = f"{world.words(number, 55, 1)} {number}"
    return {"id": _named("content_tags", world, rid), "name": name, **_times("content_tags", world, rid)}


# Redirects and themes


def _redirect(center: HelpCenter, rid: int) -> Row:
    number = center.number("redirect_rules", rid)
    created, updated = center.times("redirect_rules", rid)
    return {
        "id": center.world.ulid(rid, created),
        "brand_id": str(center.brand_id),
        "redirect_from": f"/hc/en-us/articles/{center.seed(rid)}",
        "redirect_to": f"/hc/en-us/articles/{center.rid('articles', number % center.sizes['articles'])}",
        "redirect_status": "301" if number % 3 else "302",
        "created_at": iso_ms(created * 1000),
        "updated_at": iso_ms(updated * 1000),
    }


def _redirects(store: Store) -> Iterator[Row]:
    for center in store.help_centers:
        yield from center.tables["redirect_rules"]


def _lead_elsewhere(change: Change, row: Row) -> None:
    row["redirect_to"] = f"/hc/en-us/changed/{change.number}"


def _theme(world: World, rid: int) -> Row:
    number, value, row = world.setting("themes", rid, "guide/theming/themes")
    return {
        "id": str(uuid.UUID(int=value << 64 | rid)),
        "brand_id": str(world.rid("brands", number % 2)),
        "name": f"Theme {number}",
        "author": "Zendesk" if number < 2 else world.person(number),
        "version": f"1.{number}.0",
        "live": number < 2,
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


def _themes(store: Store, request: Request, args: Args) -> Sequence[int]:
    """Return the themes of one brand or of all; a brand's host has none of them."""
    if request.brand:
        raise no_endpoint()
    table, brand = store.tables["themes"], request.params.get("brand_id")
    return [rid for rid in table.rids if brand in (None, table.get(rid)["brand_id"])]


def _refuse_themes(status: int) -> Refusal:
    if status == 401:
        return error("InvalidOAuthScopes", "The token lacks the scope themes:read", 401)
    return refused_guide(status)


def _refuse_tags(status: int) -> Refusal:
    return Refusal(404, "") if status == 404 else refused_guide(status)


# Badges


def _badge_category(world: World, rid: int) -> Row:
    number = world.number("badge_categories", rid)
    name = ("Titles", "Achievements")[number % 2]
    return {
        "id": _named("badge_categories", world, rid),
        "brand_id": str(world.rid("brands", number // 2 % 2)),
        "name": name,
        "slug": name.lower(),
        **_times("badge_categories", world, rid),
    }


def _badge(world: World, rid: int) -> Row:
    number = world.number("badges", rid)
    category = world.rid("badge_categories", number % world.sizes["badge_categories"])
    return {
        "id": _named("badges", world, rid),
        "badge_category_id": _named("badge_categories", world, category),
        "name": f"{world.words(number, 57, 1).title()} {number}",
        "description": world.words(number, 58, 4),
        "icon_url": f"https://example.com/badges/{number}.svg",
        **_times("badges", world, rid),
    }


def _assignment(world: World, rid: int) -> Row:
    number = world.number("badge_assignments", rid)
    return {
        "id": _named("badge_assignments", world, rid),
        "badge_id": _named("badges", world, world.rid("badges", number % world.sizes["badges"])),
        "user_id": str(world.end_user(number, 59)),
        "created_at": _times("badge_assignments", world, rid)["created_at"],
    }


def _reassign(change: Change, row: Row) -> None:
    """Give a badge to somebody else."""
    row["user_id"] = str(change.sample(change.store.tables["users"].rids, 1, lambda rid: str(rid) != row["user_id"])[0])


def _take_badge(change: Change, row: Row) -> None:
    """Take a badge that goes from all who have it."""
    table = change.store.tables["badge_assignments"]
    for rid in [rid for rid in table.rids if table.get(rid)["badge_id"] == row["id"]]:
        table.remove(rid)


def _move_badges(change: Change, row: Row) -> None:
    """Put the badges of a category that goes into another."""
    badges, categories = change.store.tables["badges"], change.store.tables["badge_categories"]
    other = next((each["id"] for each in categories if each["id"] != row["id"]), None)
    for rid in badges.rids:
        if badges.get(rid)["badge_category_id"] == row["id"]:
            badges.change(rid, change.now).update(badge_category_id=other, updated_at=iso(change.now))


def _by(*columns: str) -> Callable[[Store, Request, Args], Sequence[int]]:
    """Return what finds the rows of a list of Gather that has filters for some columns."""

    def rids(store: Store, request: Request, args: Args) -> Sequence[int]:
        table = store.tables[request.path.rsplit("/", 1)[-1].removesuffix(".json")]
        wanted = {name: request.params[name] for name in columns if name in request.params}
        return [rid for rid in table.rids if all(table.get(rid)[name] == value for name, value in wanted.items())]

    return rids


def _gather(name: str, make: Make, size: int, filters: tuple[str, ...], **more: Any) -> Kind:
    """Return a list of Gather: all rows at once, and nothing said of pages."""
    return plain(
        name,
        make,
        size,
        f"gather/{name}",
        gate=_GATE,
        rids=_by(*filters),
        paging="bare",
        params=filters,
        general=GUIDE,
        refused=refused_guide,
        more=more,
    )


GATHER = Family(
    "gather",
    (
        _gather("badge_categories", _badge_category, 4, ("brand_id",), removed=_move_badges),
        _gather("badges", _badge, 6, ("badge_category_id",), removed=_take_badge),
        _gather("badge_assignments", _assignment, 14, ("user_id", "badge_id"), altered=_reassign),
    ),
)
GUIDE_FAMILY = Family(
    "guide",
    (
        Kind(
            "user_segments",
            row=_segment,
            size=5,
            gate=_KNOWLEDGE,
            routes=(
                Route(
                    "user_segments",
                    "/api/v2/help_center/user_segments",
                    listing=Listing(
                        "user_segments",
                        lambda store, request, args: store.tables["user_segments"].rids,
                        lambda store, request, rid: store.tables["user_segments"].get(rid),
                        guide=True,
                    ),
                    params=("built_in",),
                    stream="user_segments",
                    admins=True,
                ),
            ),
            kept=lambda store: 2,
        ),
        plain(
            "permission_groups",
            _permission_group,
            4,
            "guide/permission_groups",
            gate=_KNOWLEDGE,
            rids=_of_account,
            row=_shown_group,
            paging="offset",
            general=GUIDE,
            refused=refused_guide,
            admins=True,
            more={"kept": lambda store: 1},
        ),
        plain(
            "content_tags",
            _content_tag,
            65,
            "guide/content_tags",
            "records",
            gate=_GATE,
            paging="cursor",
            links="none",
            most=30,
            sorts=("name",),
            general=GUIDE,
            refused=_refuse_tags,
        ),
        Kind(
            "redirect_rules",
            content=Content("redirect_rules", _redirect, early=True),
            size=64,
            routes=(
                Route(
                    "redirect_rules",
                    "/api/v2/guide/redirect_rules",
                    listing=Listing(
                        "records",
                        lambda store, request, args: center_of(store, request).tables["redirect_rules"].rids,
                        lambda store, request, rid: center_of(store, request).tables["redirect_rules"].get(rid),
                        sorts=("redirect_from",),
                        paging="cursor",
                        links="none",
                        most=30,
                    ),
                    general=GUIDE,
                    stream="redirect_rules",
                    admins=True,
                    refused=refused_guide,
                ),
            ),
            truth=_redirects,
            altered=_lead_elsewhere,
        ),
        plain(
            "themes",
            _theme,
            5,
            "guide/theming/themes",
            rids=_themes,
            paging="bare",
            params=("brand_id",),
            general=GUIDE,
            scope="themes",
            refused=_refuse_themes,
            admins=True,
        ),
    ),
)
