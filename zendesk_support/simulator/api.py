"""`zendesk_support.simulator.server.api` by its short name."""

from zendesk_support.simulator.server.api import Api

__all__ = ["Api"]
