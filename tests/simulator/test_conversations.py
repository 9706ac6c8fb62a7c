"""Side conversations, conversation logs and surveys: envelopes, limits, refusals, and one story with tickets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from simulator_client import Client

from zendesk_support.simulator import Simulator
from zendesk_support.simulator.clock import iso, unix
from zendesk_support.simulator.data.ulid import ulid

Account = tuple[Simulator, Client]
Make = Callable[..., Account]
Row = dict[str, Any]
EVENTS = "/api/v2/tickets/side_conversations/events"
RESPONSES = "/api/v2/guide/survey_responses"
DAY = 86_400


def ms(time: str) -> int:
    """A time with milliseconds as a number."""
    return unix(time) * 1000 + int(time[-4:-1])


def sent(response: Row) -> int:
    """When a survey was sent, read from the response's ULID."""
    digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    number = 0
    for letter in response["id"][:10]:
        number = number * 32 + digits.index(letter)
    return number


def responses(client: Client, query: str = "") -> list[Row]:
    """Read the survey responses."""
    return [row for page in client.pages(f"{RESPONSES}{query}") for row in page["survey_responses"]]


def tickets_of(sim: Simulator) -> dict[int, Row]:
    """The tickets by id."""
    return {row["id"]: row for row in sim.truth("tickets")}


# Side conversations


def test_events_come_since_a_time_and_say_no_end(account: Account) -> None:
    sim, client = account
    page = client.get(f"{EVENTS}?start_time=0").json
    assert set(page) == {"count", "end_time", "next_page", "events"}
    times = [row["created_at"] for row in page["events"]]
    assert (page["count"], page["end_time"]) == (len(times), unix(times[-1]))
    assert times == sorted(times)
    assert f"{EVENTS}.json?start_time={page['end_time']}" in page["next_page"]
    again = client.get(page["next_page"]).json
    assert [row["id"] for row in again["events"]] == [page["events"][-1]["id"]]
    assert again["next_page"] == page["next_page"]
    assert client.get(EVENTS).status == 400
    refused = client.get(f"{EVENTS}?start_time={int(sim.now()) - 30}")
    assert (refused.status, refused.json["errors"][0]["code"]) == (400, "StartTimeTooRecent")


def test_events_are_counted_by_a_limit_of_their_own_of_which_no_header_tells(account: Account) -> None:
    sim, client = account
    sim.reset_requests()
    answer = client.get(f"{EVENTS}?start_time=0")
    assert sim.requests()[-1]["buckets"] == ["account", "side_conversations"]
    assert not [name for name in answer.headers if name.startswith("zendesk-ratelimit")]
    assert sim.use_quota("side_conversations", 599) == 0
    assert client.get(f"{EVENTS}?start_time=0").status == 429
    assert client.get("/api/v2/tickets/12/side_conversations").status == 200


