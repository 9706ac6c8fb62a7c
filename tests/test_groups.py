"""Groups of streams that share a limit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from changes import CHANGES, TICKET_CHANGES
from repository import ROOT
from support import load, pipeline

from zendesk_support.api.limits import Limit
from zendesk_support.errors import ConfigurationError
from zendesk_support.groups import by_limit
from zendesk_support.reading.lists import Listing
from zendesk_support.reference import between_marks, tasks_table
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.base import feed
from zendesk_support.streams.selection import selected


@pytest.mark.parametrize("words", [["all"], ["default", "custom_objects"], ["help_center", "tickets"], []])
def test_every_stream_that_is_named_is_in_exactly_one_group(words: list[str]) -> None:
    assert sorted(name for names in by_limit(words).values() for name in names) == sorted(selected(words))


def test_where_nothing_is_named_the_groups_have_the_default_set() -> None:
    assert by_limit() == by_limit(["default"])
    assert "webhooks" in by_limit(["all"])
    assert "webhooks" not in by_limit()


def test_the_page_on_airflow_lists_the_tasks_and_their_streams() -> None:
    page = (ROOT / "docs" / "airflow.md").read_text()
    assert page == between_marks(page, tasks_table())
    assert [group for group in by_limit(["all"]) if f"| `zendesk_support_{group}` |" not in page] == []


def test_a_word_that_stands_for_no_stream_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r'streams = "ticket": .* Did you mean tickets\?'):
        by_limit(["ticket"])


def test_a_new_stream_joins_the_group_that_has_one_of_its_limits() -> None:
    groups, users = by_limit(), CATALOGUE["users"].feeds[0].endpoint.limits
    joined = {
        **CATALOGUE,
        "new": replace(CATALOGUE["tags"], name="new", feeds=feed(Listing("new", "new", limits=users))),
    }
    assert by_limit(catalogue=joined) == {**groups, "users_export": (*groups["users_export"], "new")}
    alone = feed(Listing("new", "new", limits=(Limit("of its own", 5),)))
    apart = {**CATALOGUE, "new": replace(CATALOGUE["tags"], name="new", feeds=alone)}
    assert by_limit(catalogue=apart) == {**groups, "of_its_own": ("new",)}


@pytest.mark.parametrize("audits", ["list", "per_ticket"])
def test_only_the_limit_of_the_account_counts_requests_of_two_groups(
    tmp_path: Path, simulate: Callable[..., Simulator], audits: str
) -> None:
    account = simulate()
    groups = defaultdict[str, set[str]](set)
    for again in (False, True):
        for group, names in by_limit(["all"]).items():
            account.reset_requests()
            load(pipeline(tmp_path, group), account, *names, ticket_audits=audits)
            for request in account.requests():
                for bucket in request["buckets"]:
                    groups[bucket].add(group)
        if not again:
            for kind, parameters in (*CHANGES, *TICKET_CHANGES.items()):
                account.mutate(kind, **parameters)
    assert {bucket for bucket, users in groups.items() if len(users) > 1} == {"account"}
    assert {bucket: users for bucket, users in groups.items() if len(users) == 1} == {
        "incremental_exports": {"incremental_exports"},
        "incremental_exports_cursor": {"users_export"},
        "deleted_tickets": {"incremental_exports"},
        "ticket_audits": {"incremental_exports"},
        "tags_index": {"account"},
        "ticket_fields_index": {"account"},
        "help_center": {"help_center"},
        "guide": {"guide"},
        "webhooks": {"webhooks"},
        "access_logs": {"access_logs"},
        "chat": {"chat"},
        "side_conversations": {"incremental_exports"},
        "agent_availabilities": {"agent_availabilities"},
        **{name: {"talk"} for name in ("talk", "talk_exports", "talk_queue")},
    }
