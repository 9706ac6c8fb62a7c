-- Each ticket enters and leaves the backlog of a group and priority on some days; the backlog is the sum of all that
-- until a day. So the work grows with the changes and with days x groups x priorities, never with days x tickets.

with changes as (

    select
        *,
        {{ day_of('created_at') }} as day,
        {% for field in ['status', 'group_id', 'priority'] -%}
        sum(case when field = '{{ field }}' then 1 else 0 end) over (
            partition by ticket_id order by created_at, event_id, position, field rows unbounded preceding
        ) as nth_{{ field }},
        {% endfor -%}
        row_number() over (
            partition by ticket_id, {{ day_of('created_at') }}
            order by created_at desc, event_id desc, position desc, field desc
        ) as nth_from_last_of_day
    from {{ ref('ticket_field_values') }}

), states as (

    select
        ticket_id,
        day,
        nth_from_last_of_day,
        {%- for field in ['status', 'group_id', 'priority'] %}
        max(case when field = '{{ field }}' then value end) over (partition by ticket_id, nth_{{ field }}) as {{ field }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from changes

), ends_of_days as (

    select
        {{ as_integer('group_id') }} as group_id,
        priority,
        status,
        day,
        lead(day) over (partition by ticket_id order by day) as next_day
    from states
    where nth_from_last_of_day = 1

), moves as (

    select day, group_id, priority, 1 as tickets
    from ends_of_days
    where status in ('new', 'open', 'pending', 'hold')

    union all

    select next_day as day, group_id, priority, -1 as tickets
    from ends_of_days
    where status in ('new', 'open', 'pending', 'hold') and next_day is not null

), bounds as (

    select min(day) as first_day, max(last_day) as last_day
    from (
        select min(day) as day, max(day) as last_day from ends_of_days
        union all
        select min({{ day_of('created_at') }}) as day, max({{ day_of('updated_at') }}) as last_day
        from {{ loaded('tickets') }} as tickets
    ) as seen

), days as (

    {{ each_day('bounds') }}

), queues as (

    select group_id, priority, min(day) as first_day
    from moves
    group by group_id, priority

), daily as (

    select group_id, priority, day, sum(tickets) as tickets
    from (
        select group_id, priority, day, tickets from moves
        union all
        select queues.group_id, queues.priority, days.day, 0 as tickets
        from queues
        inner join days on days.day >= queues.first_day
    ) as all_days
    group by group_id, priority, day

), backlog as (

    select
        day,
        group_id,
        priority,
        sum(tickets) over (partition by group_id, priority order by day rows unbounded preceding) as tickets
    from daily

)

select
    backlog.day,
    backlog.group_id,
    ticket_groups.name as group_name,
    backlog.priority,
    cast(backlog.tickets as {{ dbt.type_bigint() }}) as tickets
from backlog
left join {{ loaded('groups', removed=true) }} as ticket_groups on ticket_groups.id = backlog.group_id
