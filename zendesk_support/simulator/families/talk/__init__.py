"""Talk: calls and their legs, lines, greetings and menus, and how things stand now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import World
from zendesk_support.simulator.families.configuration.secrets import planted
from zendesk_support.simulator.families.talk import calls
from zendesk_support.simulator.kinds import Family, Gate, Kind, Mutation, listed, plain, shown
from zendesk_support.simulator.server.exports import Export
from zendesk_support.simulator.server.limits import Limit
from zendesk_support.simulator.server.messages import Request, not_found
from zendesk_support.simulator.server.routes import Args, Route

TALK = Limit(15_000, 300, name="talk")
TALK_EXPORTS = Limit(10, name="talk_exports")
TALK_QUEUE = Limit(2500, 300, name="talk_queue")
_PATH = "channels/voice"
_TALK = Gate("growth", 404)
_EXPORTS = Gate("professional", 403)
_GREETINGS = ("voicemail_en", "wait_en", "hold_en")
_CATEGORIES = ("Voicemail", "Available", "Wait", "Hold", "IVR")


# Lines, greetings and menus


def phone_number(world: World, rid: int) -> Row:
    """Make a phone number."""
    number, value, row = world.setting("phone_numbers", rid, "phone_numbers")
    digits = f"+1555010{number % 1000:04}"
    group = world.pick(number, 160, "groups")
    return {
        "id": rid,
        "created_at": row["created_at"],
        "number": digits,
        "display_number": f"+1 (555) 010-{number % 1000:04}",
        "name": f"{world.words(number, 161, 1).title()} & {number}",
        "nickname": None if value % 2 else f"Line {number}",
        "line_type": "phone",
        "country_code": "US",
        "location": "AL",
        "brand_id": world.rid("brands", number % world.sizes["brands"]),
        "default_group_id": group,
        "group_ids": [group],
        "sms_group_id": None,
        "ivr_id": world.pick(number, 162, "ivrs") if value % 3 == 0 else None,
        "schedule_id": None,
        "priority": value % 2,
        "capabilities": {"sms": True, "mms": value % 2 == 0, "voice": True, "emergency_address": True},
        "greeting_ids": [],
        "default_greeting_ids": list(_GREETINGS[:2]),
        "categorised_greetings": {"1": "voicemail_en", "3": "wait_en"},
        "categorised_greetings_with_sub_settings": {"1": {"voicemail_on_inside_business_hours": "voicemail_en"}},
        "voice_enabled": True,
        "sms_enabled": False,
        "external": False,
        "toll_free": value % 4 == 0,
        "outbound_enabled": True,
        "recorded": True,
        "transcription": value % 2 == 0,
        "call_recording_consent": "always",
        "failover_number": None,
        "outbound_number": digits,
    }


def _with_token(store: Store, request: Request, rid: int) -> Row:
    """Return a phone number as it is listed while it is being bought."""
    number = store.world.number("phone_numbers", rid)
    return {**store.tables["phone_numbers"].get(rid), "token": planted("phone", number) if number % 2 == 0 else None}


def digital_line(world: World, rid: int) -> Row:
    """Make a digital line."""
    number, value, _ = world.setting("lines", rid, "lines")
    return {
        "id": rid,
        "line_type": "digital",
        "nickname": f"{world.words(number, 163, 1).title()} web",
        "line_id": f"line-{value % 100_000}",
        "number": None,
        "brand_id": world.rid("brands", number % world.sizes["brands"]),
        "default_group_id": None,
        "group_ids": [world.pick(number, 164, "groups")],
        "priority": 0,
        "schedule_id": None,
        "greeting_ids": [],
    }


def _line(store: Store, rid: int) -> Row:
    phone = store.tables["phone_numbers"].find(rid)
    if phone is None:
        return store.tables["lines"].get(rid)
    named = (name for name in digital_line(store.world, store.world.rid("lines", 0)) if name != "line_id")
    return {name: phone[name] for name in named}


def _listed_line(store: Store, request: Request, rid: int) -> Row:
    """Return a line as it is listed: a phone number has its token here, too."""
    row = _line(store, rid)
    return {**row, "token": _with_token(store, request, rid)["token"]} if row["line_type"] == "phone" else row


def _lines(store: Store) -> list[int]:
    return sorted([*store.tables["phone_numbers"].rids, *store.tables["lines"].rids])


def _rename_line(change: Change, row: Row) -> None:
    row["nickname"] = f"Line of change {change.number}"


def greeting(world: World, rid: int) -> Row:
    """Make a greeting: the ids of the first, Zendesk's own, are words, those of others digits; all are texts."""
    number, value, _ = world.setting("greetings", rid, "greetings")
    default = number < len(_GREETINGS)
    ident = _GREETINGS[number] if default else str(rid)
    return {
        "id": ident,
        "name": f"Greeting {number}",
        "category_id": 1 + number % len(_CATEGORIES),
        "default": default,
        "default_lang": default,
        "active": value % 4 != 0,
        "pending": False,
        "has_sub_settings": number % len(_CATEGORIES) == 0,
        "audio_name": None if default else f"greeting {number}.mp3",
        "audio_url": f"https://example.com/greetings/{ident}.mp3",
        "upload_id": None if default else value % 100_000,
        "phone_number_ids": [world.pick(number, 165, "phone_numbers")] if value % 2 else [],
        "ivr_ids": [],
    }


