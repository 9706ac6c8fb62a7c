"""What an account is set up with: brands, roles, routing attributes, its settings, and the log of their changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zendesk_support.simulator.clock import iso, unix
from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import HOST, World
from zendesk_support.simulator.families.omnichannel import ROUTING, skills
from zendesk_support.simulator.kinds import Family, Gate, Kind, listed, plain, shown
from zendesk_support.simulator.server.messages import Request, error
from zendesk_support.simulator.server.routes import Args

ENTERPRISE = Gate("enterprise", 403)


def brand(world: World, rid: int) -> Row:
    """Make a brand; `brand_url` is filled in when the row is served."""
    number, _, row = world.setting("brands", rid, "brands")
    has_help_center = number < world.sizes["help_centers"]
    return {
        **row,
        "name": ("Acme", "Acme Kids & Co", "Acme Outlet")[number % 3] + (f" {number}" if number > 2 else ""),
        "brand_url": None,
        "subdomain": f"simulator{number or ''}",
        "host_mapping": None,
        "has_help_center": has_help_center,
        "help_center_state": "enabled" if has_help_center else "disabled",
        "active": True,
        "default": number == 0,
        "is_deleted": False,
        "logo": None,
        "ticket_form_ids": [world.rid("ticket_forms", 0)],
        "signature_template": "{{agent.signature}}",
        "user_separation": "account",
    }


def custom_role(world: World, rid: int) -> Row:
    """Make a custom role."""
    number, value, row = world.setting("custom_roles", rid, "custom_roles")
    del row["url"]
    return {
        **row,
        "name": ("Advisor", "Team leader", "Staff", "Light agent")[number % 4] + (f" {number}" if number > 3 else ""),
        "description": "Advisors manage the workflow & configure the help desk.",
        "role_type": 0,
        "team_member_count": value % 20,
        "configuration": {
            "chat_access": True,
            "end_user_list_access": "full",
            "forum_access": "readonly",
            "light_agent": number % 4 == 3,
            "macro_access": "full",
            "manage_business_rules": value % 2 == 0,
            "ticket_access": "within-groups",
            "ticket_deletion": False,
            "ticket_editing": True,
            "view_access": "full",
            "voice_access": True,
        },
    }


def attribute_definition(world: World, rid: int) -> Row:
    """Make a routing attribute definition, with the list it stands in."""
    number = world.number("attribute_definitions", rid)
    name = ("Number of incidents", "Brand", "Channel", "Group", "Form", "Priority")[number % 6]
    subject = name.lower().replace(" ", "_") + (f"_{number}" if number > 5 else "")
    return {
        "list": "conditions_any" if number % 3 == 1 else "conditions_all",
        "title": name,
        "subject": subject,
        "type": "list",
        "group": "ticket",
        "nullable": False,
        "repeatable": number % 2 == 0,
        "operators": [{"value": "is", "title": "Is", "terminal": False}],
        "values": [{"value": "1", "title": "One", "enabled": True}],
    }


def audit_log_stamp(world: World, rid: int) -> int:
    """Return when an audit log entry was written."""
    number = world.number("audit_logs", rid)
    return world.spread(number, world.sizes["audit_logs"])


def audit_log(world: World, rid: int) -> Row:
    """Make an audit log entry."""
    number = world.number("audit_logs", rid)
    value = world.mix(number, 57)
    agent = world.agent(number, 58)
    action = ("update", "create", "destroy", "login")[value % 4]
    return _entry(rid, audit_log_stamp(world, rid), action, agent, world.pick(number, 59, "macros"), value)


def _entry(rid: int, moment: int, action: str, actor: int, source: int, value: int) -> Row:
    """Make an audit log entry."""
    return {
        "url": f"{HOST}/api/v2/audit_logs/{rid}.json",
        "id": rid,
        "action_label": action.title() + "d",
        "actor_id": actor,
        "source_id": source,
        "source_type": "rule",
        "source_label": "Macro: Close & save",
        "action": action,
        "change_description": "Position changed from 1 to 2\nActive changed from true to false",
        "ip_address": None if value % 4 else f"192.0.2.{value % 256}",
        "created_at": iso(moment),
        "actor_name": "Admin",
    }


# Answers


def _brands(store: Store, request: Request, args: Args) -> Sequence[int]:
    """Return the brands, without the deleted ones unless they are asked for."""
    table = store.tables["brands"]
    if request.params.get("include_deleted") == "true":
        return table.rids
    return [rid for rid in table.rids if not table.get(rid)["is_deleted"]]


def brand_with_address(store: Store, rid: int) -> Row:
    """Return a brand with its address."""
    row = store.tables["brands"].get(rid)
    return {**row, "brand_url": store.brand_urls.get(rid, f"https://{row['subdomain']}.zendesk.com")}


def _definitions(store: Store, request: Request, args: Args) -> dict[str, Any]:
    """Answer the routing attribute definitions."""
    lists: dict[str, list[Row]] = {"conditions_all": [], "conditions_any": []}
    for row in store.tables["attribute_definitions"]:
        lists[row["list"]].append({key: value for key, value in row.items() if key != "list"})
    return {"definitions": lists}


def _audit_logs(store: Store, request: Request, args: Args) -> Sequence[int]:
    """Return the audit log entries of a time span."""
    table = store.tables["audit_logs"]
    wanted = [*request.many("filter[created_at][]"), *request.many("filter[created_at]")]
    if not wanted:
        return table.rids
    try:
        times = [unix(text.replace(" ", "+")) for text in wanted]
    except ValueError:
        raise error("InvalidValue", "filter[created_at] must hold ISO 8601 times") from None
    low, high = times[0], times[1] if len(times) > 1 else store.now + 1
    return [rid for rid in table.rids if low <= table.stamp(rid) <= high]


# Changes


def _without_help_center(change: Change, row: Row) -> None:
    row |= {"has_help_center": False, "help_center_state": "disabled", "default": False}


def _close_brand(change: Change, row: Row) -> None:
    """Take out what belongs to a brand alone: its agents' memberships and its support addresses."""
    for name in ("brand_agents", "recipient_addresses"):
        table = change.store.tables[name]
        for rid in [rid for rid in table.rids if table.get(rid)["brand_id"] == row["id"]]:
            table.remove(rid)


