"""What is said beside a ticket: side conversations, the messages behind it, and what customers say in surveys."""

from __future__ import annotations

from collections.abc import Sequence

from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.families.conversations import changes, messages, surveys, threads
from zendesk_support.simulator.families.conversations.book import Conversations
from zendesk_support.simulator.families.tickets.answers import named
from zendesk_support.simulator.kinds import Family, Gate, Kind, listed
from zendesk_support.simulator.server.exports import Export, Keep
from zendesk_support.simulator.server.limits import GUIDE, Limit
from zendesk_support.simulator.server.messages import Request, error, refused_guide, refused_silently
from zendesk_support.simulator.server.routes import Args, Route

SIDE_CONVERSATIONS = Limit(600, 600, name="side_conversations")
LOCALES = ("en-us",)
_GATE = Gate("professional", 403)
_SURVEYS = Gate("growth", 403)


def _keep_events(store: Store, request: Request) -> Keep:
    book = store.part(Conversations)
    return lambda rid: not book.tickets.is_scrubbed(book.event_ticket(rid))


def _side_conversations(store: Store, request: Request, args: Args) -> Sequence[int]:
    return store.part(Conversations).threads(named(store, args[0]))


def _log(store: Store, request: Request, args: Args) -> Sequence[int]:
    return list(store.part(Conversations).log(named(store, args[0])))


def _responses(store: Store, request: Request, args: Args) -> Sequence[int]:
    """Return the responses whose surveys were sent in a time span, of some subjects and people."""
    table = store.tables["csat_survey_responses"]
    start, end = (_ms(request, f"filter[created_at_{edge}]") for edge in ("start", "end"))
    subjects, people = (_several(request, f"filter[{name}]") for name in ("subject_zrns", "responder_ids"))
    if start is None and end is None and not subjects and not people:
        return table.rids
    low, high = start or 0, 1 << 62 if end is None else end

    def fits(rid: int) -> bool:
        row = table.get(rid)
        asked = not subjects or not subjects.isdisjoint(row["subject_zrns"])
        return asked and (not people or row["responder_id"] in people) and low <= surveys.sent_in(row) <= high

    return [rid for rid in table.rids if low // 1000 <= table.stamp(rid) <= high // 1000 and fits(rid)]


def _ms(request: Request, name: str) -> int | None:
    text = request.params.get(name)
    if text is not None and not text.isdigit():
        raise error("InvalidFilter", f"{name} must be a time in milliseconds")
    return None if text is None else int(text)


def _several(request: Request, name: str) -> set[str]:
    return set(filter(None, request.params.get(name, "").split(",")))


def _surveys(store: Store, request: Request, args: Args) -> Sequence[int]:
    if args[0] not in LOCALES:
        raise error("NotFound", "The survey could not be found", 404)
    types = _several(request, "filter[types]")
    return store.tables["csat_surveys"].rids if not types or "CUSTOMER_SATISFACTION" in types else []


SIDE_CONVERSATION_EVENTS = Kind(
    "side_conversation_events",
    row=threads.event,
    rids=threads.event_rids,
    stamp=threads.event_time,
    gate=_GATE,
    routes=(
        Route(
            "side_conversation_events",
            "/api/v2/tickets/side_conversations/events",
            export=Export(
                "events",
                lambda store, _: store.tables["side_conversation_events"],
                quiet=60,
                keep=_keep_events,
                ends=False,
                most=100,
                rid=threads.rid_of,
            ),
            limits=(SIDE_CONVERSATIONS,),
            stream="side_conversation_events",
            kind="incremental",
            admins=True,
            refused=refused_silently,
        ),
    ),
    truth=lambda store: map(store.tables["side_conversation_events"].get, store.part(Conversations).told_events()),
    grows_only=True,
    create=changes.reply,
    remove=changes.scrub("side_conversation_events"),
)
SIDE_CONVERSATIONS_OF_TICKETS = Kind(
    "side_conversations",
    row=threads.side_conversation,
    rids=threads.thread_rids,
    stamp=threads.thread_time,
    gate=_GATE,
    routes=(
        listed(
            "side_conversations",
            "tickets/{id}/side_conversations",
            rids=_side_conversations,
            paging="offset",
            refused=refused_silently,
        ),
    ),
    truth=lambda store: map(store.tables["side_conversations"].get, store.part(Conversations).held_threads()),
    create=changes.create_side_conversations,
    update=changes.update_side_conversations,
    remove=changes.scrub("side_conversations"),
)
CONVERSATION_LOG_EVENTS = Kind(
    "conversation_log_events",
    row=messages.message,
    rids=messages.all_rids,
    stamp=messages.time_of,
    routes=(
        listed(
            "conversation_log_events",
            "tickets/{id}/conversation_log",
            "events",
            rids=_log,
            row=lambda store, request, rid: store.part(Conversations).log(int(request.path.split("/")[4]))[rid],
            order="given",
            paging="cursor",
            sorts=("created_at",),
            links="unsized",
            lasting=False,
        ),
    ),
    truth=lambda store: store.part(Conversations).all_logs(),
    create=changes.write_messages,
    update=changes.redact_messages,
    remove=changes.scrub("conversation_log_events"),
)
CSAT_SURVEY_RESPONSES = Kind(
    "csat_survey_responses",
    row=surveys.response,
    rids=surveys.response_rids,
    stamp=surveys.sent_at,
    gate=_SURVEYS,
    routes=(
        listed(
            "csat_survey_responses",
            "guide/survey_responses",
            "survey_responses",
            rids=_responses,
            paging="cursor",
            links="none",
            most=50,
            params=tuple(
                f"filter[{name}]" for name in ("created_at_start", "created_at_end", "subject_zrns", "responder_ids")
            ),
            general=GUIDE,
            scope="tickets",
            admins=True,
            refused=refused_guide,
        ),
    ),
    create=changes.send_surveys,
    update=changes.answer_surveys,
    remove=changes.remove_sent_surveys,
)
CSAT_SURVEYS = Kind(
    "csat_surveys",
    row=surveys.survey,
    size=2,
    stamp=surveys.survey_time,
    gate=_SURVEYS,
    routes=(
        listed(
            "csat_surveys",
            "guide/{locale}/surveys",
            "surveys",
            rids=_surveys,
            paging="cursor",
            links="none",
            most=50,
            params=("filter[types]",),
            general=GUIDE,
            scope="tickets",
            refused=refused_guide,
        ),
    ),
    create=changes.create_surveys,
    update=changes.change_surveys,
)
FAMILY = Family(
    "conversations",
    (
        SIDE_CONVERSATION_EVENTS,
        SIDE_CONVERSATIONS_OF_TICKETS,
        CONVERSATION_LOG_EVENTS,
        CSAT_SURVEY_RESPONSES,
        CSAT_SURVEYS,
    ),
    mutations=changes.MUTATIONS,
)