def _new_greeting(change: Change, row: Row) -> None:
    row |= {"id": str(change.store.tables["greetings"].rids[-1]), "default": False, "default_lang": False}


def greeting_category(world: World, rid: int) -> Row:
    """Make a category of greetings; its id is Zendesk's, the same in all accounts."""
    number = world.number("greeting_categories", rid)
    return {"id": number + 1, "name": _CATEGORIES[number] if number < len(_CATEGORIES) else f"Category {number}"}


def ivr(world: World, rid: int) -> Row:
    """Make a menu that callers are led through."""
    number, value, _ = world.setting("ivrs", rid, "ivr")
    phone = world.rid("phone_numbers", number % max(1, world.sizes["phone_numbers"]))
    routes: list[Row] = [
        {
            "id": rid * 10 + key,
            "keypress": str(key),
            "greeting": "wait_en",
            "action": ("group", "voicemail")[key % 2],
            "options": {"group_ids": [world.pick(number, 166, "groups")]} if key % 2 == 0 else {},
            "overflow_options": [],
            "option_text": f"Press {key} for {world.words(value, 167 + key, 1)}.",
        }
        for key in range(1 + value % 3)
    ]
    menus = [{"id": rid + 1, "name": "Main menu", "default": True, "greeting_id": None, "routes": routes}]
    return {
        "id": rid,
        "name": f"Menu {number}",
        "phone_number_ids": [phone],
        "phone_number_names": [f"+1555010{world.number('phone_numbers', phone) % 1000:04}"],
        "menus": menus,
    }


def address(world: World, rid: int) -> Row:
    """Make an address that numbers are registered for."""
    number, value, _ = world.setting("talk_addresses", rid, "addresses")
    return {
        "id": rid,
        "name": f"Office & {number}",
        "street": f"{1 + value % 99} Example Street",
        "city": "Springfield",
        "zip": f"{value % 100_000:05}",
        "province": "OR",
        "state": "OR",
        "country_code": "US",
        "provider_reference": f"AD{value:012x}",
    }


# How things stand now


def _queue(store: Store, request: Request, args: Args) -> dict[str, Any]:
    return {"current_queue_activity": {"current_timestamp": store.now, **calls.queue_activity(store)}}


def _overview(store: Store, request: Request, args: Args) -> dict[str, Any]:
    return {"account_overview": {"current_timestamp": store.now, **calls.overview(store)}}


