{{ config(enabled=var('fivetran_shape', false), alias='group') }}
select
    id,
    name,
    url,
    {{ utc('created_at') }} as created_at,
    {{ utc('updated_at') }} as updated_at,
    deleted as _fivetran_deleted,
    {{ synced() }}
from {{ loaded('groups') }} as ticket_groups
