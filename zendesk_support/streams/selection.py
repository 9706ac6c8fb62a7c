"""Which streams are loaded: by name, by family, or those of the default set."""

from __future__ import annotations

from collections.abc import Iterable

from zendesk_support.error_messages import did_you_mean
from zendesk_support.errors import ConfigurationError
from zendesk_support.reading.base import Endpoint
from zendesk_support.reading.below import Below
from zendesk_support.reading.each_export import EachExport
from zendesk_support.reading.together import Together
from zendesk_support.streams import CATALOGUE

FAMILIES = {
    "core": "tickets and what happens on them, users and organizations",
    "configuration": "how the account is set up",
    "help_center": "articles, community posts and what hangs below them",
    "conversations": "side conversations, messages and satisfaction surveys",
    "audit": "who signs in and with what, changes of triggers, webhooks sent, approvals",
    "chat": "live chats, when agents were online, and how Chat is set up",
    "custom_objects": "objects of the account's own, their fields and records",
    "omnichannel": "queues, skills, and what agents do and are available for",
    "talk": "calls and their legs, phone lines, and what happens on the phone now",
}
ALL, DEFAULT = "all", "default"
EARLIER, NEWEST = 1, 2
"""Default sets: what was loaded before there was a choice, and what is loaded by a pipeline that is new."""
NEAR = 0.6


def default_streams(of_set: int = NEWEST) -> tuple[str, ...]:
    """The streams of a default set."""
    return tuple(name for name, stream in CATALOGUE.items() if stream.is_in(of_set))


def family(name: str) -> tuple[str, ...]:
    """The streams of a family, with its trials."""
    return tuple(stream.name for stream in CATALOGUE.values() if stream.family == name)


def trials_left_out(names: Iterable[str]) -> list[str]:
    """Trials that are not among some streams although all others of their family are."""
    chosen = set(names)
    trials = {name for name, stream in CATALOGUE.items() if stream.is_trial}
    return [name for name in trials - chosen if {*family(CATALOGUE[name].family)} - trials <= chosen]


def selected(words: Iterable[str], setting: str = "streams", *, with_trials: bool = False) -> tuple[str, ...]:
    """The streams that names of streams, families, `default` and `all` stand for, in the order of the catalogue.

    Args:
        words: what somebody asked for.
        setting: where, for messages: `streams`, `--exclude`.
        with_trials: families and `all` stand for trials, too, which are else loaded only where they are named.

    Raises:
        ConfigurationError: a word is none of those.
    """
    wanted: set[str] = set()
    trials = {name for name, stream in CATALOGUE.items() if stream.is_trial and not with_trials}
    for word in words:
        if word == ALL:
            wanted |= CATALOGUE.keys() - trials
        elif word == DEFAULT:
            wanted.update(default_streams())
        elif word in FAMILIES:
            wanted |= {*family(word)} - trials
        elif word in CATALOGUE:
            wanted.add(word)
        else:
            raise ConfigurationError(unknown(word, setting))
    return tuple(name for name in CATALOGUE if name in wanted)


def costs_of(names: Iterable[str]) -> dict[str, str]:
    """What a sync of each of some streams costs in requests, where each endpoint is read once for all of them."""
    names = tuple(names)
    costs: dict[str, str] = {}
    readers: list[tuple[Endpoint, str]] = []
    known = [CATALOGUE[name].feeds[0].endpoint for name in names]
    for name in names:
        endpoint = CATALOGUE[name].feeds[0].endpoint
        first = next((other for read, other in readers if read == endpoint and endpoint.is_shared), None)
        readers += [(endpoint, name)] if first is None else []
        costs[name] = endpoint.cost + parents_cost(endpoint, known) if first is None else f"none: read with {first}"
    return costs


def parents_cost(endpoint: Endpoint, known: list[Endpoint]) -> str:
    """What it costs besides to list the rows that an endpoint hangs below, where no stream that is read lists them."""
    lists = endpoint.lists.values() if isinstance(endpoint, Together) else (endpoint,)
    parents = [each.parents for each in lists if isinstance(each, Below | EachExport)]
    own = [above for above in parents if not above.is_few and above not in known]
    return "".join(f"; {above.cost} to list {above.listed}{parents_cost(above, known)}" for above in own)


def unknown(word: str, setting: str) -> str:
    """What to say of a word that stands for no stream."""
    known = [*CATALOGUE, *FAMILIES, DEFAULT, ALL]
    meant = did_you_mean(word, known, NEAR)
    is_option = setting.startswith("-")
    some = "help_center" if setting == "--exclude" else "default custom_objects"
    example = f"{setting} {some}" if is_option else f'{setting} = ["default", "custom_objects"]'
    given = f"{setting} {word}" if is_option else f'{setting} = "{word}"'
    return (
        f"{given}: there is no such stream or family.{meant} --list-streams --streams all shows the streams; families "
        f"are {', '.join(FAMILIES)}, and {DEFAULT} and {ALL}. Example: {example}."
    )
