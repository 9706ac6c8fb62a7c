{{ config(enabled=var('fivetran_shape', false), alias='audit_log') }}
select
    id,
    action,
    actor_id,
    change_description,
    source_id,
    source_label,
    source_type,
    {{ utc('created_at') }} as created_at,
    {{ synced() }}
from {{ loaded('audit_logs') }} as audit_logs
