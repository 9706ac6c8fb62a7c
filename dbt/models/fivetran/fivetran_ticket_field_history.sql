{{ config(enabled=var('fivetran_shape', false), alias='ticket_field_history') }}
-- One row for each value that a field of a ticket was given; custom fields have their ids as names.
-- SLA targets come from the metric events, which hold the policy too and are complete for archived tickets.
{%- set sla_fields = [
    'sla_policy', 'first_reply_time', 'next_reply_time', 'agent_work_time', 'requester_wait_time',
    'pausable_update_time', 'periodic_update_time', 'total_resolution_time', 'group_ownership_time',
] %}

with changes as (

    select
        ticket_id,
        field as field_name,
        {{ utc('created_at') }} as updated,
        updater_id as user_id,
        {{ json_as_text('value') }} as value,
        {{ synced() }},
        -- (ticket, field, time) is the key: of two changes within a second the last one counts
        row_number() over (
            partition by ticket_id, field, created_at order by event_id desc, position desc
        ) as nth_from_last
    from {{ loaded('ticket_changes') }} as ticket_changes
    where field not in ('{{ sla_fields | join("', '") }}')

), latest as (

    select * from changes where nth_from_last = 1

), unseen as ( -- a field without any event has the value that the ticket was made with

    {% for field in [
        'status', 'priority', 'type', 'requester_id', 'assignee_id', 'group_id', 'organization_id', 'brand_id',
        'ticket_form_id',
    ] -%}
    select id as ticket_id, {{ utc('created_at') }} as updated, submitter_id as user_id, '{{ field }}' as field_name,
        cast({{ field }} as {{ dbt.type_string() }}) as value, {{ synced() }}
    from {{ loaded('tickets') }} as tickets
    where {{ field }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

), sla as (

    select
        ticket_id,
        {{ utc('time') }} as updated,
        case
            when metric = 'reply_time' and coalesce(instance_id, 1) <= 1 then 'first_reply_time'
            when metric = 'reply_time' then 'next_reply_time'
            when metric = 'resolution_time' then 'total_resolution_time'
            else metric
        end as field_name,
        cast({{ json_text('sla', ['target']) }} as {{ dbt.type_bigint() }}) as target,
        coalesce({{ json_text('sla', ['business_hours']) }}, 'false') as in_business_hours,
        {{ json_text('sla', ['policy', 'title']) }} as policy,
        {{ synced() }}
    from {{ loaded('ticket_metric_events') }} as ticket_metric_events
    where type = 'apply_sla' and not coalesce(deleted, false)

)

select ticket_id, field_name, updated, user_id, value, _fivetran_synced
from latest

union all

select unseen.ticket_id, unseen.field_name, unseen.updated, unseen.user_id, unseen.value, unseen._fivetran_synced
from unseen
left join (select distinct ticket_id, field_name from latest) as seen
    on seen.ticket_id = unseen.ticket_id and seen.field_name = unseen.field_name
where seen.ticket_id is null

union all

select ticket_id, field_name, updated, cast(null as {{ dbt.type_bigint() }}) as user_id,
    max({{ sla_value('target', 'in_business_hours') }}) as value, max(_fivetran_synced) as _fivetran_synced
from sla
where target is not null
group by ticket_id, field_name, updated

union all

select ticket_id, 'sla_policy' as field_name, updated, cast(null as {{ dbt.type_bigint() }}) as user_id,
    max(policy) as value, max(_fivetran_synced) as _fivetran_synced
from sla
where policy is not null
group by ticket_id, updated
