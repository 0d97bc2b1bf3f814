-- name: put
-- only: sqlite
INSERT OR REPLACE INTO record_text (rowid, title, body, talk, notes, keys)
VALUES (:id, :title, :body, :talk, :notes, :keys)

-- name: put
-- only: postgres
INSERT INTO record_text (record_id, words)
VALUES (:id, setweight(CAST(:title AS tsvector), 'A') || setweight(CAST(:body AS tsvector), 'B')
          || setweight(CAST(:talk AS tsvector), 'C') || setweight(CAST(:notes AS tsvector), 'D')
          || setweight(CAST(:keys AS tsvector), 'A'))
ON CONFLICT (record_id) DO UPDATE SET words = excluded.words

-- name: texts
-- What was said, newest first: public and internal.
SELECT e.is_internal, p.body
  FROM event e
  JOIN event_private p ON p.event_id = e.id
 WHERE e.record_id = :id AND e.kind IN ('reply', 'note', 'action', 'create')
 ORDER BY e.id DESC
 LIMIT 200
