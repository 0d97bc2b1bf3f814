-- name: tally
SELECT process_id, state, status, group_id, priority, sum(n) AS n
  FROM tally
 WHERE process_id = :process_id AND n <> 0
 GROUP BY process_id, state, status, group_id, priority
 ORDER BY state, group_id, priority

-- name: tally_orgs
SELECT process_id, state, status, group_id, priority, sum(n) AS n
  FROM tally
 WHERE process_id = :process_id AND org_id IN {ids :orgs} AND n <> 0
 GROUP BY process_id, state, status, group_id, priority
 ORDER BY state, group_id, priority
