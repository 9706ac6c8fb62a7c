"""What every row is made from: the seed, the sizes, the times and a pool of ready-made texts."""

from __future__ import annotations

import hashlib
import random
from bisect import bisect
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Any, TypeVar

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.ulid import ulid

SPAN = 548 * 86400
HOUR = 3600
SUBDOMAIN = "simulator"
HOST = f"https://{SUBDOMAIN}.zendesk.com"
STEP = 16
_MASK = (1 << 64) - 1
Part = TypeVar("Part")

BLOCK = 1_000_000_000
"""How many numbers lie between the first ids of two tables."""


class _FirstIds(dict[str, int]):
    """The number below which no id of a table lies, by the table's name alone.

    Ids have 14 digits, as on current accounts. An account fails to start if two of its names share a block.
    """

    def __missing__(self, name: str) -> int:
        """Return the beginning of one of 90,000 blocks."""
        digest = hashlib.sha256(f"{SUBDOMAIN} {name}".encode()).digest()
        self[name] = (10_000 + int.from_bytes(digest[:8], "big") % 90_000) * BLOCK
        return self[name]


FIRST_ID = _FirstIds()


def check_disjoint(names: Iterable[str]) -> None:
    """Fail if ids of two names could be the same."""
    owners: dict[int, str] = {}
    for name in names:
        other = owners.setdefault(FIRST_ID[name], name)
        if other != name:
            raise ValueError(f"ids of {name} and {other} would lie in one block; hash another text in `_FirstIds`")


_WORDS = """
    printer order invoice refund delivery account password login screen update device battery cable support shipment
    warranty receipt subscription upgrade browser payment error message number customer agent reply request store
    address parcel courier damaged missing late wrong colour size return exchange label voucher discount checkout
    basket page button mobile app notification email phone call yesterday today week month please thanks regards
    hello again still never always sometimes broken works failed tried restarted found
""".split()
_SPICE = (
    'The screen said "Error 42" & stopped.',
    "See <b>attached</b> file C:\\temp\\log.txt.",
    "Grüße aus München!",
    "¿Dónde está mi pedido?",
    "注文番号が見つかりません。",
    "Не работает печать.",
    "That's not OK 😡🔥",
    "Ça marche très bien, merci 👍🏽",
    "a\ttab and a \u2028 separator",
    "https://example.com/?a=1&b=2",
    "'; DROP TABLE x; --",
    "{{ticket.id}} 100% \\n",
    "السلام عليكم",
    "it's a \"quoted\" 'thing'",
)
_NAMES = """
    Ada Alan Barbara Chloé Dmitri Edsger Fatima Grace Hedy İpek João Katherine Linus Margaret Niklaus Olga Per Radia
    Søren Tim Ursula Vint Wen Xochitl Yukihiro Zoë
""".split()
_SURNAMES = """
    Lovelace Turing Liskov Müller Dijkstra O'Hara Hopper Lamarr Yılmaz Gonçalves Johnson Torvalds Hamilton Wirth
    Perlman Nørgård Berners Vaughan Zhang Matsumoto Ångström
""".split()
_BUSY_HOURS = (1, 1, 1, 1, 1, 2, 4, 9, 20, 30, 33, 30, 22, 26, 28, 25, 19, 12, 8, 7, 6, 4, 3, 2)
_BUSY_DAYS = (130, 112, 102, 98, 86, 22, 18)
"""How much customers write by hour of the day, UTC, and by day of the week, Monday first."""
_WEEKS = 79


