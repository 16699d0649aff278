-- The tables of version 1. Each status has its own, as in a local spool.
--
-- `turn` is the order of an alert's events: the id, or for an event that somebody retries a later number. `due_at` is
-- -infinity for an event that was never tried, the time of the next attempt, or null for one that waits for an earlier event of
-- its alert: exactly one event of an alert is not null. Ids and turns come from one sequence, under the alert's lock, so that
-- within an alert their order is the order of the commits.
--
-- `body`, `summary` and `secret` begin with a byte that says whether they are encrypted (src/fleet/seal.ts).

CREATE SCHEMA pagerduty_alert;
SET LOCAL search_path = pagerduty_alert, pg_catalog;

CREATE TABLE meta (
  version integer NOT NULL,
  secret_mark bytea, -- which PAGERDUTY_FLEET_SECRET the relays have
  former_marks bytea[] NOT NULL DEFAULT '{}', -- those that it has replaced
  tidied_at timestamptz NOT NULL DEFAULT '-infinity'
);
CREATE UNIQUE INDEX meta_is_one_row ON meta ((true));
INSERT INTO meta (version) VALUES (1);

CREATE TABLE relay (
  name text PRIMARY KEY CHECK (octet_length(name) BETWEEN 1 AND 200),
  version text NOT NULL CHECK (octet_length(version) <= 50),
  seen_at timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE key (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE CHECK (octet_length(name) BETWEEN 1 AND 1000),
  secret bytea CHECK (octet_length(secret) <= 1000), -- only of a caller's own key
  owner text,
  epoch bigint NOT NULL DEFAULT 0,
  lease_until timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);
CREATE INDEX key_owner ON key (owner) WHERE owner IS NOT NULL;
CREATE INDEX key_own ON key (id) WHERE secret IS NOT NULL;

CREATE SEQUENCE turn AS bigint;

CREATE TABLE pending (
  id bigint PRIMARY KEY,
  turn bigint NOT NULL,
  key_id bigint NOT NULL,
  kind text NOT NULL CHECK (kind IN ('alert', 'change')),
  action text CHECK (octet_length(action) <= 40),
  alert text CHECK (octet_length(alert) <= 2000),
  origin text NOT NULL CHECK (octet_length(origin) <= 200),
  origin_id text NOT NULL CHECK (octet_length(origin_id) <= 64),
  accepted_at timestamptz NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  http_status integer,
  reason text CHECK (octet_length(reason) <= 10000),
  due_at timestamptz,
  delivered_by text, -- a relay that had lost the key by then
  is_superseded boolean NOT NULL DEFAULT false, -- as a dead event that is retried
  checksum bigint NOT NULL,
  attempt_log jsonb,
  summary bytea CHECK (octet_length(summary) <= 2000),
  body bytea NOT NULL CHECK (octet_length(body) <= 600000)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
CREATE UNIQUE INDEX pending_origin ON pending (origin, origin_id);
CREATE INDEX pending_due ON pending (key_id, kind, due_at, turn) WHERE due_at IS NOT NULL;
CREATE INDEX pending_alert ON pending (key_id, alert, turn) WHERE alert IS NOT NULL;
CREATE INDEX pending_delivered ON pending (key_id) WHERE delivered_by IS NOT NULL;

CREATE TABLE delivered (
  id bigint PRIMARY KEY,
  key_id bigint NOT NULL,
  kind text NOT NULL,
  action text,
  alert text,
  origin text NOT NULL,
  origin_id text NOT NULL,
  accepted_at timestamptz NOT NULL,
  attempts integer NOT NULL,
  http_status integer,
  settled_at timestamptz NOT NULL,
  settled_by text NOT NULL,
  attempt_log jsonb,
  summary bytea
);
CREATE UNIQUE INDEX delivered_origin ON delivered (origin, origin_id);

CREATE TABLE dead (
  id bigint PRIMARY KEY,
  key_id bigint NOT NULL,
  kind text NOT NULL,
  action text,
  alert text,
  origin text NOT NULL,
  origin_id text NOT NULL,
  accepted_at timestamptz NOT NULL,
  attempts integer NOT NULL,
  http_status integer,
  cause text NOT NULL,
  reason text NOT NULL,
  settled_at timestamptz NOT NULL,
  settled_by text NOT NULL,
  is_superseded boolean NOT NULL DEFAULT false, -- a later trigger or resolve of its alert was delivered
  checksum bigint NOT NULL,
  attempt_log jsonb,
  summary bytea,
  body bytea NOT NULL
);
CREATE UNIQUE INDEX dead_origin ON dead (origin, origin_id);
CREATE INDEX dead_alert ON dead (key_id, alert) WHERE alert IS NOT NULL;

CREATE TABLE discarded (
  id bigint PRIMARY KEY,
  key_id bigint NOT NULL,
  kind text NOT NULL,
  action text,
  alert text,
  origin text NOT NULL,
  origin_id text NOT NULL,
  accepted_at timestamptz NOT NULL,
  attempts integer NOT NULL,
  http_status integer,
  reason text NOT NULL,
  settled_at timestamptz NOT NULL,
  settled_by text NOT NULL,
  note text NOT NULL CHECK (octet_length(note) <= 4000),
  attempt_log jsonb,
  summary bytea
);
CREATE UNIQUE INDEX discarded_origin ON discarded (origin, origin_id);

-- Attempts that relays may have made.
CREATE TABLE permit (
  key_id bigint NOT NULL,
  given_at timestamptz NOT NULL,
  count integer NOT NULL
);
CREATE INDEX permit_key ON permit (key_id, given_at);

-- Deployments, kept longer than their events; `record` is a deployment of src/core/deployment.ts, with `told`, what is known about
-- events that are not kept any more, and `toldId`, by which outcomes are ordered. `told` are those that no relay has merged into
-- `deployment` yet.
CREATE TABLE deployment (
  id bigint PRIMARY KEY,
  identity text NOT NULL CHECK (octet_length(identity) <= 2000),
  state text NOT NULL,
  repository text,
  environment text,
  started_at timestamptz,
  ended_at timestamptz,
  event_ids bigint[] NOT NULL,
  record jsonb NOT NULL CHECK (octet_length(record::text) <= 20000)
);
CREATE INDEX deployment_identity ON deployment (identity, id);
CREATE INDEX deployment_current ON deployment (identity, state, id);
CREATE INDEX deployment_ended ON deployment (ended_at);
CREATE INDEX deployment_event ON deployment USING gin (event_ids);
CREATE TABLE told (
  id bigint PRIMARY KEY,
  identity text NOT NULL CHECK (octet_length(identity) <= 2000),
  event_ids bigint[] NOT NULL,
  record jsonb NOT NULL CHECK (octet_length(record::text) <= 20000)
);

-- Deployments that must end in time. `span` is the time from the beginning to the deadline, `within` that from the last sign of
-- life. `alert` is the dedup key of the alert that is triggered, and `event` that alert.
CREATE TABLE deadline (
  alert text NOT NULL CHECK (octet_length(alert) <= 2000),
  build text NOT NULL CHECK (octet_length(build) <= 2000),
  identity text NOT NULL,
  span interval NOT NULL,
  within interval NOT NULL,
  due_at timestamptz NOT NULL,
  key_ids bigint[] NOT NULL,
  event bytea NOT NULL CHECK (octet_length(event) <= 600000),
  PRIMARY KEY (alert, build)
);
CREATE INDEX deadline_due ON deadline (due_at);
CREATE INDEX deadline_identity ON deadline (identity);
