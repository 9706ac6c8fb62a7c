with events as (

    select
        id,
        ticket_id,
        metric,
        coalesce(instance_id, 1) as instance_id,
        type,
        time,
        coalesce({{ json_integer('sla', ['target']) }}, {{ json_integer('group_sla', ['target']) }}) as target_minutes,
        coalesce({{ json_text('sla', ['business_hours']) }}, {{ json_text('group_sla', ['business_hours']) }}) = 'true'
            as in_business_hours,
        -- the id of a group SLA's policy is a text
        coalesce({{ json_text('sla', ['policy', 'id']) }}, {{ json_text('group_sla', ['policy', 'id']) }}) as policy_id,
        coalesce({{ json_text('sla', ['policy', 'title']) }}, {{ json_text('group_sla', ['policy', 'title']) }})
            as policy_title
    from {{ loaded('ticket_metric_events') }} as ticket_metric_events
    where type in ('apply_sla', 'apply_group_sla', 'fulfill', 'breach') and not coalesce(deleted, false)

), applied as (

    select
        *,
        row_number() over (partition by ticket_id, metric, instance_id order by time desc, id desc) as nth_from_last
    from events
    where type in ('apply_sla', 'apply_group_sla')

), outcomes as (

    select
        ticket_id,
        metric,
        instance_id,
        max(case when type = 'fulfill' then time end) as fulfilled_at,
        min(case when type = 'breach' then time end) as breached_at
    from events
    where type in ('fulfill', 'breach')
    group by ticket_id, metric, instance_id

)

select
    applied.ticket_id,
    applied.metric,
    applied.instance_id,
    applied.policy_id,
    applied.policy_title,
    applied.target_minutes,
    applied.in_business_hours,
    applied.time as applied_at,
    outcomes.fulfilled_at,
    outcomes.breached_at,
    case
        when outcomes.breached_at is not null then 'breached'
        when outcomes.fulfilled_at is not null then 'met'
        else 'active'
    end as status
from applied
left join outcomes
    on outcomes.ticket_id = applied.ticket_id
    and outcomes.metric = applied.metric
    and outcomes.instance_id = applied.instance_id
where applied.nth_from_last = 1
    and applied.target_minutes is not null -- null: no policy applies to the ticket any more