def _named_anew(change: Change, row: Row) -> None:
    row["subject"] = f"custom_{change.store.tables['attribute_definitions'].rids[-1] % 1_000_000}"


def _log_audits(change: Change, count: int = 1) -> dict[str, Any]:
    table, made = change.store.tables["audit_logs"], []
    for _ in range(count):
        rid = table.new_rid()
        table.add(_entry(rid, change.now, "destroy", change.store.world.rid("users", 0), rid, rid), change.now)
        made.append(rid)
    return {"ids": made}


FAMILY = Family(
    "account_settings",
    (
        Kind(
            "brands",
            row=brand,
            size=3,
            routes=(
                listed(
                    "brands",
                    rids=_brands,
                    row=lambda store, _, rid: brand_with_address(store, rid),
                    paging="cursor",
                    params=("include_deleted",),
                ),
            ),
            truth=lambda store: (brand_with_address(store, rid) for rid in store.tables["brands"].rids),
            cloned=_without_help_center,
            removed=_close_brand,
            kept=lambda store: store.sizes["help_centers"],
        ),
        plain("custom_roles", custom_role, 4, paging="none", gate=ENTERPRISE),
        plain(
            "account_attributes",
            skills.attribute,
            5,
            "routing/attributes",
            "attributes",
            paging="none",
            gate=ROUTING,
            sideloads={"attribute_values": skills.beside},
            more={"removed": skills.drop_attribute},
        ),
        Kind(
            "attribute_definitions",
            row=attribute_definition,
            size=6,
            routes=(
                shown(
                    "attribute_definitions",
                    "routing/attributes/definitions",
                    _definitions,
                    stream="attribute_definitions",
                    kind="list",
                ),
            ),
            gate=ROUTING,
            cloned=_named_anew,
        ),
        plain(
            "audit_logs",
            audit_log,
            lambda of: max(30, min(5000, of["tickets"] // 3)),
            gate=ENTERPRISE,
            rids=_audit_logs,
            order="-created_at,id",
            sorts=("created_at",),
            empty_end=True,
            params=(
                "filter[created_at]",
                "filter[created_at][]",
                "filter[source_type]",
                "filter[source_id]",
                "filter[actor_id]",
                "filter[ip_address]",
                "filter[action]",
            ),
            more={"stamp": audit_log_stamp, "grows_only": True},
        ),
    ),
    mutations={"log_audits": _log_audits},
)
