"""`zendesk_support.simulator.server.contrary` by its short name."""

from zendesk_support.simulator.server.contrary import HOWS

__all__ = ["HOWS"]
