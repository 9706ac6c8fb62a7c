{{ config(materialized='ephemeral') }}
-- The values that status, group and priority of each ticket had, from their changes.
-- What was before the first change that is loaded is taken from that change, and where there is none, from the ticket.
{%- set fields = ['status', 'group_id', 'priority'] %}

with changes as (

    select
        ticket_id,
        field,
        created_at,
        event_id,
        position,
        event_type,
        updater_id,
        nullif({{ json_as_text('value') }}, '') as value,
        nullif({{ json_as_text('previous_value') }}, '') as previous_value,
        row_number() over (partition by ticket_id, field order by created_at, event_id, position) as nth
    from {{ loaded('ticket_changes') }} as ticket_changes
    where field in ('{{ fields | join("', '") }}')

), tickets as (

    {% for field in fields -%}
    select id, created_at, '{{ field }}' as field, cast({{ field }} as {{ dbt.type_string() }}) as value
    from {{ loaded('tickets') }} as tickets
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select ticket_id, field, created_at, event_id, position, value, updater_id, false as is_assumed
from changes

union all

select
    tickets.id as ticket_id,
    tickets.field,
    tickets.created_at,
    0 as event_id,
    0 as position,
    case when changes.ticket_id is null then tickets.value else changes.previous_value end as value,
    cast(null as {{ dbt.type_bigint() }}) as updater_id,
    true as is_assumed
from tickets
left join changes on changes.ticket_id = tickets.id and changes.field = tickets.field and changes.nth = 1
where changes.ticket_id is null
    or (changes.event_type = 'Change' and changes.created_at >= tickets.created_at)
