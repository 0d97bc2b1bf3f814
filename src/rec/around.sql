-- name: attach
INSERT INTO attachment (record_id, event_id, public_id, sha256, size, name, type, is_internal)
VALUES (:record_id, :event_id, :public_id, :sha256, :size, :name, :type, :is_internal)

-- name: detach
UPDATE attachment SET removed_at = :now WHERE public_id = :public_id AND removed_at IS NULL

-- name: attachments
SELECT id, record_id, event_id, size, public_id, sha256, name, type, is_internal,
       CASE WHEN removed_at IS NULL THEN 0 ELSE 1 END AS is_removed
  FROM attachment
 WHERE record_id = :record_id AND removed_at IS NULL
 ORDER BY id

-- name: attachment
SELECT id, record_id, event_id, size, public_id, sha256, name, type, is_internal,
       CASE WHEN removed_at IS NULL THEN 0 ELSE 1 END AS is_removed
  FROM attachment
 WHERE public_id = :public_id