class World:
    """The constants of one account; the same seed, sizes and start give the same rows."""

    def __init__(self, seed: int, start: int, sizes: dict[str, int], plan: str) -> None:
        self.seed = seed
        self.start = start
        self.first = start - SPAN
        self.sizes = sizes
        self.tickets = sizes["tickets"]
        self.plan = plan
        self._parts: dict[object, Any] = {}
        self._salt = (seed * 0x94D049BB133111EB) & _MASK
        self._written = self._hourly()
        rng = random.Random(f"texts {seed}")
        self.texts = [_text(rng, 500 + 2000 * number**3 // 88**3) for number in range(89)]
        rng.shuffle(self.texts)
        self.notes = [_text(rng, 120 + 5 * number) for number in range(67)]
        self.subjects = [_subject(rng) for _ in range(101)]

    def mix(self, number: int, salt: int) -> int:
        """Return 47 bits that look random and depend only on the seed and the arguments."""
        value = (number * 0x9E3779B97F4A7C15 + salt * 0xD6E8FEB86659FD93 + self._salt) & _MASK
        value = ((value ^ (value >> 31)) * 0xBF58476D1CE4E5B9) & _MASK
        return (value ^ (value >> 29)) >> 17

    def rid(self, kind: str, number: int) -> int:
        """Return the id of the n-th row of a kind."""
        return FIRST_ID[kind] + (number + 1) * STEP

    def number(self, kind: str, rid: int) -> int:
        """Return the position of a row from its id."""
        return (rid - FIRST_ID[kind]) // STEP - 1

    def ulid(self, rid: int, moment: int) -> str:
        """Return the text id of a row made at a moment."""
        return ulid(moment * 1000 + rid // STEP % 1000, self.mix(rid, 67) << 33 | self.mix(rid, 68) >> 14)

    def rids(self, kind: str, more: int = 0) -> range:
        """Return the ids of all first rows of a kind, and of some more than its size says."""
        first = FIRST_ID[kind] + STEP
        return range(first, first + (self.sizes[kind] + more) * STEP, STEP)

    def part(self, made_from: Callable[[World], Part]) -> Part:
        """Return constants of a family, made when they are first asked for."""
        if made_from not in self._parts:
            self._parts[made_from] = made_from(self)
        found: Part = self._parts[made_from]
        return found

    def spread(self, number: int, count: int) -> int:
        """Return when the n-th of `count` rows was created: evenly over the account's life, with jitter."""
        room = SPAN - 7200
        return self.first + number * room // max(1, count) + self.mix(number, 1) % max(1, room // max(1, count))

    def in_rhythm(self, moment: int) -> int:
        """Move an evenly spread time to one when customers write, keeping the order.

        They write in office hours (UTC), seldom at weekends, in some weeks more than in others, and in the last weeks
        more than in the first.
        """
        share = (moment - self.first) / (SPAN - 2 * HOUR) * self._written[-1]
        hour = bisect(self._written, share) - 1
        part = (share - self._written[hour]) / (self._written[hour + 1] - self._written[hour])
        return self.first + int((hour + part) * HOUR)

    def _hourly(self) -> list[int]:
        """What customers have written up to each hour of the account's life, in parts of a whole."""
        weights = []
        first = (self.first + HOUR // 2) // HOUR
        for hour in range(first, first + SPAN // HOUR - 2):
            week = hour // 168 - first // 168
            volume = 60 + 60 * week // _WEEKS + self.mix(week, 4) % 60
            weights.append(_BUSY_HOURS[hour % 24] * _BUSY_DAYS[(hour // 24 + 3) % 7] * volume)
        return list(accumulate(weights, initial=0))

    def later(self, number: int, since: int, most: int) -> int:
        """Return a time up to `most` seconds after `since`, and before the account's start."""
        value = self.mix(number, 2)
        return max(since, min(since + 60 + value % most, self.start - 300 - value % 3600))

    def pick(self, number: int, salt: int, kind: str) -> int:
        """Return the id of some row of a kind."""
        return self.rid(kind, self.mix(number, salt) % max(1, self.sizes[kind]))

    def agent(self, number: int, salt: int) -> int:
        """Return the id of some agent."""
        return self.rid("users", self.mix(number, salt) % self.sizes["agents"])

    def end_user(self, number: int, salt: int) -> int:
        """Return the id of some end user."""
        agents = self.sizes["agents"]
        return self.rid("users", agents + self.mix(number, salt) % max(1, self.sizes["users"] - agents))

    def person(self, number: int) -> str:
        """Return a person's name."""
        value = self.mix(number, 3)
        return f"{_NAMES[value % len(_NAMES)]} {_SURNAMES[value // 31 % len(_SURNAMES)]}"

    def words(self, number: int, salt: int, count: int) -> str:
        """Return a few words."""
        value = self.mix(number, salt)
        return " ".join(_WORDS[(value >> (5 * part)) % len(_WORDS)] for part in range(count))

    def stamps(self, created: int, updated: int) -> dict[str, Any]:
        """Return the two time columns."""
        return {"created_at": iso(created), "updated_at": iso(updated)}

    def setting(self, kind: str, rid: int, path: str) -> tuple[int, int, dict[str, Any]]:
        """Return the position of a row of the configuration, its bits, and the columns that nearly all kinds have."""
        number = self.number(kind, rid)
        created = self.first + 86400 + number * 7200
        row = {
            "url": f"{HOST}/api/v2/{path}/{rid}.json",
            "id": rid,
            **self.stamps(created, self.later(number, created, 300 * 86400)),
        }
        return number, self.mix(rid, 50), row

    def joined(self, kind: str, rid: int) -> int:
        """Return when somebody came to the account: before the first ticket was written."""
        return self.spread(self.number(kind, rid), self.sizes[kind]) - SPAN

    def changed(self, kind: str, rid: int) -> int:
        """Return when a row was last updated, where that is spread over the account's life."""
        number = self.number(kind, rid)
        return self.later(number, self.spread(number, self.sizes[kind]), 90 * 86400)


def make_stamp(world: World, kind: str, most: int = 90 * 86400) -> Callable[[int], int]:
    """Return the function that tells when a row of a kind was last updated."""
    count = world.sizes[kind]

    def stamp(rid: int) -> int:
        number = world.number(kind, rid)
        return world.later(number, world.spread(number, count), most)

    return stamp


def _text(rng: random.Random, length: int) -> str:
    parts: list[str] = []
    size = 0
    while size < length:
        if rng.random() < 0.2:
            sentence = rng.choice(_SPICE)
        else:
            sentence = " ".join(rng.choices(_WORDS, k=rng.randint(5, 14))).capitalize() + "."
        sentence += "\n\n" if rng.random() < 0.2 else " "
        parts.append(sentence)
        size += len(sentence)
    return "".join(parts)[:length].rstrip()


def _subject(rng: random.Random) -> str:
    text = " ".join(rng.choices(_WORDS, k=rng.randint(3, 8))).capitalize()
    return f"{text} {rng.choice(_SPICE)}" if rng.random() < 0.15 else text
