-- Ids behind names, names behind ids.

-- name: find_person
SELECT id FROM person
 WHERE login = :name OR email_folded = :name
 ORDER BY CASE WHEN login = :name THEN 0 ELSE 1 END
 LIMIT 1

-- name: find_group
SELECT id FROM team WHERE name_folded = :name

-- name: find_organisation
SELECT id FROM organisation WHERE name_folded = :name

-- name: person
SELECT id AS id, org_id AS org_id, name AS name, login AS login, language AS language
  FROM person WHERE id = :id

-- name: group
SELECT id AS id, org_id AS org_id, name AS name, NULL AS login, NULL AS language
  FROM team WHERE id = :id

-- name: organisation
SELECT id AS id, id AS org_id, name AS name, NULL AS login, language AS language
  FROM organisation WHERE id = :id
