"""The account's settings: one object, a member a group."""

from __future__ import annotations

from typing import Any

from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.kinds import Kind, shown
from zendesk_support.simulator.server.messages import Request
from zendesk_support.simulator.server.routes import Args

_FIXED: Row = {
    "apps": {"use": True, "create_private": True, "create_public": False},
    "tickets": {
        "comments_public_by_default": True,
        "is_first_comment_private_enabled": True,
        "collaboration": True,
        "tagging": True,
        "status_hold": True,
        "maximum_personal_views_to_list": 8,
    },
    "agents": {"agent_workspace": True, "focus_mode": False},
    "groups": {"check_group_name_uniqueness": True},
    "chat": {"enabled": False, "available": True, "welcome_message": "Hi there. How can I help & where?"},
    "voice": {"enabled": True, "logging": False, "outbound_enabled": True, "maximum_queue_size": 5},
    "user": {"tagging": True, "language_selection": True, "multiple_organizations": True},
    "statistics": {"forum": True, "search": True, "rule_usage": True},
    "billing": {"backend": "internal"},
    "ticket_form": {"ticket_forms_instructions": "Choose one", "raw_ticket_forms_instructions": "Choose one"},
    "api": {"accepted_api_agreement": True, "api_password_access": "false", "api_token_access": "true"},
    "rule": {"macro_most_used": True, "macro_order": "alphabetical", "skill_based_filtered_views": []},
    "limits": {"attachment_size": 52_428_800},
    "cdn": {"cdn_provider": "default", "hosts": [{"name": "default", "url": "https://cdn.example.com"}]},
    "side_conversations": {"email_channel": False},
    "routing": {"enabled": False, "autorouting_tag": "", "max_email_capacity": 1},
}
"""Groups of settings that are the same in all accounts."""


class Settings:
    """Which settings somebody has changed, `store.part(Settings)`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.header_color = "78A300"

    def groups(self) -> Row:
        """Return all settings by group."""
        store, gates = self._store, self._store.gates
        return {
            **_FIXED,
            "branding": {
                "header_color": self.header_color,
                "page_background_color": "333333",
                "tab_background_color": "7FA239",
                "text_color": "FFFFFF",
                "header_logo_url": None,
                "favicon_url": None,
            },
            "active_features": {
                "business_hours": "schedules" not in gates,
                "customer_satisfaction": "satisfaction_ratings" not in gates,
                "ticket_forms": "ticket_forms" not in gates,
                "dynamic_contents": "dynamic_content_items" not in gates,
                "user_tagging": True,
                "user_org_fields": True,
                "voice": "phone_numbers" in store.tables and "phone_numbers" not in gates,
                "light_agents": store.plan.startswith("enterprise"),
            },
            "brands": {"default_brand_id": store.world.rid("brands", 0), "require_brand_on_new_tickets": False},
            "localization": {"locale_ids": [row["id"] for row in store.tables["locales"]]},
        }


def _answer(store: Store, request: Request, args: Args) -> dict[str, Any]:
    return {"settings": store.part(Settings).groups()}


def change_settings(change: Change, count: int = 1) -> dict[str, Any]:
    """Have the account look different."""
    change.store.part(Settings).header_color = f"{change.number % 0x1000000:06X}"
    return {"ids": [1]}


SETTINGS = Kind(
    "account_settings",
    routes=(shown("account_settings", "account/settings", _answer, stream="account_settings"),),
    truth=lambda store: [{"id": 1, **store.part(Settings).groups()}],
    create=change_settings,
    update=change_settings,
    remove=change_settings,
)
"""A complete load makes one row of them."""
