"""Rows within rows, lists of several kinds for one table, texts as rows, the help center of the default brand."""

from __future__ import annotations

from typing import Any

import msgspec
import pyarrow as pa
import pytest
from scripted import BASE, Script, ids

from zendesk_support.api.request import Usage
from zendesk_support.errors import ContractError, PageTooHeavyError, TransientError, UnavailableError
from zendesk_support.reading.base import Chunk, Endpoint, Job, Position
from zendesk_support.reading.below import Below
from zendesk_support.reading.embedded import Embedded, Side
from zendesk_support.reading.envelopes import ONE_ANSWER, Words
from zendesk_support.reading.help_centers import HELP_CENTERS, ONE_HELP_CENTER
from zendesk_support.reading.included import Included
from zendesk_support.reading.lists import Listing, resized
from zendesk_support.reading.shared import Shared
from zendesk_support.reading.together import Together
from zendesk_support.settings import Settings
from zendesk_support.warehouse.snapshot import SnapshotDiff

NOTES = Embedded("notes", "books/{id}/notes", "book_id")
BOOKS = Listing("books", "books", embeds=NOTES)
LAST = {"meta": {"has_more": False}}
LOADED = pa.table({"id": [7, 8, 9], "book_id": [1, 2, 3], "_dlt_id": ["x" * 12, "y" * 12, "z" * 12]})
REFUSED = UnavailableError("refused.")


def job(script: Script, diff: SnapshotDiff | None = None) -> Job:
    transport: Any = script
    wanted = {} if diff is None else {"notes": [diff]}
    return Job(transport, Settings(base_url=BASE, start=0), Usage(), Shared(), Position(0), diff, embedded=wanted)


def notes(diff: SnapshotDiff) -> list[int]:
    """What is not listed any more."""
    return sorted(diff.gone().column("id").to_pylist())


def loaded() -> SnapshotDiff:
    return SnapshotDiff(LOADED, ("id",), ("book_id",))


def sides(found: list[Chunk]) -> list[list[Any]]:
    """What stood within rows, page by page."""
    return [[{name: msgspec.json.decode(value) for name, value in row.items()} for row in page.side] for page in found]


def test_what_is_embedded_is_asked_for_only_where_it_is_wanted_and_no_row_keeps_it() -> None:
    script = Script(lambda *_: {"books": [{"id": 1, "notes": [{"id": 7, "book_id": 1}]}], **LAST})
    for wanted in (None, loaded()):
        found = list(BOOKS.read(job(script, wanted)))
        assert [list(row) for page in found for row in page.rows] == [["id"]]
        assert sides(found) == [[{"id": 7, "book_id": 1}] if wanted else []]
    assert [params.get("include") for _, params in script.asked] == [None, "notes"]


@pytest.mark.parametrize("within", [{}, {"notes": None}, {"notes": []}], ids=["lacking", "null", "empty"])
def test_a_row_without_what_it_should_hold_is_asked_for_its_own_list(within: dict[str, Any]) -> None:
    def answer(path: str, params: dict[str, str]) -> Any:
        if path == "books":
            return {"books": [{"id": 1, **within}, {"id": 2, "notes": [{"id": 8, "book_id": 2}]}], **LAST}
        return {"notes": [{"id": 7}], **LAST}

    script = Script(answer)
    found = list(BOOKS.read(job(script, loaded())))
    assert sides(found) == [[{"id": 8, "book_id": 2}, {"book_id": 1, "id": 7}]]
    assert [path for path, _ in script.asked] == ["books", "books/1/notes"]


