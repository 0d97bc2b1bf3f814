-- name: children
-- The next records below one, after that id.
SELECT id FROM record WHERE parent_id = :id AND id > :after ORDER BY id LIMIT :limit

-- name: linked
SELECT CASE WHEN from_id = :id THEN to_id ELSE from_id END AS other
  FROM link
 WHERE kind = :kind
   AND ((CAST(:forward AS INTEGER) = 1 AND from_id = :id AND to_id > :after)
     OR (CAST(:forward AS INTEGER) = 0 AND to_id = :id AND from_id > :after))
 ORDER BY 1
 LIMIT :limit

-- name: unanswered
-- Whether the caller wrote after the event and nobody answered since.
SELECT count(*) AS n
  FROM event e
 WHERE e.record_id = :id AND e.kind IN ('reply', 'create') AND e.is_internal = 0
   AND e.actor_id = :caller AND e.kind = 'reply'
   AND e.occurred_at > :since
   AND NOT EXISTS (SELECT 1 FROM event a
                    WHERE a.record_id = e.record_id AND a.id > e.id AND a.is_internal = 0
                      AND a.kind IN ('reply', 'action')
                      AND a.actor_id IS DISTINCT FROM e.actor_id)

-- name: entered
-- When the record that cascades became what it is: what children said later counts.
SELECT occurred_at FROM event WHERE id = :event_id
