/*
 * What the page reads from the relay: the JSON of the routes that `/openapi.json` describes. Times are ISO 8601 in UTC;
 * what is unknown is absent.
 */

/** GET /status */
export interface Status {
  readonly version: string
  readonly started_at: string
  readonly region: 'us' | 'eu'
  /** Whether this caller may retry and discard. */
  readonly may_act: boolean
  readonly headline: Headline
  readonly counts: Counts
  /** Why the next post would be refused. */
  readonly not_ready?: string
  readonly spool?: {
    readonly limit: number
    readonly is_delivering: boolean
    readonly oldest_pending_at?: string
    readonly set_aside?: readonly string[]
  }
  readonly fleet?: {
    readonly database: string
    /** Why the database cannot be used. */
    readonly problem?: string
    readonly keys_owned?: number
  }
  readonly keys: readonly KeyStatus[]
  /** Whether the caller has a session cookie. */
  readonly is_logged_in: boolean
}

/** The sentence on top. */
export interface Headline {
  readonly state: 'ok' | 'waiting' | 'dead' | 'unavailable'
  readonly text: string
  /** Since when. */
  readonly since?: string
}

export interface Counts {
  readonly pending: number
  readonly delivered: number
  readonly dead: number
}

export interface KeyStatus {
  readonly key: string
  readonly used_last_minute: number
  readonly per_minute?: number
  readonly next_alert_at?: string
  readonly next_change_at?: string
  readonly last_delivered_at?: string
}

export type EventStatus = 'pending' | 'delivered' | 'dead' | 'discarded'

/** One of GET /events?order=newest */
export interface Entry {
  readonly id: number
  readonly kind: 'alert' | 'change'
  readonly action?: string
  /** Masked. */
  readonly key: string
  readonly dedup_key?: string
  readonly summary?: string
  readonly status: EventStatus
  readonly attempts: number
  readonly accepted_at: string
  readonly settled_at?: string
  /** Only while it is pending. */
  readonly next_attempt_at?: string
  readonly http_status?: number
  readonly reason?: string
  /** The relay of a fleet that accepted it. */
  readonly origin?: string
  /** The relay of a fleet that delivers the events of its key. */
  readonly owner?: string
  /** Why it was discarded. */
  readonly note?: string
}

/** GET /events?order=newest&before=ID&status=…&kind=…&key=…&dedup_key=…&answer=… */
export interface EventsPage {
  readonly events: readonly Entry[]
  readonly counts: Counts
}

/** GET /events/{id} */
export interface EventDetail extends Entry {
  /** The last ten, oldest first. */
  readonly last_attempts: readonly Attempt[]
  /** The event as it is sent, masked; absent once PagerDuty has it. */
  readonly event?: unknown
  readonly advice?: string
}

export interface Attempt {
  readonly at: string
  readonly ms: number
  readonly status?: number
  readonly reason?: string
}

/** One of GET /deployments */
export interface Deployment {
  readonly id: number
  readonly identity: string
  readonly outcome: 'started' | 'success' | 'failure' | 'cancelled'
  readonly repository?: string
  readonly environment?: string
  readonly step?: string
  readonly branch?: string
  readonly commit?: string
  readonly message?: string
  readonly committer?: string
  readonly ci?: string
  readonly build_id?: string
  readonly build_url?: string
  readonly commit_url?: string
  readonly compare_url?: string
  readonly rollback?: boolean
  /** It never said how it ended. */
  readonly overdue?: boolean
  readonly started_at?: string
  /** When a running one counts as failed. */
  readonly due_at?: string
  readonly ended_at?: string
  readonly duration_seconds?: number
  readonly told?: 'delivered' | 'waiting' | 'dead'
  readonly event_ids: readonly number[]
}

/** GET /deployments/{id} */
export interface DeploymentDetail extends Deployment {
  readonly last_good?: Deployment
  /** The changes since that one. */
  readonly changes_url?: string
  readonly rollback_hint?: string
  readonly output?: string
}

/** GET /deployments?before=ID&environment=…&repository=…&outcome=…&since=…&text=…&current=true , newest first */
export interface DeploymentsPage {
  readonly deployments: readonly Deployment[]
  /** `before` of the next page. */
  readonly next?: number
}

/** POST /events/retry with `dry_run` */
export interface RetryPreview {
  readonly would_retry: number
  /** How many of these are triggers: PagerDuty may page for them. */
  readonly would_trigger: number
  readonly left_out?: number
  readonly oldest_at?: string
}

/** Data of `event: change` of GET /events/live */
export interface Change {
  readonly headline: Headline
  readonly counts: Counts
  readonly events: readonly Entry[]
  /** More has changed than these events. */
  readonly more?: boolean
}
