"""What the command line prints of an error that ends it, and the exit code of that."""

from __future__ import annotations

from dlt.common.configuration.exceptions import ConfigurationException

from zendesk_support.command.console import errors, fail, first_paragraph
from zendesk_support.command.runs import INCOMPLETE, WRONG_USE
from zendesk_support.dlt_internals import DestinationException
from zendesk_support.error_messages import explain
from zendesk_support.errors import AlreadyRunningError, DestinationError, ZendeskError

TOLD = (ZendeskError, ConfigurationException, OSError, DestinationException)
"""Errors that are told in words; any other is a defect, and shows its trace."""


def tell_failure(error: BaseException) -> int:
    """Print what stands in the way; the exit code."""
    if isinstance(error, AlreadyRunningError):
        fail(str(error))
        return INCOMPLETE
    if isinstance(error, (ZendeskError, ConfigurationException)):
        fail(first_paragraph(error))
        told = "" if isinstance(error, DestinationError) else str(error)
        if "credentials" in told or "subdomain is not set" in told:
            errors.print("\nWithout a Zendesk account, try --demo.", highlight=False)
        return WRONG_USE
    fail(explain(error))
    return INCOMPLETE
