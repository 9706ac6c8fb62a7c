"""Users, organizations, groups, and what ties them together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.families.people import deleted, rows
from zendesk_support.simulator.kinds import Family, Kind, counted, exported, listed, plain, shown
from zendesk_support.simulator.server.exports import Export
from zendesk_support.simulator.server.limits import AsEndpoint, Limit
from zendesk_support.simulator.server.messages import Request, not_found
from zendesk_support.simulator.server.routes import Args
from zendesk_support.simulator.server.sideloads import named_by


class People:
    """What the tables of people do not say, `store.part(People)`."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._identities: dict[int, list[int]] = {}

    def is_active(self, rid: int) -> bool:
        """Tell whether a user is active."""
        users = self.store.tables["users"]
        return bool(users.get(rid)["active"]) if users.touched(rid) else rows.is_active(self.store.world, rid)

    def active(self) -> list[int]:
        """Return the users the list shows: those that are active."""
        users = self.store.tables["users"]
        return self.store.listing("users", lambda: (rid for rid in users.rids if self.is_active(rid)))

    def of_roles(self, roles: Sequence[str]) -> list[int]:
        """Return the users the list shows of some roles."""
        users = self.store.tables["users"]

        def fits(rid: int) -> bool:
            role = users.get(rid)["role"] if users.touched(rid) else rows.role_of(self.store.world, rid)
            return role in roles

        return self.store.listing(("users", *roles), lambda: filter(fits, self.active()))

    def inactive(self) -> list[int]:
        """Return the users the list of deleted users shows."""
        users = self.store.tables["users"]
        return self.store.listing("inactive", lambda: (rid for rid in users.rids if not self.is_active(rid)))

    def deleted(self, rid: int) -> Row:
        """Return a user as the list of deleted users shows it."""
        return deleted.shown(self.store.tables["users"].get(rid))

    def identity_rids(self, user: int) -> list[int]:
        """Return the ids of a user's identities."""
        world, identities = self.store.world, self.store.tables["user_identities"]
        is_first = user <= world.rid("users", world.sizes["users"] - 1)
        chosen = [*(rows.identity_rids(world, user) if is_first else ()), *self._identities.get(user, ())]
        return [rid for rid in chosen if rid in identities]

    def own_identity(self, user: int, identity: int) -> None:
        """Note a new identity of a user."""
        self._identities.setdefault(user, []).append(identity)

    def live_organizations(self) -> list[int]:
        """Return the organizations that are not deleted."""
        table = self.store.tables["organizations"]

        def is_live(rid: int) -> bool:
            return not table.touched(rid) or table.get(rid)["deleted_at"] is None

        return self.store.listing("organizations", lambda: filter(is_live, table.rids))

    def groups(self, with_deleted: bool = False) -> Sequence[int]:
        """Return the groups, without the deleted ones unless they are wanted."""
        table = self.store.tables["groups"]
        return table.rids if with_deleted else [rid for rid in table.rids if not table.get(rid)["deleted"]]


# Answers


def _identities(store: Store, request: Request, args: Args) -> Sequence[int]:
    user = int(args[0]) if args[0].isdigit() else 0
    if user not in store.tables["users"]:
        raise not_found()
    return store.part(People).identity_rids(user)


def _identities_of(store: Store, request: Request, page: list[Row]) -> list[Row]:
    people, identities = store.part(People), store.tables["user_identities"]
    return [identities.get(rid) for row in page for rid in people.identity_rids(row["id"])]


def _users(store: Store, request: Request, args: Args) -> Sequence[int]:
    roles = request.many("role[]") or request.many("role")
    return store.part(People).of_roles(roles) if roles else store.part(People).active()


def _groups(store: Store, request: Request) -> Sequence[int]:
    return store.part(People).groups(request.params.get("exclude_deleted", "true") == "false")


def _me(store: Store, request: Request, args: Args) -> dict[str, Any]:
    """Answer who is asking; wrong credentials make an anonymous user."""
    if not request.anonymous:
        user = store.tables["users"].get(store.world.rid("users", 0))
        return {"user": {**user, "role": store.role, "authenticity_token": "simulator"}}
    nobody: Row = {
        "id": None,
        "url": None,
        "name": "Anonymous user",
        "email": "invalid@example.com",
        "created_at": None,
        "updated_at": None,
        "role": "end-user",
        "active": None,
        "verified": False,
        "user_fields": {},
    }
    return {"user": nobody}


# Changes


