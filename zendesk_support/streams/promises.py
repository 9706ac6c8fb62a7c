"""What of Zendesk's behaviour each stream leans on, where that is known from, and what watches over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from zendesk_support.reading.envelopes import AfterLastRow, OneAnswer, OneObject, Pages, SeveralLists
from zendesk_support.reading.exports import CursorExport
from zendesk_support.reading.log import LogListing
from zendesk_support.reading.reread import RereadListing
from zendesk_support.reading.since import FilteredListing
from zendesk_support.reading.time_export import TimeExport
from zendesk_support.streams.base import Stream

Source = Literal["documentation", "recording", "guess"]


@dataclass(frozen=True)
class Promise:
    """Something that Zendesk is taken to do.

    Attributes:
        name: in a few words, to refer to.
        text: what it does.
        sources: where that is known from; a guess stands in no documentation and was seen in no recorded answer.
        guard: what notices that it does otherwise.
    """

    name: str
    text: str
    sources: tuple[Source, ...]
    guard: str


ORDER = Promise(
    "export order",
    "All rows of `start_time` or later come, in the order of the time that it is compared with.",
    ("documentation", "recording"),
    "Every page is looked at. Out of order, the position waits for the end of the pass; rows from before `start_time`, "
    "or beyond `end_time`, fail the stream.",
)
END_MARK = Promise(
    "end mark",
    "Each page of an export says with `end_of_stream` whether it is the last.",
    ("documentation", "recording"),
    "A page without it fails the stream.",
)
LATE = Promise(
    "late rows",
    "A row becomes visible within `lookback_minutes` of its stamp.",
    ("guess",),
    "Each sync reads that time again; `--verify --since` finds rows that came later.",
)
WHOLE_SECOND = Promise(
    "whole seconds",
    "A page of an export by time does not end within a second; it grows instead.",
    ("documentation", "recording"),
    "A full page that does not move on fails the stream.",
)
META_END = Promise(
    "end by meta",
    "Each page of the export of records says with `meta.has_more` whether there is more.",
    ("documentation",),
    "A page without it, or one that says so without a cursor, fails the stream.",
)
NO_MARK = Promise(
    "end without a mark",
    "The exports of metric events and of side conversations end where `end_time` moves on no more.",
    ("documentation",),
    "No position lies beyond the rows that came, so that the next sync goes on there; the same rows twice are asked "
    "about once more; `--verify-keys` compares all.",
)
WHOLE_LIST = Promise(
    "whole list",
    "A list leads through all of its rows; `meta.has_more`, or where there is none a missing `next_page`, is its end.",
    ("documentation", "recording"),
    "A page that says neither, a cursor that comes twice, or twenty pages without a new row fail the stream; only a "
    "complete pass removes rows; `--verify` reads the list again.",
)
LOG_ORDER = Promise(
    "order of the log",
    "Answers to `page[size]` come oldest first, and a cursor from before the last rows leads to what is new. "
    "Documentation says that a cursor at the very end skips records.",
    ("recording",),
    "The first page tells the order; a kept cursor after which no known row comes is dropped, and the list read whole.",
)
ONE_ANSWER = Promise(
    "one answer",
    "Both lists of conditions come whole in one answer.",
    ("documentation", "recording"),
    "`--verify` reads them again.",
)
ONE_OBJECT = Promise(
    "one object",
    "All settings of the account come in one answer.",
    ("documentation", "recording"),
    "An answer without them fails the stream; `--verify` reads them again.",
)
ORDER_OF_IDS = Promise(
    "order of ids",
    "Links to Jira come in the order of their ids, and those after the id that `page[after]` names come next.",
    ("documentation",),
    "An id that ends two pages, or twenty pages without a new row fail the stream; `--verify` reads the list again.",
)
RATINGS_SINCE = Promise(
    "filter of ratings",
    "`start_time` lets a rating pass whose score was given after it, though it was offered before.",
    ("guess",),
    "`--verify-keys`, and `--verify --since`, compare `updated_at` of every rating: `stale` if it does not.",
)
ACTIVITIES_SINCE = Promise(
    "filter of activities",
    "`since` lets pass what was created since; activities do not change later.",
    ("documentation",),
    "`--verify-keys` compares `updated_at` of every activity.",
)
LOGS_SINCE = Promise(
    "filter of audit logs",
    "`filter[created_at]` lets pass every entry of the period.",
    ("documentation",),
    "Each row's time is looked at; `--verify-keys` compares all keys.",
)
IDENTITIES = Promise(
    "identities move their user",
    "A user whose identities change is exported again, with all identities beside the users.",
    ("guess",),
    "`--verify-keys` compares the keys of all identities.",
)
REDACTIONS = Promise(
    "redactions are events",
    "A redacted or hidden comment makes an event that names it by `comment_id`.",
    ("guess",),
    "`--verify` reads comments of some tickets again and compares their texts.",
)
VOTES = Promise(
    "votes are counted",
    "A vote given or taken back changes `vote_count` or `vote_sum` of what it is on.",
    ("documentation",),
    "Where both stay, a vote changed for its like is seen within thirty days; `--verify-keys` reads all votes.",
)

SIDE_ORDER = Promise(
    "order of side conversations",
    "Events of side conversations come in the order of `created_at`.",
    ("guess",),
    "Every page is looked at. Out of order, the position follows `end_time`; `--verify-keys` compares all keys.",
)
SIDE_EVENTS = Promise(
    "side conversations make events",
    "Whatever changes a side conversation makes an event that names its ticket.",
    ("documentation",),
    "`--verify-keys` reads the side conversations of every ticket with an event, and compares keys and versions.",
)
MESSAGES = Promise(
    "messages move their ticket",
    "A ticket that gets a message is exported again.",
    ("guess",),
    "`--verify-keys` reads the log of every messaging ticket.",
)
SURVEYS = Promise(
    "surveys change for 28 days",
    "Answers to a survey come and change until `expires_at`, 28 days after it was sent; the filter goes by that time.",
    ("documentation", "recording"),
    "29 days are read again by each sync, rows outside of what was asked for are left out; `--verify-keys` compares "
    "all keys and versions.",
)
DELETIONS_TOLD = Promise(
    "deleted records are told",
    "A deleted record comes for 30 days with the name [DELETED].",
    ("documentation",),
    "What was not read for 29 days is read anew, and what the whole export lacks is removed.",
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
    "custom_object_records": (META_END, DELETIONS_TOLD),
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
        found += [promise for promise in of_kinds if promise != END_MARK or feed.endpoint.marks_end]
    return tuple(dict.fromkeys([*found, *OF_STREAMS.get(stream.name, ())]))
