"""What others call the tables of these streams, for people who move from there."""

from __future__ import annotations

TOOLS = ("Airbyte", "Fivetran", "Estuary", "dlt's verified source")
"""Airbyte: the streams in the manifest of its Zendesk Support 4.9.1, and those of its sources of Talk and Chat.
Fivetran: the tables of its schema page. Estuary: the resources of its pages on Zendesk Support Real-Time
and on Zendesk Chat, whose connector is a build of Airbyte's and has its names. dlt: those of
its source `zendesk`."""

AIRBYTE = """
account_attributes article_attachments article_comment_votes article_comments article_votes articles
attribute_definitions audit_logs automations brands categories custom_roles group_memberships groups macros
organization_fields organization_memberships organizations post_comment_votes post_comments post_votes posts
satisfaction_ratings schedules sections sla_policies tags ticket_activities ticket_audits ticket_comments
ticket_fields ticket_forms ticket_metric_events ticket_metrics ticket_skips tickets topics triggers user_fields users
user_identities calls call_legs phone_numbers greetings greeting_categories ivrs talk_addresses:addresses
agents_activity current_queue_activity account_overview chats chat_agent_timeline:agent_timeline chat_agents:agents
chat_departments:departments chat_shortcuts:shortcuts chat_triggers:triggers chat_bans:bans chat_goals:goals
chat_skills:skills chat_roles:roles chat_account:accounts
"""
FIVETRAN = """
tickets:ticket ticket_comments:ticket_comment ticket_changes:ticket_field_history ticket_tags:ticket_tag users:user
organizations:organization groups:group brands:brand audit_logs:audit_log schedules:schedule
schedule_holidays:schedule_holiday sla_policies:sla_policy_metric_history ticket_forms:ticket_form_history
sections:section suspended_tickets:suspended_ticket side_conversation_events:ticket_side_conversation_event
side_conversations:ticket_side_conversation custom_statuses:ticket_custom_status
ticket_field_options:ticket_field_option group_sla_policies:group_sla_policy_metric_history jira_links:ticket_link
ticket_collaborators:ticket_collaborator time_zones:time_zone csat_survey_responses:ticket_csat_survey locales:locale
calls:call_metric call_legs:call_leg phone_numbers:line lines:line talk_addresses:address chats:chat
chat_agent_timeline:agent_status_history agent_statuses:agent_status_type agent_availabilities:agent_status_history
agent_attribute_values:agent_attribute
article_translations:translation section_translations:translation category_translations:translation
article_labels:article_label_name content_tags:content_tag content_subscriptions:content_subscription badges:badge
badge_categories:badge_category badge_assignments:badge_assignment help_center_votes:user_vote
"""
ESTUARY = """
account_attributes audit_logs automations brands calls call_legs custom_roles group_memberships groups macros
organizations organization_memberships posts post_comments post_comment_votes post_votes satisfaction_ratings
schedules sla_policies tags ticket_activities ticket_audits ticket_comments ticket_fields ticket_forms ticket_metrics
ticket_metric_events ticket_skips tickets topics users custom_statuses:custom_ticket_statuses side_conversations
chats chat_agent_timeline:agent_timeline chat_agents:agents chat_departments:departments chat_shortcuts:shortcuts
chat_triggers:triggers chat_bans:bans chat_goals:goals chat_skills:skills chat_roles:roles chat_account:accounts
"""
DLT = """
tickets ticket_events ticket_metric_events ticket_metrics ticket_fields ticket_forms users sla_policies groups
organizations brands ticket_activities:activities automations custom_roles:custom_agent_roles
dynamic_content_items:dynamic_content group_memberships macros organization_fields organization_memberships
recipient_addresses satisfaction_ratings sharing_agreements ticket_skips:skips suspended_tickets targets triggers
user_fields views tags calls:calls_incremental call_legs:legs_incremental phone_numbers lines greetings
greeting_categories ivrs talk_addresses:addresses agents_activity current_queue_activity chats
"""


def names_of(words: str) -> dict[str, str]:
    """By stream, its name elsewhere: the same where no other is given after a colon."""
    pairs = (word.partition(":") for word in words.split())
    return {stream: name or stream for stream, _, name in pairs}


NAMES = tuple(map(names_of, (AIRBYTE, FIVETRAN, ESTUARY, DLT)))


def elsewhere(stream: str) -> tuple[str, ...]:
    """What each of the tools calls a stream's table; empty where it is not known to load it."""
    return tuple(names.get(stream, "") for names in NAMES)
