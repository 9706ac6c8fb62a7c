{{ config(enabled=var('fivetran_shape', false), alias='brand') }}
select
    id,
    name,
    url,
    brand_url,
    subdomain,
    active,
    has_help_center,
    help_center_state,
    is_deleted as _fivetran_deleted,
    {{ synced() }}
from {{ loaded('brands') }} as brands
