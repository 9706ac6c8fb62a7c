"""Side conversations, messages, and the surveys that customers answer."""

from __future__ import annotations

from zendesk_support.api.limits import ACCOUNT, GUIDE, SIDE_CONVERSATIONS_EXPORT
from zendesk_support.reading.below import Below
from zendesk_support.reading.envelopes import ONE_ANSWER, Pages
from zendesk_support.reading.guide_locale import GUIDE_LOCALE
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.reread import RereadListing, millisecond_window
from zendesk_support.reading.time_export import TimeExport
from zendesk_support.records.json_rows import NULL, Row
from zendesk_support.streams.base import HOURLY, Feed, Stream, columns, feed
from zendesk_support.streams.derived import sent_at, survey_responses
from zendesk_support.streams.ticket_exports import SCRUBS, TICKET_EXPORT
from zendesk_support.streams.transforms import is_not_deleted

SIDE_EVENT_EXPORT = TimeExport(
    "tickets/side_conversations/events",
    "events",
    time="created_at",
    ends=False,
    dated="created_at",
    sized=False,
    limits=(ACCOUNT, SIDE_CONVERSATIONS_EXPORT),
    names=("ticket_id",),
)
ANSWERED_FOR = 29
"""Days after it was sent for which a response to a survey may change: 28, and one for clocks that differ."""
SURVEY_PAGE = Pages(50)
SCRUBBED_WITH_TICKET = "Rows stay until the ticket is scrubbed."


def is_messaging(ticket: Row) -> bool:
    """Whether a ticket has messages to be asked for."""
    return bytes(ticket.get("from_messaging_channel", NULL)) == b"true" and is_not_deleted(ticket)


SIDE_CONVERSATION_EVENTS = Stream(
    name="side_conversation_events",
    doc="A message of a side conversation, or a change of its state or subject.",
    feeds=(Feed(SIDE_EVENT_EXPORT), SCRUBS),
    columns=columns(
        bigint="ticket_id",
        text="id side_conversation_id type url via",
        timestamp="created_at",
        json="actor message updates",
    ),
    cursor="created_at",
    version="created_at",
    fact=True,
    immutable=True,
    plan="Professional and above, or the Collaboration add-on",
    notes={
        "id": "UUID",
        "actor": "{user_id, name, email and others} of who did it; e-mail is null for Slack, Teams and child tickets",
        "message": "{subject, preview_text, body, html_body, from, to, attachments and others}; null for an update",
        "side_conversation_id": "side_conversations.id",
        "type": "create, reply or update",
        "updates": "{state, subject}: what an update has changed",
        "via": "where it came from, such as support",
    },
    links={"side_conversation_id": "side_conversations"},
    deletes=SCRUBBED_WITH_TICKET,
    forgotten=True,
    months_of="created_at",
    family="conversations",
    default_set=None,
)

SIDE_CONVERSATIONS = Stream(
    name="side_conversations",
    doc="A side conversation of a ticket, with people outside of it or as a ticket of its own.",
    feeds=(
        Feed(
            Below(
                SIDE_EVENT_EXPORT,
                Listing("tickets/{ticket_id}/side_conversations", "side_conversations", envelope=ONE_ANSWER),
                {"ticket_id": "ticket_id"},
                refused_alone=True,
                named_again="created_at",
                compares=True,
            )
        ),
        SCRUBS,
    ),
    columns=columns(
        bigint="ticket_id",
        text="id preview_text state subject url",
        timestamp="created_at message_added_at state_updated_at updated_at",
        json="external_ids participants",
    ),
    cursor="updated_at",
    version="updated_at",
    fact=True,
    plan="Professional and above, or the Collaboration add-on",
    notes={
        "id": "UUID",
        "external_ids": "{targetTicketId}: the child ticket, where it is one",
        "message_added_at": "time of the last message",
        "participants": "list of {user_id, name, email and others}; e-mail is null for Slack, Teams and child tickets",
        "preview_text": "beginning of the first message",
        "state": "open or closed",
        "ticket_id": "the ticket that it hangs on",
    },
    deletes=SCRUBBED_WITH_TICKET,
    forgotten=True,
    months_of="created_at",
    family="conversations",
    default_set=None,
)

