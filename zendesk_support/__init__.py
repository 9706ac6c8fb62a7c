"""Load Zendesk Support and Help Center into a warehouse with dlt."""

from zendesk_support.credentials import (
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
from zendesk_support.report import Report, StreamReport
from zendesk_support.rows import by_row, rows
from zendesk_support.runner import sync
from zendesk_support.source import zendesk_support_source
from zendesk_support.verify import Verification, verify

__version__ = "0.1.0"

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
    "verify",
    "zendesk_support_source",
]
