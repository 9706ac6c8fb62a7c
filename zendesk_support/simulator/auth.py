"""`zendesk_support.simulator.server.auth` by its short name."""

from zendesk_support.simulator.server.auth import Credentials

__all__ = ["Credentials"]
