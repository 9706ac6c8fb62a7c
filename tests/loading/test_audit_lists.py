"""Sign-ins, tokens, revisions, invocations, merges, approvals and assets: what each leans on, and what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from scripted import Script, chunks, ids
from support import assert_whole, load, pipeline, queries, rows, source, truth, written

from zendesk_support import sync
from zendesk_support.api.answers import retry_after
from zendesk_support.errors import ContractError
from zendesk_support.reading.envelopes import Pages
from zendesk_support.reading.lists import Listing
from zendesk_support.simulator import Simulator
from zendesk_support.streams.selection import family

Simulate = Callable[..., Simulator]
AUDIT = family("audit")
DAY = 86_400
REVISIONS = Listing("triggers/1/revisions", "revisions", envelope=Pages(2, sized_by="limit"))
APPROVALS = Listing("approval_requests", "approvals", envelope=Pages(sized_by="", after="after_cursor"))


def test_all_of_the_family_is_loaded_whole_and_written_once(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, *AUDIT)
    assert_whole(target, account, *AUDIT)
    assert written(load(target, account, *AUDIT)) == {}
    for name in AUDIT:
        account.mutate("create_rows", stream=name, count=2)
        if name != "access_logs":
            account.mutate("update_rows", stream=name)
    report = load(target, account, *AUDIT)
    assert set(written(report)) == set(AUDIT)
    assert_whole(target, account, *AUDIT)
    assert written(load(target, account, *AUDIT)) == {}


def test_access_logs_are_asked_for_since_the_last_sync_in_the_longest_pages(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, "access_logs")
    account.mutate("create_rows", stream="access_logs", count=3)
    account.reset_requests()
    assert written(load(target, account, "access_logs")) == {"access_logs": 3}
    (query,) = queries(account, "access_logs")
    assert (query["page[size]"], query["filter[graphql]"]) == (["2500"], ["true"])
    newest = max(row["timestamp"] for row in account.truth("access_logs"))
    assert "2020" < query["filter[start]"][0] < newest
    account.advance(100 * DAY)
    assert written(load(target, account, "access_logs")) == {}
    assert_whole(target, account, "access_logs")


def test_a_429_of_access_logs_is_waited_for_until_the_time_that_it_tells(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=1, access_logs=60)
    account.use_quota("access_logs", 50)
    report = load(pipeline(tmp_path), account, "access_logs")
    statuses = Counter(request["status"] for request in account.requests() if request["route"] == "access_logs")
    assert statuses[429] in (0, 1)  # none where a new minute has begun
    assert statuses[200] == 1
    assert report.streams["access_logs"].rows == len(account.truth("access_logs"))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"ratelimit-reset": "2026-11-01T00:00:42Z"}, 42),
        ({"ratelimit-reset": "2026-11-01T01:00:42+01:00"}, 42),
        ({"ratelimit-reset": "2026-11-01 00:00:42"}, 42),
        ({"ratelimit-reset": "Sun, 01 Nov 2026 00:00:42 GMT"}, 42),
        ({"ratelimit-reset": "2026-10-31T23:00:00Z"}, 1),
        ({"ratelimit-reset": "2026-11-01T00:00:42Z", "Retry-After": "7"}, 7),
        ({"ratelimit-reset": "42"}, 10),
        ({"ratelimit-reset": "soon: now"}, 10),
        ({}, 10),
    ],
)
def test_how_long_a_429_asks_to_wait(headers: dict[str, str], seconds: float) -> None:
    assert retry_after({"Date": "Sun, 01 Nov 2026 00:00:00 GMT", **headers}) == seconds


def test_revisions_are_asked_for_where_their_trigger_has_changed(tmp_path: Path, account: Simulator) -> None:
    target, triggers = pipeline(tmp_path), len(account.truth("triggers"))
    load(target, account, "trigger_revisions", start_date="2026-01-01")
    assert len(queries(account, "trigger_revisions")) == triggers
    assert_whole(target, account, "trigger_revisions")
    account.reset_requests()
    account.mutate("update_rows", stream="triggers", count=2)
    assert written(load(target, account, "trigger_revisions")) == {"trigger_revisions": 2}
    assert [query["limit"] for query in queries(account, "trigger_revisions")] == [["1000"]] * 2
    account.mutate("remove_rows", stream="triggers")
    load(target, account, "trigger_revisions")
    assert_whole(target, account, "trigger_revisions")
    assert len(queries(account, "trigger_revisions")) <= 4


def test_a_trigger_that_was_refused_is_asked_again_though_it_did_not_change(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    path = f"/api/v2/triggers/{account.truth('triggers')[3]['id']}/revisions"
    account.fault("status", route=path, status=404, times=None)
    load(target, account, "trigger_revisions")
    account.clear_faults()
    assert len(rows(target, "trigger_revisions")) == len(truth(account, "trigger_revisions")) - 2
    load(target, account, "trigger_revisions")
    assert_whole(target, account, "trigger_revisions")


def test_what_zendesk_forgets_of_invocations_stays(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, "webhook_invocations", "webhooks")
    account.advance(8 * DAY)
    account.mutate("create_rows", stream="webhook_invocations", count=2)
    assert written(load(target, account, "webhook_invocations", "webhooks")) == {"webhook_invocations": 2}
    assert_whole(target, account, "webhook_invocations")


def test_a_merge_under_way_is_listed_by_both_organizations_and_loaded_once(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    assert [row["status"] for row in account.truth("organization_merges")].count("in_progress") >= 1
    load(target, account, "organization_merges", sync_mode="append")
    assert len(rows(target, "organization_merges")) == len(account.truth("organization_merges"))
    assert len(queries(account, "organization_merges")) == len(account.truth("organizations"))


def test_approvals_are_read_page_by_page_whose_size_zendesk_says(tmp_path: Path, account: Simulator) -> None:
    load(pipeline(tmp_path), account, "approval_requests")
    sent = queries(account, "approval_requests")
    assert [set(query) for query in sent] == [set(), {"after_cursor"}]


def test_a_cursor_without_a_link_goes_into_the_lists_own_parameter() -> None:
    pages = [
        {"approvals": [{"id": 1}], "meta": {"has_more": True, "after_cursor": "x"}, "links": {"next": None}},
        {"approvals": [{"id": 2}], "meta": {"has_more": False}, "links": {"next": None}},
    ]
    script = Script(lambda *_: pages.pop(0))
    assert ids(chunks(APPROVALS, script)) == [1, 2]
    assert [params for _, params in script.asked] == [{}, {"after_cursor": "x"}]


def test_the_end_of_revisions_is_a_null_address_of_older_ones() -> None:
    older = "https://acme.zendesk.com/api/v2/triggers/1/revisions?cursor=a&limit=2"
    pages = [{"revisions": [{"id": 3}, {"id": 2}], "before_url": older}, {"revisions": [{"id": 1}], "before_url": None}]
    assert ids(chunks(REVISIONS, Script(lambda *_: pages.pop(0)))) == [3, 2, 1]
    with pytest.raises(ContractError, match="does not say whether there is more"):
        chunks(REVISIONS, Script(lambda *_: {"revisions": [{"id": 3}], "after_url": None}))


def test_credentials_that_may_not_read_an_audit_say_so_and_the_rest_loads(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=1, plan="team")
    report = sync(pipeline(tmp_path), source(account).with_resources(*AUDIT))
    refused = {name for name, stream in report.streams.items() if stream.status == "unavailable"}
    assert refused == {"access_logs", "approval_requests", "itam_assets", "trigger_revisions"}
    assert "You must have administrator privileges" in (report.streams["access_logs"].message or "")
