"""Errors by what the caller can do about them.

ZendeskError
├── ConfigurationError   a setting or credential is wrong: fix it and run again
├── UnavailableError     the plan, role or token may not read this stream: leave it out, the rest loads
├── AlreadyRunningError  another run of this pipeline is under way: wait for it
├── TransientError       retried until the deadline without success: run again later
└── ContractError        Zendesk answered in a shape this library does not know: stop and report
"""

from __future__ import annotations


class ZendeskError(Exception):
    """Base of every error this package raises on purpose."""


class ConfigurationError(ZendeskError, ValueError):
    """A setting is missing or cannot be used; the message shows a valid example."""


class CredentialsError(ConfigurationError):
    """Zendesk refuses the credentials, so that no request of the run can succeed."""


class DestinationError(ConfigurationError):
    """The destination cannot be loaded into: a package, credentials or the server are missing."""


class UnavailableError(ZendeskError):
    """Zendesk refuses a stream to this plan, role or token (403, 404, 401 of credentials that are good elsewhere).

    Attributes:
        is_gone: it was a 404; below one parent among others that means that the parent has gone.
    """

    def __init__(self, message: str, *, is_gone: bool = False) -> None:
        super().__init__(message)
        self.is_gone = is_gone


class ProductInactiveError(UnavailableError):
    """Zendesk refuses a stream as the account has no active Support product; if all are, the account is wrong."""


class AlreadyRunningError(ZendeskError):
    """Another run of the same pipeline, or of the same streams into the same dataset, is under way."""


class TransientError(ZendeskError):
    """A request kept failing until its retry deadline."""


class ContractError(ZendeskError):
    """An answer has a shape, or a status, that cannot be loaded without losing rows."""


class StartTimeTooRecentError(ContractError):
    """An export refused a `start_time` less than a minute old: there is nothing new yet."""


class CursorExpiredError(ContractError):
    """An export no longer knows the cursor it was given."""


class PageTooHeavyError(TransientError):
    """An export timed out (504, 524) building a page; a smaller page may pass."""


class Cancelled(Exception):
    """The run is over; a reader thread unwinds."""
