"""Fields and forms, custom statuses and tags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zendesk_support.simulator.clock import unix
from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import FIRST_ID, STEP, World
from zendesk_support.simulator.families import options
from zendesk_support.simulator.kinds import Family, Gate, Kind, plain
from zendesk_support.simulator.server.limits import AsEndpoint, Limit
from zendesk_support.simulator.server.messages import Request

_SYSTEM_FIELDS = (
    "subject",
    "description",
    "status",
    "tickettype",
    "priority",
    "group",
    "assignee",
    "custom_status",
)
_TITLES = (
    "Order number",
    "Status",
    "Refunded?",
    "Attempts",
    "Ship date",
    "Region",
    "Products",
    "Odd one",
    "Region",
    "Score",
    "地域",
    "部門",
    "Größe & Gewicht",
    "Internal <note>",
    "status",
    "🚀 Launch",
    "",
    "Campaign",
    "Weight (kg)",
    "Postcode",
    "Note",
    "Product area",
)
_TYPES = (
    "text",
    "tagger",
    "checkbox",
    "integer",
    "date",
    "textarea",
    "multiselect",
    "text",
    "decimal",
    "regexp",
)


_PRODUCT_AREA = _TITLES.index("Product area")
_PRODUCTS = (
    ("Billing & invoices", "billing_invoices"),
    ("Login & access", "login_access"),
    ("Shipping / delivery", "shipping_delivery"),
    ("Mobile app", "mobile_app"),
    ("Returns::Refunds", "returns_refunds"),
    ("データ出力", "data_export"),
    ("Größentabelle", "size_chart"),
    ("Something else?", "other_area"),
)
_LABELS = ("None", "North & south", "東京", "50 %", "Größe M", "<unknown>", "It's late", "Nested::Item", "Choice 8")
_CUSTOM_KEY_OPTIONS = {
    "customer_tier": (("Gold", "gold"), ("Silver", "silver"), ("Bronze", "bronze")),
    "plan": (("Basic", "basic"), ("Plus & more", "plus"), ("Pro", "pro")),
}
"""The labels and values of options."""


_CATEGORIES = ("new", "open", "pending", "hold", "solved", "closed")
_SEEN_AS = {"new": "open", "pending": "awaiting your reply", "hold": "open", "closed": "solved"}
"""What a status is called to those who ask, where that is another word."""
_OWN_STATUSES = (
    ("pending", "Waiting for bank & courier", "Awaiting your reply"),
    ("open", "In repair <2nd line>", "In repair"),
    ("hold", "部品待ち", "On hold"),
)


def product_area(world: World) -> tuple[int, list[str]]:
    """Return the id of the field "Product area", or of another where there are few fields, and its options' values."""
    number = _PRODUCT_AREA if world.sizes["ticket_fields"] > _PRODUCT_AREA else 1
    return world.rid("ticket_fields", len(_SYSTEM_FIELDS) + number), [value for _, value in _ticket_options(number)]


def product_field(world: World) -> int:
    """Return the id of the field "Product area"."""
    return world.part(product_area)[0]


def _ticket_options(custom: int) -> tuple[tuple[str, str], ...]:
    if custom == _PRODUCT_AREA:
        return _PRODUCTS
    stem = "choice" if _TYPES[custom % len(_TYPES)] == "multiselect" else "option"
    return tuple((label, f"{stem}_{part}") for part, label in enumerate(_LABELS))


def tag(world: World, rid: int) -> Row:
    """Make a tag."""
    number = world.number("tags", rid)
    name = f"topic_{number}" if number < 23 else f"lang_{number - 23}" if number < 28 else f"tag_{number}"
    return {"name": name, "count": 1 + world.mix(number, 51) % max(2, world.sizes["tickets"])}


