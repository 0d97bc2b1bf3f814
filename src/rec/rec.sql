-- name: by_number
-- A record by its number or any other number it answers to.
SELECT r.id, r.process_id, r.version_id, r.number, r.revision, r.title, r.description, r.org_id,
       r.caller_id, r.opened_by_id, r.assignee_id, r.group_id, r.priority, r.state, r.parent_id,
       r.open_tasks, r.open_children, r.reassignments, r.reopens, r.created_at, r.updated_at,
       r.resolved_at, r.closed_at, r.entered_at, r.language, r.fields,
       EXISTS (SELECT 1 FROM watcher w WHERE w.record_id = r.id AND w.person_id = :me) AS watched
  FROM record r
 WHERE r.id = coalesce((SELECT id FROM record WHERE number = :number),
                       (SELECT record_id FROM record_alias WHERE number = :number))

-- name: by_id
SELECT r.id, r.process_id, r.version_id, r.number, r.revision, r.title, r.description, r.org_id,
       r.caller_id, r.opened_by_id, r.assignee_id, r.group_id, r.priority, r.state, r.parent_id,
       r.open_tasks, r.open_children, r.reassignments, r.reopens, r.created_at, r.updated_at,
       r.resolved_at, r.closed_at, r.entered_at, r.language, r.fields,
       EXISTS (SELECT 1 FROM watcher w WHERE w.record_id = r.id AND w.person_id = :me) AS watched
  FROM record r
 WHERE r.id = :id

-- name: id_of
SELECT coalesce((SELECT id FROM record WHERE number = :number),
                (SELECT record_id FROM record_alias WHERE number = :number)) AS id

-- name: watchers
SELECT person_id FROM watcher WHERE record_id = :id ORDER BY person_id

-- name: next_number
INSERT INTO series (name, n) VALUES (:series, 1)
ON CONFLICT (name) DO UPDATE SET n = series.n + 1
RETURNING n

-- name: insert
INSERT INTO record (process_id, version_id, number, revision, title, description, org_id, caller_id,
                    opened_by_id, assignee_id, group_id, priority, state, status, active, parent_id,
                    reassignments, reopens, created_at, updated_at, resolved_at, closed_at,
                    entered_at, language, fields, folds)
VALUES (:process_id, :version_id, :number, 1, :title, :description, :org_id, :caller_id,
        :opened_by_id, :assignee_id, :group_id, :priority, :state, :status, :active, :parent_id,
        :reassignments, :reopens, :created_at, :updated_at, :resolved_at, :closed_at,
        :entered_at, :language, :fields, :folds)
RETURNING id

-- name: update
UPDATE record
   SET revision = revision + 1, title = :title, description = :description, org_id = :org_id,
       caller_id = :caller_id, opened_by_id = :opened_by_id, assignee_id = :assignee_id,
       group_id = :group_id, priority = :priority, state = :state, status = :status,
       active = :active, parent_id = :parent_id, reassignments = :reassignments,
       reopens = :reopens, updated_at = :updated_at, resolved_at = :resolved_at,
       closed_at = :closed_at, entered_at = :entered_at, fields = :fields, folds = :folds
 WHERE id = :id AND revision = :seen

-- name: convert
UPDATE record SET process_id = :process_id, version_id = :version_id, number = :number
 WHERE id = :id

-- name: touch
-- Something happened around the record that changed none of its fields.
UPDATE record SET updated_at = :now, revision = revision + 1 WHERE id = :id AND revision = :seen

-- name: count_children
-- The parent's counters; its revision stays, for nobody edited it.
UPDATE record
   SET open_tasks = open_tasks + :tasks, open_children = open_children + :children
 WHERE id = :id

-- name: tally
INSERT INTO tally (process_id, org_id, state, status, group_id, priority, n)
VALUES (:process_id, :org_id, :state, :status, :group_id, :priority, :n)
ON CONFLICT (process_id, org_id, state, group_id, priority) DO UPDATE SET n = tally.n + excluded.n

-- name: watch
INSERT INTO watcher (record_id, person_id) VALUES (:id, :person)
ON CONFLICT DO NOTHING

-- name: unwatch
DELETE FROM watcher WHERE record_id = :id AND person_id = :person

-- name: alias
INSERT INTO record_alias (number, record_id) VALUES (:number, :id)
ON CONFLICT DO NOTHING

-- name: is_imported
SELECT event_id FROM imported WHERE source = :source AND row_key = :key

-- name: note_import
INSERT INTO imported (source, row_key, event_id) VALUES (:source, :key, :event_id)

-- name: changed_since
-- What events changed after the writer's revision.
SELECT e.from_state, e.to_state, p.body
  FROM event e
  JOIN event_private p ON p.event_id = e.id
 WHERE e.record_id = :id AND e.revision > :revision
 ORDER BY e.id

-- name: notify
INSERT INTO notice (person_id, record_id, event_id, message, created_at)
VALUES (:person, :id, :event_id, :message, :now)

-- name: group_people
SELECT m.person_id
  FROM team_member m
  JOIN person p ON p.id = m.person_id
 WHERE m.team_id = :group AND p.disabled_at IS NULL
 ORDER BY m.person_id

-- name: root_of
-- The organisation at the top of an organisation's tree.
WITH RECURSIVE up (id, parent_id) AS (
    SELECT id, parent_id FROM organisation WHERE id = :org
    UNION ALL
    SELECT o.id, o.parent_id FROM organisation o JOIN up ON o.id = up.parent_id
)
SELECT id FROM up WHERE parent_id IS NULL

-- name: is_below
-- Whether a record is the other or one of its descendants.
WITH RECURSIVE down (id) AS (
    SELECT CAST(:top AS INTEGER)
    UNION
    SELECT r.id FROM record r JOIN down ON r.parent_id = down.id
)
SELECT count(*) AS n FROM down WHERE id = :id

-- name: link
INSERT INTO link (kind, from_id, to_id, created_at) VALUES (:kind, :from_id, :to_id, :now)
ON CONFLICT DO NOTHING

-- name: unlink
DELETE FROM link WHERE kind = :kind AND from_id = :from_id AND to_id = :to_id

-- name: links
SELECT kind, CASE WHEN from_id = :id THEN to_id ELSE from_id END AS other_id,
       CASE WHEN from_id = :id THEN 0 ELSE 1 END AS is_inverse
  FROM link
 WHERE from_id = :id OR to_id = :id
 ORDER BY id

-- name: children
SELECT id FROM record WHERE parent_id = :id ORDER BY id LIMIT 1000
