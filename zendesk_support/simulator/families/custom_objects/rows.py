"""The first custom objects, their fields and their records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.attachment import attachment
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.ulid import ulid
from zendesk_support.simulator.data.world import FIRST_ID, HOST, STEP, World
from zendesk_support.simulator.families.tickets.facts import is_deleted

DELETED = "[DELETED]"
"""What stands in place of every value of a deleted record."""
STANDARD = "standard::"
"""How the keys of the fields that all objects have begin."""
DAY = 86_400
FIELDS = 32
"""How many fields an object can begin with."""
_OBJECTS = (
    ("apartment", "Apartment", "Apartments", "The flats that we let"),
    ("service_contract", "Service contract", "Service contracts", ""),
    ("parking_space", "Parking space", "Parking spaces", "Not in use yet"),
)
_OF_ALL = ((f"{STANDARD}name", "Name", "text", ""), (f"{STANDARD}external_id", "External ID", "text", ""))
_FIELDS: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "apartment": (
        ("floor_plan", "Floor plan", "text", ""),
        ("notes", "Notes", "textarea", ""),
        ("rooms", "Rooms", "integer", ""),
        ("rent", "Rent", "decimal", ""),
        ("let_since", "Let since", "date", ""),
        ("furnished", "Furnished", "checkbox", ""),
        ("status", "Status", "dropdown", ""),
        ("equipment", "Equipment", "multiselect", ""),
        ("postal_code", "Postal code", "regexp", ""),
        ("deposit", "Deposit", "currency", ""),
        ("tenant", "Tenant", "lookup", "zen:user"),
    ),
    "service_contract": (
        ("apartment", "Apartment", "lookup", "zen:custom_object:apartment"),
        ("provider", "Provider", "lookup", "zen:organization"),
        ("reported_in", "Reported in", "lookup", "zen:ticket"),
        ("ends_on", "Ends on", "date", ""),
    ),
    "parking_space": (("covered", "Covered", "checkbox", ""), ("label_2", "Label", "text", "")),
}
_OTHER = (("label", "Label", "text", ""), ("amount", "Amount", "integer", ""))
_OPTIONS = {"dropdown": ("occupied", "vacant", "in_repair"), "multiselect": ("balcony", "lift", "cellar")}


def object_names(number: int) -> tuple[str, str, str, str]:
    """Return the key, the title, its plural and the description of the n-th object."""
    if number < len(_OBJECTS):
        return _OBJECTS[number]
    return f"object_{number}", f"Object {number}", f"Objects {number}", ""


def custom_object(world: World, rid: int) -> Row:
    """Make a custom object."""
    number = world.number("custom_objects", rid)
    return make_object(world, object_names(number), _object_created(world, number), object_time(world, rid))


def object_time(world: World, rid: int) -> int:
    """Return when one of the first objects was last changed."""
    number = world.number("custom_objects", rid)
    return world.later(number + 150, _object_created(world, number), 200 * DAY)


def _object_created(world: World, number: int) -> int:
    return world.first - 30 * DAY + 3600 * number


def make_object(world: World, names: tuple[str, str, str, str], created: int, updated: int) -> Row:
    """Make a custom object; it has a key and no other id."""
    key, title, plural, description = names
    admin = str(world.rid("users", 0))
    return {
        "url": f"{HOST}/api/v2/custom_objects/{key}",
        "key": key,
        "created_by_user_id": admin,
        "updated_by_user_id": admin,
        **world.stamps(created, updated),
        "title": title,
        "raw_title": title,
        "title_pluralized": plural,
        "raw_title_pluralized": plural,
        "description": description,
        "raw_description": description,
        "include_in_list_view": True,
        "allows_photos": key == "apartment",
        "allows_attachments": False,
    }


# Fields


def fields_of(key: str) -> tuple[tuple[str, str, str, str], ...]:
    """Return the fields that an object begins with: their keys, titles, types and targets."""
    return (*_OF_ALL, *_FIELDS.get(key, _OTHER))


def field_rids(world: World) -> Iterator[int]:
    """Yield the rids of the first fields."""
    for number in range(world.sizes["custom_objects"]):
        first = FIRST_ID["custom_object_fields"] + (number * FIELDS + 1) * STEP
        yield from range(first, first + len(fields_of(object_names(number)[0])) * STEP, STEP)


def field_time(world: World, rid: int) -> int:
    """Return when one of the first fields was last changed."""
    number, place = divmod(world.number("custom_object_fields", rid), FIELDS)
    return _object_created(world, number) + 60 * place


def field(world: World, rid: int) -> Row:
    """Make a field, with the key of its object."""
    number, place = divmod(world.number("custom_object_fields", rid), FIELDS)
    key = object_names(number)[0]
    return make_field(world, rid, key, place, fields_of(key)[place], field_time(world, rid))


def make_field(
    world: World, rid: int, object_key: str, place: int, names: tuple[str, str, str, str], created: int
) -> Row:
    """Make a field, with the key of its object."""
    key, title, kind, target = names
    row: Row = {
        "url": f"{HOST}/api/v2/custom_objects/{object_key}/fields/{rid}",
        "id": rid,
        "type": kind,
        "key": key,
        "title": title,
        "raw_title": title,
        "description": title,
        "raw_description": title,
        "position": place,
        "active": True,
        "system": False,
        "required": key == f"{STANDARD}name",
        "readonly": False,
        "regexp_for_validation": "\\A[0-9]{5}\\z" if kind == "regexp" else None,
        **world.stamps(created, created),
    }
    if kind in _OPTIONS:
        row["custom_field_options"] = [
            {"id": rid + 1 + at, "name": value.replace("_", " ").title(), "raw_name": value, "value": value}
            for at, value in enumerate(_OPTIONS[kind])
        ]
    if kind == "checkbox":
        row["tag"] = None
    if kind == "currency":
        row["properties"] = {"allowed_currencies": ["EUR"]}
    if key == f"{STANDARD}name":
        row["properties"] = {"is_unique": False, "autoincrement_enabled": False}
    if target:
        row |= {"relationship_target_type": target, "relationship_filter": {"all": [], "any": []}}
    return {**row, "custom_object_key": object_key}


# Records


def object_of(world: World, number: int) -> int:
    """Return the object of the n-th record: three fifths are of the first, and none of the third."""
    count, place = world.sizes["custom_objects"], number % 5
    if place < 3 or count < 2:
        return 0
    return 3 + number // 5 % (count - 3) if place == 4 and count > 3 else 1


def _shares(number: int) -> bool:
    """Tell whether a record was imported in one second with others."""
    return 10 <= number % 40 < 20


def _created(world: World, number: int) -> int:
    first = number - number % 40 + 10 if _shares(number) else number
    return world.spread(first, world.sizes["custom_object_records"])


def is_tombstone(world: World, rid: int) -> bool:
    """Tell whether one of the first records is deleted."""
    number = world.number("custom_object_records", rid)
    return number % 23 == 9 and _created(world, number) + 29 * DAY < world.start


def record_time(world: World, rid: int) -> int:
    """Return when one of the first records was last changed, or deleted: in the last four weeks."""
    number = world.number("custom_object_records", rid)
    if is_tombstone(world, rid):
        return world.start - DAY - world.mix(number, 151) % (27 * DAY)
    created = _created(world, number)
    return created if _shares(number) else world.later(number, created, 90 * DAY)


def record(world: World, rid: int) -> Row:
    """Make a record as the export gives it."""
    number = world.number("custom_object_records", rid)
    key, title = object_names(object_of(world, number))[:2]
    values = {names[0]: value_of(world, number, *names) for names in fields_of(key)[len(_OF_ALL) :]}
    external_id = f"{key}-{number}" if number % 4 else None
    row = make_record(world, rid, (key, f"{title} {number}"), external_id, values, _created(world, number))
    row["updated_at"] = iso(record_time(world, rid))
    if is_tombstone(world, rid):
        bury(row)
    return row


def make_record(
    world: World, rid: int, names: tuple[str, str], external_id: str | None, values: Row, created: int
) -> Row:
    """Make a record of an object, which is given by its key, with a name."""
    name, agent = record_id(world, rid, created), str(world.agent(rid, 152))
    return {
        "url": f"{HOST}/api/v2/custom_objects/{names[0]}/records/{name}",
        "id": name,
        "name": names[1],
        "custom_object_key": names[0],
        "custom_object_fields": values,
        "external_id": external_id,
        "created_by_user_id": agent,
        "updated_by_user_id": agent,
        **world.stamps(created, created),
    }


def record_id(world: World, rid: int, created: int) -> str:
    """Return the id of a record; of those of one second the later rid is the later id."""
    return ulid(created * 1000, rid << 33 | world.mix(rid, 153) >> 14)


def bury(row: Row) -> None:
    """Take the values of a record that is deleted."""
    row |= {"name": DELETED, "external_id": DELETED}
    row["custom_object_fields"] = dict.fromkeys(row["custom_object_fields"], DELETED)


def with_photo(world: World, row: Row) -> Row:
    """Return a record as its list gives it."""
    photo = None
    if row["custom_object_key"] == "apartment" and row["name"].endswith("0"):
        photo = attachment(world, 7, "front.png", "image/png", 70_000)
    return {**row, "photo": photo}


def value_of(world: World, number: int, key: str, title: str, kind: str, target: str) -> Any:
    """Return the value of a record's field; some are empty."""
    value = world.mix(number * 64 + len(key) + len(title) * 7, 154)
    if value % 7 == 0:
        return None
    if kind == "lookup":
        return _named(world, number, value, target)
    return _VALUES[kind](world, value)


