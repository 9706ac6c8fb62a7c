"""What happened on the first tickets: events, comments, metric events."""

from __future__ import annotations

from html import escape
from typing import Any

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.attachment import attachment
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import FIRST_ID, STEP, World
from zendesk_support.simulator.families.tickets.rows import (
    CHANNELS,
    PRIORITIES,
    REPLY_TARGET,
    created_at,
    is_deleted,
    is_scrubbed,
    priority_of,
    reply_minutes,
    updated_at,
)

EVENT_SLOTS = 8
EVENT_STEP = 32
METRIC_EVENT_SLOTS = 8
COMMENT_ONLY_IN_EXPORT = ("event_type", "via_reference_id")


def event_count(world: World, rid: int) -> int:
    """Return how many events one of the first tickets has."""
    if is_scrubbed(world, rid):
        return 0
    fixed = world.sizes["events_per_ticket"]
    return fixed if fixed else 2 + world.mix(rid, 32) % 3


def event_rids(world: World, rid: int) -> list[int]:
    """Return the ids of the first events of one of the first tickets."""
    if not 0 < rid <= world.tickets:
        return []
    first = FIRST_ID["ticket_events"] + rid * EVENT_SLOTS * EVENT_STEP
    return [first + part * EVENT_STEP for part in range(event_count(world, rid))]


def all_event_rids(world: World) -> list[int]:
    """Return the ids of all first events."""
    return [event for rid in range(1, world.tickets + 1) for event in event_rids(world, rid)]


def event_ticket(world: World, event: int) -> int:
    """Return the ticket of one of the first events."""
    return (event - FIRST_ID["ticket_events"]) // (EVENT_SLOTS * EVENT_STEP)