def ticket_field(world: World, rid: int) -> Row:
    """Make a ticket field: first the system's own, then the custom ones."""
    number, value, row = world.setting("ticket_fields", rid, "ticket_fields")
    custom = number - len(_SYSTEM_FIELDS)
    system = custom < 0
    kind = _SYSTEM_FIELDS[number] if system else _TYPES[custom % len(_TYPES)]
    title = _SYSTEM_FIELDS[number].title() if system else _TITLES[custom % len(_TITLES)]
    if custom >= len(_TITLES):
        title = f"{title} {custom}"
    row |= {
        "type": kind,
        "title": title,
        "raw_title": title if value % 5 else "{{dc.field_title}}",
        "description": world.words(number, 52, 5),
        "raw_description": world.words(number, 52, 5),
        "position": (number * 7) % 97,
        "active": system or custom % 13 != 11,
        "required": system and number < 2,
        "collapsed_for_agents": False,
        "regexp_for_validation": "\\A[0-9]+\\z" if kind == "regexp" else None,
        "title_in_portal": title,
        "raw_title_in_portal": title,
        "visible_in_portal": value % 2 == 0,
        "editable_in_portal": value % 2 == 0,
        "required_in_portal": False,
        "agent_can_edit": True,
        "tag": f"field_{custom}" if kind == "checkbox" else None,
        "removable": not system or kind in ("tickettype", "priority"),
        "key": None,
        "agent_description": None,
        "raw_agent_description": None,
        "creator_user_id": world.rid("users", 0) if value % 2 else -1,
        "creator_app_name": None if value % 2 else "Surveys",
    }
    if kind in ("tagger", "multiselect"):
        row["custom_field_options"] = _options(rid, _ticket_options(custom))
    if kind in ("status", "priority", "tickettype"):
        row["sub_type_id"] = 0
        row["system_field_options"] = [{"name": name.title(), "value": name} for name in ("open", "pending", "solved")]
    return row


def ticket_form(world: World, rid: int) -> Row:
    """Make a ticket form."""
    number, _, row = world.setting("ticket_forms", rid, "ticket_forms")
    name = f"Form {number}" if number else "Default Ticket Form"
    return {
        **row,
        "name": name,
        "raw_name": name,
        "display_name": name,
        "raw_display_name": name,
        "end_user_visible": True,
        "position": number + 1,
        "ticket_field_ids": [world.rid("ticket_fields", field) for field in range(2 + number, 12 + number)],
        "active": number % 5 != 4,
        "default": number == 0,
        "in_all_brands": True,
        "restricted_brand_ids": [],
        "end_user_conditions": [],
        "agent_conditions": [],
        "deleted_at": None,
    }


def _custom_key_field(world: World, kind: str, rid: int) -> Row:
    number, value, row = world.setting(kind, rid, kind)
    keys = ("customer_tier", "lifetime_value", "birthday", "newsletter", "loyalty_no")
    if kind == "organization_fields":
        keys = ("contract_end", "seats", "plan", "discount", "account_owner")
    types = ("dropdown", "decimal", "date", "checkbox", "integer")
    if kind == "organization_fields":
        types = ("date", "integer", "dropdown", "decimal", "text")
    key = keys[number] if number < 5 else f"{kind[:-7]}_field_{number}"
    row |= {
        "type": types[number % 5],
        "key": key,
        "title": key.replace("_", " ").title(),
        "raw_title": key.replace("_", " ").title(),
        "description": world.words(number, 53, 4),
        "raw_description": world.words(number, 53, 4),
        "position": number,
        "active": True,
        "system": False,
        "regexp_for_validation": None,
        "tag": None if value % 2 else key,
    }
    if row["type"] == "dropdown":
        row["custom_field_options"] = _options(rid, _CUSTOM_KEY_OPTIONS.get(key, _PRODUCTS))
    return row


def user_field(world: World, rid: int) -> Row:
    """Make a user field."""
    return _custom_key_field(world, "user_fields", rid)


def organization_field(world: World, rid: int) -> Row:
    """Make an organization field."""
    return _custom_key_field(world, "organization_fields", rid)


def custom_status(world: World, rid: int) -> Row:
    """Make a custom ticket status: first those that every account has, one a category."""
    number, _, row = world.setting("custom_statuses", rid, "custom_statuses")
    if number < len(_CATEGORIES):
        category = _CATEGORIES[number]
        seen = _SEEN_AS.get(category, category)
        return {
            **row,
            "status_category": category,
            "agent_label": category.title(),
            "raw_agent_label": f"{{{{zd.status_{category}}}}}",
            "end_user_label": seen.title(),
            "raw_end_user_label": f"{{{{zd.status_end_user_{category}}}}}",
            "description": f"Ticket is {category}",
            "raw_description": f"{{{{zd.status_{category}_description}}}}",
            "end_user_description": f"Your request is {seen}",
            "raw_end_user_description": f"{{{{zd.status_end_user_{category}_description}}}}",
            "active": True,
            "default": True,
        }
    category, label, seen = _OWN_STATUSES[number % len(_OWN_STATUSES)]
    label = label if number < len(_CATEGORIES) + len(_OWN_STATUSES) else f"{label} {number}"
    return {
        **row,
        "status_category": category,
        "agent_label": label,
        "raw_agent_label": label,
        "end_user_label": seen,
        "raw_end_user_label": seen,
        "description": None,
        "raw_description": None,
        "end_user_description": None,
        "raw_end_user_description": None,
        "active": number % 5 != 3,
        "default": False,
    }


