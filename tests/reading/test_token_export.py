"""Exports whose only position is a token in the address of the next page."""

from __future__ import annotations

from typing import Any

import pytest
from scripted import BASE, Script, chunks

from zendesk_support.api.request import Usage
from zendesk_support.errors import ContractError
from zendesk_support.reading.base import Chunk, Job, Position
from zendesk_support.reading.shared import Shared
from zendesk_support.reading.token_export import TokenExport
from zendesk_support.records.json_rows import number
from zendesk_support.settings import Settings

PATH = "incremental/routing/instance_values"
EXPORT = TokenExport(PATH, "instance_values", time="time")
LINK = f"{BASE}/api/v2/{PATH}?cursor="
NOW = 1_800_000_000
SIZE = 2


def row(id: int) -> dict[str, Any]:
    """A change of a skill."""
    return {"id": id, "time": f"2026-01-0{id % 9 + 1}T00:00:00Z"}


class Server:
    """Changes in pages of two; the last page is empty and leads to itself."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.known = True

    def __call__(self, path: str, params: dict[str, str]) -> Any:
        if "cursor" in params and not self.known:
            return ContractError("400: invalid cursor")
        low = int(params.get("cursor", "t0")[1:])
        found = [row(id) for id in range(low + 1, min(self.count, low + SIZE) + 1)]
        last = found[-1]["id"] if found else low
        return {"instance_values": found, "count": len(found), "end_time": NOW, "next_page": f"{LINK}t{last}"}


def read(server: Any, position: Position | None = None) -> tuple[list[int | None], Chunk, Script]:
    """The ids that come, the last chunk, and what was asked."""
    script = Script(server, NOW)
    found = chunks(EXPORT, script, position=position)
    return [number(each, "id") for page in found for each in page.rows], found[-1], script


def after(chunk: Chunk) -> Position:
    """Where the next pass goes on."""
    return Position.of(chunk.saved, 0)


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_all_pages_are_read_and_then_only_what_is_new(count: int) -> None:
    server = Server(count)
    found, last, _ = read(server)
    assert found == list(range(1, count + 1))
    assert (last.complete, last.at) == (True, NOW - 120)
    again, last, script = read(server, after(last))
    assert again == []
    assert len(script.asked) == 2
    server.count += 3
    again, last, _ = read(server, after(last))
    assert again == list(range(count + 1, count + 4))
    assert read(server, after(last))[0] == []


def test_a_pass_that_was_cut_short_goes_on_with_its_last_page() -> None:
    server = Server(5)
    found = chunks(EXPORT, Script(server, NOW))
    assert [page.complete for page in found] == [False, False, False, True]
    server.count = 7
    again, _, script = read(server, after(found[1]))
    assert again == [5, 6, 7]
    assert script.asked[0][1] == {"cursor": "t2"}


def test_a_token_that_is_refused_or_leads_elsewhere_has_all_read_anew() -> None:
    server = Server(5)
    _, last, _ = read(server)
    server.known = False
    with pytest.raises(ContractError):
        read(server, after(last))
    server.known, refused = True, []

    def refusing(path: str, params: dict[str, str]) -> Any:
        if "cursor" in params and not refused:
            refused.append(params["cursor"])
            return ContractError("400: invalid cursor")
        return server(path, params)

    assert read(refusing, after(last))[0] == [1, 2, 3, 4, 5]
    elsewhere = Position(0, resume="t0", edge=after(last).edge)
    assert read(server, elsewhere)[0] == [1, 2, 3, 4, 5]


def test_an_empty_page_that_leads_on_is_followed_once() -> None:
    pages = {None: ([1], "a"), "a": ([], "b"), "b": ([2], "c"), "c": ([], "d"), "d": ([], "e"), "e": ([3], None)}

    def server(path: str, params: dict[str, str]) -> dict[str, Any]:
        found, token = pages[params.get("cursor")]
        return {"instance_values": [row(id) for id in found], "next_page": token and f"{LINK}{token}"}

    found, last, script = read(server)
    assert found == [1, 2]
    assert last.resume == "b"
    assert len(script.asked) == 5


@pytest.mark.parametrize(
    "told",
    [{}, {"next_page": f"{BASE}/api/v2/{PATH}"}, {"next_page": ""}, {"next_page": f"{LINK}"}],
    ids=["silent", "no cursor", "empty", "empty cursor"],
)
def test_a_page_that_does_not_say_where_it_leads_is_an_error(told: dict[str, Any]) -> None:
    with pytest.raises(ContractError):
        read(lambda *_: {"instance_values": [row(1)], **told})


def test_tokens_that_lead_in_a_circle_are_an_error() -> None:
    def circle(path: str, params: dict[str, str]) -> dict[str, Any]:
        following = {"a": "b", "b": "a"}.get(params.get("cursor", ""), "a")
        return {"instance_values": [row(len(following))], "next_page": f"{LINK}{following}"}

    with pytest.raises(ContractError, match="leads to the same page again"):
        read(circle)


def test_a_null_address_and_one_that_repeats_are_the_end() -> None:
    assert read(lambda *_: {"instance_values": [row(1)], "next_page": None})[0] == [1]

    def same(path: str, params: dict[str, str]) -> dict[str, Any]:
        return {"instance_values": [row(1 if not params else 2)], "next_page": f"{LINK}x"}

    assert read(same)[0] == [1, 2]


def test_a_period_is_taken_out_of_all_that_comes() -> None:
    script = Script(Server(5), NOW)
    third, fifth = 1_767_398_400, 1_767_571_200
    found = [number(each, "id") for page in chunks(EXPORT, script, end=fifth) for each in page.rows]
    assert found == [1, 2, 3]
    later = EXPORT.read(job_from(script, third))
    assert [number(each, "id") for page in later for each in page.rows] == [2, 3, 4, 5]


def job_from(script: Script, start: int) -> Any:
    """A job that begins at a start date."""
    transport: Any = script
    return Job(transport, Settings(base_url=BASE, start=start), Usage(), Shared(), Position(start))
