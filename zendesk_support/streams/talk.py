"""Talk: calls and their legs, lines, greetings and menus, and how things stand now."""

from __future__ import annotations

from functools import partial

from zendesk_support.api.limits import ACCOUNT, TALK, TALK_EXPORTS, TALK_QUEUE
from zendesk_support.reading.envelopes import NUMBERED_PAGES, ONE_ANSWER, OneObject
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.readings import READ_AT, Readings
from zendesk_support.reading.time_export import TimeExport
from zendesk_support.streams.base import LISTED, TOKENS, Stream, columns, feed

SETTLES_IN = 3 * 3600
"""Seconds after a call for which recorded rows of it still changed."""
NEVER_TOLD = "Rows stay: Zendesk tells of no deletion."
EACH_TIME = "Rows stay: each sync adds how things stand then."
TALK_LIMITS = (ACCOUNT, TALK)
OF_TALK = "Talk"
OF_EXPORTS = "Talk Professional and above"
ASKED_FOR = "left out unless `include` asks for it"
QUALITY = "list such as none, silence or information_not_available"
READ = {READ_AT: "when it was read, by Zendesk's clock"}
on_demand = partial(Stream, family="talk", default_set=None)
"""A stream of this family, which is loaded only where somebody asks for it."""


def increments(key: str) -> TimeExport:
    """What has changed since a second, up to 1,000 rows; `next_page` is never null, and no mark tells the end."""
    return TimeExport(
        f"channels/voice/stats/incremental/{key}",
        key,
        time="updated_at",
        ends=False,
        dated="updated_at",
        sized=False,
        lookback=SETTLES_IN,
        limits=(*TALK_LIMITS, TALK_EXPORTS),
    )


CALLS = on_demand(
    name="calls",
    doc="A call of Talk.",
    feeds=feed(increments("calls")),
    columns=columns(
        bigint="""
            id agent_id call_group_id consultation_time copilot_suggestions_generated_successful
            copilot_suggestions_generated_total customer_id duration hold_time ivr_hops ivr_time_spent line_id
            minutes_billed not_recording_time phone_number_id recording_control_interactions recording_time talk_time
            ticket_id time_to_answer wait_time wrap_up_time
        """,
        text="""
            call_channel call_charge call_recording_consent call_recording_consent_action
            call_recording_consent_keypress callback_source completion_status direction ivr_action
            ivr_destination_group_name ivr_routed_to line line_type overflowed_to phone_number post_call_summary
            post_call_transcription real_time_transcription transcription_language
        """,
        timestamp="created_at post_call_summary_created post_call_transcription_created updated_at",
        bool="""
            callback customer_requested_voicemail default_group exceeded_queue_wait_time outside_business_hours
            overflowed voicemail
        """,
        json="quality_issues",
    ),
    cursor="updated_at",
    version="updated_at",
    fact=True,
    plan=OF_EXPORTS,
    notes={
        "agent_id": "who answered; null for a voicemail or a missed call",
        "call_charge": "price as a text, such as 0.062",
        "consultation_time": "seconds",
        "customer_id": "users.id of the caller, or of who was called",
        "direction": "inbound or outbound",
        "duration": "seconds, from the beginning to the end",
        "hold_time": "seconds",
        "ivr_hops": "menus that the caller went through",
        "ivr_time_spent": "seconds in menus",
        "line": "the account's number, or the nickname of its digital line",
        "minutes_billed": "of all legs",
        "not_recording_time": "seconds of an answered call that were not recorded",
        "overflowed_to": "number of the account that it went on to",
        "phone_number": "the account's own number, not the caller's",
        "post_call_summary": f"what it was about, in words; {ASKED_FOR}",
        "post_call_transcription": f"what was said; {ASKED_FOR}",
        "quality_issues": QUALITY,
        "real_time_transcription": f"what was said; {ASKED_FOR}",
        "recording_time": "seconds",
        "talk_time": "seconds",
        "ticket_id": "null where it belongs to no ticket",
        "time_to_answer": "seconds from the beginning to the answer",
        "updated_at": "moves for hours after the call, and with a transcript",
        "wait_time": "seconds in the queue",
        "wrap_up_time": "seconds of the agent's work after it",
    },
    links={"agent_id": "users", "call_group_id": "groups", "line_id": "lines", "phone_number_id": "phone_numbers"},
    deletes=NEVER_TOLD,
    months_of="created_at",
    withheld=("post_call_summary", "post_call_transcription", "real_time_transcription"),
)

