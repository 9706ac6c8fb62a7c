"""Rows that are worked out from another stream's: what a ticket lists, what a survey's answers say, translations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from zendesk_support.reading.parents import DAY
from zendesk_support.reading.since import iso
from zendesk_support.records.json_rows import NULL, Row, Rows, is_id, number, raw, seconds
from zendesk_support.records.ulid import ulid_milliseconds
from zendesk_support.streams.base import Refresh, RowContext
from zendesk_support.streams.columns import TIMES_FIRST
from zendesk_support.streams.transforms import DELETED, decoded, id_in, needed

CUSTOMER_SATISFACTION = "customer_satisfaction"
EXPIRES_AFTER = 28 * DAY
SPACED = re.compile(rb'"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) \+0000"')
REMOVED = b'"[DELETED]"'
"""The name that the export gives a custom object's record that was deleted."""
KINDS = {"collaborator_ids": "collaborator", "follower_ids": "follower", "email_cc_ids": "email_cc"}

_lists: msgspec.json.Decoder[Any] = msgspec.json.Decoder(list[list[Any] | None])
_objects: msgspec.json.Decoder[Any] = msgspec.json.Decoder(list[list[Row] | None])

Listed = Callable[[Rows, RowContext], list[Rows]]
"""What each of some tickets lists, as rows without the ticket's own columns."""


def of_tickets(listed: Listed) -> Callable[[Rows, RowContext], Rows]:
    """A transform that makes rows of what a ticket lists; what it lists no longer is removed."""

    def made(rows: Rows, context: RowContext) -> Rows:
        found: Rows = []
        for row, items in zip(rows, listed(rows, context)):
            if bytes(row.get("status", NULL)) != DELETED:
                own = {"ticket_id": needed(row, "id", context)}
                version = {"generated_timestamp": needed(row, "generated_timestamp", context)}
                found += [{**own, **item, **version} for item in items]
        context.delete_missing("ticket_id", [id_in(row, "id", context) for row in rows], found)
        return found

    return made


def tags(rows: Rows, context: RowContext) -> list[Rows]:
    """The tags of tickets."""
    return [
        [{"tag": raw(tag)} for tag in dict.fromkeys(map(str, present(found)))]
        for found in decoded(rows, "tags", _lists, "list", context)
    ]


def collaborators(rows: Rows, context: RowContext) -> list[Rows]:
    """The users that take part in tickets besides requester and assignee."""
    made: list[Rows] = [[] for _ in rows]
    for column, kind in KINDS.items():
        for items, found in zip(made, decoded(rows, column, _lists, "list", context)):
            ids = dict.fromkeys(int(str(id)) if is_number(id) else id for id in present(found))
            items += [{"user_id": raw(id), "kind": raw(kind)} for id in ids]
    return made


def versions(rows: Rows, context: RowContext) -> dict[int, int]:
    """Tickets and their versions."""
    return {id_in(row, "id", context): number(row, "generated_timestamp") or 0 for row in rows}


def outdated(tickets: Mapping[int, int], context: RowContext) -> Rows:
    """Removals of what the destination holds of some tickets from before their versions."""
    held = context.loaded_rows(tickets)
    older = [row for row in held if (number(row, "generated_timestamp") or 0) < tickets[number(row, "ticket_id") or 0]]
    return context.tombstones_of(older)


def field_options(rows: Rows, context: RowContext) -> Rows:
    """The options of each ticket field, with their order."""
    found: Rows = []
    for row, options in zip(rows, decoded(rows, "custom_field_options", _objects, "list of objects", context)):
        own = {"ticket_field_id": needed(row, "id", context)}
        found += [{**own, "position": raw(place), **option} for place, option in enumerate(options or ())]
    return found


