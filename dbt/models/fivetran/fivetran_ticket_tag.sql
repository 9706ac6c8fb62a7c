{{ config(enabled=var('fivetran_shape', false), alias='ticket_tag') }}
select
    id as ticket_id,
    tag.value as tag,
    {{ synced() }}
from {{ loaded('tickets') }} as tickets
{{ each_text('tags', 'tag') }}
