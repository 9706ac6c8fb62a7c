"""How agents work: the brands they answer for, and their workspaces."""

from __future__ import annotations

from zendesk_support.simulator.clock import unix
from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import HOST, World


def brand_agent(world: World, rid: int) -> Row:
    """Make the membership of an agent in a brand: each agent is in each; its id is a ULID."""
    number, _, row = world.setting("brand_agents", rid, "brand_agents")
    agent, brand = divmod(number, world.sizes["brands"])
    ident = world.ulid(rid, unix(row["created_at"]))
    return {
        **row,
        "url": f"{HOST}/api/v2/brand_agents/{ident}.json",
        "id": ident,
        "user_id": world.rid("users", agent % world.sizes["agents"]),
        "brand_id": world.rid("brands", brand),
    }


def move_to_brand(change: Change, row: Row) -> None:
    """Put an agent into another brand."""
    brands = change.store.tables["brands"].rids
    row["brand_id"] = next((brand for brand in brands if brand != row["brand_id"]), row["brand_id"] + 1)


def workspace(world: World, rid: int) -> Row:
    """Make a contextual workspace; its address is that of the list."""
    number, value, row = world.setting("workspaces", rid, "workspaces")
    form = world.rid("ticket_forms", number % max(1, world.sizes["ticket_forms"]))
    macros = sorted({world.pick(number, salt, "macros") for salt in (85, 86, 87)[: value % 4]})
    return {
        **row,
        "url": f"{HOST}/api/v2/workspaces.json",
        "title": f"Workspace {world.words(number, 88, 1)} & {number}",
        "description": "" if value % 2 else world.words(number, 89, 4),
        "macro_ids": macros,
        "ticket_form_id": None if value % 5 == 0 else form,
        "apps": [{"id": world.pick(number, 90, "app_installations"), "expand": False, "position": 1}][: value % 2],
        "position": number + 1,
        "activated": value % 4 != 0,
        "prefer_workspace_app_order": value % 3 == 0,
        "conditions": {
            "all": [{"field": "ticket_form_id", "operator": "is", "value": str(form)}],
            "any": [{"field": "priority", "operator": "greater_than", "value": "normal"}][: value % 2],
        },
    }


def workspace_with_macros(store: Store, rid: int) -> Row:
    """Return a workspace as it is listed: it repeats what its macros are called."""
    row, macros = store.tables["workspaces"].get(rid), store.tables["macros"]
    found = [macros.get(macro) for macro in row["macro_ids"] if macro in macros]
    named = ("id", "title", "active", "restriction")
    return {**row, "selected_macros": [{**{name: macro[name] for name in named}, "usage_7d": 0} for macro in found]}
