{{ config(enabled=var('fivetran_shape', false), alias='organization_tag') }}
select
    id as organization_id,
    tag.value as tag,
    {{ synced() }}
from {{ loaded('organizations') }} as organizations
{{ each_text('tags', 'tag') }}
where deleted_at is null
