"""Where and in which language an account works: locales, time zones, support addresses, dynamic content."""

from __future__ import annotations

from zendesk_support.simulator.clock import iso, unix
from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import FIRST_ID, HOST, World
from zendesk_support.simulator.families.account_settings import brand_with_address
from zendesk_support.simulator.families.configuration.secrets import planted
from zendesk_support.simulator.server.messages import Request

_LOCALES = (
    (1, "en-US", "English", "English", False),
    (8, "de", "German", "Deutsch", False),
    (67, "ja", "Japanese", "日本語", False),
    (30, "he", "Hebrew", "עברית", True),
    (19, "pt-br", "Portuguese (Brazil)", "Português do Brasil", False),
    (16, "fr", "French", "Français", False),
)
"""Ids, codes, English and own names, and whether they are written from right to left; users name the first."""
_ZONES = (
    ("International Date Line West", -720),
    ("Hawaii", -600),
    ("Pacific Time (US & Canada)", -480),
    ("Mountain Time (US & Canada)", -420),
    ("Central Time (US & Canada)", -360),
    ("Eastern Time (US & Canada)", -300),
    ("Newfoundland", -210),
    ("Brasilia", -180),
    ("UTC", 0),
    ("London", 0),
    ("Copenhagen", 60),
    ("Berlin", 60),
    ("Jerusalem", 120),
    ("New Delhi", 330),
    ("Kathmandu", 345),
    ("Tokyo", 540),
    ("Sydney", 600),
    ("Chatham Is.", 765),
)
"""Names as schedules and users have them, and minutes east of Greenwich in winter."""
_ITEMS = (
    ("Field title", "field_title", "Order number"),
    ("Reason code 1001", "reason_code_1001", "Wrong product & no refund"),
    ("Greeting", "greeting", "Hello {{ticket.requester.first_name}},<br>"),
    ("Öffnungszeiten", "opening_hours", "9–17 h"),
    ("Signature", "signature", "Best regards"),
)
"""Names, placeholders and contents; fields and satisfaction reasons name the first two."""


def locale(world: World, rid: int) -> Row:
    """Make a language of the account; its id is Zendesk's, the same in all accounts."""
    number, _, row = world.setting("locales", rid, "locales")
    known = number < len(_LOCALES)
    ident, code, name, own, rtl = _LOCALES[number] if known else (1000 + number, f"en-x-{number}", "Own", "Own", False)
    return {
        **row,
        "url": f"{HOST}/api/v2/locales/{code}.json",
        "id": ident,
        "locale": code,
        "name": name,
        "native_name": own,
        "presentation_name": name if name == own else f"{name} - {own}",
        "rtl": rtl,
        "default": number == 0,
    }


def new_locale(change: Change, row: Row) -> None:
    """Complete a language that is added."""
    code = f"en-x-{row['id'] % 1_000_000}"
    row |= {"locale": code, "url": f"{HOST}/api/v2/locales/{code}.json", "default": False}


def time_zone(world: World, rid: int) -> Row:
    """Make a time zone; it has a name and no id."""
    number = world.number("time_zones", rid)
    name, offset = _ZONES[number % len(_ZONES)]
    name += f" {number}" if number >= len(_ZONES) else ""
    return {"name": name, "translated_name": name, "offset": offset, "formatted_offset": _formatted(offset)}


def _formatted(offset: int) -> str:
    hours, minutes = divmod(abs(offset), 60)
    return f"GMT{'-' if offset < 0 else '+'}{hours:02}:{minutes:02}"


def move_zone(change: Change, row: Row) -> None:
    """Have a time zone lie an hour further east."""
    offset = row["offset"] + 60
    row |= {"offset": offset, "formatted_offset": _formatted(offset)}


def recipient_address(world: World, rid: int) -> Row:
    """Make a support address: first one a brand; the first is the account's own."""
    number, value, row = world.setting("recipient_addresses", rid, "recipient_addresses")
    zendesk = number < world.sizes["brands"]
    state = "verified" if value % 3 else "failed"
    return {
        **row,
        "brand_id": world.rid("brands", number % world.sizes["brands"]),
        "default": True if number == 0 else None,
        "name": "Support" if number == 0 else f"{world.words(number, 78, 1).title()} & {number}",
        "email": "support@example.com" if number == 0 else f"box{number}@example.com",
        "forwarding_status": "unknown" if zendesk else state,
        "spf_status": "unknown" if zendesk else state,
        "cname_status": "unknown" if zendesk else "verified",
        "dns_results": None if zendesk else state,
        "domain_verification_status": "unknown" if zendesk else state,
    }


def address_with_code(store: Store, rid: int) -> Row:
    """Return a support address as it is listed: with the code that proves whose domain it is."""
    number = store.world.number("recipient_addresses", rid)
    own = number >= store.sizes["brands"]
    code = planted("address", number) if own else None
    return {**store.tables["recipient_addresses"].get(rid), "domain_verification_code": code}


def brands_of(store: Store, request: Request, page: list[Row]) -> list[Row]:
    """Return the brands that a page of support addresses names."""
    return [brand_with_address(store, rid) for rid in sorted({row["brand_id"] for row in page})]


def new_address(change: Change, row: Row) -> None:
    """Complete an address that is added."""
    row |= {"default": None, "email": f"box{row['id']}@example.com"}


def dynamic_content_item(world: World, rid: int) -> Row:
    """Make a text in several languages."""
    number, value, row = world.setting("dynamic_content_items", rid, "dynamic_content/items")
    name, placeholder, content = _ITEMS[number % len(_ITEMS)]
    if number >= len(_ITEMS):
        name, placeholder = f"{name} {number}", f"{placeholder}_{number}"
    languages = [locale(world, each) for each in list(world.rids("locales"))[: 1 + value % 3]]
    created = unix(row["created_at"])
    return {
        **row,
        "name": name,
        "placeholder": f"{{{{dc.{placeholder}}}}}",
        "default_locale_id": _LOCALES[0][0],
        "outdated": len(languages) > 1 and value % 5 == 0,
        "variants": [
            {
                "url": f"{row['url'].removesuffix('.json')}/variants/{variant}.json",
                "id": variant,
                "content": content if place == 0 else f"{content} ({language['native_name']})",
                "locale_id": language["id"],
                "outdated": place > 0 and value % 5 == 0,
                "active": True,
                "default": place == 0,
                **world.stamps(created + place, created + place),
            }
            for place, language in enumerate(languages)
            for variant in (_variant(rid, place),)
        ],
    }


def _variant(item: int, place: int) -> int:
    return FIRST_ID["dynamic_content_variants"] + item - FIRST_ID["dynamic_content_items"] + place


def new_item(change: Change, row: Row) -> None:
    """Complete a text that is added."""
    row["placeholder"] = f"{{{{dc.item_{row['id'] % 1_000_000}}}}}"
    for place, variant in enumerate(row["variants"]):
        ident = _variant(row["id"], place)
        url = f"{row['url'].removesuffix('.json')}/variants/{ident}.json"
        variant |= {"id": ident, "url": url, "created_at": row["created_at"], "updated_at": row["updated_at"]}


def alter_item(change: Change, row: Row) -> None:
    """Alter what a text says in its first language."""
    change.alter_text(row)
    row["variants"][0] |= {"content": f"Changed {change.number}", "updated_at": iso(change.now)}
