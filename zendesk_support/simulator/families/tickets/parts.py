"""What a load takes out of tickets into tables of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.families.tickets.happen import happen, live, set_fields, touch

_PEOPLE = {"collaborator": "collaborator_ids", "follower": "follower_ids", "email_cc": "email_cc_ids"}


def tags(store: Store) -> Iterator[Row]:
    """Yield a row for each tag of a ticket."""
    for ticket in _living(store):
        for tag in dict.fromkeys(ticket["tags"]):
            yield {"ticket_id": ticket["id"], "tag": tag, "generated_timestamp": ticket["generated_timestamp"]}


def collaborators(store: Store) -> Iterator[Row]:
    """Yield a row for each person that a ticket names besides its requester, in each kind."""
    for ticket in _living(store):
        for kind, column in _PEOPLE.items():
            for user in dict.fromkeys(ticket[column]):
                row = {"ticket_id": ticket["id"], "user_id": user, "kind": kind}
                yield {**row, "generated_timestamp": ticket["generated_timestamp"]}


def _living(store: Store) -> Iterator[Row]:
    return (ticket for ticket in store.tables["tickets"] if ticket["status"] != "deleted")


# Changes


def add_tags(change: Change, count: int = 1) -> dict[str, Any]:
    """Have agents tag tickets."""
    return _tag(change, count, lambda tags: [*tags, f"added_{change.number}"])


def change_tags(change: Change, count: int = 1) -> dict[str, Any]:
    """Have agents put other tags in place of the last ones."""
    return _tag(change, count, lambda tags: [*tags[:-1], f"changed_{change.number}"])


def remove_tags(change: Change, count: int = 1) -> dict[str, Any]:
    """Have agents remove the first tags."""
    return _tag(change, count, lambda tags: tags[1:])


def _tag(change: Change, count: int, alter: Callable[[list[str]], list[str]]) -> dict[str, Any]:
    tickets = change.store.tables["tickets"]
    chosen = live(change, count, lambda rid: bool(tickets.get(rid)["tags"]))
    for rid in chosen:
        set_fields(change, rid, {"tags": alter(tickets.get(rid)["tags"])})
    return {"ids": chosen}


def add_followers(change: Change, count: int = 1) -> dict[str, Any]:
    """Have agents follow tickets."""
    agents = change.store.world.rids("users")[: change.store.sizes["agents"]]

    def follow(row: Row) -> None:
        others = [agent for agent in agents if agent not in row["follower_ids"]]
        row["follower_ids"] = [*row["follower_ids"], *others[:1]]

    return _listen(change, live(change, count), follow)


def change_followers(change: Change, count: int = 1) -> dict[str, Any]:
    """Have the people in copy follow their tickets instead."""

    def move(row: Row) -> None:
        row |= {"follower_ids": row["email_cc_ids"], "email_cc_ids": []}

    return _listen(change, _with_people(change, count, "email_cc_ids"), move)


def remove_followers(change: Change, count: int = 1) -> dict[str, Any]:
    """Have nobody follow some tickets."""
    return _listen(change, _with_people(change, count, "follower_ids"), lambda row: row.update(follower_ids=[]))


def _with_people(change: Change, count: int, column: str) -> list[int]:
    tickets = change.store.tables["tickets"]
    return live(change, count, lambda rid: bool(tickets.get(rid)[column]))


def _listen(change: Change, chosen: list[int], alter: Callable[[Row], None]) -> dict[str, Any]:
    for rid in chosen:
        happen(change, rid, {}, f"Who listens {change.number}", public=False)
        alter(touch(change, rid))
    return {"ids": chosen}
