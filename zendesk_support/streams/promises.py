"""What of Zendesk's behaviour each stream leans on, where that is known from, and what watches over it."""

from __future__ import annotations

from collections.abc import Mapping

from zendesk_support.reading.chat_export import ChatExport
from zendesk_support.reading.envelopes import (
    AfterLastRow,
    NumberedPages,
    OneAnswer,
    OneObject,
    PagedLists,
    Pages,
    SeveralLists,
    Words,
)
from zendesk_support.reading.exports import CursorExport
from zendesk_support.reading.from_id import BareRows, ListingFromId
from zendesk_support.reading.log import LogListing
from zendesk_support.reading.readings import Readings
from zendesk_support.reading.reread import RereadListing
from zendesk_support.reading.since import FilteredListing
from zendesk_support.reading.time_export import TimeExport
from zendesk_support.reading.token_export import TokenExport
from zendesk_support.streams.base import Stream
from zendesk_support.streams.promised import (
    ACCESS_SINCE,
    ACTIVITIES_SINCE,
    AGENTS_LISTED,
    ALL_TOKENS,
    ALL_VOTES,
    BARE,
    CALLS_MOVE,
    CHAT_ACCOUNT,
    CHAT_END,
    CHAT_ORDER,
    DELETIONS_TOLD,
    END_MARK,
    ENDED,
    FROM_ID,
    IDENTITIES,
    KEPT,
    LANGUAGES,
    LATE,
    LOG_ORDER,
    LOGS_SINCE,
    MESSAGES,
    META_END,
    NEXT_URL,
    NO_MARK,
    NUMBERS,
    ONE_ANSWER,
    ONE_OBJECT,
    ORDER,
    ORDER_OF_IDS,
    QUEUED,
    RATINGS_SINCE,
    REDACTIONS,
    REDIRECTS,
    REVISIONS,
    SEGMENTS,
    SEVERAL_LISTS,
    SIDE_EVENTS,
    SIDE_ORDER,
    SKILLS_BESIDE,
    SPANS,
    STATE_OF_NOW,
    SURVEYS,
    TOKEN,
    UNPAGED,
    VOTES,
    WHOLE_LIST,
    WHOLE_SECOND,
    WITHIN,
    Promise,
)

OF_KINDS: Mapping[type, tuple[Promise, ...]] = {
    CursorExport: (ORDER, END_MARK, LATE),
    TimeExport: (ORDER, END_MARK, WHOLE_SECOND, LATE),
    Pages: (WHOLE_LIST,),
    OneAnswer: (WHOLE_LIST,),
    FilteredListing: (WHOLE_LIST, LATE),
    LogListing: (WHOLE_LIST, LOG_ORDER, LATE),
    SeveralLists: (ONE_ANSWER,),
    RereadListing: (WHOLE_LIST,),
    OneObject: (ONE_OBJECT,),
    AfterLastRow: (WHOLE_LIST, ORDER_OF_IDS),
    Words: (LANGUAGES,),
    ChatExport: (CHAT_ORDER, CHAT_END, LATE),
    ListingFromId: (FROM_ID,),
    BareRows: (BARE,),
    PagedLists: (WHOLE_LIST, SEVERAL_LISTS),
    TokenExport: (TOKEN,),
    NumberedPages: (WHOLE_LIST, NUMBERS),
    Readings: (STATE_OF_NOW,),
}
OF_STREAMS: Mapping[str, tuple[Promise, ...]] = {
    "ticket_metric_events": (NO_MARK,),
    "satisfaction_ratings": (RATINGS_SINCE,),
    "ticket_activities": (ACTIVITIES_SINCE, REDACTIONS),
    "audit_logs": (LOGS_SINCE,),
    "user_identities": (IDENTITIES,),
    "side_conversation_events": (SIDE_ORDER, NO_MARK),
    "side_conversations": (SIDE_ORDER, NO_MARK, SIDE_EVENTS),
    "conversation_log_events": (MESSAGES,),
    "csat_survey_responses": (SURVEYS,),
    **dict.fromkeys(("calls", "call_legs"), (SIDE_ORDER, NO_MARK, CALLS_MOVE)),
    "custom_object_records": (META_END, DELETIONS_TOLD),
    **dict.fromkeys(("article_translations", "section_translations", "category_translations"), (WITHIN,)),
    **dict.fromkeys(("badges", "badge_categories", "badge_assignments"), (UNPAGED,)),
    "user_segments": (SEGMENTS,),
    "redirect_rules": (REDIRECTS,),
    "help_center_votes": (ALL_VOTES,),
    "access_logs": (ACCESS_SINCE,),
    "chat_account": (CHAT_ACCOUNT,),
    "chat_agent_timeline": (SPANS,),
    "oauth_tokens": (ALL_TOKENS,),
    "trigger_revisions": (REVISIONS,),
    "engagements": (NEXT_URL, ENDED, KEPT),
    "queue_events": (NEXT_URL, QUEUED, KEPT),
    "attribute_values": (SKILLS_BESIDE,),
    "agent_attribute_values": (AGENTS_LISTED,),
    "ticket_events": (REDACTIONS,),
    "ticket_comments": (REDACTIONS,),
    "ticket_audits": (REDACTIONS,),
    **dict.fromkeys(("article_votes", "article_comment_votes", "post_votes", "post_comment_votes"), (VOTES,)),
}
PROMISES = tuple(dict.fromkeys(p for named in (OF_KINDS, OF_STREAMS) for all_of in named.values() for p in all_of))


def promises_of(stream: Stream) -> tuple[Promise, ...]:
    """What a stream leans on, by how it is read and of its own."""
    found: list[Promise] = []
    for feed in stream.feeds:
        of_kinds = [promise for kind in feed.endpoint.kinds for promise in OF_KINDS.get(kind, ())]
        unmet = [END_MARK] if not feed.endpoint.marks_end else []
        if isinstance(feed.endpoint, TimeExport) and not feed.endpoint.sized:
            unmet.append(WHOLE_SECOND)
        found += [promise for promise in of_kinds if promise not in unmet]
    return tuple(dict.fromkeys([*found, *OF_STREAMS.get(stream.name, ())]))
