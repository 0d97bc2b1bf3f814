-- Sessions: who holds the cookie's secret is the person.

-- name: create
INSERT INTO session (hash, person_id, csrf, created_at, used_at, expires_at, peer, agent)
VALUES (:hash, :person_id, :csrf, :now, :now, :expires_at, :peer, :agent)
RETURNING id

-- name: load
-- One statement tells who it is and how old what is known of people may be.
SELECT s.id AS id, s.person_id AS person_id, s.csrf AS csrf, s.used_at AS used_at,
       s.expires_at AS expires_at, e.n AS epoch
  FROM session s, epoch e
 WHERE s.hash = :hash AND e.name = 'people'

-- name: touch
UPDATE session SET used_at = :now WHERE id = :id AND used_at < :now

-- name: owner
SELECT person_id AS person_id FROM session WHERE id = :id

-- name: end
DELETE FROM session WHERE id = :id

-- name: end_all
DELETE FROM session WHERE person_id = :person_id AND id <> :but_id

-- name: list
SELECT id, created_at, used_at, expires_at, peer, agent
  FROM session
 WHERE person_id = :person_id AND expires_at > :now AND used_at > :idle_since
 ORDER BY used_at DESC, id DESC

-- name: standing
-- A session ends with its person's account, so that need not be asked.
SELECT id AS id
  FROM session
 WHERE id IN {ids :ids} AND expires_at > :now AND used_at > :idle_since
 ORDER BY id

-- name: sweep
DELETE FROM session WHERE expires_at <= :now OR used_at <= :idle_since

-- name: sweep_links
DELETE FROM one_time_link WHERE expires_at <= :now

-- name: sweep_attempts
DELETE FROM sign_in_attempt WHERE failed_at <= :before
