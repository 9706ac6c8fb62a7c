with closed as (

    select ticket_id, max(created_at) as closed_at
    from {{ loaded('ticket_changes') }} as ticket_changes
    where field = 'status' and {{ json_as_text('value') }} = 'closed'
    group by ticket_id

), breached as (

    select ticket_id, max(case when status = 'breached' then 1 else 0 end) = 1 as is_breached
    from {{ ref('sla_targets') }}
    group by ticket_id

)

select
    tickets.id as ticket_id,
    tickets.subject,
    tickets.status,
    tickets.priority,
    tickets.type,
    {{ json_text('tickets.via', ['channel']) }} as channel,
    tickets.created_at,
    tickets.updated_at,
    ticket_metrics.solved_at,
    case when tickets.status = 'closed' then closed.closed_at end as closed_at,
    tickets.group_id,
    ticket_groups.name as group_name,
    tickets.assignee_id,
    assignees.name as assignee_name,
    tickets.requester_id,
    requesters.name as requester_name,
    requesters.organization_id as requester_organization_id,
    requester_organizations.name as requester_organization_name,
    tickets.organization_id,
    organizations.name as organization_name,
    tickets.brand_id,
    brands.name as brand_name,
    tickets.ticket_form_id,
    ticket_forms.name as ticket_form_name,
    {% for column, name in {
        'reply_time_in_minutes': 'first_reply',
        'first_resolution_time_in_minutes': 'first_resolution',
        'full_resolution_time_in_minutes': 'full_resolution',
        'agent_wait_time_in_minutes': 'agent_wait',
        'requester_wait_time_in_minutes': 'requester_wait',
        'on_hold_time_in_minutes': 'on_hold',
    }.items() -%}
    {%- for clock in ['calendar', 'business'] -%}
    {{ json_integer('ticket_metrics.' ~ column, [clock]) }} as {{ name }}_{{ clock }}_minutes,
    {% endfor -%}
    {%- endfor -%}
    ticket_metrics.replies,
    ticket_metrics.reopens,
    ticket_metrics.group_stations,
    ticket_metrics.assignee_stations,
    {{ json_text('tickets.satisfaction_rating', ['score']) }} as satisfaction_score,
    breached.is_breached as sla_breached
from {{ loaded('tickets') }} as tickets
left join {{ loaded('ticket_metrics') }} as ticket_metrics on ticket_metrics.ticket_id = tickets.id
left join closed on closed.ticket_id = tickets.id
left join breached on breached.ticket_id = tickets.id
left join {{ loaded('groups', removed=true) }} as ticket_groups on ticket_groups.id = tickets.group_id
left join {{ loaded('users', removed=true) }} as assignees on assignees.id = tickets.assignee_id
left join {{ loaded('users', removed=true) }} as requesters on requesters.id = tickets.requester_id
left join {{ loaded('organizations', removed=true) }} as requester_organizations
    on requester_organizations.id = requesters.organization_id
left join {{ loaded('organizations', removed=true) }} as organizations on organizations.id = tickets.organization_id
left join {{ loaded('brands', removed=true) }} as brands on brands.id = tickets.brand_id
left join {{ loaded('ticket_forms', removed=true) }} as ticket_forms on ticket_forms.id = tickets.ticket_form_id
