with ratings as (

    select
        {{ day_of('created_at') }} as day,
        group_id,
        count(*) as offered,
        sum(case when score = 'good' then 1 else 0 end) as good,
        sum(case when score = 'bad' then 1 else 0 end) as bad
    from {{ loaded('satisfaction_ratings') }} as satisfaction_ratings
    where score <> 'unoffered'
    group by {{ day_of('created_at') }}, group_id

)

select
    ratings.day,
    ratings.group_id,
    ticket_groups.name as group_name,
    ratings.offered,
    cast(ratings.good as {{ dbt.type_bigint() }}) as good,
    cast(ratings.bad as {{ dbt.type_bigint() }}) as bad,
    cast(ratings.good as {{ dbt.type_float() }}) / nullif(ratings.good + ratings.bad, 0) as score
from ratings
left join {{ loaded('groups', removed=true) }} as ticket_groups on ticket_groups.id = ratings.group_id
