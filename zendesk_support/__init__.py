"""Load Zendesk Support and Help Center into a warehouse with dlt."""

from zendesk_support.api.credentials import (
    ZendeskAccessToken,
    ZendeskApiToken,
    ZendeskClientCredentials,
    ZendeskRefreshToken,
)
from zendesk_support.errors import (
    ConfigurationError,
    ContractError,
    TransientError,
    UnavailableError,
    ZendeskError,
)
from zendesk_support.loading.row_functions import by_row, rows
from zendesk_support.report import Report, StreamReport
from zendesk_support.running.accounts import sync_accounts
from zendesk_support.running.continuous import sync_every
from zendesk_support.running.runner import sync
from zendesk_support.source import zendesk_support_source
from zendesk_support.verification.result import Verification
from zendesk_support.verification.verifier import verify
from zendesk_support.version import __version__ as __version__

__all__ = [
    "ConfigurationError",
    "ContractError",
    "Report",
    "StreamReport",
    "TransientError",
    "UnavailableError",
    "Verification",
    "ZendeskAccessToken",
    "ZendeskApiToken",
    "ZendeskClientCredentials",
    "ZendeskError",
    "ZendeskRefreshToken",
    "by_row",
    "rows",
    "sync",
    "sync_accounts",
    "sync_every",
    "verify",
    "zendesk_support_source",
]
