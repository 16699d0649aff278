-- What a relay asks when it connects. `p_mark` says which PAGERDUTY_FLEET_SECRET it has: the first one that comes decides. A
-- relay that can read what the others write, with its other secret, changes it; but not back, if it is behind the others.
CREATE OR REPLACE FUNCTION hello(p_mark bytea, p_other_mark bytea)
RETURNS TABLE (version integer, is_same_secret boolean, standbys text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
BEGIN
  UPDATE meta SET secret_mark = p_mark WHERE secret_mark IS NULL AND p_mark IS NOT NULL;
  UPDATE meta SET secret_mark = p_mark, former_marks = former_marks || secret_mark
  WHERE secret_mark = p_other_mark AND p_mark <> ALL (former_marks);
  RETURN QUERY SELECT meta.version, meta.secret_mark IS NOT DISTINCT FROM p_mark OR coalesce(meta.secret_mark = p_other_mark, false),
    current_setting('synchronous_standby_names') FROM meta;
END $$;

-- Tells the other relays. A relay calls it in a statement of its own, because a commit that notifies waits for all others.
CREATE OR REPLACE FUNCTION announce(p_topic text, p_ids text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pagerduty_alert, pg_catalog, pg_temp AS $$
  SELECT pg_notify('pagerduty_alert_' || p_topic, p_ids) WHERE p_topic IN ('due', 'changed');
$$;

-- Removes what no longer matters, once a minute for all relays. Returns whether there is more to remove. It waits for nobody
-- but those who write deployments, because it leaves out what others have locked; the next time they are done.
CREATE OR REPLACE FUNCTION tidy() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '1s' SET enable_seqscan = off AS $$
DECLARE
  v_count bigint;
  v_ids bigint[];
  v_is_more boolean := false;
BEGIN
  PERFORM FROM meta WHERE tidied_at < clock_timestamp() - interval '50 s' FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM lock_deployments();
  v_ids := ARRAY(
    SELECT id FROM dead WHERE id <= (SELECT id FROM dead ORDER BY id DESC OFFSET 100000 LIMIT 1) ORDER BY id LIMIT 20000
    FOR UPDATE SKIP LOCKED);
  PERFORM give_up(v_ids);
  DELETE FROM dead WHERE id = ANY (v_ids);
  v_is_more := cardinality(v_ids) = 20000;
  DELETE FROM deployment WHERE id <= (SELECT id FROM deployment ORDER BY id DESC OFFSET 100000 LIMIT 1);
  DELETE FROM discarded WHERE id <= (SELECT id FROM discarded ORDER BY id DESC OFFSET 10000 LIMIT 1);
  -- A relay may still hold an event whose result it does not know: the rest of the minutes is for that.
  DELETE FROM delivered WHERE id IN (
    SELECT id FROM delivered WHERE id <= (SELECT id FROM delivered ORDER BY id DESC OFFSET 100000 LIMIT 1)
      AND settled_at < clock_timestamp() - interval '15 min' ORDER BY id LIMIT 20000);
  GET DIAGNOSTICS v_count = ROW_COUNT;
  v_is_more := v_is_more OR v_count = 20000;
  DELETE FROM relay WHERE name IN (
    SELECT name FROM relay WHERE seen_at < clock_timestamp() - interval '1 day' FOR UPDATE SKIP LOCKED);
  DELETE FROM relay_process WHERE id IN (
    SELECT id FROM relay_process WHERE seen_at < clock_timestamp() - interval '1 h' FOR UPDATE SKIP LOCKED);
  DELETE FROM permit WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM permit WHERE given_at < clock_timestamp() - interval '5 min' FOR UPDATE SKIP LOCKED));
  IF NOT v_is_more THEN UPDATE meta SET tidied_at = clock_timestamp(); END IF;
  RETURN v_is_more;
END $$;

-- Removes callers' own keys that no event needs any more: they are secrets. It has a transaction of its own, because it waits
-- for everybody who adds.
CREATE OR REPLACE FUNCTION forget_keys() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pagerduty_alert, pg_catalog, pg_temp SET lock_timeout = '1s' SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
  v_ids bigint[] := ARRAY(SELECT unused_keys() LIMIT 1000);
BEGIN
  IF cardinality(v_ids) = 0 THEN RETURN; END IF;
  PERFORM pg_advisory_xact_lock(1346650188, 0); -- `add` has this lock shared while it uses a key
  DELETE FROM key WHERE id = ANY (ARRAY(
    SELECT id FROM key WHERE id = ANY (v_ids) AND id IN (SELECT unused_keys()) FOR UPDATE SKIP LOCKED));
END $$;

CREATE OR REPLACE FUNCTION unused_keys() RETURNS SETOF bigint
LANGUAGE sql SET search_path = pagerduty_alert, pg_catalog, pg_temp AS $$
  SELECT key.id FROM key WHERE key.secret IS NOT NULL AND key.lease_until < clock_timestamp()
    AND (SELECT true FROM pending AS e WHERE e.key_id = key.id AND e.due_at IS NOT NULL LIMIT 1) IS NULL
    AND (SELECT true FROM dead AS e WHERE e.key_id = key.id LIMIT 1) IS NULL
    AND (SELECT true FROM deadline AS d WHERE key.id = ANY (d.key_ids) LIMIT 1) IS NULL;
$$;
