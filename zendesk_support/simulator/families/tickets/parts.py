"""What a load takes out of tickets into tables of their own."""

from __future__ import annotations

from collections.abc import Iterator

from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row

_PEOPLE = {"collaborator": "collaborator_ids", "follower": "follower_ids", "email_cc": "email_cc_ids"}


def tags(store: Store) -> Iterator[Row]:
    """Yield a row for each tag of a ticket."""
    for ticket in _living(store):
        for tag in dict.fromkeys(ticket["tags"]):
            yield {"ticket_id": ticket["id"], "tag": tag, "generated_timestamp": ticket["generated_timestamp"]}


def collaborators(store: Store) -> Iterator[Row]:
    """Yield a row for each person that a ticket names besides its requester, in each kind."""
    for ticket in _living(store):
        for kind, column in _PEOPLE.items():
            for user in dict.fromkeys(ticket[column]):
                row = {"ticket_id": ticket["id"], "user_id": user, "kind": kind}
                yield {**row, "generated_timestamp": ticket["generated_timestamp"]}


def _living(store: Store) -> Iterator[Row]:
    return (ticket for ticket in store.tables["tickets"] if ticket["status"] != "deleted")