CALL_LEGS = on_demand(
    name="call_legs",
    doc="One party's part in a call of Talk: the customer's, or that of an agent or number who joined it.",
    feeds=feed(increments("legs")),
    columns=columns(
        bigint="""
            id agent_id call_id conference_from conference_time conference_to consultation_from consultation_time
            consultation_to duration hold_time minutes_billed talk_time transferred_from transferred_to user_id
            wrap_up_time
        """,
        text="available_via call_charge completion_status forwarded_to type",
        timestamp="created_at updated_at",
        json="quality_issues",
    ),
    cursor="updated_at",
    version="updated_at",
    fact=True,
    plan=OF_EXPORTS,
    notes={
        "agent_id": "0 where it is no agent's",
        "available_via": "how the agent was reached, such as browser or phone",
        "call_charge": "price as a text, such as 0.003",
        "conference_from": "users.id of the agent who asked others in; conference_to is who came",
        "conference_time": "seconds",
        "consultation_from": "users.id of the agent who asked another; consultation_to is who was asked",
        "consultation_time": "seconds",
        "duration": "seconds",
        "forwarded_to": f"number that it was forwarded to; {ASKED_FOR}",
        "hold_time": "seconds",
        "quality_issues": QUALITY,
        "talk_time": "seconds",
        "transferred_from": "users.id of the agent who handed it on; transferred_to is who got it",
        "type": "customer, agent, external or supervisor",
        "user_id": "users.id of the customer; 0 or null where it is none's",
        "wrap_up_time": "seconds",
    },
    links={"agent_id": "users", "call_id": "calls"},
    deletes=NEVER_TOLD,
    months_of="created_at",
    withheld=("forwarded_to",),
)

PHONE_NUMBERS = on_demand(
    name="phone_numbers",
    doc="A phone number of the account.",
    feeds=feed(
        Listing(
            "channels/voice/phone_numbers",
            "phone_numbers",
            envelope=NUMBERED_PAGES,
            limits=TALK_LIMITS,
            secrets=TOKENS,
        )
    ),
    columns=columns(
        bigint="id brand_id default_group_id ivr_id priority schedule_id sms_group_id",
        text="""
            call_recording_consent country_code display_number failover_number line_type location name nickname number
            outbound_number
        """,
        timestamp="created_at",
        bool="external outbound_enabled recorded sms_enabled toll_free transcription voice_enabled",
        json="""
            capabilities categorised_greetings categorised_greetings_with_sub_settings default_greeting_ids greeting_ids
            group_ids
        """,
    ),
    plan=OF_TALK,
    notes={
        "capabilities": "{sms, mms, voice, emergency_address}",
        "categorised_greetings": "greetings.id by the id of a category",
        "categorised_greetings_with_sub_settings": "the same, with a level for settings of a category",
        "country_code": "ISO 3166, two letters",
        "external": "brought along from another provider",
        "failover_number": "where calls go while Talk cannot take them",
        "greeting_ids": "list of greetings.id, texts; default_greeting_ids are those of Zendesk",
        "number": "E.164, such as +15550100",
        "outbound_number": "what those who are called see",
    },
    links={"ivr_id": "ivrs", "schedule_id": "schedules"},
    deletes=LISTED,
)

LINES = on_demand(
    name="lines",
    doc="A line of the account, a phone number or a digital one.",
    feeds=feed(Listing("channels/voice/lines", "lines", envelope=NUMBERED_PAGES, limits=TALK_LIMITS, secrets=TOKENS)),
    columns=columns(
        bigint="id brand_id default_group_id priority schedule_id",
        text="line_id line_type nickname number",
        json="greeting_ids group_ids",
    ),
    plan=OF_TALK,
    notes={
        "line_id": "digital lines only",
        "line_type": "phone, which phone_numbers has too, or digital",
        "number": "E.164; null for a digital line",
    },
    links={"schedule_id": "schedules"},
    deletes=LISTED,
)

GREETINGS = on_demand(
    name="greetings",
    doc="What callers hear: on a voicemail, while they wait or are held, in a menu.",
    feeds=feed(Listing("channels/voice/greetings", "greetings", envelope=NUMBERED_PAGES, limits=TALK_LIMITS)),
    columns=columns(
        bigint="category_id upload_id",
        text="id audio_name audio_url name",
        bool="active default default_lang has_sub_settings pending",
        json="ivr_ids phone_number_ids",
    ),
    plan=OF_TALK,
    notes={
        "id": "a text: a word such as voicemail_en for those of Zendesk, else digits",
        "default": "Zendesk's own",
        "ivr_ids": "list of ivrs.id",
        "phone_number_ids": "list of phone_numbers.id",
    },
    links={"category_id": "greeting_categories"},
    deletes=LISTED,
)

GREETING_CATEGORIES = on_demand(
    name="greeting_categories",
    doc="A category of greetings.",
    feeds=feed(
        Listing("channels/voice/greeting_categories", "greeting_categories", envelope=ONE_ANSWER, limits=TALK_LIMITS)
    ),
    columns=columns(bigint="id", text="name"),
    plan=OF_TALK,
    deletes=LISTED,
)

IVRS = on_demand(
    name="ivrs",
    doc="A set of menus that callers are led through by keys.",
    feeds=feed(Listing("channels/voice/ivr", "ivrs", envelope=NUMBERED_PAGES, limits=TALK_LIMITS)),
    columns=columns(bigint="id", text="name", json="menus phone_number_ids phone_number_names"),
    plan=OF_TALK,
    notes={
        "menus": "list of {id, name, default, greeting_id, routes}; routes are {id, keypress, action, and others}",
        "phone_number_ids": "list of phone_numbers.id",
    },
    deletes=LISTED,
)

