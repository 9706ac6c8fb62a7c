"""What of an answer's rows belongs to a stream, where it is not all of them, and what a change means for older rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from zendesk_support.api.limits import ACCOUNT, TICKET_AUDITS_LIST
from zendesk_support.api.request import Request
from zendesk_support.errors import ContractError, UnavailableError
from zendesk_support.reading.lists import Listing
from zendesk_support.records.json_rows import NULL, Row, Rows, is_id, number, quoted, raw, seconds, with_texts
from zendesk_support.streams.base import Refresh, RowContext

DELETED = b'"deleted"'
SCRUBBED = b'"SCRUBBED"'

COMMENTS_OF_TICKET = "tickets/{id}/comments"
AUDITS_OF_TICKET = "tickets/{id}/audits"
ACTIVITY = "activities/{id}"
AUDIT_VALUES = ("events.previous_value", "events.value")
_EVENT_VALUES = frozenset({("previous_value",), ("value",)})

SETTING = frozenset({b'"Create"', b'"Change"'})
"""Types of child events that set fields."""
BESIDE_FIELDS = frozenset(
    "id via via_reference_id event_type created_at previous_value added_tags removed_tags".split()
)
"""Keys of such a child event that are no field of the ticket."""

_object: msgspec.json.Decoder[Any] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_texts: msgspec.json.Decoder[Any] = msgspec.json.Decoder(list[str])
_children: msgspec.json.Decoder[Any] = msgspec.json.Decoder(list[list[Row] | None])
_sets: msgspec.json.Decoder[Any] = msgspec.json.Decoder(list[Row | None])


def ticket_metrics(rows: Rows, context: RowContext) -> Rows:
    """The metric set inside each ticket, with the version of the ticket."""
    sets = decoded(rows, "metric_set", _sets, "object", context)
    return [
        {"generated_timestamp": needed(row, "generated_timestamp", context), **found}
        for row, found in zip(rows, sets)
        if found
    ]


def comments(rows: Rows, context: RowContext) -> Rows:
    """The comments inside ticket events, of every kind; a ticket whose comment was changed later is read again."""
    reread = {
        id: now for id, at in touched(rows, context).items() if (now := comments_now(id, at, context)) is not None
    }
    context.tell(reread)
    picked: Rows = []
    for row, children in zip(rows, children_of(rows, context)):
        found = [child for child in children if is_comment(child)]
        ticket = id_in(row, "ticket_id", context) if found else 0
        if found and ticket not in reread and not context.is_told(ticket, number(row, "timestamp") or 0):
            event = {name: needed(row, name, context) for name in ("ticket_id", "created_at")}
            event["event_timestamp"] = needed(row, "timestamp", context)
            picked += [{**event, **child} for child in found]
    return picked + [row for now in reread.values() for row in now]


def changes(rows: Rows, context: RowContext) -> Rows:
    """One row for each field that an event has set, in the order of the event."""
    found: Rows = []
    for row, children in zip(rows, children_of(rows, context)):
        fields = [
            (child, *field)
            for child in children
            if bytes(child.get("event_type", NULL)) in SETTING
            for field in fields_of(child)
        ]
        if not fields:
            continue
        event = {name: needed(row, name, context) for name in ("ticket_id", "created_at")}
        event |= {"event_id": needed(row, "id", context), "updater_id": row.get("updater_id", NULL)}
        event["event_timestamp"] = needed(row, "timestamp", context)
        for position, (child, name, value, before) in enumerate(fields):
            own = {"id": needed(child, "id", context), "field": raw(name), "position": raw(position)}
            own |= {"value": value, "previous_value": before, "via": child.get("via", NULL)}
            found.append({**event, **own, "event_type": child["event_type"]})
    return found


def fields_of(child: Row) -> Iterator[tuple[str, msgspec.Raw, msgspec.Raw]]:
    """The fields that a child event has set: name, or a custom field's id, value, and the value before."""
    before = child.get("previous_value", NULL)
    for name, value in child.items():
        if name == "custom_ticket_fields":
            values, were = members(value), members(before)
            for id, of_field in values.items():
                yield id, of_field, were.get(id, before if len(values) == 1 and not were else NULL)
        elif name == "tags" and "previous_value" not in child and "removed_tags" in child:
            yield name, value, tags_before(child)
        elif name not in BESIDE_FIELDS:
            yield name, value, before


