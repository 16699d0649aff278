-- Processes that work as relays, with what they would send with. A relay has one, or for a while several that use the same spool.
CREATE TABLE IF NOT EXISTS relay_process (
  id text PRIMARY KEY CHECK (octet_length(id) BETWEEN 1 AND 64),
  relay text NOT NULL CHECK (octet_length(relay) BETWEEN 1 AND 200),
  directory_mark text CHECK (octet_length(directory_mark) <= 64), -- tells the directories of spools apart
  secret_mark bytea CHECK (octet_length(secret_mark) <= 64), -- with which secret `key_marks` were made
  key_names text[] NOT NULL CHECK (cardinality(key_names) <= 1000),
  key_marks bytea[] NOT NULL CHECK (cardinality(key_marks) = cardinality(key_names)),
  started_at timestamptz NOT NULL,
  seen_at timestamptz NOT NULL
) WITH (fillfactor = 50);

-- A process says that it is there, and learns who else is.
CREATE OR REPLACE FUNCTION introduce(
  p_process text, p_relay text, p_directory_mark text, p_secret_mark bytea, p_key_names text[], p_key_marks bytea[]
) RETURNS TABLE (
  relay text, directory_mark text, secret_mark bytea, key_names text[], key_marks bytea[], started_ms_ago double precision,
  seen_ms_ago double precision
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO relay_process (id, relay, directory_mark, secret_mark, key_names, key_marks, started_at, seen_at)
  VALUES (p_process, p_relay, p_directory_mark, p_secret_mark, p_key_names, p_key_marks, clock_timestamp(), clock_timestamp())
  ON CONFLICT (id) DO UPDATE SET secret_mark = excluded.secret_mark, key_names = excluded.key_names,
    key_marks = excluded.key_marks, seen_at = excluded.seen_at;
  RETURN QUERY SELECT * FROM relay_processes();
END $$;

-- Processes that are alive, as far as the server knows.
CREATE OR REPLACE FUNCTION relay_processes() RETURNS TABLE (
  relay text, directory_mark text, secret_mark bytea, key_names text[], key_marks bytea[], started_ms_ago double precision,
  seen_ms_ago double precision
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pagerduty_alert, pg_catalog, pg_temp AS $$
  SELECT p.relay, p.directory_mark, p.secret_mark, p.key_names, p.key_marks, -ms_until(p.started_at), -ms_until(p.seen_at)
  FROM relay_process AS p WHERE p.seen_at > clock_timestamp() - interval '30 s' ORDER BY p.relay, p.started_at LIMIT 1000;
$$;

-- A process ends in order. Its relay is gone then, unless another process still uses its spool.
CREATE OR REPLACE FUNCTION leave(p_process text, p_relay text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
BEGIN
  DELETE FROM relay_process WHERE id = p_process;
  DELETE FROM relay WHERE name = p_relay
    AND NOT EXISTS (SELECT FROM relay_processes() AS other WHERE other.relay = p_relay);
END $$;
