{{ config(enabled=var('fivetran_shape', false), alias='organization') }}
select
    id,
    url,
    name,
    details,
    notes,
    external_id,
    group_id,
    shared_comments,
    shared_tickets,
    {{ utc('created_at') }} as created_at,
    {{ utc('updated_at') }} as updated_at,
    {{ synced() }}
from {{ loaded('organizations') }} as organizations
where deleted_at is null
