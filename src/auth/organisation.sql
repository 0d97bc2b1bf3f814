-- Organisations: see people.h.

-- name: taken
SELECT id AS n FROM organisation WHERE id <> :id AND name_folded = :name_folded

-- name: create
INSERT INTO organisation (parent_id, name, name_folded, language, time_zone, created_at, retired_at)
VALUES (:parent_id, :name, :name_folded, :language, :time_zone, :now, :retired_at)
RETURNING id

-- name: load
SELECT id, parent_id, name, language, time_zone, retired_at, revision
  FROM organisation
 WHERE id = :id

-- name: update
UPDATE organisation
   SET parent_id = :parent_id, name = :name, name_folded = :name_folded, language = :language,
       time_zone = :time_zone, retired_at = :retired_at, revision = revision + 1
 WHERE id = :id AND revision = :revision

-- name: list
-- :org_id asks for those directly below it.
SELECT id, parent_id, name, language, time_zone, retired_at, revision, name_folded
  FROM organisation
 WHERE (CAST(:is_all AS INTEGER) = 1 OR id IN {ids :seen} OR id IN {ids :detailed})
   AND (CAST(:org_id AS INTEGER) = 0 OR parent_id = :org_id)
   AND (name_folded, id) > (:after_name, :after_id)
   AND {sqlite: instr}{postgres: strpos}(' ' || name_folded, ' ' || CAST(:words AS TEXT)) > 0
 ORDER BY name_folded, id
 LIMIT :limit
