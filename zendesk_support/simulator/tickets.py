"""Tickets, their events, comments, metrics, ratings and skips."""

from __future__ import annotations

from html import escape
from typing import Any

from zendesk_support.simulator.clock import iso, unix
from zendesk_support.simulator.people import attachment
from zendesk_support.simulator.table import Row
from zendesk_support.simulator.world import FIRST_ID, HOST, HOUR, STEP, World

EVENT_SLOTS = 8
EVENT_STEP = 32
METRIC_EVENT_SLOTS = 8
MONTH = 30 * 86400
COMMENT_ONLY_IN_EXPORT = ("event_type", "via_reference_id")

_STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
_PRIORITIES = ("low", "normal", "high", "urgent", None)
_USUAL_REPLY = {"urgent": 12, "high": 35, "normal": 90, "low": 200, None: 140}
_REPLY_TARGET = {"urgent": 60, "high": 240, "normal": 480, "low": 1440, None: 1440}
"""Minutes to the first reply by priority: the median, and what the service level agreement allows."""
_TYPES = ("question", "incident", "problem", "task", None)
_CHANNELS = (
    ("web", "Web form"),
    ("email", "Mail"),
    ("api", "Web service"),
    ("voice", "Phone call (incoming)"),
    ("facebook", "Facebook Post"),
    ("messaging", "Messaging"),
)


