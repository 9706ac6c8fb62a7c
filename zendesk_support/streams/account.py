"""The account itself: its settings, languages, time zones and addresses."""

from __future__ import annotations

from zendesk_support.reading.envelopes import ONE_ANSWER, OneObject
from zendesk_support.reading.lists import Listing
from zendesk_support.streams.base import LISTED, Stream, columns, feed

VERIFIED = "unknown, verified or failed"


ACCOUNT_SETTINGS = Stream(
    name="account_settings",
    doc="What is switched on in the account, and how: one row, a column for each group of settings.",
    feeds=feed(Listing("account/settings", "settings", envelope=OneObject())),
    columns=columns(
        bigint="id",
        json="""
            active_features agents api apps billing branding brands cdn chat cross_sell device_metadata email
            google_apps gooddata_advanced_analytics groups knowledge limits localization lotus messaging_inactivity
            metrics onboarding routing rule screencast side_conversations statistics ticket_form
            ticket_sharing_partners tickets twitter user voice
        """,
    ),
    notes={
        "id": "always 1, as there is one row",
        "active_features": "{name: whether it is switched on}",
        "agents": "settings of the agent workspace",
        "api": "{accepted_api_agreement, api_password_access, api_token_access and others}",
        "billing": "{backend}",
        "branding": "colors and pictures",
        "brands": "{default_brand_id, require_brand_on_new_tickets and others}",
        "cdn": "where Zendesk's own files come from",
        "chat": "settings of live chat",
        "cross_sell": "offers that agents are shown",
        "device_metadata": "what is noted of end users' devices",
        "gooddata_advanced_analytics": "{enabled}",
        "limits": "{attachment_size}, bytes",
        "localization": "{locale_ids} of the languages it uses",
        "lotus": "settings of the agents' user interface",
        "messaging_inactivity": "reminders in conversations; timeout in minutes, in reminders in seconds",
        "metrics": "{account_size}, such as 100-399",
        "routing": "settings of omnichannel routing: capacities and timeouts",
        "rule": "settings of macros, views, triggers and automations",
        "screencast": "{enabled_for_tickets, host, tickets_recorder_id}",
        "side_conversations": "{name of a channel: whether it is switched on}",
        "statistics": "what is counted",
        "ticket_form": "what end users read where they choose a form",
        "ticket_sharing_partners": "{support_addresses} of them",
        "tickets": "settings of tickets and comments",
        "twitter": "settings of X (Twitter)",
        "user": "settings of end users",
        "voice": "settings of Talk",
    },
    deletes="There is always one row.",
    family="configuration",
    default_set=None,
)

LOCALES = Stream(
    name="locales",
    doc="A language that the account uses.",
    feeds=feed(Listing("locales", "locales", envelope=ONE_ANSWER)),
    columns=columns(
        bigint="id",
        text="locale name native_name presentation_name url",
        timestamp="created_at updated_at",
        bool="default rtl",
    ),
    notes={
        "default": "the account's own language",
        "locale": "such as en-US",
        "native_name": "what its speakers call it",
        "presentation_name": "name as it is shown where languages are chosen",
        "rtl": "written from right to left",
    },
    deletes=LISTED,
    family="configuration",
    default_set=2,
)

TIME_ZONES = Stream(
    name="time_zones",
    doc="A time zone by the name that Zendesk has for it, as in schedules and on users.",
    feeds=feed(Listing("time_zones", "time_zones", envelope=ONE_ANSWER)),
    columns=columns(
        bigint="offset",
        text="name formatted_offset translated_name url",
    ),
    key=("name",),
    notes={
        "name": "not IANA",
        "formatted_offset": "such as GMT+01:00",
        "offset": "minutes from UTC; documented nowhere, as the other columns are but the name",
        "translated_name": "name in the language of the reader",
    },
    deletes=LISTED,
    family="configuration",
    default_set=None,
)

RECIPIENT_ADDRESSES = Stream(
    name="recipient_addresses",
    doc="A support address: mail to it becomes a ticket.",
    feeds=feed(Listing("recipient_addresses", "recipient_addresses", secrets=("domain_verification_code",))),
    columns=columns(
        bigint="id brand_id",
        text="cname_status dns_results domain_verification_status email forwarding_status name spf_status url",
        timestamp="created_at updated_at",
        bool="default",
    ),
    notes={
        "cname_status": f"of the CNAME records: {VERIFIED}",
        "default": "the default address of its brand; otherwise null or false",
        "dns_results": "of the records of its domain: verified or failed",
        "domain_verification_status": f"of the record that shows whose domain it is: {VERIFIED}",
        "forwarding_status": "whether mail is passed on to Zendesk: unknown, waiting, verified or failed",
        "name": "sender that recipients see",
        "spf_status": f"of the SPF record: {VERIFIED}",
    },
    deletes=LISTED,
    family="configuration",
    default_set=None,
)

STREAMS = (
    ACCOUNT_SETTINGS,
    LOCALES,
    TIME_ZONES,
    RECIPIENT_ADDRESSES,
)
