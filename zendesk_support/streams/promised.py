"""What Zendesk is taken to do, and what notices that it does otherwise: each promise in one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
    "The exports of metric events, of side conversations and of Talk end where `end_time` moves on no more.",
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
    "order of exports without a mark",
    "Events of side conversations come in the order of `created_at`, calls and legs in that of `updated_at`.",
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
CALLS_MOVE = Promise(
    "calls move as they change",
    "A call or leg whose values change, for hours after the call or with a transcript, has a new `updated_at`; 1,000 "
    "rows come at most, and the last second of a page comes again with the next.",
    ("documentation", "recording"),
    "The last three hours are read again; 1,000 rows of one second fail the stream; `--verify-keys` compares all keys "
    "and versions.",
)
NUMBERS = Promise(
    "pages by number",
    "Each page of a list of Talk says with `next_page` whether there is more.",
    ("documentation", "recording"),
    "A page without it fails the stream; `--verify` reads the list again.",
)
STATE_OF_NOW = Promise(
    "state of now",
    "One answer, or the pages of one list, tell how things stand when they are asked for.",
    ("documentation", "recording"),
    "A reading is added whole or not at all, with its time; nothing can be compared with it later.",
)
DELETIONS_TOLD = Promise(
    "deleted records are told",
    "A deleted record comes for 30 days with the name [DELETED].",
    ("documentation",),
    "What was not read for 29 days is read anew, and what the whole export lacks is removed.",
)
WITHIN = Promise(
    "translations within rows",
    "`include=translations` puts all translations of a row into it, those of drafts too.",
    ("documentation", "recording"),
    "A row that lacks them, or where it is refused, is asked for its own list; `--verify` reads them again.",
)
SEGMENTS = Promise(
    "segments of the account",
    "Each help center lists the same user segments.",
    ("guess",),
    "`--verify` reads those of the default brand again; an article whose `user_segment_id` is in no row shows others.",
)
REDIRECTS = Promise(
    "redirects of a brand",
    "A help center lists the redirect rules of its own brand.",
    ("guess",),
    "A rule that two of them list is one row; `--verify` compares all keys.",
)
ALL_VOTES = Promise(
    "all votes",
    "One list has the votes on everything in a help center.",
    ("documentation",),
    "A trial: nothing leans on it. Its votes on an article are to be as many as `articles.vote_count` says.",
)
LANGUAGES = Promise(
    "languages",
    "All languages of a help center come in one answer.",
    ("documentation",),
    "An answer without them fails the stream; `--verify` reads them again.",
)
UNPAGED = Promise(
    "badges in one answer",
    "Lists of badges come whole; documentation shows no pages.",
    ("documentation",),
    "An answer that says that there is more is followed; `--verify` reads the list again.",
)
ACCESS_SINCE = Promise(
    "filter of access logs",
    "`filter[start]` and `filter[end]` let pass every request of the period, for 90 days.",
    ("documentation",),
    "Each row's time is looked at; `--verify-keys` compares the keys of what Zendesk still has.",
)
REVISIONS = Promise(
    "revisions are changes of their trigger",
    "A trigger that gets a revision gets a later `updated_at`; revisions come newest first, and a null `before_url` is "
    "their end.",
    ("documentation",),
    "A page that names no `before_url` fails the stream; `--verify-keys` reads the revisions of every trigger.",
)
ALL_TOKENS = Promise(
    "tokens of everybody",
    "`all=true` lists the tokens of every user to an admin.",
    ("documentation",),
    "`--verify` lists them again; with credentials that are no admin's the stream is refused.",
)
CHAT_ORDER = Promise(
    "order of Chat's exports",
    "What was updated since `start_time`, and after `start_id` where an answer names one, comes in the order of its "
    "time and id.",
    ("documentation",),
    "Every page is looked at. Chats out of order, ids alone, and a page that does not move on fail the stream.",
)
SPANS = Promise(
    "spans of agents",
    "Spans come by the time of their update, so that one that goes on comes again.",
    ("documentation",),
    "The position follows `end_time`, and a day is read again by each sync: should they come by their start, one that "
    "goes on, or is listed once it has ended, is found for a day; `--verify-keys` compares all keys and durations.",
)
CHAT_END = Promise(
    "end of Chat's exports",
    "The page after the last one brings nothing new; nothing can be asked of the last five minutes.",
    ("documentation",),
    "A short page is not believed to be the last; the next sync begins before it, and five minutes back at least.",
)
BARE = Promise(
    "bare arrays",
    "Departments, shortcuts, triggers, goals, skills and roles of Chat come whole in one array.",
    ("recording",),
    "An answer that is no array fails the stream; `--verify` reads them again.",
)
FROM_ID = Promise(
    "lists from an id on",
    "Agents and bans of Chat come in the order of their ids, from `since_id` on or after it.",
    ("documentation", "recording"),
    "Ids out of order, or from before the one asked for, fail the stream; the end is a page without a later id.",
)
CHAT_ACCOUNT = Promise(
    "the account of Chat",
    "Chat's account is an object by itself.",
    ("recording",),
    "An answer that is none fails the stream; `--verify` reads it again.",
)

SEVERAL_LISTS = Promise(
    "lists side by side",
    "The first page of agents' statuses has Zendesk's own and the account's; later ones have the account's.",
    ("documentation",),
    "A first page that lacks one of them, or any that lacks both, fails the stream; `--verify` reads the list again.",
)
NEXT_URL = Promise(
    "address of the next page",
    "`has_more` is the end of a list with `next_page_url`, which leads through all rows since `start_time`.",
    ("documentation", "recording"),
    "A page that says neither, more without an address, an address that comes twice or leads to another host, or a "
    "page with more rows than its own `page_size` fails the stream; `--verify-keys` reads the list again.",
)
ENDED = Promise(
    "engagements end within weeks",
    "An engagement is listed once it has ended, and ends within 30 days; nothing older comes or changes.",
    ("guess",),
    "30 days are read again by each sync; `--verify-keys` compares the keys of all that Zendesk keeps.",
)
QUEUED = Promise(
    "events of queues come within a day",
    "An event of a queue becomes visible, and has its values, a day after it occurred at the latest.",
    ("guess",),
    "A day is read again by each sync; `--verify-keys` compares the keys of all that Zendesk keeps.",
)
KEPT = Promise(
    "90 days",
    "Engagements and events of queues are kept for 90 days.",
    ("documentation",),
    "Rows of more than 89 days ago are compared with nothing, so that none is removed that Zendesk has dropped.",
)
TOKEN = Promise(
    "token of changes",
    "The cursor in `next_page` leads to every change of skills that is new since it was given.",
    ("documentation",),
    "The last page with rows is read again: without a known row on it, the whole export is; an empty page that leads "
    "on is followed once; `--verify-keys` compares all keys.",
)
SKILLS_BESIDE = Promise(
    "values beside attributes",
    "`include=attribute_values` brings the values of all attributes, with the id of theirs.",
    ("documentation",),
    "Where it is refused, none come, or one without that id, each attribute is asked for its own; `--verify` reads the "
    "list again.",
)
AGENTS_LISTED = Promise(
    "agents are listed",
    "The list of users with the roles agent and admin has everybody who can have skills.",
    ("documentation",),
    "Rows of agents who were not asked for are told and left out; where no others come, the stream fails; `--verify` "
    "reads both lists again.",
)