class Tickets:
    """Makes the rows of the tickets' tables."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.count = world.sizes["tickets"]
        self._custom = [self._custom_fields(variant) for variant in range(61)]

    # Which tickets are special is a matter of their number, so that small accounts have every kind.

    def is_deleted(self, rid: int) -> bool:
        """Tell whether one of the first tickets is deleted."""
        number = rid - 1
        return number % 97 == 5 or (self.count - number) % 89 == 2

    def is_scrubbed(self, rid: int) -> bool:
        """Tell whether one of the first tickets is deleted and, 30 days later, scrubbed."""
        return self.is_deleted(rid) and self.world.spread(rid - 1, self.count) + 2 * MONTH < self.world.start

    def is_archived(self, rid: int) -> bool:
        """Tell whether one of the first tickets is archived."""
        number = rid - 1
        return number * 100 < 35 * self.count and number % 5 == 2 and not self.is_deleted(rid)

    def is_ai(self, rid: int) -> bool:
        """Tell whether one of the first tickets was handled by an AI agent only."""
        return (rid - 1) % 41 == 7

    def created(self, rid: int) -> int:
        """Return when one of the first tickets was created."""
        return self.world.in_rhythm(self.world.spread(rid - 1, self.count))

    def updated(self, rid: int) -> int:
        """Return when one of the first tickets was last updated; some share their second."""
        number = rid - 1
        place = number % 50
        if 20 <= place <= 23:
            leader = min(self.count, number - place + 24)
            return self.created(leader) + 1800
        return self.world.later(number, self.created(rid), self._patience(number))

    def generated(self, rid: int) -> int:
        """Return the export time of one of the first tickets."""
        number = rid - 1
        updated = self.updated(rid)
        if self.is_scrubbed(rid):
            return updated + MONTH + self.world.mix(number, 20) % 3
        if 20 <= number % 50 <= 23:
            return updated
        value = self.world.mix(number, 20)
        if value % 13 == 0:
            return max(updated, min(updated + 86400 * (1 + value % 40), self.world.start - 200))
        return updated + value % 4

    def _patience(self, number: int) -> int:
        """Return within how many seconds a ticket was last updated: mostly hours, sometimes weeks."""
        return HOUR + 20 * 86400 * (self.world.mix(number, 43) % 1000) ** 2 // 1000**2

    def status(self, rid: int) -> str:
        """Return the status of one of the first tickets."""
        if self.is_deleted(rid):
            return "deleted"
        if self.is_archived(rid):
            return "closed"
        value = self.world.mix(rid, 21)
        number = rid - 1
        under_way = self.created(rid) + self.world.mix(number, 2) % self._patience(number) > self.world.start - 300
        forgotten = value % (16 if number * 4 > self.count * 3 else 160) == 0
        return _STATUSES[value // 160 % 4] if under_way or forgotten else _STATUSES[4 + value % 2]

    def priority(self, rid: int) -> str | None:
        """Return the priority of one of the first tickets."""
        return _PRIORITIES[self.world.mix(rid, 22) // 11 % 5]

    def reply_minutes(self, rid: int, priority: str | None) -> int | None:
        """Return the minutes until an agent first replied; every sixth ticket has no reply."""
        value = self.world.mix(rid, 31)
        if value % 6 == 0:
            return None
        chance = (value // 6 % 997 + 1) / 998
        return 1 + int(_USUAL_REPLY[priority] * (chance / (1 - chance)) ** 0.75)

    def ticket(self, rid: int) -> Row:
        """Make a ticket."""
        world = self.world
        value = world.mix(rid, 22)
        scrubbed = self.is_scrubbed(rid)
        status = self.status(rid)
        created = self.created(rid)
        requester = world.end_user(rid, 23)
        subject = "SCRUBBED" if scrubbed else f"{world.subjects[value % len(world.subjects)]} #{rid}"
        channel = _CHANNELS[value % len(_CHANNELS)][0]
        fields: list[dict[str, Any]] = []
        if not scrubbed:
            fields = list(self._custom[value % len(self._custom)])
            fields[0] = {"id": fields[0]["id"], "value": f"ORD-{value % 10_000_000:07}"}
            fields[3] = {"id": fields[3]["id"], "value": value % 5000}
        tags = [] if scrubbed else [f"topic_{value % 23}", f"lang_{value % 5}", *(["vip"] if value % 12 == 0 else [])]
        rating: dict[str, Any] = {"score": ("unoffered", "offered", "unoffered")[value % 3]}
        if value % 8 == 1:
            rating = {
                "score": ("good", "bad")[value % 2],
                "id": world.rid("satisfaction_ratings", (rid - 1) // 8),
                "comment": world.notes[value % len(world.notes)] if value % 3 else None,
                "reason": "No reason provided",
                "reason_id": 0,
            }
        kind = _TYPES[value // 7 % 5]
        return {
            "url": f"{HOST}/api/v2/tickets/{rid}.json",
            "id": rid,
            "external_id": None if value % 4 else f"ext-{value % 100_000}",
            "via": _via(channel, requester, value),
            "created_at": iso(created),
            "updated_at": iso(self.updated(rid)),
            "generated_timestamp": self.generated(rid),
            "type": kind,
            "subject": subject,
            "raw_subject": subject,
            "description": "X" if scrubbed else world.texts[value % len(world.texts)],
            "priority": self.priority(rid),
            "status": status,
            "recipient": "support@example.com" if channel == "email" else None,
            "requester_id": requester,
            "submitter_id": requester if value % 5 else world.agent(rid, 24),
            "assignee_id": None if status == "new" else world.agent(rid, 24),
            "organization_id": None if value % 3 == 0 else world.pick(rid, 25, "organizations"),
            "group_id": None if status == "new" and value % 2 else world.pick(rid, 26, "groups"),
            "collaborator_ids": [] if value % 9 else [world.end_user(rid, 27)],
            "follower_ids": [] if value % 15 else [world.agent(rid, 28)],
            "email_cc_ids": [] if value % 9 else [world.end_user(rid, 27)],
            "forum_topic_id": None,
            "problem_id": 1 + value % self.count if kind == "incident" and value % 2 else None,
            "has_incidents": kind == "problem" and value % 2 == 0,
            "is_public": value % 20 != 0,
            "due_at": iso(created + 7 * 86400) if kind == "task" else None,
            "tags": tags,
            "custom_fields": fields,
            "satisfaction_rating": rating,
            "sharing_agreement_ids": [],
            "custom_status_id": world.rid("custom_statuses", _STATUSES.index(status) if status in _STATUSES else 4),
            "encoded_id": f"{value % 36**5:06X}-{rid:04X}",
            "fields": fields,
            "followup_ids": [],
            "ticket_form_id": world.pick(rid, 29, "ticket_forms"),
            "brand_id": world.pick(rid, 30, "brands"),
            "allow_channelback": False,
            "allow_attachments": True,
            "from_messaging_channel": channel == "messaging",
            "support_type": "ai_agent" if self.is_ai(rid) else "agent",
        }

    def _custom_fields(self, variant: int) -> list[dict[str, Any]]:
        world = self.world
        return [
            {"id": world.rid("ticket_fields", 8 + number), "value": _field_value(world, number, variant)}
            for number in range(max(4, world.sizes["ticket_fields"]))
        ]

    # Metrics

    def metric(self, ticket: Row) -> Row:
        """Make the metric set of a ticket from the ticket itself."""
        world = self.world
        number = int(ticket["id"])
        value = world.mix(number, 31)
        created, updated = ticket["created_at"], ticket["updated_at"]
        solved = ticket["status"] in ("solved", "closed")
        elapsed = (unix(updated) - unix(created)) // 60
        replied = self.reply_minutes(number, ticket["priority"])
        if replied is not None:
            replied = min(replied, elapsed)
        rid = FIRST_ID["ticket_metrics"] + number * STEP
        return {
            "url": f"{HOST}/api/v2/ticket_metrics/{rid}.json",
            "id": rid,
            "ticket_id": number,
            "created_at": created,
            "updated_at": updated,
            "group_stations": 1 + value % 4,
            "assignee_stations": 1 + value % 3,
            "reopens": (value % 17 == 0 and 1) or 0,
            "replies": value % 6,
            "assignee_updated_at": updated if value % 2 else None,
            "requester_updated_at": created,
            "status_updated_at": updated,
            "initially_assigned_at": None if ticket["status"] == "new" else created,
            "assigned_at": None if ticket["status"] == "new" else created,
            "solved_at": updated if solved else None,
            "latest_comment_added_at": updated,
            "reply_time_in_minutes": _clocks(replied),
            "first_resolution_time_in_minutes": _clocks(elapsed if solved else None),
            "full_resolution_time_in_minutes": _clocks(elapsed if solved else None),
            "agent_wait_time_in_minutes": _clocks(elapsed // 5),
            "requester_wait_time_in_minutes": _clocks(elapsed * 4 // 5),
            "on_hold_time_in_minutes": {"calendar": 0, "business": 0},
            "reply_time_in_seconds": {"calendar": None if replied is None else replied * 60},
            "custom_status_updated_at": updated,
        }

    # Events and comments

    def event_count(self, rid: int) -> int:
        """Return how many events one of the first tickets has."""
        if self.is_scrubbed(rid):
            return 0
        fixed = self.world.sizes["events_per_ticket"]
        return fixed if fixed else 2 + self.world.mix(rid, 32) % 3

    def event_rids(self, rid: int) -> list[int]:
        """Return the ids of the first events of one of the first tickets."""
        if not 0 < rid <= self.count:
            return []
        first = FIRST_ID["ticket_events"] + rid * EVENT_SLOTS * EVENT_STEP
        return [first + part * EVENT_STEP for part in range(self.event_count(rid))]

    def all_event_rids(self) -> list[int]:
        """Return the ids of all first events."""
        return [event for rid in range(1, self.count + 1) for event in self.event_rids(rid)]

    def event_ticket(self, event: int) -> int:
        """Return the ticket of one of the first events."""
        return (event - FIRST_ID["ticket_events"]) // (EVENT_SLOTS * EVENT_STEP)

    def event_time(self, event: int) -> int:
        """Return when one of the first events happened."""
        rid, part = divmod((event - FIRST_ID["ticket_events"]) // EVENT_STEP, EVENT_SLOTS)
        created = self.created(rid)
        return created + (self.updated(rid) - created) * part // max(1, self.event_count(rid) - 1)

    def event(self, event: int) -> Row:
        """Make a ticket event with its whole comments."""
        world = self.world
        rid, part = divmod((event - FIRST_ID["ticket_events"]) // EVENT_STEP, EVENT_SLOTS)
        value = world.mix(event, 33)
        last = self.event_count(rid) - 1
        requester = world.end_user(rid, 23)
        moment = self.event_time(event)
        channel = _CHANNELS[world.mix(rid, 22) % len(_CHANNELS)]
        children: list[Row] = []
        if part == 0:
            text = world.texts[world.mix(rid, 22) % len(world.texts)]
            children.append(self.comment(event, event + 1, requester, text, moment, _comment_kind(rid), channel[0]))
            children += [
                child(event + 2, channel[1], "Create", {"status": "new"}),
                child(event + 3, channel[1], "Create", {"priority": _PRIORITIES[value % 4]}),
                child(
                    event + 4,
                    {"channel": channel[0], "source": {"from": {}, "to": {}, "rel": None}},
                    "Create",
                    {"subject": world.subjects[world.mix(rid, 22) % len(world.subjects)]},
                ),
                child(
                    event + 5,
                    "Rule",
                    "Notification",
                    {"subject": "[{{ticket.account}}] Received", "recipients": [requester]},
                ),
            ]
        else:
            if part % 2:
                text = world.notes[value % len(world.notes)]
                children.append(self.comment(event, event + 1, world.agent(event, 34), text, moment, "Comment", "web"))
                children.append(change(event + 2, "Web form", "status", "open", "new"))
            else:
                children.append(change(event + 1, "Rule", "priority", _PRIORITIES[value % 5], _PRIORITIES[value % 4]))
                children.append(
                    change(event + 2, "Rule", "tags", ["vip", f"topic_{value % 23}"], [f"topic_{value % 23}"])
                )
            if part == last and self.is_deleted(rid):
                children.append(change(event + 3, "Web form", "status", "deleted", "open"))
        updater = requester if part == 0 else -1 if value % 7 == 0 else world.agent(event, 34)
        return audit(event, rid, moment, updater, channel[1] if part == 0 else "Web form", children, value)

    def comment(
        self,
        event: int,
        rid: int,
        author: int,
        text: str,
        moment: int,
        kind: str = "Comment",
        channel: str = "web",
    ) -> Row:
        """Make a comment as the export gives it, with `include=comment_events`."""
        value = self.world.mix(rid, 35)
        files = []
        if value % 9 == 2:
            files = [
                attachment(
                    self.world,
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
        if kind == "VoiceComment":
            row["data"] = {
                "call_id": value,
                "call_duration": value % 900,
                "from": "+15550001111",
                "to": "+15552223333",
                "recording_url": None,
                "started_at": iso(moment),
            }
            row["formatted_from"] = "+1 (555) 000-1111"
            row["transcription_visible"] = False
        elif kind == "FacebookComment":
            row["data"] = {"external_id": f"fb-{value}", "via_zendesk": False}
        return row

    # Metric events

    def metric_event_rids(self, rid: int) -> list[int]:
        """Return the ids of the first metric events of one of the first tickets."""
        if not 0 < rid <= self.count:
            return []
        first = FIRST_ID["ticket_metric_events"] + rid * METRIC_EVENT_SLOTS * STEP
        return [first + part * STEP for part in range(3 + rid % 3)]

    def all_metric_event_rids(self) -> list[int]:
        """Return the ids of all first metric events."""
        return [event for rid in range(1, self.count + 1) for event in self.metric_event_rids(rid)]

    def metric_event_time(self, event: int) -> int:
        """Return when a metric event happened; ids and times do not run alike."""
        rid, part = divmod((event - FIRST_ID["ticket_metric_events"]) // STEP, METRIC_EVENT_SLOTS)
        return self.world.later(event, self.created(rid), (1 + part) * 86400)

    def metric_event(self, event: int) -> Row:
        """Make a metric event."""
        rid, part = divmod((event - FIRST_ID["ticket_metric_events"]) // STEP, METRIC_EVENT_SLOTS)
        metric = ("reply_time", "reply_time", "reply_time", "agent_work_time", "requester_wait_time")[part]
        kind = ("activate", "apply_sla", "fulfill", "measure", "update_status")[part]
        priority = self.priority(rid)
        replied = self.reply_minutes(rid, priority)
        if kind == "fulfill":
            kind = "measure" if replied is None else "breach" if replied > _REPLY_TARGET[priority] else kind
        return metric_event(event, rid, self.metric_event_time(event), metric, kind, _REPLY_TARGET[priority])

    # Ratings and skips

    def rating_stamp(self, rid: int) -> int:
        """Return when a satisfaction rating was last updated."""
        number = self.world.number("satisfaction_ratings", rid)
        return self.world.later(number, self.world.spread(number, self.world.sizes["satisfaction_ratings"]), 5 * 86400)

    def rating(self, rid: int) -> Row:
        """Make a satisfaction rating."""
        world = self.world
        number = world.number("satisfaction_ratings", rid)
        value = world.mix(number, 36)
        ticket = 1 + number * 8 % self.count
        score = "offered" if value % 6 < 3 else "bad" if value // 6 % 9 == 0 else "good"
        return {
            "url": f"{HOST}/api/v2/satisfaction_ratings/{rid}.json",
            "id": rid,
            "assignee_id": world.agent(ticket, 24),
            "group_id": world.pick(ticket, 26, "groups"),
            "requester_id": world.end_user(ticket, 23),
            "ticket_id": ticket,
            "score": score,
            "created_at": iso(world.spread(number, world.sizes["satisfaction_ratings"])),
            "updated_at": iso(self.rating_stamp(rid)),
            "comment": None if score == "offered" else world.notes[value % len(world.notes)],
            "reason": "No reason provided" if score == "bad" else None,
            "reason_id": 0 if score == "bad" else None,
        }

    def skip(self, rid: int) -> Row:
        """Make a skip; the ticket is put in when the row is served."""
        world = self.world
        number = world.number("ticket_skips", rid)
        created = world.spread(number, world.sizes["ticket_skips"])
        ticket = 1 + world.mix(number, 37) % self.count
        while self.is_archived(ticket) or self.is_deleted(ticket) or self.is_ai(ticket):
            ticket = 1 + ticket % self.count
        return {
            "id": rid,
            "ticket_id": ticket,
            "user_id": world.agent(number, 38),
            "reason": world.words(number, 39, 4),
            **world.stamps(created, created),
        }


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


def change(rid: int, via: Any, field: str, new: Any, old: Any) -> Row:
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
        entry = {"id": row["id"], "type": kind, "field_name": name, "value": row[name]}
        return {**entry, "previous_value": row["previous_value"]} if kind == "Change" else entry
    return {"id": row["id"], "type": kind, **{key: value for key, value in row.items() if key not in plain}}


def _clocks(minutes: int | None) -> dict[str, int | None]:
    """A spell on both clocks: eight hours of each day are business hours."""
    return {"calendar": minutes, "business": None if minutes is None else min(minutes, 480 + minutes // 3)}


def _comment_kind(rid: int) -> str:
    if rid % 17 == 3:
        return "VoiceComment"
    return "FacebookComment" if rid % 29 == 4 else "Comment"


def _via(channel: str, requester: int, value: int) -> dict[str, Any]:
    source: dict[str, Any] = {"from": {}, "to": {}, "rel": None}
    if channel == "email":
        source["from"] = {"address": f"user{value % 9999}@example.com", "name": "Änne <VIP>"}
        source["to"] = {"address": "support@example.com", "name": "Support"}
    elif channel == "voice":
        source["rel"] = "voicemail" if value % 2 else "inbound"
    return {"channel": channel, "source": source}


def _field_value(world: World, number: int, variant: int) -> Any:
    value = world.mix(number * 1000 + variant, 40)
    if number == 7:
        return (7, "seven", None, True, ["7", "8"], 7.5, {"seven": 7})[variant % 7]
    if value % 3 == 0 and number > 3:
        return None
    kind = number % 10
    if kind in (0, 5):
        return world.words(value, 41, 2)
    if kind == 1:
        return f"option_{value % 9}"
    if kind == 2:
        return value % 2 == 0
    if kind == 3:
        return value % 5000
    if kind == 4:
        return f"20{20 + value % 8}-0{1 + value % 9}-1{value % 9}"
    if kind == 6:
        return [f"choice_{value % 5}", f"choice_{5 + value % 3}"] if value % 2 else []
    if kind == 8:
        return round(value % 100_000 / 9, 3)
    return str(value % 100_000)
