"""Accounts that are configured by name: `[sources.zendesk_support.accounts.acme]`, and what each has of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from zendesk_support.api.credentials import ZendeskChat, ZendeskCredentials
from zendesk_support.error_messages import did_you_mean
from zendesk_support.errors import ConfigurationError
from zendesk_support.loading.setting_names import ACCOUNTS, LOAD, NEAR, Setting, check_names, settings_in

EXAMPLE = '[sources.zendesk_support.accounts.acme] subdomain = "acme"'
PLACES = ("dataset", "pipeline_name")
"""Settings that only an account has: where it is loaded, if not where its name says."""
NOT_SHARED = {"subdomain": "", "base_url": "", "same_account_as": ""}
"""What tells one account from another, with the values of an account that does not set it."""
SECRETS: Mapping[str, Any] = {"credentials": ZendeskCredentials, "chat": ZendeskChat}
"""Groups of fields that an account has whole, or not at all."""
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
LONGEST = 40


@dataclass(frozen=True)
class NamedAccount:
    """An account that is configured by name.

    Attributes:
        name: its name.
        settings: what it sets of the source, as arguments.
        own: paths of the settings that it has of its own, which are not looked up elsewhere.
        dataset: where it is loaded, if not where its name says, and
        pipeline_name: the name of its pipeline.
    """

    name: str
    settings: Mapping[str, Any]
    own: frozenset[tuple[str, ...]] = field(default_factory=frozenset)
    dataset: str | None = None
    pipeline_name: str | None = None

    def place(self, pipeline_name: str, dataset: str, into: str) -> tuple[str, str]:
        """Where it is loaded: the names of pipeline and dataset.

        Args:
            pipeline_name: what those of all accounts begin with.
            dataset: likewise.
            into: whether accounts share the dataset.
        """
        shared = dataset if into == "one" else f"{dataset}_{self.name}"
        return self.pipeline_name or f"{pipeline_name}_{self.name}", self.dataset or shared


def configured_accounts() -> tuple[str, ...]:
    """The names of all configured accounts, sorted.

    Raises:
        ConfigurationError: one of them cannot be a name.
    """
    return tuple(sorted({name_in(setting) for setting in of_accounts()}))


def chosen_accounts(asked: Sequence[str]) -> tuple[str, ...]:
    """The accounts that somebody asks for, or all that are configured.

    Raises:
        ConfigurationError: one is configured nowhere.
    """
    known = configured_accounts()
    for name in asked:
        if name not in known:
            listed = f"Configured: {', '.join(known)}." if known else f"None is configured. Example: {EXAMPLE}."
            meant = did_you_mean(name, known, NEAR)
            raise ConfigurationError(f"--account {name}: there is no such account.{meant} {listed}")
    return tuple(dict.fromkeys(asked)) or known


def named_account(name: str, known: Collection[str], streams: Collection[str]) -> NamedAccount:
    """An account as it is configured.

    Args:
        name: of the account.
        known: the settings of the source.
        streams: the streams there are.

    Raises:
        ConfigurationError: it is not configured, or has a setting that there is not.
    """
    chosen_accounts([name])
    written = [
        Setting(setting.path[2:], setting.shown, setting.value, setting.is_in_file)
        for setting in of_accounts()
        if name_in(setting) == name
    ]
    check_names([setting for setting in written if setting.path[0] not in PLACES], known, streams)
    tree: dict[str, Any] = {}
    for setting in written:
        put(tree, setting.path, setting.value)
    if not (tree.get("subdomain") or tree.get("base_url")):
        raise ConfigurationError(f"the account {name} has no subdomain of its own. Example: {EXAMPLE}.")
    places = {place: str(tree.pop(place)) for place in PLACES if tree.get(place)}
    settings = {**NOT_SHARED, "chat": {}, **tree}
    for group, kind in SECRETS.items():
        if group in settings:
            settings[group] = whole(settings[group], kind().get_resolvable_fields())
    keep_load(settings)
    return NamedAccount(name, settings, frozenset(setting.path for setting in written), **places)


def of_accounts() -> list[Setting]:
    """All that is set below `accounts`."""
    found = [setting for setting in settings_in("zendesk_support", "zendesk_support") if setting.path[0] == ACCOUNTS]
    for setting in found:
        if len(setting.path) < 3:
            raise ConfigurationError(f"{setting.shown}: each account has a name and a section. Example: {EXAMPLE}.")
    return found


def name_in(setting: Setting) -> str:
    """The account that a setting is of."""
    name = setting.path[1]
    if not _NAME.fullmatch(name) or len(name) > LONGEST:
        raise ConfigurationError(
            f"{setting.shown}: {name} cannot name an account: small letters, digits and single underscores, "
            f"{LONGEST} characters at most. Example: {EXAMPLE}."
        )
    return name


def put(tree: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Put a value into a table of tables; one of files gives way to the environment's, which comes later."""
    *above, last = path
    for key in above:
        if not isinstance(tree.get(key), dict):
            tree[key] = {}
        tree = tree[key]
    tree[last] = value


def whole(given: Any, fields: Collection[str]) -> Any:
    """Fields of a group with a value each: dlt would take those that are missing from the settings of all accounts."""
    if isinstance(given, str):
        with suppress(ValueError):
            given = json.loads(given)
    return {**dict.fromkeys(fields, ""), **given} if isinstance(given, Mapping) else given


def keep_load(settings: dict[str, Any]) -> None:
    """Let settings of streams leave alone which streams are loaded: that may stand with the settings of all accounts.

    It stands there as the list `streams`, which a table of an account's own would hide.
    """
    own = settings.get("streams")
    if isinstance(own, dict) and LOAD not in own:
        for setting in settings_in("zendesk_support", "zendesk_support"):
            if setting.path == ("streams",):
                own[LOAD] = setting.value
