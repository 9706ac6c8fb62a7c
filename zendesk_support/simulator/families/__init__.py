"""What the simulated account has, one value a family of streams."""

from zendesk_support.simulator.families import (
    account_settings,
    community,
    configuration,
    conversations,
    custom_objects,
    fields,
    help_center,
    people,
    rules,
    search,
    tickets,
)
from zendesk_support.simulator.kinds import Family

FAMILIES: tuple[Family, ...] = (
    tickets.FAMILY,
    people.FAMILY,
    fields.FAMILY,
    rules.FAMILY,
    account_settings.FAMILY,
    help_center.FAMILY,
    community.FAMILY,
    search.FAMILY,
    conversations.FAMILY,
    custom_objects.FAMILY,
    configuration.FAMILY,
)
