-- name: list
SELECT id, person_id, record_id, event_id, message, created_at, read_at
  FROM notice
 WHERE person_id = :person_id AND id < :before AND (CAST(:all AS INTEGER) = 1 OR read_at IS NULL)
 ORDER BY id DESC
 LIMIT :limit

-- name: load
SELECT id, person_id, record_id, event_id, message, created_at, read_at
  FROM notice
 WHERE id = :id AND person_id = :person_id

-- name: count_unread
SELECT count(*) AS n FROM notice WHERE person_id = :person_id AND read_at IS NULL

-- name: mark_read
UPDATE notice SET read_at = :now WHERE id = :id AND person_id = :person_id AND read_at IS NULL

-- name: mark_up_to
UPDATE notice SET read_at = :now WHERE person_id = :person_id AND id <= :id AND read_at IS NULL

-- name: comment
SELECT e.actor_id, p.body
  FROM event e
  JOIN event_private p ON p.event_id = e.id
 WHERE e.id = :event_id
