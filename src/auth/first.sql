-- The first administrator.

-- name: forget
DELETE FROM one_time_link WHERE purpose = 'first'

-- name: add
INSERT INTO one_time_link (hash, purpose, expires_at) VALUES (:hash, 'first', :expires_at)

-- name: redeem
DELETE FROM one_time_link
 WHERE hash = :hash AND purpose = 'first' AND expires_at > :now

-- name: set_password
UPDATE person SET password_hash = :hash WHERE id = :id
