-- Who may change whom: see manage.h.

-- name: person
SELECT org_id AS org_id FROM person WHERE id = :id

-- name: group
SELECT org_id AS org_id FROM team WHERE id = :id

-- name: organisation
SELECT id AS org_id FROM organisation WHERE id = :id

-- name: group_roles
SELECT role AS role, org_id AS org_id FROM role_grant WHERE team_id = :id

-- name: administrators
-- People who can sign in and hold the role everywhere.
SELECT count(*) AS n
  FROM person p
 WHERE p.disabled_at IS NULL AND p.is_service = 0
   AND (EXISTS (SELECT 1 FROM role_grant g
                 WHERE g.person_id = p.id AND g.role = :role AND g.org_id IS NULL)
        OR EXISTS (SELECT 1
                     FROM team_member m
                     JOIN team t ON t.id = m.team_id AND t.retired_at IS NULL
                     JOIN role_grant g ON g.team_id = m.team_id
                    WHERE m.person_id = p.id AND g.role = :role AND g.org_id IS NULL))
