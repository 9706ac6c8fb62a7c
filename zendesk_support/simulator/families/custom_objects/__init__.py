"""Custom objects, their fields and their records."""

from __future__ import annotations

from collections.abc import Sequence

from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row, Table
from zendesk_support.simulator.families.custom_objects import changes, rows
from zendesk_support.simulator.families.custom_objects.book import (
    KEPT,
    all_fields,
    all_records,
    is_deleted,
    key_of,
    keys,
    records,
)
from zendesk_support.simulator.kinds import Family, Kind, count_of, listed, shown
from zendesk_support.simulator.server.exports import Export, Keep
from zendesk_support.simulator.server.limits import EXPORTS
from zendesk_support.simulator.server.messages import Request, refused_custom_objects
from zendesk_support.simulator.server.routes import Args, Route


def _named(store: Store, key: str) -> str:
    """Return a key if there is an object of it."""
    if key not in keys(store):
        raise refused_custom_objects(404)
    return key


def _fields(store: Store, request: Request, args: Args) -> Sequence[int]:
    key, table = _named(store, args[0]), store.tables["custom_object_fields"]
    standard = request.params.get("include_standard_fields") == "true"
    return [
        rid
        for rid in table.rids
        if key_of(store, table.name, rid) == key and (standard or not table.get(rid)["key"].startswith(rows.STANDARD))
    ]


def _field(store: Store, request: Request, rid: int) -> Row:
    row = store.tables["custom_object_fields"].get(rid)
    return {name: value for name, value in row.items() if name != "custom_object_key"}


def _exported(store: Store, request: Request) -> Table:
    _named(store, _key_in(request))
    return store.tables["custom_object_records"]


def _key_in(request: Request) -> str:
    return request.path.split("/")[5]


def _keep(store: Store, request: Request) -> Keep:
    """Leave out the records of other objects, and those deleted long ago, or all deleted ones if that is asked for."""
    key, table = _key_in(request), store.tables["custom_object_records"]
    drop, since = request.params.get("filter[exclude_deleted]") == "true", store.now - KEPT

    def keeps(rid: int) -> bool:
        if key_of(store, table.name, rid) != key:
            return False
        return not is_deleted(store, rid) or (not drop and table.stamp(rid) >= since)

    return keeps


CUSTOM_OBJECTS = Kind(
    "custom_objects",
    row=rows.custom_object,
    size=3,
    stamp=rows.object_time,
    routes=(listed("custom_objects", paging="bare", refused=refused_custom_objects),),
    create=changes.create_custom_objects,
    update=changes.change_custom_objects,
    remove=changes.delete_custom_objects,
)
CUSTOM_OBJECT_FIELDS = Kind(
    "custom_object_fields",
    row=rows.field,
    rids=rows.field_rids,
    stamp=rows.field_time,
    routes=(
        listed(
            "custom_object_fields",
            "custom_objects/{custom_object_key}/fields",
            rids=_fields,
            row=_field,
            order="position,id",
            paging="cursor",
            params=("include_standard_fields",),
            refused=refused_custom_objects,
        ),
    ),
    truth=all_fields,
    create=changes.create_custom_object_fields,
    update=changes.change_custom_object_fields,
    remove=changes.delete_custom_object_fields,
)
CUSTOM_OBJECT_RECORDS = Kind(
    "custom_object_records",
    row=rows.record,
    size=lambda of: max(40, min(20_000, of["tickets"] // 4)) if of["custom_objects"] else 0,
    stamp=rows.record_time,
    routes=(
        listed(
            "custom_object_records",
            "custom_objects/{custom_object_key}/records",
            rids=lambda store, _, args: records(store, _named(store, args[0])),
            row=lambda store, _, rid: rows.with_photo(store.world, store.tables["custom_object_records"].get(rid)),
            paging="cursor",
            sorts=("updated_at",),
            refused=refused_custom_objects,
            name="custom_object_records_list",
        ),
        shown(
            "custom_object_records_count",
            "custom_objects/{custom_object_key}/records/count",
            lambda store, _, args: count_of(store, len(records(store, _named(store, args[0])))),
            stream="custom_object_records",
            kind="count",
            refused=refused_custom_objects,
        ),
        Route(
            "custom_object_records",
            "/api/v2/incremental/custom_objects/{custom_object_key}/cursor",
            export=Export("custom_object_records", _exported, quiet=60, keep=_keep, in_meta=True),
            by_cursor=True,
            limits=(EXPORTS,),
            params=("filter[exclude_deleted]",),
            stream="custom_object_records",
            kind="incremental",
            admins=True,
            refused=refused_custom_objects,
        ),
    ),
    truth=all_records,
    create=changes.create_custom_object_records,
    update=changes.change_custom_object_records,
    remove=changes.delete_custom_object_records,
)
FAMILY = Family(
    "custom_objects",
    (CUSTOM_OBJECTS, CUSTOM_OBJECT_FIELDS, CUSTOM_OBJECT_RECORDS),
    mutations=changes.MUTATIONS,
)