def members(value: msgspec.Raw) -> dict[str, msgspec.Raw]:
    """The members of a JSON object; none of what is no object."""
    try:
        return _object.decode(value)  # type: ignore[no-any-return]
    except msgspec.ValidationError:
        return {}


def tags_before(child: Row) -> msgspec.Raw:
    """The tags before an event that says which were added and removed; null where it does not say it in lists."""
    try:
        now, added, removed = (_texts.decode(child.get(name, NULL)) for name in ("tags", "added_tags", "removed_tags"))
    except msgspec.ValidationError:
        return NULL
    return raw([*(tag for tag in now if tag not in added), *removed])


def read_again(listing: Listing, parent: int, context: RowContext) -> Rows | None:
    """What stands below a ticket or user now; None where it cannot be told.

    A parent that is not found, asked twice, has gone, and nothing stands below it. One that is refused is there all the
    same: the report says so, and what the table has stays.
    """
    try:
        pages = listing.pages(context.job, listing.path.format(id=parent), confirm_refusal=True)
        return [row for page, _ in pages for row in page.rows]
    except UnavailableError as error:
        if error.is_gone:
            return []
        context.job.note(f"{listing.path}: refused for {parent} ({error}); its rows stay as they were")
        return None


def comments_now(ticket: int, at: int, context: RowContext) -> Rows | None:
    """A ticket's comments as they are now; None where the ticket is gone, or does not tell."""
    listing = Listing(COMMENTS_OF_TICKET, "comments")
    found = context.job.shared.once(f"comments of {ticket} at {at}", lambda: read_again(listing, ticket, context))
    if not found:
        if found is not None:
            context.job.note(
                f"ticket {ticket} is gone: a comment of it that was redacted or made private stays as it was"
            )
        return None
    own = {"ticket_id": raw(ticket), "event_timestamp": raw(at)}
    return [{**own, "event_type": row.get("type", NULL), **row} for row in found]


def touched(rows: Rows, context: RowContext) -> dict[int, int]:
    """Tickets with an event about an earlier comment (redacted, made private), and the event's time."""
    return {
        id_in(row, "ticket_id", context): number(row, "timestamp") or 0
        for row, children in zip(rows, children_of(rows, context))
        if any("comment_id" in child for child in children)
    }


def rewritten(tickets: Mapping[int, int], context: RowContext) -> Rows:
    """Events at the destination whose comments read otherwise now."""
    found = [row for ticket, at in tickets.items() for row in comments_now(ticket, at, context) or ()]
    now = {number(row, "id"): spread(row) for row in context.stream.mask.below("child_events", found)}
    changed: Rows = []
    for row in context.loaded_rows(tickets):
        children = children_of([row], context)[0]
        amended = raw(
            [{name: now.get(number(child, "id"), child).get(name, child[name]) for name in child} for child in children]
        )
        if content(amended) != content(raw(children)):
            changed.append({**row, "child_events": amended})
    return changed


def scrubbed(rows: Rows, context: RowContext) -> dict[int, int]:
    """Tickets whose texts Zendesk has scrubbed, and their versions."""
    return deleted([row for row in rows if bytes(row.get("subject", NULL)) == SCRUBBED], context)


def deleted(rows: Rows, context: RowContext) -> dict[int, int]:
    """Tickets that are deleted, and their versions."""
    return {
        id_in(row, "id", context): number(row, "generated_timestamp") or 0
        for row in rows
        if bytes(row.get("status", NULL)) == DELETED
    }


def is_not_deleted(ticket: Row) -> bool:
    """Whether a ticket may have something below it."""
    return bytes(ticket.get("status", NULL)) != DELETED


