"""Parts of the API that refuse credentials which the account accepts elsewhere."""

from __future__ import annotations

import threading

CHAT = "chat/"
"""How routes of Chat begin."""
PARTS = (CHAT, "channels/voice/")
"""Products with a login or a licence of their own, whose routes are judged as one; elsewhere each route is."""


def part_of(route: str) -> str:
    """The part of the API that a route belongs to."""
    return next((part for part in PARTS if route.startswith(part)), route)


class Refusals:
    """What the parts of the API have said to the credentials in one run.

    A renewal ends the token that other requests go by, so that a part may ask for one only once until it answers.

    Attributes:
        judging: held while one 401 is judged; the others wait for what comes of it.
    """

    def __init__(self) -> None:
        self.judging = threading.Lock()
        self._answered: set[str] = set()
        self._renewed: set[str] = set()
        self._refused_with: dict[str, str] = {}

    def answered(self, route: str) -> None:
        """A part has accepted the credentials."""
        part = part_of(route)
        self._answered.add(part)
        self._renewed.discard(part)

    def is_known(self, route: str, authorization: str) -> bool:
        """Whether a part is known to refuse a header; one that has answered none refuses all."""
        refused = self._refused_with.get(part_of(route))
        return refused is not None and (refused == authorization or part_of(route) not in self._answered)

    def may_renew(self, route: str) -> bool:
        """Whether a part is worth a new token, for it was given none since it answered; from now on it was."""
        part = part_of(route)
        if part in self._renewed or part in self._refused_with:
            return False
        self._renewed.add(part)
        return True

    def add(self, route: str, authorization: str) -> None:
        """A part refuses a header that is good elsewhere."""
        self._refused_with[part_of(route)] = authorization
