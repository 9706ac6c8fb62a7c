"""Where reading goes on and where it ends, kind by kind, against scripted answers."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from scripted import BASE, Answers, Script, chunks, ids

from zendesk_support.api.request import Usage
from zendesk_support.errors import ContractError, CursorExpiredError, StartTimeTooRecentError, UnavailableError
from zendesk_support.reading.base import Endpoint, Job, Position
from zendesk_support.reading.below import Below
from zendesk_support.reading.envelopes import ONE_ANSWER
from zendesk_support.reading.exports import CursorExport
from zendesk_support.reading.help_centers import HELP_CENTERS
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.log import LogListing
from zendesk_support.reading.page_size import PageSize
from zendesk_support.reading.shared import Shared
from zendesk_support.reading.since import FilteredListing, unix_window
from zendesk_support.reading.time_export import TimeExport
from zendesk_support.records.json_rows import number, row_hash
from zendesk_support.settings import Settings

TICKETS = CursorExport("tickets", "rows", time="at")
EVENTS = TimeExport("events", "rows", time="at")
METRICS = TimeExport("metrics", "rows", time=None, ends=False)
RATINGS = FilteredListing("ratings", "rows", time="at", window=unix_window("start_time", "end_time"))


def rows(*times: int, first: int = 1) -> list[dict[str, int]]:
    """Rows with ids in order and these times."""
    return [{"id": first + i, "at": at} for i, at in enumerate(times)]


def time_export(all_rows: list[dict[str, int]], size: int, ends: bool = True, grows: bool = True) -> Answers:
    """Zendesk's time-based paging."""

    def answer(path: str, params: dict[str, str]) -> dict[str, Any]:
        start = int(params["start_time"])
        found = [row for row in all_rows if row["at"] >= start]
        page = found[:size]
        end = page[-1]["at"] if page else start
        if grows and len(page) == size and page[0]["at"] == end:
            page = [row for row in found if row["at"] == end]
            end += 1
        body = {"rows": page, "count": len(page), "end_time": end, "next_page": f"{BASE}/events?start_time={end}"}
        return {**body, "end_of_stream": len(page) == len(found)} if ends else body

    return answer


def links(pages: list[list[dict[str, int]]], last: dict[str, Any], more: bool = True) -> Answers:
    """Cursor pagination, whose last page ends with `last`."""

    def answer(path: str, params: dict[str, str]) -> dict[str, Any]:
        page = int(params.get("page[after]", 0))
        if page == len(pages) - 1:
            return {"rows": pages[page], **last}
        body: dict[str, Any] = {"links": {"next": f"{BASE}/api/v2/{path}?page[after]={page + 1}&page[size]=100"}}
        return {"rows": pages[page], **body, **({"meta": {"has_more": True}} if more else {})}

    return answer


# The cursor export


def cursor_export(all_rows: list[dict[str, int]], size: int, **last: Any) -> Answers:
    def answer(path: str, params: dict[str, str]) -> dict[str, Any]:
        cursor = params.get("cursor")
        found = [
            row for row in all_rows if (row["id"] > int(cursor) if cursor else row["at"] >= int(params["start_time"]))
        ]
        page = found[:size]
        body = {"rows": page, "after_cursor": str(page[-1]["id"]) if page else cursor}
        return {**body, **(last if len(page) == len(found) else {"end_of_stream": False})}

    return answer


def test_a_cursor_export_ends_with_end_of_stream_though_it_names_a_cursor() -> None:
    """L08."""
    found = chunks(TICKETS, Script(cursor_export(rows(1, 2, 3, 4, 5), 2, end_of_stream=True)))
    assert ids(found) == [1, 2, 3, 4, 5]
    assert [(page.at, page.cursor, page.complete) for page in found] == [
        (2, "2", False),
        (4, "4", False),
        (5, None, True),
    ]


@pytest.mark.parametrize("export", [TICKETS, EVENTS])
def test_an_export_that_does_not_say_whether_it_ends_is_an_error(export: Endpoint) -> None:
    """L17."""
    answers = cursor_export if export is TICKETS else time_export
    with pytest.raises(ContractError, match="end_of_stream"):
        chunks(export, Script(answers(rows(1, 2), 2, **({} if export is TICKETS else {"ends": False}))))


