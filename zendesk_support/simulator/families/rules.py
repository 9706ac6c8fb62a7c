"""Business rules: macros, triggers, automations, views, service level agreements, schedules and their holidays."""

from __future__ import annotations

from typing import Any

from zendesk_support.simulator.clock import unix
from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import HOST, World
from zendesk_support.simulator.families.agreements import sla_policy
from zendesk_support.simulator.families.schedules import schedule, schedule_holiday
from zendesk_support.simulator.families.triggers import altered_trigger, made_trigger, trigger
from zendesk_support.simulator.kinds import Family, Gate, below, plain
from zendesk_support.simulator.server.messages import Request, refused_guide

_GATE = Gate("growth", 404)
_SORTS = ("created_at", "updated_at", "position", "title")


def macro(world: World, rid: int) -> Row:
    """Make a macro."""
    number, value, row = world.setting("macros", rid, "macros")
    title = f"{world.words(number, 54, 3).title()} {number}"
    actions: list[dict[str, Any]] = [{"field": "status", "value": "solved"}]
    if value % 3 == 0:
        actions.append({"field": "comment_value", "value": ["channel:all", "Hello {{ticket.requester.name}} <br>"]})
    return {
        **row,
        "title": title,
        "raw_title": title,
        "active": value % 6 != 0,
        "default": False,
        "position": (number * 31) % 997,
        "description": None if value % 2 else world.words(number, 55, 5),
        "actions": actions,
        "attachments": [rid + 7] if value % 5 == 0 else [],
        "restriction": None
        if value % 4
        else {"type": "Group", "id": world.rid("groups", 0), "ids": [world.rid("groups", 0)]},
    }


def trigger_category(world: World, rid: int) -> Row:
    """Make a category of triggers; its id is a text."""
    number, _, row = world.setting("trigger_categories", rid, "trigger_categories")
    name = ("Notifications", "Routing & <VIP>", "エスカレーション", "Initial category")[number % 4]
    return {**row, "id": str(rid), "name": name + (f" {number}" if number > 3 else ""), "position": number}


def _with_counts(store: Store, rid: int) -> Row:
    row = store.tables["trigger_categories"].get(rid)
    own = [trigger["active"] for trigger in store.tables["triggers"] if trigger["category_id"] == row["id"]]
    return {**row, "active_count": own.count(True), "inactive_count": own.count(False)}


def _category(store: Store, request: Request, rid: int) -> Row:
    """A category of triggers; how many are in it, only where that is asked for."""
    return (
        _with_counts(store, rid) if "rule_counts" in request.includes else store.tables["trigger_categories"].get(rid)
    )


def _empty_category(change: Change, row: Row) -> None:
    """Put the triggers of a category that goes into another."""
    triggers, categories = change.store.tables["triggers"], change.store.tables["trigger_categories"]
    other = next(each["id"] for each in categories if each["id"] != row["id"])
    for rid in triggers.rids:
        if triggers.get(rid)["category_id"] == row["id"]:
            change.touch("triggers", rid)["category_id"] = other


def group_sla_policy(world: World, rid: int) -> Row:
    """Make a group SLA policy; its id is a ULID, and its targets are seconds."""
    number, value, row = world.setting("group_sla_policies", rid, "group_slas/policies")
    ident = world.ulid(rid, unix(row["created_at"]))
    groups = sorted({world.rid("groups", number % world.sizes["groups"]), world.pick(number, 74, "groups")})
    return {
        **row,
        "url": f"{HOST}/api/v2/group_slas/policies/{ident}.json",
        "id": ident,
        "title": f"Ownership of {world.words(number, 75, 2)} {number}",
        "description": None if value % 3 == 0 else "Solve or hand over",
        "position": number + 1,
        "filter": {"all": [{"field": "group_id", "operator": "includes", "value": groups}]},
        "policy_metrics": [
            {
                "priority": priority,
                "metric": "group_ownership_time",
                "target": 3600 * hours,
                "business_hours": value % 2 == 0,
            }
            for priority, hours in (("urgent", 1), ("high", 2), ("normal", 8), ("low", 24))[number % 2 :]
        ],
    }


