-- name: find
SELECT hash, status, body FROM idempotency WHERE principal = :principal AND key = :key

-- name: keep
INSERT INTO idempotency (principal, key, hash, status, body, created_at)
VALUES (:principal, :key, :hash, :status, :body, :now)

-- name: sweep
DELETE FROM idempotency WHERE created_at < :before
