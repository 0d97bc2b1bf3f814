-- name: epoch
SELECT n FROM epoch WHERE name = 'definitions'

-- name: move_epoch
UPDATE epoch SET n = n + 1 WHERE name = 'definitions'

-- name: currents
-- Every process with the version that is in force.
SELECT v.id, v.version, v.activated_at, v.process_id, v.set_id, p.name AS process, v.hash
  FROM process p
  JOIN process_version v ON v.id = p.current_id
 ORDER BY p.name

-- name: version
SELECT v.id, v.version, v.activated_at, v.process_id, v.set_id, p.name AS process, v.hash
  FROM process_version v
  JOIN process p ON p.id = v.process_id
 WHERE v.id = :id

-- name: versions
SELECT v.id, v.version, v.activated_at, v.process_id, v.set_id, p.name AS process, v.hash
  FROM process_version v
  JOIN process p ON p.id = v.process_id
 WHERE p.name = :process
 ORDER BY v.version DESC

-- name: files
SELECT files FROM definition_set WHERE id = :id

-- name: put_process
INSERT INTO process (name) VALUES (:name)
ON CONFLICT (name) DO UPDATE SET name = excluded.name
RETURNING id

-- name: put_set
INSERT INTO definition_set (hash, files, created_at) VALUES (:hash, :files, :now)
ON CONFLICT (hash) DO UPDATE SET hash = excluded.hash
RETURNING id

-- name: put_version
INSERT INTO process_version (process_id, version, set_id, hash, activated_at)
SELECT :process_id, coalesce(max(version), 0) + 1, :set_id, :hash, :now
  FROM process_version
 WHERE process_id = :process_id
RETURNING id

-- name: make_current
UPDATE process SET current_id = :id WHERE id = :process_id

-- name: newest_set
-- The set that the newest version came with: the shared files in force. Not the newest set: who goes
-- back to what was in force before makes a new version of an old set.
SELECT v.set_id AS id FROM process_version v ORDER BY v.id DESC LIMIT 1

-- name: set_by_hash
SELECT id FROM definition_set WHERE hash = :hash
