{# The rows of a stream as Zendesk has them now, to stand after FROM with an alias.
   A stream that the account lacks has no table: then a table without rows, its columns from sources.yml.
   A column that is left out is null, and one that is no text of which only a hash is kept.
   versions: with the mode history, all versions of each row; removed: with deletes = "mark", the removed rows too. #}
{% macro loaded(stream, versions=false, removed=false) -%}
    {%- set declared = source('zendesk_support', stream) -%}
    {%- if not execute or declared.is_cte -%} {{ return(declared) }} {%- endif -%}
    {%- set table = load_relation(declared) -%}
    {%- if table is none -%}
        {%- do zendesk_support.refuse_other_schemas(declared) -%}
        {{ return(zendesk_support.no_rows(stream)) }}
    {%- endif -%}
    {%- set types = zendesk_support.declared_types(stream) -%}
    {%- set listed, lacking, filters = [], [], [] -%}
    {%- for column in adapter.get_columns_in_relation(table) -%}
        {%- if zendesk_support.is_hashed(types.get(column.name), column.dtype) -%}
            {%- do lacking.append(column.name) -%}
        {%- else -%} {%- do listed.append(column.name) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for name in types if name not in listed and name not in lacking -%} {%- do lacking.append(name) -%} {%- endfor -%}
    {%- do zendesk_support.refuse_child_tables(stream, declared, listed, lacking) -%}
    {%- if '_dlt_valid_to' in listed and not versions -%} {%- do filters.append('_dlt_valid_to is null') -%} {%- endif -%}
    {%- if '_deleted_at' in listed and not removed -%} {%- do filters.append('_deleted_at is null') -%} {%- endif -%}
    {%- if not lacking and not filters -%} {{ return(table) }} {%- endif -%}
    (select
    {%- if not lacking %} *
    {%- else -%}
        {%- for name in lacking %} {{ zendesk_support.nothing(name, types[name]) }}, {%- endfor -%}
        {%- for name in listed %} {{ adapter.quote(name) }} {{- ',' if not loop.last }} {%- endfor -%}
    {%- endif %} from {{ table }} {{- ' where ' ~ filters | join(' and ') if filters }})
{%- endmacro %}

{# A column of a type of the catalogue, with nothing in it. #}
{% macro nothing(name, type) -%} cast(null as {{ zendesk_support.type_of(type) }}) as {{ adapter.quote(name) }} {%- endmacro %}

{# Whether a column holds hashes of what the catalogue has as another type. BigQuery keeps JSON as text, and reads nothing from a
   text that is none. #}
{% macro is_hashed(declared, dtype) -%}
    {%- set kept = dtype | lower -%}
    {%- if declared in (none, 'text') or (declared == 'json' and target.type == 'bigquery') -%} {{ return(false) }}
    {%- elif declared == 'json' -%} {{ return('json' not in kept) }}
    {%- endif -%}
    {{ return('char' in kept or 'text' in kept or 'string' in kept) }}
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
    {{ zendesk_support.nothing(name, type) }},
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

{% macro refuse_child_tables(stream, table, listed, lacking) -%}
    {%- set types = zendesk_support.declared_types(stream) -%}
    {%- for name in lacking if types[name] == 'json' -%}
        {%- set spread = [] -%}
        {%- for column in listed if column.startswith(name ~ '__') -%} {%- do spread.append(column) -%} {%- endfor -%}
        {%- if spread or load_relation(table.incorporate(path={'identifier': stream ~ '__' ~ name})) is not none -%}
            {{ exceptions.raise_compiler_error(
                table ~ ' has no JSON column ' ~ name ~ ': it was loaded with nested = "tables". This package reads tables of '
                ~ 'nested = "json": load the stream into another dataset with it, or anew with --full-refresh --streams '
                ~ stream ~ '.'
            ) }}
        {%- endif -%}
    {%- endfor -%}
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
