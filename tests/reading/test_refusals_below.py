"""A refusal of a part is not one of the whole: below a ticket, an article, a brand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support import assert_whole, load, pipeline, source, table, written

from zendesk_support import sync
from zendesk_support.errors import ContractError
from zendesk_support.simulator import Simulator

Simulate = Callable[..., Simulator]


def audits(account: Simulator) -> dict[int, set[int]]:
    """Audits by ticket, of tickets that are not deleted."""
    deleted = {row["id"] for row in account.truth("tickets") if row["status"] == "deleted"}
    found: dict[int, set[int]] = {}
    for row in account.truth("ticket_audits_all"):
        if row["ticket_id"] not in deleted:
            found.setdefault(row["ticket_id"], set()).add(row["id"])
    return found


@pytest.mark.parametrize("status", [403, 404])
def test_a_single_wrong_refusal_below_a_ticket_costs_no_row(tmp_path: Path, simulate: Simulate, status: int) -> None:
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    account.fault("status", route="ticket_audits_of_ticket", nth=3, times=1, status=status)
    load(target, account, "ticket_audits", ticket_audits="per_ticket")
    assert {key[0] for key in table(target, "ticket_audits")} == set().union(*audits(account).values())


@pytest.mark.parametrize("status", [403, 404])
def test_a_ticket_that_is_refused_is_named_and_asked_for_again(tmp_path: Path, simulate: Simulate, status: int) -> None:
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    ticket, missed = next(iter(audits(account).items()))
    account.fault("status", route=f"/api/v2/tickets/{ticket}/audits", times=None, status=status)
    report = load(target, account, "ticket_audits", ticket_audits="per_ticket")
    assert f"refused for {ticket} " in (report.streams["ticket_audits"].message or "")
    assert missed.isdisjoint(key[0] for key in table(target, "ticket_audits"))
    account.clear_faults()
    assert written(load(target, account, "ticket_audits", ticket_audits="per_ticket")) == {"ticket_audits": len(missed)}
    assert {key[0] for key in table(target, "ticket_audits")} == set().union(*audits(account).values())
    account.reset_requests()
    load(target, account, "ticket_audits", ticket_audits="per_ticket")
    assert [request for request in account.requests() if "/audits" in request["path"]] == []


def test_what_no_ticket_may_show_is_unavailable_and_comes_once_it_may(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    account.fault("status", route="ticket_audits_of_ticket", times=None, status=403)
    report = sync(target, source(account, ticket_audits="per_ticket").with_resources("ticket_audits"))
    assert report.streams["ticket_audits"].status == "unavailable"
    account.clear_faults()
    load(target, account, "ticket_audits", ticket_audits="per_ticket")
    assert {key[0] for key in table(target, "ticket_audits")} == set().union(*audits(account).values())


@pytest.mark.parametrize("status", [403, 404])
def test_the_only_ticket_of_a_pass_tells_nothing_of_the_plan(tmp_path: Path, simulate: Simulate, status: int) -> None:
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    load(target, account, "ticket_audits", ticket_audits="per_ticket")
    account.mutate("update_tickets", count=1)
    account.fault("status", route="ticket_audits_of_ticket", times=None, status=status)
    report = load(target, account, "ticket_audits", ticket_audits="per_ticket")
    assert report.unavailable == []
    assert "the next sync asks again" in (report.streams["ticket_audits"].message or "")
    account.clear_faults()
    load(target, account, "ticket_audits", ticket_audits="per_ticket")
    assert {key[0] for key in table(target, "ticket_audits")} == set().union(*audits(account).values())


def test_deleted_tickets_are_not_asked_for_their_audits(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    load(target, account, "ticket_audits", ticket_audits="per_ticket")
    account.mutate("delete_tickets", count=2)
    account.reset_requests()
    report = load(target, account, "ticket_audits", ticket_audits="per_ticket")
    assert report.streams["ticket_audits"].message is None
    assert [request for request in account.requests() if "/audits" in request["path"]] == []


@pytest.mark.parametrize("refused", [0, 1])
@pytest.mark.parametrize("status", [403, 404])
def test_a_brand_that_refuses_its_help_center_costs_no_other_brand(
    tmp_path: Path, simulate: Simulate, refused: int, status: int
) -> None:
    account = simulate(tickets=1, articles=8)
    target = pipeline(tmp_path)
    streams = ("articles", "article_comments", "article_votes", "sections")
    other, center = account.account.help_centers[1 - refused], account.account.help_centers[refused]
    fault_brand(account, refused, status)
    report = load(target, account, *streams)
    assert {key[0] for key in table(target, "articles")} == {other.brand_id}
    assert f"help center of brand {center.brand_id}" in (report.streams["articles"].message or "")
    account.clear_faults()
    load(target, account, *streams)
    assert_whole(target, account, *streams)
    fault_brand(account, refused, status)
    assert written(load(target, account, *streams)) == {}
    assert_whole(target, account, *streams)


def fault_brand(account: Simulator, brand: int, status: int) -> None:
    """Have one brand's help center refuse every list."""
    account.fault("status", route="/api/v2/help_center/*", times=None, status=status, brand=brand)


def test_a_brand_that_may_have_a_help_center_is_asked_and_its_refusal_is_no_news(
    tmp_path: Path, simulate: Simulate
) -> None:
    account = simulate(tickets=1, articles=8)
    for rid in account.account.tables["brands"].rids:
        account.account.tables["brands"].change(rid)["has_help_center"] = None
    account.account.changed()
    report = load(pipeline(tmp_path), account, "articles")
    assert report.streams["articles"].message is None
    assert report.streams["articles"].rows == len(account.truth("articles"))


def test_an_answer_without_the_identities_asked_for_removes_none(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=10)
    target = pipeline(tmp_path)
    load(target, account, "user_identities")
    account.mutate("update_users", count=3)
    account.fault("without", route="incremental_users_cursor", times=None, key="identities")
    report = sync(target, source(account).with_resources("user_identities"))
    assert isinstance(report.streams["user_identities"].error, ContractError)
    assert_whole(target, account, "user_identities")


@pytest.mark.parametrize("name", ["group_memberships", "articles"])
def test_a_list_that_comes_empty_once_is_asked_for_again_before_its_rows_are_removed(
    tmp_path: Path, simulate: Simulate, name: str
) -> None:
    account = simulate(tickets=1, articles=8)
    target = pipeline(tmp_path)
    load(target, account, name)
    account.fault("emptied", route=name, times=1)
    assert written(load(target, account, name)) == {}
    assert_whole(target, account, name)


def test_a_list_that_stays_empty_is_believed_and_said(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=1)
    target = pipeline(tmp_path)
    load(target, account, "group_memberships")
    account.fault("emptied", route="group_memberships", times=None)
    report = load(target, account, "group_memberships")
    assert "lists none any more, asked twice" in (report.streams["group_memberships"].message or "")
    assert table(target, "group_memberships") == {}


def test_a_vote_exchanged_for_its_like_is_seen_within_thirty_days(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=1, articles=6)
    target = pipeline(tmp_path)
    load(target, account, "article_votes")
    center = account.account.help_centers[0]
    votes = center.tables["article_votes"]
    old = votes.get(votes.rids[0])
    votes.add({**old, "id": votes.new_rid()}, int(account.now()))
    votes.remove(old["id"])
    center.forget_children("article_votes")
    account.account.changed()
    assert written(load(target, account, "article_votes")) == {}
    account.advance(30 * 86400)
    assert written(load(target, account, "article_votes")) == {"article_votes": 2}
    assert_whole(target, account, "article_votes")
