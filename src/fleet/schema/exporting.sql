-- Takes every key for an export, so that nobody delivers while events leave. Returns the relays that are alive: then nothing is
-- taken.
CREATE OR REPLACE FUNCTION begin_export(p_owner text) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
BEGIN
  RETURN QUERY SELECT relay.name FROM relay WHERE seen_at > clock_timestamp() - interval '30 s' ORDER BY relay.name;
  IF NOT FOUND THEN
    UPDATE key SET owner = p_owner, epoch = epoch + 1, lease_until = clock_timestamp() + interval '1 h';
  END IF;
END $$;

-- The pending events that are first in the order of their alerts.
CREATE OR REPLACE FUNCTION first_pending(p_limit integer)
RETURNS TABLE (id bigint, key_name text, key_secret bytea, kind text, alert text, body bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pagerduty_alert, pg_catalog, pg_temp AS $$
  SELECT e.id, k.name, k.secret, e.kind, e.alert, e.body FROM pending AS e JOIN key AS k ON k.id = e.key_id
  ORDER BY e.turn LIMIT p_limit;
$$;

-- Removes events that a spool has now.
CREATE OR REPLACE FUNCTION remove_exported(p_ids bigint[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' SET enable_seqscan = off AS $$
DECLARE
  v_alert_keys bigint[];
  v_alerts text[];
BEGIN
  SELECT array_agg(key_id), array_agg(alert) INTO v_alert_keys, v_alerts FROM pending WHERE id = ANY (p_ids) AND alert IS NOT NULL;
  PERFORM lock_alerts(v_alert_keys, v_alerts);
  DELETE FROM pending WHERE id = ANY (p_ids);
  PERFORM next_of_alerts(v_alert_keys, v_alerts);
END $$;
