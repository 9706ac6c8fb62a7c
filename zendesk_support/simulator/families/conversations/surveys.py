"""Customer satisfaction surveys: what is asked, and the responses of the first solved tickets."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any

from zendesk_support.simulator.clock import iso_ms, unix
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import FIRST_ID, STEP, World
from zendesk_support.simulator.families.conversations.messages import is_messaging, ulid_of
from zendesk_support.simulator.families.tickets.facts import created_at, is_deleted, is_internal
from zendesk_support.simulator.families.tickets.plot import lives_of, moments_of, steps_of

DAY = 86_400
OPEN_FOR = 28 * DAY
"""Seconds in which a survey can be answered, and the answer altered."""
SINCE, ANEW = 200 * DAY, 90 * DAY
"""How long before the account's start surveys began, and how long before it they were changed."""
LONGEST = 90 * DAY
CATEGORIES = {1: "bad", 2: "bad", 3: "neutral", 4: "good", 5: "good"}
_REASONS = ("Too slow", "It is not solved", "Hard to reach", "Something else")


class Sent:
    """The first surveys sent, in the order of time: `times` in milliseconds, and their `tickets`."""

    def __init__(self, world: World) -> None:
        sent = sorted(_sendings(world))
        self.times = array("q", (ms for ms, _ in sent))
        self.tickets = array("q", (ticket for _, ticket in sent))


def _sendings(world: World) -> Iterator[tuple[int, int]]:
    """Yield when a survey was sent for which ticket: within a day after it was first solved."""
    since = world.start - SINCE
    for ticket in range(world.tickets, 0, -1):
        if created_at(world, ticket) < since - LONGEST:
            return
        value = world.mix(ticket, 130)
        if value % 4 == 0 or is_deleted(world, ticket) or is_internal(world, ticket):
            continue
        steps = steps_of(world, ticket)
        solved = next((place for place, step in enumerate(steps) if set(step) & set("Ss")), None)
        if solved is not None:
            sent = moments_of(world, ticket)[solved] + 600 + value // 4 % 80_000
            if since < sent < world.start - 600:
                yield sent * 1000 + value % 1000, ticket


def response_rids(world: World) -> range:
    """Return the rids of the first responses."""
    first = FIRST_ID["csat_survey_responses"] + STEP
    return range(first, first + len(world.part(Sent).times) * STEP, STEP)


def sent_at(world: World, rid: int) -> int:
    """Return the second in which the survey of one of the first responses was sent."""
    return world.part(Sent).times[world.number("csat_survey_responses", rid)] // 1000