@pytest.mark.parametrize("changed", [False, True])
def test_a_side_conversation_is_what_its_events_say_within_its_tickets_life(make: Make, changed: bool) -> None:
    sim, _ = make(tickets=300)
    if changed:
        sim.mutate("create_side_conversations", count=5)
        for kind in ("reply_side_conversations", "update_side_conversations") * 2:
            sim.mutate(kind, count=20)
    tickets = tickets_of(sim)
    events: dict[str, list[Row]] = {}
    for row in sim.truth("side_conversation_events"):
        events.setdefault(row["side_conversation_id"], []).append(row)
    found = sim.truth("side_conversations")
    assert 0 < len({row["ticket_id"] for row in found}) <= len(tickets) // 20 + 5 * changed
    assert set(events) >= {row["id"] for row in found}
    for row in found:
        told, ticket = events[row["id"]], tickets[row["ticket_id"]]
        assert [each["type"] for each in told].index("create") == 0
        assert unix(ticket["created_at"]) <= unix(told[0]["created_at"])
        assert changed or unix(told[-1]["created_at"]) <= unix(ticket["updated_at"])
        assert [each["created_at"] for each in told] == sorted(each["created_at"] for each in told)
        assert (row["created_at"], row["updated_at"]) == (told[0]["created_at"], told[-1]["created_at"])
        messages = [each for each in told if "message" in each]
        assert row["message_added_at"] == messages[-1]["created_at"]
        assert row["preview_text"] == messages[-1]["message"]["preview_text"]
        state = "open"
        for each in told:
            state = "open" if "message" in each else each["updates"].get("state", state)
        assert row["state"] == state
        assert all(("message" in each) == (each["type"] != "update") for each in told)
        assert {each["ticket_id"] for each in told} == {row["ticket_id"]}
        assert all(re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", each["id"]) for each in [row, *told])
    children = [int(row["external_ids"]["targetTicketId"]) for row in found if row["external_ids"]]
    assert children
    assert {tickets[child]["status"] for child in children} <= {"new", "open", "pending", "hold", "solved", "closed"}
    asked = [row["participants"][1] for row in found]
    assert any(who.get("slack_channel_id") and who["email"] is None for who in asked)
    assert any(who["email"] for who in asked)


def test_side_conversations_of_all_tickets_together_equal_truth(account: Account) -> None:
    sim, client = account
    rows, refused = [], set()
    for ticket in {row["ticket_id"] for row in sim.truth("side_conversation_events")}:
        answer = client.get(f"/api/v2/tickets/{ticket}/side_conversations")
        if answer.status == 200:
            assert answer.json["count"] == len(answer.json["side_conversations"])
            assert (answer.json["next_page"], answer.json["previous_page"]) == (None, None)
            rows += answer.json["side_conversations"]
        else:
            refused.add(ticket)
    assert sorted(rows, key=lambda row: row["id"]) == sorted(sim.truth("side_conversations"), key=lambda row: row["id"])
    assert client.get("/api/v2/tickets/13/side_conversations").json["side_conversations"] == []
    first = client.get("/api/v2/tickets/12/side_conversations?per_page=1").json
    assert first["next_page"] is None or len(client.get(first["next_page"]).json["side_conversations"]) == 1
    assert refused <= {row["id"] for row in sim.truth("deleted_tickets")}


def test_side_conversations_of_a_deleted_ticket_cannot_be_read_and_of_a_scrubbed_one_are_gone(
    account: Account,
) -> None:
    sim, client = account
    (name,) = sim.mutate("create_side_conversations", kind="slack")["ids"]
    sim.mutate("reply_side_conversations")
    (rid,) = {row["ticket_id"] for row in sim.truth("side_conversations") if row["id"] == name}
    path = f"/api/v2/tickets/{rid}/side_conversations"
    assert name in {row["id"] for row in client.get(path).json["side_conversations"]}
    sim.mutate("delete_tickets", ids=[rid])
    assert client.get(path).status == 404
    assert name in {row["id"] for row in sim.truth("side_conversations")}
    assert name in {row["side_conversation_id"] for row in client.get(f"{EVENTS}?start_time=0").json["events"]}
    sim.mutate("scrub_tickets", ids=[rid])
    assert rid not in {row["ticket_id"] for row in sim.truth("side_conversations")}
    assert rid not in {row["ticket_id"] for row in sim.truth("side_conversation_events")}
    assert rid not in {row["ticket_id"] for row in client.get(f"{EVENTS}?start_time=0").json["events"]}


def test_what_happens_in_a_side_conversation_is_a_new_event(account: Account) -> None:
    sim, client = account
    start = int(sim.now())
    (began,) = sim.mutate("create_side_conversations", kind="ticket")["ids"]
    replied = sim.mutate("reply_side_conversations", count=2)
    updated = sim.mutate("update_side_conversations", count=2)
    events = client.get(f"{EVENTS}?start_time={start}").json["events"]
    assert [row["type"] for row in events] == ["create", "reply", "reply", "update", "update"]
    assert [row["id"] for row in events[1:]] == [*replied["event_ids"], *updated["event_ids"]]
    rows = {row["id"]: row for row in sim.truth("side_conversations")}
    assert int(rows[began]["external_ids"]["targetTicketId"]) in tickets_of(sim)
    for event in events[3:]:
        row = rows[event["side_conversation_id"]]
        assert (row["state"], row["state_updated_at"]) == (event["updates"]["state"], event["created_at"])


def test_events_come_in_pages_and_go_with_their_tickets_alone(make: Make) -> None:
    sim, client = make(tickets=600)
    pages = list(client.export(f"{EVENTS}?start_time=0"))
    assert [page["count"] for page in pages[:-2]] == [100] * (len(pages) - 2)
    truth = sim.truth("side_conversation_events")
    assert {row["id"] for page in pages for row in page["events"]} == {row["id"] for row in truth}
    (made,) = sim.mutate("create_rows", stream="side_conversation_events")["ids"]
    assert len(sim.truth("side_conversation_events")) == len(truth) + 1
    with pytest.raises(ValueError, match="never change"):
        sim.mutate("update_rows", stream="side_conversation_events")
    gone = sim.mutate("remove_rows", stream="side_conversation_events", count=3)["ids"]
    assert len(gone) == 3
    left = sim.truth("side_conversation_events")
    assert not {row["ticket_id"] for row in left} & set(gone)
    assert {row["id"] for row in left} <= {made, *(row["id"] for row in truth)}
    assert {tickets_of(sim)[ticket]["status"] for ticket in gone} == {"deleted"}


def test_a_fault_can_refuse_the_side_conversations_of_one_ticket(account: Account) -> None:
    sim, client = account
    told = {"status": 403, "content_type": "text/html", "body": ""}
    sim.fault("status", route="/api/v2/tickets/12/side_conversations", times=None, **told)
    refused = client.get("/api/v2/tickets/12/side_conversations")
    assert (refused.status, refused.raw, refused.headers["content-type"]) == (403, b"", "text/html")
    assert client.get("/api/v2/tickets/13/side_conversations").status == 200


@pytest.mark.parametrize(
    ("options", "path", "status", "told"),
    [
        ({"plan": "growth"}, f"{EVENTS}?start_time=0", 403, None),
        ({"plan": "growth"}, "/api/v2/tickets/12/side_conversations", 403, None),
        ({"role": "agent"}, f"{EVENTS}?start_time=0", 403, None),
        ({"role": "agent"}, "/api/v2/tickets/12/side_conversations", 200, None),
        ({"plan": "team"}, RESPONSES, 403, "Access to the resource is forbidden"),
        ({"plan": "team"}, "/api/v2/guide/en-us/surveys", 403, "Access to the resource is forbidden"),
        ({"role": "agent"}, RESPONSES, 403, "Access to the resource is forbidden"),
        ({"role": "agent"}, "/api/v2/guide/en-us/surveys", 200, None),
        ({"plan": "growth"}, RESPONSES, 200, None),
        ({}, "/api/v2/guide/xx/surveys", 404, "The survey could not be found"),
    ],
)
def test_refusals_by_plan_role_and_locale(make: Make, options: Row, path: str, status: int, told: str | None) -> None:
    _, client = make(**options)
    answer = client.get(path)
    assert answer.status == status
    if status == 200:
        return
    if told is None:
        assert (answer.raw, answer.headers["content-type"]) == (b"", "text/html; charset=utf-8")
    else:
        assert answer.json["errors"][0]["title"] == told


# Conversation logs


def messaging(sim: Simulator) -> Iterator[Row]:
    """The messaging tickets that are not deleted."""
    return (row for row in tickets_of(sim).values() if row["from_messaging_channel"] and row["status"] != "deleted")


def log(client: Client, ticket: int, query: str = "page[size]=100") -> list[Row]:
    """Read the conversation log of a ticket."""
    url, rows, more = f"/api/v2/tickets/{ticket}/conversation_log?{query}", [], True
    while more:
        page = client.get(url).json
        rows += page["events"]
        url, more = page["links"]["next"], page["meta"]["has_more"]
    return rows


def test_logs_of_all_messaging_tickets_together_equal_truth(account: Account) -> None:
    sim, client = account
    rows = [{**row, "ticket_id": ticket["id"]} for ticket in messaging(sim) for row in log(client, ticket["id"])]
    truth = sim.truth("conversation_log_events")
    assert sorted(rows, key=lambda row: row["id"]) == sorted(truth, key=lambda row: row["id"])
    assert Counter(row["type"] for row in rows).keys() == {"Messaging::ConversationMessage", "Comment"}
    assert {row["author"]["type"] for row in rows} == {"bot", "user", "agent"}
    assert not client.get("/api/v2/tickets/7777/conversation_log").json.get("events")


def test_a_long_log_has_pages_whose_links_forget_their_size(make: Make) -> None:
    sim, client = make(tickets=1000)
    counts = Counter(row["ticket_id"] for row in sim.truth("conversation_log_events", ["ticket_id"]))
    ((rid, count),) = counts.most_common(1)
    assert count > 100
    first = client.get(f"/api/v2/tickets/{rid}/conversation_log?page[size]=50&sort=created_at").json
    assert len(first["events"]) == 50
    assert "page%5Bsize%5D" not in first["links"]["next"]
    assert "sort=created_at" in first["links"]["next"]
    second = client.get(first["links"]["next"]).json
    assert len(second["events"]) == min(100, count - 50)
    rows = log(client, rid)
    assert [row["id"] for row in rows[:50]] == [row["id"] for row in first["events"]]
    assert len({row["id"] for row in rows}) == count
    assert [row["created_at"] for row in rows] == sorted(row["created_at"] for row in rows)


def test_comments_in_a_log_are_those_of_the_ticket(account: Account) -> None:
    sim, client = account
    comments = {row["id"]: row for row in sim.truth("ticket_comments")}
    for ticket in messaging(sim):
        rows = [row for row in log(client, ticket["id"]) if row["type"] == "Comment"]
        named = [int(row["reference"].removeprefix("zen:ticket_event:")) for row in rows]
        assert sorted(named) == sorted(rid for rid, row in comments.items() if row["ticket_id"] == ticket["id"])
        for rid, row in zip(named, rows):
            assert row["author"]["zen:support:user_id"] == comments[rid]["author_id"]
            assert row["content"]["body"] == comments[rid]["html_body"]


def test_messages_lie_between_the_talk_with_the_bot_and_the_last_change(make: Make) -> None:
    sim, _ = make(tickets=300)
    tickets = tickets_of(sim)
    for row in sim.truth("conversation_log_events"):
        ticket = tickets[row["ticket_id"]]
        moment = unix(row["created_at"])
        assert unix(ticket["created_at"]) - 600 <= moment <= ticket["generated_timestamp"]
        if row["author"]["type"] == "agent" and "received_at" in row:
            assert moment > unix(ticket["created_at"])


@pytest.mark.parametrize("mutation", ["write_messages", "redact_messages"])
def test_a_ticket_is_exported_anew_when_its_messages_change(account: Account, mutation: str) -> None:
    sim, client = account
    start, before = int(sim.now()), sim.truth("conversation_log_events")
    made = sim.mutate(mutation)["ids"]
    (rid,) = {row["ticket_id"] for row in sim.truth("conversation_log_events") if row["id"] in made}
    page = client.get(f"/api/v2/incremental/tickets/cursor?start_time={start}&support_type_scope=all").json
    assert [row["id"] for row in page["tickets"]] == [rid]
    assert page["tickets"][0]["updated_at"] < iso(start)
    assert sim.truth("conversation_log_events") != before


# Surveys


def test_responses_come_with_meta_alone_and_cursors_on_the_last_page_too(account: Account) -> None:
    sim, client = account
    pages = list(client.pages(RESPONSES))
    assert len(pages) > 1
    assert {tuple(sorted(page)) for page in pages} == {("meta", "survey_responses")}
    assert all(page["meta"]["after_cursor"] and page["meta"]["before_cursor"] for page in pages)
    rows = [row for page in pages for row in page["survey_responses"]]
    assert rows == sim.truth("csat_survey_responses")
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert responses(client, "?sort=-id") == rows[::-1]


def test_larger_pages_of_responses_are_refused(make: Make) -> None:
    _, client = make(tickets=300)
    assert len(client.get(f"{RESPONSES}?page[size]=50").json["survey_responses"]) == 50
    assert len(client.get(RESPONSES).json["survey_responses"]) == 30
    assert client.get(f"{RESPONSES}?page[size]=51").status == 400
    assert client.get("/api/v2/guide/en-us/surveys?page[size]=51").status == 400


def test_responses_are_filtered_by_the_millisecond_in_which_they_were_sent(account: Account) -> None:
    sim, client = account
    rows = sim.truth("csat_survey_responses")
    times = [sent(row) for row in rows]
    assert times == [ms(row["expires_at"]) - 28 * DAY * 1000 for row in rows]
    between = f"?filter[created_at_start]={times[3]}&filter[created_at_end]={times[6]}"
    assert responses(client, between) == rows[3:7]
    assert responses(client, f"?filter[created_at_start]={times[3] + 1}") == rows[4:]
    assert responses(client, f"?filter[created_at_start]={int(sim.now()) * 1000}") == []
    assert client.get(f"{RESPONSES}?filter[created_at_start]=2026-01-01").status == 400
    assert responses(client, f"?filter[subject_zrns]={rows[2]['subject_zrns'][0]},zen:ticket:0") == [rows[2]]
    mine = [row for row in rows if row["responder_id"] == rows[0]["responder_id"]]
    assert responses(client, f"?filter[responder_ids]={rows[0]['responder_id']}") == mine


def test_surveys_were_sent_for_solved_tickets_and_say_what_their_ratings_say(make: Make) -> None:
    sim, _ = make(tickets=400, satisfaction_ratings=130)
    tickets, rows = tickets_of(sim), sim.truth("csat_survey_responses")
    kinds = Counter(row["subjects"][0]["type"] for row in rows)
    assert 0 < kinds["conversation"] < kinds["ticket"]
    assert 0 < sum(bool(row["answers"]) for row in rows) < len(rows) / 2
    solved = {
        row["ticket_id"] for row in sim.truth("ticket_changes") if (row["field"], row["value"]) == ("status", "solved")
    }
    seen = set()
    for row in rows:
        assert all(sent(row) <= ms(answer["created_at"]) <= ms(answer["updated_at"]) for answer in row["answers"])
        assert all(ms(answer["updated_at"]) <= ms(row["expires_at"]) for answer in row["answers"])
        if row["subjects"][0]["type"] == "conversation":
            continue
        ticket = tickets[int(row["subjects"][0]["id"])]
        assert (ticket["id"] in solved, row["responder_id"]) == (True, str(ticket["requester_id"]))
        score = ticket["satisfaction_rating"]["score"]
        if score in ("good", "bad"):
            seen.add(score)
            assert row["answers"][0]["rating_category"] == score
    assert seen == {"good", "bad"}


def test_a_survey_can_be_answered_and_the_answer_altered_for_28_days(account: Account) -> None:
    sim, client = account
    (made,) = sim.mutate("send_surveys")["ids"]
    assert next(row for row in responses(client) if row["id"] == made)["answers"] == []
    sim.advance(20 * DAY)
    sim.mutate("answer_surveys", count=1000)
    first = next(row for row in responses(client) if row["id"] == made)["answers"]
    sim.advance(6 * DAY)
    assert made in sim.mutate("answer_surveys", count=1000, days=25)["ids"]
    second = next(row for row in responses(client) if row["id"] == made)["answers"]
    assert first[0]["rating"] != second[0]["rating"]
    assert first[0]["created_at"] == second[0]["created_at"] < second[0]["updated_at"]
    sim.advance(3 * DAY)
    assert made not in sim.mutate("answer_surveys", count=1000)["ids"]


def test_answers_name_what_the_survey_asks(account: Account) -> None:
    sim, client = account
    page = client.get("/api/v2/guide/en-us/surveys").json
    assert set(page) == {"meta", "surveys"}
    assert page["surveys"] == sim.truth("csat_surveys")
    asked = {survey["id"]: {question["id"]: question for question in survey["questions"]} for survey in page["surveys"]}
    named = {"rating_scale": "rating_scale_numeric", "closed_ended": "closed_ended", "open_ended": "open_ended"}
    for row in sim.truth("csat_survey_responses"):
        for answer in row["answers"]:
            question = asked[row["survey"]["id"]][answer["question"]["id"]]
            assert question["type"] == named.get(answer["type"], answer["question"]["type"])
            options = {option.get("id") for option in question.get("options", ())}
            assert {chosen["option_id"] for chosen in answer.get("selections", ())} <= options
    versions = {row["survey"]["version"] for row in sim.truth("csat_survey_responses")}
    assert versions == {1, 2}
    sim.mutate("update_rows", stream="csat_surveys", count=2)
    assert {row["version"] for row in sim.truth("csat_surveys")} == {2, 3}


def test_the_guide_is_counted_by_a_limit_of_the_plans_size_apart_from_the_account(make: Make) -> None:
    sim, client = make(plan="growth", limits={})
    sim.reset_requests()
    answer = client.get(RESPONSES)
    assert sim.requests()[-1]["buckets"] == ["guide"]
    assert (answer.headers["x-rate-limit"], answer.headers["x-rate-limit-remaining"]) == ("400", "399")
    assert not [name for name in answer.headers if "ratelimit" in name]


def test_ulids_order_as_their_times_and_numbers_do() -> None:
    made = [ulid(at, number) for at in (0, 1, 1_790_000_000_000, 2**48 - 1) for number in (0, 31, 32, 2**80 - 1)]
    assert made == sorted(made)
    assert {len(text) for text in made} == {26}
    assert (made[0], made[-1]) == ("0" * 26, "7" + "Z" * 25)
    assert not set("".join(made)) & set("ILOU")
