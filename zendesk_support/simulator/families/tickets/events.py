"""What happened on the first tickets: events, comments, metric events."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache
from html import escape
from typing import Any

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.attachment import attachment
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import FIRST_ID, World
from zendesk_support.simulator.families.fields import product_field
from zendesk_support.simulator.families.tickets.facts import CHANNELS, is_measured, is_scrubbed
from zendesk_support.simulator.families.tickets.life import PUBLIC, Change, Life
from zendesk_support.simulator.families.tickets.measures import Mark, marks_of, metric_event
from zendesk_support.simulator.families.tickets.plot import live, lives_of, moments_of, steps_of
from zendesk_support.simulator.families.tickets.rows import (
    brand_of,
    custom_fields,
    form_of,
    organization_of,
    subject_of,
)

EVENT_SLOTS = 8
EVENT_STEP = 32
METRIC_EVENT_SLOTS = 64
METRIC_EVENT_STEP = 8
COMMENT_ONLY_IN_EXPORT = ("event_type", "via_reference_id")
BESIDE_FIELDS = frozenset(
    "id via via_reference_id event_type created_at previous_value added_tags removed_tags".split()
)
_TEXT_IDS = ("brand_id", "ticket_form_id", "organization_id")
"""Fields whose ids are texts in the events of the export; others are numbers there."""


def event_count(world: World, rid: int) -> int:
    """Return how many events one of the first tickets has."""
    return 0 if is_scrubbed(world, rid) else len(steps_of(world, rid))


def event_rids(world: World, rid: int) -> list[int]:
    """Return the ids of the first events of one of the first tickets."""
    if not 0 < rid <= world.tickets:
        return []
    first = FIRST_ID["ticket_events"] + rid * EVENT_SLOTS * EVENT_STEP
    return [first + part * EVENT_STEP for part in range(event_count(world, rid))]


def all_event_rids(world: World) -> Iterator[int]:
    """Yield the ids of all first events."""
    return (event for rid in range(1, world.tickets + 1) for event in event_rids(world, rid))


def all_event_times(world: World) -> Iterator[int]:
    """Yield the times of all first events."""
    told = (rid for rid in range(1, world.tickets + 1) if not is_scrubbed(world, rid))
    return (moment for rid in told for moment in moments_of(world, rid))


def event_ticket(world: World, event: int) -> int:
    """Return the ticket of one of the first events."""
    return _place(event)[0]


def _place(event: int) -> tuple[int, int]:
    return divmod((event - FIRST_ID["ticket_events"]) // EVENT_STEP, EVENT_SLOTS)


def event_time(world: World, event: int) -> int:
    """Return when one of the first events happened."""
    rid, part = _place(event)
    return world.part(lives_of)(rid).steps[part][0]


def event(world: World, event: int) -> Row:
    """Make a ticket event with its whole comments."""
    rid, part = _place(event)
    life = world.part(lives_of)(rid)
    moment, actor, said, changes = life.steps[part]
    value = world.mix(event, 33)
    channel = CHANNELS[world.mix(rid, 22) % len(CHANNELS)] if part == 0 else ("web", "Web form")
    via = "Rule" if actor == -1 else channel[1]
    children = []
    if said:
        text = (
            world.texts[world.mix(rid, 22) % len(world.texts)] if part == 0 else world.notes[value % len(world.notes)]
        )
        kind = _comment_kind(rid) if part == 0 else "Comment"
        children.append(comment(world, event, event + 1, actor, text, moment, said == PUBLIC, kind, channel[0]))
    if part == 0:
        children += births(event + 2, channel, _born(world, life), life.requester)
    children += told(event + 1 + len(children), via, changes)
    return audit(event, rid, moment, actor, via, children, value)


def _born(world: World, life: Life) -> dict[str | int, Any]:
    """Return the fields that one of the first tickets was created with."""
    first, rid = life.first, life.rid
    given = custom_fields(world, world.mix(rid, 22), first[product_field(world)])
    organization = organization_of(world, rid)
    return {
        "subject": subject_of(world, rid),
        "status": first["status"],
        "priority": first["priority"],
        "type": first["type"],
        "requester_id": life.requester,
        "group_id": first["group_id"],
        "assignee_id": first["assignee_id"],
        "organization_id": organization,
        "brand_id": brand_of(world, rid),
        "ticket_form_id": form_of(world, rid),
        "tags": first["tags"],
        **{given[place]["id"]: given[place]["value"] for place in (0, 3)},
        product_field(world): first[product_field(world)],
        "schedule": first["schedule"],
    }


def births(rid: int, channel: tuple[str, str], fields: dict[str | int, Any], requester: int) -> list[Row]:
    """Make the children that say what a ticket was created with; what is not set has none, but for two fields."""
    via = _channel(channel[0])
    made: list[Row] = []
    for name, value in fields.items():
        if name == "schedule":
            continue
        if value is not None or name in ("priority", "type"):
            made.append(child(rid + len(made), via if name == "subject" else channel[1], "Create", _set(name, value)))
    if fields["schedule"] is not None:
        made.append(_scheduled(rid + len(made), fields["schedule"], None))
    notice = {"subject": "[{{ticket.account}}] Received", "recipients": [requester]}
    return [*made, child(rid + len(made), "Rule", "Notification", notice)]


def told(rid: int, via: Any, changes: tuple[Change, ...]) -> list[Row]:
    """Make the children that say what has changed."""
    made: list[Row] = []
    for name, new, old in changes:
        if name == "schedule":
            made.append(_scheduled(rid + len(made), new, old))
        else:
            values = {**_set(name, new), "previous_value": next(iter(_set(name, old).values()))}
            if name == "tags":
                values["added_tags"] = [tag for tag in new if tag not in old]
                values["removed_tags"] = [tag for tag in old if tag not in new]
            elif isinstance(name, int):
                values["previous_value"] = old
            made.append(child(rid + len(made), via, "Change", values))
    return made


def _scheduled(rid: int, new: int, old: int | None) -> Row:
    return child(rid, "Rule", "ScheduleAssignment", {"previous_schedule_id": old, "new_schedule_id": new})


def _set(name: str | int, value: Any) -> Row:
    if isinstance(name, int):
        return {"custom_ticket_fields": {str(name): value}}
    if name == "tags":
        return {"tags": value, "added_tags": value, "removed_tags": []}
    return {name: str(value) if name in _TEXT_IDS and value is not None else value}


def comment(
    world: World,
    event: int,
    rid: int,
    author: int,
    text: str,
    moment: int,
    public: bool,
    kind: str = "Comment",
    channel: str = "web",
) -> Row:
    """Make a comment as the export gives it, with `include=comment_events`."""
    value = world.mix(rid, 35)
    files = []
    if value % 9 == 2:
        files = [
            attachment(
                world,
                value % 1_000_000,
                f"file{value % 1000}.pdf",
                "application/pdf",
                value % 99_999,
            )
        ]
    row: Row = {
        "id": rid,
        "type": kind,
        "event_type": kind,
        "author_id": author,
        **bodies(text),
        "public": public,
        "attachments": files,
        "audit_id": event,
        "via": _channel(channel),
        "via_reference_id": None,
        "created_at": iso(moment),
        "metadata": metadata(value),
    }
    if kind == "FacebookComment":
        row["data"] = {"external_id": f"fb-{value}", "via_zendesk": False}
    return {**row, **_call(value, moment)} if kind == "VoiceComment" else row


def _call(value: int, moment: int) -> Row:
    """What a comment says of the call it was."""
    data = {
        "call_id": value,
        "call_duration": value % 900,
        "from": "+15550001111",
        "to": "+15552223333",
        "recording_url": None,
        "started_at": iso(moment),
    }
    return {"data": data, "formatted_from": "+1 (555) 000-1111", "transcription_visible": False}


class MetricEvents:
    """All first metric events: their ids, their times, and what else they are; ids and times do not run alike."""

    def __init__(self, world: World) -> None:
        self.ids, self.times, self._kinds = array("q"), array("I"), array("H")
        self._known: list[tuple[str, int, str, Any]] = []
        places: dict[tuple[str, int, str, Any], int] = {}
        for rid in range(1, world.tickets + 1):
            if is_measured(world, rid):
                marks = marks_of(world, live(world, rid))
                first = FIRST_ID["ticket_metric_events"] + rid * METRIC_EVENT_SLOTS * METRIC_EVENT_STEP
                self.ids.extend(range(first, first + len(marks) * METRIC_EVENT_STEP, METRIC_EVENT_STEP))
                for at, metric, instance, kind, about in reversed(marks):
                    self.times.append(at)
                    what = (metric, instance, kind, None if kind == "update_status" else about)
                    self._kinds.append(places.setdefault(what, len(places)))
        self._known.extend(places)

    def mark(self, world: World, event: int) -> tuple[int, Mark]:
        """Return the ticket of a metric event, and what it says."""
        rid, part = divmod((event - FIRST_ID["ticket_metric_events"]) // METRIC_EVENT_STEP, METRIC_EVENT_SLOTS)
        place = bisect_left(self.ids, event)
        metric, instance, kind, about = self._known[self._kinds[place]]
        if kind == "update_status":
            return rid, marks_of(world, world.part(lives_of)(rid))[-1 - part]
        return rid, (self.times[place], metric, instance, kind, about)


def first_marks(world: World, rid: int) -> dict[int, Mark]:
    """Return the first metric events of one of the first tickets by their ids."""
    if not 0 < rid <= world.tickets or not is_measured(world, rid):
        return {}
    first = FIRST_ID["ticket_metric_events"] + rid * METRIC_EVENT_SLOTS * METRIC_EVENT_STEP
    marks = marks_of(world, world.part(lives_of)(rid))
    return {first + part * METRIC_EVENT_STEP: mark for part, mark in enumerate(reversed(marks))}


def metric_event_time(world: World, event: int) -> int:
    """Return when one of the first metric events happens."""
    return world.part(MetricEvents).mark(world, event)[1][0]


def first_metric_event(world: World, event: int) -> Row:
    """Make one of the first metric events."""
    rid, mark = world.part(MetricEvents).mark(world, event)
    return metric_event(world, event, rid, mark)


@lru_cache(maxsize=256)
def bodies(text: str) -> dict[str, str]:
    """Return the three forms of a comment's text."""
    markup = escape(text).replace("\n", "<br>")
    return {
        "body": text,
        "html_body": f'<div class="zd-comment" dir="auto">{markup}</div>',
        "plain_body": text.replace("\n", " "),
    }


