"""What is fixed about the first tickets by their number: which are special, when and by whom they were written."""

from __future__ import annotations

from zendesk_support.simulator.data.world import World

MONTH = 30 * 86400
PRIORITIES = ("low", "normal", "high", "urgent", None)
TYPES = ("question", "incident", "problem", "task", None)
CHANNELS = (
    ("web", "Web form"),
    ("email", "Mail"),
    ("api", "Web service"),
    ("voice", "Phone call (incoming)"),
    ("facebook", "Facebook Post"),
    ("messaging", "Messaging"),
)
_LATELY = 6

# Which tickets are special is a matter of their number, so that small accounts have every kind.


def is_deleted(world: World, rid: int) -> bool:
    """Tell whether one of the first tickets is deleted."""
    number = rid - 1
    return number % 97 == 5 or (world.tickets - number) % 89 == 2


def is_scrubbed(world: World, rid: int) -> bool:
    """Tell whether one of the first tickets is deleted and, 30 days later, scrubbed."""
    return is_deleted(world, rid) and world.spread(rid - 1, world.tickets) + 2 * MONTH < world.start


def is_archived(world: World, rid: int) -> bool:
    """Tell whether one of the first tickets is archived."""
    number = rid - 1
    return number * 100 < 35 * world.tickets and number % 5 == 2 and not is_deleted(world, rid)


def is_ai(world: World, rid: int) -> bool:
    """Tell whether one of the first tickets was handled by an AI agent only."""
    return (rid - 1) % 41 == 7


def is_internal(world: World, rid: int) -> bool:
    """Tell whether all comments of one of the first tickets are private."""
    return world.mix(rid, 22) % 20 == 0


def is_measured(world: World, rid: int) -> bool:
    """Tell whether one of the first tickets has metric events."""
    return not is_ai(world, rid) and world.mix(rid, 31) % 4 != 0


def shares_its_second(rid: int) -> bool:
    """Tell whether one of the first tickets was last updated in one second with others."""
    return 20 <= (rid - 1) % 50 <= 23


def created_at(world: World, rid: int) -> int:
    """Return when one of the first tickets was created."""
    return world.in_rhythm(world.spread(rid - 1, world.tickets))


def shared_second(world: World, rid: int) -> int:
    """Return the second that some tickets were last updated in."""
    number = rid - 1
    return created_at(world, min(world.tickets, number - number % 50 + 24)) + 1800


def type_of(world: World, rid: int) -> str | None:
    """Return the type of one of the first tickets."""
    return TYPES[world.mix(rid, 22) // 7 % 5]


def problem_of(world: World, rid: int) -> int | None:
    """Return the problem that one of the first tickets, an incident, is of; some are of none."""
    if world.mix(rid, 22) % 2 == 0:
        return None
    return next((other for other in range(rid - 1, 0, -1) if type_of(world, other) == "problem"), None)


def has_incidents(world: World, rid: int) -> bool:
    """Tell whether an incident is of one of the first tickets, a problem: those up to the next problem can be."""
    for other in range(rid + 1, world.tickets + 1):
        if type_of(world, other) == "problem":
            return False
        if type_of(world, other) == "incident" and world.mix(other, 22) % 2:
            return True
    return False


def priority_of(world: World, rid: int) -> str | None:
    """Return the priority that one of the first tickets has in the end."""
    return PRIORITIES[world.mix(rid, 22) // 11 % 5]


def ratings_of(world: World, rid: int) -> range:
    """Return the numbers of the satisfaction ratings of one of the first tickets, the last one last."""
    count = world.sizes["satisfaction_ratings"]
    if count > world.tickets:
        return range(rid - 1, count, world.tickets)
    number, rest = divmod(rid - 1, _rated_every(world)) if count else (0, 1)
    return range(number, number + (rest == 0 and number < count))


def rated_ticket(world: World, number: int) -> int:
    """Return the ticket of the n-th satisfaction rating."""
    if world.sizes["satisfaction_ratings"] > world.tickets:
        return 1 + number % world.tickets
    return 1 + number * _rated_every(world)


def _rated_every(world: World) -> int:
    return world.tickets // max(1, world.sizes["satisfaction_ratings"])


def lately(world: World) -> dict[int, int]:
    """Return the newest tickets on which something happens until the account's present, and their places."""
    found: dict[int, int] = {}
    for rid in range(world.tickets, max(0, world.tickets - 4 * _LATELY), -1):
        if len(found) < _LATELY and not is_deleted(world, rid) and not shares_its_second(rid):
            found[rid] = len(found)
    return found
