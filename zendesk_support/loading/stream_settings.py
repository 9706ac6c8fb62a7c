"""Settings that each stream has for itself: sync mode, cadence, and what of its rows is left out or hashed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from zendesk_support import settings as checks
from zendesk_support.error_messages import did_you_mean
from zendesk_support.errors import ConfigurationError
from zendesk_support.loading.setting_names import LOAD, NEAR, OF_A_STREAM, Setting
from zendesk_support.loading.sync_modes import DEFAULT, Mode, check_mode
from zendesk_support.records.masks import EXCLUDED, HASHED, Mask
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.base import Stream
from zendesk_support.streams.personal import PERSONAL, Personal
from zendesk_support.streams.selection import selected

EXAMPLE = 'streams.tickets.sync_mode = "history"'
INCLUDED = "include"
EVERY = "every"
EXAMPLES = {
    EXCLUDED: 'streams.users.exclude = ["phone"]',
    HASHED: 'streams.users.hash = ["email"]',
    EVERY: 'streams.article_comments.every = "1d"',
    INCLUDED: 'streams.calls.include = ["post_call_summary"]',
}
MISSPELT = 0.94
"""How alike a path has to be to a known one to be called a misspelt one: there may be values that nobody knows."""
SHORTEST_SALT = 16
SALT_EXAMPLE = (
    "32 random characters, the same in every run, in secrets.toml under [sources.zendesk_support] as hash_salt, or as "
    "SOURCES__ZENDESK_SUPPORT__HASH_SALT. One is made by `openssl rand -hex 16`"
)


def selection(streams: Any, written: Collection[Setting]) -> tuple[tuple[str, ...] | None, Mapping[str, Any]]:
    """Which streams were asked for, None where nobody has, and the settings of single ones.

    Args:
        streams: what the source was given: a list, a text with blanks or commas, a table of settings, or its JSON form.
        written: what stands under `load` in files and environment, the environment last.

    Raises:
        ConfigurationError: it is none of them, or names no stream.
    """
    found = as_written(streams)
    table = dict(found) if isinstance(found, Mapping) else {}
    named = table.pop(LOAD, None) if isinstance(found, Mapping) else found
    for setting in written:
        if not setting.is_in_file or named is None:
            named = setting.value
    if named is None or (isinstance(found, Mapping) and named == []):
        return None, table
    named = as_written(named)
    is_list = isinstance(named, Collection) and not isinstance(named, Mapping)
    if not (is_list and named and all(isinstance(word, str) for word in named)):
        raise ConfigurationError(
            f'streams = "{streams}" is neither a list of streams nor a table of their settings. Examples: '
            f'streams = ["default", "custom_objects"], {EXAMPLE}.'
        )
    return selected(named), table


def as_written(value: Any) -> Any:
    """What a text is in JSON, else its words, with blanks or commas between them."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value.replace(",", " ").split()


