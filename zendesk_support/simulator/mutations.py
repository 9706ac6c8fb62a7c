"""Changes to the account, each at its own moment, with the timestamps Zendesk would move."""

from __future__ import annotations

import copy
import random
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from zendesk_support.simulator.account import Account
from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.guide import KINDS as GUIDE_KINDS
from zendesk_support.simulator.guide import PARENTS, HelpCenter
from zendesk_support.simulator.settings_rows import audit_log
from zendesk_support.simulator.table import Row, Table
from zendesk_support.simulator.tickets import audit, bodies, change, child, is_comment, metric_event

SETTLE = 120
REDACTED = "▇"
_TEXT_COLUMNS = (
    "title",
    "name",
    "agent_label",
    "organization_name",
    "reason",
    "details",
    "body",
    "file_name",
    "value",
    "subject",
    "change_description",
    "notes",
)
_APPEND_ONLY = ("audit_logs", "ticket_activities", "ticket_metric_events", "ticket_events")
_DRIFTS: dict[str, Callable[[Row], None]] = {
    "int_to_string": lambda row: row.update(brand_id=str(row["brand_id"])),
    "new_column": lambda row: row.update(drift_new_column=17),
    "new_object": lambda row: row.update(drift_new_object={"a": 1, "b": {"c": [1, "two", None]}}),
    "object_to_string": lambda row: row.update(via="web"),
    "bad_date": lambda row: row.update(due_at="0001-13-45T99:00:00Z"),
    "big_int": lambda row: row.update(problem_id=2**70),
    "hostile_name": lambda row: row.update(
        {'Select "x"; DROP TABLE--é 🎉': 1, "": 2, "_dlt_id": "mine", "Status": "x"}
    ),
}


Part = Callable[[int, int], Row]
"""Makes a child event from the event's id and its own."""


def _part(kind: str, values: dict[str, Any]) -> Part:
    return lambda event, rid: child(rid, "Web form", kind, values)


def _changed(field: str, new: Any, old: Any) -> Part:
    return lambda event, rid: change(rid, "Web form", field, new, old)


