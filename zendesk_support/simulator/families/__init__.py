"""What the simulated account has, one value a family of streams."""

from zendesk_support.simulator.families import (
    account_settings,
    audit,
    chat,
    community,
    configuration,
    conversations,
    custom_objects,
    fields,
    gather,
    help_center,
    omnichannel,
    people,
    rules,
    search,
    talk,
    tickets,
    translations,
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
    translations.FAMILY,
    gather.GUIDE_FAMILY,
    gather.GATHER,
    audit.FAMILY,
    chat.FAMILY,
    omnichannel.FAMILY,
    talk.FAMILY,
)
