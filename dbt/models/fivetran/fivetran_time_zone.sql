{{ config(enabled=var('fivetran_shape', false), alias='time_zone') }}
select time_zone, standard_offset, {{ utc(dbt.current_timestamp()) }} as _fivetran_synced
from {{ ref('zendesk_time_zones') }}
