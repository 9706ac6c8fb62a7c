{{ config(enabled=var('fivetran_shape', false), alias='ticket_schedule') }}
-- A schedule that a trigger gave to a ticket; tickets without a row follow the account's first schedule.
with assigned as (

    select
        ticket_id,
        cast(coalesce(
            {{ json_text('child.value', ['new_schedule_id']) }},
            {{ json_text('child.value', ['schedule_id']) }}
        ) as {{ dbt.type_bigint() }}) as schedule_id,
        {{ utc('created_at') }} as created_at,
        {{ synced() }},
        row_number() over (
            partition by ticket_id, created_at order by ticket_events.id desc, child.position desc
        ) as nth_from_last
    from {{ loaded('ticket_events') }} as ticket_events
    {{ each_json('child_events', 'child') }}
    where cast(child_events as {{ dbt.type_string() }}) like '%ScheduleAssignment%'
        and {{ json_text('child.value', ['event_type']) }} = 'ScheduleAssignment'

)

select ticket_id, schedule_id, created_at, _fivetran_synced
from assigned
where nth_from_last = 1