def some_users(change: Change, count: int) -> list[int]:
    """Return some active end users."""
    users = change.store.tables["users"]
    first = change.store.world.rid("users", change.store.sizes["agents"])
    return change.sample(users.rids, count, lambda rid: rid >= first and users.get(rid)["active"])


def _update_users(change: Change, count: int = 1, ids: Sequence[int] = ()) -> dict[str, Any]:
    chosen = list(ids) or some_users(change, count)
    for rid in chosen:
        change.touch("users", rid)["notes"] = f"Updated {change.number}"
    return {"ids": chosen}


def _create_users(change: Change, count: int = 1) -> dict[str, Any]:
    tables, made = change.store.tables, []
    for _ in range(count):
        row = change.clone(tables["users"])
        row |= {
            "active": True,
            "role": "end-user",
            "email": f"new{row['id']}@example.com",
            "custom_role_id": None,
        }
        made.append(row["id"])
        _own(change, change.clone(tables["user_identities"]), row["id"])
    return {"ids": made}


def _own(change: Change, identity: Row, user: int) -> None:
    identity |= {
        "user_id": user,
        "value": f"new{identity['id']}@example.com",
        "type": "email",
        "url": f"{identity['url'].split('/users/')[0]}/users/{user}/identities/{identity['id']}.json",
    }
    change.store.part(People).own_identity(user, identity["id"])


def _own_by_some_user(change: Change, identity: Row) -> None:
    user = some_users(change, 1)[0]
    _own(change, identity, user)
    change.touch("users", user)


def _touch_user(change: Change, identity: Row) -> None:
    change.touch("users", identity["user_id"])


def _alter_identity(change: Change, identity: Row) -> None:
    change.alter_text(identity)
    _touch_user(change, identity)


def _deactivate_users(change: Change, count: int = 1) -> dict[str, Any]:
    chosen = some_users(change, count)
    for rid in chosen:
        change.touch("users", rid)["active"] = False
    return {"ids": chosen}


def _permanently_delete_users(change: Change, count: int = 1) -> dict[str, Any]:
    chosen = some_users(change, count)
    for rid in chosen:
        row = change.touch("users", rid)
        row |= {"active": False, "name": deleted.ERASED, "email": None, "phone": None, "photo": None}
        for identity in change.store.part(People).identity_rids(rid):
            change.store.tables["user_identities"].remove(identity)
    return {"ids": chosen}


def _update_organizations(change: Change, count: int = 1) -> dict[str, Any]:
    chosen = change.sample(change.store.part(People).live_organizations(), count)
    for rid in chosen:
        change.touch("organizations", rid)["notes"] = f"Updated {change.number}"
    return {"ids": chosen}


def _delete_organizations(change: Change, count: int = 1) -> dict[str, Any]:
    chosen = change.sample(change.store.part(People).live_organizations(), count)
    for rid in chosen:
        change.touch("organizations", rid)["deleted_at"] = iso(change.now)
    return {"ids": chosen}


def new_organization(change: Change, moment: int) -> Row:
    """Add an organization made at a moment."""
    row = change.clone(change.store.tables["organizations"], moment)
    row["deleted_at"] = None
    return row


def _create_organizations(change: Change, count: int = 1) -> dict[str, Any]:
    return {"ids": [new_organization(change, change.now)["id"] for _ in range(count)]}


def _create_groups(change: Change, count: int = 1) -> dict[str, Any]:
    made = [change.clone(change.store.tables["groups"]) for _ in range(count)]
    for row in made:
        row["deleted"] = False
    return {"ids": [row["id"] for row in made]}


def _update_groups(change: Change, count: int = 1) -> dict[str, Any]:
    chosen = change.sample(change.store.tables["groups"].rids, count)
    for rid in chosen:
        change.alter_text(change.touch("groups", rid))
    return {"ids": chosen}


def _delete_groups(change: Change, count: int = 1) -> dict[str, Any]:
    table = change.store.tables["groups"]
    chosen = change.sample(table.rids, count, lambda rid: not table.get(rid)["deleted"])
    for rid in chosen:
        change.touch("groups", rid)["deleted"] = True
    return {"ids": chosen}


def _alter_membership(change: Change, row: Row) -> None:
    row["default"] = not row["default"]


def _subscribe_another(change: Change, row: Row) -> None:
    row["user_id"] = next(user for user in some_users(change, 2) if user != row["user_id"])


