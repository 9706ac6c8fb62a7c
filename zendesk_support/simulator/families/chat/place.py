"""Where Chat is: below the account's own address, and on an older host without `/chat`."""

from __future__ import annotations

from zendesk_support.simulator.server.auth import CHAT_HOST, CHAT_PATHS
from zendesk_support.simulator.server.messages import Request


def address(request: Request) -> str:
    """Return a request's address as its host spells it."""
    path = request.path if request.brand != CHAT_HOST else request.path.replace(CHAT_PATHS, "/api/v2/", 1)
    return f"{request.base_url}{path}"
