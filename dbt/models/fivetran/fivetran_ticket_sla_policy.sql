{{ config(enabled=var('fivetran_shape', false), alias='ticket_sla_policy') }}
select
    ticket_id,
    cast({{ json_text('sla', ['policy', 'id']) }} as {{ dbt.type_bigint() }}) as sla_policy_id,
    {{ utc('time') }} as policy_applied_at,
    max({{ synced() | replace(' as _fivetran_synced', '') }}) as _fivetran_synced
from {{ loaded('ticket_metric_events') }} as ticket_metric_events
where type = 'apply_sla' and not coalesce(deleted, false)
group by 1, 2, 3