def response(world: World, rid: int) -> Row:
    """Make one of the first responses; most surveys were not answered."""
    sent, number = world.part(Sent), world.number("csat_survey_responses", rid)
    ms, ticket = sent.times[number], sent.tickets[number]
    life, value = world.part(lives_of)(ticket), world.mix(rid, 131)
    talked = is_messaging(world, ticket) and value % 2 == 0
    row = make_response(world, rid, ms, (ticket, life.requester), talked=talked)
    score = life.now["satisfaction_score"]
    if score in ("good", "bad") or value % 6 == 0:
        ratings = {"good": (4, 5), "bad": (1, 2)}.get(score, (1, 2, 3, 4, 5))
        last = min(ms + OPEN_FOR * 1000, (world.start - 200) * 1000)
        first = ms + (last - ms) * (1 + value // 6 % 300) // 1000
        altered = first + (last - first) * (value // 1800 % 7) // 10 if value // 12600 % 4 == 0 else first
        row["answers"] = answers(row["survey"], ratings[value % len(ratings)], first, altered, world.words(rid, 132, 5))
    return row


def make_response(world: World, rid: int, ms: int, of: tuple[int, int], *, talked: bool = False) -> Row:
    """Make a response that nobody has given yet, of a ticket and its requester, or of the conversation behind it."""
    ticket, requester = of
    kind, name = ("conversation", f"{world.mix(ticket, 133):024x}") if talked else ("ticket", str(ticket))
    zrn = f"zen:{kind}:{name}"
    return {
        "id": ulid_of(world, ms, rid),
        "responder_id": str(requester),
        "expires_at": iso_ms(ms + OPEN_FOR * 1000),
        "subject_zrns": [zrn],
        "subjects": [{"id": name, "type": kind, "zrn": zrn}],
        "survey": _asked(world, int(talked and world.sizes["csat_surveys"] > 1), ms),
        "answers": [],
    }


def sent_in(row: Row) -> int:
    """Return the millisecond in which a response's survey was sent."""
    expires: str = row["expires_at"]
    return (unix(expires) - OPEN_FOR) * 1000 + int(expires[-4:-1])


def answers(survey: Row, rating: int, created: int, updated: int, said: str) -> list[Row]:
    """Make the answers to a survey, which is known by its id; who is content is asked nothing more."""
    times = {"created_at": iso_ms(created), "updated_at": iso_ms(updated)}
    questions = [{"id": _part(survey["id"], place), "type": kind} for place, kind in enumerate(_TYPES)]
    scale = {**questions[0], "sub_type": "customer_satisfaction"}
    made: list[Row] = [
        {"type": "rating_scale", "rating": rating, "rating_category": CATEGORIES[rating], **times, "question": scale}
    ]
    if rating < 4:
        option = {"type": "predefined", "option_id": _part(survey["id"], 8 + rating)}
        made.append({"type": "closed_ended", "selections": [option], **times, "question": questions[1]})
    said_so = {"type": "open_ended", "value": said} if rating % 2 else {"type": "skipped"}
    return [*made, {**said_so, **times, "question": questions[2]}]


_TYPES = ("rating_scale_numeric", "closed_ended", "open_ended")


def _part(survey: str, place: int) -> str:
    """Return the id of a question or an option of a survey."""
    return f"{survey[:-2]}{place:02}"


def _asked(world: World, number: int, ms: int) -> Row:
    """Return what a response says of its survey, in the version that was sent."""
    changed = number == 0 and ms > (world.start - ANEW) * 1000
    return {"id": _survey_id(world, world.rid("csat_surveys", number)), "state": "enabled", "version": 1 + changed}


def _survey_id(world: World, rid: int) -> str:
    return ulid_of(world, _created(world, rid), rid)


def _created(world: World, rid: int) -> int:
    return (world.start - SINCE - DAY + 60 * world.number("csat_surveys", rid)) * 1000 + world.mix(rid, 134) % 1000


def survey_time(world: World, rid: int) -> int:
    """Return when one of the first surveys was last changed."""
    return world.start - ANEW if world.number("csat_surveys", rid) == 0 else _created(world, rid) // 1000


def survey(world: World, rid: int) -> Row:
    """Make one of the first surveys."""
    number, created = world.number("csat_surveys", rid), _created(world, rid)
    updated = (world.start - ANEW) * 1000 if number == 0 else created
    return make_survey(_survey_id(world, rid), 1 + (number == 0), created, updated)


def make_survey(survey: str, version: int, created: int, updated: int) -> Row:
    """Make a survey of a scale, a reason for low ratings, and a free text."""
    parts = [_part(survey, place) for place in range(3)]
    scale = [
        {"rating": rating, "label": _text(label), "follow_up": {"question_id": parts[1]} if rating < 4 else None}
        for rating, label in zip(CATEGORIES, ("Bad", "", "", "", "Good"))
    ]
    reasons = [
        {"id": _part(survey, 9 + place), "label": _text(reason), "follow_up": None}
        for place, reason in enumerate(_REASONS)
    ]
    ask = {"headline": {"type": "dynamic", "key": "{{dc.reason}}", "value": "Why?"}, "options": reasons}
    return {
        "id": survey,
        "version": version,
        "state": "enabled",
        "created_at": iso_ms(created),
        "updated_at": iso_ms(updated),
        "questions": [
            {
                "id": parts[0],
                "type": _TYPES[0],
                "sub_type": "customer_satisfaction",
                "headline": _text(headline(version)),
                "options": scale,
            },
            {"id": parts[1], "type": _TYPES[1], **ask},
            {"id": parts[2], "type": _TYPES[2], "headline": _text("Anything else?"), "follow_up": None},
        ],
    }


def headline(version: int) -> str:
    """Return what a version of a survey asks first."""
    return "How was it?" if version == 1 else f"How was it this time? ({version})"


def _text(value: str) -> dict[str, Any]:
    return {"type": "static", "value": value}
