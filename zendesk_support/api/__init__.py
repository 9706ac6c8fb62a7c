"""Talks to Zendesk: requests with credentials, within its limits, answered by whole bodies."""