def test_one_that_is_refused_keeps_its_rows_and_so_do_all_where_nobody_is_answered() -> None:
    def answer(path: str, params: dict[str, str]) -> Any:
        if path == "books" and "page[after]" not in params:
            return {"books": [{"id": 1}, {"id": 2}], "meta": {"has_more": True, "after_cursor": "next"}}
        if path == "books":
            return {"books": [{"id": 3}], **LAST}
        return {"notes": [], **LAST} if path == answered else REFUSED

    answered = "books/2/notes"
    diff, script = loaded(), Script(answer)
    work = job(script, diff)
    assert len(list(BOOKS.read(work))) == 2
    assert notes(diff) == [8]
    assert "refused for 1" in work.included["notes"].notes[0]
    assert work.included["notes"].refusal is None
    answered = ""
    diff, script = loaded(), Script(answer)
    work = job(script, diff)
    assert ids(list(BOOKS.read(work))) == [1, 2, 3]
    assert (notes(diff), work.notes) == ([], [])
    assert work.included["notes"] == Included(refusal=REFUSED)
    assert len([path for path, _ in script.asked if path != "books"]) == 2


@pytest.mark.parametrize("refusal", [REFUSED, ContractError("400"), TransientError("500")], ids=str)
def test_a_list_that_refuses_to_embed_is_asked_for_its_own_rows_and_remembered(refusal: Exception) -> None:
    def answer(path: str, params: dict[str, str]) -> Any:
        if path == "books":
            return refusal if "include" in params else {"books": [{"id": 1}], **LAST}
        return {"notes": [{"id": 7}], **LAST}

    script = Script(answer)
    work = job(script, loaded())
    for asked in (["books", "books", "books/1/notes"], ["books", "books/1/notes"]):
        script.asked.clear()
        found = list(BOOKS.read(work))
        assert (ids(found), sides(found)) == ([1], [[{"book_id": 1, "id": 7}]])
        assert [path for path, _ in script.asked] == asked
    assert work.notes == []
    assert work.included["notes"].notes == [f"books: asked without include=notes, which is refused: {refusal}"]
    refused = Script(lambda *_: refusal)
    with pytest.raises(type(refusal)):
        list(BOOKS.read(job(refused, loaded())))
    assert len(refused.asked) == 2


def test_a_later_page_that_is_refused_is_an_error() -> None:
    first = {"books": [{"id": 1, "notes": [{"id": 7}]}], "meta": {"has_more": True, "after_cursor": "next"}}
    script = Script(lambda _, params: REFUSED if "page[after]" in params else first)
    with pytest.raises(UnavailableError):
        list(BOOKS.read(job(script, loaded())))


@pytest.mark.parametrize("within", ["text", [1], {"id": 1}], ids=str)
def test_what_is_no_list_of_rows_is_an_error_of_who_takes_it(within: Any) -> None:
    script = Script(lambda *_: {"books": [{"id": 1, "notes": within}], **LAST})
    (found,) = BOOKS.read(job(script, loaded()))
    assert ids([found]) == [1]
    assert isinstance(found.side, Side)
    assert isinstance(found.side.error, ContractError)
    assert str(found.side.error).startswith("notes of the row with id 1 of an answer are no list of objects")


def test_pages_become_smaller_where_they_are_too_heavy_and_stay_so() -> None:
    def answer(path: str, params: dict[str, str]) -> Any:
        size, after = int(params["page[size]"]), int(params.get("page[after]", 0))
        if size > 30:
            return PageTooHeavyError("504")
        rows = [{"id": number, "notes": [{"id": number}]} for number in range(after + 1, min(60, after + size) + 1)]
        link = f"{BASE}/api/v2/books?include=notes&page[size]={size}&page[after]={after + size}"
        return {"books": rows, "meta": {"has_more": after + size < 60}, "links": {"next": link}}

    script = Script(answer)
    assert ids(list(BOOKS.read(job(script, loaded())))) == list(range(1, 61))
    assert [params["page[size]"] for _, params in script.asked] == ["100", "50", "25", "25", "25"]
    assert resized("/api/v2/books?page%5Bsize%5D=100&a=b%26c", 50) == "/api/v2/books?a=b%26c&page%5Bsize%5D=50"


# Several lists for one table

OWNERS = Listing("owners", "owners", ONE_ANSWER, names=("id",))
HOUSES = Listing("houses", "houses", ONE_ANSWER, names=("id",))
BOTH = Together(
    "visits",
    "of",
    {
        "Owner": Below(OWNERS, Listing("owners/{id}/visits", "visits", ONE_ANSWER), {"to": "id"}),
        "House": Below(HOUSES, Listing("houses/{id}/visits", "visits", ONE_ANSWER), {"to": "id"}),
    },
)