class Mutator:
    """Applies mutations by name."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._count = 0
        self._now = 0
        self._rng = random.Random()
        prefix = "_do_"
        self._kinds: dict[str, Callable[..., dict[str, Any]]] = {
            name.removeprefix(prefix): getattr(self, name) for name in dir(self) if name.startswith(prefix)
        }

    def kinds(self) -> list[str]:
        """Return the names of all mutations."""
        return sorted(self._kinds)

    def check(self, kind: str) -> None:
        """Fail for a mutation that does not exist."""
        if kind not in self._kinds:
            raise ValueError(f"unknown mutation {kind!r}; the mutations are {', '.join(self.kinds())}")

    def mutate(self, kind: str, params: dict[str, Any]) -> dict[str, Any]:
        """Move the clock, change the account, and move the clock again so that exports show the change."""
        self.check(kind)
        options = dict(params)
        settle = bool(options.pop("settle", True))
        account = self.account
        with account.lock:
            self._count += 1
            self._rng = random.Random(f"mutation {account.world.seed} {self._count}")
            account.clock.advance(SETTLE)
            self._now = account.now
            try:
                result = self._kinds[kind](**options)
            finally:
                account.changed()
            if settle:
                account.clock.advance(SETTLE)
        return result

    # Helpers

    def _sample(self, rids: Sequence[int], count: int, fits: Callable[[int], bool] = lambda rid: True) -> list[int]:
        if len(rids) > 50_000 and count * 20 < len(rids):
            found: dict[int, None] = {}
            for _ in range(count * 200):
                rid = rids[self._rng.randrange(len(rids))]
                if fits(rid):
                    found[rid] = None
                if len(found) == count:
                    return list(found)
            return list(found)
        fitting = [rid for rid in rids if fits(rid)]
        return self._rng.sample(fitting, min(count, len(fitting)))

    def _live_tickets(self, count: int) -> list[int]:
        return self._sample(self.account.tables["tickets"].rids, count, self.account.is_listed)

    def _touch_ticket(self, rid: int, *, generated_only: bool = False) -> Row:
        now = self._now
        row = self.account.tables["tickets"].change(rid, now)
        row["generated_timestamp"] = now
        if not generated_only:
            row["updated_at"] = iso(now)
        return row

    def _add_event(self, ticket: int, *parts: Part, moment: int | None = None) -> Row:
        account = self.account
        moment = self._now if moment is None else moment
        events = account.tables["ticket_events"]
        rid = events.new_rid()
        agent = account.world.agent(rid, 34)
        children = [part(rid, rid + number) for number, part in enumerate(parts, 1)]
        row = audit(rid, ticket, moment, agent, "Web form", children, account.world.mix(rid, 33))
        events.add(row, moment)
        account.ticket_events_added.setdefault(ticket, []).append(rid)
        return row

    def _commented(self, text: str, moment: int | None = None) -> Part:
        account, at = self.account, self._now if moment is None else moment
        return lambda event, rid: account.source.comment(event, rid, account.world.agent(event, 34), text, at)

    def _bump_metric(self, rid: int) -> None:
        account = self.account
        metric = account.metric(rid)
        if metric is not None:
            account.metrics[rid] = {**metric, "updated_at": iso(self._now), "replies": metric["replies"] + 1}
        events = account.tables["ticket_metric_events"]
        event = events.new_rid()
        events.add(metric_event(event, rid, self._now, "reply_time", "update_status"), self._now)
        account.metric_events_added.setdefault(rid, []).append(event)

    # Tickets

    def _do_create_tickets(self, count: int = 1) -> dict[str, Any]:
        account, now = self.account, self._now
        tickets = account.tables["tickets"]
        made = []
        for _ in range(count):
            rid = tickets.new_rid()
            row = copy.deepcopy(account.source.ticket(1 + rid % account.sizes["tickets"]))
            fields = row["custom_fields"] or copy.deepcopy(account.source.ticket(2)["custom_fields"])
            row |= {
                "id": rid,
                "url": row["url"].replace(f"/{row['id']}.json", f"/{rid}.json"),
                **account.world.stamps(now, now),
                "generated_timestamp": now,
                "subject": f"New ticket #{rid}",
                "raw_subject": f"New ticket #{rid}",
                "description": account.world.texts[rid % len(account.world.texts)],
                "status": "new",
                "assignee_id": None,
                "satisfaction_rating": {"score": "unoffered"},
                "encoded_id": f"NEW{rid:X}",
                "custom_fields": fields,
                "fields": fields,
                "support_type": "agent",
            }
            tickets.add(row, now)
            self._add_event(rid, self._commented(row["description"]), _part("Create", {"status": "new"}))
            events = account.tables["ticket_metric_events"]
            event = events.new_rid()
            events.add(metric_event(event, rid, now, "reply_time", "activate"), now)
            account.metric_events_added.setdefault(rid, []).append(event)
            made.append(rid)
        return {"ids": made}

    def _do_update_tickets(self, count: int = 1, ids: Sequence[int] = (), comment: bool = True) -> dict[str, Any]:
        chosen = list(ids) or self._live_tickets(count)
        comments = []
        for rid in chosen:
            row = self._touch_ticket(rid)
            old = row["priority"]
            row["priority"] = "urgent" if old != "urgent" else "low"
            row["subject"] = row["raw_subject"] = f"{row['subject'][:60]} (updated {self._count})"
            text = f"Update {self._count}: {self.account.world.notes[rid % len(self.account.world.notes)]}"
            parts = [self._commented(text)] if comment else []
            event = self._add_event(rid, *parts, _changed("priority", row["priority"], old))
            comments += [row["id"] for row in event["child_events"] if is_comment(row)]
            self._bump_metric(rid)
        return {"ids": chosen, "comment_ids": comments}

    def _do_system_update_tickets(self, count: int = 1) -> dict[str, Any]:
        chosen = self._live_tickets(count)
        for rid in chosen:
            row = self._touch_ticket(rid, generated_only=True)
            row["external_id"] = f"system-{self._count}-{rid}"
        return {"ids": chosen}

    def _do_delete_tickets(self, count: int = 1, ids: Sequence[int] = ()) -> dict[str, Any]:
        account = self.account
        chosen = list(ids) or self._live_tickets(count)
        for rid in chosen:
            old = account.tables["tickets"].get(rid)["status"]
            row = self._touch_ticket(rid)
            row["status"] = "deleted"
            account.deleted_at[rid] = self._now
            self._add_event(rid, _changed("status", "deleted", old))
        return {"ids": chosen}

    def _deleted(self, count: int) -> list[int]:
        account = self.account
        return self._sample(
            account.tables["tickets"].rids,
            count,
            lambda rid: account.is_deleted(rid) and not account.is_scrubbed(rid),
        )

    def _do_scrub_tickets(self, count: int = 1, ids: Sequence[int] = ()) -> dict[str, Any]:
        account = self.account
        chosen = list(ids) or self._deleted(count)
        if not chosen:
            chosen = self._do_delete_tickets(count)["ids"]
        for rid in chosen:
            row = self._touch_ticket(rid, generated_only=True)
            row |= {"subject": "SCRUBBED", "raw_subject": "SCRUBBED", "description": "X", "tags": []}
            row["custom_fields"] = row["fields"] = []
            account.scrubbed.add(rid)
            for event in account.event_rids(rid):
                account.tables["ticket_events"].remove(event)
            account.ticket_events_added.pop(rid, None)
        return {"ids": chosen}

    def _do_restore_tickets(self, count: int = 1, ids: Sequence[int] = ()) -> dict[str, Any]:
        account = self.account
        chosen = list(ids) or self._deleted(count)
        for rid in chosen:
            row = self._touch_ticket(rid)
            row["status"] = "open"
            account.deleted_at.pop(rid, None)
            self._add_event(rid, _changed("status", "open", "deleted"))
        return {"ids": chosen}

    def _comment_change(self, count: int, kind: str, apply: Callable[[Row], None]) -> dict[str, Any]:
        account = self.account
        events = account.tables["ticket_events"]
        tickets, comments = [], []
        for rid in self._live_tickets(count):
            found = [
                (event, number)
                for event in account.event_rids(rid)
                for number, row in enumerate(events.get(event)["child_events"])
                if is_comment(row)
            ]
            event, number = found[self._rng.randrange(len(found))]
            row = events.change(event)["child_events"][number]
            apply(row)
            comment_id = row["id"]
            self._add_event(rid, _part(kind, {"comment_id": comment_id}))
            self._touch_ticket(rid, generated_only=True)
            tickets.append(rid)
            comments.append(comment_id)
        return {"ids": tickets, "comment_ids": comments}

    def _do_redact_comments(self, count: int = 1) -> dict[str, Any]:
        def apply(row: Row) -> None:
            text = "".join(letter if letter.isspace() else REDACTED for letter in row["body"])
            row.update(bodies(text))

        return self._comment_change(count, "CommentRedactionEvent", apply)

    def _do_make_comments_private(self, count: int = 1) -> dict[str, Any]:
        return self._comment_change(count, "CommentPrivacyChange", lambda row: row.update(public=False))

    def _do_bulk_update(self, count: int = 2500) -> dict[str, Any]:
        now = self._now
        chosen = self._live_tickets(count)
        for row in self.account.tables["tickets"].change_many(chosen, now):
            row["generated_timestamp"] = now
            row["updated_at"] = iso(now)
            tags = row["tags"]
            row["tags"] = [*tags, f"bulk_{self._count}"]
            self._add_event(row["id"], _changed("tags", row["tags"], tags))
        return {"ids": chosen}

    def _do_archive_tickets(self, count: int = 1) -> dict[str, Any]:
        account = self.account
        closed = self._sample(
            account.tables["tickets"].rids,
            count,
            lambda rid: account.is_listed(rid) and account.tables["tickets"].get(rid)["status"] == "closed",
        )
        chosen = closed or self._live_tickets(count)
        for rid in chosen:
            row = self._touch_ticket(rid, generated_only=True)
            row["status"] = "closed"
            account.archived.add(rid)
        return {"ids": chosen}

    def _do_drift(self, kind: str = "new_column", count: int = 3) -> dict[str, Any]:
        if kind not in _DRIFTS:
            raise ValueError(f"unknown drift {kind!r}; the kinds are {', '.join(_DRIFTS)}")
        chosen = self._live_tickets(count)
        for rid in chosen:
            _DRIFTS[kind](self._touch_ticket(rid))
        return {"ids": chosen}

    def _do_late_row(self, stream: str = "tickets", age: int = 0) -> dict[str, Any]:
        """Write a row whose export time is the newest second already exported, or `age` seconds before it."""
        account = self.account
        if stream not in ("tickets", "users", "organizations", "ticket_events"):
            raise ValueError("late_row knows the streams tickets, users, organizations and ticket_events")
        table = account.tables[stream]
        quiet = 60 if stream in ("tickets", "ticket_events") else 0
        at = table.first_after(self._now - SETTLE - quiet) or len(table.index)
        stamp, newest = table.split(table.index[at - 1])
        stamp -= age
        if stream == "ticket_events":
            ticket = self._live_tickets(1)[0]
            event = self._add_event(ticket, self._commented("A late comment", stamp), moment=stamp)
            return {"ids": [event["id"]], "ticket_ids": [ticket], "timestamp": stamp}
        if stream == "organizations":
            made = self._clone(stream, table, stamp)
            return {"ids": [made["id"]], "timestamp": stamp}
        fits = account.is_listed if stream == "tickets" else lambda rid: True
        lower = self._sample(table.rids, 1, lambda rid: rid < newest and table.stamp(rid) < stamp and fits(rid))
        if not lower:
            raise ValueError(f"no row of {stream} has an id below {newest}")
        row = table.change(lower[0], stamp)
        row["updated_at"] = iso(stamp)
        if stream == "tickets":
            row["generated_timestamp"] = stamp
            row["subject"] = row["raw_subject"] = f"Late {self._count}"
        else:
            row["notes"] = f"Late {self._count}"
        return {"ids": lower, "timestamp": stamp}

    # People

    def _do_update_users(self, count: int = 1, ids: Sequence[int] = ()) -> dict[str, Any]:
        chosen = list(ids) or self._users(count)
        for rid in chosen:
            self._touch("users", rid)["notes"] = f"Updated {self._count}"
        return {"ids": chosen}

    def _users(self, count: int) -> list[int]:
        users = self.account.tables["users"]
        first = self.account.world.rid("users", self.account.sizes["agents"])
        return self._sample(users.rids, count, lambda rid: rid >= first and users.get(rid)["active"])

    def _touch(self, stream: str, rid: int) -> Row:
        now = self._now
        row = self.account.tables[stream].change(rid, now)
        if "updated_at" in row:
            row["updated_at"] = iso(now)
        return row

    def _do_create_users(self, count: int = 1) -> dict[str, Any]:
        account = self.account
        made = []
        for _ in range(count):
            row = self._clone("users", account.tables["users"], self._now)
            row |= {
                "active": True,
                "role": "end-user",
                "email": f"new{row['id']}@example.com",
                "custom_role_id": None,
            }
            made.append(row["id"])
            identity = self._clone("user_identities", account.tables["user_identities"], self._now)
            self._own_identity(identity, row["id"])
        return {"ids": made}

    def _own_identity(self, identity: Row, user: int) -> None:
        identity |= {
            "user_id": user,
            "value": f"new{identity['id']}@example.com",
            "type": "email",
            "url": f"{identity['url'].split('/users/')[0]}/users/{user}/identities/{identity['id']}.json",
        }
        self.account.identities_added.setdefault(user, []).append(identity["id"])

    def _do_deactivate_users(self, count: int = 1) -> dict[str, Any]:
        chosen = self._users(count)
        for rid in chosen:
            self._touch("users", rid)["active"] = False
        return {"ids": chosen}

    def _do_permanently_delete_users(self, count: int = 1) -> dict[str, Any]:
        account = self.account
        chosen = self._users(count)
        for rid in chosen:
            row = self._touch("users", rid)
            row |= {
                "active": False,
                "name": "Permanently Deleted User",
                "email": None,
                "phone": None,
                "photo": None,
            }
            for identity in account.identity_rids(rid):
                account.tables["user_identities"].remove(identity)
        return {"ids": chosen}

    def _do_update_organizations(self, count: int = 1) -> dict[str, Any]:
        chosen = self._sample(self.account.live_organizations(), count)
        for rid in chosen:
            self._touch("organizations", rid)["notes"] = f"Updated {self._count}"
        return {"ids": chosen}

    def _do_delete_organizations(self, count: int = 1) -> dict[str, Any]:
        chosen = self._sample(self.account.live_organizations(), count)
        for rid in chosen:
            self._touch("organizations", rid)["deleted_at"] = iso(self._now)
        return {"ids": chosen}

    def _do_create_organizations(self, count: int = 1) -> dict[str, Any]:
        table = self.account.tables["organizations"]
        return {"ids": [self._clone("organizations", table, self._now)["id"] for _ in range(count)]}

    # Rows of any list

    def _clone(self, stream: str, table: Table, moment: int, maker: Table | None = None) -> Row:
        """Add a copy of some row under a new id."""
        source = table.rids[self._rng.randrange(len(table.rids))]
        rid = table.new_rid()
        row = copy.deepcopy(table.get(source))
        old = row.get("id")
        if "id" in row:
            row["id"] = str(uuid.UUID(int=rid)) if isinstance(old, str) else rid
        for column in ("url", "html_url"):
            if isinstance(row.get(column), str):
                row[column] = row[column].replace(str(old), str(row["id"]))
        for column in ("created_at", "updated_at", "time"):
            if column in row:
                row[column] = iso(moment)
        for column in ("title", "name", "organization_name", "subject"):
            if isinstance(row.get(column), str):
                row[column] = f"{row[column].split(' (new')[0]} (new {rid % 1_000_000})"
                break
        if stream == "attribute_definitions":
            row["subject"] = f"custom_{rid % 1_000_000}"
        if stream == "organizations":
            row["deleted_at"] = None
        if stream == "groups":
            row["deleted"] = False
        if stream == "brands":
            row |= {"has_help_center": False, "help_center_state": "disabled", "default": False}
        table.add(row, moment, rid)
        return row

    def _place(self, stream: str, brand: int) -> tuple[Table, HelpCenter | None]:
        if stream in GUIDE_KINDS:
            center = self.account.help_centers[brand]
            return center.tables[stream], center
        if stream not in self.account.tables:
            raise ValueError(f"unknown stream {stream!r}")
        return self.account.tables[stream], None

    def _do_create_rows(self, stream: str, count: int = 1, brand: int = 0) -> dict[str, Any]:
        if stream in ("tickets", "users", "organizations"):
            return self._kinds[f"create_{stream}"](count=count)
        table, center = self._place(stream, brand)
        made = []
        for _ in range(count):
            if stream == "ticket_events":
                made.append(self._do_update_tickets(1)["ids"][0])
                continue
            row = self._clone(stream, table, self._now)
            if stream == "user_identities":
                user = self._users(1)[0]
                self._own_identity(row, user)
                self._touch("users", user)
            elif stream == "ticket_metric_events":
                self.account.metric_events_added.setdefault(row["ticket_id"], []).append(row["id"])
            made.append(row.get("id", row.get("name", row.get("subject"))))
        if center:
            center.forget_children(stream)
        return {"ids": made}

    def _do_update_rows(self, stream: str, count: int = 1, brand: int = 0) -> dict[str, Any]:
        if stream in ("tickets", "users", "organizations"):
            return self._kinds[f"update_{stream}"](count=count)
        if stream in _APPEND_ONLY:
            raise ValueError(f"rows of {stream} never change; use create_rows")
        table, _ = self._place(stream, brand)
        chosen = self._sample(table.rids, count)
        for rid in chosen:
            row = table.change(rid, self._now)
            self._alter(stream, row)
            if "updated_at" in row:
                row["updated_at"] = iso(self._now)
            if "edited_at" in row:
                row["edited_at"] = iso(self._now)
            if stream == "user_identities":
                self._touch("users", row["user_id"])
        return {"ids": [self._name(table.get(rid)) for rid in chosen]}

    def _alter(self, stream: str, row: Row) -> None:
        if stream == "tags":
            row["count"] += 7
        elif stream.endswith("votes"):
            row["value"] = -row["value"]
        elif stream == "satisfaction_ratings":
            row |= {"score": "good" if row["score"] != "good" else "bad", "comment": f"Changed {self._count}"}
        elif stream == "group_memberships":
            row["default"] = not row["default"]
        else:
            column = next(name for name in _TEXT_COLUMNS if isinstance(row.get(name), str))
            row[column] = f"{row[column].split(' [changed')[0]} [changed {self._count}]"

    @staticmethod
    def _name(row: Row) -> Any:
        return row.get("id", row.get("name", row.get("subject")))

    def _do_remove_rows(self, stream: str, count: int = 1, brand: int = 0) -> dict[str, Any]:
        instead = {
            "tickets": "delete_tickets",
            "users": "permanently_delete_users",
            "organizations": "delete_organizations",
        }
        if stream in instead:
            return self._kinds[instead[stream]](count=count)
        if stream in _APPEND_ONLY:
            raise ValueError(f"rows of {stream} never go")
        table, center = self._place(stream, brand)
        if stream == "groups":
            chosen = self._sample(table.rids, count, lambda rid: not table.get(rid)["deleted"])
            for rid in chosen:
                self._touch(stream, rid)["deleted"] = True
            return {"ids": chosen}
        kept = self.account.sizes["help_centers"] if stream == "brands" else 0
        chosen = self._sample(table.rids[kept:], count)
        names = [self._name(table.get(rid)) for rid in chosen]
        for rid in chosen:
            if stream == "user_identities":
                self._touch("users", table.get(rid)["user_id"])
            if center:
                self._remove_with_children(center, stream, rid)
            else:
                table.remove(rid)
        return {"ids": names}

    def _remove_with_children(self, center: HelpCenter, kind: str, rid: int) -> None:
        for each, (parent, _) in PARENTS.items():
            if parent == kind:
                for row in list(center.children(each, rid)):
                    self._remove_with_children(center, each, row)
        center.tables[kind].remove(rid)
        center.forget_children(kind)

    def _do_update_groups(self, count: int = 1) -> dict[str, Any]:
        return self._do_update_rows("groups", count)

    def _do_create_groups(self, count: int = 1) -> dict[str, Any]:
        return self._do_create_rows("groups", count)

    def _do_delete_groups(self, count: int = 1) -> dict[str, Any]:
        return self._do_remove_rows("groups", count)

    def _do_log_audits(self, count: int = 1) -> dict[str, Any]:
        table = self.account.tables["audit_logs"]
        made = []
        for _ in range(count):
            rid = table.new_rid()
            table.add(audit_log(rid, self._now, "destroy", self.account.world.rid("users", 0), rid, rid), self._now)
            made.append(rid)
        return {"ids": made}

    # Help centers

    def _do_update_articles(self, count: int = 1, brand: int = 0) -> dict[str, Any]:
        return self._do_update_rows("articles", count, brand)

    def _do_archive_articles(self, count: int = 1, brand: int = 0) -> dict[str, Any]:
        return self._do_remove_rows("articles", count, brand)

    def _do_vote_articles(self, count: int = 1, brand: int = 0) -> dict[str, Any]:
        return self._vote("article_votes", count, brand)

    def _do_unvote_articles(self, count: int = 1, brand: int = 0) -> dict[str, Any]:
        return self._unvote("article_votes", count, brand)

    def _do_vote_posts(self, count: int = 1, brand: int = 0) -> dict[str, Any]:
        return self._vote("post_votes", count, brand)

    def _do_unvote_posts(self, count: int = 1, brand: int = 0) -> dict[str, Any]:
        return self._unvote("post_votes", count, brand)

    def _vote(self, kind: str, count: int, brand: int) -> dict[str, Any]:
        center = self.account.help_centers[brand]
        table = center.tables[kind]
        parents = self._sample(center.tables[PARENTS[kind][0]].rids, count)
        votes = []
        for parent in parents:
            row = self._clone(kind, table, self._now)
            row |= {"item_id": parent, "value": 1}
            votes.append(row["id"])
        center.forget_children(kind)
        return {"ids": parents, "vote_ids": votes}

    def _unvote(self, kind: str, count: int, brand: int) -> dict[str, Any]:
        center = self.account.help_centers[brand]
        table = center.tables[kind]
        votes = self._sample(table.rids, count)
        parents = [center.parent(kind, table.get(vote)) for vote in votes]
        for vote in votes:
            table.remove(vote)
        center.forget_children(kind)
        return {"ids": parents, "vote_ids": votes}