def _agents(store: Store, request: Request, args: Args) -> Sequence[int]:
    return calls.agents_of(store)


def _availability(store: Store, request: Request, args: Args) -> dict[str, Any]:
    """Answer with how one agent stands now."""
    agent = int(args[0]) if args[0].isdigit() else 0
    if agent not in calls.agents_of(store):
        raise not_found()
    row = calls.agent_activity(store, agent)
    return {"availability": {name: row[name] for name in ("agent_state", "call_status", "via")}}


def _exported(name: str, key: str, make: Callable[[World, int], Row], **more: Any) -> Kind:
    """Return a stream of which the increments give 1,000 rows from a second on, and no mark at their end."""
    export = Export(
        key,
        lambda store, _: store.tables[name],
        ends=False,
        grows=False,
        sized=False,
        refuses_recent=False,
    )
    route = Route(
        name,
        f"/api/v2/{_PATH}/stats/incremental/{key}",
        export=export,
        limits=(TALK, TALK_EXPORTS),
        stream=name,
        kind="incremental",
        admins=True,
    )
    return Kind(name, row=make, gate=_EXPORTS, routes=(route,), grows_only=True, **more)


def _listed(
    name: str, make: Callable[[World, int], Row], size: int, path: str = "", key: str = "", **more: Any
) -> Kind:
    """Return a stream with one list of Talk."""
    given = {"paging": "offset", **more}
    return plain(name, make, size, f"{_PATH}/{path or name}", key or name, gate=_TALK, limits=(TALK,), **given)


def _told(name: str, show: Callable[[Store], Row], answer: Any, limits: tuple[Limit, ...] = ()) -> Kind:
    """Return a stream whose one object tells how things stand now."""
    route = shown(name, f"{_PATH}/stats/{name}", answer, stream=name, limits=(TALK, *limits))
    return Kind(name, gate=_TALK, routes=(route,), truth=lambda store: [show(store)])


MUTATIONS: dict[str, Mutation] = {"create_calls": calls.create_calls, "transcribe_calls": calls.transcribe_calls}
FAMILY = Family(
    "talk",
    (
        _exported(
            "calls",
            "calls",
            calls.call,
            rids=calls.call_rids,
            stamp=calls.call_time,
            create=calls.create_calls,
            update=calls.transcribe_calls,
        ),
        _exported(
            "call_legs",
            "legs",
            calls.leg,
            rids=calls.leg_rids,
            stamp=calls.leg_time,
            create=calls.create_legs,
            update=calls.rate_legs,
        ),
        _listed("phone_numbers", phone_number, 3, row=_with_token),
        _listed(
            "lines",
            digital_line,
            2,
            rids=lambda store, request, args: _lines(store),
            row=_listed_line,
            more={
                "truth": lambda store: [_line(store, rid) for rid in _lines(store)],
                "altered": _rename_line,
            },
        ),
        _listed("greetings", greeting, 8, more={"cloned": _new_greeting}),
        _listed("greeting_categories", greeting_category, len(_CATEGORIES), paging="bare"),
        _listed("ivrs", ivr, 2, "ivr"),
        _listed("talk_addresses", address, 3, "addresses", "addresses"),
        Kind(
            "agents_activity",
            gate=_TALK,
            routes=(
                listed(
                    "agents_activity",
                    f"{_PATH}/stats/agents_activity",
                    rids=_agents,
                    row=lambda store, request, rid: calls.agent_activity(store, rid),
                    paging="none",
                    limits=(TALK,),
                ),
                shown("agent_on_the_phone", f"{_PATH}/availabilities/{{id}}", _availability, limits=(TALK,)),
            ),
            truth=lambda store: [calls.agent_activity(store, rid) for rid in calls.agents_of(store)],
        ),
        _told("current_queue_activity", calls.queue_activity, _queue, (TALK_QUEUE,)),
        _told("account_overview", calls.overview, _overview),
    ),
    mutations=MUTATIONS,
)
