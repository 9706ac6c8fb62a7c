{{ config(enabled=var('fivetran_shape', false), alias='ticket_custom_field') }}
-- Read by dbt_zendesk after 1.7: titles for the ids that custom fields have in ticket_field_history.
select
    id,
    title,
    raw_title,
    key,
    type,
    active,
    false as _fivetran_deleted,
    {{ synced() }}
from {{ loaded('ticket_fields') }} as ticket_fields
where type not in ( -- of built-in fields, some of which Zendesk calls removable
    'assignee', 'basic_priority', 'custom_status', 'description', 'group', 'priority', 'status', 'subject', 'tickettype'
)
