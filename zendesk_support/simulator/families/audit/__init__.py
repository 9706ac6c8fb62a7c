"""Who signs in and with what, revisions of triggers, webhooks that were sent, merges, approvals and assets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zendesk_support.simulator.clock import iso, unix
from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.families import triggers
from zendesk_support.simulator.families.audit import below as lists_below
from zendesk_support.simulator.families.audit import rows
from zendesk_support.simulator.families.configuration import WEBHOOKS
from zendesk_support.simulator.kinds import Family, Gate, Kind, below, listed, plain
from zendesk_support.simulator.server.envelopes import in_order_of_time, links_if_more, newest_first, plain_cursor
from zendesk_support.simulator.server.limits import Limit
from zendesk_support.simulator.server.messages import Refusal, Request, error
from zendesk_support.simulator.server.routes import Args

_ACCESS_LOGS = Limit(50, name="access_logs", tells_when=True)
_REFUSED = {"detail": "You must have administrator privileges", "title": "Authorization failed"}


def _refused(status: int) -> Refusal:
    """Refuse access logs to a role, or to an account without the add-on."""
    return Refusal(status, {"errors": [_REFUSED]})


def _access_logs(store: Store, request: Request, args: Args) -> Sequence[int]:
    """Return the requests of a time span that are remembered, the oldest first."""
    table = store.tables["access_logs"]
    low, high = store.now - rows.KEPT, store.now
    try:
        low = max(low, unix(request.params.get("filter[start]", iso(low))))
        high = min(high, unix(request.params.get("filter[end]", iso(high))))
    except ValueError:
        raise error("InvalidFilter", "filter must hold times as yyyy-mm-ddThh:mm:ssZ") from None
    meant = request.params.get("filter[graphql]") == "true"
    found = [rid for rid in table.rids if low <= table.stamp(rid) <= high]
    return [rid for rid in found if rows.is_meant(table.get(rid))] if meant else found


def _log_requests(change: Change, count: int = 1) -> dict[str, Any]:
    """Have agents make requests that somebody meant."""
    store, table = change.store, change.store.tables["access_logs"]
    made: list[str] = []
    while len(made) < count:
        rid = table.new_rid()
        row = rows.make_access_log(store.world, rid, change.now)
        table.add(row, change.now, rid)
        made += [row["id"]] if rows.is_meant(row) else []
    return {"ids": made}


def _tokens(store: Store, request: Request, args: Args) -> Sequence[int]:
    """Return the tokens of everybody, or of the caller alone."""
    table, me = store.tables["oauth_tokens"], store.world.rid("users", 0)
    everybody = request.params.get("all") == "true"
    return table.rids if everybody else [rid for rid in table.rids if table.get(rid)["user_id"] == me]


def _use(change: Change, row: Row) -> None:
    row["used_at"] = iso(change.now)


def _see(change: Change, row: Row) -> None:
    row["last_seen_at"] = iso(change.now)


def _sign_in(change: Change, row: Row) -> None:
    row |= {"authenticated_at": iso(change.now), "last_seen_at": iso(change.now)}


ACCESS_LOGS = Kind(
    "access_logs",
    row=rows.access_log,
    size=lambda of: max(60, min(3000, of["tickets"])),
    stamp=rows.logged_at,
    gate=Gate("enterprise", 403),
    routes=(
        listed(
            "access_logs",
            rids=_access_logs,
            form=in_order_of_time,
            lasting=False,
            params=("filter[start]", "filter[end]", "filter[graphql]"),
            general=_ACCESS_LOGS,
            admins=True,
            refused=_refused,
        ),
    ),
    truth=lambda store: filter(rows.is_meant, store.tables["access_logs"]),
    grows_only=True,
    create=_log_requests,
)
OAUTH_TOKENS = Kind(
    "oauth_tokens",
    row=rows.oauth_token,
    size=9,
    routes=(
        listed(
            "oauth_tokens",
            "oauth/tokens",
            "tokens",
            rids=_tokens,
            row=lambda store, _, rid: rows.token_with_secrets(store, rid),
            params=("all", "client_id", "global_client_id"),
            admins=True,
            name="list_of_tokens",
        ),
    ),
    altered=_use,
)
WEBHOOK_INVOCATIONS = Kind(
    "webhook_invocations",
    row=lists_below.webhook_invocation,
    size=lambda of: 3 * of["webhooks"],
    stamp=lists_below.invoked_at,
    routes=(
        listed(
            "webhook_invocations",
            "webhooks/{id}/invocations",
            "invocations",
            rids=lists_below.invocations,
            row=lists_below.shown_invocation,
            form=links_if_more,
            lasting=False,
            general=WEBHOOKS,
            admins=True,
        ),
    ),
    create=lists_below.invoke,
    update=lists_below.invoke_again,
)
ORGANIZATION_MERGES = Kind(
    "organization_merges",
    row=rows.organization_merge,
    size=6,
    routes=(
        listed(
            "organization_merges",
            "organizations/{id}/merges",
            rids=lists_below.merges,
            paging="cursor",
            lasting=False,
            admins=True,
        ),
    ),
    create=lists_below.merge,
    update=lists_below.complete_merges,
)
FAMILY = Family(
    "audit",
    (
        ACCESS_LOGS,
        plain(
            "oauth_clients",
            rows.oauth_client,
            4,
            "oauth/clients",
            "clients",
            row=lambda store, _, rid: rows.client_with_secret(store, rid),
            admins=True,
        ),
        OAUTH_TOKENS,
        plain(
            "sessions",
            rows.session,
            lambda of: of["agents"],
            paging="cursor",
            more={"cloned": _sign_in, "altered": _see},
        ),
        below(
            "trigger_revisions",
            triggers.trigger_revision,
            lambda of: triggers.PER_TRIGGER * of["triggers"],
            "triggers/{trigger_id}/revisions",
            "trigger_revisions",
            parent=("triggers", "trigger_id"),
            gate=Gate("enterprise", 403),
            form=newest_first,
            params=("limit", "cursor"),
            more={
                "create": triggers.revise_triggers,
                "update": triggers.revise_triggers,
                "remove": triggers.remove_triggers,
            },
        ),
        WEBHOOK_INVOCATIONS,
        ORGANIZATION_MERGES,
        plain(
            "approval_requests",
            rows.approval_request,
            8,
            gate=Gate("growth", 403),
            form=plain_cursor,
            params=("after_cursor", "before_cursor", "filter[status]"),
            admins=True,
        ),
        plain(
            "itam_assets",
            rows.itam_asset,
            7,
            "it_asset_management/assets",
            "assets",
            gate=Gate("growth", 404),
            paging="cursor",
        ),
    ),
)
