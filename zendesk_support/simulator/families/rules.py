"""Business rules: macros, triggers, automations, views, service level agreements, schedules and their holidays."""

from __future__ import annotations

from typing import Any

from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import World
from zendesk_support.simulator.families.agreements import sla_policy
from zendesk_support.simulator.families.schedules import schedule, schedule_holiday
from zendesk_support.simulator.kinds import Family, Gate, below, plain

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


def trigger(world: World, rid: int) -> Row:
    """Make a trigger."""
    number, value, row = world.setting("triggers", rid, "triggers")
    title = f"Notify {world.words(number, 56, 2)} {number}"
    return {
        **row,
        "title": title,
        "raw_title": title,
        "active": value % 5 != 0,
        "default": number < 3,
        "position": (number * 17) % 499,
        "description": None,
        "category_id": str(100_000 + number % 4),
        "conditions": {"all": [{"field": "update_type", "operator": "is", "value": "Create"}], "any": []},
        "actions": [{"field": "notification_user", "value": ["requester_id", "Subject <b>", "Body & more"]}],
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
        ),
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
