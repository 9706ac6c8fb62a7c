{{ config(enabled=var('fivetran_shape', false), alias='user_tag') }}
select
    id as user_id,
    tag.value as tag,
    {{ synced() }}
from {{ loaded('users') }} as users
{{ each_text('tags', 'tag') }}
