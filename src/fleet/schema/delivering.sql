-- Prolongs the leases of a relay. What is missing from the answer belongs to another one by now.
CREATE OR REPLACE FUNCTION renew(p_relay text, p_version text, p_lease_ms double precision)
RETURNS TABLE (key_id bigint, epoch bigint, key_name text, key_secret bytea, relays bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
#variable_conflict use_column
DECLARE
  v_relays bigint;
BEGIN
  INSERT INTO relay (name, version, seen_at) VALUES (p_relay, p_version, clock_timestamp())
  ON CONFLICT (name) DO UPDATE SET version = excluded.version, seen_at = excluded.seen_at;
  SELECT count(*) INTO v_relays FROM relay
  WHERE seen_at > clock_timestamp() - 1.5 * p_lease_ms * interval '1 ms';
  RETURN QUERY
  WITH renewed AS (
    UPDATE key SET lease_until = clock_timestamp() + p_lease_ms * interval '1 ms' WHERE owner = p_relay
    RETURNING key.id, key.epoch, key.name, key.secret
  )
  SELECT NULL::bigint, NULL::bigint, NULL, NULL::bytea, v_relays UNION ALL SELECT r.*, v_relays FROM renewed AS r;
END $$;

-- Gives keys back; all of the relay's if `p_key_ids` is null.
CREATE OR REPLACE FUNCTION release(p_relay text, p_key_ids bigint[]) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
  UPDATE key SET owner = NULL, lease_until = '-infinity'
  WHERE owner = p_relay AND (p_key_ids IS NULL OR id = ANY (p_key_ids));
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
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
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
LANGUAGE plpgsql SET search_path = pagerduty_alert, pg_catalog, pg_temp AS $$
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
LANGUAGE sql SET search_path = pagerduty_alert, pg_catalog, pg_temp AS $$
  SELECT key.id FROM key JOIN unnest(p_key_ids, p_epochs) AS i (key_id, epoch) ON key.id = i.key_id AND key.epoch = i.epoch
  WHERE key.owner = p_relay AND key.lease_until > clock_timestamp() + interval '1 s'
  ORDER BY key.id FOR NO KEY UPDATE OF key;
$$;

-- Takes due events of keys that the relay owns, and writes a permit for each. Answers with a row for each key, and then with a
-- row for each event.
CREATE OR REPLACE FUNCTION take(
  p_relay text, p_key_ids bigint[], p_epochs bigint[], p_mosts integer[], p_room integer, p_busy bigint[],
  p_permits integer, p_window_ms double precision
) RETURNS TABLE (
  key_id bigint, is_lost boolean, permits integer, is_more boolean, permit_in_ms double precision, due_in_ms double precision,
  id bigint, epoch bigint, key_name text, kind text, alert text, attempts integer, accepted_at_ms double precision,
  checksum bigint, body bytea, now_ms double precision
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' SET jit = off
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  v_owned bigint[] := ARRAY(SELECT lock_owned(p_relay, p_key_ids, p_epochs));
  v_left integer[];
  v_firsts timestamptz[];
  v_ids bigint[];
  v_id_keys bigint[];
  v_held bigint[];
  v_now timestamptz;
BEGIN
  PERFORM finish_delivered(v_owned, p_busy);
  SELECT array_agg(l.count ORDER BY l.key_id), array_agg(l.first_at ORDER BY l.key_id) INTO v_left, v_firsts
  FROM permits_left(v_owned, p_permits, p_window_ms) AS l;
  v_now := clock_timestamp();

  SELECT array_agg(c.id ORDER BY c.rank, c.key_id), array_agg(c.key_id ORDER BY c.rank, c.key_id) INTO v_ids, v_id_keys
  FROM (
    SELECT due.id, k.key_id, due.rank
    FROM unnest(v_owned, v_left) AS k (key_id, permits_left)
    JOIN unnest(p_key_ids, p_mosts) AS i (key_id, most) ON i.key_id = k.key_id
    CROSS JOIN LATERAL due_events(k.key_id, least(i.most, k.permits_left, p_room), p_busy, v_now) AS due
    ORDER BY due.rank, k.key_id LIMIT p_room
  ) AS c;
  v_held := p_busy || v_ids;
  INSERT INTO permit (key_id, given_at, count)
  SELECT c.key_id, clock_timestamp(), count(*) FROM unnest(v_id_keys) AS c (key_id) GROUP BY c.key_id;

  RETURN QUERY
  SELECT i.key_id, o.key_id IS NULL, coalesce(t.count, 0)::integer,
    o.key_id IS NOT NULL AND coalesce(
      (SELECT true FROM pending AS e WHERE e.key_id = i.key_id AND e.kind = 'alert' AND e.due_at <= v_now
        AND e.id <> ALL (v_held) LIMIT 1),
      (SELECT true FROM pending AS e WHERE e.key_id = i.key_id AND e.kind = 'change' AND e.due_at <= v_now
        AND e.id <> ALL (v_held) LIMIT 1),
      false),
    permit_in(o.permits_left - coalesce(t.count, 0)::integer, o.first_at, p_window_ms),
    (SELECT ms_until(least(
      (SELECT min(e.due_at) FROM pending AS e WHERE e.key_id = i.key_id AND e.kind = 'alert' AND e.due_at > v_now),
      (SELECT min(e.due_at) FROM pending AS e WHERE e.key_id = i.key_id AND e.kind = 'change' AND e.due_at > v_now)))),
    NULL::bigint, i.epoch, NULL, NULL, NULL, NULL::integer, NULL::double precision, NULL::bigint, NULL::bytea, ms_of(v_now)
  FROM unnest(p_key_ids, p_epochs) AS i (key_id, epoch)
  LEFT JOIN unnest(v_owned, v_left, v_firsts) AS o (key_id, permits_left, first_at) ON o.key_id = i.key_id
  LEFT JOIN LATERAL (SELECT count(*) FROM unnest(v_id_keys) AS c (key_id) WHERE c.key_id = i.key_id) AS t ON true;

  RETURN QUERY
  SELECT e.key_id, false, 0, false, 0::double precision, 0::double precision, e.id, k.epoch, k.name, e.kind, e.alert,
    e.attempts, ms_of(e.accepted_at), e.checksum, e.body, ms_of(v_now)
  FROM unnest(v_ids) WITH ORDINALITY AS c (id, number) JOIN pending AS e ON e.id = c.id JOIN key AS k ON k.id = e.key_id
  ORDER BY c.number;
END $$;

-- Due events of a key: alerts before change events, and of each kind those never tried and those tried in turns.
CREATE OR REPLACE FUNCTION due_events(p_key_id bigint, p_most integer, p_busy bigint[], p_now timestamptz)
RETURNS TABLE (id bigint, rank bigint)
LANGUAGE plpgsql STABLE SET search_path = pagerduty_alert, pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  v_kind text;
  v_count bigint := 0;
  v_rows bigint;
BEGIN
  FOREACH v_kind IN ARRAY ARRAY['alert', 'change'] LOOP
    EXIT WHEN v_count >= p_most;
    RETURN QUERY
    SELECT d.id, v_count + row_number() OVER (ORDER BY d.place, d.is_tried)
    FROM (
      SELECT f.id, false AS is_tried, row_number() OVER (ORDER BY f.turn) AS place FROM (
        SELECT e.id, e.turn FROM pending AS e
        WHERE e.key_id = p_key_id AND e.kind = v_kind AND e.due_at = '-infinity' AND e.delivered_by IS NULL AND e.id <> ALL (p_busy)
        ORDER BY e.turn LIMIT p_most - v_count) AS f
      UNION ALL
      SELECT f.id, true, row_number() OVER (ORDER BY f.due_at, f.turn) FROM (
        SELECT e.id, e.due_at, e.turn FROM pending AS e
        WHERE e.key_id = p_key_id AND e.kind = v_kind AND e.due_at > '-infinity' AND e.due_at <= p_now AND e.delivered_by IS NULL
          AND e.id <> ALL (p_busy)
        ORDER BY e.due_at, e.turn LIMIT p_most - v_count) AS f
    ) AS d
    ORDER BY d.place, d.is_tried LIMIT p_most - v_count;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    v_count := v_count + v_rows;
  END LOOP;
END $$;

-- Permits for events that the relay holds already.
CREATE OR REPLACE FUNCTION permit(
  p_relay text, p_key_ids bigint[], p_epochs bigint[], p_mosts integer[], p_permits integer, p_window_ms double precision
) RETURNS TABLE (key_id bigint, is_lost boolean, permits integer, permit_in_ms double precision)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' SET jit = off
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  v_owned bigint[] := ARRAY(SELECT lock_owned(p_relay, p_key_ids, p_epochs));
BEGIN
  RETURN QUERY
  WITH left_over AS MATERIALIZED (
    SELECT l.*, least(i.most, l.count) AS given
    FROM permits_left(v_owned, p_permits, p_window_ms) AS l
    JOIN unnest(p_key_ids, p_mosts) AS i (key_id, most) ON i.key_id = l.key_id
  ), written AS (
    INSERT INTO permit (key_id, given_at, count)
    SELECT l.key_id, clock_timestamp(), l.given FROM left_over AS l WHERE l.given > 0
  )
  SELECT i.key_id, l.key_id IS NULL, coalesce(l.given, 0), permit_in(l.count - l.given, l.first_at, p_window_ms)
  FROM unnest(p_key_ids) AS i (key_id) LEFT JOIN left_over AS l ON l.key_id = i.key_id;
END $$;

CREATE OR REPLACE FUNCTION ms_of(p_time timestamptz) RETURNS double precision
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN isfinite(p_time) THEN extract(epoch FROM p_time)::double precision * 1000 END;
$$;

CREATE OR REPLACE FUNCTION ms_until(p_time timestamptz) RETURNS double precision
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  SELECT extract(epoch FROM p_time - clock_timestamp())::double precision * 1000 WHERE isfinite(p_time);
$$;

-- When the next permit can be had: at once if any are left, or when the first of those given is over.
CREATE OR REPLACE FUNCTION permit_in(p_left integer, p_first_at timestamptz, p_window_ms double precision)
RETURNS double precision
LANGUAGE sql VOLATILE SET search_path = pagerduty_alert, pg_catalog, pg_temp AS $$
  SELECT CASE WHEN p_left > 0 THEN 0
    ELSE greatest(0, p_window_ms + coalesce(ms_until(p_first_at), 0)) END;
$$;
