-- API tokens: see auth.h.

-- name: create
INSERT INTO token (hash, person_id, name, scopes, created_at, expires_at)
VALUES (:hash, :person_id, :name, :scopes, :now, :expires_at)
RETURNING id

-- name: load
SELECT t.id AS id, t.person_id AS person_id, t.scopes AS scopes, t.expires_at AS expires_at,
       t.used_at AS used_at, t.revoked_at AS revoked_at, e.n AS epoch
  FROM token t, epoch e
 WHERE t.hash = :hash AND t.id = :id AND e.name = 'people'

-- name: touch
UPDATE token SET used_at = :now WHERE id = :id AND (used_at IS NULL OR used_at < :now)

-- name: standing
SELECT t.id AS id
  FROM token t
  JOIN person p ON p.id = t.person_id
 WHERE t.id IN {ids :ids} AND t.revoked_at IS NULL AND p.disabled_at IS NULL
   AND (t.expires_at IS NULL OR t.expires_at > :now)
 ORDER BY t.id

-- name: list
SELECT id, person_id, name, scopes, created_at, expires_at, used_at, revoked_at
  FROM token
 WHERE person_id = :person_id
 ORDER BY id

-- name: revoke
UPDATE token SET revoked_at = :now
 WHERE id = :id AND person_id = :person_id AND revoked_at IS NULL
