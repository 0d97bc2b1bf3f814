-- name: known
-- Which of these rows became events already.
SELECT row_key AS key FROM imported WHERE source = :source AND row_key IN {texts :keys}

-- name: states
-- The states that the events of one log led to, and how often.
SELECT e.to_state AS name, count(*) AS n
  FROM imported i
  JOIN event e ON e.id = i.event_id
 WHERE i.source = :source
 GROUP BY e.to_state
 ORDER BY n DESC, name

-- name: records
SELECT count(DISTINCT e.record_id) AS n
  FROM imported i
  JOIN event e ON e.id = i.event_id
 WHERE i.source = :source
