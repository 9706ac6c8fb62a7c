"""Envelopes of few lists: pages after the last row's id or by a whole address, lists side by side, one object."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from scripted import BASE, Answers, Script, chunks, ids

from zendesk_support.errors import ContractError
from zendesk_support.reading.envelopes import AfterLastRow, NextUrlPages, OneAnswer, OneObject, PagedLists
from zendesk_support.reading.lists import Listing

LINKS = Listing("jira/links", "links", envelope=AfterLastRow(2))
SETTINGS = Listing("account/settings", "settings", envelope=OneObject())
WORK = Listing("engagements", "agent_engagement_data", envelope=NextUrlPages(2))
STATUSES = Listing(
    "agent_statuses",
    "agent_statuses",
    envelope=PagedLists(
        2, lists={"default": False, "custom": True}, column="custom", older={"custom": "custom_statuses"}
    ),
)
RULES = Listing("capacity/rules", "data", envelope=OneAnswer(may_be_bare=True))
ELSEWHERE = "https://elsewhere.example/api/v2/jira/links?page[after]=4"


def links(count: int) -> Answers:
    """Pages of links by their ids, which name a cursor that is no cursor."""

    def answer(path: str, params: dict[str, str]) -> dict[str, Any]:
        after = int(params.get("page[after]", 0))
        found = [{"id": number} for number in range(after + 1, count + 1)]
        page = found[: int(params["page[size]"])]
        return {"links": page, "meta": {"has_more": len(page) < len(found), "after_cursor": ELSEWHERE}, "total": count}

    return answer


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_a_list_goes_on_after_the_id_of_its_last_row(count: int) -> None:
    script = Script(links(count))
    found = chunks(LINKS, script)
    assert ids(found) == list(range(1, count + 1))
    assert [page.complete for page in found] == [False] * (len(found) - 1) + [True]
    asked = [{"page[size]": "2"}, *({"page[size]": "2", "page[after]": str(last)} for last in range(2, count, 2))]
    assert script.asked == [("jira/links", params) for params in asked]


@pytest.mark.parametrize(
    ("rows", "more"),
    [
        ([{"id": 1}], {}),
        ([{"id": 1}], {"meta": {}}),
        ([{"id": 1}], {"meta": None}),
        ([], {"meta": {"has_more": True}}),
        ([{"id": None}], {"meta": {"has_more": True}}),
        ([{"id": "https://elsewhere.example"}], {"meta": {"has_more": True}}),
        ([{"issue_key": "A-1"}], {"meta": {"has_more": True}}),
        ([{"id": 1}], {"meta": {"has_more": True}}),
    ],
    ids=["no meta", "empty meta", "null meta", "no rows", "null id", "id as text", "no id", "the same page for ever"],
)
def test_a_list_that_cannot_go_on_after_its_last_row_is_an_error(rows: Any, more: dict[str, Any]) -> None:
    with pytest.raises(ContractError):
        chunks(LINKS, Script(lambda *_: {"links": rows, **more}))


def test_one_object_is_a_row_with_an_id_in_front() -> None:
    script = Script(lambda *_: {"settings": {"api": {"token_access": "true"}, "chat": {"enabled": False}}})
    (page,) = chunks(SETTINGS, script)
    (row,) = page.rows
    assert [*row] == ["id", "api", "chat"]
    decoded = msgspec.json.decode(msgspec.json.encode(row))
    assert decoded == {"id": 1, "api": {"token_access": "true"}, "chat": {"enabled": False}}
    assert page.complete
    assert script.asked == [("account/settings", {})]


@pytest.mark.parametrize("body", [{"settings": None}, {"settings": []}, {}], ids=["null", "a list", "missing"])
def test_what_is_no_object_is_no_row(body: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        chunks(SETTINGS, Script(lambda *_: body))


def work(count: int, **more: Any) -> Answers:
    """Pages of two whose next address is told whole."""

    def answer(path: str, params: dict[str, str]) -> dict[str, Any]:
        low = int(params.get("at", 0))
        found = [{"id": number} for number in range(low + 1, min(count, low + 2) + 1)]
        ends = low + 2 >= count
        url = None if ends else f"{BASE}/api/v2/engagements?at={low + 2}&page_size=2"
        return {"agent_engagement_data": found, "has_more": not ends, "next_page_url": url, "page_size": 2, **more}

    return answer


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_pages_are_followed_by_their_whole_address(count: int) -> None:
    script = Script(work(count))
    found = chunks(WORK, script)
    assert ids(found) == list(range(1, count + 1))
    assert [page.complete for page in found] == [False] * (len(found) - 1) + [True]
    assert {params["page_size"] for _, params in script.asked} == {"2"}


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"page_size": 10},
        {"has_more": True},
        {"has_more": True, "next_page_url": None},
        {"has_more": True, "next_page_url": f"{BASE}/api/v2/engagements?at=9"},
        {"has_more": False, "next_page_url": None, "page_size": 1},
    ],
    ids=["silent", "only a size", "no address", "null address", "the same page for ever", "more rows than its size"],
)
def test_a_page_that_contradicts_itself_or_says_nothing_of_what_follows_is_an_error(told: dict[str, Any]) -> None:
    rows = [{"id": 1}, {"id": 2}]
    with pytest.raises(ContractError):
        chunks(WORK, Script(lambda *_: {"agent_engagement_data": rows, **told}))


def statuses(pages: list[dict[str, Any]]) -> Answers:
    """Pages as they are given, one after the other."""

    def answer(path: str, params: dict[str, str]) -> dict[str, Any]:
        at = int(params.get("page[after]", 0))
        has_more = at + 1 < len(pages)
        return {**pages[at], "meta": {"has_more": has_more, "after_cursor": str(at + 1) if has_more else None}}

    return answer


def test_lists_side_by_side_are_told_apart_and_go_on_in_pages() -> None:
    first = {"default": [{"id": 2}, {"id": 3}], "custom": [{"id": 10}]}
    found = chunks(STATUSES, Script(statuses([first, {"custom": [{"id": 11}]}, {"custom_statuses": [{"id": 12}]}])))
    rows = [{name: msgspec.json.decode(value) for name, value in row.items()} for page in found for row in page.rows]
    assert {row["id"]: row["custom"] for row in rows} == {2: False, 3: False, 10: True, 11: True, 12: True}
    assert ids(chunks(STATUSES, Script(statuses([{"default": [], "custom": []}])))) == []


@pytest.mark.parametrize(
    "pages",
    [
        [{}],
        [{"default": [{"id": 2}]}],
        [{"custom": [{"id": 10}]}],
        [{"default": [], "custom": [{"id": 10}]}, {}],
        [{"default": None, "custom": []}],
    ],
    ids=["neither", "no custom", "no default", "a later page of neither", "null"],
)
def test_a_page_without_the_lists_that_it_should_have_is_an_error(pages: list[dict[str, Any]]) -> None:
    with pytest.raises(ContractError, match="which Zendesk promises"):
        chunks(STATUSES, Script(statuses(pages)))


@pytest.mark.parametrize("answer", [{"data": [{"id": 1}, {"id": 2}]}, [{"id": 1}, {"id": 2}]], ids=["keyed", "bare"])
def test_one_answer_may_be_the_array_of_its_rows(answer: Any) -> None:
    (page,) = chunks(RULES, Script(lambda *_: answer))
    assert ids([page]) == [1, 2]
    assert page.complete
