{{ config(enabled=var('fivetran_shape', false), alias='schedule') }}
select
    id,
    name,
    time_zone,
    cast({{ json_text('span.value', ['start_time']) }} as {{ dbt.type_bigint() }}) as start_time,
    cast({{ json_text('span.value', ['end_time']) }} as {{ dbt.type_bigint() }}) as end_time,
    {{ utc('created_at') }} as created_at,
    false as _fivetran_deleted,
    {{ synced() }}
from {{ loaded('schedules') }} as schedules
{{ each_json('intervals', 'span') }}
