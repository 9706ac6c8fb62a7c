"""The account's configuration: brands, fields, forms, business rules, roles, logs."""

from __future__ import annotations

import uuid
from typing import Any

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.table import Row
from zendesk_support.simulator.world import FIRST_ID, HOST, STEP, World

SYSTEM_FIELDS = (
    "subject",
    "description",
    "status",
    "tickettype",
    "priority",
    "group",
    "assignee",
    "custom_status",
)
_TITLES = (
    "Order number",
    "Status",
    "Refunded?",
    "Attempts",
    "Ship date",
    "Region",
    "Products",
    "Odd one",
    "Region",
    "Score",
    "地域",
    "部門",
    "Größe & Gewicht",
    "Internal <note>",
    "status",
)
_KINDS = (
    "text",
    "tagger",
    "checkbox",
    "integer",
    "date",
    "textarea",
    "multiselect",
    "text",
    "decimal",
    "regexp",
)


class Settings:
    """Makes the rows of the small configuration tables."""

    def __init__(self, world: World) -> None:
        self.world = world

    def _base(self, kind: str, rid: int, path: str) -> tuple[int, int, Row]:
        world = self.world
        number = world.number(kind, rid)
        created = world.first + 86400 + number * 7200
        row: Row = {
            "url": f"{HOST}/api/v2/{path}/{rid}.json",
            "id": rid,
            **world.stamps(created, world.later(number, created, 300 * 86400)),
        }
        return number, world.mix(rid, 50), row

    def brand(self, rid: int) -> Row:
        """Make a brand; `brand_url` is filled in when the row is served."""
        number, _, row = self._base("brands", rid, "brands")
        has_help_center = number < self.world.sizes["help_centers"]
        return {
            **row,
            "name": ("Acme", "Acme Kids & Co", "Acme Outlet")[number % 3] + (f" {number}" if number > 2 else ""),
            "brand_url": None,
            "subdomain": f"simulator{number or ''}",
            "host_mapping": None,
            "has_help_center": has_help_center,
            "help_center_state": "enabled" if has_help_center else "disabled",
            "active": True,
            "default": number == 0,
            "is_deleted": False,
            "logo": None,
            "ticket_form_ids": [self.world.rid("ticket_forms", 0)],
            "signature_template": "{{agent.signature}}",
            "user_separation": "account",
        }

    def tag(self, rid: int) -> Row:
        """Make a tag."""
        number = self.world.number("tags", rid)
        name = f"topic_{number}" if number < 23 else f"lang_{number - 23}" if number < 28 else f"tag_{number}"
        return {"name": name, "count": 1 + self.world.mix(number, 51) % max(2, self.world.sizes["tickets"])}

    def ticket_field(self, rid: int) -> Row:
        """Make a ticket field: first the system's own, then the custom ones."""
        number, value, row = self._base("ticket_fields", rid, "ticket_fields")
        custom = number - len(SYSTEM_FIELDS)
        system = custom < 0
        kind = SYSTEM_FIELDS[number] if system else _KINDS[custom % len(_KINDS)]
        title = SYSTEM_FIELDS[number].title() if system else _TITLES[custom % len(_TITLES)]
        if custom >= len(_TITLES):
            title = f"{title} {custom}"
        row |= {
            "type": kind,
            "title": title,
            "raw_title": title if value % 5 else "{{dc.field_title}}",
            "description": self.world.words(number, 52, 5),
            "raw_description": self.world.words(number, 52, 5),
            "position": (number * 7) % 97,
            "active": system or custom % 13 != 11,
            "required": system and number < 2,
            "collapsed_for_agents": False,
            "regexp_for_validation": "\\A[0-9]+\\z" if kind == "regexp" else None,
            "title_in_portal": title,
            "raw_title_in_portal": title,
            "visible_in_portal": value % 2 == 0,
            "editable_in_portal": value % 2 == 0,
            "required_in_portal": False,
            "agent_can_edit": True,
            "tag": f"field_{custom}" if kind == "checkbox" else None,
            "removable": not system,
            "key": None,
            "agent_description": None,
            "raw_agent_description": None,
            "creator_user_id": self.world.rid("users", 0) if value % 2 else -1,
            "creator_app_name": None if value % 2 else "Surveys",
        }
        if kind in ("tagger", "multiselect"):
            row["custom_field_options"] = _options(rid, 9)
        if kind in ("status", "priority", "tickettype"):
            row["sub_type_id"] = 0
            row["system_field_options"] = [
                {"name": name.title(), "value": name} for name in ("open", "pending", "solved")
            ]
        return row

    def ticket_form(self, rid: int) -> Row:
        """Make a ticket form."""
        number, _, row = self._base("ticket_forms", rid, "ticket_forms")
        name = f"Form {number}" if number else "Default Ticket Form"
        return {
            **row,
            "name": name,
            "raw_name": name,
            "display_name": name,
            "raw_display_name": name,
            "end_user_visible": True,
            "position": number + 1,
            "ticket_field_ids": [self.world.rid("ticket_fields", field) for field in range(2 + number, 12 + number)],
            "active": number % 5 != 4,
            "default": number == 0,
            "in_all_brands": True,
            "restricted_brand_ids": [],
            "end_user_conditions": [],
            "agent_conditions": [],
            "deleted_at": None,
        }

    def _custom_key_field(self, kind: str, rid: int) -> Row:
        number, value, row = self._base(kind, rid, kind)
        keys = ("customer_tier", "lifetime_value", "birthday", "newsletter", "loyalty_no")
        if kind == "organization_fields":
            keys = ("contract_end", "seats", "plan", "discount", "account_owner")
        types = ("dropdown", "decimal", "date", "checkbox", "integer")
        if kind == "organization_fields":
            types = ("date", "integer", "dropdown", "decimal", "text")
        key = keys[number] if number < 5 else f"{kind[:-7]}_field_{number}"
        row |= {
            "type": types[number % 5],
            "key": key,
            "title": key.replace("_", " ").title(),
            "raw_title": key.replace("_", " ").title(),
            "description": self.world.words(number, 53, 4),
            "raw_description": self.world.words(number, 53, 4),
            "position": number,
            "active": True,
            "system": False,
            "regexp_for_validation": None,
            "tag": None if value % 2 else key,
        }
        if row["type"] == "dropdown":
            row["custom_field_options"] = _options(rid, 3)
        return row

    def user_field(self, rid: int) -> Row:
        """Make a user field."""
        return self._custom_key_field("user_fields", rid)

    def organization_field(self, rid: int) -> Row:
        """Make an organization field."""
        return self._custom_key_field("organization_fields", rid)

    def sla_policy(self, rid: int) -> Row:
        """Make an SLA policy."""
        number, value, row = self._base("sla_policies", rid, "slas/policies")
        priorities = ("low", "normal", "high", "urgent")
        return {
            **row,
            "title": f"Policy {number} & more",
            "description": None if number % 2 else "Incidents first",
            "position": number + 1,
            "filter": {
                "all": [
                    {"field": "type", "operator": "is", "value": "incident"},
                    {"field": "custom_status_id", "operator": "includes", "value": ["1", "2"]},
                ],
                "any": [],
            },
            "policy_metrics": [
                {
                    "priority": name,
                    "metric": "first_reply_time",
                    "target": 60 * (1 + value % 9),
                    "business_hours": False,
                }
                for name in priorities
            ],
        }

    def schedule(self, rid: int) -> Row:
        """Make a business hours schedule."""
        number, _, row = self._base("schedules", rid, "business_hours/schedules")
        del row["url"]
        intervals = [{"start_time": day * 1440 + 540, "end_time": day * 1440 + 1020} for day in range(1, 6)]
        return {**row, "name": f"Schedule {number}", "time_zone": "Copenhagen", "intervals": intervals}

    def macro(self, rid: int) -> Row:
        """Make a macro."""
        number, value, row = self._base("macros", rid, "macros")
        title = f"{self.world.words(number, 54, 3).title()} {number}"
        actions: list[dict[str, Any]] = [{"field": "status", "value": "solved"}]
        if value % 3 == 0:
            actions.append({"field": "comment_value", "value": ["channel:all", "Hello {{ticket.requester.name}} <br>"]})
        return {
            **row,
            "title": title,
            "raw_title": title,
            "active": value % 6 != 0,
            "default": False,
            "position": (number * 31) % 997,
            "description": None if value % 2 else self.world.words(number, 55, 5),
            "actions": actions,
            "attachments": [rid + 7] if value % 5 == 0 else [],
            "restriction": None
            if value % 4
            else {"type": "Group", "id": self.world.rid("groups", 0), "ids": [self.world.rid("groups", 0)]},
        }

    def trigger(self, rid: int) -> Row:
        """Make a trigger."""
        number, value, row = self._base("triggers", rid, "triggers")
        title = f"Notify {self.world.words(number, 56, 2)} {number}"
        return {
            **row,
            "title": title,
            "raw_title": title,
            "active": value % 5 != 0,
            "default": number < 3,
            "position": (number * 17) % 499,
            "description": None,
            "category_id": str(100_000 + number % 4),
            "conditions": {"all": [{"field": "update_type", "operator": "is", "value": "Create"}], "any": []},
            "actions": [{"field": "notification_user", "value": ["requester_id", "Subject <b>", "Body & more"]}],
        }

    def automation(self, rid: int) -> Row:
        """Make an automation."""
        number, value, row = self._base("automations", rid, "automations")
        title = f"Close after {number + 1} days"
        return {
            **row,
            "title": title,
            "raw_title": title,
            "active": value % 4 != 0,
            "default": number == 0,
            "position": (number * 13) % 199,
            "conditions": {
                "all": [{"field": "SOLVED", "operator": "greater_than", "value": "96"}],
                "any": [],
            },
            "actions": [{"field": "status", "value": "closed"}],
        }

    def custom_role(self, rid: int) -> Row:
        """Make a custom role."""
        number, value, row = self._base("custom_roles", rid, "custom_roles")
        del row["url"]
        return {
            **row,
            "name": ("Advisor", "Team leader", "Staff", "Light agent")[number % 4]
            + (f" {number}" if number > 3 else ""),
            "description": "Advisors manage the workflow & configure the help desk.",
            "role_type": 0,
            "team_member_count": value % 20,
            "configuration": {
                "chat_access": True,
                "end_user_list_access": "full",
                "forum_access": "readonly",
                "light_agent": number % 4 == 3,
                "macro_access": "full",
                "manage_business_rules": value % 2 == 0,
                "ticket_access": "within-groups",
                "ticket_deletion": False,
                "ticket_editing": True,
                "view_access": "full",
                "voice_access": True,
            },
        }

    def custom_status(self, rid: int) -> Row:
        """Make a custom ticket status."""
        number, _, row = self._base("custom_statuses", rid, "custom_statuses")
        category = ("new", "open", "pending", "hold", "solved", "closed")[number % 6]
        return {
            **row,
            "status_category": category,
            "agent_label": category.title(),
            "end_user_label": category.title(),
            "description": "",
            "end_user_description": "",
            "active": True,
            "default": True,
        }

    def attribute(self, rid: int) -> Row:
        """Make a routing attribute; its id is a UUID."""
        number, value, row = self._base("account_attributes", rid, "routing/attributes")
        ident = str(uuid.UUID(int=(value << 80 | number + 1) & ((1 << 128) - 1), version=1))
        return {
            **row,
            "url": f"{HOST}/api/v2/routing/attributes/{ident}.json",
            "id": ident,
            "name": ("Language", "Product", "Colour", "Tier")[number % 4] + (f" {number}" if number > 3 else ""),
        }

    def attribute_definition(self, rid: int) -> Row:
        """Make a routing attribute definition, with the list it stands in."""
        number = self.world.number("attribute_definitions", rid)
        name = ("Number of incidents", "Brand", "Channel", "Group", "Form", "Priority")[number % 6]
        subject = name.lower().replace(" ", "_") + (f"_{number}" if number > 5 else "")
        return {
            "list": "conditions_any" if number % 3 == 1 else "conditions_all",
            "title": name,
            "subject": subject,
            "type": "list",
            "group": "ticket",
            "nullable": False,
            "repeatable": number % 2 == 0,
            "operators": [{"value": "is", "title": "Is", "terminal": False}],
            "values": [{"value": "1", "title": "One", "enabled": True}],
        }

    def audit_log_stamp(self, rid: int) -> int:
        """Return when an audit log entry was written."""
        number = self.world.number("audit_logs", rid)
        return self.world.spread(number, self.world.sizes["audit_logs"])

    def audit_log(self, rid: int) -> Row:
        """Make an audit log entry."""
        world = self.world
        number = world.number("audit_logs", rid)
        value = world.mix(number, 57)
        agent = world.agent(number, 58)
        action = ("update", "create", "destroy", "login")[value % 4]
        return audit_log(rid, self.audit_log_stamp(rid), action, agent, world.pick(number, 59, "macros"), value)

    def activity(self, rid: int) -> Row:
        """Make an activity of the last 30 days."""
        world = self.world
        number = world.number("ticket_activities", rid)
        count = max(1, world.sizes["ticket_activities"])
        moment = world.start - 3600 - (count - number) * (29 * 86400) // count
        ticket = 1 + world.mix(number, 60) % world.sizes["tickets"]
        actor, user = world.agent(number, 61), world.rid("users", 0)
        comments = world.mix(number, 62) % 3 == 0
        title = f"{world.person(1)} {'commented on' if comments else 'assigned'} ticket #{ticket}."
        return {
            "url": f"{HOST}/api/v2/activities/{rid}.json",
            "id": rid,
            "title": title,
            "verb": "tickets.comment" if comments else "tickets.assignment",
            "user_id": user,
            "actor_id": actor,
            **world.stamps(moment, moment),
            "object": {"ticket": {"id": ticket, "subject": "test <1>"}},
            "target": {"ticket": {"id": ticket, "subject": "test <1>"}},
            "user": {"id": user, "name": world.person(0)},
            "actor": {"id": actor, "name": world.person(1)},
        }


def audit_log(rid: int, moment: int, action: str, actor: int, source: int, value: int) -> Row:
    """Make an audit log entry."""
    return {
        "url": f"{HOST}/api/v2/audit_logs/{rid}.json",
        "id": rid,
        "action_label": action.title() + "d",
        "actor_id": actor,
        "source_id": source,
        "source_type": "rule",
        "source_label": "Macro: Close & save",
        "action": action,
        "change_description": "Position changed from 1 to 2\nActive changed from true to false",
        "ip_address": None if value % 4 else f"192.0.2.{value % 256}",
        "created_at": iso(moment),
        "actor_name": "Admin",
    }


def _options(rid: int, count: int) -> list[dict[str, Any]]:
    first = FIRST_ID["attachments"] + (rid % 100_000) * 1000 * STEP
    return [
        {
            "id": first + part * STEP,
            "name": f"Choice {part}",
            "raw_name": f"Choice {part}",
            "value": f"option_{part}",
            "default": False,
        }
        for part in range(count)
    ]
