-- Signing in: see auth_login() in auth.h.

-- name: find
SELECT id AS id, login AS login, password_hash AS hash, disabled_at AS disabled_at
  FROM person
 WHERE login = :name OR email_folded = :name
 ORDER BY CASE WHEN login = :name THEN 0 ELSE 1 END
 LIMIT 1

-- name: person
SELECT id AS id, login AS login, password_hash AS hash, disabled_at AS disabled_at
  FROM person
 WHERE id = :id

-- name: attempts
SELECT failed AS failed, failed_at AS failed_at FROM sign_in_attempt WHERE key_hash = :key

-- name: count
-- Counts one more, unless somebody did so meanwhile.
INSERT INTO sign_in_attempt (key_hash, failed, failed_at)
VALUES (:key, :failed, :now)
ON CONFLICT (key_hash) DO UPDATE SET failed = :failed, failed_at = :now
 WHERE sign_in_attempt.failed = :before

-- name: forget
DELETE FROM sign_in_attempt WHERE key_hash = :key

-- name: still
-- The person, if nothing that the sign-in rests on has changed.
SELECT p.id AS id, e.n AS epoch
  FROM person p, epoch e
 WHERE p.id = :id AND p.password_hash = :hash AND p.disabled_at IS NULL AND e.name = 'people'

-- name: rehash
UPDATE person SET password_hash = :hash WHERE id = :id
