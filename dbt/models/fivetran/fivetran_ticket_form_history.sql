{{ config(enabled=var('fivetran_shape', false), alias='ticket_form_history') }}
select
    id,
    name,
    display_name,
    active,
    end_user_visible,
    {{ utc('created_at') }} as created_at,
    {{ utc('updated_at') }} as updated_at,
    deleted_at is not null as _fivetran_deleted,
    {{ synced() }}
from {{ loaded('ticket_forms', versions=true) }} as ticket_forms
