"""The first messages of messaging tickets: a bot's, then the customer's and an agent's."""

from __future__ import annotations

from collections.abc import Iterator

from zendesk_support.simulator.clock import iso, iso_ms, unix
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.ulid import ulid
from zendesk_support.simulator.data.world import FIRST_ID, World
from zendesk_support.simulator.families.tickets.facts import CHANNELS, is_scrubbed
from zendesk_support.simulator.families.tickets.life import is_agent
from zendesk_support.simulator.families.tickets.plot import lives_of

MESSAGES = 512
"""How many messages a ticket can begin with."""
BOT = -1
_SOURCES = {"bot": "zd:answerBot", "agent": "zd:agentWorkspace", "user": "web"}
_BEFORE = 15
"""Seconds a message takes of the talk with the bot that leads to a ticket."""


def is_messaging(world: World, ticket: int) -> bool:
    """Tell whether one of the first tickets came from a messaging channel."""
    return CHANNELS[world.mix(ticket, 22) % len(CHANNELS)][0] == "messaging"


def count_of(world: World, ticket: int) -> int:
    """Return how many messages a ticket begins with; a few have more than a page holds."""
    if not 0 < ticket <= world.tickets or not is_messaging(world, ticket) or is_scrubbed(world, ticket):
        return 0
    value = world.mix(ticket, 120)
    return 110 + value % 150 if value // 150 % 53 == 0 else 3 + value % 9


def rids_of(world: World, ticket: int) -> range:
    """Return the rids of the messages that a ticket begins with."""
    first = FIRST_ID["conversation_log_events"] + ticket * MESSAGES
    return range(first, first + count_of(world, ticket))


def all_rids(world: World) -> Iterator[int]:
    """Yield the rids of all first messages."""
    return (rid for ticket in range(1, world.tickets + 1) for rid in rids_of(world, ticket))


def place_of(rid: int) -> tuple[int, int]:
    """Return the ticket of one of the first messages, and its place."""
    return divmod(rid - FIRST_ID["conversation_log_events"], MESSAGES)


def time_of(world: World, rid: int) -> int:
    """Return when one of the first messages was written: from a talk with the bot to the ticket's last change."""
    ticket, place = place_of(rid)
    life, count = world.part(lives_of)(ticket), count_of(world, ticket)
    begin = life.created - _BEFORE * min(count, 40)
    return begin + (life.updated - begin) * place // count


def message(world: World, rid: int) -> Row:
    """Make one of the first messages, with its ticket."""
    ticket, place = place_of(rid)
    life, moment = world.part(lives_of)(ticket), time_of(world, rid)
    bot = place == 0 or (moment < life.created and place % 2 == 0)
    agent = life.now["assignee_id"]
    author = BOT if bot else agent if agent and place % 3 == 0 and moment > life.steps[0][0] else life.requester
    return make_message(world, rid, ticket, moment, author, world.words(rid, 121, 6).capitalize())


def make_message(world: World, rid: int, ticket: int, moment: int, author: int, text: str) -> Row:
    """Make a message, with its ticket."""
    value = world.mix(rid, 122)
    ms = moment * 1000 + value % 1000
    content: Row = {"type": "text", "text": text}
    if author == BOT:
        content["actions"] = [{"reply": {"text": "Talk to a human", "payload": f"goto_node={value}"}}]
    return {
        "id": ulid_of(world, ms, rid),
        "type": "Messaging::ConversationMessage",
        "created_at": iso(moment),
        "received_at": iso_ms(ms),
        "reference": f"zen:sunco:conversation_message:{value:012x}{rid:012x}",
        "source": {
            "type": "zd:answerBot" if author == BOT else "zd:agentWorkspace" if is_agent(world, author) else "web"
        },
        "author": {**author_of(world, author), "zen:sunco:user_id": f"{world.mix(author, 123):024x}"},
        "content": content,
        "attachments": [],
        "metadata": {"system": {}, "custom": {}, "ticket_version": 0},
        "ticket_id": ticket,
    }


def from_comment(world: World, comment: Row) -> Row:
    """Return a ticket's comment as its conversation log tells it."""
    return {
        "id": ulid_of(world, unix(comment["created_at"]) * 1000, comment["id"]),
        "type": "Comment",
        "created_at": comment["created_at"],
        "reference": f"zen:ticket_event:{comment['id']}",
        "author": author_of(world, comment["author_id"]),
        "content": {"type": "html", "body": comment["html_body"]},
        "attachments": comment["attachments"],
        "metadata": {"public": comment["public"], "system": {}, "custom": {}, "ticket_version": 0},
    }


def ulid_of(world: World, ms: int, rid: int) -> str:
    """Return the id of a row that was made at a time; of those of one time the later rid is the later id."""
    return ulid(ms, rid << 33 | world.mix(rid, 124) >> 14)


def author_of(world: World, author: int) -> Row:
    """Return who wrote something."""
    if author == BOT:
        return {"type": "bot", "display_name": "Answer bot", "avatar_url": None, "zen:support:user_id": BOT}
    kind = "agent" if is_agent(world, author) else "user"
    name = world.person(world.number("users", author))
    return {"type": kind, "display_name": name, "zen:support:user_id": author}