def retired(tickets: Mapping[int, int], context: RowContext) -> Rows:
    """Removals, or marks, of all that the destination holds of some tickets."""
    return context.marks(tickets)


def purged(tickets: Mapping[int, int], context: RowContext) -> Rows:
    """Removals of all that the destination holds of some tickets."""
    return context.tombstones(tickets)


def identities(rows: Rows, context: RowContext) -> Rows:
    """The side-loaded identities of each user; what a user no longer has is removed."""
    users = [id_in(row, "id", context) for row in rows]
    wanted = set(users)
    found = [row for row in context.side if id_in(row, "user_id", context) in wanted]
    context.delete_missing("user_id", users, found)
    return found


def unsettled(rows: Rows, context: RowContext) -> dict[int, int]:
    """Users that changed since the pass began: what an earlier page said of them may be out of date."""
    times = seconds(rows, "updated_at")
    return {id_in(row, "id", context): int(at) for row, at in zip(rows, times) if at >= (context.job.began or 0)}


def identities_gone(users: Mapping[int, int], context: RowContext) -> Rows:
    """Removals of identities at the destination that some users no longer have."""
    gone: Rows = []
    listing = Listing("users/{id}/identities", "identities")
    for user in {number(row, "user_id") or 0 for row in context.loaded_rows(users, "user_id")}:
        found = read_again(listing, user, context)
        gone += context.tombstones_of_missing("user_id", [user], found) if found is not None else []
    return gone


def audits_touched(rows: Rows, context: RowContext) -> dict[int, int]:
    """Tickets with an audit about an earlier comment, and the audit's time."""
    return {
        id_in(row, "ticket_id", context): int(at)
        for row, at in zip(rows, seconds(rows, "created_at"))
        if b'"comment_id"' in bytes(row.get("events", NULL))
    }


def audits_rewritten(tickets: Mapping[int, int], context: RowContext) -> Rows:
    """Audits at the destination that read otherwise now."""
    changed: Rows = []
    listing = Listing(AUDITS_OF_TICKET, "audits", limits=(ACCOUNT, TICKET_AUDITS_LIST))
    for ticket in tickets:
        held = {number(row, "id"): events_of(row.get("events", NULL)) for row in context.loaded_rows([ticket])}
        found = read_again(listing, ticket, context) or []
        for row in found:
            needed(row, "events", context)
        now = [
            (row, id_in(row, "id", context), events_of(row.get("events", NULL)))
            for row in context.stream.mask.rows(found)
        ]
        changed += [row for row, id, events in now if held.get(id, events) != events]
    return changed


def events_of(events: msgspec.Raw) -> dict[str, Any]:
    """The scalars of an audit's events by their places, values whose types vary as the texts that child tables hold."""
    return dict(scalars(with_texts(msgspec.json.decode(events), _EVENT_VALUES)))


def activities(rows: Rows, context: RowContext) -> Rows:
    """The rows, each with the id of the ticket that is its target."""
    targets = msgspec.json.decode(b"[" + b",".join(bytes(row.get("target", NULL)) for row in rows) + b"]")
    return [{"ticket_id": raw(ticket_in(target)), **row} for row, target in zip(rows, targets)]


def ticket_in(target: Any) -> Any:
    """The id in an activity's target, `{ticket: {id, subject}}`."""
    ticket = target.get("ticket") if isinstance(target, dict) else None
    return ticket.get("id") if isinstance(ticket, dict) else None


def activities_rewritten(tickets: Mapping[int, int], context: RowContext) -> Rows:
    """Activities at the destination that read otherwise now; without content where Zendesk lists them no longer."""
    changed: Rows = []
    for held in context.loaded_rows(tickets):
        id = number(held, "id")
        request = Request(f"/api/v2/{ACTIVITY.format(id=id)}", route=ACTIVITY, confirm_refusal=True)
        try:
            answer = context.job.transport.get(request, _decode_activity, context.job.usage)
            [now] = context.stream.mask.rows(activities([answer.activity], context))
        except UnavailableError as error:
            if not error.is_gone:
                context.job.note(f"{ACTIVITY}: refused for {id} ({error}); it stays as it was")
                continue
            now = {name: value for name, value in held.items() if not name.startswith("object")}
        if object_of(now) != object_of(held):
            changed.append(now)
    return changed


