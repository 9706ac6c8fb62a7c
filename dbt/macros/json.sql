{# Nested values are JSON in DuckDB, jsonb in Postgres (json with dlt's own destination), texts in BigQuery.
   A path is a list of keys. #}

{% macro json_text(column, path) %}{{ return(adapter.dispatch('json_text', 'zendesk_support')(column, path)) }}{% endmacro %}
{% macro default__json_text(column, path) %}({{ column }} ->> '$.{% for key in path %}"{{ key }}"{{ '.' if not loop.last }}{% endfor %}'){% endmacro %}
{% macro postgres__json_text(column, path) %}(cast({{ column }} as jsonb) #>> '{ {{- path | join(',') -}} }'){% endmacro %}
{% macro bigquery__json_text(column, path) %}json_value({{ column }}, '$.{{ path | join('.') }}'){% endmacro %}

{# Rows for the texts of a list: columns value and position (from 1). #}
{% macro each_text(column, alias) %}{{ return(adapter.dispatch('each_text', 'zendesk_support')(column, alias)) }}{% endmacro %}
{% macro default__each_text(column, alias) -%}
cross join lateral (
    select unnest(entries) as value, generate_subscripts(entries, 1) as position
    from (select cast({{ column }} as varchar[]) as entries)
) as {{ alias }}
{%- endmacro %}
{% macro postgres__each_text(column, alias) -%}
cross join lateral jsonb_array_elements_text(
    case when jsonb_typeof(cast({{ column }} as jsonb)) = 'array' then cast({{ column }} as jsonb) else '[]' end
) with ordinality as {{ alias }} (value, position)
{%- endmacro %}
{% macro bigquery__each_text(column, alias) -%}
cross join unnest(array(
    select as struct value, position + 1 as position
    from unnest(json_value_array({{ column }})) as value with offset as position
)) as {{ alias }}
{%- endmacro %}

{# Rows for the entries of a list of objects: columns value (JSON) and position (from 1). #}
{% macro each_json(column, alias) %}{{ return(adapter.dispatch('each_json', 'zendesk_support')(column, alias)) }}{% endmacro %}
{% macro default__each_json(column, alias) -%}
cross join lateral (
    select unnest(entries) as value, generate_subscripts(entries, 1) as position
    from (select cast({{ column }} as json[]) as entries)
) as {{ alias }}
{%- endmacro %}
{% macro postgres__each_json(column, alias) -%}
cross join lateral jsonb_array_elements(
    case when jsonb_typeof(cast({{ column }} as jsonb)) = 'array' then cast({{ column }} as jsonb) else '[]' end
) with ordinality as {{ alias }} (value, position)
{%- endmacro %}
{% macro bigquery__each_json(column, alias) -%}
cross join unnest(array(
    select as struct value, position + 1 as position
    from unnest(json_query_array({{ column }})) as value with offset as position
)) as {{ alias }}
{%- endmacro %}

{# The text of a JSON value: a string without its quotes, null for null, anything else as JSON. #}
{% macro json_as_text(value) %}{{ return(adapter.dispatch('json_as_text', 'zendesk_support')(value)) }}{% endmacro %}
{% macro default__json_as_text(value) %}({{ value }} ->> '$'){% endmacro %}
{% macro postgres__json_as_text(value) %}({{ value }} #>> '{}'){% endmacro %}
{% macro bigquery__json_as_text(value) %}coalesce(json_value({{ value }}, '$'), nullif({{ value }}, 'null')){% endmacro %}

{# {"minutes": …, "in_business_hours": …} as text. #}
{% macro sla_value(minutes, in_business_hours) -%}
concat('{"minutes":', cast({{ minutes }} as {{ dbt.type_string() }}), ',"in_business_hours":', {{ in_business_hours }}, '}')
{%- endmacro %}

{# A number at a path of an object, to the nearest whole one; null for anything else. #}
{% macro json_integer(column, path) %}{{ return(adapter.dispatch('json_integer', 'zendesk_support')(column, path)) }}{% endmacro %}
{% macro default__json_integer(column, path) %}cast(try_cast({{ zendesk_support.json_text(column, path) }} as double) as bigint){% endmacro %}
{% macro postgres__json_integer(column, path) -%}
case when jsonb_typeof(cast({{ column }} as jsonb) #> '{ {{- path | join(',') -}} }') = 'number'
    then cast(cast({{ zendesk_support.json_text(column, path) }} as numeric) as bigint) end
{%- endmacro %}
{% macro bigquery__json_integer(column, path) %}cast(safe_cast({{ zendesk_support.json_text(column, path) }} as float64) as int64){% endmacro %}

{# A text as a whole number; null where it is none. #}
{% macro as_integer(text) %}{{ return(adapter.dispatch('as_integer', 'zendesk_support')(text)) }}{% endmacro %}
{% macro default__as_integer(text) %}try_cast({{ text }} as bigint){% endmacro %}
{% macro postgres__as_integer(text) %}case when {{ text }} ~ '^-?[0-9]{1,18}$' then cast({{ text }} as bigint) end{% endmacro %}
{% macro bigquery__as_integer(text) %}safe_cast({{ text }} as int64){% endmacro %}
