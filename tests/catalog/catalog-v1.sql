-- A catalog as version 1 wrote it.
CREATE TABLE apps (
    id INTEGER PRIMARY KEY,
    account TEXT NOT NULL, app TEXT NOT NULL,
    title TEXT NOT NULL, provider TEXT NOT NULL, kind TEXT, bundle_id TEXT, owner TEXT,
    is_disabled INTEGER NOT NULL, created_at INTEGER, gone INTEGER NOT NULL DEFAULT 0,
    builds_seen_at INTEGER,
    UNIQUE (account, app)
);
CREATE TABLE builds (
    id INTEGER PRIMARY KEY,
    app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    build TEXT NOT NULL, number INTEGER, status TEXT NOT NULL, status_raw TEXT NOT NULL,
    branch TEXT, tag TEXT, workflow TEXT, commit_sha TEXT, commit_message TEXT, author TEXT, trigger_text TEXT,
    pull_request INTEGER, created_at INTEGER, started_at INTEGER, finished_at INTEGER, reason TEXT, stack TEXT,
    artifacts_seen_at INTEGER,
    UNIQUE (app_id, build)
);
CREATE INDEX builds_newest ON builds (app_id, created_at DESC, number DESC);
CREATE TABLE actions (
    id INTEGER PRIMARY KEY,
    build_id INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
    action TEXT NOT NULL, name TEXT NOT NULL, kind TEXT, status TEXT NOT NULL, status_raw TEXT NOT NULL,
    UNIQUE (build_id, action)
);
CREATE TABLE artifacts (
    build_id INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    artifact TEXT NOT NULL, title TEXT NOT NULL, kind TEXT NOT NULL, kind_raw TEXT NOT NULL,
    size_bytes INTEGER, is_public INTEGER, created_at INTEGER, action_id INTEGER, facts TEXT,
    is_intermediate INTEGER NOT NULL,
    PRIMARY KEY (build_id, position)
) WITHOUT ROWID;
CREATE TABLE accounts (account TEXT PRIMARY KEY, apps_seen_at INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO accounts VALUES ('acme', 1);
INSERT INTO apps (id, account, app, title, provider, is_disabled, builds_seen_at) VALUES (1, 'acme', 'a1', 'Acme', 'bitrise', 0, 1);
INSERT INTO builds (id, app_id, build, number, status, status_raw, branch, workflow, created_at, started_at, finished_at)
VALUES (1, 1, 'b1', 1, 'succeeded', '1', 'main', 'release', 1789000000, 1789000000, 1789000060);
INSERT INTO artifacts VALUES (1, 0, 'x1', 'a.apk', 'apk', 'android-apk', 70001, NULL, 1789000060, NULL, NULL, 0);
INSERT INTO artifacts VALUES (1, 1, 'x2', 'a.apk', 'apk', 'android-apk', 70001, NULL, 1789000060, NULL, NULL, 0);
PRAGMA user_version = 1;
