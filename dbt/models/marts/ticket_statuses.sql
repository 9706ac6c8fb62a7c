with changes as (

    select *, lag(value) over (partition by ticket_id order by created_at, event_id, position) as value_before
    from {{ ref('ticket_field_values') }}
    where field = 'status'

), spells as (

    select
        *,
        row_number() over (partition by ticket_id order by created_at, event_id, position) as nth,
        lead(created_at) over (partition by ticket_id order by created_at, event_id, position) as ended_at
    from changes
    where value is distinct from value_before

)

select
    ticket_id,
    nth,
    value as status,
    created_at as started_at,
    ended_at,
    {{ minutes_between('created_at', 'ended_at') }} as minutes,
    updater_id as started_by_id,
    is_assumed
from spells
