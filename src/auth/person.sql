-- People: see people.h.

-- name: taken
-- Who else has this login or address: 1 the login, 2 the address. A login may be an address, so each
-- is compared with both.
SELECT CASE WHEN login = :login OR email_folded = :login THEN 1 ELSE 2 END AS n
  FROM person
 WHERE id <> :id AND (login IN (:login, :email) OR email_folded IN (:login, :email))
 ORDER BY 1
 LIMIT 1

-- name: create
INSERT INTO person (org_id, login, name, name_folded, email, email_folded, phone, language,
                    time_zone, is_service, password_hash, created_at)
VALUES (:org_id, :login, :name, :name_folded, :email, :email_folded, :phone, :language, :time_zone,
        :is_service, :password_hash, :now)
RETURNING id

-- name: load
SELECT id, org_id, login, name, email, phone, language, time_zone, is_service, created_at,
       disabled_at, revision
  FROM person
 WHERE id = :id

-- name: update
UPDATE person
   SET org_id = :org_id, login = :login, name = :name, name_folded = :name_folded, email = :email,
       email_folded = :email_folded, phone = :phone, language = :language, time_zone = :time_zone,
       is_service = :is_service, revision = revision + 1
 WHERE id = :id AND revision = :revision

-- name: set_password
UPDATE person SET password_hash = :hash WHERE id = :id

-- name: set_disabled
UPDATE person SET disabled_at = :disabled_at, revision = revision + 1
 WHERE id = :id AND revision = :revision

-- name: list
SELECT id, org_id, login, name, email, phone, language, time_zone, is_service, created_at,
       disabled_at, revision, name_folded
  FROM person
 WHERE (CAST(:is_all AS INTEGER) = 1 OR org_id IN {ids :seen})
   AND (CAST(:org_id AS INTEGER) = 0 OR org_id = :org_id)
   AND (name_folded, id) > (:after_name, :after_id)
   AND ({sqlite: instr}{postgres: strpos}(' ' || name_folded, ' ' || CAST(:words AS TEXT)) > 0
        OR ((CAST(:is_all AS INTEGER) = 1 OR org_id IN {ids :detailed})
            AND (substr(login, 1, length(CAST(:words AS TEXT))) = :words
                 OR substr(email_folded, 1, length(CAST(:words AS TEXT))) = :words)))
 ORDER BY name_folded, id
 LIMIT :limit

-- name: of_group
SELECT p.id, p.org_id, p.login, p.name, p.email, p.phone, p.language, p.time_zone, p.is_service,
       p.created_at, p.disabled_at, p.revision
  FROM team_member m JOIN person p ON p.id = m.person_id
 WHERE m.team_id = :id
 ORDER BY p.name_folded, p.id