TALK_ADDRESSES = on_demand(
    name="talk_addresses",
    doc="An address that phone numbers of the account are registered for.",
    feeds=feed(Listing("channels/voice/addresses", "addresses", envelope=NUMBERED_PAGES, limits=TALK_LIMITS)),
    columns=columns(bigint="id", text="city country_code name provider_reference province state street zip"),
    plan=OF_TALK,
    notes={"country_code": "ISO 3166, two letters", "provider_reference": "its name at the phone company"},
    deletes=LISTED,
)

AGENTS_ACTIVITY = on_demand(
    name="agents_activity",
    doc="What an agent does on the phone, and has done today, when a sync looks.",
    feeds=feed(
        Readings(
            Listing("channels/voice/stats/agents_activity", "agents_activity", envelope=ONE_ANSWER, limits=TALK_LIMITS)
        )
    ),
    columns=columns(
        bigint="""
            accepted_third_party_conferences accepted_transfers agent_id available_time average_hold_time
            average_talk_time average_wrap_up_time away_time calls_accepted calls_denied calls_missed
            calls_put_on_hold online_time started_third_party_conferences started_transfers total_call_duration
            total_hold_time total_talk_time total_wrap_up_time transfers_only_time
        """,
        text="agent_state avatar_url call_status forwarding_number name via",
        timestamp=READ_AT,
    ),
    key=("agent_id", READ_AT),
    cursor=READ_AT,
    immutable=True,
    plan=OF_TALK,
    notes={
        **READ,
        "agent_state": "online, offline, away or transfers_only",
        "available_time": "seconds, as all that ends in _time; numbers and times count from midnight of the account",
        "call_status": "on_call, wrap_up or null",
        "forwarding_number": f"phone that the agent takes calls on; {ASKED_FOR}",
        "total_call_duration": "seconds",
        "via": "client or phone: how the agent takes calls",
    },
    links={"agent_id": "users"},
    deletes=EACH_TIME,
    withheld=("forwarding_number",),
)

CURRENT_QUEUE_ACTIVITY = on_demand(
    name="current_queue_activity",
    doc="How many wait in the queue, and for how long, when a sync looks.",
    feeds=feed(
        Readings(
            Listing(
                "channels/voice/stats/current_queue_activity",
                "current_queue_activity",
                envelope=OneObject(),
                limits=(*TALK_LIMITS, TALK_QUEUE),
            )
        )
    ),
    columns=columns(
        bigint="""
            agents_online ai_agent_calls average_wait_time callbacks_waiting calls_waiting current_timestamp
            embeddable_callbacks_waiting longest_wait_time
        """,
        timestamp=READ_AT,
    ),
    key=(READ_AT,),
    cursor=READ_AT,
    immutable=True,
    plan=OF_TALK,
    notes={
        **READ,
        "average_wait_time": "seconds",
        "current_timestamp": "Unix seconds, as Zendesk says",
        "embeddable_callbacks_waiting": "asked for in the Web Widget",
        "longest_wait_time": "seconds",
    },
    dropped=frozenset({"id"}),
    deletes=EACH_TIME,
)

ACCOUNT_OVERVIEW = on_demand(
    name="account_overview",
    doc="What today's calls are so far, as a whole, when a sync looks.",
    feeds=feed(
        Readings(
            Listing(
                "channels/voice/stats/account_overview",
                "account_overview",
                envelope=OneObject(),
                limits=TALK_LIMITS,
            )
        )
    ),
    columns=columns(
        bigint="""
            average_call_duration average_callback_wait_time average_hold_time average_queue_wait_time
            average_time_to_answer average_wrap_up_time current_timestamp max_calls_waiting max_queue_wait_time
            total_call_duration total_callback_calls total_calls total_calls_abandoned_in_queue
            total_calls_outside_business_hours total_calls_with_exceeded_queue_wait_time
            total_calls_with_requested_voicemail total_embeddable_callback_calls total_hold_time total_inbound_calls
            total_outbound_calls total_textback_requests total_voicemails total_wrap_up_time
        """,
        timestamp=READ_AT,
    ),
    key=(READ_AT,),
    cursor=READ_AT,
    immutable=True,
    plan=OF_TALK,
    notes={
        **READ,
        "average_call_duration": "seconds, as all that ends in _time or _duration; from midnight of the account",
        "current_timestamp": "Unix seconds, as Zendesk says",
    },
    dropped=frozenset({"id"}),
    deletes=EACH_TIME,
)

STREAMS = (
    CALLS,
    CALL_LEGS,
    PHONE_NUMBERS,
    LINES,
    GREETINGS,
    GREETING_CATEGORIES,
    IVRS,
    TALK_ADDRESSES,
    AGENTS_ACTIVITY,
    CURRENT_QUEUE_ACTIVITY,
    ACCOUNT_OVERVIEW,
)
