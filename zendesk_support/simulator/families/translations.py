"""What a help center says in which language, and who follows it: translations, languages, followers, labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.help_center import Content, HelpCenter
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import HOST
from zendesk_support.simulator.families.guide import center_of, guide_kind, guide_list
from zendesk_support.simulator.kinds import Family, Gate, Kind, Size
from zendesk_support.simulator.server.messages import Request
from zendesk_support.simulator.server.routes import Args, Route

LOCALES = ("en-us", "de", "fr", "ja", "es", "it", "nl", "pl", "pt-br", "sv")
LABELS = ("setup", "größe", "billing", "beta")
"""The first two stand on articles."""
SINGULAR = {"categories": "category", "sections": "section", "articles": "article"}
FOLLOWED = {
    "Section": ("sections", "section_subscriptions", "help_center/sections"),
    "Topic": ("topics", "topic_subscriptions", "community/topics"),
    "Article": ("articles", "article_subscriptions", "help_center/articles"),
    "Post": ("posts", "post_subscriptions", "community/posts"),
}
"""By content type: what is followed, the table of its followers, and its path."""
_COMMUNITY = Gate("professional", 404)


# Translations


def _translation(center: HelpCenter, rid: int, of: str) -> Row:
    """Make a translation: the first ones are the texts that their parents have in their own language."""
    kind = f"{SINGULAR[of]}_translations"
    number, value, row = center.base(kind, rid, f"help_center/{of}")
    turn, place = divmod(number, center.sizes[of])
    parent, locale = center.rid(of, place), LOCALES[turn % len(LOCALES)]
    return {
        **row,
        "url": f"{HOST}/api/v2/help_center/{of}/{parent}/translations/{locale}.json",
        "html_url": f"{HOST}/hc/{locale}/{of}/{parent}",
        "source_id": parent,
        "source_type": SINGULAR[of].title(),
        "locale": locale,
        "title": f"{center.world.words(value, 61, 4).capitalize()} ({locale})",
        "body": f"<p>{center.world.notes[value % len(center.world.notes)]}</p>" if value % 5 else "",
        "outdated": turn > 0 and value % 4 == 0,
        "draft": turn > 0 and value % 7 == 0,
        "hidden": False,
        "created_by_id": center.world.agent(value, 62),
        "updated_by_id": None if value % 3 else center.world.agent(value, 63),
    }


def _as_parent(center: HelpCenter, row: Row, of: str) -> Row:
    """Return a translation as it is told: that of the source language says what its parent says."""
    parent = center.tables[of].find(row["source_id"])
    if parent is None or parent["source_locale"] != row["locale"]:
        return row
    said = {"title": parent.get("title", parent["name"]), "body": parent.get("body", parent.get("description")) or ""}
    return {**row, **said, "updated_at": parent.get("edited_at", parent["updated_at"])}


def _new_translation(change: Change, row: Row, of: str) -> None:
    """Give a copy a language that its parent has not; where it has all, that of nobody else."""
    kind = f"{SINGULAR[of]}_translations"
    center = next(center for center in change.store.help_centers if row["id"] in center.tables[kind])
    center.forget_children(kind)
    used = {center.tables[kind].get(rid)["locale"] for rid in center.children(kind, row["source_id"])}
    row["locale"] = next((locale for locale in LOCALES if locale not in used), f"en-{change.number}")
    row["url"] = f"{HOST}/api/v2/help_center/{of}/{row['source_id']}/translations/{row['locale']}.json"


def _alter_translation(change: Change, row: Row, of: str) -> None:
    """Alter a translation, and its parent where that is in the same language."""
    kind = f"{SINGULAR[of]}_translations"
    change.alter_text(row)
    for center in change.store.help_centers:
        parent = center.tables[of].find(row["source_id"]) if row["id"] in center.tables[kind] else None
        if parent is not None and parent["source_locale"] == row["locale"]:
            parent = center.tables[of].change(row["source_id"], change.now)
            change.alter_text(parent)
            parent |= {name: iso(change.now) for name in ("updated_at", "edited_at") if name in parent}


def translate(change: Change, row: Row, of: str) -> None:
    """Give a new article, section or category the text in its own language."""
    kind = f"{SINGULAR[of]}_translations"
    center = next(center for center in change.store.help_centers if row["id"] in center.tables[of])
    made = change.clone(center.tables[kind])
    made |= {"source_id": row["id"], "locale": row["source_locale"], "draft": False, "outdated": False}
    made["url"] = f"{HOST}/api/v2/help_center/{of}/{row['id']}/translations/{made['locale']}.json"
    center.forget_children(kind)


def _translations(of: str) -> Kind:
    kind = f"{SINGULAR[of]}_translations"
    size: Size = lambda sizes: sizes[of] + sizes[of] // 2  # noqa: E731
    return Kind(
        kind,
        content=Content(
            kind,
            partial(_translation, of=of),
            parent=(of, "source_id"),
            early=of != "articles",
            told=partial(_as_parent, of=of),
        ),
        size=size,
        routes=(guide_list(kind, f"help_center/{of}/{{id}}/translations", "translations", (of, 0)),),
        cloned=partial(_new_translation, of=of),
        altered=partial(_alter_translation, of=of),
    )


# Labels and languages


def _label(center: HelpCenter, rid: int) -> Row:
    number, _, row = center.base("article_labels", rid, "help_center/articles/labels")
    del row["html_url"]
    return {**row, "name": LABELS[number % len(LABELS)]}


def _locale(center: HelpCenter, rid: int) -> Row:
    number = center.number("help_center_locales", rid)
    return {"locale": LOCALES[number % len(LOCALES)], "default": number == 0}


def _locales(store: Store, request: Request, args: Args) -> dict[str, Any]:
    rows = list(center_of(store, request).tables["help_center_locales"])
    default = next(row["locale"] for row in rows if row["default"])
    return {"locales": [row["locale"] for row in rows], "default_locale": default}


def _add_locale(change: Change, row: Row) -> None:
    row |= {"locale": f"en-{change.number}{len(change.store.help_centers[0].tables['help_center_locales'])}"}
    row["default"] = False


def _choose_locale(change: Change, count: int = 1) -> dict[str, Any]:
    """Make another language the default one."""
    table = change.store.help_centers[0].tables["help_center_locales"]
    (chosen,) = change.sample(table.rids, 1, lambda rid: not table.get(rid)["default"])
    for rid in table.rids:
        table.change(rid)["default"] = rid == chosen
    return {"ids": [table.get(chosen)["locale"]]}


def _drop_locales(change: Change, count: int = 1) -> dict[str, Any]:
    table = change.store.help_centers[0].tables["help_center_locales"]
    chosen = change.sample(table.rids, count, lambda rid: not table.get(rid)["default"])
    names = [table.get(rid)["locale"] for rid in chosen]
    for rid in chosen:
        table.remove(rid)
    return {"ids": names}


# Followers


def _follower(center: HelpCenter, rid: int, content_type: str) -> Row:
    of, kind, path = FOLLOWED[content_type]
    number, value, row = center.base(kind, rid, f"{path}/subscriptions")
    del row["html_url"]
    return {
        **row,
        "content_id": center.rid(of, center.world.mix(number, 64) % center.sizes[of]),
        "content_type": content_type,
        "user_id": center.world.end_user(value, 65),
        "locale": "en-us",
        "source_locale": None,
        "include_comments": content_type in ("Section", "Topic") and value % 2 == 0,
    }


def _turn(change: Change, row: Row) -> None:
    row["include_comments"] = not row["include_comments"]


def _followers(content_type: str) -> Kind:
    of, kind, path = FOLLOWED[content_type]
    return guide_kind(
        kind,
        partial(_follower, content_type=content_type),
        lambda of_all: max(4, of_all[of] // 2),
        guide_list(kind, f"{path}/{{id}}/subscriptions", "subscriptions", (of, 0)),
        gate=_COMMUNITY if path.startswith("community") else None,
        altered=_turn,
        parent=(of, "content_id"),
    )


def _all_followers(store: Store) -> Iterator[Row]:
    """Yield the followers of sections, and of topics where the account has them."""
    return _followers_of(store, *(name for name in ("Section", "Topic") if FOLLOWED[name][0] not in store.gates))


def _followers_of(store: Store, *types: str) -> Iterator[Row]:
    for center in store.help_centers:
        for content_type in types:
            for row in center.tables[FOLLOWED[content_type][1]]:
                yield {**row, "brand_id": center.brand_id}


def _follow(change: Change, count: int = 1) -> dict[str, Any]:
    center = change.store.help_centers[0]
    made = [change.clone(center.tables["section_subscriptions"])["id"] for _ in range(count)]
    center.forget_children("section_subscriptions")
    return {"ids": made}


def _alter_follower(change: Change, count: int = 1) -> dict[str, Any]:
    table = change.store.help_centers[0].tables["topic_subscriptions"]
    chosen = change.sample(table.rids, count)
    for rid in chosen:
        row = table.change(rid, change.now)
        _turn(change, row)
        row["updated_at"] = iso(change.now)
    return {"ids": chosen}


def _unfollow(change: Change, count: int = 1) -> dict[str, Any]:
    center = change.store.help_centers[0]
    chosen = change.sample(center.tables["section_subscriptions"].rids, count)
    for rid in chosen:
        center.remove("section_subscriptions", rid)
    return {"ids": chosen}


# All votes of a help center


def _voted(change: Change, kind: str, act: Callable[[HelpCenter, int], None], count: int) -> dict[str, Any]:
    """Do something to votes of the second help center, each time of a kind that nothing else is done to."""
    center = change.store.help_centers[-1]
    chosen = change.sample(center.tables[kind].rids, count)
    for rid in chosen:
        act(center, rid)
    center.forget_children(kind)
    return {"ids": chosen}


def _vote(change: Change, count: int = 1) -> dict[str, Any]:
    center = change.store.help_centers[-1]
    made = [change.clone(center.tables["article_votes"])["id"] for _ in range(count)]
    center.forget_children("article_votes")
    return {"ids": made}


def _turn_votes(change: Change, count: int = 1) -> dict[str, Any]:
    def act(center: HelpCenter, rid: int) -> None:
        row = center.tables["post_votes"].change(rid, change.now)
        row |= {"value": -row["value"], "updated_at": iso(change.now)}

    return _voted(change, "post_votes", act, count)


def _unvote(change: Change, count: int = 1) -> dict[str, Any]:
    return _voted(
        change, "article_comment_votes", lambda center, rid: center.remove("article_comment_votes", rid), count
    )


def all_votes(store: Store) -> Iterator[Row]:
    """Yield every vote of every help center."""
    for center in store.help_centers:
        for kind in (kind for kind in center.tables if kind.endswith("votes")):
            for row in center.tables[kind]:
                yield {**row, "brand_id": center.brand_id}


FAMILY = Family(
    "translations",
    (
        *map(_translations, SINGULAR),
        guide_kind(
            "article_labels",
            _label,
            len(LABELS),
            guide_list("article_labels", "help_center/articles/labels", "labels"),
            gate=Gate("professional", 403),
            early=True,
        ),
        Kind(
            "help_center_locales",
            content=Content("help_center_locales", _locale, early=True),
            size=6,
            routes=(
                Route(
                    "help_center_locales",
                    "/api/v2/help_center/locales",
                    show=_locales,
                    stream="help_center_locales",
                    kind="show",
                ),
            ),
            cloned=_add_locale,
            update=_choose_locale,
            remove=_drop_locales,
        ),
        *map(_followers, FOLLOWED),
        Kind("content_subscriptions", truth=_all_followers, create=_follow, update=_alter_follower, remove=_unfollow),
        Kind("help_center_votes", truth=all_votes, create=_vote, update=_turn_votes, remove=_unvote),
    ),
)
