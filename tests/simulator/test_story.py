"""What is said of a ticket is one story: each stream follows from its events, computed here by other means."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timezone
from itertools import pairwise
from typing import Any

import pytest
from story import Business, Row, Span, Story

from zendesk_support.simulator import Simulator
from zendesk_support.simulator.clock import iso, unix
from zendesk_support.simulator.families.schedules import hours_of
from zendesk_support.simulator.families.tickets.book import Tickets

NOW = 1_790_000_000
DAY = 86_400
UNSOLVED, SOLVED = ("new", "open", "pending", "hold"), ("solved", "closed")
CHANGES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("create_tickets", {"count": 4}),
    ("update_tickets", {"count": 9}),
    ("delete_tickets", {"count": 3}),
    ("restore_tickets", {"count": 2}),
    ("redact_comments", {"count": 4}),
    ("make_comments_private", {"count": 6}),
    ("bulk_update", {"count": 15}),
    ("archive_tickets", {"count": 3}),
    ("late_row", {"stream": "ticket_events", "age": 120}),
    ("scrub_tickets", {}),
    ("update_rows", {"stream": "satisfaction_ratings", "count": 5}),
    ("create_rows", {"stream": "satisfaction_ratings", "count": 3}),
    ("create_rows", {"stream": "ticket_activities", "count": 2}),
    ("create_rows", {"stream": "ticket_metric_events", "count": 3}),
    ("update_tickets", {"count": 5}),
)


@pytest.fixture(scope="module", params=range(8))
def story(request: pytest.FixtureRequest) -> Story:
    """Accounts of several seeds, weekdays and sizes; every second one has been changed."""
    number = request.param
    sim = Simulator(seed=number, tickets=(60, 250)[number // 2 % 2], now=NOW + number * (45 * DAY + 7777))
    if number % 2:
        for kind, parameters in CHANGES:
            sim.mutate(kind, **parameters)
            sim.advance(5 * 3600)
    return Story(sim)


def test_tickets_and_people_belong_together(story: Story) -> None:
    """A requester is older than a ticket and of its organization, its agent in its group, its problem a problem."""
    users = {row["id"]: row for row in story.sim.truth("users")}
    organizations = {row["id"]: row for row in story.sim.truth("organizations")}
    member = {(row["user_id"], row["group_id"]) for row in story.sim.truth("group_memberships")}
    incidents = {row["problem_id"] for row in story.tickets.values()}
    first = [row for row in story.tickets.values() if row["id"] <= story.sim.account.world.tickets]
    for ticket in first:
        requester, events = users[ticket["requester_id"]], story.events.get(ticket["id"])
        assert requester["created_at"] < ticket["created_at"]
        assert ticket["organization_id"] == requester["organization_id"]
        assert organizations.get(ticket["organization_id"], requester)["created_at"] < ticket["created_at"]
        if ticket["assignee_id"] is not None and not story.sim.account.tables["tickets"].touched(ticket["id"]):
            assert (ticket["assignee_id"], ticket["group_id"]) in member
        assert not events or ticket["submitter_id"] == events[0]["updater_id"]
        assert ticket["problem_id"] is None or story.tickets[ticket["problem_id"]]["type"] == "problem"
        assert ticket["has_incidents"] == (ticket["id"] in incidents)
    known = {(row["user_id"], row["value"]) for row in story.sim.truth("user_identities")}
    assert not [id for id, row in users.items() if row["email"] and (id, row["email"]) not in known]


def test_a_ticket_has_what_its_last_events_say(story: Story) -> None:
    told = 0
    for ticket, _ in story.told():
        told += 1
        assert story.values(ticket["id"], "status")[-1][1] == ticket["status"]
        assert story.values(ticket["id"], "priority")[-1][1] == ticket["priority"]
        assert story.values(ticket["id"], "type")[-1][1] == ticket["type"]
        assert story.values(ticket["id"], "tags")[-1][1] == ticket["tags"]
        for field in ("assignee_id", "group_id", "requester_id", "organization_id", "brand_id", "ticket_form_id"):
            given = [None, *(value for _, value in story.values(ticket["id"], field))][-1]
            assert (given and int(given)) == (ticket[field] and int(ticket[field])), field
        fields = {str(each["id"]): each["value"] for each in ticket["custom_fields"]}
        given = {}
        for _, value in story.values(ticket["id"], "custom_ticket_fields"):
            given |= value
        assert given
        assert given == {name: fields[name] for name in given}
        assert ticket["is_public"] or not story.comments(ticket["id"], public=True)
    assert told > 40


def test_previous_values_are_those_before(story: Story) -> None:
    for _, events in story.told():
        now: dict[str, Any] = {"satisfaction_score": "unoffered"}
        for part in (part for event in events for part in event["child_events"]):
            if part["event_type"] not in ("Create", "Change"):
                continue
            values = part.get("custom_ticket_fields") or part
            for name in set(values) - {"id", "via", "via_reference_id", "event_type", "created_at", "previous_value"}:
                if part["event_type"] == "Change" and name not in ("added_tags", "removed_tags"):
                    assert part["previous_value"] == now.get(name), (name, part)
                now[name] = values[name]


def test_metrics_follow_from_the_events(story: Story) -> None:
    kept = [ticket for ticket, _ in story.told() if ticket["status"] != "deleted"]
    assert {row["id"] for row in kept} == set(story.metrics)
    for ticket in kept:
        rid, metric = ticket["id"], story.metrics[ticket["id"]]
        business, created = story.business(rid), unix(ticket["created_at"])
        replies = story.comments(rid, public=True, by_agents=True)
        assert metric["replies"] == len(replies)
        assert unix(metric["latest_comment_added_at"]) == max(at for at, _ in story.comments(rid))
        assert metric["assignee_stations"] == len([who for _, who in story.values(rid, "assignee_id") if who])
        assert metric["group_stations"] == len([group for _, group in story.values(rid, "group_id") if group])
        assigned = [at for at, who in story.values(rid, "assignee_id") if who]
        for name, at in (("initially_assigned_at", assigned[:1]), ("assigned_at", assigned[-1:])):
            assert (metric[name] and unix(metric[name])) == (at[0] if at else None)
        statuses = story.values(rid, "status")
        pairs = list(pairwise(statuses))
        back = [1 for (_, old), (_, new) in pairs if old == "solved" and new in UNSOLVED]
        solved = [at for (_, old), (at, new) in pairs if new in SOLVED and old not in (*SOLVED, "deleted")]
        assert metric["reopens"] == len(back)
        assert unix(metric["status_updated_at"]) == statuses[-1][0]
        is_solved = ticket["status"] in SOLVED
        assert metric["solved_at"] == (None if not is_solved else metric["solved_at"])
        assert (metric["solved_at"] and unix(metric["solved_at"])) == (solved[-1] if is_solved else None)
        for name, at in (
            ("reply_time_in_minutes", [at for at, _ in replies][:1]),
            ("first_resolution_time_in_minutes", solved[:1]),
            ("full_resolution_time_in_minutes", solved[-1:] if is_solved else []),
        ):
            calendar = (at[0] - created) // 60 if at else None
            minutes = business.seconds(created, at[0]) // 60 if at else None
            assert metric[name] == {"calendar": calendar, "business": minutes}, name
        for name, among in (
            ("agent_wait_time_in_minutes", ("pending",)),
            ("requester_wait_time_in_minutes", ("new", "open", "hold")),
            ("on_hold_time_in_minutes", ("hold",)),
        ):
            spans = [(start, end) for (start, status), (end, _) in pairs if status in among]
            if pairs or name.startswith("on_hold"):
                assert metric[name] == {
                    "calendar": sum(end - start for start, end in spans) // 60,
                    "business": sum(business.seconds(*span) for span in spans) // 60,
                }


def runs_of(marks: list[Row]) -> dict[tuple[str, int], list[Row]]:
    """The events of each instance of a metric, in the order of time."""
    found: dict[tuple[str, int], list[Row]] = defaultdict(list)
    order = ("activate", "apply_sla", "breach", "pause", "fulfill", "update_status")
    for mark in sorted((m for m in marks if m["type"] in order), key=lambda m: (m["time"], order.index(m["type"]))):
        found[mark["metric"], mark["instance_id"]].append(mark)
    return found


def test_a_target_is_breached_in_the_second_it_passes_and_only_then(story: Story) -> None:
    checked = breaches = 0
    for rid in set(story.events) & set(story.marks):
        business = story.business(rid)
        for marks in runs_of(story.marks[rid]).values():
            since, spans, goal, broken = None, [], None, None
            for mark in marks:
                at = unix(mark["time"])
                if mark["type"] == "activate":
                    since = at
                elif mark["type"] in ("pause", "fulfill") and since is not None:
                    spans.append((since, at))
                    since = None
                elif mark["type"] == "apply_sla":
                    goal, applied = mark["sla"], at
                elif mark["type"] == "breach":
                    assert goal
                    assert (broken, since is None) == (None, False)
                    broken = at
                    passed = elapsed(business, goal, [*spans, (since, at)])
                    before = elapsed(business, goal, [*spans, (since, at - 1)])
                    assert (passed == goal["target"] * 60 > before) or (passed >= goal["target"] * 60 and at == applied)
                    breaches += 1
            ended = bool(spans) and since is None
            is_deleted = story.tickets[rid]["status"] == "deleted"
            moved = [at for name in ("type", "priority", "group_id") for at, _ in story.values(rid, name)]
            held = goal is not None and max(moved) <= applied
            if held and not broken and (ended or (since is not None and not is_deleted)):
                checked += 1
                whole = spans if ended else [*spans, (since or 0, story.now)]
                seen = [(start, min(end, story.start)) for start, end in whole if start < story.start]
                assert elapsed(business, goal, seen) <= goal["target"] * 60
    assert checked > 15
    assert breaches > 1


def elapsed(business: Business, goal: Row, spans: list[Span]) -> int:
    return sum(business.seconds(*span) if goal["business_hours"] else span[1] - span[0] for span in spans)


def test_the_first_policy_by_position_that_a_ticket_meets_sets_its_targets(story: Story) -> None:
    policies = sorted(story.sim.truth("sla_policies"), key=lambda row: row["position"])
    names = {"requester_wait_time": "requester_wait_time", "agent_work_time": "agent_work_time"}
    applied = set()
    for rid in set(story.events) & set(story.marks):
        for mark in (each for each in story.marks[rid] if each["type"] == "apply_sla"):
            at = unix(mark["time"])
            values = {
                field: [value for moment, value in story.values(rid, field) if moment <= at][-1:] or [None]
                for field in ("type", "priority", "group_id")
            }
            policy = next(row for row in policies if all(meets(values, each) for each in row["filter"]["all"]))
            name = names.get(mark["metric"], "total_resolution_time")
            if mark["metric"] == "reply_time":
                name = "first_reply_time" if mark["instance_id"] == 1 else "next_reply_time"
            assert mark["sla"]["policy"]["id"] == policy["id"]
            assert mark["sla"]["policy"]["description"] == policy["description"]
            assert {
                "priority": values["priority"][0],
                "metric": name,
                "target": mark["sla"]["target"],
                "business_hours": mark["sla"]["business_hours"],
            } in policy["policy_metrics"]
            applied.add(policy["id"])
    assert len(applied) >= 3


def meets(values: dict[str, list[Any]], condition: Row) -> bool:
    value, wanted = values[condition["field"]][0], condition["value"]
    return bool(
        {"is": value == wanted, "is_not": value != wanted, "includes": value in (wanted or ())}[condition["operator"]]
        if isinstance(wanted, list)
        else (value == wanted) == (condition["operator"] == "is")
    )


def test_replies_and_statuses_start_and_stop_the_metrics(story: Story) -> None:
    ended = 0
    for rid in set(story.events) & set(story.marks):
        statuses = story.values(rid, "status")
        solved = {at for at, status in statuses if status in SOLVED}
        posted = {at for at, _ in story.comments(rid, by_agents=True)}
        asked = {at for at, part in story.comments(rid) if part["author_id"] not in story.agents}
        for (metric, _), marks in runs_of(story.marks[rid]).items():
            for mark in marks:
                at = unix(mark["time"])
                if metric == "reply_time":
                    allowed = {"activate": asked, "fulfill": posted | solved}
                else:
                    running = {at for at, status in statuses if status in UNSOLVED}
                    running |= {at for name in ("type", "priority", "group_id") for at, _ in story.values(rid, name)}
                    resting = {at for at, status in statuses if status in ("pending", "hold", "deleted")}
                    allowed = {"activate": running, "fulfill": solved, "pause": resting}
                if mark["type"] in allowed:
                    assert at in allowed[mark["type"]], mark
                    ended += 1
        measures = [mark for mark in story.marks[rid] if mark["type"] == "measure"]
        assert all(mark["instance_id"] == 0 for mark in measures)
    assert ended > 60
    assert any(not story.marks[rid] for rid in story.events), "some tickets have no metric events at all"


def test_ratings_say_what_their_tickets_say(story: Story) -> None:
    ratings = {row["id"]: row for row in story.sim.truth("satisfaction_ratings")}
    by_ticket = {row["ticket_id"]: row for row in ratings.values()}
    assert len(by_ticket) == len(ratings) or len(ratings) - len(by_ticket) < 4
    for rid, row in by_ticket.items():
        ticket = story.tickets[rid]
        assert ticket["satisfaction_rating"]["score"] == row["score"]
        assert ticket["satisfaction_rating"].get("id", row["id"]) == row["id"]
        assert (row["requester_id"], ticket["created_at"] <= row["created_at"]) == (ticket["requester_id"], True)
        if story.events[rid]:
            scores = story.values(rid, "satisfaction_score")
            assert scores[-1] == (unix(row["updated_at"]), row["score"])
    for ticket, _ in story.told():
        assert (ticket["satisfaction_rating"]["score"] != "unoffered") == (ticket["id"] in by_ticket)


def test_activities_tell_of_events_of_the_last_30_days(story: Story) -> None:
    activities = story.sim.truth("ticket_activities")
    assert activities
    for row in activities:
        rid, at = row["target"]["ticket"]["id"], unix(row["created_at"])
        events = {(event["timestamp"], event["updater_id"]) for event in story.events[rid]}
        assert (at, row["actor_id"]) in events
        assert story.now - 30 * DAY <= at <= story.now


def test_nothing_happens_before_its_ticket_or_after_now_and_authors_exist(story: Story) -> None:
    users = {row["id"] for row in story.sim.truth("users", ["id"])}
    for ticket, events in story.told():
        times = [event["timestamp"] for event in events]
        created = unix(ticket["created_at"])
        assert times[0] == created
        assert times[-1] <= story.now
        assert created <= unix(ticket["updated_at"]) <= ticket["generated_timestamp"] <= story.now
        assert {part["author_id"] for _, part in story.comments(ticket["id"])} <= users
        assert {event["updater_id"] for event in events} <= users | {-1}
        assert all(created <= unix(mark["time"]) <= story.now for mark in story.marks[ticket["id"]])
    for skip in story.sim.truth("ticket_skips"):
        assert skip["created_at"] >= story.tickets[skip["ticket_id"]]["created_at"]


def test_custom_statuses_fit_and_most_options_exist(story: Story) -> None:
    categories = {row["id"]: row["status_category"] for row in story.sim.truth("custom_statuses")}
    options = {
        row["id"]: {each["value"] for each in row["custom_field_options"]}
        for row in story.sim.truth("ticket_fields")
        if "custom_field_options" in row
    }
    known = unknown = 0
    archived = story.sim.account.part(Tickets).is_archived
    assert {ticket["status"] for ticket in story.tickets.values() if archived(ticket["id"])} == {"closed"}
    for ticket in story.tickets.values():
        if ticket["status"] != "deleted":
            assert categories[ticket["custom_status_id"]] == ticket["status"]
        for each in ticket["custom_fields"]:
            if each["id"] in options and each["value"]:
                values = {*each["value"]} if isinstance(each["value"], list) else {each["value"]}
                known += len(values & options[each["id"]])
                unknown += len(values - options[each["id"]])
    assert 0 < unknown < known / 10


def test_agents_work_in_the_office_hours_of_their_schedule() -> None:
    story = Story(Simulator(tickets=600, now=NOW))
    steps = [
        (story.business(rid), event["timestamp"])
        for rid, events in story.events.items()
        for event in events[1:]
        if event["updater_id"] in story.agents
    ]
    assert len(steps) > 500
    late = sum(not business.seconds(at - 1, at + 1) for business, at in steps)
    assert late / len(steps) < 0.04, "only tickets whose steps were drawn together have others"
    assert len({id(business) for business, _ in steps}) == 3


@pytest.mark.parametrize("number", range(3))
def test_business_time_is_what_minutes_count_over_changes_of_the_clock_and_holidays(number: int) -> None:
    sim = Simulator(tickets=1, now=NOW)
    hours = hours_of(sim.account.world)[number]
    business = Business(sim, sim.truth("schedules")[number])
    assert business.closed
    for day in ((2025, 3, 30), (2025, 4, 6), (2025, 10, 5), (2025, 10, 26), (2026, 3, 29), (2026, 4, 5), (2026, 7, 24)):
        start = int(datetime(*day, tzinfo=timezone.utc).timestamp()) - 3 * DAY
        end = start + 7 * DAY
        opened = sum(business.is_open(moment) for moment in range(start, end, 60))
        assert hours.worked(end) - hours.worked(start) == opened * 60 == business.seconds(start, end)
        for moment in range(start, end, 7919):
            reached = hours.when(hours.worked(moment) + 1800)
            assert hours.worked(reached) == hours.worked(moment) + 1800 > hours.worked(reached - 1)


def test_after_the_start_a_target_is_breached_only_where_something_happens() -> None:
    sim = Simulator(tickets=300, now=NOW)
    made = sim.mutate("create_tickets", count=30)["ids"]
    before = sim.truth("ticket_metric_events")
    sim.advance(20 * DAY)
    assert sim.truth("ticket_metric_events") == before
    sim.mutate("update_tickets", ids=made)
    new = [row for row in sim.truth("ticket_metric_events") if row not in before]
    assert {row["time"] for row in new} == {iso(int(sim.now()) - 120)}
    assert {"apply_sla", "fulfill", "update_status"} <= {row["type"] for row in new}


def test_the_story_is_the_same_whichever_part_is_asked_for_first() -> None:
    names = ("tickets", "ticket_events", "ticket_metric_events", "ticket_metrics", "satisfaction_ratings")
    first, second = Simulator(seed=9, tickets=120, now=NOW), Simulator(seed=9, tickets=120, now=NOW)
    forward = {name: first.truth(name) for name in names}
    assert forward == {name: second.truth(name) for name in reversed(names)}


@pytest.mark.parametrize("events", [1, 2, 8])
def test_a_fixed_number_of_events_tells_a_true_story_too(events: int) -> None:
    story = Story(Simulator(seed=events, tickets=120, now=NOW, events_per_ticket=events))
    assert {len(told) for told in story.events.values()} == {events}
    test_a_ticket_has_what_its_last_events_say(story)
    test_metrics_follow_from_the_events(story)
    test_ratings_say_what_their_tickets_say(story)


def test_fields_have_titles_and_labels_that_make_columns_hard() -> None:
    sim = Simulator(tickets=1, now=NOW)
    fields = [row for row in sim.truth("ticket_fields") if row["removable"]]
    titles = [row["title"] for row in fields]
    assert titles.count("Region") == 2
    assert {"地域", "🚀 Launch", "", "status", "Product area"} <= set(titles)
    assert not all(row["active"] for row in fields)
    area = next(row for row in fields if row["title"] == "Product area")
    assert area["type"] == "tagger"
    labels = {each["value"]: each["name"] for each in area["custom_field_options"]}
    assert labels["billing_invoices"] == "Billing & invoices"


def test_accounts_without_schedules_policies_or_ratings_have_a_story_too() -> None:
    sizes = {"schedules": 0, "schedule_holidays": 0, "sla_policies": 0, "satisfaction_ratings": 0, "ticket_fields": 2}
    sim = Simulator(tickets=40, now=NOW, **sizes)
    for row in sim.truth("ticket_metrics"):
        assert row["full_resolution_time_in_minutes"]["business"] == row["full_resolution_time_in_minutes"]["calendar"]
    assert {row["type"] for row in sim.truth("ticket_metric_events")} == {"activate", "fulfill", "measure"}
    assert {row["satisfaction_rating"]["score"] for row in sim.truth("tickets")} == {"unoffered"}
    sim.mutate("create_tickets")
    sim.mutate("update_tickets", count=3)