@pytest.mark.parametrize("page", [rows(7, 8), []], ids=["with rows", "empty"])
def test_a_cursor_export_that_never_moves_on_is_an_error(page: list[dict[str, int]]) -> None:
    """L02."""
    with pytest.raises(ContractError, match="neither ends nor moves on"):
        chunks(TICKETS, Script(lambda *_: {"rows": page, "after_cursor": "8", "end_of_stream": False}))


def test_a_cursor_that_expired_is_replaced_by_the_last_second() -> None:
    """L27."""
    export = cursor_export(rows(1, 2, 3, 4, 5), 2, end_of_stream=True)

    def answer(path: str, params: dict[str, str]) -> Any:
        return CursorExpiredError("expired") if params.get("cursor") == "2" else export(path, params)

    script = Script(answer)
    assert sorted(set(ids(chunks(TICKETS, script)))) == [1, 2, 3, 4, 5]
    assert [params.get("start_time") for _, params in script.asked] == ["0", None, "2", None]


def test_an_export_all_of_whose_cursors_expire_still_moves_on() -> None:
    """L27."""
    export = cursor_export(rows(1, 2, 3, 4, 5), 2, end_of_stream=True)

    def answer(path: str, params: dict[str, str]) -> Any:
        return CursorExpiredError("expired") if "cursor" in params else export(path, params)

    assert sorted(set(ids(chunks(TICKETS, Script(answer))))) == [1, 2, 3, 4, 5]


def test_an_export_all_of_whose_cursors_expire_within_one_second_is_an_error() -> None:
    """L02, L27."""
    export = cursor_export(rows(1, 1, 1, 1), 2, end_of_stream=True)

    def answer(path: str, params: dict[str, str]) -> Any:
        return CursorExpiredError("expired") if "cursor" in params else export(path, params)

    with pytest.raises(ContractError, match="neither ends nor moves on"):
        chunks(TICKETS, Script(answer))


# Time exports


@pytest.mark.parametrize("export", [EVENTS, METRICS], ids=["end_of_stream", "without end_of_stream"])
def test_a_time_export_hands_on_each_row_once(export: TimeExport) -> None:
    """L03, L17."""
    all_rows = rows(1, 2, 2, 3, 3, 4, 5, 5, 6)
    script = Script(time_export(all_rows, 3, export.ends))
    found = chunks(export, script)
    assert ids(found) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert found[-1].complete


@pytest.mark.parametrize("export", [EVENTS, METRICS], ids=["end_of_stream", "without end_of_stream"])
def test_a_second_longer_than_a_page_comes_whole(export: TimeExport) -> None:
    """L02, L03."""
    script = Script(time_export(rows(1, 2, 2, 2, 2, 2, 2, 3), 3, export.ends))
    assert ids(chunks(export, script)) == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("export", [EVENTS, METRICS], ids=["end_of_stream", "without end_of_stream"])
def test_a_page_that_never_moves_on_is_an_error(export: TimeExport, monkeypatch: pytest.MonkeyPatch) -> None:
    """L02."""
    script = Script(time_export(rows(*[2] * 1500), 1000, export.ends, grows=False))
    with pytest.raises(ContractError, match="does not move on"):
        chunks(export, script)


@pytest.mark.parametrize(
    "last",
    [
        {"rows": [], "count": 0, "end_time": 9, "next_page": f"{BASE}/metrics?start_time=9"},
        {"rows": rows(9), "count": 1, "end_time": 9, "next_page": f"{BASE}/metrics?start_time=9"},
        {"rows": rows(9), "count": 1, "end_time": None, "next_page": f"{BASE}/metrics?start_time=9"},
        {"rows": rows(9), "count": 1, "end_time": None, "next_page": None},
    ],
    ids=["no rows", "the same end_time", "the same next_page", "no end_time"],
)
def test_an_export_without_end_of_stream_ends(last: dict[str, Any]) -> None:
    """L17."""
    found = chunks(METRICS, Script(lambda *_: last), at=9)
    assert ids(found) == [row["id"] for row in last["rows"]]
    assert [(page.at, page.complete) for page in found] == [(9, True)]


