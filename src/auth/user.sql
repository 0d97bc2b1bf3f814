-- People as users: see user.h.

-- name: epoch
-- Whether a person is there, together with the epoch that what is known of it must have.
SELECT p.id AS id, e.n AS epoch
  FROM person p, epoch e
 WHERE p.id = :id AND e.name = 'people'

-- name: load
SELECT p.id AS id, p.org_id AS org_id, p.login AS login, p.name AS name,
       coalesce(p.language, o.language) AS language,
       coalesce(p.time_zone, o.time_zone) AS time_zone, p.is_service AS is_service,
       p.disabled_at AS disabled_at
  FROM person p JOIN organisation o ON o.id = p.org_id
 WHERE p.id = :id

-- name: roles
SELECT role AS role, org_id AS org_id, NULL AS group_id
  FROM role_grant
 WHERE person_id = :id
UNION ALL
SELECT g.role, g.org_id, g.team_id
  FROM team_member m
  JOIN team t ON t.id = m.team_id AND t.retired_at IS NULL
  JOIN role_grant g ON g.team_id = m.team_id
 WHERE m.person_id = :id
 ORDER BY role

-- name: groups
SELECT m.team_id AS id
  FROM team_member m JOIN team t ON t.id = m.team_id
 WHERE m.person_id = :id AND t.retired_at IS NULL
 ORDER BY m.team_id
