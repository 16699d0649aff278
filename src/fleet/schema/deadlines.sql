-- Takes the lock under which an outcome ends the deadline of an alert, or a start sets it, and keeps the keys of its alert.
-- The caller merges deployments under it, so their lock comes first.
CREATE OR REPLACE FUNCTION lock_deadline(p_alert text, p_keys text[], p_secrets bytea[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
  SELECT keep_keys(p_keys, p_secrets);
  SELECT lock_deployments();
  SELECT lock_alerts('{0}', ARRAY[p_alert]);
$$;

-- Sets the deadline of a start that was reported `p_ago_ms` ago, or replaces it. Returns whether there was room. The caller holds
-- the deadline's lock.
CREATE OR REPLACE FUNCTION set_deadline(
  p_alert text, p_build text, p_identity text, p_elapsed_ms double precision, p_within_ms double precision,
  p_ago_ms double precision, p_keys text[], p_event bytea, p_most integer
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' SET enable_seqscan = off AS $$
BEGIN
  IF (SELECT count(*) FROM deadline) >= p_most AND NOT EXISTS (SELECT FROM deadline WHERE alert = p_alert AND build = p_build)
  THEN RETURN false; END IF;
  INSERT INTO deadline (alert, build, identity, span, within, due_at, key_ids, event)
  VALUES (p_alert, p_build, p_identity, (p_elapsed_ms + p_within_ms) * interval '1 ms', p_within_ms * interval '1 ms',
    clock_timestamp() + (p_within_ms - p_ago_ms) * interval '1 ms', ARRAY(SELECT id FROM key WHERE name = ANY (p_keys)), p_event)
  ON CONFLICT (alert, build) DO UPDATE SET identity = excluded.identity, span = excluded.span, within = excluded.within,
    due_at = excluded.due_at, key_ids = excluded.key_ids, event = excluded.event;
  RETURN true;
END $$;

-- Forgets the deadlines of a deployment whose outcome was told without events. The caller holds the lock of deployments, so
-- no other deadline is set meanwhile.
CREATE OR REPLACE FUNCTION end_deadlines(p_identity text, p_build text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' SET enable_seqscan = off AS $$
DECLARE
  v_alerts text[] := ARRAY(SELECT alert FROM deadline WHERE identity = p_identity);
BEGIN
  PERFORM lock_alerts(array_fill(0::bigint, ARRAY[cardinality(v_alerts)]), v_alerts);
  DELETE FROM deadline WHERE identity = p_identity AND (build = p_build OR build = '' OR p_build = '');
END $$;

-- Removes some deadlines that are over, and returns what to trigger. In the same transaction the caller adds their alerts.
CREATE OR REPLACE FUNCTION take_deadlines(p_most integer) RETURNS TABLE (
  alert text, build text, span_ms double precision, within_ms double precision, late_ms double precision, key_names text[],
  key_secrets bytea[], event bytea
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  v_now timestamptz := clock_timestamp();
  v_alerts text[] := ARRAY(SELECT d.alert FROM deadline AS d WHERE d.due_at <= v_now ORDER BY d.due_at LIMIT p_most);
BEGIN
  IF cardinality(v_alerts) = 0 THEN RETURN; END IF;
  PERFORM keep_keys('{}', '{}'); -- as `add` will do, but before the locks of the deadlines
  PERFORM lock_alerts(array_fill(0::bigint, ARRAY[cardinality(v_alerts)]), v_alerts);
  RETURN QUERY
  WITH removed AS (
    DELETE FROM deadline AS d WHERE d.alert = ANY (v_alerts) AND d.due_at <= v_now RETURNING d.*
  )
  SELECT r.alert, r.build, extract(epoch FROM r.span)::double precision * 1000,
    extract(epoch FROM r.within)::double precision * 1000, extract(epoch FROM v_now - r.due_at)::double precision * 1000,
    ARRAY(SELECT key.name FROM key WHERE key.id = ANY (r.key_ids) ORDER BY key.id),
    ARRAY(SELECT key.secret FROM key WHERE key.id = ANY (r.key_ids) ORDER BY key.id), r.event
  FROM removed AS r;
END $$;

-- The deadlines of deployments, for people: how long until then.
CREATE OR REPLACE FUNCTION deadlines_of(p_identities text[]) RETURNS TABLE (identity text, build text, left_ms double precision)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off AS $$
  SELECT identity, build, ms_until(due_at) FROM deadline WHERE identity = ANY (p_identities);
$$;

CREATE OR REPLACE FUNCTION count_deadlines() RETURNS TABLE (open bigint, overdue bigint, next_in_ms double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pagerduty_alert, pg_catalog, pg_temp AS $$
  SELECT count(*) FILTER (WHERE due_at > clock_timestamp()), count(*) FILTER (WHERE due_at <= clock_timestamp()),
    ms_until(min(due_at)) FROM deadline;
$$;
