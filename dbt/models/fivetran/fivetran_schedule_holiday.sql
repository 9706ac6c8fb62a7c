{{ config(enabled=var('fivetran_shape', false), alias='schedule_holiday') }}
select
    id,
    schedule_id,
    name,
    cast(start_date as date) as start_date,
    cast(end_date as date) as end_date,
    false as _fivetran_deleted,
    {{ synced() }}
from {{ loaded('schedule_holidays') }} as schedule_holidays
