"""Every limit of Zendesk that the streams meet, one value each.

See https://developer.zendesk.com/api-reference/introduction/rate-limits/
"""

from __future__ import annotations

from dataclasses import dataclass

PLAIN = "x-rate-limit"
"""The plain headers of an answer (`X-Rate-Limit`, `ratelimit-limit` and the like), which tell of its host's counter."""
HIGH_VOLUME = 2500
"""Requests a minute from which on an account has the High Volume add-on."""


@dataclass(frozen=True)
class Limit:
    """So many requests in a window of time, and who tells what is left of them.

    Attributes:
        name: for reports and the display.
        requests: in one window, as documented; an answer may tell another number.
        seconds: the length of a window; an answer may tell a longer one.
        high_volume: requests in one window with the High Volume add-on, where that raises them.
        told_by: PLAIN, or `name` for a header `zendesk-ratelimit-name` (letters only), or None where nobody tells.
        is_guess: the header's name stands in no documentation and no recorded answer: the limit holds for a route
            until an answer names another.
        refused_as: a word of the text of a 429 that is about this limit, where a request is counted by several.
        is_shared: exports and lists both use much of it, so that one must leave room to the other.
    """

    name: str
    requests: int
    seconds: float = 60.0
    high_volume: int | None = None
    told_by: str | None = None
    is_guess: bool = False
    refused_as: str | None = None
    is_shared: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether the plain headers tell of it."""
        return self.told_by == PLAIN

    @property
    def key(self) -> str:
        """What tells it from all others: the name of its header, else its own."""
        return self.name if self.told_by is None or self.is_plain else self.told_by


ACCOUNT = Limit("account", 200, told_by=PLAIN, is_shared=True)
SIDE_CONVERSATIONS_EXPORT = Limit("side conversations", 600, 600.0)
HELP_CENTER = Limit("help center", 200, told_by=PLAIN)
GUIDE = Limit("guide", 200, told_by=PLAIN)
WEBHOOKS = Limit("webhooks", 100, told_by=PLAIN)
CHAT = Limit("chat", 200)
ACCESS_LOGS = Limit("access logs", 50)
AVAILABILITIES = Limit("agent availabilities", 300)
EXPORTS = Limit("incremental exports", 10, high_volume=30, told_by="incrementalexports", refused_as="incremental")
USERS_EXPORT = Limit("users export", 20, high_volume=60, told_by="incrementalexportscursor", refused_as="incremental")
TALK = Limit("talk", 15_000, 300.0)
TALK_EXPORTS = Limit("talk exports", 10)
"""That calls and legs share it, and nothing else does, is a guess."""
TALK_QUEUE = Limit("talk queue", 2500, 300.0)
DELETED_TICKETS_LIST = Limit("deleted tickets", 10, told_by="deletedtickets", is_guess=True)
TICKET_AUDITS_LIST = Limit("ticket audits", 500, told_by="ticketaudits", is_guess=True)

RECORDED = {limit.told_by: limit for limit in (EXPORTS, USERS_EXPORT)}
"""Limits by a header's name that recorded answers have."""


def named_limit(header: str, requests: int | None) -> Limit:
    """The limit that a `zendesk-ratelimit-…` header names; a name that nobody knows is learned with its number."""
    return RECORDED.get(header) or Limit(header, requests or ACCOUNT.requests, told_by=header)