def ticket_form_status(world: World, rid: int) -> Row:
    """Make the offer of a status in a form: each form offers every status."""
    number, _, row = world.setting("ticket_form_statuses", rid, "ticket_form_statuses")
    form, status = divmod(number, max(1, world.sizes["custom_statuses"]))
    return {
        "id": world.ulid(rid, unix(row["created_at"])),
        "ticket_form_id": world.rid("ticket_forms", form),
        "custom_status_id": world.rid("custom_statuses", status),
    }


def _options(rid: int, options: tuple[tuple[str, str], ...]) -> list[dict[str, Any]]:
    first = FIRST_ID["field_options"] + (rid % 100_000) * 10 * STEP
    return [
        {"id": first + part * STEP, "name": label, "raw_name": label, "value": value, "default": False}
        for part, (label, value) in enumerate(options)
    ]


def _own(change: Change, row: Row) -> None:
    label = f"Status {row['id'] % 1_000_000}"
    row |= {"default": False, "agent_label": label, "raw_agent_label": label}


def _withdraw(column: str) -> Callable[[Change, Row], None]:
    """Return what takes the offers of a form or a status along with it."""

    def withdraw(change: Change, row: Row) -> None:
        offers = change.store.tables["ticket_form_statuses"]
        for rid in [rid for rid in offers.rids if offers.get(rid)[column] == row["id"]]:
            offers.remove(rid)

    return withdraw


def _offer_another(change: Change, row: Row) -> None:
    statuses = change.store.tables["custom_statuses"].rids
    others = [status for status in statuses if status != row["custom_status_id"]]
    row["custom_status_id"] = change.dice.choice(others)


def _used_more(change: Change, row: Row) -> None:
    row["count"] += 7


def _with_or_without_creator(store: Store, request: Request, rid: int) -> Row:
    """A ticket field; who made it, only where that is asked for."""
    row = store.tables["ticket_fields"].get(rid)
    if request.params.get("creator") == "true":
        return row
    return {name: value for name, value in row.items() if not name.startswith("creator_")}


FAMILY = Family(
    "fields",
    (
        plain(
            "ticket_fields",
            ticket_field,
            40,
            count=True,
            paging="optional",
            row=_with_or_without_creator,
            params=("creator", "locale"),
            limits=(Limit(20, name="ticket_fields_index", tell=AsEndpoint("ticket-fields-index")),),
            more={"rids": lambda world: world.rids("ticket_fields", more=len(_SYSTEM_FIELDS))},
        ),
        plain(
            "ticket_forms",
            ticket_form,
            6,
            paging="none",
            params=("active", "form_type", "locale"),
            gate=Gate("growth", 403),
            more={"removed": _withdraw("ticket_form_id")},
        ),
        plain("user_fields", user_field, 6, order="position,id"),
        plain("organization_fields", organization_field, 5, order="position,id"),
        plain(
            "custom_statuses",
            custom_status,
            9,
            paging="none",
            params=("active", "default", "status_categories"),
            more={
                "cloned": _own,
                "removed": _withdraw("custom_status_id"),
                "kept": lambda store: len(_CATEGORIES),
            },
        ),
        plain(
            "ticket_form_statuses",
            ticket_form_status,
            lambda of: of["ticket_forms"] * of["custom_statuses"],
            paging="bare",
            params=("ticket_form_id", "filter[custom_status_id]", "filter[id]"),
            more={"altered": _offer_another},
        ),
        Kind(
            "ticket_field_options",
            truth=options.rows,
            create=options.add,
            update=options.rename,
            remove=options.remove,
        ),
        plain(
            "tags",
            tag,
            lambda of: max(40, min(3000, of["tickets"] // 5)),
            count=True,
            order="-count,id",
            limits=(Limit(100, name="tags_index", tell=AsEndpoint("tags-index")),),
            more={"altered": _used_more},
        ),
    ),
    ids=("field_options",),
)