def visits(refused: tuple[str, ...] = ()) -> Script:
    answers: dict[str, Any] = {
        "owners": {"owners": [{"id": 1}]},
        "houses": {"houses": [{"id": 2}]},
        "owners/1/visits": {"visits": [{"id": 10, "of": "person"}]},
        "houses/2/visits": {"visits": [{"id": 10}]},
    }
    return Script(lambda path, _: REFUSED if path in refused else answers[path])


def of_both(endpoint: Endpoint, script: Script, diff: SnapshotDiff) -> tuple[list[tuple[Any, ...]], Job]:
    work = job(script)
    work.diff, work.diffs = diff, [diff]
    rows = [row for chunk in endpoint.read(work) for row in chunk.rows]
    return [tuple(msgspec.json.decode(row[name]) for name in ("of", "to", "id")) for row in rows], work


def held() -> SnapshotDiff:
    table = {"of": ["House", "Owner"], "id": [99, 98], "to": [2, 1], "_dlt_id": ["x" * 12, "y" * 12]}
    return SnapshotDiff(pa.table(table), ("of", "id"), ("to",))


def test_rows_of_several_lists_are_told_apart_by_a_column_of_ours() -> None:
    diff = held()
    assert of_both(BOTH, visits(), diff)[0] == [("Owner", 1, 10), ("House", 2, 10)]
    assert diff.gone().num_rows == 2
    assert BOTH.compared == ("of", "to")
    assert BOTH.cost == "1 for each row of owners and houses"


@pytest.mark.parametrize("refused", ["houses", "houses/2/visits"])
def test_rows_of_a_list_that_is_refused_stay_while_another_answers(refused: str) -> None:
    diff = held()
    found, work = of_both(BOTH, visits((refused,)), diff)
    assert found == [("Owner", 1, 10)]
    assert diff.gone().to_pylist() == [{"of": "Owner", "id": 98}]
    assert work.notes == ["visits, House: left out, its rows stay: refused."]
    with pytest.raises(UnavailableError):
        of_both(BOTH, visits(("owners", refused)), held())


# Texts as rows, one help center

LOCALES = Listing("locales", "locales", envelope=Words("locale", "default_locale", "default"))


def test_texts_are_rows_and_one_of_them_is_marked() -> None:
    script = Script(lambda *_: {"locales": ["en-us", "de", "de"], "default_locale": "de"})
    (found,) = LOCALES.read(job(script))
    rows = [{name: msgspec.json.decode(value) for name, value in row.items()} for row in found.rows]
    assert rows == [{"locale": "en-us", "default": False}, {"locale": "de", "default": True}]
    script = Script(lambda *_: {"locales": ["de"], "default_locale": None})
    (found,) = LOCALES.read(job(script))
    assert [bytes(row["default"]) for row in found.rows] == [b"false"]
    for wrong in ({"locales": ["en-us"]}, {"locales": [1], "default_locale": "de"}, {"default_locale": "de"}):
        with pytest.raises(msgspec.ValidationError):
            list(LOCALES.read(job(Script(lambda *_, wrong=wrong: wrong))))


def test_what_the_account_has_once_is_asked_for_at_the_default_brand_or_else_the_first() -> None:
    def brand(number: int, **more: Any) -> dict[str, Any]:
        return {"id": number, "brand_url": f"{BASE}{number}", "has_help_center": True, **more}

    def hosts(*brands: dict[str, Any]) -> list[list[str]]:
        script = Script(lambda *_: {"brands": list(brands), **LAST})
        both = (HELP_CENTERS, ONE_HELP_CENTER)
        return [[p.base[-1] for page in some.listed_by(job(script)) for p in page] for some in both]

    assert hosts(brand(1), brand(2, default=True)) == [["1", "2"], ["2"]]
    assert hosts(brand(1), brand(2), brand(3, default=True, has_help_center=False)) == [["1", "2"], ["1"]]
    assert hosts(brand(3, default=True, has_help_center=False)) == [[], []]
