-- Who takes jobs out of the queue: see runner.c.

-- name: due
-- When there is something to take: the first job that waits, the first lease that runs out.
SELECT (SELECT min(run_at) FROM job WHERE state = 'ready') AS ready_at,
       (SELECT min(lease_until) FROM job WHERE state = 'running') AS lease_until

-- name: claim
-- The job that is due longest, or one whose worker is gone. SQLite gives the ids of removed jobs
-- again, so the fence is the instant: a worker that comes back late holds none of the new job's.
UPDATE job
   SET state = 'running', lease_until = :lease_until, attempt = attempt + 1,
       fence = CASE WHEN fence < :now THEN :now ELSE fence + 1 END
 WHERE id = coalesce((SELECT id FROM job WHERE state = 'ready' AND run_at <= :now
                       ORDER BY run_at, id LIMIT 1),
                     (SELECT id FROM job WHERE state = 'running' AND lease_until <= :now
                       ORDER BY lease_until, id LIMIT 1))
RETURNING id, kind, state, run_at, lease_until, fence, attempt, created_at, record_id,
          coalesce(name, '') AS name, input, progress, error

-- name: put_back
-- After a failure: to be tried again later, or parked.
UPDATE job
   SET state = :state, run_at = :run_at, lease_until = NULL, error = :error
 WHERE id = :id AND fence = :fence AND state = 'running'

-- name: done
DELETE FROM job WHERE id = :id AND fence = :fence AND state = 'running'
