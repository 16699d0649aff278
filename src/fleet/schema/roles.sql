-- Group roles, for the operator to give to login roles: a relay may call the functions, a viewer those that only read. Neither
-- may touch a table.
REVOKE ALL ON SCHEMA pagerduty_alert FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA pagerduty_alert FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA pagerduty_alert FROM PUBLIC;
GRANT USAGE ON SCHEMA pagerduty_alert TO pagerduty_relay, pagerduty_viewer;
GRANT EXECUTE ON FUNCTION counts, pending_of, count_pending, oldest_pending_age_ms, find, show, progress, keys, deployments, ended_since,
  deadlines_of, count_deadlines
  TO pagerduty_relay, pagerduty_viewer;
GRANT EXECUTE ON FUNCTION hello, announce, add, renew, release, claim, take, permit, settle, clamp_due, retry, discard, tidy,
  forget_keys, told_deployments, merge_deployments, join_deployments, next_id, latest_states, lock_deadline, set_deadline, end_deadlines,
  take_deadlines, are_alerts_pending, ids_of, begin_export, first_pending, remove_exported,
  introduce, relay_processes, leave TO pagerduty_relay;