def test_metric_events_come_whole_though_their_times_are_out_of_order() -> None:
    """L16."""
    pages = {0: (rows(30, 10, 20), 30), 30: (rows(30, 5, 60, 41, first=4), 60), 60: (rows(60, 12, first=8), 60)}

    def answer(path: str, params: dict[str, str]) -> dict[str, Any]:
        page, end = pages[int(params["start_time"])]
        return {"rows": page, "end_time": end}

    found = chunks(METRICS, Script(answer))
    assert ids(found) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert found[-1].at == 60


@pytest.mark.parametrize("export", [EVENTS, METRICS], ids=["end_of_stream", "without end_of_stream"])
def test_a_long_last_second_is_asked_for_again(export: TimeExport) -> None:
    """L09."""
    found = chunks(export, Script(time_export(rows(1, *[2] * 1200), 1000, export.ends)))
    last, second = found[-1], {row_hash(row) for page in found for row in page.rows if number(row, "at") == 2}
    assert last.reread is not None
    assert (last.at, last.complete, len(second)) == (2, True, 1200)
    assert second <= last.reread.edge


@pytest.mark.parametrize("export", [TICKETS, EVENTS, METRICS])
def test_a_start_time_too_recent_means_nothing_new(export: Endpoint) -> None:
    """L26."""
    found = chunks(export, Script(lambda *_: StartTimeTooRecentError("Too recent")), at=5)
    assert [(page.rows, page.at, page.complete) for page in found] == [([], None, True)]


# Lists


@pytest.mark.parametrize(
    "last",
    [
        {"meta": {"has_more": False}, "links": {"next": f"{BASE}/api/v2/list?page[after]=9"}},
        {"meta": {"has_more": False, "after_cursor": ""}, "links": {"next": ""}},
        {"meta": {"has_more": False}, "links": {"next": None}},
        {"meta": {"has_more": False}},
        {"links": {"first": "x", "last": "y"}},
        {"next_page": None, "count": 3},
    ],
    ids=["support", "audit logs", "null", "webhooks", "help center", "one page"],
)
def test_a_list_ends_where_zendesk_says_so(last: dict[str, Any]) -> None:
    """L08."""
    script = Script(links([rows(1), rows(2, first=2), rows(3, first=3)], last))
    found = chunks(Listing("list", "rows"), script)
    assert ids(found) == [1, 2, 3]
    assert [page.complete for page in found] == [False, False, True]
    assert script.asked[0] == ("list", {"page[size]": "100"})


@pytest.mark.parametrize("pages", [[rows(1)], [rows(1), rows(2, first=2)]], ids=["first", "later"])
def test_a_page_that_does_not_say_whether_it_is_the_last_is_an_error(pages: list[list[dict[str, int]]]) -> None:
    """L08."""
    with pytest.raises(ContractError, match="does not say whether there is more"):
        chunks(Listing("list", "rows"), Script(links(pages, {})))


def test_a_list_that_comes_whole_without_a_word_of_pages_ends() -> None:
    assert ids(chunks(Listing("list", "rows", envelope=ONE_ANSWER), Script(lambda *_: {"rows": rows(1, 2)}))) == [1, 2]


def test_a_list_goes_on_by_its_link_where_there_is_no_meta() -> None:
    """L08."""
    found = chunks(Listing("list", "rows"), Script(links([rows(1), rows(2, first=2)], {"links": {}}, more=False)))
    assert ids(found) == [1, 2]


def test_a_list_goes_on_by_offset_where_zendesk_pages_so() -> None:
    """L08."""

    def answer(path: str, params: dict[str, str]) -> dict[str, Any]:
        page = int(params.get("page", 1))
        return {
            "rows": rows(page, first=page),
            "next_page": f"{BASE}/api/v2/list?page={page + 1}" if page < 3 else None,
        }

    assert ids(chunks(Listing("list", "rows"), Script(answer))) == [1, 2, 3]


