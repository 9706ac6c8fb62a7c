"""Chat: exports by time and id, lists from an id on, and a login of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scripted import BASE, Answers, Script, chunks, ids
from support import assert_whole, environment_of, load, pipeline, queries, rows, source, truth, written

from zendesk_support import sync, verify, zendesk_support_source
from zendesk_support.api.request import Usage
from zendesk_support.errors import ConfigurationError, ContractError
from zendesk_support.reading.base import Job, Position
from zendesk_support.reading.chat_export import ChatExport
from zendesk_support.reading.from_id import BareRows, ListingFromId
from zendesk_support.reading.shared import Shared
from zendesk_support.records.json_rows import row_hash
from zendesk_support.settings import Settings
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.selection import family

Simulate = Callable[..., Simulator]
CHAT = family("chat")
NOW = 1_790_000_000
EXPORT = ChatExport("chat/incremental/chats", "chats", time="at")
AGENTS = ListingFromId("chat/agents", "agents", size=2)
BANS = ListingFromId("chat/bans", "bans", BareRows({"visitor": "v", "ip_address": "ip"}, "type"), size=2)


def test_all_of_the_family_is_loaded_whole_and_written_once(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, *CHAT)
    assert_whole(target, account, *CHAT)
    assert written(load(target, account, *CHAT)) == {}
    for name in CHAT:
        if name != "chat_account":
            account.mutate("create_rows", stream=name, count=2)
        if name != "chat_agent_timeline":
            account.mutate("update_rows", stream=name)
    account.mutate("remove_rows", stream="chats")
    assert set(written(load(target, account, *CHAT))) == set(CHAT)
    assert_whole(target, account, *CHAT)
    for name in CHAT:
        if CATALOGUE[name].snapshot and name != "chat_account":
            account.mutate("remove_rows", stream=name, count=2)
    load(target, account, *CHAT)
    assert_whole(target, account, *CHAT)
    assert written(load(target, account, *CHAT)) == {}


def test_chats_come_whole_in_pages_that_end_within_a_second(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=1, chats=2002)
    target = pipeline(tmp_path)
    load(target, account, "chats")
    assert len(rows(target, "chats")) == 2002
    asked = queries(account, "chats")
    assert [set(query) for query in asked] == [{"fields", "limit", "start_time"}, *[{*asked[1]}] * (len(asked) - 1)]
    assert {*asked[1]} == {"fields", "limit", "start_time", "start_id"}
    assert {query["fields"][0] for query in asked} == {"chats(*)"}
    assert [int(query["start_time"][0]) for query in asked] == sorted(int(query["start_time"][0]) for query in asked)
    assert len(asked) == 4
    account.reset_requests()
    assert written(load(target, account, "chats")) == {}
    assert len(queries(account, "chats")) == 2


def test_spans_of_agents_come_whole_and_once_though_their_pages_name_no_id(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=1, chat_agent_timeline=2001)
    target = pipeline(tmp_path)
    load(target, account, "chat_agent_timeline")
    assert_whole(target, account, "chat_agent_timeline")
    asked = queries(account, "chat_agent_timeline")
    assert {name for query in asked for name in query} == {"fields", "limit", "start_time"}
    assert len(asked) == 4
    assert written(load(target, account, "chat_agent_timeline")) == {}


@pytest.mark.parametrize("by_start", [False, True])
@pytest.mark.parametrize("minutes", [0, 10])
def test_spans_that_go_on_or_are_told_once_they_end_arrive_whatever_their_order(
    tmp_path: Path, account: Simulator, by_start: bool, minutes: int
) -> None:
    target, settings = pipeline(tmp_path), {"lookback_minutes": minutes}
    account.mutate("order_spans", by_start=by_start)
    account.mutate("create_rows", stream="chat_agent_timeline", count=2)
    for _ in range(3):
        assert load(target, account, "chat_agent_timeline", **settings).failed == []
        assert_whole(target, account, "chat_agent_timeline")
        assert written(load(target, account, "chat_agent_timeline", **settings)) == {}
        account.advance(1800)
        account.mutate("stay_online")
        account.mutate("end_spans", lasted=4 * 3600)
    for words in ("explained", "ok"):
        chosen = source(account, **settings).with_resources("chat_agent_timeline")
        (result,) = verify(target, chosen, keys=True)
        assert result.verdict == words
        again = load(target, account, "chat_agent_timeline", **settings)
        assert written(again) == ({"chat_agent_timeline": 2} if words == "explained" else {})
    assert_whole(target, account, "chat_agent_timeline")


def test_spans_in_the_order_of_their_update_move_the_position_to_the_end_of_the_last() -> None:
    export: Any = CATALOGUE["chat_agent_timeline"].feeds[0].endpoint
    began = {7: NOW - 90_000, 8: NOW - 40_000, 9: NOW - 30_000}
    spans = {7: (began[7], 80_000), 8: (began[8], 39_000), 9: (began[9], 1_000)}

    def answer(path: str, params: dict[str, str]) -> dict[str, Any]:
        ends = sorted((at + lasted, agent) for agent, (at, lasted) in spans.items())
        found = [each for each in ends if each[0] * 10**6 >= int(params["start_time"])]
        page = [{"agent_id": agent, "start_time": spans[agent][0], "duration": spans[agent][1]} for _, agent in found]
        return {"agent_timeline": page, "end_time": found[-1][0] * 10**6 if found else int(params["start_time"])}

    spans[9] = (began[9], 1_000)
    first = chunks(export, Script(answer, NOW))
    assert [bytes(row["agent_id"]) for page in first for row in page.rows] == [b"9", b"7", b"8"]
    assert first[-1].at == NOW - 1_000
    position = Position.of(first[-1].saved, 0)
    assert position.since == NOW - 1_000 - 86_400


def test_a_span_that_comes_twice_in_one_pass_is_loaded_as_it_was_last(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    account.mutate("create_rows", stream="chat_agent_timeline")
    handle, seen = account.api.handle, []

    def grown(request: Any) -> Any:
        if request.path.endswith("agent_timeline") and seen:
            account.mutate("stay_online", settle=False)
        seen.append(request.path)
        return handle(request)

    account.api.handle = grown  # type: ignore[method-assign]
    load(target, account, "chat_agent_timeline")
    account.api.handle = handle  # type: ignore[method-assign]
    assert_whole(target, account, "chat_agent_timeline")


def test_the_position_of_chats_without_a_time_follows_the_end_of_their_pages() -> None:
    known = [{"id": f"{place:04}", "timestamp": NOW} for place in range(1500)]
    ends = {chat["id"]: NOW - 900_000 + place * 300 for place, chat in enumerate(known)}

    def answer(path: str, params: dict[str, str]) -> dict[str, Any]:
        start, after = int(params["start_time"]), params.get("start_id", "")
        page = [row for row in known if (ends[str(row["id"])], str(row["id"])) > (start, after)][:1000]
        last = str(page[-1]["id"]) if page else None
        return {"chats": page, "end_time": ends[last] if last else start, "end_id": last}

    script: Any = Script(answer, NOW)
    export: Any = CATALOGUE["chats"].feeds[0].endpoint
    job = Job(script, Settings(base_url=BASE, start=0, lookback=600), Usage(), Shared(), Position(0))
    found = list(export.read(job))
    assert len(names(found)) == 1500
    assert found[-1].at == ends["1499"]
    assert "the position follows `end_time`" in job.notes[0]
    position = Position.of(found[-1].saved, 0)
    again = chunks(export, script, lookback=600, position=position)
    assert set(names(again)) == {"1497", "1498", "1499"}
    assert {row_hash(row) for page in again for row in page.rows} <= position.edge


def test_nothing_is_asked_of_the_last_five_minutes(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, "chats", "chat_agent_timeline")
    for _ in range(3):
        account.mutate("create_rows", stream="chats", settle=False)
        account.mutate("create_rows", stream="chat_agent_timeline", settle=False)
        load(target, account, "chats", "chat_agent_timeline", lookback_minutes=0)
    assert_whole(target, account, "chats", "chat_agent_timeline")
    assert {request["status"] for request in account.requests()} == {200}


def chats(times: list[int], size: int = 1000, *, inclusive: bool = False, heeds_id: bool = True) -> Answers:
    """An export of chats by their times, whose ids are their places."""
    known = [{"id": f"{place:03}", "at": at} for place, at in enumerate(times)]

    def answer(path: str, params: dict[str, str]) -> dict[str, Any]:
        start, after = int(params["start_time"]), params.get("start_id", "") if heeds_id else ""
        assert start <= NOW - 300
        found = [row for row in known if (row["at"], str(row["id"])) >= (start, after)]
        if after and not inclusive:
            found = [row for row in found if row["id"] != after]
        page = found[: min(size, int(params["limit"]))]
        last = page[-1] if page else {"at": start, "id": after}
        return {"chats": page, "count": len(page), "end_time": last["at"], "end_id": last["id"]}

    return answer


def names(found: list[Any]) -> list[str]:
    return [bytes(row["id"]).decode().strip('"') for page in found for row in page.rows]


@pytest.mark.parametrize("inclusive", [False, True])
@pytest.mark.parametrize("size", [1000, 3, 2])
def test_a_page_that_is_shorter_than_asked_for_is_not_the_end(size: int, inclusive: bool) -> None:
    times = [100, 200, 200, 200, 200, 200, 300, 400]
    found = chunks(EXPORT, Script(chats(times, size, inclusive=inclusive), NOW))
    assert names(found) == [f"{place:03}" for place in range(8)]
    assert [page.complete for page in found] == [False] * (len(found) - 1) + [True]
    assert found[-1].at == 400


def test_a_second_that_is_longer_than_a_page_is_an_error_where_the_id_is_not_heeded() -> None:
    with pytest.raises(ContractError, match="does not move on"):
        chunks(EXPORT, Script(chats([100] * 80, 60, heeds_id=False), NOW))


def test_a_server_that_does_not_heed_the_id_is_told_of_as_rows_may_be_missing() -> None:
    script: Any = Script(chats([100] * 5 + [200] * 3, 5, heeds_id=False), NOW)
    job = Job(script, Settings(base_url=BASE, start=0), Usage(), Shared(), Position(0))
    found = list(EXPORT.read(job))
    assert names(found) == [f"{place:03}" for place in range(5)]
    assert job.notes == [f"{EXPORT.path}: start_id is not heeded; rows of a full second may be missing"]


@pytest.mark.parametrize("at", [None, "soon", 1_790_000_000_000_000])
def test_a_row_whose_id_would_hold_no_time_is_an_error(at: Any) -> None:
    export = ChatExport("x", "spans", time="at", identified_by=("agent", "at"))
    page = {"spans": [{"agent": 7, "at": 20}, {"agent": 7, "at": at}], "end_time": 20}
    with pytest.raises(ContractError, match="at of a row is no time"):
        chunks(export, Script(lambda *_: page, 400))


def test_an_empty_page_that_moves_on_is_not_the_end() -> None:
    later = chats([100, 900])

    def answer(path: str, params: dict[str, str]) -> Any:
        start = int(params["start_time"])
        empty = {"chats": [], "count": 0, "end_time": start + 100, "end_id": None}
        return empty if 100 < start < 800 or "start_id" in params else later(path, params)

    assert names(chunks(EXPORT, Script(answer, NOW))) == ["000", "001"]
    endless = Script(lambda _, params: {"chats": [], "end_time": int(params["start_time"]) + 1}, NOW)
    with pytest.raises(ContractError, match="does not move on"):
        chunks(EXPORT, endless)


def test_the_position_of_a_pass_that_was_cut_short_is_that_of_its_last_page() -> None:
    script = Script(chats([100, 200, 300, 400], 2), NOW)
    first = chunks(EXPORT, script)[0]
    assert first.at == 200
    assert names(chunks(EXPORT, Script(chats([100, 200, 300, 400], 2), NOW), at=200)) == ["001", "002", "003"]


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ({"chats": [{"id": "a"}, {"id": "b"}], "end_time": 10}, "ids alone"),
        ({"chats": [{"id": "a", "at": 20}, {"id": "b", "at": 10}], "end_time": 20}, "in the order"),
        ({"chats": [{"id": "a", "at": 20}], "end_time": 10}, "before its last row"),
        ({"chats": [{"id": "a", "at": 20}], "end_time": 9_000_000_000}, "is no time"),
        ({"chats": [{"id": "a", "at": 3}], "end_time": 10}, "are older"),
    ],
)
def test_a_page_that_breaks_a_promise_is_an_error(page: dict[str, Any], words: str) -> None:
    with pytest.raises(ContractError, match=words):
        chunks(EXPORT, Script(lambda *_: page, NOW), at=5)


def test_a_clock_that_is_ahead_is_put_right_by_the_refusal() -> None:
    script = Script(lambda *_: None)

    def answer(path: str, params: dict[str, str]) -> Any:
        script.server_time = NOW
        if int(params["start_time"]) > NOW - 300:
            return ContractError("start_time must be more than 5 minutes in the past")
        return {"chats": [], "count": 0, "end_time": int(params["start_time"]), "end_id": None}

    script.answers = answer
    found = chunks(EXPORT, script, at=NOW - 10)
    assert [page.complete for page in found] == [True]
    with pytest.raises(ContractError, match="broken"):
        chunks(EXPORT, Script(lambda *_: ContractError("broken"), NOW), at=5)


def test_another_name_of_the_time_and_an_empty_department_are_put_right() -> None:
    export = ChatExport(
        "x", "chats", time="at", also="was_at", blanks=("department_id",), identified_by=("agent", "at")
    )
    page = {"chats": [{"agent": 7, "was_at": 20, "department_id": ""}], "end_time": 20, "count": 1}
    (row,) = chunks(export, Script(lambda *_: page, 400))[0].rows
    assert {name: bytes(value) for name, value in row.items()} == {
        "id": b'"7 20"',
        "agent": b"7",
        "at": b"20",
        "department_id": b"null",
    }


def agents(known: list[int], *, inclusive: bool) -> Answers:
    """A list of agents from an id on, or after it."""

    def answer(path: str, params: dict[str, str]) -> list[dict[str, int]]:
        since = int(params.get("since_id", -1))
        return [{"id": id} for id in known if id > since or (inclusive and id == since)][: int(params["limit"])]

    return answer


@pytest.mark.parametrize("inclusive", [False, True])
@pytest.mark.parametrize("known", [[], [5], [5, 6], [5, 6, 7], [5, 6, 7, 8, 9]])
def test_a_list_from_an_id_on_ends_where_no_later_id_comes(known: list[int], inclusive: bool) -> None:
    found = chunks(AGENTS, Script(agents(known, inclusive=inclusive)))
    assert ids(found) == known
    assert [page.complete for page in found] == [False] * (len(found) - 1) + [True]


@pytest.mark.parametrize("inclusive", [False, True])
def test_two_lists_of_an_answer_end_at_ids_of_their_own(inclusive: bool) -> None:
    visitors, addresses = agents([1, 2, 3, 50, 60], inclusive=inclusive), agents([4, 40], inclusive=inclusive)
    script = Script(lambda *asked: {"visitor": visitors(*asked), "ip_address": addresses(*asked)})
    found = chunks(BANS, script)
    assert ids(found) == [1, 2, 3, 4, 40, 50, 60]
    told = {bytes(row["id"]): bytes(row["type"]) for page in found for row in page.rows}
    assert told[b"4"] == told[b"40"] == b'"ip"'


@pytest.mark.parametrize("answer", [[{"id": 6}, {"id": 5}], [{"id": None}], [{"name": "x"}]])
def test_a_list_without_an_order_of_ids_is_an_error(answer: Any) -> None:
    with pytest.raises(ContractError):
        chunks(AGENTS, Script(lambda *_: answer))


def test_a_list_that_does_not_heed_the_id_is_an_error() -> None:
    with pytest.raises(ContractError, match="from before it"):
        chunks(AGENTS, Script(lambda *_: [{"id": 1}, {"id": 2}]))


def test_chat_with_a_login_of_its_own_is_unavailable_until_its_token_is_set(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=1, chat_login="own")
    report = sync(pipeline(tmp_path), source(account).with_resources("chat_roles", "chats", "groups"))
    status = {name: stream.status for name, stream in report.streams.items()}
    assert status == {"chat_roles": "unavailable", "chats": "unavailable", "groups": "loaded"}
    assert "[sources.zendesk_support.chat]" in (report.streams["chats"].message or "")
    target = pipeline(tmp_path)
    load(target, account, *CHAT, "groups", chat={"access_token": account.credentials["chat_access_token"]})
    assert_whole(target, account, *CHAT, "groups")


def test_the_token_can_be_set_in_the_environment(
    tmp_path: Path, simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = simulate(tickets=1, chat_login="own")
    for name, value in environment_of(account, CHAT__ACCESS_TOKEN=account.credentials["chat_access_token"]).items():
        monkeypatch.setenv(name, value)
    report = sync(pipeline(tmp_path), zendesk_support_source().with_resources("chat_roles"))
    assert report.streams["chat_roles"].rows == len(truth(account, "chat_roles"))
    monkeypatch.setenv("SOURCES__ZENDESK_SUPPORT__CHAT__TOKEN", "x")
    with pytest.raises(ConfigurationError, match=r"chat\.token.* Did you mean chat\.access_token"):
        zendesk_support_source()


def test_a_token_that_chat_does_not_know_is_the_fault_of_chat_alone(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=1, chat_login="own")
    chosen = source(account, chat={"access_token": "another"}).with_resources("chat_roles", "groups")
    report = sync(pipeline(tmp_path), chosen)
    assert {name: stream.status for name, stream in report.streams.items()} == {
        "chat_roles": "unavailable",
        "groups": "loaded",
    }


def test_the_older_host_gets_the_token_of_chat_and_nothing_else_does(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=1, chats=1004, chat_login="own", chat_host=True)
    seen: list[tuple[int, str, str]] = []
    handle = account.api.handle

    def watched(request: Any) -> Any:
        seen.append((request.brand, request.path, request.headers.get("authorization", "")))
        return handle(request)

    account.api.handle = watched  # type: ignore[method-assign]
    target, token = pipeline(tmp_path), account.credentials["chat_access_token"]
    load(target, account, *CHAT, "groups", chat={"access_token": token, "base_url": account.chat_url})
    assert_whole(target, account, *CHAT, "groups")
    assert {(brand == -1, header == f"Bearer {token}") for brand, _, header in seen if header} == {
        (True, True),
        (False, False),
    }
    paths = {path for brand, path, _ in seen if brand == -1}
    assert "/api/v2/incremental/chats" in paths
    assert [path for path in paths if "/chat/" in path] == []


@pytest.mark.parametrize(
    ("chat", "words"),
    [
        ({"base_url": "https://www.zopim.com/api/v2"}, "needs a token of Chat"),
        ({"base_url": "zopim", "access_token": "x"}, "is not the address of an API"),
        ({"base_url": "https://me:you@www.zopim.com", "access_token": "x"}, "is not the address of an API"),
        ({"access_token": "two words"}, "holds a blank"),
    ],
)
def test_settings_of_chat_that_cannot_be_used_are_refused(account: Simulator, chat: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        source(account, chat=chat)


def test_the_token_goes_to_no_host_unencrypted(tmp_path: Path, account: Simulator) -> None:
    chosen = source(account, chat={"access_token": "x", "base_url": "http://www.zopim.com/api/v2"})
    with pytest.raises(Exception, match="unencrypted"):
        list(chosen.with_resources("chat_roles").resources["chat_roles"])


def of_chat(account: Simulator) -> list[tuple[str, int]]:
    """Routes and statuses of the requests for Chat."""
    return [
        (request["route"], request["status"])
        for request in account.requests()
        if request["path"].startswith("/api/v2/chat/")
    ]


@pytest.mark.parametrize("kind", ["client", "refresh"])
def test_a_login_that_chat_refuses_is_renewed_once_for_all_its_streams(
    tmp_path: Path, simulate: Simulate, kind: str
) -> None:
    account = simulate(tickets=1, chat_login="own")
    known = account.credentials
    given = {name: known[name] for name in ("client_id", "client_secret")}
    if kind == "refresh":
        given["refresh_token"] = known["refresh_token"]
    report = sync(pipeline(tmp_path), source(account, credentials=given).with_resources(*CHAT, "groups", "tickets"))
    assert {report.streams[name].status for name in CHAT} == {"unavailable"}
    assert {report.streams[name].status for name in ("groups", "tickets")} == {"loaded"}
    asked = account.requests()
    assert sum(request["route"] == "oauth_tokens" for request in asked) == 2
    assert sum(request["route"] == "users_me" for request in asked) == 1
    refused = of_chat(account)
    assert {status for _, status in refused} == {401}
    assert max(refused.count(found) for found in refused) <= 2


def test_a_login_that_has_ended_is_renewed_for_chat_as_for_the_rest(tmp_path: Path, account: Simulator) -> None:
    account.fault("expire_token", nth=4)
    target = pipeline(tmp_path)
    load(target, account, *CHAT)
    assert_whole(target, account, *CHAT)
    assert sum(request["route"] == "oauth_tokens" for request in account.requests()) == 2


@pytest.mark.parametrize("status", [401, 403])
def test_the_token_of_chat_is_used_once_the_accounts_login_is_refused(
    tmp_path: Path, simulate: Simulate, status: int
) -> None:
    account = simulate(tickets=1, chat_login="own")
    headers: list[str] = []
    handle, token = account.api.handle, account.credentials["chat_access_token"]

    def watched(request: Any) -> Any:
        reply = handle(request)
        if request.path.startswith("/api/v2/chat/"):
            headers.append(request.headers.get("authorization", ""))
            if reply.status == 401:
                reply.status = status
        return reply

    account.api.handle = watched  # type: ignore[method-assign]
    target = pipeline(tmp_path)
    load(target, account, *CHAT, "groups", chat={"access_token": token})
    assert_whole(target, account, *CHAT, "groups")
    own = [header == f"Bearer {token}" for header in headers]
    assert not own[0]
    assert 1 <= own.count(False) <= len(CHAT)
    assert sum(request["route"] == "oauth_tokens" for request in account.requests()) == 1


def test_chat_gets_no_token_of_its_own_where_the_accounts_login_is_good(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, *CHAT, chat={"access_token": "another"})
    assert_whole(target, account, *CHAT)
    assert {status for _, status in of_chat(account)} == {200}


@pytest.mark.parametrize("older_host", [False, True])
def test_a_token_of_chat_that_is_refused_is_named_as_wrong_and_never_shown(
    tmp_path: Path, simulate: Simulate, older_host: bool
) -> None:
    account = simulate(tickets=1, chat_login="own", chat_host=older_host)
    chat = {"access_token": "ended-long-ago", **({"base_url": account.chat_url} if older_host else {})}
    report = sync(pipeline(tmp_path), source(account, chat=chat).with_resources("chat_roles", "groups"))
    message = str(report.streams["chat_roles"].message)
    assert report.streams["chat_roles"].status == "unavailable"
    assert "The access_token in [sources.zendesk_support.chat] is wrong, or has ended" in message
    assert "ended-long-ago" not in message
    assert "set access_token" not in message
