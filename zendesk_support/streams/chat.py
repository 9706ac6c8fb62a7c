"""Live chat, Zendesk's older product beside messaging: chats, when agents were online, and how it is set up."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from zendesk_support.api.limits import CHAT
from zendesk_support.reading.chat_export import ChatExport
from zendesk_support.reading.envelopes import OneObject
from zendesk_support.reading.from_id import BareRows, ListingFromId
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.parents import DAY
from zendesk_support.records.arrow import DataType
from zendesk_support.streams.base import LISTED, Feed, Stream, columns, feed

PLAN = "Chat"
LIMITS = (CHAT,)
BANS = BareRows({"visitor": "visitor", "ip_address": "ip_address"}, "type")
on_demand = partial(Stream, family="chat", default_set=None)
"""A stream of this family, which is loaded only where somebody asks for it."""


def listed(path: str) -> tuple[Feed, ...]:
    """The feed of a list that comes whole."""
    return feed(Listing(f"chat/{path}", path, BareRows(), limits=LIMITS))


def setting(
    name: str, doc: str, types: Mapping[str, DataType], notes: Mapping[str, str], feeds: tuple[Feed, ...], **more: Any
) -> Stream:
    """A stream of how Chat is set up."""
    return on_demand(
        name=name,
        doc=doc,
        feeds=feeds,
        columns=types,
        notes=notes,
        plan=PLAN,
        **{"deletes": LISTED, **more},
    )


CHATS = on_demand(
    name="chats",
    doc="A live chat, or a message that a visitor left while nobody was there. Messaging is not here.",
    feeds=feed(
        ChatExport(
            "chat/incremental/chats",
            "chats",
            time="update_timestamp",
            also="updated_timestamp",
            blanks=("department_id",),
        )
    ),
    columns=columns(
        bigint="department_id duration zendesk_ticket_id",
        text="id comment department_name message rating started_by type",
        timestamp="end_timestamp timestamp update_timestamp",
        bool="deleted missed triggered triggered_response unread",
        json="agent_ids agent_names conversions count engagements history response_time session tags visitor webpath",
    ),
    cursor="update_timestamp",
    version="update_timestamp",
    fact=True,
    plan=PLAN,
    notes={
        "agent_ids": "list of chat_agents.id as strings",
        "comment": "what the visitor wrote with the rating",
        "count": "{visitor, agent, total} messages",
        "department_id": "chat_departments.id",
        "duration": "seconds",
        "engagements": "list of {id, agent_id, started_by, timestamp, duration and others}, an agent's part each",
        "history": "list of messages and events: {type, name, msg, timestamp, channel and others}",
        "message": "text of an offline message",
        "missed": "nobody answered",
        "response_time": "{first, avg, max}, seconds",
        "session": "{ip, city, country_code, browser, platform, start_date, end_date and others} of the visitor",
        "started_by": "agent, visitor or trigger",
        "triggered": "a trigger began it",
        "type": "chat or offline_msg; each has columns of its own",
        "visitor": "{id, name, email, phone, notes}",
        "webpath": "list of {from, to, title, timestamp}: pages that the visitor looked at",
        "zendesk_ticket_id": "the ticket that was made of it",
    },
    links={"zendesk_ticket_id": "tickets", "department_id": "chat_departments"},
    deletes="The row stays with `deleted` filled.",
    appears_by="timestamp",
    months_of="timestamp",
)

CHAT_AGENT_TIMELINE = on_demand(
    name="chat_agent_timeline",
    doc="A span of time in which an agent of Chat had one status.",
    feeds=feed(
        ChatExport(
            "chat/incremental/agent_timeline",
            "agent_timeline",
            time="start_time",
            per_second=1_000_000,
            identified_by=("agent_id", "start_time"),
            lasts="duration",
            lookback=DAY,
        )
    ),
    columns=columns(
        bigint="agent_id engagement_count",
        text="id status",
        timestamp="start_time",
        double="duration",
    ),
    cursor="start_time",
    version="duration",
    fact=True,
    plan=PLAN,
    notes={
        "id": "agent_id and start_time; made here, as Chat has none",
        "agent_id": "chat_agents.id",
        "duration": "seconds; it grows while the span is under way",
        "engagement_count": "chats at that time",
        "status": "online, away, invisible or offline",
    },
    links={"agent_id": "chat_agents"},
    deletes="Chat deletes none.",
    appears_by="start_time",
    months_of="start_time",
)

CHAT_AGENTS = setting(
    "chat_agents",
    "An agent of Chat; the id is that of the user.",
    columns(
        bigint="id login_count role_id",
        text="display_name email first_name last_name scope",
        timestamp="create_date last_login",
        bool="enabled",
        json="departments enabled_departments roles skills",
    ),
    {
        "id": "users.id",
        "departments": "list of chat_departments.id",
        "roles": "{owner, administrator}",
        "skills": "list of chat_skills.id",
    },
    feed(ListingFromId("chat/agents", "agents", limits=LIMITS)),
    links={"role_id": "chat_roles"},
    appears_by="create_date",
)

CHAT_DEPARTMENTS = setting(
    "chat_departments",
    "A department of Chat: a group.",
    columns(bigint="id", text="description name", bool="enabled", json="members settings"),
    {"members": "list of chat_agents.id", "settings": "{support_group_id and others}"},
    listed("departments"),
)

CHAT_SHORTCUTS = setting(
    "chat_shortcuts",
    "A text that agents put into a chat with a few letters.",
    columns(text="id message name options scope", json="departments tags"),
    {"id": "the same as name", "options": "answers offered to the visitor", "scope": "all, or who may use it"},
    listed("shortcuts"),
    key=("name",),
)

CHAT_TRIGGERS = setting(
    "chat_triggers",
    "A rule that writes to visitors, or does something else, when conditions are met.",
    columns(bigint="id", text="description name", bool="enabled", json="definition"),
    {"definition": "{event, condition, actions and others}, lists of lists and texts"},
    listed("triggers"),
    varying=("definition",),
)

CHAT_BANS = setting(
    "chat_bans",
    "A visitor, or an address, that may not chat.",
    columns(bigint="id", text="ip_address reason type visitor_id visitor_name", timestamp="created_at"),
    {"type": "visitor or ip_address", "ip_address": "null for a visitor"},
    feed(ListingFromId("chat/bans", "bans", BANS, limits=LIMITS)),
)

CHAT_GOALS = setting(
    "chat_goals",
    "Something that visitors are meant to do, such as buying.",
    columns(bigint="id attribution_period", text="attribution_model description name", bool="enabled", json="settings"),
    {
        "attribution_model": "whose conversion it is, such as last_touch",
        "attribution_period": "days for which a chat counts",
        "settings": "list of conditions of the page that is reached",
    },
    listed("goals"),
)

CHAT_SKILLS = setting(
    "chat_skills",
    "What some agents are good at, by which chats are given to them.",
    columns(bigint="id", text="description name", bool="enabled", json="members"),
    {"members": "list of chat_agents.id"},
    listed("skills"),
)

CHAT_ROLES = setting(
    "chat_roles",
    "What agents may do in Chat.",
    columns(bigint="id members_count", text="description name", bool="enabled", json="permissions"),
    {"permissions": "{name of a right: who it is about, or whether they have it}"},
    listed("roles"),
)

CHAT_ACCOUNT = setting(
    "chat_account",
    "The account of Chat: one row; what it pays is left out.",
    columns(bigint="id", text="account_key status", timestamp="create_date", json="plan"),
    {"id": "always 1, as there is one row", "account_key": "what pages with the chat window name it by"},
    feed(Listing("chat/account", "", OneObject(), limits=LIMITS, secrets=("billing", "plan.price"))),
    deletes="There is always one row.",
    appears_by="create_date",
)

STREAMS = (
    CHATS,
    CHAT_AGENT_TIMELINE,
    CHAT_AGENTS,
    CHAT_DEPARTMENTS,
    CHAT_SHORTCUTS,
    CHAT_TRIGGERS,
    CHAT_BANS,
    CHAT_GOALS,
    CHAT_SKILLS,
    CHAT_ROLES,
    CHAT_ACCOUNT,
)
