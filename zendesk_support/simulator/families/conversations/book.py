"""Conversations as they are now: the first ones, and what has been added since."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.families.conversations import messages, threads
from zendesk_support.simulator.families.tickets.book import Tickets


class Conversations:
    """What the tables of conversations do not say, `store.part(Conversations)`."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.world = store.world
        self.tickets = store.part(Tickets)
        self._new: dict[tuple[str, int], list[int]] = {}
        self._log: tuple[tuple[int, int], dict[int, Row]] = ((-1, 0), {})

    def own(self, stream: str, ticket: int, rid: int) -> None:
        """Note a new row of a ticket."""
        self._new.setdefault((stream, ticket), []).append(rid)

    def is_held(self, ticket: int) -> bool:
        """Tell whether an account that was loaded from its start has a ticket's conversations.

        They can be read until the ticket is deleted, and are kept until it is scrubbed.
        """
        deleted = self.tickets.is_deleted(ticket) and ticket not in self.tickets.deleted_at
        return not deleted and not self.tickets.is_scrubbed(ticket)

    # Side conversations

    def threads(self, ticket: int) -> list[int]:
        """Return a ticket's side conversations, oldest first."""
        first = map(threads.thread_rid, threads.numbers_of(self.world, ticket))
        return [*first, *self._new.get(("side_conversations", ticket), ())]

    def thread_ticket(self, rid: int) -> int:
        """Return the ticket of a side conversation."""
        table = self.store.tables["side_conversations"]
        if table.touched(rid):
            return int(table.get(rid)["ticket_id"])
        return threads.number_of(rid) // threads.THREADS

    def event_ticket(self, rid: int) -> int:
        """Return the ticket of an event of a side conversation."""
        table = self.store.tables["side_conversation_events"]
        if table.touched(rid):
            return int(table.get(rid)["ticket_id"])
        return threads.place_of(rid)[0] // threads.THREADS

    def held_threads(self) -> Iterator[int]:
        """Yield the side conversations that `is_held` says so of."""
        rids = self.store.tables["side_conversations"].rids
        return (rid for rid in rids if self.is_held(self.thread_ticket(rid)))

    def told_events(self) -> Iterator[int]:
        """Yield the events of tickets that are not scrubbed."""
        rids = self.store.tables["side_conversation_events"].rids
        return (rid for rid in rids if not self.tickets.is_scrubbed(self.event_ticket(rid)))

    # Conversation logs

    def is_messaging(self, ticket: int) -> bool:
        """Tell whether a ticket came from a messaging channel."""
        table = self.store.tables["tickets"]
        if table.touched(ticket):
            return bool(table.get(ticket)["from_messaging_channel"])
        return messages.is_messaging(self.world, ticket)

    def message_ticket(self, rid: int) -> int:
        """Return the ticket of a message."""
        table = self.store.tables["conversation_log_events"]
        return int(table.get(rid)["ticket_id"]) if table.touched(rid) else messages.place_of(rid)[0]

    def log(self, ticket: int) -> dict[int, Row]:
        """Return a ticket's conversation log in order: its messages and its comments, by rid."""
        of = (self.store.version, ticket)
        if self._log[0] != of:
            self._log = (of, self._read_log(ticket))
        return self._log[1]

    def _read_log(self, ticket: int) -> dict[int, Row]:
        table = self.store.tables["conversation_log_events"]
        new = self._new.get(("conversation_log_events", ticket), ())
        found = {rid: table.get(rid) for rid in (*messages.rids_of(self.world, ticket), *new)}
        comments = self.tickets.comments(ticket)
        found |= {comment["id"]: messages.from_comment(self.world, comment) for comment in comments}

        def place(rid: int) -> tuple[Any, Any]:
            return found[rid]["created_at"], found[rid]["id"]

        return {rid: {k: v for k, v in found[rid].items() if k != "ticket_id"} for rid in sorted(found, key=place)}

    def all_logs(self) -> Iterator[Row]:
        """Yield the conversation logs of all messaging tickets, with their tickets."""
        for ticket in self.store.tables["tickets"].rids:
            if self.is_messaging(ticket) and self.is_held(ticket):
                for row in self.log(ticket).values():
                    yield {**row, "ticket_id": ticket}
