{{ config(enabled=var('fivetran_shape', false), alias='ticket_comment') }}
select
    id,
    ticket_id,
    author_id as user_id,
    body,
    public,
    type = 'FacebookComment' as facebook_comment,
    type = 'Tweet' as tweet,
    type in ('VoiceComment', 'TpeVoiceComment') as voice_comment,
    cast({{ json_text('data', ['call_id']) }} as {{ dbt.type_bigint() }}) as call_id,
    cast({{ json_text('data', ['call_duration']) }} as {{ dbt.type_bigint() }}) as call_duration,
    {{ json_text('data', ['recording_url']) }} as recording_url,
    {{ json_text('data', ['location']) }} as location,
    {{ json_text('data', ['transcription_text']) }} as transcription_text,
    {{ json_text('data', ['transcription_status']) }} as transcription_status,
    transcription_visible as voice_comment_transcription_visible,
    trusted,
    {{ utc('created_at') }} as created,
    false as _fivetran_deleted,
    {{ synced() }}
from {{ loaded('ticket_comments') }} as ticket_comments
