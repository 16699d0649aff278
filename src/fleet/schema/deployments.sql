-- Whoever writes deployments, or takes what is told of them, does so alone.
CREATE OR REPLACE FUNCTION lock_deployments() RETURNS void
LANGUAGE sql SET search_path = pagerduty_alert, pg_catalog, pg_temp AS $$
  SELECT pg_advisory_xact_lock(1346650188, 1);
$$;

-- Deployments that were told and not merged yet, and what is known about the same ones, and about `p_identity`. The caller merges
-- them in the same transaction with `merge_deployments`; one relay at a time, so that what is told of one is merged in its order.
CREATE OR REPLACE FUNCTION told_deployments(p_identity text)
RETURNS TABLE (id bigint, event_ids bigint[], record jsonb, is_told boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
#variable_conflict use_column
BEGIN
  PERFORM lock_deployments();
  RETURN QUERY SELECT t.id, t.event_ids, t.record, true FROM told AS t ORDER BY t.id LIMIT 100;
  RETURN QUERY SELECT d.id, d.event_ids, d.record, false
  FROM (
    SELECT t.identity FROM (SELECT told.identity FROM told ORDER BY told.id LIMIT 100) AS t
    UNION SELECT p_identity WHERE p_identity IS NOT NULL) AS i
  CROSS JOIN LATERAL (
    SELECT * FROM deployment WHERE deployment.identity = i.identity ORDER BY deployment.id DESC LIMIT 10) AS d;
END $$;

-- Adds events to the deployments that they belong to: those with the same number, as their origin calls them. A success and its
-- resolve may be added one after the other.
CREATE OR REPLACE FUNCTION join_deployments(p_origin text, p_origin_ids text[], p_numbers integer[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s'
SET enable_seqscan = off AS $$
DECLARE
  v_ids bigint[];
BEGIN
  PERFORM lock_deployments();
  FOR v_ids IN
    SELECT array_agg(i.id) FROM unnest(known_ids(p_origin, p_origin_ids), p_numbers) AS i (id, number)
    WHERE i.id IS NOT NULL GROUP BY i.number HAVING count(*) > 1
  LOOP
    UPDATE told SET event_ids = with_ids(event_ids, v_ids) WHERE id = ANY (v_ids);
    UPDATE deployment SET event_ids = with_ids(event_ids, v_ids) WHERE event_ids && v_ids;
  END LOOP;
END $$;

-- The union of ids in their order; the latest 50, as in src/fleet/deployment-records.ts.
CREATE OR REPLACE FUNCTION with_ids(p_ids bigint[], p_more bigint[]) RETURNS bigint[] LANGUAGE sql IMMUTABLE AS $$
  SELECT array_agg(latest.id ORDER BY latest.id) FROM (
    SELECT DISTINCT id FROM unnest(p_ids || p_more) AS u (id) ORDER BY id DESC LIMIT 50) AS latest;
$$;

-- An id that no event has.
CREATE OR REPLACE FUNCTION next_id() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pagerduty_alert, pg_catalog, pg_temp AS $$
  SELECT nextval('turn');
$$;

CREATE OR REPLACE FUNCTION merge_deployments(
  p_told_ids bigint[], p_ids bigint[], p_identities text[], p_states text[], p_repositories text[], p_environments text[],
  p_started_ms double precision[], p_ended_ms double precision[], p_event_ids text[], p_records jsonb[]
) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
  DELETE FROM told WHERE id = ANY (p_told_ids);
  INSERT INTO deployment (id, identity, state, repository, environment, started_at, ended_at, event_ids, record)
  SELECT id, identity, state, repository, environment, to_timestamp(started_ms / 1000), to_timestamp(ended_ms / 1000),
    event_ids::bigint[], record
  FROM unnest(p_ids, p_identities, p_states, p_repositories, p_environments, p_started_ms, p_ended_ms, p_event_ids, p_records)
    AS d (id, identity, state, repository, environment, started_ms, ended_ms, event_ids, record)
  ON CONFLICT (id) DO UPDATE SET state = excluded.state, repository = excluded.repository,
    environment = excluded.environment, started_at = excluded.started_at, ended_at = excluded.ended_at,
    event_ids = excluded.event_ids, record = excluded.record;
$$;

-- The states of the latest deployments of an identity, and the ids by which they are ordered.
CREATE OR REPLACE FUNCTION latest_states(p_identity text, p_limit integer) RETURNS TABLE (state text, told_id bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET enable_seqscan = off AS $$
  SELECT state, (record ->> 'toldId')::bigint FROM deployment WHERE identity = p_identity ORDER BY id DESC LIMIT p_limit;
$$;

CREATE OR REPLACE FUNCTION deployments(
  p_before_id bigint, p_environment text, p_repository text, p_state text, p_identity text, p_since_ms double precision,
  p_text text, p_searched text[], p_is_current boolean, p_limit integer
) RETURNS TABLE (id bigint, event_ids bigint[], record jsonb, statuses text[])
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET enable_seqscan = off SET enable_hashjoin = off AS $$
  SELECT d.id, d.event_ids, d.record, ARRAY(
    SELECT coalesce((SELECT e.status FROM listed AS e WHERE e.id = i.id LIMIT 1), 'delivered') FROM unnest(d.event_ids) AS i (id))
  FROM (
    SELECT * FROM deployment AS d
    WHERE (p_before_id IS NULL OR d.id < p_before_id) AND (p_environment IS NULL OR d.environment = p_environment)
      AND (p_repository IS NULL OR d.repository = p_repository) AND (p_state IS NULL OR d.state = p_state)
      AND (p_identity IS NULL OR d.identity = p_identity)
      AND (p_since_ms IS NULL OR coalesce(d.ended_at, d.started_at) >= to_timestamp(p_since_ms / 1000))
      AND (p_text IS NULL OR strpos(
        (SELECT lower_case(string_agg(d.record ->> s.name, E'\n')) FROM unnest(p_searched) AS s (name)), lower_case(p_text)) > 0)
      AND (NOT p_is_current OR d.id IN (
        SELECT max(c.id) FROM deployment AS c WHERE c.state <> 'cancelled' GROUP BY c.identity
        UNION ALL SELECT max(c.id) FROM deployment AS c WHERE c.state = 'success' GROUP BY c.identity))
    ORDER BY d.id DESC LIMIT p_limit) AS d
  ORDER BY d.id DESC;
$$;

CREATE OR REPLACE FUNCTION ended_since(p_since_ms double precision)
RETURNS TABLE (identity text, state text, started_at_ms double precision, ended_at_ms double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pagerduty_alert, pg_catalog, pg_temp AS $$
  SELECT identity, state, ms_of(started_at), ms_of(ended_at) FROM deployment
  WHERE ended_at >= to_timestamp(p_since_ms / 1000) ORDER BY id DESC LIMIT 100000;
$$;
