{{ config(enabled=var('fivetran_shape', false), alias='domain_name') }}
select
    id as organization_id,
    domain.value as domain_name,
    domain.position - 1 as index,
    {{ synced() }}
from {{ loaded('organizations') }} as organizations
{{ each_text('domain_names', 'domain') }}
where deleted_at is null
