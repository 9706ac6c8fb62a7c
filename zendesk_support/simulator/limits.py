"""The limits of a plan; `zendesk_support.simulator.server.limits` says how they count."""

from __future__ import annotations

from zendesk_support.simulator.families import FAMILIES
from zendesk_support.simulator.server.limits import AsEndpoint, Buckets, Limit, State, headers, limits_of
from zendesk_support.simulator.server.routes import Routes

__all__ = ["AsEndpoint", "Buckets", "Limit", "State", "default_limits", "headers"]


def default_limits(plan: str) -> dict[str, Limit]:
    """Return every limit of a plan by name."""
    routes = Routes(route for family in FAMILIES for route in family.all_routes())
    return limits_of(plan, routes.limits())
