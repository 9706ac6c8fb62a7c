{{ config(enabled=var('fivetran_shape', false), alias='ticket_schedule') }}
-- A schedule that a trigger gave to a ticket; tickets without a row follow the account's first schedule.
select
    ticket_id,
    cast(coalesce(
        {{ json_text('child.value', ['new_schedule_id']) }},
        {{ json_text('child.value', ['schedule_id']) }}
    ) as {{ dbt.type_bigint() }}) as schedule_id,
    {{ utc('created_at') }} as created_at,
    {{ synced() }}
from {{ loaded('ticket_events') }} as ticket_events
{{ each_json('child_events', 'child') }}
where cast(child_events as {{ dbt.type_string() }}) like '%ScheduleAssignment%'
    and {{ json_text('child.value', ['event_type']) }} = 'ScheduleAssignment'