def _decimal(world: World, value: int) -> str | float:
    """Return a decimal number, most often as a text."""
    cents = value % 500_000
    return f"{cents // 100}.{cents % 100:02}" if value % 3 else cents / 100


_VALUES: dict[str, Callable[[World, int], Any]] = {
    "text": lambda world, value: world.words(value, 156, 2),
    "textarea": lambda world, value: f"{world.words(value, 155, 6)}.\n{world.notes[value % len(world.notes)]}",
    "integer": lambda world, value: value % 9,
    "decimal": _decimal,
    "date": lambda world, value: f"20{18 + value % 9}-0{1 + value % 9}-1{value % 9}",
    "checkbox": lambda world, value: value % 2 == 0,
    "dropdown": lambda world, value: _OPTIONS["dropdown"][value % 3],
    "multiselect": lambda world, value: list(_OPTIONS["multiselect"][: value % 4]),
    "regexp": lambda world, value: f"{10_000 + value % 90_000}",
    "currency": lambda world, value: value % 500_000 / 100,
}


def _named(world: World, number: int, value: int, target: str) -> str:
    """Return the id of what a lookup field names."""
    if target == "zen:user":
        return str(world.end_user(value, 157))
    if target == "zen:organization":
        return str(world.pick(value, 158, "organizations"))
    if target == "zen:ticket":
        tickets = range(1 + value % world.tickets, world.tickets + 1)
        return str(next((ticket for ticket in tickets if not is_deleted(world, ticket)), 1))
    apartment = number - number % 5
    rid = world.rid("custom_object_records", apartment)
    if is_tombstone(world, rid):
        rid += STEP
    return record_id(world, rid, _created(world, world.number("custom_object_records", rid)))