def deletion_schedule(world: World, rid: int) -> Row:
    """Make a deletion schedule: what is deleted by itself once it is old enough."""
    number, value, row = world.setting("deletion_schedules", rid, "deletion_schedules")
    thing = ("zen:ticket", "zen:user", "zen:attachment", "zen:bot_only_conversation")[number % 4]
    years = 1 + value % 7
    return {
        **row,
        "title": f"Delete {thing.removeprefix('zen:')}s after {years} years" + (f" {number}" if number > 3 else ""),
        "description": "" if value % 2 else f"Those not updated for {years} years",
        "object": thing,
        "active": number % 3 != 2,
        "default": number == 0,
        "conditions": {
            "all": [{"field": "duration_since_last_update", "operator": "greater_than", "value": f"P{years}Y"}],
            "any": [],
        },
    }


def automation(world: World, rid: int) -> Row:
    """Make an automation."""
    number, value, row = world.setting("automations", rid, "automations")
    title = f"Close after {number + 1} days"
    return {
        **row,
        "title": title,
        "raw_title": title,
        "active": value % 4 != 0,
        "default": number == 0,
        "position": (number * 13) % 199,
        "conditions": {
            "all": [{"field": "SOLVED", "operator": "greater_than", "value": "96"}],
            "any": [],
        },
        "actions": [{"field": "status", "value": "closed"}],
    }


def view(world: World, rid: int) -> Row:
    """Make a view."""
    number, value, row = world.setting("views", rid, "views")
    title = f"{('Unsolved', 'Pending', 'Recently updated')[value % 3]} {world.words(number, 63, 2)} & {number}"
    column = ("nice_id", "Ticket ID") if value % 2 else ("updated", "Latest update")
    group = world.pick(number, 64, "groups")
    return {
        **row,
        "title": title,
        "raw_title": title,
        "active": value % 7 != 0,
        "default": number < 2,
        "position": (number * 23) % 613,
        "description": None if value % 3 else world.words(number, 65, 6),
        "restriction": None if value % 4 else {"type": "Group", "id": group, "ids": [group]},
        "conditions": {"all": [{"field": "status", "operator": "less_than", "value": "solved"}], "any": []},
        "execution": {
            "group_by": None if value % 5 else "status",
            "group_order": "asc",
            "sort_by": column[0],
            "sort_order": "desc",
            "group": None if value % 5 else {"id": "status", "title": "Status", "order": "asc"},
            "sort": {"id": column[0], "title": column[1], "order": "desc"},
            "columns": [{"id": "subject", "title": "Subject"}, {"id": column[0], "title": column[1]}],
            "fields": [],
            "custom_fields": [],
        },
    }


FAMILY = Family(
    "rules",
    (
        plain(
            "macros",
            macro,
            lambda of: max(12, min(600, of["tickets"] // 20)),
            order="title,id",
            sorts=_SORTS,
            params=("access", "active", "only_viewable"),
        ),
        plain(
            "triggers",
            trigger,
            lambda of: max(12, min(300, of["tickets"] // 30)),
            order="position,title,id",
            sorts=_SORTS,
            params=("active",),
            more={"cloned": made_trigger, "altered": altered_trigger},
        ),
        plain(
            "trigger_categories",
            trigger_category,
            4,
            order="position,id",
            sorts=("position", "name", "created_at", "updated_at"),
            row=_category,
            refused=refused_guide,
            more={
                "truth": lambda store: (_with_counts(store, rid) for rid in store.tables["trigger_categories"].rids),
                "removed": _empty_category,
            },
        ),
        plain(
            "group_sla_policies",
            group_sla_policy,
            3,
            "group_slas/policies",
            paging="none",
            order="position,id",
            gate=Gate("professional", 404),
            admins=True,
        ),
        plain("deletion_schedules", deletion_schedule, 4, paging="bare", gate=Gate("growth", 403), admins=True),
        plain("automations", automation, 9, order="position,id", sorts=_SORTS),
        plain("sla_policies", sla_policy, 4, "slas/policies", paging="none", order="position,id", gate=_GATE),
        plain("schedules", schedule, 3, "business_hours/schedules", paging="none", gate=_GATE),
        plain(
            "views",
            view,
            lambda of: max(10, min(300, of["tickets"] // 25)),
            order="created_at,id",
            sorts=_SORTS,
            params=("access", "active", "group_id"),
        ),
        below(
            "schedule_holidays",
            schedule_holiday,
            lambda of: 4 * of["schedules"],
            "business_hours/schedules/{schedule_id}/holidays",
            "holidays",
            parent=("schedules", "schedule_id"),
            paging="bare",
            gate=Gate("professional", 404),
        ),
    ),
)
