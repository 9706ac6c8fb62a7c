{# Times without a zone, in UTC: the packages compare and cast them, which must not hang on the session's zone. #}
{% macro utc(column) %}{{ return(adapter.dispatch('utc', 'zendesk_support')(column)) }}{% endmacro %}
{% macro default__utc(column) %}({{ column }} at time zone 'UTC'){% endmacro %}
{% macro bigquery__utc(column) %}{{ column }}{% endmacro %}

{# When the row was loaded: dlt's load id is Unix seconds as text. #}
{% macro synced() %}{{ return(adapter.dispatch('synced', 'zendesk_support')()) }}{% endmacro %}
{% macro default__synced() %}(to_timestamp(cast(_dlt_load_id as double precision)) at time zone 'UTC') as _fivetran_synced{% endmacro %}
{% macro bigquery__synced() %}timestamp_micros(cast(cast(_dlt_load_id as float64) * 1000000 as int64)) as _fivetran_synced{% endmacro %}

{# The day of a time, in UTC. #}
{% macro day_of(column) %}cast({{ zendesk_support.utc(column) }} as date){% endmacro %}

{# Minutes from one time to another, with fractions. #}
{% macro minutes_between(start, stop) %}{{ return(adapter.dispatch('minutes_between', 'zendesk_support')(start, stop)) }}{% endmacro %}
{% macro default__minutes_between(start, stop) %}(cast(date_diff('second', {{ start }}, {{ stop }}) as double) / 60){% endmacro %}
{% macro postgres__minutes_between(start, stop) %}(cast(extract(epoch from {{ stop }} - {{ start }}) as double precision) / 60){% endmacro %}
{% macro bigquery__minutes_between(start, stop) %}(timestamp_diff({{ stop }}, {{ start }}, second) / 60){% endmacro %}

{# A row for each day from first_day to last_day of a query with one row. #}
{% macro each_day(bounds) %}{{ return(adapter.dispatch('each_day', 'zendesk_support')(bounds)) }}{% endmacro %}
{% macro default__each_day(bounds) -%}
select cast(unnest(generate_series(cast(first_day as timestamp), cast(last_day as timestamp), interval '1 day')) as date) as day
from {{ bounds }}
{%- endmacro %}
{% macro postgres__each_day(bounds) -%}
select cast(generate_series(cast(first_day as timestamp), cast(last_day as timestamp), interval '1 day') as date) as day
from {{ bounds }}
{%- endmacro %}
{% macro bigquery__each_day(bounds) -%}
select day from {{ bounds }} cross join unnest(generate_date_array(first_day, last_day)) as day
{%- endmacro %}
