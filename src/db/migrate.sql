-- name: applied
SELECT version, name, sha256, applied_at FROM schema_migration ORDER BY version

-- name: note
INSERT INTO schema_migration (version, name, sha256, applied_at)
VALUES (:version, :name, :sha256, :applied_at)

-- name: probe
-- Changes nothing that stays: its transaction is rolled back (db_check).
UPDATE schema_migration SET applied_at = applied_at WHERE version = 1
