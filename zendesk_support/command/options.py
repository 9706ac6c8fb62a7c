"""What the command line takes: options, and what of them does not go together."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence

from rich_argparse import RichHelpFormatter

from zendesk_support.command.destinations import Warehouse
from zendesk_support.errors import (
    ConfigurationError,
)
from zendesk_support.settings import duration
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.selection import selected
from zendesk_support.version import __version__

ALONE = ("demo", "list_streams", "check", "verify", "verify_keys", "full_refresh", "views", "every")
"""Options of which one run takes one."""
WATCHED = {"status_file": "/run/zendesk.json", "metrics_port": "9464"}
"""Options of a process that keeps syncing, with examples."""
PROGRESS = ("auto", "tqdm", "log", "off")


def make_parser(warehouse: Warehouse) -> argparse.ArgumentParser:
    """The options that every destination has, and its own."""
    parser = argparse.ArgumentParser(
        description=f"Load Zendesk Support and Help Center into {warehouse.title}.",
        formatter_class=RichHelpFormatter,
        epilog="Settings and credentials come from .dlt/config.toml, ~/.dlt/secrets.toml, SOURCES__ZENDESK_SUPPORT__*.",
    )
    add = parser.add_argument
    add("-v", "--verbose", action="store_true", help="list streams without news, too")
    add("-q", "--quiet", action="store_true", help="print failures only")
    add("--version", action="version", version=f"zendesk-support-dlt {__version__}")
    add("--account", nargs="+", default=[], metavar="NAME", help="load these of the configured accounts (all of them)")
    add("--at-once", type=int, metavar="N", help="accounts that are loaded at the same time (4; with --every all)")
    add("--streams", nargs="+", default=[], metavar="NAME", help="load these streams, or families of them (default)")
    add("--exclude", nargs="+", default=[], metavar="NAME", help="leave these streams or families out")
    add("--start-date", metavar="DATE", help="leave out facts older than this (two years back)")
    add("--end-date", metavar="DATE", help="load a bounded period, without touching the saved positions")
    add("--max-minutes", type=float, metavar="N", help="stop reading after N minutes; the next run goes on from there")
    add("--every", metavar="DURATION", help="keep syncing: a pass begins so long after the last one did, such as 1m")
    add("--status-file", metavar="PATH", help="with --every: write how the passes went to this file, as JSON")
    add("--metrics-port", type=int, metavar="N", help="with --every: serve Prometheus metrics on 127.0.0.1:N")
    add(
        "--full-refresh",
        action="store_true",
        help="drop the selected streams' tables and load them anew; rows gone in Zendesk are lost",
    )
    add("--dataset", metavar="NAME", help="dataset (schema) of the tables (zendesk_support)")
    add("--pipeline-name", default="zendesk_support", metavar="NAME", help="name the saved positions belong to")
    add("--progress", choices=PROGRESS, help="what is shown of a run: our own display (auto), or one of dlt's")
    add("--strict", action="store_true", help="exit with 1 if a stream is unavailable on this plan")
    add("--check", action="store_true", help="try every selected stream with one small request, load nothing")
    add("--verify", action="store_true", help="compare the selected streams' tables with Zendesk, load nothing")
    add("--verify-keys", action="store_true", help="as --verify, reading every key: as many requests as a first load")
    add("--since", metavar="DATE", help="with --verify: compare every key and version from this date on, nothing older")
    add("--views", action="store_true", help="make the views with a column for each custom field anew, load nothing")
    add("--list-streams", action="store_true", help="list the streams")
    add("--demo", action="store_true", help="load a simulated account, twice: no credentials needed")
    parser.set_defaults(file_of=None)
    warehouse.add_options(parser)
    return parser


def check_options(options: argparse.Namespace) -> None:
    """Refuse options that contradict each other, or name nothing.

    Raises:
        ConfigurationError: two of them do not go together.
    """
    asked = [f"--{name.replace('_', '-')}" for name in ALONE if getattr(options, name)]
    if len(asked) > 1:
        raise ConfigurationError(f"{asked[0]} and {asked[1]} do not go together. Example: {asked[0]} --streams tickets")
    if options.since and not (options.verify or options.verify_keys):
        raise ConfigurationError("--since is for --verify. Example: --verify --since 2024-01-31")
    if options.every is not None:
        duration("--every", options.every)
        for name in ("max_minutes", "end_date"):
            if getattr(options, name) is not None:
                option = f"--{name.replace('_', '-')}"
                raise ConfigurationError(f"{option} is for a single run, and goes with no --every. Example: --every 1m")
    for name in ("account", "at_once"):
        option = f"--{name.replace('_', '-')}"
        if getattr(options, name) and (options.demo or options.list_streams):
            raise ConfigurationError(f"{option} is for configured accounts. Example: --account acme globex")
    if options.at_once is not None and options.at_once < 1:
        raise ConfigurationError(f"--at-once {options.at_once}: at least one account at a time. Example: --at-once 2")
    for name in ("status_file", "metrics_port"):
        if getattr(options, name) is not None and options.every is None:
            option = f"--{name.replace('_', '-')}"
            raise ConfigurationError(f"{option} is for --every. Example: --every 1m {option} {WATCHED[name]}")
    for option, what, example in (
        ("streams", "stream", "tickets users"),
        ("exclude", "stream", "tickets users"),
        ("account", "account", "acme globex"),
    ):
        if getattr(options, option) and not apart(getattr(options, option)):
            raise ConfigurationError(f"--{option} names no {what}. Example: --{option} {example}")


def apart(given: Sequence[str]) -> list[str]:
    """Names as people write them: apart, or with commas between them."""
    return [name for text in given for name in text.replace(",", " ").split()]


def select(streams: Sequence[str], exclude: Sequence[str], among: Iterable[str] = CATALOGUE) -> list[str]:
    """The streams that options name, by name or family.

    Args:
        streams: of `--streams`.
        exclude: of `--exclude`.
        among: what is meant without `--streams`.

    Raises:
        ConfigurationError: a name is no stream and no family, or none is left.
    """
    wanted = selected(streams, "--streams") if streams else tuple(among)
    without = set(selected(exclude, "--exclude", with_trials=True))
    left = [name for name in wanted if name not in without]
    if not left:
        raise ConfigurationError("--exclude leaves no stream to load. Example: --streams tickets users --exclude users")
    return left
