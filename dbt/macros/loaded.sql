{# The rows of a stream as Zendesk has them now, to stand after FROM with an alias.
   A stream that the account lacks has no table: then a table without rows, its columns from sources.yml.
   versions: with the mode history, all versions of each row; removed: with deletes = "mark", the removed rows too. #}
{% macro loaded(stream, versions=false, removed=false) -%}
    {%- set declared = source('zendesk_support', stream) -%}
    {%- if not execute or declared.is_cte -%} {{ return(declared) }} {%- endif -%}
    {%- set table = load_relation(declared) -%}
    {%- if table is none -%}
        {%- do zendesk_support.refuse_other_schemas(declared) -%}
        {{ return(zendesk_support.no_rows(stream)) }}
    {%- endif -%}
    {%- set columns = adapter.get_columns_in_relation(table) | map(attribute='name') | list -%}
    {%- do zendesk_support.refuse_child_tables(stream, declared, columns) -%}
    {%- set filters = [] -%}
    {%- if '_dlt_valid_to' in columns and not versions -%} {%- do filters.append('_dlt_valid_to is null') -%} {%- endif -%}
    {%- if '_deleted_at' in columns and not removed -%} {%- do filters.append('_deleted_at is null') -%} {%- endif -%}
    {%- if filters -%} (select * from {{ table }} where {{ filters | join(' and ') }})
    {%- else -%} {{ table }}
    {%- endif -%}
{%- endmacro %}

{# What sources.yml says of a stream's columns: types of the catalogue by name. #}
{% macro declared_types(stream) -%}
    {%- set types = {} -%}
    {%- for node in graph.sources.values() if node.package_name == 'zendesk_support' and node.name == stream -%}
        {%- for column in node.columns.values() -%} {%- do types.update({column.name: column.data_type}) -%} {%- endfor -%}
    {%- endfor -%}
    {{ return(types) }}
{%- endmacro %}

{% macro no_rows(stream) -%}
(select
    {%- for name, type in zendesk_support.declared_types(stream).items() %}
    cast(null as {{ zendesk_support.type_of(type) }}) as {{ adapter.quote(name) }},
    {%- endfor %}
    cast(null as {{ dbt.type_string() }}) as _dlt_load_id
limit 0)
{%- endmacro %}

{% macro refuse_other_schemas(table) -%}
    {%- if load_relation(table.incorporate(path={'identifier': '_dlt_version'})) is none -%}
        {{ exceptions.raise_compiler_error(
            'zendesk_support_schema = "' ~ table.schema ~ '": nothing was loaded there, in the database ' ~ table.database
            ~ '. Name the schema that the loader writes, such as --vars "zendesk_support_schema: zendesk_support".'
        ) }}
    {%- endif -%}
{%- endmacro %}

{% macro refuse_child_tables(stream, table, columns) -%}
    {%- set types = zendesk_support.declared_types(stream) -%}
    {%- set json = [] -%}
    {%- for name, type in types.items() if type == 'json' -%} {%- do json.append(name) -%} {%- endfor -%}
    {%- if json and json | select('in', columns) | list | length == 0 -%}
        {{ exceptions.raise_compiler_error(
            table ~ ' has none of the JSON columns ' ~ json | join(', ') ~ ': it was loaded with nested = "tables". '
            ~ 'This package reads tables of nested = "json"; load the stream into another dataset with it, or anew with '
            ~ '--full-refresh --streams ' ~ stream ~ '.'
        ) }}
    {%- endif -%}
{%- endmacro %}

{# A type of the catalogue as the warehouse names it. #}
{% macro type_of(type) -%}
    {%- if type == 'bigint' -%} {{ dbt.type_bigint() }}
    {%- elif type == 'bool' -%} {{ dbt.type_boolean() }}
    {%- elif type == 'text' -%} {{ dbt.type_string() }}
    {%- else -%} {{ adapter.dispatch('type_of', 'zendesk_support')(type) }}
    {%- endif -%}
{%- endmacro %}
{% macro default__type_of(type) -%} {{ {'timestamp': 'timestamp with time zone', 'double': 'double precision', 'json': 'json'}[type] }} {%- endmacro %}
{% macro postgres__type_of(type) -%} {{ {'timestamp': 'timestamp with time zone', 'double': 'double precision', 'json': 'jsonb'}[type] }} {%- endmacro %}
{% macro bigquery__type_of(type) -%} {{ {'timestamp': 'timestamp', 'double': 'float64', 'json': 'string'}[type] }} {%- endmacro %}
