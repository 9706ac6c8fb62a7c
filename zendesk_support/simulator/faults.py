"""`zendesk_support.simulator.server.faults` by its short name."""

from zendesk_support.simulator.server.faults import AFTER, KINDS

__all__ = ["AFTER", "KINDS"]
