with agents as (

    select id, name
    from {{ loaded('users') }} as users
    where role in ('agent', 'admin')

), acts as (

    select
        {{ day_of('created_at') }} as day,
        author_id as agent_id,
        ticket_id,
        case when public then 1 else 0 end as public_replies,
        case when not public then 1 else 0 end as internal_notes,
        cast(null as {{ dbt.type_bigint() }}) as solved_ticket_id
    from {{ loaded('ticket_comments') }} as ticket_comments

    union all

    select
        {{ day_of('created_at') }} as day,
        updater_id as agent_id,
        ticket_id,
        0 as public_replies,
        0 as internal_notes,
        case when field = 'status' and {{ json_as_text('value') }} = 'solved' then ticket_id end as solved_ticket_id
    from {{ loaded('ticket_changes') }} as ticket_changes

)

select
    acts.day,
    acts.agent_id,
    agents.name as agent_name,
    cast(sum(acts.public_replies) as {{ dbt.type_bigint() }}) as public_replies,
    cast(sum(acts.internal_notes) as {{ dbt.type_bigint() }}) as internal_notes,
    count(distinct acts.ticket_id) as tickets_touched,
    count(distinct acts.solved_ticket_id) as tickets_solved
from acts
inner join agents on agents.id = acts.agent_id
group by acts.day, acts.agent_id, agents.name
