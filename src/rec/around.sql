-- name: attach
INSERT INTO attachment (record_id, event_id, public_id, sha256, size, name, type, is_internal)
VALUES (:record_id, :event_id, :public_id, :sha256, :size, :name, :type, :is_internal)

-- name: detach
UPDATE attachment SET removed_at = :now WHERE public_id = :public_id AND removed_at IS NULL

-- name: attachments
SELECT a.id, a.record_id, a.event_id, a.size, e.actor_id AS attached_by, a.public_id, a.sha256,
       a.name, a.type, a.is_internal,
       CASE WHEN a.removed_at IS NULL THEN 0 ELSE 1 END AS is_removed
  FROM attachment a
  JOIN event e ON e.id = a.event_id
 WHERE a.record_id = :record_id AND a.removed_at IS NULL
 ORDER BY a.id

-- name: attachment
SELECT a.id, a.record_id, a.event_id, a.size, e.actor_id AS attached_by, a.public_id, a.sha256,
       a.name, a.type, a.is_internal,
       CASE WHEN a.removed_at IS NULL THEN 0 ELSE 1 END AS is_removed
  FROM attachment a
  JOIN event e ON e.id = a.event_id
 WHERE a.public_id = :public_id