def object_of(activity: Row) -> dict[str, Any]:
    """The scalars of what an activity is about, by their places."""
    return {place: value for place, value in content(raw(activity)).items() if place.startswith("object")}


class ActivityAnswer(msgspec.Struct):
    """The answer to a request for one activity."""

    activity: Row


_decode_activity = msgspec.json.Decoder(ActivityAnswer).decode


def is_comment(child: Row) -> bool:
    """Whether a child event is a comment: Comment, VoiceComment, FacebookComment and their like."""
    return bytes(child.get("event_type", NULL)).endswith(b'Comment"')


def children_of(rows: Rows, context: RowContext) -> list[list[Row]]:
    """The child events of each row."""
    return [found or [] for found in decoded(rows, "child_events", _children, "list of objects", context)]


def decoded(
    rows: Rows, name: str, decoder: msgspec.json.Decoder[Any], expected: str, context: RowContext
) -> Sequence[Any]:
    """A nested column of all rows; None where a row has none.

    Raises:
        ContractError: a row has something else there.
    """
    texts = [bytes(row.get(name, NULL)) for row in rows]
    try:
        return decoder.decode(b"[" + b",".join(texts) + b"]")  # type: ignore[no-any-return]
    except msgspec.ValidationError:
        for row, text in zip(rows, texts):
            try:
                decoder.decode(b"[" + text + b"]")
            except msgspec.ValidationError as error:
                shown = "a masked value" if context.stream.mask else quoted(text)
                raise unfit(row, f"{name} = {shown}, no {expected} ({error})", context) from error
        raise


def needed(row: Row, name: str, context: RowContext) -> msgspec.Raw:
    """A value without which nothing can be made of a row.

    Raises:
        ContractError: the row lacks it.
    """
    if name not in row:
        raise unfit(row, f"no {name}", context)
    return row[name]


def id_in(row: Row, name: str, context: RowContext) -> int:
    """The id in a column.

    Raises:
        ContractError: the row has none there.
    """
    text = bytes(needed(row, name, context))
    if not is_id(text):
        raise unfit(row, f"{name} = {quoted(text)}, no integer", context)
    return int(text)


def unfit(row: Row, what: str, context: RowContext) -> ContractError:
    """The error of a row of which nothing can be made."""
    id = quoted(bytes(row.get("id", NULL)))
    return ContractError(
        f"{context.stream.name}: the row with id {id} of an answer has {what}; nothing of its page was loaded."
    )


def spread(row: Row) -> Row:
    """A row with the members of its objects also by the names of the columns they would be spread over."""
    flat = {name: raw(value) for name, value in content(msgspec.Raw(msgspec.json.encode(row))).items()}
    return {**flat, **row}


def content(value: msgspec.Raw) -> dict[str, Any]:
    """The scalars of a value by their places: the same whether its objects are nested or spread over columns."""
    return dict(scalars(msgspec.json.decode(value)))


def scalars(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Each scalar with its place; null and empty values have none."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from scalars(item, f"{place}__{name}" if place else name)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            at = f"{place}[{index}]"
            wrapped = item if isinstance(item, dict) else {"list" if isinstance(item, list) else "value": item}
            yield from scalars(wrapped, at)
    elif value is not None:
        yield place, value


REMOVE_DELETED = Refresh(deleted, retired)
REMOVE_SCRUBBED = Refresh(scrubbed, purged)
REWRITE_COMMENTS = Refresh(touched, rewritten, needs=("ticket_id", "child_events.id"))
REMOVE_IDENTITIES = Refresh(unsettled, identities_gone, needs=("user_id",))
REWRITE_AUDITS = Refresh(audits_touched, audits_rewritten)
REWRITE_ACTIVITIES = Refresh(touched, activities_rewritten)