def survey_responses(rows: Rows, context: RowContext) -> Rows:
    """Responses with what their parts say: when they were sent and changed, of which ticket, and the score."""
    sent = sent_at(rows).tolist()
    nested = ("answers", "subjects", "survey")
    texts = (b"[" + b",".join(bytes(row.get(name, NULL)) for row in rows) + b"]" for name in nested)
    found: Rows = []
    for row, at, answers, subjects, survey in zip(rows, sent, *map(msgspec.json.decode, texts)):
        given = objects(answers)
        scores = [answer for answer in given if is_score(answer)]
        score = max(scores, key=lambda answer: str(answer.get("updated_at")), default={})
        written = [str(answer["updated_at"]) for answer in given if answer.get("updated_at")]
        began = iso(at) if at else None
        ids = [subject.get("id") for subject in objects(subjects) if subject.get("type") == "ticket"]
        ticket = next((int(str(id)) for id in ids if is_number(id)), None)
        of_survey = survey if isinstance(survey, dict) else {}
        found.append(
            {
                "sent_at": raw(began),
                "updated_at": raw(max(written, default=began)),
                "ticket_id": raw(ticket),
                "rating": raw(score.get("rating")),
                "rating_category": raw(score.get("rating_category")),
                "survey_id": raw(of_survey.get("id")),
                "survey_version": raw(of_survey.get("version")),
                **row,
            }
        )
    return found


def embedded(rows: Rows, context: RowContext) -> Rows:
    """What stood within the rows.

    Raises:
        ZendeskError: it could not be read.
    """
    if (error := getattr(context.side, "error", None)) is not None:
        raise error
    return list(context.side)


def with_iso_times(rows: Rows, context: RowContext) -> Rows:
    """Rows whose times are written as elsewhere: `2018-08-23 12:42:18 +0000` is `2018-08-23T12:42:18Z`."""
    return [
        {
            **row,
            **{name: msgspec.Raw(SPACED.sub(rb'"\1T\2Z"', bytes(row[name]))) for name in TIMES_FIRST if name in row},
        }
        for row in rows
    ]


def is_score(answer: Mapping[str, Any]) -> bool:
    """Whether an answer is a score that the customer gave."""
    question = answer.get("question")
    is_about = isinstance(question, dict) and question.get("sub_type") == CUSTOMER_SATISFACTION
    return is_about and answer.get("rating") is not None


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; none of what is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def present(value: list[Any] | None) -> list[Any]:
    """The items of a list that are not null."""
    return [item for item in value or () if item is not None]


def is_number(value: Any) -> bool:
    """Whether a value is a whole number that fits an id, be it written as text."""
    return is_id(str(value).encode())


def sent_at(rows: Rows) -> Any:
    """When responses were sent, Unix seconds: what their ULIDs say, else 28 days before they expire."""
    made = ulid_milliseconds(rows, "id") // 1000
    expire = seconds(rows, "expires_at")
    made[made == 0] = (expire - EXPIRES_AFTER).clip(min=0)[made == 0]
    return made


def present_records(rows: Rows, context: RowContext) -> Rows:
    """The records that are not deleted."""
    return [row for row in rows if bytes(row.get("name", NULL)) != REMOVED]


def deleted_records(rows: Rows, context: RowContext) -> dict[int, int]:
    """The ids of deleted records, and when they were deleted."""
    gone = [row for row in rows if bytes(row.get("name", NULL)) == REMOVED]
    ids = (msgspec.json.decode(needed(row, "id", context)) for row in gone)
    return dict(zip(ids, seconds(gone, "updated_at").tolist())) if gone else {}


def removed_records(records: Mapping[int, int], context: RowContext) -> Rows:
    """Removals of what the destination holds of some records, unless it is newer."""
    held = context.loaded_rows(records, "id")
    older = [row for row, at in zip(held, seconds(held, "updated_at")) if at <= records[msgspec.json.decode(row["id"])]]
    return context.tombstones_of(older)


REMOVE_OUTDATED = Refresh(versions, outdated, is_late=True)
REMOVE_RECORDS = Refresh(deleted_records, removed_records, needs=("custom_object_key", "id", "updated_at"))
