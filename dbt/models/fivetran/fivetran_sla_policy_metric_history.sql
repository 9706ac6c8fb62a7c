{{ config(enabled=var('fivetran_shape', false), alias='sla_policy_metric_history') }}
-- The present version of each policy; all of them if the stream is loaded with sync_mode = "history".
select
    id as sla_policy_id,
    metric.position - 1 as index,
    {{ utc('updated_at') }} as sla_policy_updated_at,
    {{ json_text('metric.value', ['metric']) }} as metric,
    {{ json_text('metric.value', ['priority']) }} as priority,
    cast({{ json_text('metric.value', ['target']) }} as {{ dbt.type_bigint() }}) as target,
    {{ json_text('metric.value', ['business_hours']) }} = 'true' as business_hours,
    {{ synced() }}
from {{ loaded('sla_policies', versions=true) }} as sla_policies
{{ each_json('policy_metrics', 'metric') }}
