"""First loads that begin with what is new: their setting, and accounts in short pages, whose exports end early."""

from __future__ import annotations

from zendesk_support.simulator import Simulator

NEWEST = {"order": "newest"}


def in_short_pages(account: Simulator) -> Simulator:
    """The account, whose exports have no more than 50 rows a page."""
    account.fault("heavy_page", route="incremental_*", per_page=50, times=None)
    return account


def answer_again(account: Simulator) -> None:
    """Let an account answer whose exports had ended."""
    account.clear_faults()
    in_short_pages(account)
