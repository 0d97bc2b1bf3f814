-- The queue: see job.h. Write transactions run one after the other (db.h), so nobody takes a job
-- that somebody else is taking.

-- name: add
INSERT INTO job (kind, state, run_at, input, created_at)
VALUES (:kind, 'ready', :run_at, :input, :now)
RETURNING id

-- name: ensure
INSERT INTO job (kind, state, run_at, input, created_at)
SELECT :kind, 'ready', :run_at, '{}', :now
 WHERE NOT EXISTS (SELECT 1 FROM job WHERE kind = :kind)

-- name: timer_start
-- One that runs just now is taken away from its worker by the fence.
INSERT INTO job (kind, state, run_at, record_id, name, input, created_at)
VALUES ('timer', 'ready', :run_at, :record_id, :name, '{}', :now)
ON CONFLICT (record_id, kind, name) DO UPDATE
   SET state = 'ready', run_at = excluded.run_at, lease_until = NULL, fence = job.fence + 1,
       attempt = 0, progress = NULL, error = NULL, created_at = excluded.created_at

-- name: timer_stop
DELETE FROM job WHERE record_id = :record_id AND kind = 'timer' AND name = :name

-- name: timer_stop_all
DELETE FROM job WHERE record_id = :record_id AND kind = 'timer'

-- name: timer_list
SELECT id, kind, state, run_at, lease_until, fence, attempt, created_at, record_id,
       coalesce(name, '') AS name, input, progress, error
  FROM job
 WHERE record_id = :record_id AND kind = 'timer'
 ORDER BY run_at, id

-- name: finish
DELETE FROM job WHERE id = :id AND fence = :fence AND state = 'running'

-- name: go_on
-- The next slice, under a new fence: who still holds the old one ends nothing.
UPDATE job
   SET state = 'ready', run_at = :run_at, progress = :progress, lease_until = NULL,
       fence = fence + 1, attempt = 0, error = NULL
 WHERE id = :id AND fence = :fence AND state = 'running'

-- name: load
SELECT id, kind, state, run_at, lease_until, fence, attempt, created_at, record_id,
       coalesce(name, '') AS name, input, progress, error
  FROM job
 WHERE id = :id

-- name: list
SELECT id, kind, state, run_at, lease_until, fence, attempt, created_at, record_id,
       coalesce(name, '') AS name, input, progress, error
  FROM job
 WHERE (CAST(:state AS TEXT) IS NULL OR state = :state) AND id < :before
 ORDER BY id DESC
 LIMIT :limit

-- name: retry
UPDATE job SET state = 'ready', run_at = :now, attempt = 0 WHERE id = :id AND state = 'parked'

-- name: drop
DELETE FROM job WHERE id = :id AND state = 'parked'
