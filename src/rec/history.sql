-- name: of_record
-- Internal ones are left out here, so that a page is full whatever the reader may see.
SELECT e.id, e.record_id, e.kind, e.action, e.actor_id, e.via, e.request_id, e.occurred_at,
       e.recorded_at, e.revision, e.from_state, e.to_state, e.is_internal, e.deviation, p.body
  FROM event e
  JOIN event_private p ON p.event_id = e.id
 WHERE e.record_id = :record_id AND e.id > :after AND e.is_internal <= :internal
 ORDER BY e.id
 LIMIT :limit

-- name: back_to
-- What happened after an event, newest first: to be undone.
SELECT e.id, e.record_id, e.kind, e.action, e.actor_id, e.via, e.request_id, e.occurred_at,
       e.recorded_at, e.revision, e.from_state, e.to_state, e.is_internal, e.deviation, p.body
  FROM event e
  JOIN event_private p ON p.event_id = e.id
 WHERE e.record_id = :record_id AND e.id > :after
 ORDER BY e.id DESC

-- name: up_to
-- The newest event that moved the record to the state it was in then.
SELECT e.id, e.to_state, e.occurred_at
  FROM event e
 WHERE e.record_id = :record_id AND e.id <= :event_id AND e.to_state IS NOT NULL
   AND e.to_state IS DISTINCT FROM e.from_state
 ORDER BY e.id DESC
 LIMIT 1

-- name: one
SELECT e.id, e.record_id, e.kind, e.action, e.actor_id, e.via, e.request_id, e.occurred_at,
       e.recorded_at, e.revision, e.from_state, e.to_state, e.is_internal, e.deviation, p.body
  FROM event e
  JOIN event_private p ON p.event_id = e.id
 WHERE e.record_id = :record_id AND e.id = :event_id

-- name: feed
-- The log itself, in the order of the commits. What of a record decides who may see its events is
-- read beside it: the record as it is now.
SELECT e.id, e.record_id, e.kind, e.action, e.actor_id, e.via, e.request_id, e.occurred_at,
       e.recorded_at, e.revision, e.from_state, e.to_state, e.is_internal, e.deviation, p.body,
       r.number, r.state, r.version_id, r.org_id, r.caller_id, r.opened_by_id, r.assignee_id, r.group_id,
       EXISTS (SELECT 1 FROM watcher w WHERE w.record_id = r.id AND w.person_id = :me) AS watched
  FROM event e
  JOIN event_private p ON p.event_id = e.id
  LEFT JOIN record r ON r.id = e.record_id
 WHERE e.id > :after
 ORDER BY e.id
 LIMIT :limit

-- name: last
SELECT coalesce(max(id), 0) AS id FROM event
