-- The ground: people, definitions, records, events, jobs.
--
-- Instants are microseconds since 1970 in UTC. Names that users write are unique as they are folded
-- (column ..._folded); comparisons are byte by byte on both engines.

-- People ------------------------------------------------------------------------------------------

CREATE TABLE organisation (
    id          {identity},
    parent_id   INTEGER REFERENCES organisation (id),
    name        TEXT NOT NULL,
    name_folded TEXT NOT NULL UNIQUE,
    language    TEXT,
    time_zone   TEXT,
    created_at  INTEGER NOT NULL,
    retired_at  INTEGER,
    revision    INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX organisation_parent ON organisation (parent_id);

CREATE TABLE person (
    id            {identity},
    org_id        INTEGER NOT NULL REFERENCES organisation (id),
    login         TEXT NOT NULL UNIQUE, -- folded
    name          TEXT NOT NULL,
    name_folded   TEXT NOT NULL,
    email         TEXT,
    email_folded  TEXT UNIQUE,
    phone         TEXT,
    language      TEXT,
    time_zone     TEXT,
    is_service    INTEGER NOT NULL DEFAULT 0, -- an integration, not a human being
    password_hash TEXT,
    created_at    INTEGER NOT NULL,
    disabled_at   INTEGER,
    revision      INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX person_org ON person (org_id, name_folded);
CREATE INDEX person_name ON person (name_folded, id);

-- "group" is a word of SQL, so the table of groups is called team.
CREATE TABLE team (
    id          {identity},
    org_id      INTEGER NOT NULL REFERENCES organisation (id),
    name        TEXT NOT NULL,
    name_folded TEXT NOT NULL UNIQUE,
    email       TEXT,
    tier        INTEGER, -- support line: 1, 2, 3
    manager_id  INTEGER REFERENCES person (id),
    created_at  INTEGER NOT NULL,
    retired_at  INTEGER,
    revision    INTEGER NOT NULL DEFAULT 1
);

CREATE TABLE team_member (
    team_id   INTEGER NOT NULL REFERENCES team (id),
    person_id INTEGER NOT NULL REFERENCES person (id),
    PRIMARY KEY (team_id, person_id)
);
CREATE INDEX team_member_person ON team_member (person_id);

-- A role held by a person or by all members of a team, in one organisation and those below it, or
-- (org_id NULL) everywhere.
CREATE TABLE role_grant (
    id        {identity},
    role      TEXT NOT NULL,
    person_id INTEGER REFERENCES person (id),
    team_id   INTEGER REFERENCES team (id),
    org_id    INTEGER REFERENCES organisation (id),
    CHECK ((person_id IS NULL) <> (team_id IS NULL))
);
CREATE INDEX role_grant_person ON role_grant (person_id);
CREATE INDEX role_grant_team ON role_grant (team_id);
CREATE UNIQUE INDEX role_grant_once ON role_grant
    (role, coalesce(person_id, 0), coalesce(team_id, 0), coalesce(org_id, 0));

-- Sign-ins that failed since the last good one. Names that nobody has count too, so that guessing does
-- not tell which exist. Rows go a while after the last attempt.
CREATE TABLE sign_in_attempt (
    key_hash  TEXT PRIMARY KEY, -- SHA-256 of the person's id or of the unknown name, as people type
                                -- passwords into the wrong field
    failed    INTEGER NOT NULL,
    failed_at INTEGER NOT NULL
);
CREATE INDEX sign_in_attempt_failed ON sign_in_attempt (failed_at);

CREATE TABLE session (
    id         {identity},
    hash       TEXT NOT NULL UNIQUE, -- SHA-256 of the cookie's secret
    person_id  INTEGER NOT NULL REFERENCES person (id),
    csrf       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, -- absolute
    peer       TEXT,
    agent      TEXT
);
CREATE INDEX session_person ON session (person_id);
CREATE INDEX session_expires ON session (expires_at);

CREATE TABLE token (
    id         {identity},
    hash       TEXT NOT NULL UNIQUE, -- SHA-256 of the secret
    person_id  INTEGER NOT NULL REFERENCES person (id),
    name       TEXT NOT NULL,
    scopes     TEXT NOT NULL, -- space-separated: read, write, incident:write, ...
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at    INTEGER,
    revoked_at INTEGER
);
CREATE INDEX token_person ON token (person_id);

-- One-time links: the first administrator, later invitations and password resets.
CREATE TABLE one_time_link (
    hash       TEXT PRIMARY KEY,
    purpose    TEXT NOT NULL,
    person_id  INTEGER REFERENCES person (id),
    expires_at INTEGER NOT NULL
);

-- Grows with every change of people, groups, roles; and of definitions. Readers keep what they know
-- until it moves.
CREATE TABLE epoch (
    name TEXT PRIMARY KEY,
    n    INTEGER NOT NULL
);
INSERT INTO epoch (name, n) VALUES ('people', 1);
INSERT INTO epoch (name, n) VALUES ('definitions', 1);

-- Definitions -------------------------------------------------------------------------------------

CREATE TABLE process (
    id         {identity},
    name       TEXT NOT NULL UNIQUE,
    current_id INTEGER -- process_version
);

-- The files of one folder as they were when they came into force, whole, so that a version can be read
-- again for as long as a record is pinned to it.
CREATE TABLE definition_set (
    id         {identity},
    hash       TEXT NOT NULL UNIQUE,
    files      TEXT NOT NULL, -- JSON: {"name": "text", ...}
    created_at INTEGER NOT NULL
);

CREATE TABLE process_version (
    id           {identity},
    process_id   INTEGER NOT NULL REFERENCES process (id),
    version      INTEGER NOT NULL,
    set_id       INTEGER NOT NULL REFERENCES definition_set (id),
    hash         TEXT NOT NULL, -- of the process's own file and the shared ones
    activated_at INTEGER NOT NULL,
    UNIQUE (process_id, version)
);

-- Records -----------------------------------------------------------------------------------------

CREATE TABLE series (
    name TEXT PRIMARY KEY,
    n    INTEGER NOT NULL
);

CREATE TABLE record (
    id            {identity},
    process_id    INTEGER NOT NULL REFERENCES process (id),
    version_id    INTEGER NOT NULL REFERENCES process_version (id),
    number        TEXT NOT NULL UNIQUE,
    revision      INTEGER NOT NULL,
    title         TEXT NOT NULL,
    description   TEXT,
    org_id        INTEGER NOT NULL REFERENCES organisation (id),
    caller_id     INTEGER REFERENCES person (id),
    opened_by_id  INTEGER REFERENCES person (id),
    assignee_id   INTEGER REFERENCES person (id),
    group_id      INTEGER REFERENCES team (id),
    priority      INTEGER, -- rank in its process's list of priorities, 1 is highest
    state         TEXT NOT NULL,
    status        INTEGER NOT NULL, -- 0 new, 1 open, 2 pending, 3 resolved, 4 closed, 5 cancelled
    active        INTEGER NOT NULL, -- 1 for status 0 to 2
    parent_id     INTEGER REFERENCES record (id),
    open_tasks    INTEGER NOT NULL DEFAULT 0,
    open_children INTEGER NOT NULL DEFAULT 0,
    reassignments INTEGER NOT NULL DEFAULT 0,
    reopens       INTEGER NOT NULL DEFAULT 0,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    resolved_at   INTEGER,
    closed_at     INTEGER,
    entered_at    INTEGER NOT NULL,
    language      TEXT, -- of its words, for stemming
    fields        {json_type} NOT NULL, -- what the process adds, by name
    folds         {json_type} NOT NULL  -- title and one-line texts, folded: for contains and starts
);
-- Priorities sort with "none" last on both engines and still by index: as coalesce(priority, 99).
CREATE INDEX record_group ON record (process_id, active, group_id, coalesce(priority, 99), id);
CREATE INDEX record_assignee ON record (assignee_id, active, coalesce(priority, 99), id);
CREATE INDEX record_caller ON record (caller_id, active, id);
CREATE INDEX record_org ON record (org_id, process_id, active, coalesce(priority, 99), id);
CREATE INDEX record_active ON record (process_id, active, coalesce(priority, 99), id);
CREATE INDEX record_created ON record (process_id, created_at, id);
CREATE INDEX record_updated ON record (process_id, updated_at, id);
CREATE INDEX record_state ON record (process_id, state, id);
CREATE INDEX record_parent ON record (parent_id) WHERE parent_id IS NOT NULL;

-- What is searched: tokens made by fettle, so that both engines find the same (lang/words.h). Column keys
-- holds what narrows a search before it ranks: p<process> o<organisation> c<caller>.
-- only: sqlite
CREATE VIRTUAL TABLE record_text USING fts5 (
    title, body, talk, notes, keys,
    content = '', contentless_delete = 1, tokenize = 'fettle'
);
-- only: postgres
CREATE TABLE record_text (
    record_id INTEGER PRIMARY KEY REFERENCES record (id),
    words     TSVECTOR NOT NULL -- weights: A title and keys, B body, C talk, D notes
);
-- only: postgres
CREATE INDEX record_text_words ON record_text USING gin (words) WITH (fastupdate = off);

-- Other numbers a record answers to: merged, converted, imported.
CREATE TABLE record_alias (
    number    TEXT PRIMARY KEY,
    record_id INTEGER NOT NULL REFERENCES record (id)
);
CREATE INDEX record_alias_record ON record_alias (record_id);

CREATE TABLE watcher (
    record_id INTEGER NOT NULL REFERENCES record (id),
    person_id INTEGER NOT NULL REFERENCES person (id),
    PRIMARY KEY (record_id, person_id)
);
CREATE INDEX watcher_person ON watcher (person_id, record_id);

-- Typed links, from -> to. Parent and child is record.parent_id; everything else stands here once.
CREATE TABLE link (
    id         {identity},
    kind       TEXT NOT NULL,
    from_id    INTEGER NOT NULL REFERENCES record (id),
    to_id      INTEGER NOT NULL REFERENCES record (id),
    created_at INTEGER NOT NULL,
    UNIQUE (kind, from_id, to_id),
    CHECK (from_id <> to_id)
);
CREATE INDEX link_from ON link (from_id, kind);
CREATE INDEX link_to ON link (to_id, kind);

-- How many records there are, kept in the transaction that changes them; what dashboards ask. 0 stands
-- for none, so that the key is whole.
CREATE TABLE tally (
    process_id INTEGER NOT NULL,
    org_id     INTEGER NOT NULL,
    state      TEXT NOT NULL,
    status     INTEGER NOT NULL,
    group_id   INTEGER NOT NULL,
    priority   INTEGER NOT NULL,
    n          INTEGER NOT NULL,
    PRIMARY KEY (process_id, org_id, state, group_id, priority)
);

-- Events ------------------------------------------------------------------------------------------

-- What happened, one row for each passage through the gate, in the order of the commits, without gaps.
-- Append-only. Nothing in this table names a person by more than an id or repeats what one wrote: that
-- is in event_private, which `digest` commits to, so that it can be erased without breaking the log.
CREATE TABLE event (
    id          INTEGER PRIMARY KEY,
    record_id   INTEGER REFERENCES record (id), -- NULL: about the system (people, definitions)
    process_id  INTEGER,
    kind        TEXT NOT NULL,    -- create, action, edit, reply, note, attach, link, watch, ...
    action      TEXT,             -- name of the process's action
    actor_id    INTEGER,          -- NULL: the system
    via         INTEGER NOT NULL, -- enum via
    request_id  TEXT,
    occurred_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    revision    INTEGER,          -- of the record after it
    from_state  TEXT,
    to_state    TEXT,
    from_status INTEGER,
    to_status   INTEGER,
    group_id    INTEGER,          -- after it
    priority    INTEGER,          -- after it
    is_internal INTEGER NOT NULL DEFAULT 0,
    deviation   TEXT,             -- imported: what the process would not have allowed, codes by space
    digest      TEXT NOT NULL     -- SHA-256 over salt and body of event_private
);
CREATE INDEX event_record ON event (record_id, id);
CREATE INDEX event_occurred ON event (process_id, occurred_at);

CREATE TABLE event_private (
    event_id INTEGER PRIMARY KEY REFERENCES event (id),
    salt     TEXT NOT NULL,
    body     TEXT NOT NULL -- JSON: {"text": "...", "changes": {"field": [before, after]}, ...}
);

-- Who is to be told of what: one row a person and event. What it says is rendered when it is read, in the
-- reader's language, from the message of the record's version.
CREATE TABLE notice (
    id         {identity},
    person_id  INTEGER NOT NULL REFERENCES person (id),
    record_id  INTEGER NOT NULL REFERENCES record (id),
    event_id   INTEGER NOT NULL REFERENCES event (id),
    message    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    read_at    INTEGER
);
CREATE INDEX notice_person ON notice (person_id, id);

-- Attachments -------------------------------------------------------------------------------------

CREATE TABLE attachment (
    id          {identity},
    record_id   INTEGER NOT NULL REFERENCES record (id),
    event_id    INTEGER NOT NULL REFERENCES event (id),
    public_id   TEXT NOT NULL UNIQUE, -- 128 random bits
    sha256      TEXT NOT NULL,        -- names the file
    size        INTEGER NOT NULL,
    name        TEXT NOT NULL,
    type        TEXT NOT NULL,        -- sniffed from the content
    is_internal INTEGER NOT NULL,
    removed_at  INTEGER
);
CREATE INDEX attachment_record ON attachment (record_id);
CREATE INDEX attachment_sha256 ON attachment (sha256);

-- Later -------------------------------------------------------------------------------------------

-- Work to be done: jobs, and timers of records (record_id and name set).
CREATE TABLE job (
    id          {identity},
    kind        TEXT NOT NULL,
    state       TEXT NOT NULL, -- ready, running, parked
    run_at      INTEGER NOT NULL,
    lease_until INTEGER,
    fence       INTEGER NOT NULL DEFAULT 0, -- grows with every claim; a late worker cannot finish it
    attempt     INTEGER NOT NULL DEFAULT 0,
    record_id   INTEGER REFERENCES record (id),
    name        TEXT,
    input       TEXT NOT NULL, -- JSON
    progress    TEXT,          -- JSON
    error       TEXT,
    created_at  INTEGER NOT NULL,
    UNIQUE (record_id, kind, name)
);
CREATE INDEX job_due ON job (state, run_at, id);

-- Answers already given, kept for repeated requests.
CREATE TABLE idempotency (
    principal  TEXT NOT NULL,
    key        TEXT NOT NULL,
    hash       TEXT NOT NULL, -- of the request
    status     INTEGER NOT NULL,
    body       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (principal, key)
);
CREATE INDEX idempotency_created ON idempotency (created_at);

-- What was imported: a row of the source is one event here, however often it is read.
CREATE TABLE imported (
    source   TEXT NOT NULL,
    row_key  TEXT NOT NULL,
    event_id INTEGER NOT NULL REFERENCES event (id),
    PRIMARY KEY (source, row_key)
);
