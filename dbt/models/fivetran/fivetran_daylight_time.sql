{{ config(enabled=var('fivetran_shape', false), alias='daylight_time') }}
-- Only the years that tickets are from: dbt_zendesk multiplies each of them with every week of every ticket.
select time_zone, year, daylight_offset, daylight_start_utc, daylight_end_utc,
    {{ utc(dbt.current_timestamp()) }} as _fivetran_synced
from {{ ref('zendesk_daylight_times') }}
where daylight_end_utc >= (
    select cast({{ dbt.dateadd('year', -1, 'min(' ~ utc('created_at') ~ ')') }} as {{ dbt.type_timestamp() }})
    from {{ loaded('tickets') }} as tickets
)
and daylight_start_utc <= cast({{ dbt.dateadd('year', 1, utc(dbt.current_timestamp())) }} as {{ dbt.type_timestamp() }})
