-- Epochs and organisation trees: see known.h.

-- name: epoch
SELECT n AS epoch FROM epoch WHERE name = 'people'

-- name: move
UPDATE epoch SET n = n + 1 WHERE name = 'people'

-- name: below
-- UNION, not UNION ALL: a circle ends.
WITH RECURSIVE below (id) AS (
    SELECT id FROM organisation WHERE id = :org_id
    UNION
    SELECT o.id FROM organisation o JOIN below b ON o.parent_id = b.id
)
SELECT id FROM below ORDER BY id
