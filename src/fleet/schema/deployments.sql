-- Deployments that were told and not merged yet, and what is known about the same ones. The caller merges them in the same
-- transaction with `merge_deployments`; others wait, or take different ones.
CREATE OR REPLACE FUNCTION told_deployments() RETURNS TABLE (id bigint, identity text, event_ids bigint[], record text, is_told boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
#variable_conflict use_column
BEGIN
  -- One relay at a time: what is told of one deployment must be merged in its order.
  PERFORM pg_advisory_xact_lock(1346650188, 1);
  RETURN QUERY SELECT t.id, t.identity, t.event_ids, t.record, true FROM told AS t ORDER BY t.id LIMIT 100;
  RETURN QUERY SELECT d.id, d.identity, d.event_ids, d.record, false
  FROM (SELECT DISTINCT t.identity FROM (SELECT told.identity FROM told ORDER BY told.id LIMIT 100) AS t) AS i
  CROSS JOIN LATERAL (
    SELECT * FROM deployment WHERE deployment.identity = i.identity ORDER BY deployment.id DESC LIMIT 10) AS d;
END $$;

CREATE OR REPLACE FUNCTION merge_deployments(
  p_told_ids bigint[], p_ids bigint[], p_identities text[], p_states text[], p_repositories text[], p_environments text[],
  p_started_ms double precision[], p_ended_ms double precision[], p_event_ids text[], p_records text[]
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

CREATE OR REPLACE FUNCTION deployments(
  p_before_id bigint, p_environment text, p_repository text, p_state text, p_since_ms double precision, p_limit integer
) RETURNS TABLE (id bigint, event_ids bigint[], record text, statuses text[])
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off AS $$
  SELECT d.id, d.event_ids, d.record, ARRAY(
    SELECT coalesce((SELECT e.status FROM listed AS e WHERE e.id = i.id LIMIT 1), 'delivered') FROM unnest(d.event_ids) AS i (id))
  FROM (
    SELECT * FROM deployment AS d
    WHERE (p_before_id IS NULL OR d.id < p_before_id) AND (p_environment IS NULL OR d.environment = p_environment)
      AND (p_repository IS NULL OR d.repository = p_repository) AND (p_state IS NULL OR d.state = p_state)
      AND (p_since_ms IS NULL OR coalesce(d.ended_at, d.started_at) >= to_timestamp(p_since_ms / 1000))
    ORDER BY d.id DESC LIMIT p_limit) AS d
  ORDER BY d.id DESC;
$$;

CREATE OR REPLACE FUNCTION ended_since(p_since_ms double precision)
RETURNS TABLE (identity text, state text, started_at_ms double precision, ended_at_ms double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pagerduty_alert, pg_catalog, pg_temp AS $$
  SELECT identity, state, ms_of(started_at), ms_of(ended_at) FROM deployment
  WHERE ended_at >= to_timestamp(p_since_ms / 1000) ORDER BY id DESC LIMIT 100000;
$$;