CONVERSATION_LOG_EVENTS = Stream(
    name="conversation_log_events",
    doc="A message, comment or event of a messaging ticket's conversation.",
    feeds=(
        Feed(
            Below(
                TICKET_EXPORT,
                Listing("tickets/{id}/conversation_log", "events"),
                {"ticket_id": "id"},
                asked=is_messaging,
                refused_alone=True,
                compares=True,
            )
        ),
        SCRUBS,
    ),
    columns=columns(
        bigint="ticket_id",
        text="id reference type",
        timestamp="created_at received_at",
        json="attachments author content metadata source",
    ),
    cursor="created_at",
    version="created_at",
    fact=True,
    notes={
        "id": "ULID",
        "author": "{type, display_name, zen:support:user_id and others}; type is bot, user or agent, id -1 a bot",
        "content": "{type, text and others}; type is text, html, image and others",
        "received_at": "when it arrived",
        "reference": "zen:ticket_event:<id> of a comment that ticket_comments has too, else the message's own name",
        "source": "{type and others}: the channel it came by",
        "type": "such as Messaging::ConversationMessage or Comment",
    },
    deletes=SCRUBBED_WITH_TICKET,
    forgotten=True,
    months_of="created_at",
    family="conversations",
    default_set=None,
)

CSAT_SURVEY_RESPONSES = Stream(
    name="csat_survey_responses",
    doc="A satisfaction survey that was sent to a customer, with the answers given so far.",
    feeds=feed(
        RereadListing(
            "guide/survey_responses",
            "survey_responses",
            times=sent_at,
            column="sent_at",
            days=ANSWERED_FOR,
            window=millisecond_window("filter[created_at_start]", "filter[created_at_end]"),
            envelope=SURVEY_PAGE,
            params={"sort": "id"},
            limits=(GUIDE,),
        ),
        survey_responses,
    ),
    columns=columns(
        bigint="rating survey_version ticket_id",
        text="id rating_category responder_id survey_id",
        timestamp="expires_at sent_at updated_at",
        json="answers subject_zrns subjects survey",
    ),
    cursor="sent_at",
    version="updated_at",
    fact=True,
    plan="Professional and above, Suite Growth and above",
    notes={
        "id": "ULID",
        "answers": "list of {type, rating, value, selections, question and others}; empty until somebody answers",
        "expires_at": "28 days after it was sent: until then answers may come and change",
        "rating": "score given to the question of satisfaction; null while there is none",
        "rating_category": "bad, neutral or good",
        "responder_id": "users.id as text",
        "sent_at": "when the survey was sent, from its id",
        "subjects": "list of {id, type, zrn}; type is ticket, request or conversation",
        "survey": "{id, state, version}",
        "survey_id": "csat_surveys.id",
        "ticket_id": "the ticket among subjects; null for a conversation",
        "updated_at": "time of the last answer; sent_at while there is none",
    },
    links={"survey_id": "csat_surveys"},
    deletes="Removed where a pass of the last 29 days no longer lists it; older rows stay.",
    months_of="sent_at",
    varying=("answers.value",),
    family="conversations",
    default_set=None,
    every=HOURLY,
)

CSAT_SURVEYS = Stream(
    name="csat_surveys",
    doc="A satisfaction survey that customers are sent, with its questions.",
    feeds=feed(
        Below(
            GUIDE_LOCALE,
            Listing("guide/{locale}/surveys", "surveys", envelope=SURVEY_PAGE, limits=(GUIDE,)),
            {"locale": "locale"},
        )
    ),
    columns=columns(
        bigint="version",
        text="id locale state",
        timestamp="created_at updated_at",
        json="questions",
    ),
    key=("id", "version"),
    plan="Professional and above, Suite Growth and above",
    notes={
        "id": "ULID",
        "locale": "language that the texts are in: the account's default one",
        "questions": "list of {id, type, sub_type, headline, options and others}; options name what answers select",
        "version": "counts changes of the survey; csat_survey_responses.survey_version",
    },
    deletes="Zendesk lists the newest version only; the others that were loaded stay.",
    keeps=True,
    appears_by="updated_at",
    family="conversations",
    default_set=None,
)

STREAMS = (
    SIDE_CONVERSATION_EVENTS,
    SIDE_CONVERSATIONS,
    CONVERSATION_LOG_EVENTS,
    CSAT_SURVEY_RESPONSES,
    CSAT_SURVEYS,
)
