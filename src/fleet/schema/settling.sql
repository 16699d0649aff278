-- Writes the results of attempts. A relay that has lost the key since then decides nothing: if it delivered the event, that is
-- only noted, so that nobody delivers it again, and the next event of the alert waits until the owner has finished.
CREATE OR REPLACE FUNCTION settle(
  p_relay text, p_ids bigint[], p_key_ids bigint[], p_epochs bigint[], p_checksums bigint[], p_results text[],
  p_http_statuses integer[], p_causes text[], p_reasons text[], p_waits_ms double precision[], p_attempts jsonb[]
) RETURNS TABLE (id bigint, became text, due_key_id bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' SET jit = off
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  v_alert_keys bigint[];
  v_alerts text[];
  v_now timestamptz := clock_timestamp();
BEGIN
  SELECT array_agg(e.key_id), array_agg(coalesce(e.alert, e.id::text)) INTO v_alert_keys, v_alerts
  FROM pending AS e WHERE e.id = ANY (p_ids);
  PERFORM lock_alerts(v_alert_keys, v_alerts);
  -- From here on nobody can claim these keys until this is committed.
  PERFORM FROM (SELECT FROM key WHERE key.id = ANY (p_key_ids) ORDER BY key.id FOR KEY SHARE) AS locked;

  RETURN QUERY
  WITH input AS MATERIALIZED (
    SELECT i.id, i.key_id, i.result, i.http_status, i.cause, i.reason, i.wait_ms, i.number,
      (i.attempt - 'agoMs') || jsonb_build_object('atMs', round(ms_of(v_now) - (i.attempt ->> 'agoMs')::double precision)) AS attempt,
      key.owner = p_relay AND key.epoch = i.epoch AS is_mine, e.id IS NOT NULL AS is_there,
      CASE WHEN e.delivered_by IS NOT NULL THEN 'delivered' ELSE i.result END AS decided
    FROM unnest(p_ids, p_key_ids, p_epochs, p_checksums, p_results, p_http_statuses, p_causes, p_reasons, p_waits_ms, p_attempts)
      WITH ORDINALITY AS i (id, key_id, epoch, checksum, result, http_status, cause, reason, wait_ms, attempt, number)
    LEFT JOIN key ON key.id = i.key_id
    LEFT JOIN pending AS e ON e.id = i.id AND e.checksum = i.checksum
  ), postponed AS (
    UPDATE pending AS e SET attempts = e.attempts + 1, http_status = i.http_status, reason = i.reason,
      due_at = clock_timestamp() + i.wait_ms * interval '1 ms', attempt_log = with_attempt(e.attempt_log, i.attempt)
    FROM input AS i WHERE e.id = i.id AND i.is_there AND i.is_mine AND i.decided = 'postponed'
  ), noted AS (
    UPDATE pending AS e SET delivered_by = p_relay, http_status = i.http_status
    FROM input AS i WHERE e.id = i.id AND i.is_there AND i.is_mine IS NOT TRUE AND i.decided = 'delivered'
  ), removed AS (
    DELETE FROM pending AS e USING input AS i
    WHERE e.id = i.id AND i.is_there AND i.is_mine AND i.decided IN ('delivered', 'dead')
    RETURNING e.*, i.decided, i.cause AS new_cause, i.reason AS new_reason, i.http_status AS new_http_status, i.attempt
  ), to_delivered AS (
    INSERT INTO delivered (id, key_id, kind, action, alert, origin, origin_id, accepted_at, attempts, http_status, settled_at,
      settled_by, attempt_log, summary)
    SELECT id, key_id, kind, action, alert, origin, origin_id, accepted_at, attempts + 1,
      CASE WHEN delivered_by IS NULL THEN new_http_status ELSE http_status END, clock_timestamp(),
      coalesce(delivered_by, p_relay),
      CASE WHEN attempts > 0 THEN with_attempt(attempt_log, attempt) END, summary
    FROM removed WHERE decided = 'delivered'
  ), to_dead AS (
    INSERT INTO dead (id, key_id, kind, action, alert, origin, origin_id, accepted_at, attempts, http_status, cause, reason,
      settled_at, settled_by, is_superseded, checksum, attempt_log, summary, body)
    SELECT id, key_id, kind, action, alert, origin, origin_id, accepted_at, attempts + 1, new_http_status, new_cause,
      new_reason, clock_timestamp(), p_relay, is_superseded, checksum, with_attempt(attempt_log, attempt), summary, body
    FROM removed WHERE decided = 'dead'
  ), superseded AS (
    UPDATE dead SET is_superseded = true FROM removed AS r
    WHERE r.decided = 'delivered' AND r.action IN ('trigger', 'resolve') AND dead.key_id = r.key_id AND dead.alert = r.alert
      AND dead.id < r.turn AND NOT dead.is_superseded
  )
  SELECT i.id, CASE WHEN NOT i.is_there THEN 'gone' WHEN i.is_mine THEN 'settled'
    WHEN i.decided = 'delivered' THEN 'noted' ELSE 'lost' END, NULL::bigint
  FROM input AS i ORDER BY i.number;
  RETURN QUERY SELECT NULL::bigint, NULL, next_of_alerts(v_alert_keys, v_alerts);
END $$;

-- Makes the first event of each alert due, if it waited for one that is gone. The caller holds the alerts' locks.
CREATE OR REPLACE FUNCTION next_of_alerts(p_key_ids bigint[], p_alerts text[]) RETURNS SETOF bigint
LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY
  WITH first AS (
    SELECT DISTINCT (
      SELECT e.id FROM pending AS e WHERE e.key_id = a.key_id AND e.alert = a.alert ORDER BY e.turn LIMIT 1) AS id
    FROM unnest(p_key_ids, p_alerts) AS a (key_id, alert)
  ), unblocked AS (
    UPDATE pending SET due_at = '-infinity' FROM first
    WHERE pending.id = first.id AND pending.due_at IS NULL RETURNING pending.key_id
  )
  SELECT DISTINCT unblocked.key_id FROM unblocked;
END $$;

-- Moves events that were delivered by relays which had lost these keys, unless the owner is attempting them.
CREATE OR REPLACE FUNCTION finish_delivered(p_key_ids bigint[], p_busy bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_ids bigint[];
  v_alert_keys bigint[];
  v_alerts text[];
BEGIN
  SELECT array_agg(e.id), array_agg(e.key_id), array_agg(coalesce(e.alert, e.id::text)) INTO v_ids, v_alert_keys, v_alerts
  FROM pending AS e WHERE e.key_id = ANY (p_key_ids) AND e.delivered_by IS NOT NULL AND e.id <> ALL (p_busy);
  IF v_ids IS NULL THEN RETURN; END IF;
  PERFORM lock_alerts(v_alert_keys, v_alerts);
  WITH removed AS (
    DELETE FROM pending WHERE id = ANY (v_ids) RETURNING *
  ), superseded AS (
    UPDATE dead SET is_superseded = true FROM removed AS r
    WHERE r.action IN ('trigger', 'resolve') AND dead.key_id = r.key_id AND dead.alert = r.alert AND dead.id < r.turn
  )
  INSERT INTO delivered (id, key_id, kind, action, alert, origin, origin_id, accepted_at, attempts, http_status, settled_at,
    settled_by, attempt_log, summary)
  SELECT id, key_id, kind, action, alert, origin, origin_id, accepted_at, attempts + 1, http_status, clock_timestamp(),
    delivered_by, attempt_log, summary FROM removed;
  PERFORM next_of_alerts(v_alert_keys, v_alerts);
END $$;

-- The last ten attempts.
CREATE OR REPLACE FUNCTION with_attempt(p_log jsonb, p_attempt jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN p_attempt IS NULL THEN p_log
    WHEN jsonb_array_length(coalesce(p_log, '[]')) >= 10 THEN (p_log - 0) || p_attempt
    ELSE coalesce(p_log, '[]') || p_attempt END;
$$;

-- Makes waiting events of a key due at most so long from now, if the relay owns it.
CREATE OR REPLACE FUNCTION clamp_due(p_relay text, p_key_id bigint, p_epoch bigint, p_wait_ms double precision) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
  v_latest timestamptz := clock_timestamp() + p_wait_ms * interval '1 ms';
BEGIN
  PERFORM FROM key WHERE id = p_key_id AND owner = p_relay AND epoch = p_epoch FOR KEY SHARE;
  IF NOT FOUND THEN RETURN; END IF;
  -- Whoever holds the lock of a row is about to write its result.
  UPDATE pending SET due_at = v_latest WHERE id = ANY (ARRAY(
    SELECT e.id FROM pending AS e WHERE e.key_id = p_key_id AND e.kind IN ('alert', 'change') AND e.due_at > v_latest
    FOR NO KEY UPDATE SKIP LOCKED));
END $$;