@lru_cache(maxsize=1024)
def _metadata(value: int) -> tuple[Row, Row]:
    system: Row = {
        "client": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36",
        "location": "Copenhagen, 84, Denmark",
        "latitude": round(55 + value % 1000 / 1000, 4),
        "longitude": 12.5,
    }
    return {"system": {**system, "ip_address": f"10.{value % 256}.{value // 7 % 256}.1"}, "custom": {}}, system


def metadata(value: int) -> dict[str, Any]:
    """Return a comment's or an audit's metadata."""
    return _metadata(value % 1024)[0]


@lru_cache(maxsize=64)
def _channel(name: str) -> Row:
    return {"channel": name, "source": {"from": {}, "to": {}, "rel": None}}


def child(rid: int, via: Any, event_type: str, values: dict[str, Any]) -> Row:
    """Make a child event that is no comment."""
    return {"id": rid, "via": via, "via_reference_id": None, "event_type": event_type, **values}


def audit(rid: int, ticket: int, moment: int, updater: int, via: str, children: list[Row], value: int) -> Row:
    """Make a ticket event around its children."""
    (details, system), created = _metadata(value % 1024), iso(moment)
    for row in children:
        row["created_at"] = created
    return {
        "id": rid,
        "ticket_id": ticket,
        "timestamp": moment,
        "created_at": created,
        "updater_id": updater,
        "via": via,
        "via_reference_id": None,
        "event_type": "Audit",
        "system": system,
        "metadata": details,
        "child_events": children,
    }


