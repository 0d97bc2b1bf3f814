-- Who holds which role: see people.h.

-- name: find
SELECT id AS n
  FROM role_grant
 WHERE role = :role AND coalesce(person_id, 0) = :person_id AND coalesce(team_id, 0) = :group_id
   AND coalesce(org_id, 0) = :org_id

-- name: give
INSERT INTO role_grant (role, person_id, team_id, org_id)
VALUES (:role, :person_id, :group_id, :org_id)
RETURNING id

-- name: load
SELECT id, person_id, team_id AS group_id, org_id, role FROM role_grant WHERE id = :id

-- name: take
DELETE FROM role_grant WHERE id = :id

-- name: list
SELECT id, person_id, team_id AS group_id, org_id, role
  FROM role_grant
 WHERE (CAST(:person_id AS INTEGER) = 0 OR person_id = :person_id)
   AND (CAST(:group_id AS INTEGER) = 0 OR team_id = :group_id)
 ORDER BY role, id
