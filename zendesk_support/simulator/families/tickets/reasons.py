"""Why requesters are not satisfied: the reasons they may choose, and those they have chosen."""

from __future__ import annotations

from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import World

_REASONS = (
    (5, "The issue took too long to resolve"),
    (6, "The issue was not resolved"),
    (7, "The agent's knowledge is unsatisfactory"),
    (8, "The agent's attitude is unsatisfactory"),
    (1000, "Some other reason"),
    (1001, "Wrong product & no refund"),
    (1002, "Zu langsam"),
)
"""The codes that Zendesk gives, and what they stand for; an account's own begin after 1000."""
CHOSEN = 6
"""How many of the first reasons requesters choose; the last one has been deleted."""


def satisfaction_reason(world: World, rid: int) -> Row:
    """Make a reason that requesters may choose."""
    number, _, row = world.setting("satisfaction_reasons", rid, "satisfaction_reasons")
    code, text = _REASONS[number] if number < len(_REASONS) else (996 + number, f"Reason {number}")
    return {
        **row,
        "reason_code": code,
        "value": text,
        "raw_value": f"{{{{dc.reason_code_{code}}}}}" if code == 1001 else text,
        "deleted_at": row["updated_at"] if number == CHOSEN else None,
    }


def new_reason(change: Change, row: Row) -> None:
    """Complete a reason that an admin adds: it has the next code."""
    code = 1 + max(each["reason_code"] for each in change.store.tables["satisfaction_reasons"])
    row |= {"reason_code": code, "value": f"Reason {code}", "raw_value": f"Reason {code}", "deleted_at": None}


def reason_of(world: World, rating: int, score: str) -> Row:
    """Return why a rating is bad: half of those who say so choose no reason."""
    if score != "bad":
        return {"reason": None, "reason_id": None}
    choices, value = min(CHOSEN, world.sizes["satisfaction_reasons"]), world.mix(rating, 69)
    if value % 2 or not choices:
        return {"reason": "No reason provided", "reason_id": 0}
    reason = satisfaction_reason(world, world.rid("satisfaction_reasons", value // 2 % choices))
    return {"reason": reason["value"], "reason_id": reason["id"]}
