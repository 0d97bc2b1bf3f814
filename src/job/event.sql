-- The log of what happened: see event.h.

-- name: append
-- Write transactions run one after the other, so the greatest id is the last one: no gap, no double.
INSERT INTO event (id, record_id, process_id, kind, action, actor_id, via, request_id, occurred_at,
                   recorded_at, revision, from_state, to_state, from_status, to_status, group_id,
                   priority, is_internal, deviation, digest)
VALUES ((SELECT coalesce(max(id), 0) + 1 FROM event), :record_id, :process_id, :kind, :action,
        :actor_id, :via, :request_id, :occurred_at, :recorded_at, :revision, :from_state, :to_state,
        :from_status, :to_status, :group_id, :priority, :is_internal, :deviation, :digest)
RETURNING id

-- name: append_private
INSERT INTO event_private (event_id, salt, body) VALUES (:event_id, :salt, :body)
