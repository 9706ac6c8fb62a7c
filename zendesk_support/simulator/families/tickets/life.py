"""A ticket's life: what happened on it, by whom, and when. All that is said of a ticket is worked out from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from zendesk_support.simulator.data.world import World

PUBLIC, PRIVATE, HIDDEN = 1, 2, 3
"""What a step says of its comment: seen by the requester, never seen, or seen once; 0 is no comment."""
SOLVED = ("solved", "closed")
UNSOLVED = ("new", "open", "pending", "hold")
Fields = dict[str | int, Any]
"""Values by the name of a field, or the id of a custom one."""
Change = tuple[str | int, Any, Any]
"""A field, its value, and the value before."""
Step = tuple[int, int, int, tuple[Change, ...]]
"""When, who (-1 is Zendesk), which comment, and what changed: one event of the ticket."""


@dataclass(slots=True)
class Life:
    """One ticket's life.

    Attributes:
        rid: The ticket.
        requester: Who asked.
        first: The fields it was created with.
        now: The fields it has.
        steps: What happened, in order; the first step is its creation.
        schedule: The number of the schedule that counts, the last one assigned.
        ids: The events of the steps, once the ticket has been changed.
        marks: Its metric events, once somebody asked for them.
    """

    rid: int
    requester: int
    first: Fields
    now: Fields
    steps: list[Step]
    schedule: int = 0
    ids: list[int] = field(default_factory=list)
    marks: list[Any] | None = None

    @property
    def created(self) -> int:
        """When the ticket was created."""
        return self.steps[0][0]

    @property
    def updated(self) -> int:
        """When something last happened."""
        return self.steps[-1][0]

    def copy(self) -> Life:
        """Return a life that can go on for itself."""
        steps, ids = list(self.steps), list(self.ids)
        return Life(self.rid, self.requester, dict(self.first), dict(self.now), steps, self.schedule, ids)

    def add(self, step: Step, event: int) -> None:
        """Note what has happened; a step that comes late goes to its place in time."""
        at = len(self.steps)
        while at > 1 and self.steps[at - 1][0] > step[0]:
            at -= 1
        self.steps.insert(at, step)
        self.ids.insert(at, event)
        self.now.update((name, new) for name, new, _ in step[3])
        self.marks = None


def is_agent(world: World, user: int) -> bool:
    """Tell whether one of the first users is an agent."""
    return 0 < user <= world.rid("users", world.sizes["agents"] - 1)
