"""Transports to simulated accounts."""

from __future__ import annotations

import base64
import threading
from typing import Any

from support import SCALE

from zendesk_support.api.clock import Clock
from zendesk_support.api.rate_limiter import RateLimiter
from zendesk_support.api.tokens import FixedAuth
from zendesk_support.api.transport import Transport
from zendesk_support.settings import Settings
from zendesk_support.simulator import Simulator


def connect(account: Simulator, clock_scale: float = SCALE, **settings: Any) -> Transport:
    """A transport with the account's API token."""
    known = account.credentials
    token = base64.b64encode(f"{known['email']}/token:{known['api_token']}".encode()).decode()
    clock = Clock(clock_scale)
    made = Transport(
        Settings(base_url=account.base_url, start=0, clock_scale=clock_scale, **settings),
        clock,
        RateLimiter(clock, 1.0),
        threading.Event(),
    )
    made.auth = FixedAuth(f"Basic {token}")
    return made
