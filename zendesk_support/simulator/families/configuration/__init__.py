"""The account's configuration: languages, addresses, connections, workspaces and settings."""

from __future__ import annotations

from zendesk_support.simulator.families.configuration import agents, connections, places
from zendesk_support.simulator.families.configuration.settings import SETTINGS, change_settings
from zendesk_support.simulator.kinds import Family, Gate, plain
from zendesk_support.simulator.server.envelopes import after_the_last_id, links_if_more
from zendesk_support.simulator.server.limits import Limit, in_one_header

WEBHOOKS = Limit(100, name="webhooks", tell=in_one_header)

FAMILY = Family(
    "configuration",
    (
        SETTINGS,
        plain("locales", places.locale, 5, paging="none", more={"cloned": places.new_locale, "kept": lambda store: 1}),
        plain(
            "time_zones",
            places.time_zone,
            18,
            paging="bare",
            anonymous=True,
            more={"altered": places.move_zone},
        ),
        plain(
            "recipient_addresses",
            places.recipient_address,
            lambda of: of["brands"] + 3,
            row=lambda store, _, rid: places.address_with_code(store, rid),
            sideloads={"brands": places.brands_of},
            more={"cloned": places.new_address},
        ),
        plain(
            "dynamic_content_items",
            places.dynamic_content_item,
            lambda of: max(5, min(300, of["tickets"] // 100)),
            "dynamic_content/items",
            "items",
            gate=Gate("growth", 403),
            more={"cloned": places.new_item, "altered": places.alter_item},
        ),
        plain("sharing_agreements", connections.sharing_agreement, 4, paging="none"),
        plain(
            "brand_agents",
            agents.brand_agent,
            lambda of: of["agents"] * of["brands"],
            gate=Gate("growth", 403),
            admins=True,
            more={"altered": agents.move_to_brand},
        ),
        plain(
            "workspaces",
            agents.workspace,
            5,
            paging="offset",
            order="position,id",
            row=lambda store, _, rid: agents.workspace_with_macros(store, rid),
            gate=Gate("enterprise", 403),
        ),
        plain(
            "targets",
            connections.target,
            7,
            paging="none",
            row=lambda store, _, rid: connections.target_with_secrets(store, rid),
        ),
        plain(
            "webhooks",
            connections.webhook,
            12,
            form=links_if_more,
            row=lambda store, _, rid: connections.webhook_with_secrets(store, rid),
            general=WEBHOOKS,
            admins=True,
            more={"altered": connections.edit_webhook},
        ),
        plain(
            "app_installations",
            connections.app_installation,
            6,
            "apps/installations",
            "installations",
            paging="bare",
            row=lambda store, _, rid: connections.installation_with_settings(store, rid),
            admins=True,
            more={"altered": connections.switch},
        ),
        plain(
            "resource_collections",
            connections.resource_collection,
            4,
            paging="offset",
            admins=True,
            more={"altered": connections.delete_resource},
        ),
        plain(
            "jira_links",
            connections.jira_link,
            lambda of: max(8, min(3000, of["tickets"] // 20)),
            "jira/links",
            "links",
            form=after_the_last_id,
            row=lambda store, _, rid: connections.link_with_milliseconds(store, rid),
            admins=True,
            more={"cloned": connections.new_link, "altered": connections.move_issue},
        ),
    ),
    ids=("dynamic_content_variants",),
    mutations={"change_settings": change_settings},
)
