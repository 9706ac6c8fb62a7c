"""Envelopes of single lists: pages after the last row's id, and one object as one row."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from scripted import Answers, Script, chunks, ids

from zendesk_support.errors import ContractError
from zendesk_support.reading.envelopes import AfterLastRow, OneObject
from zendesk_support.reading.lists import Listing

LINKS = Listing("jira/links", "links", envelope=AfterLastRow(2))
SETTINGS = Listing("account/settings", "settings", envelope=OneObject())
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
