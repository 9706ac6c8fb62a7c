"""Service level agreements: which tickets a policy is for, and what it promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import World

Goal = tuple[int, int, bool]
"""The number of a policy, minutes, and whether they are business minutes."""
_PRIORITIES = ("urgent", "high", "normal", "low")
_POLICIES: tuple[tuple[str, str | None, tuple[tuple[str, str, Any], ...], dict[str, tuple[int, ...]], bool], ...] = (
    (
        "Incidents & problems",
        "Incidents first",
        (("type", "includes", ["incident", "problem"]), ("priority", "includes", ["urgent", "high"])),
        {"first_reply_time": (900, 1440), "total_resolution_time": (2880, 7200)},
        False,
    ),
    (
        "Second group",
        None,
        (("group_id", "is", 1),),
        {
            "first_reply_time": (45, 150, 420, 1200),
            "next_reply_time": (240, 480, 960, 1920),
            "agent_work_time": (240, 480, 960, 1920),
        },
        True,
    ),
    (
        "Standard",
        "All that matters",
        (("priority", "is_not", "low"),),
        {"first_reply_time": (60, 180, 450), "requester_wait_time": (480, 960, 1920)},
        True,
    ),
    (
        "Questions & more",
        None,
        (("type", "is", "question"),),
        {"first_reply_time": (2880, 2880, 2880, 2880), "next_reply_time": (4320, 4320, 4320, 4320)},
        False,
    ),
)
"""Titles, descriptions, filters, minutes by metric and priority (urgent first), and whether those are business minutes.

A filter names a group by its number.
"""


@dataclass(frozen=True)
class Policy:
    """One agreement, as the simulator applies it."""

    number: int
    title: str
    description: str | None
    filters: tuple[tuple[str, str, Any], ...]
    goals: dict[tuple[str, str | None], Goal]

    def fits(self, values: dict[str, Any]) -> bool:
        """Tell whether a ticket's type, priority and group meet all conditions."""
        return all(_meets(values[field], operator, wanted) for field, operator, wanted in self.filters)


def _meets(value: Any, operator: str, wanted: Any) -> bool:
    if operator == "includes":
        return value in wanted
    return bool(value == wanted) == (operator == "is")


def policies_of(world: World) -> list[Policy]:
    """Return the first policies in the order of their positions."""
    made = []
    for number in range(world.sizes["sla_policies"]):
        title, description, filters, minutes, business = _POLICIES[number % len(_POLICIES)]
        turn = number // len(_POLICIES)
        group = world.rid("groups", 1 % max(1, world.sizes["groups"]))
        made.append(
            Policy(
                number,
                f"{title} {turn}" if turn else title,
                description,
                tuple((name, sign, group if name == "group_id" else wanted) for name, sign, wanted in filters),
                {
                    (metric, priority): (number, target, business)
                    for metric, targets in minutes.items()
                    for priority, target in zip(_PRIORITIES, targets)
                },
            )
        )
    return made


def policy_for(world: World, values: dict[str, Any]) -> Policy | None:
    """Return the first policy that a ticket meets; one without a priority has none."""
    if values["priority"] is None:
        return None
    return next((policy for policy in world.part(policies_of) if policy.fits(values)), None)


def sla_policy(world: World, rid: int) -> Row:
    """Make an SLA policy."""
    number, _, row = world.setting("sla_policies", rid, "slas/policies")
    policy = world.part(policies_of)[number]
    return {
        **row,
        "title": policy.title,
        "description": policy.description,
        "position": number + 1,
        "filter": {
            "all": [{"field": name, "operator": sign, "value": wanted} for name, sign, wanted in policy.filters],
            "any": [],
        },
        "policy_metrics": [
            {"priority": priority, "metric": metric, "target": target, "business_hours": business}
            for (metric, priority), (_, target, business) in policy.goals.items()
        ],
    }