def event_time(world: World, event: int) -> int:
    """Return when one of the first events happened."""
    rid, part = divmod((event - FIRST_ID["ticket_events"]) // EVENT_STEP, EVENT_SLOTS)
    created = created_at(world, rid)
    return created + (updated_at(world, rid) - created) * part // max(1, event_count(world, rid) - 1)


def event(world: World, event: int) -> Row:
    """Make a ticket event with its whole comments."""
    rid, part = divmod((event - FIRST_ID["ticket_events"]) // EVENT_STEP, EVENT_SLOTS)
    value = world.mix(event, 33)
    moment = event_time(world, event)
    channel = CHANNELS[world.mix(rid, 22) % len(CHANNELS)]
    if part == 0:
        updater = world.end_user(rid, 23)
        children = _creation(world, event, rid, updater, moment, channel)
    else:
        updater = -1 if value % 7 == 0 else world.agent(event, 34)
        children = _answer(world, event, value, moment) if part % 2 else _rules(world, event, value)
    if part == event_count(world, rid) - 1 and is_deleted(world, rid):
        children.append(changed_field(event + 3, "Web form", "status", "deleted", "open"))
    return audit(event, rid, moment, updater, channel[1] if part == 0 else "Web form", children, value)


def _creation(world: World, event: int, rid: int, requester: int, moment: int, channel: tuple[str, str]) -> list[Row]:
    """What happens when a ticket is created."""
    value = world.mix(event, 33)
    text = world.texts[world.mix(rid, 22) % len(world.texts)]
    subject = world.subjects[world.mix(rid, 22) % len(world.subjects)]
    via = {"channel": channel[0], "source": {"from": {}, "to": {}, "rel": None}}
    notice = {"subject": "[{{ticket.account}}] Received", "recipients": [requester]}
    return [
        comment(world, event, event + 1, requester, text, moment, _comment_kind(rid), channel[0]),
        child(event + 2, channel[1], "Create", {"status": "new"}),
        child(event + 3, channel[1], "Create", {"priority": PRIORITIES[value % 4]}),
        child(event + 4, via, "Create", {"subject": subject}),
        child(event + 5, "Rule", "Notification", notice),
    ]


def _answer(world: World, event: int, value: int, moment: int) -> list[Row]:
    """What happens when an agent answers."""
    text = world.notes[value % len(world.notes)]
    return [
        comment(world, event, event + 1, world.agent(event, 34), text, moment, "Comment", "web"),
        changed_field(event + 2, "Web form", "status", "open", "new"),
    ]


def _rules(world: World, event: int, value: int) -> list[Row]:
    """What rules change."""
    topic = f"topic_{value % 23}"
    custom = {str(world.rids("ticket_fields")[8 + value % 4]): f"value_{value % 11}"}
    return [
        child(event + 6, "Rule", "Change", {"custom_ticket_fields": custom, "previous_value": None}),
        changed_field(event + 1, "Rule", "priority", PRIORITIES[value % 5], PRIORITIES[value % 4]),
        changed_field(event + 2, "Rule", "tags", ["vip", topic], [topic]),
    ]


def comment(
    world: World,
    event: int,
    rid: int,
    author: int,
    text: str,
    moment: int,
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
        "public": value % 4 != 0,
        "attachments": files,
        "audit_id": event,
        "via": {"channel": channel, "source": {"from": {}, "to": {}, "rel": None}},
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


def metric_event_rids(world: World, rid: int) -> list[int]:
    """Return the ids of the first metric events of one of the first tickets."""
    if not 0 < rid <= world.tickets:
        return []
    first = FIRST_ID["ticket_metric_events"] + rid * METRIC_EVENT_SLOTS * STEP
    return [first + part * STEP for part in range(3 + rid % 3)]


def all_metric_event_rids(world: World) -> list[int]:
    """Return the ids of all first metric events."""
    return [event for rid in range(1, world.tickets + 1) for event in metric_event_rids(world, rid)]


def metric_event_time(world: World, event: int) -> int:
    """Return when a metric event happened; ids and times do not run alike."""
    rid, part = divmod((event - FIRST_ID["ticket_metric_events"]) // STEP, METRIC_EVENT_SLOTS)
    return world.later(event, created_at(world, rid), (1 + part) * 86400)


def first_metric_event(world: World, event: int) -> Row:
    """Make a metric event."""
    rid, part = divmod((event - FIRST_ID["ticket_metric_events"]) // STEP, METRIC_EVENT_SLOTS)
    metric = ("reply_time", "reply_time", "reply_time", "agent_work_time", "requester_wait_time")[part]
    kind = ("activate", "apply_sla", "fulfill", "measure", "update_status")[part]
    priority = priority_of(world, rid)
    replied = reply_minutes(world, rid, priority)
    if kind == "fulfill":
        kind = "measure" if replied is None else "breach" if replied > REPLY_TARGET[priority] else kind
    return metric_event(event, rid, metric_event_time(world, event), metric, kind, REPLY_TARGET[priority])


def bodies(text: str) -> dict[str, str]:
    """Return the three forms of a comment's text."""
    markup = escape(text).replace("\n", "<br>")
    return {
        "body": text,
        "html_body": f'<div class="zd-comment" dir="auto">{markup}</div>',
        "plain_body": text.replace("\n", " "),
    }


def metadata(value: int) -> dict[str, Any]:
    """Return a comment's or an audit's metadata."""
    return {
        "system": {
            "client": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36",
            "ip_address": f"10.{value % 256}.{value // 7 % 256}.1",
            "location": "Copenhagen, 84, Denmark",
            "latitude": round(55 + value % 1000 / 1000, 4),
            "longitude": 12.5,
        },
        "custom": {},
    }


def child(rid: int, via: Any, event_type: str, values: dict[str, Any]) -> Row:
    """Make a child event that is no comment."""
    return {"id": rid, "via": via, "via_reference_id": None, "event_type": event_type, **values}


def changed_field(rid: int, via: Any, field: str, new: Any, old: Any) -> Row:
    """Make a child event for a changed field."""
    return child(rid, via, "Change", {field: new, "previous_value": old})


def audit(rid: int, ticket: int, moment: int, updater: int, via: str, children: list[Row], value: int) -> Row:
    """Make a ticket event around its children."""
    details = metadata(value)
    for row in children:
        row.setdefault("created_at", iso(moment))
    return {
        "id": rid,
        "ticket_id": ticket,
        "timestamp": moment,
        "created_at": iso(moment),
        "updater_id": updater,
        "via": via,
        "via_reference_id": None,
        "event_type": "Audit",
        "system": {key: details["system"][key] for key in ("client", "location", "latitude", "longitude")},
        "metadata": details,
        "child_events": children,
    }


def metric_event(rid: int, ticket: int, moment: int, metric: str, kind: str, target: int = 60) -> Row:
    """Make a metric event; `target` is what the agreement allows, in minutes."""
    row: Row = {
        "id": rid,
        "ticket_id": ticket,
        "metric": metric,
        "instance_id": 0 if kind == "measure" else 1,
        "type": kind,
        "time": iso(moment),
    }
    if kind == "apply_sla":
        row["sla"] = {
            "target": target,
            "business_hours": False,
            "policy": {"id": 25, "title": "Gold & fast", "description": None},
        }
    elif kind == "update_status":
        row["status"] = {"calendar": ticket % 900, "business": ticket % 300}
    return row


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
    plain = {"id", "via", "via_reference_id", "event_type", "created_at", "previous_value"}
    if is_comment(row):
        return {key: value for key, value in row.items() if key not in COMMENT_ONLY_IN_EXPORT and key != "created_at"}
    if kind in ("Change", "Create"):
        name = next(key for key in row if key not in plain)
        value = row[name]
        if name == "custom_ticket_fields":
            ((name, value),) = value.items()
        entry = {"id": row["id"], "type": kind, "field_name": name, "value": value}
        return {**entry, "previous_value": row["previous_value"]} if kind == "Change" else entry
    return {"id": row["id"], "type": kind, **{key: value for key, value in row.items() if key not in plain}}


def _comment_kind(rid: int) -> str:
    if rid % 17 == 3:
        return "VoiceComment"
    return "FacebookComment" if rid % 29 == 4 else "Comment"
