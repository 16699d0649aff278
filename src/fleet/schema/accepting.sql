-- The order of locks, for every function and for every transaction that calls several. Whoever waits for one of these holds
-- none of those below it, so no two transactions ever wait for each other:
--
--   1. advisory lock 0: shared while keys are used that nothing refers to yet, exclusive while keys are removed
--   2. new rows of `key`, by name
--   3. advisory lock 1: whoever writes `deployment` or takes from `told`
--   4. advisory locks of deadlines, and then of alerts, each by their hashes (lock_alerts)
--   5. rows: those of an event under the lock of its alert (a change event has one of its own), those of `deadline` under the
--      lock of the deadline, those of `deployment` under lock 1, those of `permit` under their key
--
-- Rows of `key` are locked by id, `FOR NO KEY UPDATE`, before 4: that never waits for what `settle` locks after 4, `FOR KEY SHARE`.
-- Whoever takes rows in any other order, or without the lock that guards them, skips those that are locked.

-- Functions that only other functions call have no search_path of their own: setting it would take longer than most of them.

-- Adds keys that are not there. They stay until the transaction ends: `tidy` removes none meanwhile.
CREATE OR REPLACE FUNCTION keep_keys(p_keys text[], p_secrets bytea[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(1346650188, 0);
  INSERT INTO key (name, secret)
  SELECT DISTINCT ON (i.name) i.name, i.secret FROM unnest(p_keys, p_secrets) AS i (name, secret)
  WHERE NOT EXISTS (SELECT FROM key WHERE key.name = i.name) ORDER BY i.name
  ON CONFLICT (name) DO NOTHING;
END $$;

-- Takes the locks of alerts until the transaction ends: first those of deadlines (key 0), because the alerts of deadlines that
-- are over are added under them. An event without an alert is locked by its id. Who holds an alert's lock may add events of it, or remove them
-- and make the next one due. A hash collision only makes two alerts wait for each other.
CREATE OR REPLACE FUNCTION lock_alerts(p_key_ids bigint[], p_alerts text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  -- A subquery with ORDER BY is computed as it stands, so the locks are taken in its order. The number is the letters PDAL.
  PERFORM pg_advisory_xact_lock(1346650188, l.lock) FROM (
    SELECT hashtext(a.key_id || ' ' || a.alert) AS lock FROM unnest(p_key_ids, p_alerts) AS a (key_id, alert)
    WHERE a.alert IS NOT NULL GROUP BY lock ORDER BY min(a.key_id) <> 0, lock) AS l;
END $$;

-- Adds events, all or none. Each array has one element for an event; `p_teller` is the number (from 1) of the event whose
-- deployment this one belongs to; `p_outcome_alerts` and `p_builds` say which deadlines an event ends. An event that is there already, by its origin, keeps the id that it has.
CREATE OR REPLACE FUNCTION add(
  p_origin text, p_origin_ids text[], p_ages_ms double precision[], p_keys text[], p_secrets bytea[], p_kinds text[],
  p_actions text[], p_alerts text[], p_checksums bigint[], p_summaries bytea[], p_bodies bytea[], p_results text[],
  p_attempts integer[], p_http_statuses integer[], p_causes text[], p_reasons text[], p_identities text[],
  p_records jsonb[], p_tellers integer[], p_outcome_alerts text[], p_builds text[]
) RETURNS TABLE (id bigint, key_id bigint, is_due boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' SET jit = off
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  v_key_ids bigint[];
  v_known_ids bigint[];
  v_ids bigint[];
  v_inserted bigint;
  v_due_ids bigint[];
BEGIN
  PERFORM pg_advisory_xact_lock_shared(1346650188, 0); -- as in `keep_keys`, which is called only for a new key
  v_key_ids := key_ids(p_keys);
  IF array_position(v_key_ids, NULL) IS NOT NULL THEN
    PERFORM keep_keys(p_keys, p_secrets);
    v_key_ids := key_ids(p_keys);
  END IF;
  -- 0 is no key: the lock of a deadline.
  PERFORM lock_alerts(v_key_ids || array_fill(0::bigint, ARRAY[cardinality(v_key_ids)]), p_alerts || p_outcome_alerts);

  v_known_ids := known_ids(p_origin, p_origin_ids);
  v_ids := ARRAY(
    SELECT CASE WHEN i.known_id IS NULL THEN nextval('turn') END
    FROM (SELECT * FROM unnest(v_known_ids) WITH ORDINALITY AS n (known_id, number) ORDER BY n.number) AS i);

  -- `(SELECT … LIMIT 1) IS NULL` and not `NOT EXISTS`, for which the planner may read whole tables at once.
  WITH input AS MATERIALIZED (
    SELECT * FROM unnest(
      v_ids, v_key_ids, p_kinds, p_actions, p_alerts, p_origin_ids, p_ages_ms, p_checksums, p_summaries, p_bodies
    ) AS i (id, key_id, kind, action, alert, origin_id, age_ms, checksum, summary, body)
    WHERE i.id IS NOT NULL
  ), inserted AS (
    INSERT INTO pending (id, turn, key_id, kind, action, alert, origin, origin_id, accepted_at, due_at, checksum, summary, body)
    SELECT i.id, i.id, i.key_id, i.kind, i.action, i.alert, p_origin, i.origin_id,
      clock_timestamp() - i.age_ms * interval '1 ms',
      CASE WHEN i.alert IS NULL
        OR (i.id = min(i.id) OVER (PARTITION BY i.key_id, i.alert)
          AND (SELECT true FROM pending AS e WHERE e.key_id = i.key_id AND e.alert = i.alert LIMIT 1) IS NULL)
        THEN timestamptz '-infinity' END,
      i.checksum, i.summary, i.body
    FROM input AS i ORDER BY i.id
    ON CONFLICT (origin, origin_id) DO NOTHING
    RETURNING pending.id, pending.due_at
  )
  SELECT count(*), array_agg(n.id) FILTER (WHERE n.due_at IS NOT NULL) FROM inserted AS n INTO v_inserted, v_due_ids;

  -- What was not inserted has been there before, or another transaction has inserted it since.
  IF v_inserted < num_nonnulls(VARIADIC v_ids) THEN
    v_known_ids := known_ids(p_origin, p_origin_ids);
  END IF;
  IF num_nonnulls(VARIADIC p_results) > 0 THEN
    PERFORM settle_alone(p_origin, v_ids, v_known_ids, p_results, p_attempts, p_http_statuses, p_causes, p_reasons);
    PERFORM next_of_alerts(v_key_ids, p_alerts);
  END IF;

  IF num_nonnulls(VARIADIC p_identities) > 0 THEN
    -- A deployment is told once, with the first event of its request that is new.
    INSERT INTO told (id, identity, event_ids, record)
    SELECT v_ids[t.number], t.identity,
      ARRAY(SELECT v_ids[m.number] FROM unnest(p_tellers) WITH ORDINALITY AS m (teller, number)
        WHERE m.teller = t.number AND v_ids[m.number] IS NOT NULL ORDER BY v_ids[m.number]), t.record
    FROM unnest(p_identities, p_records) WITH ORDINALITY AS t (identity, record, number)
    WHERE t.identity IS NOT NULL AND v_ids[t.number] IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  IF num_nonnulls(VARIADIC p_outcome_alerts) > 0 THEN
    DELETE FROM deadline AS d USING unnest(p_outcome_alerts, p_builds) AS o (alert, build)
    WHERE d.alert = o.alert AND (d.build = o.build OR d.build = '' OR o.build = '');
  END IF;

  RETURN QUERY
  SELECT coalesce(i.known_id, i.id), i.key_id, i.result IS NULL AND coalesce(i.id = ANY (v_due_ids), false)
  FROM unnest(v_ids, v_key_ids, v_known_ids, p_results) WITH ORDINALITY AS i (id, key_id, known_id, result, number)
  ORDER BY i.number;
END $$;

-- The ids of keys in the order of their names; null for one that is not there.
CREATE OR REPLACE FUNCTION key_ids(p_names text[]) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN ARRAY(
    SELECT (SELECT key.id FROM key WHERE key.name = i.name)
    FROM unnest(p_names) WITH ORDINALITY AS i (name, number) ORDER BY i.number);
END $$;

-- The ids of events in the order of what their origin calls them; null for one that is not there.
CREATE OR REPLACE FUNCTION known_ids(p_origin text, p_origin_ids text[]) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN ARRAY(
    SELECT coalesce(
      (SELECT e.id FROM pending AS e WHERE e.origin = p_origin AND e.origin_id = i.origin_id),
      (SELECT e.id FROM delivered AS e WHERE e.origin = p_origin AND e.origin_id = i.origin_id),
      (SELECT e.id FROM dead AS e WHERE e.origin = p_origin AND e.origin_id = i.origin_id),
      (SELECT e.id FROM discarded AS e WHERE e.origin = p_origin AND e.origin_id = i.origin_id))
    FROM unnest(p_origin_ids) WITH ORDINALITY AS i (origin_id, number) ORDER BY i.number);
END $$;

-- Settles events that a relay has delivered or given up alone, while it could not reach the server. `p_ids` were inserted in this
-- transaction, so nobody else has seen them. Those that have a known id were added before, though the relay did not learn that:
-- their key's owner may be attempting them, so it is only noted that they were delivered. What is not free is about to get a
-- result anyway.
CREATE OR REPLACE FUNCTION settle_alone(
  p_origin text, p_ids bigint[], p_known_ids bigint[], p_results text[], p_attempts integer[], p_http_statuses integer[],
  p_causes text[], p_reasons text[]
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  WITH input AS MATERIALIZED (
    SELECT * FROM unnest(p_ids, p_known_ids, p_results, p_attempts, p_http_statuses, p_causes, p_reasons)
      AS i (id, known_id, result, attempts, http_status, cause, reason)
    WHERE i.known_id IS NULL AND i.result IS NOT NULL
  ), removed AS (
    DELETE FROM pending AS e USING input AS i WHERE e.id = i.id
    RETURNING e.id, e.key_id, e.kind, e.action, e.alert, e.origin, e.origin_id, e.accepted_at, e.checksum, e.summary, e.body,
      i.result, i.attempts, i.http_status, i.cause, i.reason
  ), delivered_ones AS (
    INSERT INTO delivered (id, key_id, kind, action, alert, origin, origin_id, accepted_at, attempts, http_status, settled_at,
      settled_by, summary)
    SELECT id, key_id, kind, action, alert, origin, origin_id, accepted_at, attempts, http_status, clock_timestamp(),
      p_origin, summary
    FROM removed WHERE result = 'delivered'
  ), superseded AS (
    UPDATE dead SET is_superseded = true FROM removed AS r
    WHERE r.result = 'delivered' AND r.action IN ('trigger', 'resolve') AND dead.key_id = r.key_id AND dead.alert = r.alert
      AND dead.id < r.id AND NOT dead.is_superseded
  )
  INSERT INTO dead (id, key_id, kind, action, alert, origin, origin_id, accepted_at, attempts, http_status, cause, reason,
    settled_at, settled_by, checksum, summary, body)
  SELECT id, key_id, kind, action, alert, origin, origin_id, accepted_at, attempts, http_status, cause, reason,
    clock_timestamp(), p_origin, checksum, summary, body
  FROM removed WHERE result = 'dead';

  UPDATE pending AS e SET delivered_by = p_origin, http_status = free.http_status FROM (
    SELECT locked.id, i.http_status FROM pending AS locked
    JOIN unnest(p_known_ids, p_results, p_http_statuses) AS i (known_id, result, http_status) ON locked.id = i.known_id
    WHERE i.result = 'delivered' AND locked.delivered_by IS NULL FOR NO KEY UPDATE OF locked SKIP LOCKED) AS free
  WHERE e.id = free.id;
END $$;
