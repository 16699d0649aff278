-- Prolongs leases of a relay: those that it names, since nobody delivers for those that it does not know of. It may have been
-- killed and started again, or the answer to a claim was lost. What is missing from the answer belongs to another one by now.
CREATE OR REPLACE FUNCTION renew(
  p_relay text, p_version text, p_lease_ms double precision, p_key_ids bigint[], p_epochs bigint[]
) RETURNS TABLE (key_id bigint, epoch bigint, key_name text, key_secret bytea, relays bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' SET jit = off
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  v_relays bigint;
BEGIN
  INSERT INTO relay (name, version, seen_at) VALUES (p_relay, p_version, clock_timestamp())
  ON CONFLICT (name) DO UPDATE SET version = excluded.version, seen_at = excluded.seen_at;
  SELECT count(*) INTO v_relays FROM relay
  WHERE seen_at > clock_timestamp() - p_lease_ms * interval '1 ms'; -- a dead one has no share once its leases are over
  RETURN QUERY
  WITH renewed AS (
    UPDATE key SET lease_until = clock_timestamp() + p_lease_ms * interval '1 ms'
    FROM (SELECT * FROM unnest(p_key_ids, p_epochs) AS n (key_id, epoch) ORDER BY n.key_id) AS i
    -- IS NOT DISTINCT FROM: see lock_owned.
    WHERE key.id = i.key_id AND key.epoch = i.epoch AND key.owner IS NOT DISTINCT FROM p_relay
    RETURNING key.id, key.epoch, key.name, key.secret
  )
  SELECT NULL::bigint, NULL::bigint, NULL, NULL::bytea, v_relays UNION ALL SELECT r.*, v_relays FROM renewed AS r;
END $$;

-- Gives leases back; all of that name if `p_key_ids` is null.
CREATE OR REPLACE FUNCTION release(p_relay text, p_key_ids bigint[], p_epochs bigint[]) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
  SELECT FROM (SELECT FROM key WHERE owner = p_relay ORDER BY id FOR NO KEY UPDATE) AS locked;
  UPDATE key SET owner = NULL, lease_until = '-infinity'
  WHERE owner = p_relay
    AND (p_key_ids IS NULL OR (id = ANY (p_key_ids) AND epoch = p_epochs[array_position(p_key_ids, id)]));
$$;

-- The keys of pending events, at most 10,000: one look into the index for each key, not one for each event.
CREATE OR REPLACE FUNCTION active_keys() RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pagerduty_alert, pg_catalog, pg_temp AS $$
  WITH RECURSIVE active AS (
    (SELECT key_id FROM pending WHERE due_at IS NOT NULL ORDER BY key_id LIMIT 1)
    UNION ALL
    SELECT (
      SELECT e.key_id FROM pending AS e WHERE e.due_at IS NOT NULL AND e.key_id > active.key_id ORDER BY e.key_id LIMIT 1)
    FROM active WHERE active.key_id IS NOT NULL
  )
  SELECT key_id FROM active WHERE key_id IS NOT NULL LIMIT 10000;
$$;

-- Claims keys that have something due and that nobody owns, among those that the relay can resolve.
CREATE OR REPLACE FUNCTION claim(p_relay text, p_most integer, p_lease_ms double precision, p_names text[])
RETURNS TABLE (key_id bigint, epoch bigint, key_name text, key_secret bytea, active_keys integer)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' SET jit = off
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  v_active bigint[] := ARRAY(SELECT active_keys());
  v_chosen bigint[];
  v_now timestamptz := clock_timestamp();
BEGIN
  -- Whoever settles for a key shares its row lock until that is committed, so a key is skipped until then.
  v_chosen := ARRAY(
    SELECT key.id FROM key
    WHERE key.id = ANY (v_active) AND key.lease_until < v_now
      AND (key.secret IS NOT NULL OR key.name = ANY (p_names))
      AND coalesce(
        (SELECT true FROM pending AS e WHERE e.key_id = key.id AND e.kind = 'alert' AND e.due_at <= v_now LIMIT 1),
        (SELECT true FROM pending AS e WHERE e.key_id = key.id AND e.kind = 'change' AND e.due_at <= v_now LIMIT 1))
    LIMIT p_most FOR UPDATE OF key SKIP LOCKED);
  RETURN QUERY SELECT NULL::bigint, NULL::bigint, NULL, NULL::bytea, cardinality(v_active);
  RETURN QUERY
  UPDATE key
  SET owner = p_relay, epoch = key.epoch + 1, lease_until = clock_timestamp() + p_lease_ms * interval '1 ms'
  WHERE key.id = ANY (v_chosen) RETURNING key.id, key.epoch, key.name, key.secret, cardinality(v_active);
END $$;

-- Permits that keys have left. The caller holds the locks of their rows.
CREATE OR REPLACE FUNCTION permits_left(p_key_ids bigint[], p_permits integer, p_window_ms double precision)
RETURNS TABLE (key_id bigint, count integer, first_at timestamptz)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_from timestamptz := clock_timestamp() - p_window_ms * interval '1 ms';
BEGIN
  DELETE FROM permit WHERE permit.key_id = ANY (p_key_ids) AND permit.given_at <= v_from;
  RETURN QUERY
  SELECT k.id, greatest(0, p_permits - coalesce(sum(permit.count), 0))::integer, min(permit.given_at)
  FROM unnest(p_key_ids) AS k (id) LEFT JOIN permit ON permit.key_id = k.id AND permit.given_at > v_from
  GROUP BY k.id;
END $$;

-- Locks the keys among these that the relay owns for another second at least.
CREATE OR REPLACE FUNCTION lock_owned(p_relay text, p_key_ids bigint[], p_epochs bigint[]) RETURNS SETOF bigint
LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY SELECT k.id
  FROM (SELECT * FROM unnest(p_key_ids, p_epochs) AS n (key_id, epoch) ORDER BY n.key_id) AS i
  CROSS JOIN LATERAL (
    -- IS NOT DISTINCT FROM keeps the planner from looking through all keys of the relay for each of these.
    SELECT key.id FROM key
    WHERE key.id = i.key_id AND key.epoch = i.epoch AND key.owner IS NOT DISTINCT FROM p_relay
      AND key.lease_until > clock_timestamp() + interval '1 s'
    FOR NO KEY UPDATE) AS k;
END $$;

-- Takes due events of keys that the relay owns, and writes a permit for each. Answers with a row for each key, and then with a
-- row for each event: of each key alerts before change events, and of each kind those never tried and those tried in turns.
-- `p_wants` has four numbers for each key: most alerts never tried and tried, and most change events never tried and tried.
CREATE OR REPLACE FUNCTION take(
  p_relay text, p_key_ids bigint[], p_epochs bigint[], p_mosts integer[], p_wants integer[], p_room integer, p_busy bigint[],
  p_permits integer, p_window_ms double precision
) RETURNS TABLE (
  key_id bigint, is_lost boolean, permits integer, is_more boolean, permit_in_ms double precision, due_in_ms double precision,
  id bigint, epoch bigint, key_name text, kind text, alert text, attempts integer, accepted_at_ms double precision,
  checksum bigint, body bytea, now_ms double precision
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' SET jit = off
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  v_owned bigint[] := ARRAY(SELECT lock_owned(p_relay, p_key_ids, p_epochs));
  v_left integer[];
  v_firsts timestamptz[];
  v_ids bigint[]; -- those that are taken, and then one more of each key, if there is one
  v_id_keys bigint[];
  v_is_taken boolean[];
  v_now timestamptz;
BEGIN
  PERFORM finish_delivered(v_owned, p_busy);
  SELECT array_agg(l.count ORDER BY l.key_id), array_agg(l.first_at ORDER BY l.key_id) INTO v_left, v_firsts
  FROM permits_left(v_owned, p_permits, p_window_ms) AS l;
  v_now := clock_timestamp();

  WITH wanted AS MATERIALIZED (
    SELECT o.key_id, least(p_mosts[array_position(p_key_ids, o.key_id)], o.permits_left, p_room) AS most
    FROM unnest(v_owned, v_left) AS o (key_id, permits_left)
  ), due AS (
    SELECT w.key_id, w.most, c.*,
      row_number() OVER (PARTITION BY w.key_id, c.kind, c.is_tried ORDER BY c.due_at, c.turn) AS place
    FROM wanted AS w CROSS JOIN LATERAL (
      (SELECT e.id, e.kind, false AS is_tried, e.due_at, e.turn FROM pending AS e
        WHERE e.key_id = w.key_id AND e.kind = 'alert' AND e.due_at = '-infinity' AND e.delivered_by IS NULL
          AND e.id <> ALL (p_busy) ORDER BY e.due_at, e.turn LIMIT w.most + 1)
      UNION ALL
      (SELECT e.id, e.kind, true, e.due_at, e.turn FROM pending AS e
        WHERE e.key_id = w.key_id AND e.kind = 'alert' AND e.due_at > '-infinity' AND e.due_at <= v_now
          AND e.delivered_by IS NULL AND e.id <> ALL (p_busy) ORDER BY e.due_at, e.turn LIMIT w.most + 1)
      UNION ALL
      (SELECT e.id, e.kind, false, e.due_at, e.turn FROM pending AS e
        WHERE e.key_id = w.key_id AND e.kind = 'change' AND e.due_at = '-infinity' AND e.delivered_by IS NULL
          AND e.id <> ALL (p_busy) ORDER BY e.due_at, e.turn LIMIT w.most + 1)
      UNION ALL
      (SELECT e.id, e.kind, true, e.due_at, e.turn FROM pending AS e
        WHERE e.key_id = w.key_id AND e.kind = 'change' AND e.due_at > '-infinity' AND e.due_at <= v_now
          AND e.delivered_by IS NULL AND e.id <> ALL (p_busy) ORDER BY e.due_at, e.turn LIMIT w.most + 1)
    ) AS c
  ), in_key AS (
    SELECT a.*, row_number() OVER (PARTITION BY a.key_id ORDER BY NOT a.is_allowed, a.kind, a.place, a.is_tried) AS rank
    FROM (
      SELECT d.*, d.place <= p_wants[4 * array_position(p_key_ids, d.key_id) - 3 + d.is_tried::integer
        + CASE d.kind WHEN 'change' THEN 2 ELSE 0 END] AS is_allowed
      FROM due AS d) AS a
  ), ranked AS (
    SELECT w.id, w.key_id, w.is_wanted, row_number() OVER (ORDER BY NOT w.is_wanted, w.rank, w.key_id) AS number
    FROM (
      SELECT r.*, r.is_allowed AND r.rank <= r.most AS is_wanted FROM in_key AS r WHERE r.rank <= r.most + 1) AS w
  )
  SELECT array_agg(r.id ORDER BY r.number), array_agg(r.key_id ORDER BY r.number),
    array_agg(r.is_wanted AND r.number <= p_room ORDER BY r.number)
  INTO v_ids, v_id_keys, v_is_taken FROM ranked AS r;

  INSERT INTO permit (key_id, given_at, count)
  SELECT c.key_id, clock_timestamp(), count(*) FROM unnest(v_id_keys, v_is_taken) AS c (key_id, is_taken)
  WHERE c.is_taken GROUP BY c.key_id;

  RETURN QUERY
  WITH taken AS MATERIALIZED (
    SELECT array_agg(t.key_id) AS key_ids, array_agg(t.taken) AS counts, array_agg(t.is_more) AS is_more FROM (
      SELECT c.key_id, count(*) FILTER (WHERE c.is_taken)::integer AS taken, bool_or(NOT c.is_taken) AS is_more
      FROM unnest(v_id_keys, v_is_taken) AS c (key_id, is_taken) GROUP BY c.key_id) AS t
  ), of_key AS MATERIALIZED (
    SELECT i.*, v_owned[p.owned] AS owned_id, v_left[p.owned] AS permits_left, v_firsts[p.owned] AS first_at,
      coalesce(taken.counts[p.taken], 0) AS taken, coalesce(taken.is_more[p.taken], false) AS is_more,
      least(
        (SELECT e.due_at FROM pending AS e WHERE e.key_id = i.key_id AND e.kind = 'alert' AND e.due_at > v_now
          ORDER BY e.due_at LIMIT 1),
        (SELECT e.due_at FROM pending AS e WHERE e.key_id = i.key_id AND e.kind = 'change' AND e.due_at > v_now
          ORDER BY e.due_at LIMIT 1)) AS next_due_at
    FROM unnest(p_key_ids, p_epochs) AS i (key_id, epoch) CROSS JOIN taken CROSS JOIN LATERAL (
      SELECT array_position(v_owned, i.key_id) AS owned, array_position(taken.key_ids, i.key_id) AS taken) AS p
  )
  SELECT k.key_id, k.owned_id IS NULL, k.taken, k.is_more,
    permit_in(k.permits_left - k.taken, k.first_at, p_window_ms),
    ms_until(k.next_due_at),
    NULL::bigint, k.epoch, NULL, NULL, NULL, NULL::integer, NULL::double precision, NULL::bigint, NULL::bytea, ms_of(v_now)
  FROM of_key AS k;

  RETURN QUERY
  SELECT e.key_id, false, 0, false, 0::double precision, 0::double precision, e.id,
    p_epochs[array_position(p_key_ids, e.key_id)], (SELECT key.name FROM key WHERE key.id = e.key_id), e.kind, e.alert,
    e.attempts, ms_of(e.accepted_at), e.checksum, e.body, ms_of(v_now)
  FROM unnest(v_ids, v_is_taken) WITH ORDINALITY AS c (id, is_taken, number) JOIN pending AS e ON e.id = c.id
  WHERE c.is_taken ORDER BY c.number;
END $$;

-- Permits for events that the relay holds already.
CREATE OR REPLACE FUNCTION permit(
  p_relay text, p_key_ids bigint[], p_epochs bigint[], p_mosts integer[], p_permits integer, p_window_ms double precision
) RETURNS TABLE (key_id bigint, is_lost boolean, permits integer, permit_in_ms double precision)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' SET jit = off
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  v_owned bigint[] := ARRAY(SELECT lock_owned(p_relay, p_key_ids, p_epochs));
BEGIN
  RETURN QUERY
  WITH left_over AS MATERIALIZED (
    SELECT l.*, least(p_mosts[array_position(p_key_ids, l.key_id)], l.count) AS given
    FROM permits_left(v_owned, p_permits, p_window_ms) AS l
  ), written AS (
    INSERT INTO permit (key_id, given_at, count)
    SELECT l.key_id, clock_timestamp(), l.given FROM left_over AS l WHERE l.given > 0
  )
  SELECT i.key_id, l.key_id IS NULL, coalesce(l.given, 0), permit_in(l.count - l.given, l.first_at, p_window_ms)
  FROM unnest(p_key_ids) AS i (key_id) LEFT JOIN left_over AS l ON l.key_id = i.key_id;
END $$;

-- Small ones, which the planner puts in place of their calls: that is why they set no search_path of their own.

CREATE OR REPLACE FUNCTION ms_of(p_time timestamptz) RETURNS double precision LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN isfinite(p_time) THEN extract(epoch FROM p_time)::double precision * 1000 END;
$$;

CREATE OR REPLACE FUNCTION ms_until(p_time timestamptz) RETURNS double precision LANGUAGE sql VOLATILE AS $$
  SELECT CASE WHEN isfinite(p_time) THEN extract(epoch FROM p_time - clock_timestamp())::double precision * 1000 END;
$$;

-- When the next permit can be had: at once if any are left, or when the first of those given is over.
CREATE OR REPLACE FUNCTION permit_in(p_left integer, p_first_at timestamptz, p_window_ms double precision)
RETURNS double precision LANGUAGE sql VOLATILE AS $$
  SELECT CASE WHEN p_left > 0 THEN 0 ELSE greatest(0, p_window_ms + coalesce(ms_until(p_first_at), 0)) END;
$$;
