"""The source's settings in dlt's configuration, by name: dlt passes a misspelt one over, here it is refused."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import dlt

from zendesk_support.api.credentials import ZendeskChat, ZendeskCredentials
from zendesk_support.dlt_internals import BaseDocProvider, Container, PipelineContext
from zendesk_support.error_messages import did_you_mean
from zendesk_support.errors import ConfigurationError

OF_A_STREAM = ("sync_mode", "every", "exclude", "hash", "include")
LISTS = ("exclude", "hash", "include")
"""Those of them that are lists of columns."""
LOAD = "load"
"""Below `streams`, which of them to load."""
ACCOUNTS = "accounts"
"""Below it, accounts by name."""
OF_A_RESOURCE = ("cursor",)
"""What dlt itself reads below the name of a resource."""
CLOSE = 0.75
NEAR = 0.5
"""How alike a name has to be to be called the one that was meant."""
ALIKE = 0.85
"""How alike a section has to be to be called a misspelt one: it may be somebody else's."""


@dataclass(frozen=True)
class Setting:
    """A setting that somebody has written.

    Attributes:
        path: the keys that lead to it, below the source's section.
        shown: as it is written, in a file or in the environment.
        value: what it is set to.
        is_in_file: it stands in a file, not in the environment.
    """

    path: tuple[str, ...]
    shown: str
    value: Any
    is_in_file: bool = False


own_settings: ContextVar[frozenset[tuple[str, ...]]] = ContextVar("own_settings", default=frozenset())
"""Paths of settings that the account being made has of its own: what stands there for all accounts is not its."""


def settings_of_source(section: str, name: str) -> Iterator[Setting]:
    """What files and environment set for a source, less what is set for one account, or hidden by it."""
    hidden = own_settings.get()
    for setting in settings_in(section, name):
        if setting.path[0] != ACCOUNTS and setting.path not in hidden:
            yield setting


def settings_in(section: str, name: str) -> Iterator[Setting]:
    """What files and environment set for a source, the environment last.

    Args:
        section: of the source, as in `[sources.zendesk_support]`.
        name: of the source; settings may stand in a section of its own below.
    """
    context = Container()[PipelineContext]
    pipelines = [(), (context.pipeline().pipeline_name,)] if context.is_active() else [()]
    for above in pipelines:
        # Settings of streams hold for all sources where dlt finds other settings for all of them.
        yield from (setting for setting in written(*above, "sources") if is_of_a_stream(setting.path))
        for setting in written(*above, "sources", section):
            yield replace(setting, path=below(setting.path, name))


def check_sections(root: str, section: str) -> None:
    """Refuse a section whose name is nearly that of ours: nobody would read it.

    Args:
        root: `sources` or `destination`.
        section: ours below it.

    Raises:
        ConfigurationError: it is misspelt.
    """
    for setting in written(root):
        first = setting.path[0]
        is_longer = first.startswith(section)  # another source or destination, named after this one
        if len(setting.path) > 1 and not is_longer and get_close_matches(first, [section], 1, ALIKE):
            raise ConfigurationError(
                f"{setting.shown}: there is no section {root}.{first}. Did you mean {root}.{section}?"
            )


def is_of_a_stream(path: tuple[str, ...]) -> bool:
    """Whether a path leads to a setting of one stream."""
    return path[0] == "streams" and len(path) > 2 and path[2] in OF_A_STREAM


def written(*sections: str) -> Iterator[Setting]:
    """What files and environment set below a section, the environment last."""
    for provider in dlt.config.config_providers:
        if isinstance(provider, BaseDocProvider):
            tree, _ = provider.get_value(sections[-1], dict, None, *sections[:-1])  # type: ignore[arg-type]
            for path, value in leaves(tree, ()):
                yield Setting(path, ".".join((*sections, *path)), value, is_in_file=True)
    prefix = "__".join((*sections, "")).upper()
    for key, value in os.environ.items():
        if key.startswith(prefix) and value:
            yield Setting(tuple(key[len(prefix) :].lower().split("__")), key, value)


def leaves(tree: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The values in a table of tables, each with its keys."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from leaves(value, (*path, str(key)))
    elif path:
        yield path, tree


def below(path: tuple[str, ...], name: str) -> tuple[str, ...]:
    """A path without the section of the source's own name."""
    return path[1:] if len(path) > 1 and path[0] == name else path


def check_names(settings: Collection[Setting], known: Collection[str], streams: Collection[str]) -> None:
    """Refuse settings that the source does not have.

    Args:
        settings: what is written.
        known: the source's settings.
        streams: the streams there are.

    Raises:
        ConfigurationError: there is no such setting; the message names the nearest.
    """
    for setting in settings:
        first, *rest = setting.path
        if first == "streams" and rest:
            check_stream_setting(setting, rest, streams)
        elif first == "credentials" and rest:
            demand(setting, rest[0], ZendeskCredentials().get_resolvable_fields(), "credentials.")
        elif first == "chat" and rest:
            demand(setting, rest[0], ZendeskChat().get_resolvable_fields(), "chat.")
        elif first in streams and (rest or first not in known):
            if not rest or rest[0] not in OF_A_RESOURCE:
                is_list = bool(rest) and rest[-1] in LISTS
                example = f'{rest[-1]} = ["name"]' if is_list else f'{OF_A_STREAM[0]} = "history"'
                raise ConfigurationError(
                    f"{setting.shown}: settings of a stream stand below streams. Example: "
                    f"[sources.zendesk_support.streams.{first}] {example}."
                )
        elif first not in known and (not rest or get_close_matches(first, [*known, *streams], 1, CLOSE)):
            demand(setting, first, [*known, "streams", "credentials"])


def check_stream_setting(setting: Setting, rest: list[str], streams: Collection[str]) -> None:
    """Refuse a setting of a stream that does not exist, or that streams do not have."""
    demand(setting, rest[0], (*streams, LOAD), "streams.")
    if len(rest) > 1:
        demand(setting, rest[1], OF_A_STREAM, f"streams.{rest[0]}.")


def demand(
    setting: Setting,
    name: str,
    known: Collection[str],
    above: str = "",
    listed: str = "All of them: help(zendesk_support_source).",
) -> None:
    """Refuse a name that is none of those known."""
    if name in known:
        return
    meant = did_you_mean(name, known, NEAR, above)
    raise ConfigurationError(f"{setting.shown}: there is no setting {above}{name}.{meant} {listed}")


def stream_settings(settings: Collection[Setting]) -> dict[str, Any]:
    """What is set stream by stream, as a table of tables; later settings go before earlier ones, one by one."""
    found: dict[str, Any] = {}
    for setting in settings:
        first, *rest = setting.path
        if first == "streams" and rest and rest != [LOAD]:
            held, value = found.get(rest[0], {}), {rest[1]: setting.value} if len(rest) > 1 else in_json(setting.value)
            both = isinstance(held, Mapping) and isinstance(value, Mapping)
            found[rest[0]] = {**held, **value} if both else held if isinstance(value, Mapping) else value
    return found


def in_json(value: Any) -> Any:
    """A table that is written as JSON; anything else as it is."""
    with contextlib.suppress(ValueError, TypeError):
        found = json.loads(value)
        return found if isinstance(found, Mapping) else value
    return value
