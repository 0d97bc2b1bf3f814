-- Groups; the table is called team, as "group" is a word of SQL.

-- name: taken
SELECT id AS n FROM team WHERE id <> :id AND name_folded = :name_folded

-- name: create
INSERT INTO team (org_id, name, name_folded, email, tier, manager_id, created_at, retired_at)
VALUES (:org_id, :name, :name_folded, :email, :tier, :manager_id, :now, :retired_at)
RETURNING id

-- name: load
SELECT id, org_id, name, email, tier, manager_id, retired_at, revision FROM team WHERE id = :id

-- name: update
UPDATE team
   SET org_id = :org_id, name = :name, name_folded = :name_folded, email = :email, tier = :tier,
       manager_id = :manager_id, retired_at = :retired_at, revision = revision + 1
 WHERE id = :id AND revision = :revision

-- name: list
SELECT id, org_id, name, email, tier, manager_id, retired_at, revision, name_folded
  FROM team
 WHERE (CAST(:is_all AS INTEGER) = 1 OR org_id IN {ids :seen})
   AND (CAST(:org_id AS INTEGER) = 0 OR org_id = :org_id)
   AND (name_folded, id) > (:after_name, :after_id)
   AND ({sqlite: instr}{postgres: strpos}(' ' || name_folded, ' ' || CAST(:words AS TEXT)) > 0
        OR ((CAST(:is_all AS INTEGER) = 1 OR org_id IN {ids :detailed})
            AND substr(lower(email), 1, length(CAST(:words AS TEXT))) = :words))
 ORDER BY name_folded, id
 LIMIT :limit

-- name: join
INSERT INTO team_member (team_id, person_id) VALUES (:id, :person_id) ON CONFLICT DO NOTHING

-- name: leave
DELETE FROM team_member WHERE team_id = :id AND person_id = :person_id
