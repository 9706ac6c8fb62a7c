"""Where streams hold what is about a person: the list behind the table of docs/privacy.md, kept by hand."""

from __future__ import annotations

from dataclasses import dataclass

from zendesk_support.streams.base import REFERENCES, Stream

OF_USERS = (
    "submitter_id",
    "collaborator_ids",
    "follower_ids",
    "email_cc_ids",
    "agent_id",
    "creator_user_id",
    "created_by",
    "updated_by",
    "created_by_user_id",
    "updated_by_user_id",
    "created_by_id",
    "updated_by_id",
    "added_user_ids",
    "responder_id",
    "agent_ids",
    "customer_id",
    "transferred_from",
    "transferred_to",
    "consultation_from",
    "consultation_to",
    "conference_from",
    "conference_to",
)
"""Columns of users' ids that REFERENCES has not."""


@dataclass(frozen=True)
class Personal:
    """Columns of a stream, and paths into them, that hold what is about a person.

    Attributes:
        names: who somebody is: a name, an address, a number, a picture.
        written: what somebody wrote or noted, which may say anything.
        traces: where somebody was, and by which device.
        ids: paths to ids of users that the columns' names do not tell.
    """

    names: str = ""
    written: str = ""
    traces: str = ""
    ids: str = ""

    @property
    def paths(self) -> list[str]:
        """All of them."""
        return f"{self.names} {self.written} {self.traces} {self.ids}".split()


SENDER = " ".join(
    f"via.source.{side}.{name}" for side in ("from", "to") for name in ("address", "name", "phone", "formatted_phone")
)
CALL = "data.from data.to data.answered_by_name data.location"
HEARD = "data.transcription_text data.recording_url"
"""What a comment or an audit of a call holds, of who took part and of what was said."""
PLACE = "metadata.system.client metadata.system.ip_address metadata.system.latitude metadata.system.location"
PLACE += " metadata.system.longitude"
BODIES = ("body", "html_body", "plain_body")


def within(column: str, paths: str) -> str:
    """Paths below a column."""
    return " ".join(f"{column}.{path}" for path in paths.split())


OF_COMMENT = f"{' '.join(BODIES)} attachments.file_name attachments.content_url"

PERSONAL: dict[str, Personal] = {
    "tickets": Personal(
        f"recipient {SENDER}",
        "subject raw_subject description custom_fields.value satisfaction_rating.comment",
    ),
    "ticket_events": Personal(
        f"{within('child_events', SENDER)} {within('child_events', CALL)} child_events.formatted_from",
        f"{within('child_events', OF_COMMENT)} {within('child_events', HEARD)} child_events.subject "
        "child_events.previous_value child_events.value child_events.custom_ticket_fields",
        f"system.client system.location system.latitude system.longitude {PLACE} {within('child_events', PLACE)}",
    ),
    "ticket_comments": Personal(
        f"formatted_from formatted_to graph_object_id data {CALL} {SENDER}", f"{OF_COMMENT} {HEARD}", PLACE
    ),
    "ticket_changes": Personal("", "value previous_value"),
    "ticket_audits": Personal(
        f"{SENDER} {within('events', SENDER)} {within('events', CALL)} events.formatted_from events.recipients",
        f"{within('events', OF_COMMENT)} {within('events', HEARD)} events.subject events.value "
        "events.previous_value metadata.custom",
        f"{PLACE} {within('events', PLACE)}",
    ),
    "ticket_skips": Personal(
        f"ticket.recipient {within('ticket', SENDER)}",
        "reason ticket.subject ticket.raw_subject ticket.description ticket.custom_fields.value ticket.fields.value",
    ),
    "ticket_activities": Personal("title actor user", "object target"),
    "deleted_tickets": Personal("actor.name", "subject"),
    "satisfaction_ratings": Personal("", "comment"),
    "suspended_tickets": Personal(
        f"author recipient message_id {SENDER}",
        "subject content attachments.file_name attachments.content_url error_messages",
    ),
    "users": Personal(
        "name alias email phone photo external_id",
        "details notes signature user_fields tags",
        "last_login_at last_active iana_time_zone time_zone locale",
    ),
    "user_identities": Personal("value"),
    "organizations": Personal("name", "details notes organization_fields"),
    "organization_memberships": Personal("organization_name"),
    "side_conversation_events": Personal(
        "actor.name actor.email message.from.name message.from.email message.to.name message.to.email",
        "message.subject message.preview_text message.body message.html_body message.attachments updates.subject",
    ),
    "side_conversations": Personal("participants.name participants.email", "subject preview_text"),
    "conversation_log_events": Personal("author.display_name author.avatar_url", "content attachments", "metadata"),
    "csat_survey_responses": Personal("", "answers.value"),
    "custom_object_records": Personal("external_id", "name custom_object_fields"),
    "calls": Personal("", "post_call_summary post_call_transcription real_time_transcription"),
    "call_legs": Personal("forwarded_to"),
    "agents_activity": Personal("name avatar_url forwarding_number"),
    "deleted_users": Personal("name email phone photo", "", "time_zone locale"),
    "brands": Personal("", "signature_template"),
    "macros": Personal("", "actions"),
    "triggers": Personal("", "actions conditions"),
    "automations": Personal("", "actions conditions"),
    "audit_logs": Personal("actor_name source_label", "change_description", "ip_address"),
    "recipient_addresses": Personal("name email"),
    "targets": Personal("email", "subject"),
    "access_logs": Personal("", "summary url referer", "ip_address client"),
    "oauth_tokens": Personal("", "", "used_at"),
    "sessions": Personal("", "", "authenticated_at last_seen_at"),
    "trigger_revisions": Personal("", "snapshot diff"),
    "approval_requests": Personal(
        "assignee_user.name created_by_user.name created_by_user.photo decisions.decided_by_user "
        "clarification_flow_messages.author",
        "subject message withdrawn_reason decisions.decision_notes clarification_flow_messages.message",
    ),
    "itam_assets": Personal("external_id", "name notes custom_field_values"),
    "chats": Personal(
        "visitor.name visitor.email visitor.phone agent_names history.name",
        "comment message history.msg visitor.notes",
        "session webpath",
        "engagements.agent_id",
    ),
    "routing_instance_value_events": Personal(ids="instance_id"),
    "chat_agents": Personal("display_name email first_name last_name", "", "last_login"),
    "chat_bans": Personal("visitor_name", "reason", "ip_address"),
    "articles": Personal("", "title name body"),
    "article_translations": Personal("", "title body"),
    "section_translations": Personal("", "title body"),
    "category_translations": Personal("", "title body"),
    "article_attachments": Personal("", "file_name display_file_name content_url"),
    "article_comments": Personal("", "body"),
    "posts": Personal("", "title details"),
    "post_comments": Personal("", "body"),
    "themes": Personal("author"),
}


def ids_of_users(stream: Stream) -> list[str]:
    """Columns with ids of users, and paths to some: who has the table `users` knows who they are."""
    listed = [name for name in stream.columns if REFERENCES.get(name) == "users" or name in OF_USERS]
    return listed + PERSONAL.get(stream.name, Personal()).ids.split()