def is_comment(row: Row) -> bool:
    """Tell whether a child event is a comment of some kind."""
    return str(row["event_type"]).endswith("Comment")


def comment_stub(row: Row) -> Row:
    """Return a comment child as the export gives it without `include=comment_events`."""
    return {
        "id": row["id"],
        "via": row["via"],
        "via_reference_id": None,
        "event_type": row["event_type"],
        "comment_present": True,
        "comment_public": row["public"],
        "created_at": row["created_at"],
    }


def as_audit(event: Row) -> Row:
    """Return a ticket event in the shape of the audits endpoints."""
    return {
        "id": event["id"],
        "ticket_id": event["ticket_id"],
        "created_at": event["created_at"],
        "author_id": event["updater_id"],
        "metadata": event["metadata"],
        "events": [_audit_child(row) for row in event["child_events"]],
        "via": {"channel": "web", "source": {"from": {}, "to": {}, "rel": None}},
    }


def _audit_child(row: Row) -> Row:
    kind = row["event_type"]
    if is_comment(row):
        return {key: value for key, value in row.items() if key not in COMMENT_ONLY_IN_EXPORT and key != "created_at"}
    if kind in ("Change", "Create"):
        name = next(key for key in row if key not in BESIDE_FIELDS)
        value = row[name]
        if name == "custom_ticket_fields":
            ((name, value),) = value.items()
        entry = {"id": row["id"], "type": kind, "field_name": name, "value": _text(name, value)}
        return {**entry, "previous_value": _text(name, row["previous_value"])} if kind == "Change" else entry
    return {"id": row["id"], "type": kind, **{key: value for key, value in row.items() if key not in BESIDE_FIELDS}}


def _text(name: str, value: Any) -> Any:
    return str(value) if name.endswith("_id") and value is not None else value


def _comment_kind(rid: int) -> str:
    if rid % 17 == 3:
        return "VoiceComment"
    return "FacebookComment" if rid % 29 == 4 else "Comment"