def test_a_list_that_links_to_itself_is_an_error() -> None:
    """L02."""
    script = Script(
        lambda *_: {"rows": rows(1), "meta": {"has_more": True}, "links": {"next": f"{BASE}/api/v2/list?x=1"}}
    )
    with pytest.raises(ContractError, match="again"):
        chunks(Listing("list", "rows"), script)


def test_a_list_goes_on_by_its_cursor_where_there_is_no_link() -> None:
    """L08."""

    def answer(path: str, params: dict[str, str]) -> dict[str, Any]:
        page = int(params.get("page[after]", 0)) + 1
        return {"rows": rows(page, first=page), "meta": {"has_more": page < 3, "after_cursor": str(page)}}

    script = Script(answer)
    assert ids(chunks(Listing("list", "rows", params={"x": 1}), script)) == [1, 2, 3]
    assert script.asked[-1][1] == {"x": "1", "page[size]": "100", "page[after]": "2"}


@pytest.mark.parametrize("links", [{}, {"next": None}, None])
def test_a_list_that_says_there_is_more_but_not_where_is_an_error(links: Any) -> None:
    """L08."""
    script = Script(lambda *_: {"rows": rows(1), "meta": {"has_more": True}, "links": links})
    with pytest.raises(ContractError, match="more but not where"):
        chunks(Listing("list", "rows"), script)


# Lists filtered by time


def test_a_filtered_list_moves_only_with_its_last_page() -> None:
    """L05, L06."""
    pages = [rows(50, 10), rows(40, 20, first=3), rows(30, first=5)]
    script = Script(links(pages, {"meta": {"has_more": False}}), server_time=1_000)
    found = chunks(RATINGS, script, at=10)
    assert [page.at for page in found] == [10, 10, 50]
    assert [page.cursor is None for page in found] == [False, False, True]
    assert script.asked[0][1]["start_time"] == "10"


def test_a_filtered_list_moves_to_its_newest_row_and_not_to_the_clock() -> None:
    """L05."""
    script = Script(lambda *_: {"rows": rows(50), "meta": {"has_more": False}}, server_time=1_000_000)
    assert chunks(RATINGS, script)[-1].at == 50


def test_an_export_that_goes_on_from_a_cursor_knows_what_it_had_loaded_before() -> None:
    """The next sync reads the last minutes again, also those from before the cursor."""
    export = CursorExport("tickets", "tickets", time="at")
    rows = [{"id": id, "at": 1000 + id} for id in range(4)]

    def answers(path: str, params: dict[str, str]) -> Any:
        page = rows[2:] if params.get("cursor") == "2" else rows[:2]
        return {"tickets": page, "after_cursor": "2", "end_of_stream": page == rows[2:]}

    first, whole = chunks(export, Script(answers), lookback=600)
    cut_short = Position.of(first.saved, 0)
    [rest] = chunks(export, Script(answers), position=cut_short, lookback=600)
    assert len(Position.of(rest.saved, 0).edge) == 4
    assert Position.of(rest.saved, 0).edge == Position.of(whole.saved, 0).edge


def test_a_filtered_list_does_not_move_past_the_time_it_was_asked_at() -> None:
    """L05: a row on a page already read changes while the next is asked for."""
    pages = [rows(900, 910), rows(2_000, first=3)]
    found = chunks(RATINGS, Script(links(pages, {"meta": {"has_more": False}}), server_time=1_000))
    assert found[-1].at == 880


# Lists that only grow


AUDITS = LogListing("audits", "rows", time="at")


def older_cursors(all_rows: list[dict[str, int]], size: int) -> Answers:
    """The older paging of audits: newest first, with `before_url` to what is older."""

    def answer(path: str, params: dict[str, str]) -> dict[str, Any]:
        newest_first = all_rows[::-1]
        low = int(params.get("cursor", 0))
        more = low + size < len(newest_first)
        before = f"{BASE}/api/v2/audits?cursor={low + size}" if more else None
        return {"rows": newest_first[low : low + size], "before_url": before, "next_page": None}

    return answer


