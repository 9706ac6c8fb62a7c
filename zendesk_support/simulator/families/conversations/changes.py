"""Changes of side conversations, messages and surveys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import STEP
from zendesk_support.simulator.families.conversations import messages, surveys, threads
from zendesk_support.simulator.families.conversations.book import Conversations
from zendesk_support.simulator.families.tickets.book import Tickets
from zendesk_support.simulator.families.tickets.changes import REDACTED, delete_tickets, scrub_tickets
from zendesk_support.simulator.families.tickets.happen import live, set_fields, touch
from zendesk_support.simulator.families.tickets.life import SOLVED

# Side conversations


def create_side_conversations(
    change: Change, count: int = 1, kind: str = "email", ids: Sequence[int] = ()
) -> dict[str, Any]:
    """Begin side conversations on tickets: by email, on another ticket, in slack or in msteams."""
    if kind not in threads.KINDS:
        raise ValueError(f"unknown kind {kind!r}; the kinds are {', '.join(threads.KINDS)}")
    chosen = list(ids) or live(change, count)
    return {"ids": [_begin(change, ticket, kind) for ticket in chosen], "ticket_ids": chosen}


def _begin(change: Change, ticket: int, kind: str) -> str:
    world, table = change.store.world, change.store.tables["side_conversations"]
    rid = table.new_rid()
    child = live(change, 1, lambda other: other != ticket) if kind == "ticket" else []
    parties = threads.agent_of(world, world.agent(rid, 140)), threads.other_of(world, rid, kind)
    reference = {"targetTicketId": str(child[0])} if child else {}
    message = threads.make_message(f"Question {change.number}", world.notes[rid % len(world.notes)], parties, reference)
    of = {"ticket_id": ticket, "id": threads.uuid_of(world, rid)}
    row = threads.begun(_tell(change, of, "create", parties[0], message=message))
    table.add(row, change.now, rid)
    change.store.part(Conversations).own("side_conversations", ticket, rid)
    return str(row["id"])


def _tell(change: Change, of: Row, kind: str, actor: Row, **said: Any) -> Row:
    """Add an event of a side conversation."""
    table = change.store.tables["side_conversation_events"]
    rid = table.new_rid()
    ms = change.now * 1000 + rid // STEP % 1000
    row = threads.make_event(change.store.world, rid, of, kind, ms, actor, **said)
    table.add(row, change.now, rid)
    return row


def reply_side_conversations(change: Change, count: int = 1) -> dict[str, Any]:
    """Have those who were asked reply; a closed side conversation is open again."""
    world = change.store.world

    def reply(row: Row) -> Row:
        agent, other = row["participants"][:2]
        text = f"Reply {change.number}: {world.notes[change.number % len(world.notes)]}"
        message = threads.make_message(row["subject"], text, (other, agent), row["external_ids"])
        return _tell(change, row, "reply", other, message=message)

    return _go_on(change, count, reply)


def update_side_conversations(change: Change, count: int = 1) -> dict[str, Any]:
    """Close side conversations that are open, and open those that are closed."""

    def update(row: Row) -> Row:
        state = "closed" if row["state"] == "open" else "open"
        return _tell(change, row, "update", row["participants"][0], updates={"state": state})

    return _go_on(change, count, update)


def _go_on(change: Change, count: int, happen: Callable[[Row], Row]) -> dict[str, Any]:
    table, book = change.store.tables["side_conversations"], change.store.part(Conversations)
    chosen = change.sample(table.rids, count, lambda rid: not book.tickets.is_deleted(book.thread_ticket(rid)))
    told = []
    for rid in chosen:
        row = table.change(rid, change.now)
        event = happen(row)
        threads.go_on(row, event)
        told.append(event["id"])
    return {"ids": [table.get(rid)["id"] for rid in chosen], "event_ids": told}


def reply(change: Change, count: int = 1) -> dict[str, Any]:
    """Create events: one reply after another."""
    return {"ids": [rid for _ in range(count) for rid in reply_side_conversations(change)["event_ids"]]}


# Messages


def write_messages(change: Change, count: int = 1, ids: Sequence[int] = ()) -> dict[str, Any]:
    """Have requesters write on messaging tickets, which are exported anew."""
    book, table = change.store.part(Conversations), change.store.tables["conversation_log_events"]
    chosen, made = list(ids), []
    for _ in range(0 if ids else count):
        chosen += live(change, 1, book.is_messaging) or live(change, 1)
    for ticket in chosen:
        rid = table.new_rid()
        requester = touch(change, ticket, generated_only=True)["requester_id"]
        text = f"Message {change.number}"
        row = messages.make_message(change.store.world, rid, ticket, change.now, requester, text)
        table.add(row, change.now, rid)
        book.own("conversation_log_events", ticket, rid)
        made.append(row["id"])
    return {"ids": made, "ticket_ids": chosen}


def redact_messages(change: Change, count: int = 1) -> dict[str, Any]:
    """Black out messages, and have their tickets exported anew."""
    book, table = change.store.part(Conversations), change.store.tables["conversation_log_events"]

    def fits(rid: int) -> bool:
        return book.tickets.is_listed(book.message_ticket(rid)) and REDACTED not in table.get(rid)["content"]["text"]

    chosen = change.sample(table.rids, count, fits)
    for rid in chosen:
        content = table.change(rid, change.now)["content"]
        content["text"] = "".join(letter if letter.isspace() else REDACTED for letter in content["text"])
        touch(change, book.message_ticket(rid), generated_only=True)
    return {"ids": [table.get(rid)["id"] for rid in chosen]}


def scrub(stream: str) -> Callable[..., dict[str, Any]]:
    """Return what deletes and scrubs tickets that have rows of a stream: only so can these go."""

    def remove(change: Change, count: int = 1) -> dict[str, Any]:
        book, table = change.store.part(Conversations), change.store.tables[stream]
        ticket_of = {
            "side_conversations": book.thread_ticket,
            "side_conversation_events": book.event_ticket,
            "conversation_log_events": book.message_ticket,
        }[stream]
        having = sorted({ticket for rid in table.rids if not book.tickets.is_deleted(ticket := ticket_of(rid))})
        chosen = change.sample(having, count)
        if chosen:
            delete_tickets(change, ids=chosen)
            scrub_tickets(change, ids=chosen)
        return {"ids": chosen}

    return remove


# Surveys


def send_surveys(change: Change, count: int = 1) -> dict[str, Any]:
    """Send surveys for solved tickets that got none; where there are none, tickets are solved."""
    tickets, table = change.store.part(Tickets), change.store.tables["csat_survey_responses"]
    asked = {subject["id"] for row in table for subject in row["subjects"]}

    def is_solved(rid: int) -> bool:
        return str(rid) not in asked and tickets.life(rid).now["status"] in SOLVED

    chosen = live(change, count, is_solved)
    if len(chosen) < count:
        others = live(change, count - len(chosen), lambda rid: tickets.life(rid).now["status"] not in SOLVED)
        for ticket in others:
            set_fields(change, ticket, {"status": "solved"})
        chosen += others
    made = []
    for ticket in chosen:
        rid, requester = table.new_rid(), change.store.tables["tickets"].get(ticket)["requester_id"]
        ms = change.now * 1000 + rid % 1000
        row = surveys.make_response(change.store.world, rid, ms, (ticket, requester))
        table.add(row, change.now, rid)
        made.append(row["id"])
    return {"ids": made, "ticket_ids": chosen}


def answer_surveys(change: Change, count: int = 1, days: int = 0) -> dict[str, Any]:
    """Have requesters answer surveys sent at least some days ago, or alter their answers, as long as they can."""
    world, table = change.store.world, change.store.tables["csat_survey_responses"]
    low, high = change.now - surveys.OPEN_FOR, change.now - days * surveys.DAY
    chosen = change.sample(table.rids, count, lambda rid: low < table.stamp(rid) <= high)
    for rid in chosen:
        row = table.change(rid)
        old = row["answers"][0] if row["answers"] else None
        rating = 1 + (old["rating"] if old else change.dice.randrange(5)) % 5
        ms = change.now * 1000 + rid % 1000
        row["answers"] = surveys.answers(row["survey"], rating, ms, ms, world.words(change.number, 141, 4))
        if old:
            row["answers"] = [{**answer, "created_at": old["created_at"]} for answer in row["answers"]]
    return {"ids": [table.get(rid)["id"] for rid in chosen]}


def remove_sent_surveys(change: Change, count: int = 1) -> dict[str, Any]:
    """Take out surveys that can still be answered, with what was answered so far."""
    table = change.store.tables["csat_survey_responses"]
    since = change.now - surveys.OPEN_FOR
    chosen = change.sample(table.rids, count, lambda rid: table.stamp(rid) > since)
    removed = [table.get(rid)["id"] for rid in chosen]
    for rid in chosen:
        table.remove(rid)
    return {"ids": removed}


def create_surveys(change: Change, count: int = 1) -> dict[str, Any]:
    """Create surveys."""
    table, made = change.store.tables["csat_surveys"], []
    for _ in range(count):
        rid, ms = table.new_rid(), change.now * 1000
        row = surveys.make_survey(messages.ulid_of(change.store.world, ms, rid), 1, ms, ms)
        table.add(row, change.now, rid)
        made.append(row["id"])
    return {"ids": made}


def change_surveys(change: Change, count: int = 1) -> dict[str, Any]:
    """Ask otherwise in surveys, which makes new versions of them."""
    table, updated = change.store.tables["csat_surveys"], []
    for rid in change.sample(table.rids, count):
        row = table.change(rid, change.now)
        anew = surveys.make_survey(row["id"], row["version"] + 1, 0, change.now * 1000)
        row |= {**anew, "created_at": row["created_at"]}
        updated.append(row["id"])
    return {"ids": updated}


MUTATIONS: dict[str, Callable[..., dict[str, Any]]] = {
    "create_side_conversations": create_side_conversations,
    "reply_side_conversations": reply_side_conversations,
    "update_side_conversations": update_side_conversations,
    "write_messages": write_messages,
    "redact_messages": redact_messages,
    "send_surveys": send_surveys,
    "answer_surveys": answer_surveys,
}
