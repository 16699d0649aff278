-- What people ask and do. The lists of all statuses have the same columns.

-- The small letters of a text, as a spool compares them: of every alphabet, whatever the database's locale is. A server without ICU
-- may have another locale that knows them.
DO $do$
DECLARE
  v_wanted text[] := ARRAY['und-x-icu', 'pg_c_utf8', 'C.utf8', 'C.UTF-8'];
  v_collation text := (
    SELECT format('%I.%I', collnamespace::regnamespace::text, collname) FROM pg_collation
    WHERE collname = ANY (v_wanted) AND getdatabaseencoding() = 'UTF8'
      AND collencoding IN (-1, pg_char_to_encoding(getdatabaseencoding()))
    ORDER BY array_position(v_wanted, collname::text) LIMIT 1);
BEGIN
  EXECUTE format(
    'CREATE OR REPLACE FUNCTION lower_case(p_text text) RETURNS text LANGUAGE sql IMMUTABLE AS %L',
    format('SELECT lower(p_text COLLATE %s);', coalesce(v_collation, 'pg_catalog."default"')));
END $do$;

CREATE OR REPLACE FUNCTION counts() RETURNS TABLE (pending bigint, delivered bigint, dead bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pagerduty_alert, pg_catalog, pg_temp AS $$
  SELECT (SELECT count(*) FROM (SELECT FROM pending LIMIT 100001) AS e),
    (SELECT count(*) FROM (SELECT FROM delivered LIMIT 100001) AS e),
    (SELECT count(*) FROM (SELECT FROM dead LIMIT 100001) AS e);
$$;

-- Pending events that a relay has accepted, or all if it is null.
CREATE OR REPLACE FUNCTION pending_of(p_origin text) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
  IF p_origin IS NULL THEN RETURN (SELECT count(*) FROM (SELECT FROM pending LIMIT 100001) AS e); END IF;
  RETURN (SELECT count(*) FROM (SELECT FROM pending WHERE origin = p_origin LIMIT 100001) AS e);
END $$;

-- Pending events of all relays, counted up to so many.
CREATE OR REPLACE FUNCTION count_pending(p_most bigint) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off AS $$
  SELECT count(*) FROM (SELECT FROM pending LIMIT p_most) AS e;
$$;

-- Whether each of these alerts has a pending event.
CREATE OR REPLACE FUNCTION are_alerts_pending(p_keys text[], p_alerts text[]) RETURNS boolean[]
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
  RETURN ARRAY(
    SELECT coalesce((SELECT true FROM pending AS e WHERE e.key_id = (SELECT key.id FROM key WHERE key.name = a.name)
      AND e.alert = a.alert LIMIT 1), false)
    FROM unnest(p_keys, p_alerts) WITH ORDINALITY AS a (name, alert, number) ORDER BY a.number);
END $$;

-- The ids of a relay's events, by those that they had in its spool; 0 for one that was never added.
CREATE OR REPLACE FUNCTION ids_of(p_origin text, p_origin_ids text[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
  RETURN ARRAY(
    SELECT coalesce(k.id, 0) FROM unnest(known_ids(p_origin, p_origin_ids)) WITH ORDINALITY AS k (id, number)
    ORDER BY k.number);
END $$;

CREATE OR REPLACE FUNCTION oldest_pending_age_ms() RETURNS double precision
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off AS $$
  SELECT greatest(0, -ms_until((SELECT accepted_at FROM pending ORDER BY id LIMIT 1)));
$$;

-- An event of any status, as a list shows it.
CREATE OR REPLACE VIEW listed AS
  SELECT id, 'pending' AS status, key_id, kind, action, alert, origin, accepted_at, attempts, http_status, reason,
    due_at, NULL::timestamptz AS settled_at, NULL::text AS note, attempt_log, summary, checksum, body FROM pending
  UNION ALL
  SELECT id, 'dead', key_id, kind, action, alert, origin, accepted_at, attempts, http_status, reason,
    NULL, settled_at, NULL, attempt_log, summary, checksum, body FROM dead
  UNION ALL
  SELECT id, 'delivered', key_id, kind, action, alert, origin, accepted_at, attempts, http_status, NULL,
    NULL, settled_at, NULL, attempt_log, summary, NULL, NULL FROM delivered
  UNION ALL
  SELECT id, 'discarded', key_id, kind, action, alert, origin, accepted_at, attempts, http_status, reason,
    NULL, settled_at, note, attempt_log, summary, NULL, NULL FROM discarded;

-- Whether an event's last answer is of a class.
CREATE OR REPLACE FUNCTION has_answer(p_answer text, p_http_status integer, p_attempts integer) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE p_answer WHEN 'none' THEN p_http_status IS NULL AND p_attempts > 0 WHEN '429' THEN p_http_status = 429
    WHEN '4xx' THEN p_http_status BETWEEN 400 AND 499 WHEN '5xx' THEN p_http_status BETWEEN 500 AND 599 ELSE true END;
$$;

-- Events of one status that match: the newest first, or if `p_after_id` is given the oldest after it first.
CREATE OR REPLACE FUNCTION find(
  p_status text, p_before_id bigint, p_after_id bigint, p_kind text, p_key_ids bigint[], p_alert_part text, p_answer text,
  p_origin text, p_limit integer
) RETURNS TABLE (
  id bigint, status text, key_id bigint, key_name text, key_secret bytea, owner text, kind text, action text, alert text,
  origin text, accepted_at_ms double precision, attempts integer, http_status integer, reason text,
  due_at_ms double precision, settled_at_ms double precision, note text, summary bytea
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pagerduty_alert, pg_catalog, pg_temp SET jit = off
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  v_condition text := ' true';
BEGIN
  IF p_before_id IS NOT NULL THEN v_condition := v_condition || ' AND e.id < $1'; END IF;
  IF p_after_id IS NOT NULL THEN v_condition := v_condition || ' AND e.id > $2'; END IF;
  IF p_kind IS NOT NULL THEN v_condition := v_condition || ' AND e.kind = $3'; END IF;
  IF p_key_ids IS NOT NULL THEN v_condition := v_condition || ' AND e.key_id = ANY ($4)'; END IF;
  IF octet_length(p_alert_part) = length(p_alert_part) THEN -- faster, and only ASCII
    v_condition := v_condition || ' AND strpos(lower(e.alert COLLATE "C"), lower($5 COLLATE "C")) > 0';
  ELSIF p_alert_part IS NOT NULL THEN
    v_condition := v_condition || ' AND strpos(lower_case(e.alert), lower_case($5)) > 0';
  END IF;
  IF p_answer IS NOT NULL THEN v_condition := v_condition || ' AND has_answer($6, e.http_status, e.attempts)'; END IF;
  IF p_origin IS NOT NULL THEN v_condition := v_condition || ' AND e.origin = $7'; END IF;
  RETURN QUERY EXECUTE format(
    'SELECT e.id, e.status, e.key_id, k.name, k.secret, CASE WHEN k.lease_until > clock_timestamp() THEN k.owner END, e.kind,
       e.action, e.alert, e.origin, ms_of(e.accepted_at), e.attempts, e.http_status, e.reason, ms_of(e.due_at),
       ms_of(e.settled_at), e.note, e.summary
     FROM (SELECT * FROM listed AS e WHERE e.status = %L AND %s ORDER BY e.id %s LIMIT $8) AS e
     LEFT JOIN key AS k ON k.id = e.key_id ORDER BY e.id %s',
    p_status, v_condition, CASE WHEN p_after_id IS NULL THEN 'DESC' END, CASE WHEN p_after_id IS NULL THEN 'DESC' END)
  USING p_before_id, p_after_id, p_kind, p_key_ids, p_alert_part, p_answer, p_origin, p_limit;
END $$;

-- One event with everything that is kept of it.
CREATE OR REPLACE FUNCTION show(p_id bigint) RETURNS TABLE (
  id bigint, status text, key_id bigint, key_name text, key_secret bytea, owner text, kind text, action text, alert text,
  origin text, accepted_at_ms double precision, attempts integer, http_status integer, reason text,
  due_at_ms double precision, settled_at_ms double precision, note text, summary bytea, attempt_log jsonb, body bytea
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pagerduty_alert, pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off AS $$
  SELECT e.id, e.status, e.key_id, k.name, k.secret, CASE WHEN k.lease_until > clock_timestamp() THEN k.owner END, e.kind,
    e.action, e.alert, e.origin, ms_of(e.accepted_at), e.attempts, e.http_status, e.reason, ms_of(e.due_at),
    ms_of(e.settled_at), e.note, e.summary, e.attempt_log, e.body
  FROM listed AS e LEFT JOIN key AS k ON k.id = e.key_id WHERE e.id = p_id;
$$;

CREATE OR REPLACE FUNCTION progress(p_ids bigint[])
RETURNS TABLE (id bigint, status text, attempts integer, http_status integer, reason text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
  SELECT e.id, e.status, e.attempts, e.http_status, e.reason FROM unnest(p_ids) AS i (id) CROSS JOIN LATERAL (
    SELECT * FROM listed WHERE listed.id = i.id) AS e;
$$;

CREATE OR REPLACE FUNCTION keys() RETURNS TABLE (
  id bigint, name text, secret bytea, owner text, lease_ms double precision, used_last_minute bigint
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pagerduty_alert, pg_catalog, pg_temp AS $$
  SELECT k.id, k.name, k.secret, k.owner, greatest(0, coalesce(ms_until(k.lease_until), 0)), coalesce(
    (SELECT sum(p.count) FROM permit AS p WHERE p.key_id = k.id AND p.given_at > clock_timestamp() - interval '1 min'), 0)
  FROM key AS k ORDER BY k.id LIMIT 10000;
$$;

-- Takes the locks of dead events' alerts.
CREATE OR REPLACE FUNCTION lock_dead(p_ids bigint[]) RETURNS void
LANGUAGE sql SET search_path = pagerduty_alert, pg_catalog, pg_temp SET enable_seqscan = off AS $$
  SELECT lock_alerts(array_agg(d.key_id), array_agg(coalesce(d.alert, d.id::text))) FROM dead AS d WHERE d.id = ANY (p_ids);
$$;

-- The dead events among these, in their order, that would be retried, and those that a later event of their alert supersedes.
CREATE OR REPLACE FUNCTION dead_of(p_ids bigint[], p_even_superseded boolean)
RETURNS TABLE (id bigint, key_id bigint, alert text, action text, accepted_at timestamptz, is_left_out boolean)
LANGUAGE sql SET search_path = pagerduty_alert, pg_catalog, pg_temp AS $$
  SELECT d.id, d.key_id, d.alert, d.action, d.accepted_at, NOT p_even_superseded AND coalesce(nullif(d.is_superseded, false), (
    SELECT true FROM pending AS e WHERE e.key_id = d.key_id AND e.alert = d.alert AND e.turn > d.id
      AND e.action IN ('trigger', 'resolve') LIMIT 1), false)
  FROM dead AS d WHERE d.id = ANY (p_ids);
$$;

-- Makes dead events pending again, behind the pending events of their alert, as if they had just been accepted.
CREATE OR REPLACE FUNCTION retry(p_ids bigint[], p_even_superseded boolean, p_is_dry_run boolean) RETURNS TABLE (
  retried bigint, left_out bigint, triggers bigint, oldest_at_ms double precision, due_key_ids bigint[], ids bigint[]
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' SET jit = off
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  v_ids bigint[];
  v_due bigint[];
BEGIN
  IF NOT p_is_dry_run THEN
    PERFORM lock_dead(p_ids);
  END IF;
  SELECT count(*) FILTER (WHERE NOT d.is_left_out), count(*) FILTER (WHERE d.is_left_out),
    count(*) FILTER (WHERE NOT d.is_left_out AND d.action = 'trigger'),
    ms_of(min(d.accepted_at) FILTER (WHERE NOT d.is_left_out)),
    coalesce(array_agg(d.id ORDER BY d.id) FILTER (WHERE NOT d.is_left_out), '{}')
  INTO retried, left_out, triggers, oldest_at_ms, v_ids FROM dead_of(p_ids, p_even_superseded) AS d;
  IF NOT p_is_dry_run THEN
    WITH removed AS (
      DELETE FROM dead WHERE dead.id = ANY (v_ids) RETURNING dead.*
    ), numbered AS (
      SELECT r.*, nextval('turn') AS new_turn FROM (SELECT * FROM removed ORDER BY removed.id) AS r
    ), inserted AS (
      INSERT INTO pending (id, turn, key_id, kind, action, alert, origin, origin_id, accepted_at, due_at, is_superseded,
        checksum, summary, body)
      SELECT n.id, n.new_turn, n.key_id, n.kind, n.action, n.alert, n.origin, n.origin_id, clock_timestamp(),
        CASE WHEN n.alert IS NULL
          OR (n.new_turn = min(n.new_turn) OVER (PARTITION BY n.key_id, n.alert)
            AND (SELECT true FROM pending AS e WHERE e.key_id = n.key_id AND e.alert = n.alert LIMIT 1) IS NULL)
          THEN timestamptz '-infinity' END,
        n.is_superseded, n.checksum, n.summary, n.body
      FROM numbered AS n RETURNING pending.key_id, pending.due_at
    )
    SELECT array_agg(DISTINCT i.key_id) FILTER (WHERE i.due_at IS NOT NULL) FROM inserted AS i INTO v_due;
  END IF;
  due_key_ids := v_due;
  ids := v_ids;
  RETURN NEXT;
END $$;

-- Gives dead events up: for good, or with a note that stays in the list. Returns how many.
CREATE OR REPLACE FUNCTION discard(p_relay text, p_ids bigint[], p_note text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' SET enable_seqscan = off AS $$
DECLARE
  v_count bigint;
BEGIN
  PERFORM lock_deployments();
  PERFORM lock_dead(p_ids);
  PERFORM give_up(ARRAY(SELECT id FROM dead WHERE id = ANY (p_ids)));
  WITH removed AS (
    DELETE FROM dead WHERE id = ANY (p_ids) RETURNING *
  ), kept AS (
    INSERT INTO discarded (id, key_id, kind, action, alert, origin, origin_id, accepted_at, attempts, http_status, reason,
      settled_at, settled_by, note, attempt_log, summary)
    SELECT id, key_id, kind, action, alert, origin, origin_id, accepted_at, attempts, http_status, reason, clock_timestamp(),
      p_relay, p_note, attempt_log, summary
    FROM removed WHERE p_note IS NOT NULL
  )
  SELECT count(*) INTO v_count FROM removed;
  RETURN v_count;
END $$;

-- Remembers that deployments have a dead event that is about to go, so that it does not count as delivered. The caller holds
-- the lock of deployments.
CREATE OR REPLACE FUNCTION give_up(p_ids bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pagerduty_alert, pg_catalog, pg_temp SET enable_bitmapscan = on AS $$
BEGIN
  IF cardinality(p_ids) > 0 THEN
    UPDATE deployment SET record = jsonb_set(record, '{told}', '"dead"') WHERE event_ids && p_ids;
  END IF;
END $$;