def settings_by_stream(
    given: Mapping[str, Any], in_files: Mapping[str, Any], written: Mapping[str, Any]
) -> dict[str, Mapping[str, Any]]:
    """The settings of each stream that has any.

    Args:
        given: settings by stream, as the source was given them: an argument, or what dlt found in a file.
        in_files: those of files.
        written: those of files and environment; the environment goes before the files, an argument before both.

    Raises:
        ConfigurationError: a stream or setting does not exist.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for name in given:
        if name not in CATALOGUE:
            raise ConfigurationError(f'streams = "{name}": there is no such stream. Example: {EXAMPLE}.')
    for name in CATALOGUE:
        argued = checks.table(f"streams.{name}", given.get(name), EXAMPLE)
        filed = in_files.get(name)
        if isinstance(filed, Mapping):
            argued = {key: value for key, value in argued.items() if value != filed.get(key)}
        own = {**checks.table(f"streams.{name}", written.get(name), EXAMPLE), **argued}
        for unknown in own.keys() - set(OF_A_STREAM):
            raise ConfigurationError(
                f'streams.{name} = "{unknown}": there is no such setting. Example: {EXAMPLES.get(unknown, EXAMPLE)}.'
            )
        if own:
            found[name] = own
    return found


def sync_modes(all_streams: str | None, own: Mapping[str, Mapping[str, Any]]) -> dict[str, Mode]:
    """The sync mode of each stream.

    Args:
        all_streams: the one for every stream, None for the default.
        own: settings by stream.

    Raises:
        ConfigurationError: a mode does not exist, or a stream cannot have it.
    """
    modes: dict[str, Mode] = {}
    for name, stream in CATALOGUE.items():
        if chosen := own.get(name, {}).get("sync_mode"):
            modes[name] = check_mode(stream, chosen)
        else:
            wanted = all_streams or DEFAULT
            modes[name] = check_mode(stream, DEFAULT if wanted == "history" and stream.immutable else wanted)
    return modes


def cadences(own: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """How many seconds are to pass from one pass over a stream to the next, for streams of which somebody says it.

    Args:
        own: settings by stream.

    Raises:
        ConfigurationError: it is no duration.
    """
    return {
        name: checks.duration(f"streams.{name}.{EVERY}", settings[EVERY])
        for name, settings in own.items()
        if EVERY in settings
    }


def masks(own: Mapping[str, Mapping[str, Any]], salt: Any) -> dict[str, Mask]:
    """What of each stream's rows is left out or hashed, for streams of which anything is.

    What a stream withholds is left out unless somebody includes or hashes it.

    Args:
        own: settings by stream.
        salt: the key of hashes, None where none is set.

    Raises:
        ConfigurationError: a column does not exist, or cannot be left out or hashed; or there is no salt for a hash.
    """
    found: dict[str, Mask] = {}
    for name in dict.fromkeys((*own, *(name for name, stream in CATALOGUE.items() if stream.withheld))):
        settings = own.get(name, {})
        lists = {which: paths_in(name, which, settings.get(which)) for which in (EXCLUDED, HASHED)}
        for which, paths in lists.items():
            for path in paths:
                check_path(CATALOGUE[name], which, path)
        check_overlaps(name, lists)
        if lists[HASHED] and not salt:
            where = shown(name, HASHED, ", ".join(lists[HASHED]))
            raise ConfigurationError(f"{where} needs hash_salt, which is not set. Example: {SALT_EXAMPLE}.")
        wanted = included(CATALOGUE[name], settings.get(INCLUDED))
        if both := [column for column in wanted if column in lists[EXCLUDED]]:
            raise ConfigurationError(
                f"{shown(name, INCLUDED, both[0])} and {shown(name, EXCLUDED, both[0])}: a column is included or left "
                f"out; without either it is left out. Example: {EXAMPLES[INCLUDED]}."
            )
        asked = (*wanted, *lists[HASHED])
        left_out = (*lists[EXCLUDED], *(column for column in CATALOGUE[name].withheld if column not in asked))
        if left_out or lists[HASHED]:
            salted = key_of(salt) if lists[HASHED] else b""
            found[name] = Mask(tuple(dict.fromkeys(left_out)), lists[HASHED], salted)
    return found


def included(stream: Stream, value: Any) -> tuple[str, ...]:
    """Columns that a stream withholds and somebody asks for.

    Raises:
        ConfigurationError: it withholds no such column.
    """
    found = paths_in(stream.name, INCLUDED, value)
    for column in found:
        if column not in stream.withheld:
            held = f"withholds {', '.join(stream.withheld)}" if stream.withheld else "withholds no column"
            raise ConfigurationError(
                f"{shown(stream.name, INCLUDED, column)}: {stream.name} {held}. Example: {EXAMPLES[INCLUDED]}."
            )
    return found


def key_of(salt: Any) -> bytes:
    """The salt as bytes, without blanks around it."""
    text = str(salt).strip()
    if len(text) < SHORTEST_SALT:
        raise ConfigurationError(
            f"hash_salt has {len(text)} characters, and would be guessed: it needs {SHORTEST_SALT} or more. Example: "
            f"{SALT_EXAMPLE}."
        )
    return text.encode()


def paths_in(stream: str, which: str, value: Any) -> tuple[str, ...]:
    """A list of paths: as a list, as its JSON form, or as one text with commas.

    Raises:
        ConfigurationError: it is something else.
    """
    found = value
    if isinstance(value, str):
        try:
            found = json.loads(value)
        except ValueError:
            found = [part.strip() for part in value.split(",")]
    found = [] if value in (None, "") else found
    is_list = isinstance(found, Collection) and not isinstance(found, (str, bytes, Mapping))
    if not is_list or not all(isinstance(path, str) and path for path in found):
        raise ConfigurationError(f"{shown(stream, which, value)} is not a list of columns. Example: {EXAMPLES[which]}.")
    return tuple(dict.fromkeys(found))


def check_path(stream: Stream, which: str, path: str) -> None:
    """Refuse a path that leads nowhere in a stream, or to what loading goes by.

    Raises:
        ConfigurationError: it does.
    """
    where = shown(stream.name, which, path)
    column, *below = path.split(".")
    if column not in stream.columns:
        meant = did_you_mean(column, stream.columns, NEAR, after="".join(f".{part}" for part in below))
        example = example_for(stream, which)
        raise ConfigurationError(f"{where}: {stream.name} has no column {column}.{meant} Example: {example}.")
    if not all(below):
        raise ConfigurationError(f"{where} is not a path. Example: {example_for(stream, which)}.")
    if below and stream.columns[column] != "json":
        raise ConfigurationError(
            f'{where}: {column} holds no nested values. Example: streams.{stream.name}.{which} = ["{column}"].'
        )
    known = PERSONAL.get(stream.name, Personal()).paths
    if below and path not in known and (nearest := get_close_matches(path, known, 1, MISSPELT)):
        raise ConfigurationError(
            f"{where}: {stream.name} is not known to have such a value. Did you mean {nearest[0]}? Example: "
            f'streams.{stream.name}.{which} = ["{nearest[0]}"].'
        )
    for needed in stream.needed:
        # A value below a column may go with the whole column, but not be hashed with it.
        if path == needed or (which == HASHED and needed.startswith(f"{path}.")):
            raise ConfigurationError(
                f"{where}: the loader goes by {needed} (keys, times, parents), and must have it as it is. Example: "
                f"{example_for(stream, which)}."
            )


def check_overlaps(stream: str, lists: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse paths of which one lies within another, unless both are left out.

    Raises:
        ConfigurationError: some do.
    """
    for path in lists[HASHED]:
        for which, other in ((which, other) for which, paths in lists.items() for other in paths):
            within = f"{path}.".startswith(f"{other}.") or f"{other}.".startswith(f"{path}.")
            if within and (which, other) != (HASHED, path):
                raise ConfigurationError(
                    f"{shown(stream, HASHED, path)} and {shown(stream, which, other)}: a value is either left out or "
                    f"hashed, and once. Example: {EXAMPLES[which]}."
                )


def example_for(stream: Stream, which: str) -> str:
    """A list that a stream can have."""
    column = next((name for name in columns_to_mask(stream)), "url")
    return f'streams.{stream.name}.{which} = ["{column}"]'


def columns_to_mask(stream: Stream) -> Iterator[str]:
    """Columns that can be left out or hashed, texts first."""
    needed = {path.partition(".")[0] for path in stream.needed}
    free = [name for name in stream.columns if name not in needed]
    yield from sorted(free, key=lambda name: stream.columns[name] != "text")


def shown(stream: str, which: str, value: Any) -> str:
    """A setting as it is written."""
    return f'streams.{stream}.{which} = "{value}"'