_USERS_EXPORT = Limit(
    20,
    name="incremental_exports_cursor",
    tell=AsEndpoint("incremental-exports-cursor"),
    plans={"enterprise_plus": 60},
    in_json=True,
)
_USER_SIDELOADS = {
    "organizations": named_by("organizations", "organization_id"),
    "groups": named_by("groups", "default_group_id"),
    "roles": named_by("custom_roles", "custom_role_id"),
    "identities": _identities_of,
}
_USERS = Export("users", lambda store, _: store.tables["users"], sideloads=_USER_SIDELOADS)
_ORGANIZATIONS = Export("organizations", lambda store, _: store.tables["organizations"])

FAMILY = Family(
    "people",
    (
        Kind(
            "users",
            row=rows.user,
            size=lambda of: max(20, of["tickets"] // 2),
            routes=(
                exported("incremental_users_cursor", "users/cursor", _USERS, by_cursor=True, limit=_USERS_EXPORT),
                exported("incremental_users", "users", _USERS),
                listed(
                    "users",
                    rids=_users,
                    sideloads=_USER_SIDELOADS,
                    params=("role", "role[]"),
                ),
                counted(
                    "users",
                    "users",
                    lambda store, _: len(store.part(People).active()),
                    ("brand_id", "role", "role[]", "permission_set"),
                ),
                shown("users_me", "users/me", _me, anonymous=True),
            ),
            create=_create_users,
            update=_update_users,
            remove=_permanently_delete_users,
        ),
        Kind(
            "deleted_users",
            routes=(
                listed(
                    "deleted_users",
                    rids=lambda store, _, args: store.part(People).inactive(),
                    row=lambda store, _, rid: store.part(People).deleted(rid),
                ),
                counted("deleted_users", "deleted_users", lambda store, _: len(store.part(People).inactive())),
            ),
            truth=lambda store: map(store.part(People).deleted, store.part(People).inactive()),
            create=_deactivate_users,
            update=deleted.rename,
            remove=deleted.restore,
        ),
        Kind(
            "user_identities",
            row=rows.identity,
            rids=lambda world: (rid for user in world.rids("users") for rid in rows.identity_rids(world, user)),
            stamp=lambda world, rid: 0,
            routes=(listed("user_identities", "users/{id}/identities", "identities", rids=_identities),),
            cloned=_own_by_some_user,
            altered=_alter_identity,
            removed=_touch_user,
        ),
        Kind(
            "organizations",
            row=rows.organization,
            size=lambda of: max(5, of["tickets"] // 20),
            routes=(
                exported("incremental_organizations", "organizations", _ORGANIZATIONS),
                listed("organizations", rids=lambda store, _, args: store.part(People).live_organizations()),
                counted(
                    "organizations", "organizations", lambda store, _: len(store.part(People).live_organizations())
                ),
            ),
            create=_create_organizations,
            update=_update_organizations,
            remove=_delete_organizations,
        ),
        Kind(
            "groups",
            row=rows.group,
            size=lambda of: max(5, min(60, of["tickets"] // 100)),
            routes=(
                listed(
                    "groups",
                    rids=lambda store, request, args: _groups(store, request),
                    order="name,id",
                    params=("exclude_deleted",),
                ),
                counted("groups", "groups", lambda store, request: len(_groups(store, request))),
            ),
            create=_create_groups,
            update=_update_groups,
            remove=_delete_groups,
        ),
        plain(
            "group_memberships",
            rows.group_membership,
            lambda of: min(2000, of["agents"] * min(2, of["groups"])),
            sideloads={"users": named_by("users", "user_id"), "groups": named_by("groups", "group_id")},
            more={"altered": _alter_membership},
        ),
        plain(
            "organization_memberships",
            rows.organization_membership,
            lambda of: max(10, min(of["users"], of["tickets"])),
            sideloads={
                "users": named_by("users", "user_id"),
                "organizations": named_by("organizations", "organization_id"),
            },
        ),
        plain(
            "organization_subscriptions",
            rows.organization_subscription,
            lambda of: max(6, min(500, of["organizations"])),
            more={"altered": _subscribe_another},
        ),
    ),
    sizes={"agents": lambda of: max(3, min(200, of["users"] // 20))},
    mutations={
        "create_users": _create_users,
        "update_users": _update_users,
        "deactivate_users": _deactivate_users,
        "permanently_delete_users": _permanently_delete_users,
        "create_organizations": _create_organizations,
        "update_organizations": _update_organizations,
        "delete_organizations": _delete_organizations,
        "create_groups": _create_groups,
        "update_groups": _update_groups,
        "delete_groups": _delete_groups,
    },
)
