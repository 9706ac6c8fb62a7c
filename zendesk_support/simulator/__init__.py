"""A local Zendesk account for tests, examples and benchmarks."""

from zendesk_support.simulator.remote import RemoteSimulator
from zendesk_support.simulator.simulator import Simulator

__all__ = ["RemoteSimulator", "Simulator"]