def test_audits_that_come_newest_first_are_read_back_to_the_position() -> None:
    script = Script(older_cursors(rows(*range(10, 100, 10)), 2), server_time=1_000)
    found = chunks(AUDITS, script, at=50)
    assert sorted(map(int, filter(None, ids(found)))) == [5, 6, 7, 8, 9]
    assert (found[-1].at, found[-1].complete, len(script.asked)) == (90, True, 4)


def test_audits_that_come_oldest_first_go_on_from_some_rows_before_the_end() -> None:
    listed = rows(*range(10, 100, 10))

    def answer(path: str, params: dict[str, str]) -> dict[str, Any]:
        low = int(params.get("page[after]", 0))
        page = listed[low : low + 2]
        return {"rows": page, "meta": {"has_more": low + 2 < len(listed), "after_cursor": str(low + len(page))}}

    first = chunks(AUDITS, Script(answer, server_time=1_000), lookback=15)[-1]
    assert first.resume == "6"
    listed += rows(100, 110, first=10)
    script, settings = Script(answer, server_time=1_000), Settings(base_url=BASE, start=0, lookback=15)
    transport: Any = script
    again = list(AUDITS.read(Job(transport, settings, Usage(), Shared(), Position.of(first.saved, 0))))
    assert ids(again) == [10, 11]
    assert script.asked[0][1]["page[after]"] == "6"


# Help centers


def help_center(path: str, params: dict[str, str]) -> Any:
    if path == "brands":
        brand = {"brand_url": BASE, "has_help_center": True, "active": True}
        return {"brands": [{**brand, "id": 1}], "meta": {"has_more": False}}
    if path == "articles":
        listed = [{"id": i, "updated_at": 5, "vote_count": 0, "vote_sum": 0} for i in (1, 2, 3)]
        return {"articles": listed, "meta": {"has_more": False}}
    return {"votes": [{"id": int(path.split("/")[1]) * 10}], "meta": {"has_more": False}}


ARTICLES = Below(HELP_CENTERS, Listing("articles", "articles", names=("id",)), {"brand_id": "id"}, is_long=True)
VOTES = Below(
    ARTICLES, Listing("articles/{id}/votes", "votes"), {"brand_id": "brand_id", "item_id": "id"}, is_dated=True
)


def test_a_parent_that_goes_while_its_children_are_read_has_none() -> None:
    def answer(path: str, params: dict[str, str]) -> Any:
        return UnavailableError("404") if path == "articles/2/votes" else help_center(path, params)

    assert ids(chunks(VOTES, Script(answer))) == [10, 30]


def test_children_that_no_parent_may_show_are_unavailable_and_not_gone() -> None:
    """L15, L20."""

    def answer(path: str, params: dict[str, str]) -> Any:
        return UnavailableError("403") if path.endswith("votes") else help_center(path, params)

    with pytest.raises(UnavailableError):
        chunks(VOTES, Script(answer))


@pytest.mark.parametrize(
    ("export", "days", "asked"),
    [(EVENTS, 3, 1), (EVENTS, 4, 2), (METRICS, 4, 4), (METRICS, 8, 5)],
    ids=["events to a page's end", "events to within a page", "metric events", "metric events to a page's end"],
)
def test_a_bounded_load_ends_once_the_export_is_past_the_period(export: TimeExport, days: int, asked: int) -> None:
    """L16. Metric events are read for a week more: their export is not ordered by their own time."""
    day = 86400
    script = Script(time_export(rows(*range(0, 40 * day, day)), 4, export.ends))
    found = chunks(export, script, end=days * day)
    assert set(ids(found)) >= set(range(1, days + 1))
    assert (len(script.asked), found[-1].complete) == (asked, True)


def test_a_page_size_grows_back_slower_each_time_the_larger_one_fails() -> None:
    """L25."""
    heavy_above, sizes = 130, []
    size = PageSize()
    for _ in range(60):
        sizes.append(size.rows)
        size.shrink() if size.rows > heavy_above else size.settle()
    assert sizes[:3] == [1000, 500, 250]
    failed = [i for i, rows in enumerate(sizes) if rows == 250]
    assert [later - earlier - 1 for earlier, later in pairwise(failed)] == [8, 16]
    for _ in range(200):
        size.settle()
    assert size.rows == 1000
