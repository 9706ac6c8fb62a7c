"""What makes a sync in a test's own process cost half the CPU, and changes nothing that it does."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from copy import copy, deepcopy
from functools import cache, partial, wraps
from typing import Any
from weakref import WeakKeyDictionary

import yaml
from dlt.common import jsonpath, validation
from dlt.common.configuration.providers import provider
from dlt.common.configuration.specs import base_configuration
from dlt.common.destination.reference import Destination
from dlt.common.schema import Schema
from dlt.common.storages.live_schema_storage import LiveSchemaStorage
from dlt.load.load import Load

PURE: tuple[tuple[Any, str], ...] = (
    (provider, "get_key_name"),
    (jsonpath, "compile_path"),
    (base_configuration, "is_secret_hint"),
    (base_configuration, "extract_inner_hint"),
)
"""Functions that dlt calls thousands of times a sync, with texts and types as their only arguments."""
PLAIN = frozenset((str, int, float, bool, type(None)))


def remember_answers() -> None:
    """Keep the answers of dlt's pure functions, wherever dlt has a name for one; a dlt without one loses nothing.

    The hints of resources, which dlt writes as YAML after each extraction, are written by libyaml.
    """
    if yaml.__with_libyaml__:
        yaml.dump = partial(yaml.dump, Dumper=yaml.CDumper)  # the same text, four times as fast
    read_schemas_once()
    know_types_once()
    ask_capabilities_once()
    describe_loads_by_one_hash()
    replace_everywhere(deepcopy, copied)
    for home, name in PURE:
        if function := getattr(home, name, None):
            replace_everywhere(function, remembered(function))


def remembered(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that works out each answer once, if its arguments can be looked up."""
    kept = cache(function)

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return kept(*args, **kwargs)
        except TypeError:  # an argument without a hash, or an error of the function's own
            return function(*args, **kwargs)

    return call


def replace_everywhere(function: Callable[..., Any], by: Callable[..., Any]) -> None:
    """Put a function in the place of another in every module of dlt that imported it."""
    for module in [module for name, module in sys.modules.items() if name.partition(".")[0] == "dlt"]:
        for name, value in list(vars(module).items()):
            if value is function:
                setattr(module, name, by)


def read_schemas_once() -> None:
    """Let dlt go on with the schema that it holds while the file that it came from is the same.

    dlt reads, checks and copies the whole file each time that somebody looks at a pipeline's schema.
    """
    look_up = LiveSchemaStorage.__getitem__
    seen: WeakKeyDictionary[Schema, tuple[Any, ...]] = WeakKeyDictionary()

    def looked_up(self: LiveSchemaStorage, name: str) -> Schema:
        held = self.live_schemas.get(name)
        state = state_of(self, name, held)
        if held is None or state is None or seen.get(held) != state or held.is_modified:
            held = look_up(self, name)
            if state := state_of(self, name, held):
                seen[held] = state
        return held

    LiveSchemaStorage.__getitem__ = looked_up


def know_types_once() -> None:
    """Let dlt ask once for the types of each kind of dict that it checks; it says itself that asking is slow."""
    ask = validation.get_type_hints

    @cache
    def known(kind: Any) -> dict[str, Any]:
        return ask(kind, globalns=vars(sys.modules[kind.__module__]))

    validation.get_type_hints = lambda kind, **rest: known(kind)


def ask_capabilities_once() -> None:
    """Let a destination work out once what it can do before it is connected; dlt asks some fifteen times a sync."""
    ask = Destination.capabilities
    known: WeakKeyDictionary[Destination, dict[Any, Any]] = WeakKeyDictionary()

    def asked(self: Any, config: Any = None, naming: Any = None) -> Any:
        if config is not None:
            return ask(self, config, naming)
        kept = known.setdefault(self, {})
        about = (type(naming), naming and naming.max_length, repr(self.config_params), repr(self.caps_params))
        if about not in kept:
            kept[about] = ask(self, None, naming)
        return kept[about].copy()

    Destination.capabilities = asked


def describe_loads_by_one_hash() -> None:
    """Let dlt work out a schema's hash once as it describes what a package has filled, not once a table."""
    describe = Load._compute_outputs

    def described(self: Load, schema: Schema, *rest: Any) -> Any:
        still = copy(schema)
        still.__class__ = type("Still", (type(schema),), {"version_hash": schema.version_hash})
        return describe(self, still, *rest)

    Load._compute_outputs = described


def copied(value: Any, memo: dict[int, Any] | None = None) -> Any:
    """`deepcopy`, a few times as fast for the plain trees that schemas are."""
    kind = type(value)
    if kind is dict:
        return {key: copied(inner) for key, inner in value.items()}
    if kind is list:
        return [copied(inner) for inner in value]
    return value if kind in PLAIN else deepcopy(value, memo)


def state_of(storage: LiveSchemaStorage, name: str, schema: Schema | None) -> tuple[Any, ...] | None:
    """What tells whether a schema is that of its file; None where there is no file, or another may go before it."""
    if schema is None or storage.config.import_schema_path:
        return None
    path = storage.storage.make_full_path(storage.NAMED_SCHEMA_FILE_PATTERN % (name, "json"))
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return path, found.st_ino, found.st_mtime_ns, found.st_size, schema.stored_version_hash


def collect_garbage_less() -> None:
    """Leave what is there for good, modules and tests, out of the search for garbage, and search more seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
